"""What a register's word does to a grouping: ties and pins hold, what a clerk parted stays apart, links are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from registering import BUS, HEATING, HEATING_TOO, MARKET, MARKET_TOO, group, letter, make_part

from pipeline.cluster.known import Counts, Known, Tally

NOTHING = Tally(np.zeros(0, np.int64), np.zeros(0, np.int64))


def known(n, **told):
    """A register that knows nothing of n rows, but for what is told."""
    nothing = Known(
        issue=np.full(n, "", dtype=object),
        component=np.zeros(n, np.int64),
        tied=np.zeros(n, np.int64),
        pinned=np.zeros(n, bool),
        apart=np.zeros((0, 2), np.int64),
        counts=Counts(0, NOTHING, NOTHING),
    )
    kinds = {"issue": object, "pinned": bool}
    return replace(nothing, **{name: np.array(value, kinds.get(name, np.int64)) for name, value in told.items()})


@pytest.fixture
def issues_of(tmp_path):
    """A function that groups letters and gives the number of each one's issue, in the order of their first letters."""

    def run(letters, knowledge=None):
        grouping = group(make_part(letters, tmp_path / "part.parquet"), knowledge)
        names = grouping.members["issue_id"].tolist()
        return [list(dict.fromkeys(names)).index(name) for name in names]

    return run


LETTERS = [letter("a", HEATING, 1), letter("b", MARKET, 2), letter("c", HEATING_TOO, 3), letter("d", BUS, 4)]


def test_a_register_that_knows_nothing_changes_nothing(issues_of):
    assert issues_of(LETTERS) == issues_of(LETTERS, known(4)) == [0, 1, 0, 2]


def test_tied_rows_stay_in_one_issue_whatever_they_say(issues_of):
    assert issues_of(LETTERS, known(4, tied=[0, 7, 0, 7])) == [0, 1, 0, 1]


def test_tied_rows_stay_together_where_their_places_differ(issues_of):
    letters = [letter("a", HEATING, 1, spot="群力家园"), letter("b", HEATING_TOO, 2, spot="群力新苑")]
    assert issues_of(letters) == [0, 1]
    assert issues_of(letters, known(2, tied=[3, 3])) == [0, 0]


def test_a_third_row_joins_a_tied_pair_if_its_place_fits_one_of_them_and_is_apart_if_it_fits_none(issues_of):
    pair = [letter("a", HEATING, 1, spot="群力家园"), letter("b", HEATING_TOO, 2, spot="群力新苑")]
    fits = letter("c", HEATING + "请尽快处理。", 3, spot="群力新苑")
    other = letter("c", HEATING + "请尽快处理。", 3, spot="恒大绿洲")
    assert issues_of([*pair, fits], known(3, tied=[3, 3, 0])) == [0, 0, 0]
    assert issues_of([*pair, other], known(3, tied=[3, 3, 0])) == [0, 0, 1]


def test_rows_that_a_clerk_parted_share_no_issue_and_a_third_is_with_one_of_them(issues_of):
    letters = [*LETTERS, letter("e", HEATING_TOO + "盼复。", 5)]
    issues = issues_of(letters, known(5, apart=[[0, 2]]))
    assert issues[0] != issues[2]
    assert issues[4] == issues[2]  # it repeats c


def test_a_repetition_that_a_clerk_parted_from_what_it_repeats_leaves_it_and_still_says_what_it_repeats(tmp_path):
    letters = [letter("a", HEATING, 1), letter("b", HEATING, 2), letter("c", HEATING, 3)]
    part = make_part(letters, tmp_path / "part.parquet")
    grouping = group(part, known(3, apart=[[0, 1]]))
    assert grouping.members["issue_id"].tolist() == ["i-a", "i-b", "i-a"]
    assert grouping.members["duplicate_of"].fillna("").tolist() == ["", "a", "a"]
    assert grouping.links["submission_id"].tolist() == ["a", "c"]  # nothing in b's issue is like it


def test_a_repetition_that_is_tied_elsewhere_goes_there_and_the_others_stay(issues_of):
    letters = [letter("a", HEATING, 1), letter("b", HEATING, 2), letter("c", BUS, 3)]
    assert issues_of(letters, known(3, tied=[5, 5, 0])) == [0, 0, 1]
    assert issues_of(letters, known(3, tied=[0, 5, 5], apart=[[0, 1]])) == [0, 1, 1]


def test_a_pinned_issue_takes_in_new_rows_but_none_of_another_registered_issue(issues_of):
    told = {"issue": ["i-a", "", "i-c", ""], "component": [1, 0, 1, 0]}
    assert issues_of(LETTERS, known(4, **told)) == [0, 1, 0, 2]
    assert issues_of(LETTERS, known(4, **told, pinned=[True, False, False, False])) == [0, 1, 2, 3]
    new = [*LETTERS[:2], letter("c", HEATING_TOO, 3), LETTERS[3]]
    assert issues_of(new, known(4, issue=["i-a", "", "", ""], pinned=[True, False, False, False])) == [0, 1, 0, 2]


def test_rows_of_a_pinned_issue_stay_together(issues_of):
    told = known(4, issue=["i-a", "i-b", "", "i-b"], pinned=[False, True, False, True])
    assert issues_of(LETTERS, told) == [0, 1, 0, 1]


def test_rows_that_were_linked_start_in_one_component_and_are_weighed_again(tmp_path):
    part = make_part(LETTERS, tmp_path / "part.parquet")
    grouping = group(part, known(4, component=[0, 9, 0, 9]))
    components = grouping.components.tolist()
    assert components[0] == components[2]
    assert components[1] == components[3]
    assert components[0] != components[1]
    assert grouping.members["issue_id"].tolist() == ["i-a", "i-b", "i-a", "i-d"]  # nothing is alike in b and d


TEXTS = [HEATING, HEATING_TOO, MARKET, MARKET_TOO, BUS, HEATING + "谢谢", MARKET]


@run_settings(max_examples=40, deadline=None)
@given(
    tied=st.lists(st.integers(0, 2), min_size=7, max_size=7),
    pairs=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4),
    spots=st.lists(st.sampled_from([None, "群力家园", "中央大街"]), min_size=7, max_size=7),
)
def test_whatever_clerks_said_ties_hold_and_parted_rows_are_apart(tmp_path_factory, tied, pairs, spots):
    # A register never ties what it parts.
    apart = [sorted(pair) for pair in pairs if pair[0] != pair[1] and not 0 < tied[pair[0]] == tied[pair[1]]]
    letters = [letter(f"s{k}", text, k, spot=spots[k]) for k, text in enumerate(TEXTS)]
    part = make_part(letters, tmp_path_factory.mktemp("held") / "part.parquet")
    grouping = group(part, known(7, tied=tied, apart=np.array(apart, np.int64).reshape(-1, 2)))
    issues = grouping.members["issue_id"].tolist()
    for tie in (1, 2):
        assert len({issue for issue, number in zip(issues, tied, strict=True) if number == tie}) <= 1
    assert all(issues[left] != issues[right] for left, right in apart)
    # An issue never reaches beyond its component.
    reach = {}
    for issue, component in zip(issues, grouping.components.tolist(), strict=True):
        assert reach.setdefault(issue, component) == component
