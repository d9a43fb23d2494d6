"""The table of issues: titles, people, majorities and heat."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.cluster import describe_issues
from pipeline.schema import ISSUES
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()


def routed(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    rows = {
        "submission_id": [f"s{i}" for i in range(n)],
        "title": ["群力家园供热不达标"] * n,
        "text": ["屋里只有十四度。"] * n,
        "topic": ["heating_gas"] * n,
        "department": ["供热燃气企业"] * n,
        "district": [None] * n,
        "township": [None] * n,
        "spot": [None] * n,
        "urgency": ["normal"] * n,
        "issue_id": ["i-s0"] * n,
        "submitter": [f"居民{i}" for i in range(n)],
        "submitted_at": ["2025-11-01"] * n,
    } | columns
    return pd.DataFrame(rows).assign(submitted_at=lambda table: pd.to_datetime(table["submitted_at"]))


def test_an_issue_counts_submissions_and_people_and_keeps_its_members():
    issues = describe_issues(
        routed(submitter=["甲", "甲", "乙"], submitted_at=["2025-11-03", "2025-11-01", None]), settings=SETTINGS
    )
    assert list(issues.columns) == ISSUES.names
    issue = issues.iloc[0]
    assert (issue["size"], issue["people"], issue["members"]) == (3, 2, ["s0", "s1", "s2"])
    assert (issue["first_at"], issue["last_at"]) == (pd.Timestamp("2025-11-01"), pd.Timestamp("2025-11-03"))


def test_without_a_submitter_each_distinct_wording_is_one_person():
    texts = ["屋里很冷。", "屋里很冷。", "暖气不热。"]
    assert describe_issues(routed(submitter=["", "", ""], text=texts), settings=SETTINGS)["people"].tolist() == [2]


def test_topic_department_and_place_are_those_of_most_members():
    issue = describe_issues(
        routed(
            topic=["housing", "heating_gas", "heating_gas"],
            department=["", "住建局", "供热公司"],
            district=[None, "道里区", None],
            township=["新春街道", "群力街道", "群力街道"],
        ),
        settings=SETTINGS,
    ).iloc[0]
    assert issue[["topic", "department", "district", "township"]].tolist() == [
        "heating_gas",
        "住建局",
        "道里区",
        "群力街道",
    ]


def test_one_loud_person_cannot_lift_an_issue():
    people = ["热心市民"] * 40 + ["甲", "乙"]
    ids = ["i-loud"] * 40 + ["i-two"] * 2
    issues = describe_issues(routed(submitter=people, issue_id=ids), settings=SETTINGS)
    assert issues["issue_id"].tolist() == ["i-two", "i-loud"]


def test_urgent_and_fresh_issues_are_hotter():
    issues = describe_issues(
        routed(
            issue_id=["i-old", "i-new", "i-urgent"],
            urgency=["normal", "normal", "urgent"],
            submitted_at=["2025-01-01", "2025-11-01", "2025-11-01"],
        ),
        settings=SETTINGS,
    ).set_index("issue_id")
    assert issues["heat"]["i-urgent"] == pytest.approx(1.5)
    assert issues["heat"]["i-new"] == pytest.approx(1.0)
    assert issues["heat"]["i-old"] == pytest.approx(0.5, abs=0.01)


def test_without_any_time_heat_is_still_a_number():
    issues = describe_issues(routed(submitted_at=[None, None]), settings=SETTINGS)
    assert issues["heat"].notna().all()
    assert issues["first_at"].isna().all()


@pytest.mark.parametrize(
    ("title", "text", "spot", "township", "expected"),
    [
        ("路灯不亮", "", "兆麟公园", "新春街道", "兆麟公园：路灯不亮"),
        ("兆麟公园路灯不亮", "", "兆麟公园", None, "兆麟公园路灯不亮"),
        ("新春的路灯不亮", "", None, "新春镇", "新春的路灯不亮"),
        ("", "井盖丢了，很危险。已经三天。", None, None, "井盖丢了"),
        ("路" * 60, "", None, None, "路" * 39 + "…"),
    ],
)
def test_a_title_names_the_place_once_and_stays_readable(title, text, spot, township, expected):
    table = routed(title=[title], text=[text], spot=[spot], township=[township])
    assert describe_issues(table, settings=SETTINGS)["title"].tolist() == [expected]


def test_the_representative_is_the_most_typical_member():
    titles = ["请问一下这件事", "群力家园供热不达标温度低", "群力家园供热不达标", "家园供热不达标怎么办"]
    issue = describe_issues(routed(title=titles), settings=SETTINGS).iloc[0]
    assert issue["representative"] in ("s1", "s2")


@pytest.mark.parametrize(
    "form",
    ["群众来电", "电话记录", "市民随手拍", "接待登记", "热线转办", "来信", "反映问题", "咨询", "求助", "投诉（3）"],
)
def test_a_forms_title_names_no_issue(form):
    better = describe_issues(routed(title=[form, form, "楼道灯坏了"]), settings=SETTINGS).iloc[0]
    assert (better["representative"], better["title"]) == ("s2", "楼道灯坏了")
    none = describe_issues(routed(title=[form], text=["您好，三号楼没有暖气，求助。"]), settings=SETTINGS).iloc[0]
    assert none["title"] == "三号楼没有暖气"
    assert describe_issues(routed(title=[form], text=[""]), settings=SETTINGS)["title"].tolist() == [form]


@pytest.mark.parametrize("title", ["网络问题", "电话打不通", "信号灯问题", "投诉物业"])
def test_a_short_title_of_the_matter_is_no_forms(title):
    assert describe_issues(routed(title=[title]), settings=SETTINGS)["title"].tolist() == [title]


def test_of_two_members_the_longer_title_names_the_issue():
    issue = describe_issues(routed(title=["暖气", "群力家园暖气不热"]), settings=SETTINGS).iloc[0]
    assert issue["title"] == "群力家园暖气不热"


def test_other_is_the_topic_only_of_most_members_and_never_at_a_tie():
    def topic(*topics):
        n = len(topics)
        table = routed(topic=list(topics), title=["暖气不热"] * n)
        return describe_issues(table, settings=SETTINGS)["topic"].tolist()

    assert topic("other", "heating_gas") == ["heating_gas"]
    assert topic("其他", "heating_gas") == ["heating_gas"]
    assert topic("other", "other", "heating_gas") == ["other"]
    assert topic("other") == ["other"]


def test_no_rows_are_no_issues():
    assert len(describe_issues(routed(title=["x"])[:0], settings=SETTINGS)) == 0
