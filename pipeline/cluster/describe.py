"""Routed rows -> issues: one line an office can act on for each, with the people behind it and its heat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.heat import heat_of
from pipeline.cluster.people import Rows, count_figures, find_people, find_wordings
from pipeline.cluster.titles import choose_words, place_title
from pipeline.schema import ISSUE_FIGURES, ISSUE_ROWS, ISSUES, Table, check_table, empty_table, typed
from pipeline.settings import ClusterSettings

_DESCRIBED = Table("DESCRIBED", ISSUES.columns + ISSUE_FIGURES.columns)
# At a tie a known value goes before the one that says that nothing was known.
_VAGUE = ("other", "其他")


def describe_issues(routed: pd.DataFrame, *, settings: ClusterSettings) -> pd.DataFrame:
    """Sum up the issues of a finished run, hottest first.

    Parameters
    ----------
    routed : table ISSUE_ROWS, the columns of ROUTED that an issue is made of; further columns are ignored
    settings : `freshness_days`, `growth_days`, `mass_posted_rows`

    Returns
    -------
    the columns of ISSUES and then those of ISSUE_FIGURES, one row an issue, by heat, then size, then first_at and
    issue_id

    - `size` counts submissions, `people` distinct submitters, and of the rows without one each distinct wording, where
      punctuation, blanks, case and width make no difference.
    - `topic` and `department` are those of most members (of equals a known one before other, then the one that comes
      first in the run), `district` and `township` the most frequent known ones.
    - `title` is a piece of one member's title or text (`choose_words`); that member is the `representative`. Before it
      stands the place (`place_title`): the district with the spot, or else the township, that at least half of the
      members name. At most 40 characters.
    - `heat` is that of `heat_of`. It counts no posts.
    - `copies` counts members that repeat another's wording, `voices` the others, `mass_posted` those whose wording
      stands in `mass_posted_rows` members or more, `resubmitted` those whose submitter has an earlier member here.
    - `recent_people` counts people whose first post in the issue is less than `growth_days` older than the newest row
      of the run, `earlier_people` those of the `growth_days` before.
    - `spread` counts the places that people's first posts name (spot, else township, else district, else the place as
      filled in), 1 at least; `urgent` counts urgent members; `reopened` is true if any member is.

    Raises
    ------
    TableError : a column is missing
    """
    check_table(routed, ISSUE_ROWS, where="describe_issues")
    if not len(routed):
        return empty_table(_DESCRIBED)
    rows = routed.reset_index(drop=True)
    issue, keys = pd.factorize(rows["issue_id"])
    sizes = np.bincount(issue)
    people, wordings = find_people(rows, issue, settings=settings), find_wordings(rows, issue)
    figures = count_figures(rows, issue, people, wordings, settings=settings)
    urgent = rows["urgency"].eq("urgent").to_numpy()[people.first]
    times = rows["submitted_at"].groupby(issue)
    words, chosen = choose_words(rows["title"].tolist(), rows["text"].tolist(), rows["submitter"].tolist(), issue)
    ids = rows["submission_id"].to_numpy(dtype=object)
    known, counts = {}, {}
    for name in ("topic", "department", "district", "township", "spot"):
        known[name], counts[name] = _most_frequent(rows[name], issue, len(keys))
    places = np.full(len(keys), "", dtype=object)
    for name in ("township", "spot"):
        places[counts[name] * 2 >= sizes] = known[name][counts[name] * 2 >= sizes]
    columns = {
        **known,
        "title": [place_title(*each) for each in zip(words, known["district"], places, strict=True)],
        "issue_id": np.asarray(keys, dtype=object),
        "size": sizes,
        "people": np.bincount(people.issue),
        "first_at": times.min().to_numpy(),
        "last_at": times.max().to_numpy(),
        "heat": heat_of(people, wordings.group[people.first], urgent, figures["spread"], settings=settings),
        "representative": ids[chosen],
        "members": _members(ids, issue, sizes),
        **figures,
    }
    hottest = pd.DataFrame(columns).sort_values(
        ["heat", "size", "first_at", "issue_id"],
        ascending=[False, False, True, True],
        kind="stable",
        na_position="last",
    )
    return typed(hottest.reset_index(drop=True), _DESCRIBED)


def _members(ids: npt.NDArray[Any], issue: Rows, sizes: Rows) -> list[list[str]]:
    ordered: list[str] = ids[np.argsort(issue, kind="stable")].tolist()
    ends = np.cumsum(sizes).tolist()
    return [ordered[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _most_frequent(values: pd.Series, issue: Rows, n: int) -> tuple[npt.NDArray[Any], Rows]:
    """Per issue its most frequent known value, "" where none is, and the rows that have it.

    Of equals a clear one wins, then the one that comes first in the run.
    """
    numbers, known = pd.factorize(values.where(values.ne("")))
    result, counted = np.full(n, "", dtype=object), np.zeros(n, dtype=np.int64)
    rows = np.flatnonzero(numbers >= 0)
    if not len(rows):
        return result, counted
    names = np.asarray(known, dtype=object)
    keys, first, counts = np.unique(
        issue[rows].astype(np.int64) * len(names) + numbers[rows], return_index=True, return_counts=True
    )
    clear = ~np.isin(names.astype(str), _VAGUE)[keys % len(names)]
    order = np.lexsort((-first, clear, counts))  # the winner of an issue is written last
    group, value = np.divmod(keys[order], len(names))
    result[group] = names[value]
    counted[group] = counts[order]
    return result, counted
