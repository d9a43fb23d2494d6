"""Recalling: the past matters, clauses and returned matters that a row is like, whatever its batch and fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import sparse

from pipeline.errors import TableError
from pipeline.lead_learning import learn_past
from pipeline.recall import Clauses, Past, fit_past, open_returned, recall_matters
from pipeline.recall.nearest import Index, heaviest, of_unit_length
from pipeline.schema import LABELLED, RECALLED, SUBMISSIONS, empty_table
from pipeline.settings import RecallSettings

SETTINGS = RecallSettings()
WORDS = ["暖气", "不热", "室温", "公交", "晚点", "路灯", "不亮", "补偿", "洪水"]


def vectors(*texts):
    """One column for each word of WORDS, rows of unit length."""
    counts = np.array([[text.split().count(word) for word in WORDS] for text in texts], dtype=np.float32)
    return of_unit_length(sparse.csr_matrix(counts.reshape(len(texts), len(WORDS))))


def labelled(*rows, target="department"):
    """Rows of (id, lead, further columns)."""
    frame = empty_table(LABELLED).reindex(range(len(rows)))
    lists = {column.name: [[] for _ in rows] for column in LABELLED.columns if column.kind == "list"}
    frame = frame.assign(**{**lists, "submission_id": [name for name, *_ in rows], "department": ""})
    frame = frame.assign(learn_only=False, example=False, submitted_at=pd.NaT)
    leads = [lead for _, lead, *_ in rows]
    frame[target if target == "department" else "department_kind"] = (
        leads if target == "department" else pd.Series([[lead] if lead else [] for lead in leads], dtype="object")
    )
    for place, (_, _, *further) in enumerate(rows):
        for column, value in further[0].items() if further else ():
            frame.at[place, column] = value
    return frame


def submissions(n):
    frame = empty_table(SUBMISSIONS).reindex(range(n))
    return frame.assign(submission_id=[f"s{i}" for i in range(n)], returned_by=[[] for _ in range(n)])


def recalled(table, *, past=None, meanings=None, returned=None, settings=SETTINGS):
    return recall_matters(
        submissions(table.shape[0]), table, past=past, meanings=meanings, returned=returned, settings=settings
    )


HEAT = ("暖气 不热 室温", "暖气 不热", "公交 晚点")
PAST = fit_past(
    vectors(*HEAT),
    labelled(("h1", "供热公司", {"co_kinds": ["住建局"]}), ("h2", "供热公司"), ("b1", "公交公司", {"example": True})),
    target="department",
    settings=SETTINGS,
)


def test_a_row_recalls_the_matters_that_are_like_it_and_who_handled_them():
    found = recalled(vectors("室温 暖气 不热 不热", "路灯 不亮", "公交"), past=PAST)

    assert list(found.columns) == RECALLED.names
    assert found["past_ids"].tolist() == [["h1", "h2"], [], [""]], "a made-up example is never named"
    assert found["past_leads"].tolist() == [["供热公司", "供热公司"], [], ["公交公司"]]
    assert found["past_partners"].tolist()[0] == ["住建局", ""]
    assert found["past_likeness"].tolist()[0] == sorted(found["past_likeness"].tolist()[0], reverse=True)


def test_a_row_that_was_learned_from_is_not_named_as_a_matter_like_itself():
    learned = fit_past(
        vectors("暖气", "暖气"), labelled(("s0", "甲"), ("x", "甲")), target="department", settings=SETTINGS
    )
    found = recalled(vectors("暖气"), past=learned)
    assert (found["past_ids"][0], found["past_leads"][0]) == (["", "x"], ["甲", "甲"])


def test_what_is_unlabelled_or_only_learned_from_is_no_past_matter():
    rows = labelled(("a", "供热公司"), ("b", ""), ("c", "供热公司", {"learn_only": True}))
    assert fit_past(vectors(*["暖气"] * 3), rows, target="department", settings=SETTINGS).ids.tolist() == ["a"]
    assert not len(fit_past(vectors(*["暖气"] * 3), rows, target="topic", settings=SETTINGS).ids)


def test_of_too_many_matters_the_newest_are_kept():
    days = pd.to_datetime(["2026-03-01", None, "2026-01-01", "2026-02-01"])
    rows = labelled(*[(name, "局") for name in "abcd"]).assign(submitted_at=days)
    past = fit_past(vectors(*["暖气"] * 4), rows, target="department", settings=RecallSettings(past_rows=2))
    assert past.ids.tolist() == ["a", "d"]


def test_kinds_are_recalled_by_the_first_of_those_labelled():
    rows = labelled(("a", "住建局"), ("b", ""), target="kind")
    rows.at[0, "department_kind"] = ["住建局", "城管局"]
    assert fit_past(vectors("暖气", "路灯"), rows, target="kind", settings=SETTINGS).leads.tolist() == ["住建局"]


def test_a_past_survives_the_bundle():
    again = Past.from_parts(PAST.to_parts())
    query = vectors("暖气 不热", "公交")
    pd.testing.assert_frame_equal(recalled(query, past=again), recalled(query, past=PAST))


def test_a_clause_is_found_by_the_matters_that_its_department_handled():
    clauses = Clauses(
        vectors("室温", "路灯"), ["供热企业", "城管局"], lambda lead: {"供热公司": "供热企业"}.get(lead, "")
    )
    query = vectors("不热", "不亮", "路灯")

    plain = recalled(query, meanings=clauses.open(PAST.without(np.ones(3, dtype=bool)), SETTINGS))
    assert plain["clauses"].tolist() == [[], [], [1]], "alone, a clause is found by its own words"
    moved = recalled(query, meanings=clauses.open(PAST, SETTINGS))
    assert moved["clauses"].tolist() == [[0], [], [1]], "不热 stands in matters that the heating company handled"


def test_returned_matters_come_with_who_sent_them_back_if_they_are_like_enough():
    returned = open_returned(
        vectors("暖气 不热", "公交"), ["r1", "r2"], [["城管局"], ["交警", "住建局"]], settings=SETTINGS
    )
    found = recalled(vectors("暖气 不热 室温", "公交", "暖气 路灯 不亮 补偿 洪水 晚点 室温"), returned=returned)

    assert found["returned_ids"].tolist() == [["r1"], ["r2"], []]
    assert found["returned_bodies"].tolist() == [[("城管局",)], [("交警", "住建局")], []]


def test_a_row_of_training_never_meets_its_own_fold():
    rows = labelled(*[(f"m{i}", "供热公司") for i in range(4)]).assign(title="", text="")
    table = vectors(*["暖气 不热"] * 4)
    past, found = learn_past(
        rows, rows, table, np.array([0, 0, 1, 1]), target="department", clauses=None, settings=SETTINGS
    )

    assert past.ids.tolist() == ["m0", "m1", "m2", "m3"]
    assert found["past_ids"].tolist() == [["m2", "m3"]] * 2 + [["m0", "m1"]] * 2


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="submission_id"):
        recall_matters(
            pd.DataFrame({"text": ["暖气"]}),
            vectors("暖气"),
            past=None,
            meanings=None,
            returned=None,
            settings=SETTINGS,
        )


def test_the_heaviest_features_are_kept_and_of_equals_the_first():
    table = sparse.csr_matrix(np.array([[3.0, 1.0, 2.0, 2.0], [0.0, 0.0, 0.0, 1.0]]))
    assert heaviest(table, 2).toarray().tolist() == [[3, 0, 2, 0], [0, 0, 0, 1]]


def test_a_feature_that_too_many_have_finds_nothing():
    table = vectors("暖气", "暖气", "暖气 公交")
    assert Index.of(table, common=2).nearest(vectors("暖气"), 5).other.tolist() == []
    assert Index.of(table, common=2).nearest(vectors("公交"), 5).other.tolist() == [2]


texts = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), st.lists(texts, min_size=1, max_size=8))
def test_each_row_is_recalled_alone_as_among_others(asked, known):
    past = fit_past(
        vectors(*known),
        labelled(*[(f"p{i}", f"局{i % 3}") for i in range(len(known))]),
        target="department",
        settings=SETTINGS,
    )
    together = recalled(vectors(*asked), past=past)
    for place, text in enumerate(asked):
        alone = recalled(vectors(text), past=past)
        for name in ("past_ids", "past_leads", "past_likeness"):
            assert alone[name][0] == together[name][place]
            assert len(alone[name][0]) <= SETTINGS.like_matters
