"""The table of issues: people, majorities, and the figures that set mass-posted texts apart."""

from __future__ import annotations

import pandas as pd
import pytest
from issue_rows import routed

from pipeline.cluster import describe_issues
from pipeline.errors import TableError
from pipeline.schema import ISSUE_FIGURES, ISSUES
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()


def described(**columns: list[object]) -> pd.Series:
    issues = describe_issues(routed(**columns), settings=SETTINGS)
    assert len(issues) == 1
    return issues.iloc[0]


def test_an_issue_counts_submissions_and_people_and_keeps_its_members():
    issues = describe_issues(
        routed(submitter=["甲", "甲", "乙"], submitted_at=["2025-11-03", "2025-11-01", None]), settings=SETTINGS
    )
    assert list(issues.columns) == ISSUES.names + ISSUE_FIGURES.names
    issue = issues.iloc[0]
    assert (issue["size"], issue["people"], issue["members"]) == (3, 2, ["s0", "s1", "s2"])
    assert (issue["first_at"], issue["last_at"]) == (pd.Timestamp("2025-11-01"), pd.Timestamp("2025-11-03"))


def test_without_a_submitter_each_distinct_wording_is_one_person():
    assert described(submitter=["", "", ""], text=["屋里很冷。", "屋里很冷。", "暖气不热。"])["people"] == 2


def test_wordings_that_differ_in_marks_blanks_and_width_are_one_person():
    texts = ["3号楼 很冷，ABC。", "３号楼很冷ＡＢＣ", "3号楼\n很冷！abc"]
    assert described(submitter=["", "", ""], text=texts)["people"] == 1


def test_a_named_person_and_the_same_words_without_a_name_are_two_people():
    assert described(submitter=["甲", ""])["people"] == 2


def test_topic_department_and_place_are_those_of_most_members():
    issue = described(
        topic=["housing", "heating_gas", "heating_gas"],
        department=["", "住建局", "供热公司"],
        district=[None, "道里区", None],
        township=["新春街道", "群力街道", "群力街道"],
    )
    assert issue[["topic", "department", "district", "township"]].tolist() == [
        "heating_gas",
        "住建局",
        "道里区",
        "群力街道",
    ]


def test_other_is_the_topic_only_of_most_members_and_never_at_a_tie():
    def topic(*topics):
        return described(topic=list(topics))["topic"]

    assert topic("other", "heating_gas") == "heating_gas"
    assert topic("其他", "heating_gas") == "heating_gas"
    assert topic("other", "other", "heating_gas") == "other"
    assert topic("other") == "other"


def test_copies_are_counted_apart_and_the_others_are_voices():
    issue = described(duplicate_of=[None, "s0", "s0", None, "s3", None])
    assert (issue["size"], issue["copies"], issue["voices"]) == (6, 3, 3)


def test_mass_posted_are_all_members_of_a_wording_that_stands_in_five():
    five_and_two = [None, "s0", "s0", "s0", "s0", None, "s5"]
    assert described(duplicate_of=five_and_two)["mass_posted"] == 5
    assert described(duplicate_of=[None, "s0", "s0", "s0"])["mass_posted"] == 0


def test_a_chain_of_edited_copies_is_one_wording_in_whatever_order_the_rows_stand():
    chain = routed(duplicate_of=[None, "s0", "s1", "s2", "s3"])
    assert describe_issues(chain, settings=SETTINGS)["mass_posted"].tolist() == [5]
    assert describe_issues(chain[::-1], settings=SETTINGS)["mass_posted"].tolist() == [5]


def test_copies_of_a_row_that_stands_elsewhere_are_one_wording_too():
    issue = described(duplicate_of=["gone"] * 5)
    assert (issue["copies"], issue["voices"], issue["mass_posted"]) == (5, 0, 5)


def test_a_wording_is_mass_posted_inside_one_issue_only():
    ids = ["i-a", "i-a", "i-a", "i-b", "i-b"]
    parted = routed(issue_id=ids, duplicate_of=[None, "s0", "s0", "s0", "s0"])
    assert describe_issues(parted, settings=SETTINGS)["mass_posted"].tolist() == [0, 0]


def test_who_submits_again_is_counted():
    assert described(submitter=["甲", "甲", "甲", "乙", "", ""])["resubmitted"] == 2


def test_growth_looks_at_first_posts_in_the_newest_week_and_the_week_before():
    issue = described(
        submitter=["甲", "乙", "丙", "丁", "丁", "戊"],
        submitted_at=["2025-11-20", "2025-11-14", "2025-11-13", "2025-11-10", "2025-11-19", "2025-10-01"],
    )
    assert (issue["recent_people"], issue["earlier_people"]) == (2, 2)


def test_the_newest_row_of_the_whole_run_is_now():
    table = routed(issue_id=["i-a", "i-b"], submitted_at=["2025-11-01", "2025-11-20"])
    issues = describe_issues(table, settings=SETTINGS).set_index("issue_id")
    assert issues["recent_people"].to_dict() == {"i-a": 0, "i-b": 1}


def test_spread_counts_the_places_of_people_and_not_of_posts():
    issue = described(
        submitter=["甲", "甲", "乙", "丙", "丁"],
        submitted_at=["2025-11-01", "2025-11-02", "2025-11-01", "2025-11-01", "2025-11-01"],
        spot=["兆麟公园", "太阳岛", None, None, None],
        township=[None, None, "新春街道", "新春街道", None],
        place=["", "", "南岗区某处", "", "自家门口"],
    )
    assert issue["spread"] == 3
    assert described(submitter=["甲", "乙"])["spread"] == 1


def test_urgent_members_are_counted_and_one_reopened_member_marks_the_issue():
    issue = described(urgency=["urgent", "normal", "urgent"], reopened=[False, True, False])
    assert issue["urgent"] == 2
    assert issue["reopened"]
    assert not described(reopened=[False, False])["reopened"]


def test_no_rows_are_no_issues():
    issues = describe_issues(routed(title=["x"])[:0], settings=SETTINGS)
    assert len(issues) == 0
    assert list(issues.columns) == ISSUES.names + ISSUE_FIGURES.names


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="duplicate_of"):
        describe_issues(routed(title=["x"]).drop(columns="duplicate_of"), settings=SETTINGS)
