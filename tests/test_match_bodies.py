"""Bodies: whose matter it is by kind, level and place, in zones too; and what a clerk is told about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.directory import Department, Directory, Duty, Overlap, Place
from pipeline.match.bodies import Answer, find_body, set_scene
from pipeline.match.reasons import explain_body

CITY = Place("哈尔滨市", "city", "", "", ("哈市",), ())
DIRECTORY = Directory(
    topics=(),
    departments=(
        Department("哈尔滨市城市管理局", "城管局", "哈尔滨市", "city", ()),
        Department("平房区城市管理局", "城管局", "平房区", "district", ()),
        Department("香坊区城市管理局", "城管局", "香坊区", "district", ()),
        Department("哈尔滨市商务局", "商务局", "哈尔滨市", "city", ()),
        Department("平房区商务局", "商务局", "平房区", "district", ()),
        Department("平房区残疾人联合会", "残联", "平房区", "district", ()),
        Department("哈尔滨地铁集团", "轨道交通公司", "哈尔滨市", "city", ()),
        Department("平房区人民政府", "街道乡镇", "平房区", "district", ()),
        Department("平房区平房镇人民政府", "街道乡镇", "平房镇", "township", ()),
        Department("经开区管委会", "其他", "平房区", "district", ()),
    ),
    duties=(),
    places=(
        CITY,
        Place("平房区", "district", "平房区", "", (), ()),
        Place("香坊区", "district", "香坊区", "", (), ()),
        Place("平房镇", "township", "平房区", "平房镇", (), ()),
        Place("哈南工业新城", "spot", "平房区", "", (), ()),
    ),
)


def zone(kinds=(), role="lead", places=(), name="经开区"):
    return Overlap(name, "平房区", tuple(places), tuple(kinds), "经开区管委会", role)


def answer(kind, level="district", district="", township="", spot="", *, text="", overlaps=(), directory=DIRECTORY):
    directory = replace(directory, overlaps=tuple(overlaps))
    return find_body(kind, level, set_scene(district, township, spot, text=text, directory=directory), directory)


@pytest.mark.parametrize(
    ("kind", "level", "where", "name", "gave_way"),
    [
        ("城管局", "district", ("平房区",), "平房区城市管理局", ""),
        ("城管局", "city", ("平房区",), "哈尔滨市城市管理局", ""),
        ("城管局", "city", (), "哈尔滨市城市管理局", ""),
        ("城管局", "district", (), "哈尔滨市城市管理局", "city"),
        ("轨道交通公司", "district", ("平房区",), "哈尔滨地铁集团", ""),
        ("轨道交通公司", "district", (), "哈尔滨地铁集团", ""),
        ("街道乡镇", "township", ("平房区", "平房镇"), "平房区平房镇人民政府", ""),
        ("街道乡镇", "township", ("平房区",), "平房区人民政府", "district"),
        ("街道乡镇", "township", (), "街道乡镇", ""),
        ("残联", "district", (), "残联", ""),
        ("残联", "district", ("香坊区",), "残联", ""),
        ("残联", "city", ("平房区",), "平房区残疾人联合会", ""),
    ],
)
def test_a_body_is_of_the_level_named_and_of_a_wider_one_where_the_place_is_lacking(kind, level, where, name, gave_way):
    assert answer(kind, level, *where) == Answer(name, gave_way)


def test_of_several_cities_the_text_names_one_or_none_is_meant():
    two = replace(
        DIRECTORY,
        departments=(*DIRECTORY.departments, Department("大庆市城市管理局", "城管局", "大庆市", "city", ())),
        places=(*DIRECTORY.places, Place("大庆市", "city", "", "", ("油城",), ())),
    )

    assert answer("城管局", text="油城的夜市", directory=two).name == "大庆市城市管理局"
    assert answer("城管局", "city", text="哈市的夜市", directory=two).name == "哈尔滨市城市管理局"
    assert answer("城管局", "city", text="夜市太吵", directory=two).name == "城管局"


def test_the_only_district_of_a_directory_need_not_be_named():
    county = replace(DIRECTORY, places=tuple(place for place in DIRECTORY.places if place.name != "香坊区"))

    assert answer("城管局", directory=county) == Answer("平房区城市管理局")
    without_city = replace(county, places=county.places[1:])
    assert answer("城管局", directory=without_city) == Answer("平房区城市管理局")


def test_a_word_of_other_kinds_clauses_points_to_no_body():
    firms = tuple(
        Department(name, "供热企业", "哈尔滨市", "city", aliases)
        for name, aliases in (("属地供热企业", ("供热公司",)), ("物业供热集团", ()), ("华能供热公司", ()))
    )
    property_duty = Duty("p", "住建局管物业", "housing", "住建局", (), "district", "normal", 5, None, None, ("物业",))
    firms_only = replace(DIRECTORY, departments=firms, duties=(property_duty,))

    assert answer("供热企业", text="物业不管，屋里冷", directory=firms_only).name == "供热企业"
    assert answer("供热企业", text="物业供热集团收了费", directory=firms_only).name == "物业供热集团"
    assert answer("供热企业", text="华能供热的楼，供热公司推诿", directory=firms_only).name == "华能供热公司"


def test_a_zones_body_leads_on_what_is_its_own_and_the_districts_helps():
    shared = [zone(["商务局"], places=["哈南工业新城"])]
    here = {"district": "平房区", "spot": "哈南工业新城", "overlaps": shared}

    assert answer("商务局", **here) == Answer("经开区管委会", overlap=shared[0], beside="平房区商务局")
    assert answer("商务局", "city", **here).beside == "哈尔滨市商务局", "a kind that the row names, at every level"
    assert answer("城管局", **here) == Answer("平房区城市管理局")
    assert answer("商务局", district="平房区", overlaps=shared) == Answer("平房区商务局"), "elsewhere in the district"


def test_a_zone_alone_needs_no_help_and_a_helping_zone_leaves_the_lead():
    here = {"district": "平房区", "spot": "经开区"}
    alone, helping = [zone(["城管局"], "alone")], [zone(["城管局"], "co")]

    assert answer("城管局", **here, overlaps=alone) == Answer("经开区管委会", overlap=alone[0])
    assert answer("城管局", **here, overlaps=helping) == Answer(
        "平房区城市管理局", overlap=helping[0], beside="经开区管委会"
    )


def test_a_zone_without_kinds_has_all_that_is_not_the_citys():
    rest = [zone(role="alone", places=["平房镇"]), zone(["残联"], "co", places=["平房镇"])]
    here = {"district": "平房区", "township": "平房镇", "overlaps": rest}

    assert answer("街道乡镇", "township", **here).name == "经开区管委会"
    assert answer("城管局", **here).name == "经开区管委会"
    assert answer("城管局", "city", **here).name == "哈尔滨市城市管理局"
    assert answer("轨道交通公司", **here).name == "哈尔滨地铁集团"
    assert answer("残联", **here).name == "平房区残疾人联合会", "the row that names a kind goes before"


def test_the_narrowest_zone_has_the_first_word():
    whole = zone(["城管局"], "co", ["平房区"], "新区")
    spot = zone(["城管局"], "alone", ["哈南工业新城"])

    assert answer("城管局", district="平房区", overlaps=[whole, spot]).overlap == whole
    assert answer("城管局", district="平房区", spot="哈南工业新城", overlaps=[whole, spot]).overlap == spot


def test_a_zone_is_of_its_own_district():
    assert answer("城管局", district="香坊区", township="平房镇", overlaps=[zone(places=["平房镇"])]).overlap is None


@pytest.mark.parametrize(
    ("found", "decision", "placed", "told"),
    [
        (Answer("平房区城市管理局"), "auto", True, ""),
        (Answer("哈尔滨市城市管理局", "city"), "auto", False, "，先由市级单位受理"),
        (Answer("哈尔滨市城市管理局", "city"), "check", True, "，未写明区县，先由市级单位受理"),
        (Answer("平房区人民政府", "district"), "auto", True, "，未写明街道乡镇，先由区县受理"),
        (Answer("哈尔滨市城市管理局", "city"), "review", False, ""),
        (Answer("经开区管委会", overlap=zone(["城管局"])), "review", True, "，属经开区管理范围"),
    ],
)
def test_a_reason_says_why_this_body_where_the_place_alone_does_not(found, decision, placed, told):
    assert explain_body(found, decision, placed=placed) == told


@given(
    st.sampled_from(["城管局", "商务局", "残联", "街道乡镇", "轨道交通公司", "不认识的局"]),
    st.sampled_from(["city", "district", "township"]),
    st.sampled_from([("", ""), ("平房区", ""), ("平房区", "平房镇"), ("香坊区", "")]),
    st.sampled_from(["", "哈南工业新城"]),
    st.lists(
        st.builds(
            zone,
            st.lists(st.sampled_from(["城管局", "商务局", "街道乡镇"]), max_size=2, unique=True),
            st.sampled_from(["alone", "lead", "co"]),
            st.sets(st.sampled_from(["平房区", "平房镇", "哈南工业新城"]), max_size=2),
        ),
        max_size=1,
    ),
)
def test_an_answer_is_a_body_of_the_place_or_the_kind_and_never_helps_itself(kind, level, where, spot, overlaps):
    found = answer(kind, level, *where, spot, overlaps=overlaps)
    bodies = {body.name: body for body in DIRECTORY.departments}

    assert found.name == kind or found.name in bodies
    if found.name in bodies:
        assert bodies[found.name].jurisdiction in ("哈尔滨市", *where)
    assert found.beside in ("", *bodies)
    assert found.beside != found.name
