"""The title of an issue: place, object and problem, in words that a member wrote."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from issue_rows import routed

from pipeline.cluster import describe_issues
from pipeline.cluster.phrasing import clause_of, tidy
from pipeline.cluster.titles import TITLE_CHARACTERS, cut, place_title
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()


def titles(**columns: list[object]) -> list[str]:
    return describe_issues(routed(**columns), settings=SETTINGS)["title"].tolist()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("关于希望有关部门尽快解决我小区供暖不热问题的请求", "小区供暖不热"),
        ("您好，请问二号线何时开通？", "二号线何时开通？"),
        ("咨询公租房摇号时间", "公租房摇号时间"),
        ("再次投诉楼下烧烤店油烟扰民！！！", "楼下烧烤店油烟扰民"),
        ("强烈要求恢复十七路公交", "恢复十七路公交"),
        ("关于加快修建人行天桥的建议", "加快修建人行天桥"),
        ("市民王先生来电反映井盖丢失", "井盖丢失"),
        ("2025年3月4日自来水发黄", "自来水发黄"),
        ("【紧急】锅炉房冒黑烟（第二次）", "锅炉房冒黑烟"),
        ("楼板开裂，请领导尽快处理", "楼板开裂"),
        ("物业不开发票的情况反映", "物业不开发票"),
    ],
)
def test_what_is_said_beside_the_matter_is_cut_off(title, expected):
    assert tidy(title) == expected


@pytest.mark.parametrize(
    "title",
    [
        "建议体育馆取消门票",  # without 建议 a wish would read like a fact
        "房屋质量问题",  # 质量 alone is no problem
        "对公交线路的建议",
        "投诉物业",
        "反映的问题没有答复",
        "网络问题",
        "信号灯问题",
        "电话打不通",
    ],
)
def test_what_would_say_less_or_something_else_stays(title):
    assert tidy(title) == title


def test_the_name_of_the_writer_is_cut_off():
    assert tidy("赵铁柱 暖气片漏水", submitter="赵铁柱") == "暖气片漏水"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("尊敬的领导：您好！我是三号楼的业主。三号楼没有暖气，求助。", "三号楼没有暖气"),
        ("来电人称其在建设街办卡，店家关门失联。", "在建设街办卡，店家关门失联"),
        ("请尽快安装红绿灯。", "安装红绿灯"),
        ("补办证件说十五天，四十天了在哪呢", "补办证件说十五天，四十天了在哪呢"),
        ("", ""),
    ],
)
def test_a_text_is_called_by_the_first_clauses_that_tell_of_the_matter(text, expected):
    assert clause_of(text) == expected


@pytest.mark.parametrize(
    ("words", "district", "place", "expected"),
    [
        ("路灯不亮", "", "兆麟公园", "兆麟公园：路灯不亮"),
        ("供热管道漏水，路面结冰", "香坊区", "安埠街", "香坊区安埠街：供热管道漏水，路面结冰"),
        ("香坊区安埠街供热管道漏水", "香坊区", "安埠街", "香坊区安埠街：供热管道漏水"),
        ("香坊区供热管道漏水", "香坊区", "安埠街", "香坊区安埠街：供热管道漏水"),
        ("安埠街供热管道漏水", "香坊区", "安埠街", "香坊区安埠街：供热管道漏水"),
        ("安埠街道办事处不作为", "香坊区", "安埠街", "香坊区：安埠街道办事处不作为"),
        ("新春的路灯不亮", "", "新春镇", "新春的路灯不亮"),
        ("道里暖气不热", "道里区", "", "道里暖气不热"),
        ("暖气不热", "依兰县", "依兰镇", "依兰镇：暖气不热"),
        ("", "道里区", "", "道里区"),
        ("暖气不热", "", "", "暖气不热"),
    ],
)
def test_a_title_names_the_place_once(words, district, place, expected):
    assert place_title(words, district, place) == expected


def test_the_place_is_the_most_specific_that_half_of_the_members_name():
    rows = {"title": ["路灯坏了三盏"] * 3, "district": ["香坊区", None, None]}
    assert titles(**rows, spot=["安埠街", "安埠街", None])[:1] == ["香坊区安埠街：路灯坏了三盏"]
    assert titles(**rows, spot=["安埠街", None, None])[:1] == ["香坊区：路灯坏了三盏"]
    assert titles(**rows, spot=["安埠街", None, None], township=["进乡街道"] * 3)[:1] == [
        "香坊区进乡街道：路灯坏了三盏"
    ]


@pytest.mark.parametrize(
    ("words", "longest", "expected"),
    [
        ("水管爆裂，三单元停水两天，没人来修", 14, "水管爆裂，三单元停水两天"),
        ("路" * 60, 40, "路" * 39 + "…"),
        ("小区地下车库二零二五年三月的停车费涨到三百", 16, "小区地下车库二零二五年三月…"),
        ("一二三四五六七八13845678901没接", 16, "一二三四五六七八…"),
        ("短", 5, "短"),
    ],
)
def test_a_long_title_ends_behind_a_clause_or_before_a_little_word_and_never_inside_a_number(words, longest, expected):
    assert cut(words, longest) == expected
    assert len(cut(words, longest)) <= longest


def test_what_most_members_say_names_the_issue():
    said = ["请问一下这件事", "群力家园供热不达标温度低", "群力家园供热不达标", "家园供热不达标怎么办"]
    assert titles(title=said) == ["群力家园供热不达标"]


def test_words_that_many_issues_share_weigh_less_than_those_of_one():
    rows = routed(
        title=["小区物业乱收费", "小区澜湾阁收费", "澜湾阁乱收费", *["小区物业乱收费"] * 12],
        issue_id=["i-a"] * 3 + [f"i-{i // 2}" for i in range(12)],
        text=["没有别的。"] * 15,
    )
    issues = describe_issues(rows, settings=SETTINGS).set_index("issue_id")
    assert "澜湾阁" in issues["title"]["i-a"]


@pytest.mark.parametrize(
    "form",
    ["群众来电", "电话记录", "市民随手拍", "接待登记", "热线转办", "来信", "反映问题", "咨询", "求助", "投诉（3）"],
)
def test_a_forms_title_names_no_issue(form):
    said = ["楼道灯不亮。", "三楼很黑。", "快来修。"]
    better = describe_issues(routed(title=[form, form, "楼道灯坏了"], text=said), settings=SETTINGS).iloc[0]
    assert (better["representative"], better["title"]) == ("s2", "楼道灯坏了")
    assert titles(title=[form], text=["您好，三号楼没有暖气，求助。"]) == ["三号楼没有暖气"]
    assert titles(title=[form], text=[""]) == [form]


def test_a_short_title_without_a_problem_gives_way_to_the_text_that_tells_it():
    assert titles(title=["还林款"], text=["村里还林款两年没有发。"]) == ["村里还林款两年没有发"]
    assert titles(title=["还林款"], text=["快过年了。"]) == ["还林款"]


def test_of_two_members_the_fuller_title_names_the_issue():
    assert titles(title=["暖气", "群力家园暖气不热"]) == ["群力家园暖气不热"]


def test_a_blank_row_has_no_title_and_a_place_alone_is_better_than_none():
    assert titles(title=[""], text=[""]) == [""]
    assert titles(title=[""], text=[" "], spot=["太阳岛"]) == ["太阳岛"]


SAID = (
    "关于|希望|请求解决|的问题|的建议|投诉|您好，|尊敬的领导：|市民李女士来电反映|2025年3月4日|小区|供热|不热|漏水|安埠街|香坊区"
    "|怎么办|，|。|！|（二）| |\n|一楼|ABC|138|电梯|停运|很久|🙂|路|的"
)
PIECES = st.sampled_from(SAID.split("|"))
WORDS = st.lists(PIECES, max_size=9).map("".join)
MEMBERS = st.lists(
    st.tuples(WORDS, WORDS, st.sampled_from([None, "香坊区"]), st.sampled_from([None, "安埠街"]), st.integers(0, 2)),
    min_size=1,
    max_size=6,
)


@run_settings(max_examples=150, deadline=None)
@given(MEMBERS)
def test_no_title_holds_a_word_that_no_member_wrote(members):
    said, texts, districts, spots, numbers = (list(column) for column in zip(*members, strict=True))
    rows = routed(title=said, text=texts, district=districts, spot=spots, issue_id=[f"i-{n}" for n in numbers])
    for issue in describe_issues(rows, settings=SETTINGS).itertuples():
        assert len(issue.title) <= TITLE_CHARACTERS
        own = rows[rows["submission_id"].isin(issue.members)]
        written = [*own["title"], *own["text"], "香坊区安埠街"]
        for run in re.findall(r"\w+", issue.title):
            assert any(run in each for each in written), (run, issue.title)
