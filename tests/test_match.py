"""Matching: what match_departments promises about leads, bodies, reasons, urgency and decisions."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.directory import Department, Directory, Duty, Overlap, Place, Topic
from pipeline.errors import TableError
from pipeline.match import Matcher, match_departments
from pipeline.match.ranking import View
from pipeline.match.thresholds import NEVER
from pipeline.schema import MATCHED, RECALLED
from pipeline.settings import MatchSettings

CITY, SETTINGS = "哈尔滨市", MatchSettings()


def duty(name, clause, topic, lead, level, words, co=(), urgency="normal"):
    return Duty(name, clause, topic, lead, tuple(co), level, urgency, 5, None, None, tuple(words))


DIRECTORY = Directory(
    topics=(
        Topic("traffic", "交通出行", "", ""),
        Topic("city_management", "城市管理", "", ""),
        Topic("heating_gas", "供热燃气", "", ""),
        Topic("agriculture", "农业农村", "", ""),
        Topic("housing", "住房物业", "", ""),
        Topic("other", "其他", "", ""),
    ),
    departments=(
        Department("哈尔滨市公安局交通警察支队", "交警", CITY, "city", ()),
        Department("哈尔滨市城市管理局", "城管局", CITY, "city", ()),
        Department("道里区城市管理局", "城管局", "道里区", "district", ("道里区城管局",)),
        Department("五常市城市管理局", "城管局", "五常市", "district", ()),
        Department("哈尔滨住房公积金管理中心", "公积金中心", CITY, "city", ()),
        Department("道里区属地供热企业", "供热燃气企业", "道里区", "district", ("道里热力公司",)),
        Department("道里区属地燃气企业", "供热燃气企业", "道里区", "district", ("道里天然气公司",)),
        Department("香坊区向阳镇人民政府", "街道乡镇", "向阳镇", "township", ()),
        Department("五常市向阳镇人民政府", "街道乡镇", "向阳镇", "township", ()),
    ),
    duties=(
        duty(
            "stall",
            "城管局负责治理占道经营和油烟",
            "city_management",
            "城管局",
            "district",
            ["占道经营", "油烟"],
            co=["交警"],
        ),
        duty("signal", "交警负责信号灯", "traffic", "交警", "city", ["红绿灯", "信号灯"]),
        duty("heat", "供热企业负责室温", "heating_gas", "供热燃气企业", "district", ["暖气", "室温"]),
        duty(
            "gas",
            "燃气企业处置泄漏",
            "heating_gas",
            "供热燃气企业",
            "district",
            ["燃气表", "燃气抢修"],
            urgency="urgent",
        ),
        duty("village", "乡镇管理村务", "agriculture", "街道乡镇", "township", ["村务公开", "村里账目"]),
        duty("fund", "公积金中心办理提取", "housing", "公积金中心", "city", ["公积金"]),
    ),
    places=(Place(CITY, "city", "", "", (), ()),),
)

# Wide open, so that a test sees what is decided and not what is withheld.
OPEN = View(np.array([1.0, 1.0, 5.0, 3.0, 1.0, 1.0]), np.array([0.0, 1.0, *[0.0] * 6]), np.array([0.5, 0.1]))
NO_LABELS = np.zeros(0, dtype="U1")


def row(text="", title="", *, topics=(), kinds=(), departments=(), place=(), place_words=(), column="", **recalled):
    """One submission with what the stages before have said of it; `recalled` are lists of RECALLED."""
    return {
        **{name: recalled.get(name, []) for name in RECALLED.names[1:]},
        "returned_by": recalled.get("returned_by", []),
        "title": title,
        "text": text,
        "place": column,
        "topic": topics[0][0] if topics else "",
        "topic_probability": topics[0][1] if topics else 0.0,
        "topic_labels": [name for name, _ in topics],
        "topic_probabilities": [p for _, p in topics],
        "kind_labels": [name for name, _ in kinds],
        "kind_probabilities": [p for _, p in kinds],
        "department_labels": [name for name, _ in departments],
        "department_probabilities": [p for _, p in departments],
        "district": place[0] if place else None,
        "township": place[1] if len(place) > 1 else None,
        "spot": place[2] if len(place) > 2 else None,
        "place_words": list(place_words),
    }


def tables(rows):
    frame = pd.DataFrame(rows)
    frame["submission_id"] = [str(i) for i in range(len(rows))]
    for name in ("submitter", "channel", "source_file", "source_sheet"):
        frame[name] = ""
    frame["submitted_at"], frame["source_row"] = pd.NaT, 2
    for name in ("other_topics", "title_tokens", "text_tokens"):
        frame[name] = [[] for _ in rows]
    return frame


def matched(*rows, target="kind", directory=DIRECTORY, view=OPEN):
    frame = tables(rows)
    matcher = Matcher(target, NO_LABELS, view, view)
    return match_departments(frame, frame, frame, frame, directory=directory, matcher=matcher, settings=SETTINGS)


def routed(*args, target="kind", directory=DIRECTORY, view=OPEN, **kwargs):
    return matched(row(*args, **kwargs), target=target, directory=directory, view=view).iloc[0]


MARKET = {"topics": [("city_management", 0.9)], "kinds": [("城管局", 0.9), ("交警", 0.1)]}


def test_a_row_goes_to_the_body_of_its_kind_and_place_with_a_reason_to_check():
    result = routed(
        "道里区新阳路街道夜里占道经营，油烟呛人",
        **MARKET,
        place=("道里区", "新阳路街道"),
        place_words=["道里区", "新阳路街道"],
    )

    assert list(result.index) == MATCHED.names
    assert (result["department_kind"], result["department"]) == ("城管局", "道里区城市管理局")
    assert result["reason"] == (
        "依据职责“城管局负责治理占道经营和油烟”，文中“占道经营、油烟”，与学过的同类件一致，"
        "地点“道里区新阳路街道”，由道里区城市管理局承办。"
    )
    assert result["department_candidates"][0] == result["department"]
    assert result["co_departments"] == ["哈尔滨市公安局交通警察支队"], "which has no body below the city"
    assert (result["decision"], result["urgency"]) == ("auto", "normal")


def test_without_a_place_the_city_takes_a_districts_matter_in_and_the_reason_says_so():
    result = routed("夜里占道经营", **MARKET)

    assert result["department"] == "哈尔滨市城市管理局"
    assert "，文中未写明地点，先由市级单位受理，由哈尔滨市城市管理局承办。" in result["reason"]
    in_city = routed("哈市夜里占道经营", **MARKET, place_words=["哈市"])
    assert "，地点“哈市”，未写明区县，先由市级单位受理，" in in_city["reason"]


def test_without_a_place_and_a_city_body_the_kind_is_given():
    village = {"topics": [("agriculture", 0.9)], "kinds": [("街道乡镇", 0.9)]}
    result = routed("村务公开", **village)

    assert result["department"] == "街道乡镇"
    assert "，文中未写明地点，由街道乡镇承办。" in result["reason"]


def test_the_only_citys_body_needs_no_place():
    fund = {"topics": [("housing", 0.9)], "kinds": [("公积金中心", 0.9)]}
    result = routed("公积金怎么提", **fund)

    assert result["department"] == "哈尔滨住房公积金管理中心"
    assert "，文中未写明地点，由哈尔滨住房公积金管理中心承办。" in result["reason"], "a city's matter is no stopgap"


def test_a_township_helps_only_where_it_is_known():
    stall = replace(DIRECTORY.duties[0], co_kinds=("街道乡镇",))
    directory = replace(DIRECTORY, duties=(stall, *DIRECTORY.duties[1:]))
    here = {"place": ("五常市", "向阳镇"), "place_words": ["五常市", "向阳镇"]}

    assert routed("占道经营", **MARKET, **here, directory=directory)["co_departments"] == ["五常市向阳镇人民政府"]
    there = {"place": ("五常市",), "place_words": ["五常市"]}
    assert routed("占道经营", **MARKET, **there, directory=directory)["co_departments"] == []


ZONED = replace(
    DIRECTORY,
    departments=(*DIRECTORY.departments, Department("群力新区管委会", "其他", "道里区", "district", ())),
    overlaps=(Overlap("群力新区", "道里区", (), ("城管局",), "群力新区管委会", "lead"),),
)


def test_in_a_zone_its_body_leads_the_districts_helps_and_the_reason_says_why():
    here = {"place": ("道里区", None, "群力新区"), "place_words": ["群力新区"]}
    result = routed("群力新区占道经营", **MARKET, **here, directory=ZONED)

    assert (result["department_kind"], result["department"]) == ("城管局", "群力新区管委会")
    assert result["co_departments"] == ["道里区城市管理局", "哈尔滨市公安局交通警察支队"]
    assert "，地点“群力新区”，属群力新区管理范围，由群力新区管委会承办。" in result["reason"]
    likeness = routed("群力新区夜市", **MARKET, **here, directory=ZONED)
    assert likeness["co_departments"] == ["道里区城市管理局"], "which needs no word of a clause"


def test_a_township_of_two_districts_gets_its_own_government():
    village = {"topics": [("agriculture", 0.9)], "kinds": [("街道乡镇", 0.9)]}
    words = {"place_words": ["五常市", "向阳镇"]}

    assert (
        routed("五常市向阳镇村务公开", **village, place=("五常市", "向阳镇"), **words)["department"]
        == "五常市向阳镇人民政府"
    )
    assert routed("五常市村务公开", **village, place=("五常市",), place_words=["五常市"])["department"] == "街道乡镇"


def test_two_bodies_of_one_kind_are_told_apart_by_the_words_or_not_at_all():
    gas = {"topics": [("heating_gas", 0.9)], "kinds": [("供热燃气企业", 0.9)]}
    here = {"place": ("道里区",), "place_words": ["道里区"]}

    assert routed("道里区燃气表坏了", **gas, **here)["department"] == "道里区属地燃气企业"
    assert routed("道里区暖气不热，供热单位不管", **gas, **here)["department"] == "道里区属地供热企业"
    assert routed("道里区室温太低", **gas, **here)["department"] == "道里区属地供热企业", "its clause speaks of 供热"
    assert routed("道里区这家公司服务差", **gas, **here)["department"] == "供热燃气企业"


def test_words_overrule_a_topic_that_is_unsure():
    result = routed("路口红绿灯坏了", topics=[("city_management", 0.4), ("traffic", 0.35)], target="topic")

    assert result["department_kind"] == "交警"


def test_a_blank_row_is_for_a_person():
    result = routed(" ", "", **MARKET)

    assert (result["department"], result["department_kind"], result["decision"]) == ("", "", "review")
    assert result["department_candidates"] == []
    assert "均为空" in result["reason"]


def test_nothing_that_fits_is_review_and_never_a_default_department():
    stranger = routed("请问几点下班", topics=[("something", 0.9)])
    assert (stranger["department"], stranger["decision"]) == ("", "review")
    assert stranger["department_probability"] == 0
    assert "没有相符的职责" in stranger["reason"]

    other = routed("谢谢", topics=[("other", 0.99)], kinds=[("城管局", 0.9)])
    assert other["decision"] == "review"
    assert "主题不明确" in other["reason"]


def test_without_a_directory_the_learned_kind_is_the_department():
    result = routed("夜里占道经营", **MARKET, directory=None)

    assert (result["department"], result["department_kind"]) == ("城管局", "城管局")
    assert result["department_candidates"] == ["城管局", "交警"]
    assert result["co_departments"] == []
    assert result["reason"] == "依据学过的同类件多由“城管局”承办，文中未写明地点，由城管局承办。"


def test_topics_of_the_users_own_are_decided_by_topic_without_any_department():
    sure = View(OPEN.ranking, np.array([0.0, 0.0, 0.0, 1.0, *[0.0] * 4]), np.array([0.9, 0.5]))
    own = matched(
        row("修路", topics=[("城乡建设", 0.97)]),
        row("修路", topics=[("城乡建设", 0.7)]),
        row("修路", topics=[("城乡建设", 0.3)]),
        target="topic",
        directory=None,
        view=sure,
    )

    assert own["decision"].tolist() == ["auto", "check", "review"]
    assert own["department"].tolist() == ["", "", ""]


def test_learned_departments_stay_labels_and_the_directory_adds_the_kind():
    labels = {"departments": [("道里区城管局", 0.8), ("客运集团", 0.2)], "topics": [("city_management", 0.9)]}
    result = routed("占道经营", **labels, target="department")

    assert (result["department"], result["department_kind"]) == ("道里区城管局", "城管局")
    assert result["department_candidates"] == ["道里区城管局", "客运集团"]

    stranger = routed("线路太少", departments=[("客运集团", 0.9), ("路政局", 0.1)], target="department")
    assert (stranger["department"], stranger["department_kind"]) == ("客运集团", "")
    assert "学过的同类件多由“客运集团”承办" in stranger["reason"]


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("楼道里有煤气味，请快来", "urgent"),
        ("有工友被困电梯", "urgent"),
        ("道里区燃气抢修一直没来", "urgent"),
        ("电线乱拉，一旦着火后果严重", "normal"),
        ("并没有触电", "normal"),
        ("没有人来管，楼下着火了", "urgent"),
        ("希望多做火灾演练", "normal"),
        ("燃气卡怎么办理", "normal"),
        ("热水器打不着火，物业不管", "normal"),
        ("楼下商铺跳楼价甩卖，喇叭太吵", "normal"),
        ("火车晚点，着火车票不给退", "normal"),
        ("等着火车晚点了", "normal"),
        ("楼下起火车辆没人管", "urgent"),
    ],
)
def test_urgent_is_danger_that_is_there(text, urgency):
    assert routed(text, topics=[("heating_gas", 0.9)], kinds=[("供热燃气企业", 0.9)])["urgency"] == urgency


def test_a_reason_quotes_the_word_of_danger_that_made_the_row_urgent():
    gas = {"topics": [("heating_gas", 0.9)], "kinds": [("供热燃气企业", 0.9)]}

    assert "，含紧急情形“煤气味”（人身危险），" in routed("楼道里有煤气味，请快来", **gas)["reason"]
    assert "，含紧急情形“燃气抢修”，" in routed("燃气抢修一直没来", **gas)["reason"], "a word of an urgent clause"
    assert "紧急情形" not in routed("燃气卡怎么办理", **gas)["reason"]


FIRE = replace(
    DIRECTORY,
    duties=(
        *DIRECTORY.duties,
        duty("fire", "消防救援扑救火灾", "traffic", "消防救援", "city", ["着火"], urgency="urgent"),
    ),
)


def test_letters_of_another_word_are_no_word_of_a_clause():
    known = {"topics": [("traffic", 0.9)], "kinds": [("消防救援", 0.9)], "directory": FIRE}

    assert routed("楼下着火", **known)["urgency"] == "urgent"
    assert routed("一旦着火后果严重", **known)["urgency"] == "normal", "the clause does not overrule the supposition"
    assert routed("热水器打不着火", **known)["urgency"] == "normal"
    assert "扑救火灾" not in routed("热水器打不着火", **known)["reason"]


NOBODYS = replace(
    DIRECTORY,
    duties=(*DIRECTORY.duties, duty("thanks", "便民热线登记表扬", "other", "其他", "city", ["表扬信"])),
)


def test_a_row_for_nobody_names_no_clause_and_no_likeness():
    result = routed(
        "道里区表扬信，楼道里有煤气味",
        topics=[("other", 0.9)],
        kinds=[("其他", 0.9)],
        place=("道里区",),
        place_words=["道里区"],
        directory=NOBODYS,
    )

    assert result["reason"] == "含紧急情形“煤气味”（人身危险），地点“道里区”，主题不明确，请人工判定承办单位。"
    assert (result["department"], result["department_probability"], result["decision"]) == ("", 0.0, "review")


def test_where_a_person_is_in_danger_somebody_is_named():
    result = routed(
        "表扬信，楼道里有煤气味",
        topics=[("other", 0.9)],
        kinds=[("其他", 0.8), ("供热燃气企业", 0.2)],
        directory=NOBODYS,
    )
    assert (result["department_kind"], result["decision"], result["endangered"]) == ("供热燃气企业", "review", True)


def test_a_likeness_below_one_half_is_not_called_the_rule():
    unsure = routed("夜里太吵", topics=[("traffic", 0.9)], kinds=[("住建局", 0.4), ("教育局", 0.3)], directory=None)
    sure = routed("夜里太吵", topics=[("traffic", 0.9)], kinds=[("住建局", 0.6), ("教育局", 0.3)], directory=None)

    assert unsure["reason"].startswith("学过的件中与“住建局”承办的最接近，")
    assert sure["reason"].startswith("依据学过的同类件多由“住建局”承办，")


def test_without_a_directory_a_reason_says_that_none_was_used():
    own = {"topics": [("城乡建设", 0.97)], "target": "topic"}

    for limits, ending in (((0.1, 0.0), "没有使用职责目录"), ((2.0, 0.0), "没有使用职责目录，请核对主题")):
        view = View(OPEN.ranking, OPEN.calibration, np.array(limits))
        result = routed("修路", **own, directory=None, view=view)
        assert result["reason"].endswith(f"，{ending}。")
        assert result["department_probability"] == 0.0, "of a department that is not there"
    never = View(OPEN.ranking, OPEN.calibration, np.array([NEVER, NEVER]))
    assert "没有使用职责目录，请人工判定" in routed("修路", **own, directory=None, view=never)["reason"]


def test_a_missing_column_is_named():
    frame = tables([row("占道经营", **MARKET)])
    with pytest.raises(TableError, match="kind_labels"):
        match_departments(
            frame,
            frame.drop(columns="kind_labels"),
            frame,
            frame,
            directory=None,
            matcher=Matcher("kind", NO_LABELS, OPEN, OPEN),
            settings=SETTINGS,
        )


PIECES = ["道里区", "占道经营", "油烟", "红绿灯", "公积金", "煤气味", "村务公开", "没有", "，", "的", "ａｂ"]
TOPICS = ["traffic", "city_management", "heating_gas", "other", "自定"]


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(PIECES), max_size=6),
            st.sampled_from(TOPICS),
            st.sampled_from(["城管局", "交警", "街道乡镇", "不认识的局"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["kind", "topic", "department"]),
    st.booleans(),
)
def test_whatever_comes_rows_stand_alone_and_reasons_quote_only_what_is_there(drawn, target, with_directory):
    rows = [
        row(
            "".join(pieces),
            topics=[(topic, 0.6)],
            kinds=[(kind, 0.7)] if target == "kind" else [],
            departments=[(kind, 0.7)] if target == "department" else [],
            place=("道里区",) if near and "道里区" in pieces else (),
            place_words=["道里区"] if near and "道里区" in pieces else [],
        )
        for pieces, topic, kind, near in drawn
    ]
    directory = DIRECTORY if with_directory else None
    together = matched(*rows, target=target, directory=directory)

    for i, (given_row, result) in enumerate(zip(rows, together.to_dict("records"), strict=True)):
        alone = matched(given_row, target=target, directory=directory).to_dict("records")[0]
        assert {**alone, "submission_id": str(i)} == result
        assert result["department_candidates"][:1] == ([result["department"]] if result["department"] else [])
        assert 0 <= result["department_probability"] <= 1
        assert result["reason"].endswith("。")
        assert result["reason"].count("。") == 1
        for quoted in re.findall(r"(?:文中|地点|紧急情形)“(.+?)”", result["reason"]):
            assert all(word in given_row["text"] for word in quoted.split("、"))
