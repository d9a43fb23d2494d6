"""Heat counts people and their own words; no one heats an issue by speaking again."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from issue_rows import routed

from pipeline.cluster import describe_issues
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()
NOW = pd.Timestamp("2025-11-30")


def heat(rows: pd.DataFrame, issue: str = "i-a") -> float:
    """Heat of one issue among rows to which the newest of the run is added."""
    newest = routed(submission_id=["now"], submitter=["钟"], issue_id=["i-now"], submitted_at=[NOW])
    together = pd.concat([rows, newest], ignore_index=True)
    return describe_issues(together, settings=SETTINGS).set_index("issue_id")["heat"][issue]


def posts(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return routed(**{"issue_id": ["i-a"] * n, "submitted_at": [NOW] * n} | columns)


def days_ago(*days: float) -> list[pd.Timestamp]:
    return [NOW - pd.Timedelta(days=each) for each in days]


def test_one_person_who_spoke_just_now_is_the_measure():
    assert heat(posts(submitter=["甲"])) == pytest.approx(1.2224, abs=1e-4)


def test_one_loud_person_cannot_lift_an_issue():
    people = ["热心市民"] * 40 + ["甲", "乙"]
    issues = describe_issues(routed(submitter=people, issue_id=["i-loud"] * 40 + ["i-two"] * 2), settings=SETTINGS)
    assert issues["issue_id"].tolist() == ["i-two", "i-loud"]


def test_an_issue_that_one_person_keeps_reposting_does_not_stay_hot():
    first, again = days_ago(60, 0)
    assert heat(posts(submitter=["甲", "甲"], submitted_at=[first, again])) == heat(
        posts(submitter=["甲"], submitted_at=[first])
    )


def test_twenty_copies_of_one_text_are_less_than_twenty_people_with_their_own_words():
    copies = posts(submitter=[f"账号{i}" for i in range(20)], duplicate_of=[None, *["s0"] * 19])
    people = posts(submitter=[f"居民{i}" for i in range(20)])
    five = posts(submitter=[f"居民{i}" for i in range(5)])
    one = posts(submitter=["甲"])
    assert heat(one) < heat(copies) < heat(five) < heat(people)


def test_copies_from_many_places_are_no_wide_spread():
    copies = {"submitter": [f"账号{i}" for i in range(20)], "duplicate_of": [None, *["s0"] * 19]}
    everywhere = heat(posts(**copies, place=[f"小区{i}" for i in range(20)]))
    assert everywhere < heat(posts(submitter=[f"居民{i}" for i in range(20)], place=[f"小区{i}" for i in range(20)]))
    assert everywhere < heat(posts(submitter=[f"居民{i}" for i in range(20)]))


def test_growth_lifts_and_two_after_nobody_are_no_sensation():
    growing = posts(submitter=list("甲乙丙丁"), submitted_at=days_ago(0, 1, 2, 20))
    steady = posts(submitter=list("甲乙丙丁"), submitted_at=days_ago(0, 7, 14, 21))
    two = posts(submitter=list("甲乙"), submitted_at=days_ago(0, 1))
    assert heat(two) < heat(steady) < heat(growing)


def test_more_places_are_hotter():
    here = posts(submitter=list("甲乙丙"), spot=["太阳岛"] * 3)
    there = posts(submitter=list("甲乙丙"), spot=["太阳岛", "兆麟公园", "安埠街"])
    assert heat(here) < heat(there)


def test_without_any_time_people_still_decide():
    issues = describe_issues(routed(issue_id=["i-one", "i-two", "i-two"], submitted_at=[None] * 3), settings=SETTINGS)
    assert issues["issue_id"].tolist() == ["i-two", "i-one"]
    assert issues["heat"].notna().all()
    assert issues["first_at"].isna().all()


# The invariants, over issues of up to eight posts by up to five people.
POST = st.fixed_dictionaries(
    {
        "submitter": st.sampled_from(["甲", "乙", "丙", "丁", ""]),
        "text": st.sampled_from(["屋里冷。", "暖气凉。", "管道漏水。"]),
        "age": st.one_of(st.none(), st.floats(0, 120).map(lambda days: round(days, 2))),
        "copies": st.one_of(st.none(), st.integers(0, 7)),
        "urgency": st.sampled_from(["normal", "urgent"]),
        "spot": st.sampled_from([None, "太阳岛", "兆麟公园", "安埠街"]),
    }
)
ISSUE = st.lists(POST, min_size=1, max_size=8)


def rows_of(issue: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(issue)
    ages = pd.to_timedelta(table["age"].astype("float64"), unit="D")
    # A row repeats an earlier one, as the stage before makes it.
    of = [f"s{each}" if each is not None and each < row else None for row, each in enumerate(table["copies"].tolist())]
    return posts(
        **{name: table[name].tolist() for name in ("submitter", "text", "urgency", "spot")},
        submitted_at=(NOW - ages).tolist(),
        duplicate_of=of,
    )


def with_post(rows: pd.DataFrame, **columns: object) -> pd.DataFrame:
    post = posts(**{name: [value] for name, value in {"submission_id": "z", **columns}.items()})
    return pd.concat([rows, post], ignore_index=True)


@run_settings(max_examples=60, deadline=None)
@given(ISSUE, POST, st.data())
def test_a_further_post_by_a_person_who_has_spoken_changes_no_heat(issue, post, data):
    rows = rows_of(issue)
    named = rows[rows["submitter"] != ""]
    assume(len(named))
    earlier = named.iloc[data.draw(st.integers(0, len(named) - 1))]
    at = data.draw(st.sampled_from([NOW, earlier["submitted_at"]]))
    further = {
        "submitter": earlier["submitter"],
        "duplicate_of": data.draw(st.sampled_from([None, *rows["submission_id"]])),
        **{name: post[name] for name in ("text", "urgency", "spot")},
    }
    assert heat(with_post(rows, submitted_at=at, **further)) == heat(rows)
    assert heat(with_post(rows, submitted_at=None, **further)) <= heat(rows)


@run_settings(max_examples=60, deadline=None)
@given(ISSUE, POST)
def test_a_new_person_with_own_words_raises_the_heat_whenever_and_wherever(issue, post):
    rows = rows_of(issue)
    at = None if post["age"] is None else NOW - pd.Timedelta(days=post["age"])
    joined = with_post(
        rows, submitter="新来的人", text="我也说。", urgency=post["urgency"], spot=post["spot"], submitted_at=at
    )
    assert heat(joined) > heat(rows)


@run_settings(max_examples=50, deadline=None)
@given(ISSUE, st.integers(0, 7))
def test_a_new_person_with_anothers_words_never_lowers_it(issue, original):
    rows = rows_of(issue)
    copied = rows["submission_id"].iloc[original % len(rows)]
    for at in days_ago(0, 50):
        assert heat(with_post(rows, submitter="抄送的人", submitted_at=at, duplicate_of=copied)) >= heat(rows)


@run_settings(max_examples=50, deadline=None)
@given(ISSUE, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(issue, random):
    rows = rows_of(issue)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert heat(rows.iloc[order]) == heat(rows)


@run_settings(max_examples=60, deadline=None)
@given(ISSUE, st.floats(0.01, 100))
def test_an_older_issue_is_never_hotter_than_an_equal_younger_one(issue, days):
    rows = rows_of(issue)
    older = rows.assign(submitted_at=rows["submitted_at"] - pd.Timedelta(days=days))
    # Times are kept to the microsecond, so that of two ages one may be rounded.
    assert heat(older) <= heat(rows) + 1e-9


@run_settings(max_examples=50, deadline=None)
@given(ISSUE)
def test_an_urgent_issue_is_hotter_than_an_equal_one_that_is_not(issue):
    calm = rows_of(issue).assign(urgency="normal")
    assert heat(calm.assign(urgency="urgent")) > heat(calm)


@run_settings(max_examples=50, deadline=None)
@given(ISSUE)
def test_one_more_urgent_post_never_cools_an_issue(issue):
    rows = rows_of(issue)
    first = rows.assign(urgency=["urgent", *rows["urgency"].tolist()[1:]])
    assert heat(first) >= heat(rows)
