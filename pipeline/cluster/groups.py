"""Sketches -> duplicates, issues and the evidence of each link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.duplicates import Duplicates, Places, Rows, find_duplicates
from pipeline.cluster.holds import holds_of, holds_of_units, units_of
from pipeline.cluster.issues import find_issues
from pipeline.cluster.known import Counts, Known
from pipeline.cluster.links import make_links
from pipeline.cluster.scorer import PairScorer
from pipeline.cluster.sketches import SKETCHES
from pipeline.cluster.views import Floats, make_views
from pipeline.schema import LINKS, check_table, empty_table
from pipeline.settings import ClusterSettings

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Grouping:
    """Which rows are one issue.

    Attributes
    ----------
    members : submission_id, issue_id, duplicate_of (str or null), in the order of the sketches
    links : table LINKS, one row for each submission of an issue of two or more, in the same order; one that only
        a clerk's word holds there has none
    components : shape (n,), int64, in the order of the sketches; rows of one number are linked by pairs, transitively,
        whether or not they are one issue
    tightened : components too large to weigh pair by pair, for which the threshold was raised
    """

    members: pd.DataFrame
    links: pd.DataFrame
    components: Rows
    tightened: int


def group_submissions(
    sketches: pd.DataFrame,
    *,
    texts: Callable[[Rows], list[str]],
    words: Callable[[Rows], list[list[str]]],
    scorer: PairScorer,
    settings: ClusterSettings,
    known: Known | None = None,
) -> Grouping:
    """Find repetitions and issues among all rows of a run.

    Parameters
    ----------
    sketches : table SKETCHES of the whole run, any batches end to end, in input order
    texts : row numbers of `sketches` (int64, ascending) -> title and text of each row, joined
    words : row numbers of `sketches` (int64, ascending) -> tokens of each row's title and text, as the sketches were
        made of; asked once, only for rows that hold a word to be shown
    scorer : the probability that two rows are one issue, as a bundle has it
    settings : thresholds and bounds, see ClusterSettings
    known : what a register knows of the same rows, in input order

    Returns
    -------
    Grouping : issue_id is "i-" and the submission_id of the issue's earliest row; a lone row has its own

    Raises
    ------
    TableError : a column of SKETCHES is missing

    Notes
    -----
    Components over pairs of `issue_probability` or more are split by average linkage (Sokal and Michener 1958; scipy)
    where the mean probability across is under `cohesion`, so that a chain of single links falls apart but a large
    issue of many links does not. Pairs whose places differ are infinitely far apart: no issue holds two places that
    are known to differ.
    Rows are worked on in order of time (missing times last, then input order), so where times are unique the order of
    the input changes nothing. A repetition belongs to the issue of what it repeats and adds no weight to it.
    What a register knows goes before all that: rows that were linked start in one component, tied rows and those of a
    pinned issue stay together whatever their places, and rows that a clerk parted are apart, repetition or not.
    """
    check_table(sketches, SKETCHES, where="group_submissions")
    none = np.zeros(0, dtype=np.int64)
    if not len(sketches):
        return Grouping(_members(sketches, none, none), empty_table(LINKS), none, 0)
    order, ranked, duplicates = rank_rows(sketches, texts, settings=settings)
    told = holds_of(known, order) if known is not None else None
    units = units_of(duplicates, told) if told is not None else duplicates.root
    heads = np.flatnonzero(units == np.arange(len(units)))
    views = make_views(
        ranked.iloc[heads],
        known_places(ranked, duplicates, heads),
        everyday=scorer.everyday,
        settings=settings,
        counts=known.counts if known is not None else None,
        fresh=(known.issue[order] == "")[heads] if known is not None else None,
    )
    holds = holds_of_units(told, units, heads) if told is not None else None
    issues = find_issues(views, scorer=scorer, settings=settings, holds=holds)
    unit = np.searchsorted(heads, units)
    earliest = heads[issues.earliest][unit]
    # A repetition in a unit of its own is linked by what it is like there.
    linked = replace(duplicates, of=np.where(units == np.arange(len(units)), -1, duplicates.of))
    links = make_links(ranked, linked, heads, earliest, issues, views, _in_time(words, order))
    place_in_input = np.argsort(order)
    return Grouping(
        members=_members(ranked, earliest, duplicates.of).iloc[place_in_input].reset_index(drop=True),
        links=links.iloc[np.argsort(order[links.index], kind="stable")].reset_index(drop=True),
        components=issues.components[unit][place_in_input],
        tightened=issues.tightened,
    )


def weigh_pairs(
    sketches: pd.DataFrame,
    pairs: Rows,
    *,
    counts: Counts,
    fresh: npt.NDArray[np.bool_],
    scorer: PairScorer,
    settings: ClusterSettings,
) -> Floats:
    """Probability that each pair is one issue, as a grouping of just these rows would have it.

    Parameters
    ----------
    sketches : table SKETCHES, in any order
    pairs : row numbers, shape (k, 2)
    counts : of a register's rows
    fresh : shape (n,), which rows `counts` does not count yet
    scorer : as a bundle has it
    settings : see ClusterSettings

    Returns
    -------
    shape (k,), in [0, 1]; 0 where the places of a pair are known to differ
    """
    places = sketches[["district", "township", "spot", "mask"]].to_numpy(dtype=np.int64)
    views = make_views(sketches, places, everyday=scorer.everyday, settings=settings, counts=counts, fresh=fresh)
    return scorer.probabilities(views, pairs, pairs_at_once=settings.pairs_at_once)


def rank_rows(
    sketches: pd.DataFrame, texts: Callable[[Rows], list[str]], *, settings: ClusterSettings
) -> tuple[Rows, pd.DataFrame, Duplicates]:
    """The rows in order of time, and which of them repeat one another.

    Parameters
    ----------
    sketches, texts, settings : see `group_submissions`

    Returns
    -------
    input row number of each row in order of time; the sketches in that order, numbered anew; the repetitions
    """
    order = _time_order(sketches["submitted_at"])
    ranked = sketches.iloc[order].reset_index(drop=True)
    places = ranked[["district", "township", "spot"]].to_numpy(dtype=np.int64)
    return order, ranked, find_duplicates(ranked, places, _in_time(texts, order), settings=settings)


def known_places(ranked: pd.DataFrame, duplicates: Duplicates, heads: Rows) -> Places:
    """District, township, spot and mask of the rows that stand for their repetitions, shape (len(heads), 4)."""
    return np.hstack([duplicates.places[heads], ranked["mask"].to_numpy(dtype=np.int64)[heads, None]])


def _time_order(times: pd.Series) -> Rows:
    """Row numbers by time; rows without one last, rows of one time in input order."""
    stamps = times.to_numpy().astype("datetime64[us]")
    return np.lexsort((np.arange(len(stamps)), stamps.astype(np.int64), np.isnat(stamps)))


def _in_time(ask: Callable[[Rows], list[_Answer]], order: Rows) -> Callable[[Rows], list[_Answer]]:
    """The same question for rows in order of time; the caller still sees his own row numbers, ascending."""

    def answer(rows: Rows) -> list[_Answer]:
        given = order[rows]
        ascending = np.argsort(given)
        answers = ask(given[ascending])
        return [answers[place] for place in np.argsort(ascending)]

    return answer


def _members(ranked: pd.DataFrame, earliest: Rows, of: Rows) -> pd.DataFrame:
    ids = ranked["submission_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "submission_id": pd.Series(ids, dtype="str"),
            "issue_id": pd.Series(["i-" + each for each in ids[earliest]], dtype="str"),
            "duplicate_of": pd.Series([ids[each] if each >= 0 else None for each in of], dtype="str"),
        }
    )
