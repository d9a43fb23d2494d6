"""Who stands behind an issue: people and voices, not posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.phrases import fold
from pipeline.repetitions import wordings_of
from pipeline.settings import ClusterSettings

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Wordings:
    """Which rows repeat one another.

    Attributes
    ----------
    group : shape (n_rows,), rows of one issue and one wording share a number, 0 to n_groups - 1
    rows : shape (n_groups,), rows of each
    """

    group: Rows
    rows: Rows


@dataclass(frozen=True)
class People:
    """One entry for each person of each issue, told by the person's first post in it; later posts change nothing.

    Attributes
    ----------
    issue : shape (n_people,), number of the issue, ascending
    first : shape (n_people,), row of the first post
    age : shape (n_people,), days from the first post to the newest row of the run, 0 or more
    """

    issue: Rows
    first: Rows
    age: Floats


def find_wordings(rows: pd.DataFrame, issue: Rows) -> Wordings:
    """Rows of one wording in one issue, see `wordings_of`.

    Parameters
    ----------
    rows : table ISSUE_ROWS, index 0 to n_rows - 1
    issue : shape (n_rows,), number of each row's issue

    Returns
    -------
    Wordings : rows that repeat a row outside of the issue (a clerk parted them) share a wording there all the same
    """
    wording, _ = wordings_of(rows)
    _, group, counts = np.unique(issue * len(rows) + wording, return_inverse=True, return_counts=True)
    return Wordings(group.astype(np.int64), counts.astype(np.int64))


def find_people(rows: pd.DataFrame, issue: Rows, *, settings: ClusterSettings) -> People:
    """Each distinct submitter of an issue, and of its rows without one each distinct wording.

    Parameters
    ----------
    rows : table ISSUE_ROWS, index 0 to n_rows - 1
    issue : shape (n_rows,), number of each row's issue
    settings : `freshness_days`, `growth_days`

    Returns
    -------
    People : a person's first post is the oldest, of equals the one with the first submission_id; a post without a time
        is taken for one that is no longer fresh: max(freshness_days, 2 * growth_days) old. Wordings are one where they
        differ only in punctuation, blanks, case or full width.
    """
    person = _persons(rows, issue)
    times = rows["submitted_at"].to_numpy().astype("datetime64[us]")
    timed = ~np.isnat(times)
    age = np.full(len(rows), max(settings.freshness_days, 2 * settings.growth_days))
    if timed.any():
        age[timed] = (times[timed].max() - times[timed]) / np.timedelta64(1, "D")
    # Only among several posts of one person is there a first to find, and sorting all ids costs more than all else.
    several = np.flatnonzero(np.bincount(person)[person] > 1)
    tie = np.zeros(len(rows), dtype=np.int64)
    tie[several] = np.unique(rows["submission_id"].to_numpy(dtype=object)[several], return_inverse=True)[1]
    order = np.lexsort((tie, -age, person))
    first = order[np.unique(person[order], return_index=True)[1]]
    return People(issue[first], first, age[first])


def count_figures(
    rows: pd.DataFrame, issue: Rows, people: People, wordings: Wordings, *, settings: ClusterSettings
) -> dict[str, npt.NDArray[Any]]:
    """The columns of ISSUE_FIGURES, one entry an issue; see `describe_issues`."""
    n = int(issue.max()) + 1

    def count(flags: Flags) -> Rows:
        return np.bincount(issue[flags], minlength=n)

    def count_people(flags: Flags) -> Rows:
        return np.bincount(people.issue[flags], minlength=n)

    copies = count(rows["duplicate_of"].notna().to_numpy())
    named = rows["submitter"].ne("").to_numpy()
    days = settings.growth_days
    return {
        "copies": copies,
        "mass_posted": count(wordings.rows[wordings.group] >= settings.mass_posted_rows),
        "voices": np.bincount(issue, minlength=n) - copies,
        "resubmitted": count(named) - count_people(named[people.first]),
        "recent_people": count_people(people.age < days),
        "earlier_people": count_people((people.age >= days) & (people.age < 2 * days)),
        "spread": _spread(rows, people, n),
        "urgent": count(rows["urgency"].eq("urgent").to_numpy()),
        "reopened": count(rows["reopened"].to_numpy(dtype=bool)) > 0,
    }


def _persons(rows: pd.DataFrame, issue: Rows) -> Rows:
    """Shape (n_rows,): rows of one person in one issue share a number; numbers ascend with the issue's."""
    codes = pd.factorize(rows["submitter"])[0].astype(np.int64)
    # Alone in its issue, a row without a submitter is one person whatever it says.
    unnamed = np.flatnonzero(rows["submitter"].eq("").to_numpy() & (np.bincount(issue)[issue] > 1))
    if len(unnamed):
        said = _plain(rows["title"].iloc[unnamed], rows["text"].iloc[unnamed])
        codes[unnamed] = int(codes.max()) + 1 + pd.factorize(np.array(said, dtype=object))[0]
    persons: Rows = np.unique(issue * (int(codes.max()) + 1) + codes, return_inverse=True)[1].astype(np.int64)
    return persons


def _plain(titles: pd.Series, texts: pd.Series) -> list[str]:
    """Title and text as letters and digits only, half-width capitals."""
    wordings = [f"{title}{text}" for title, text in zip(titles, texts, strict=True)]
    return ["".join(filter(str.isalnum, fold(wording))) for wording in wordings]


def _spread(rows: pd.DataFrame, people: People, n: int) -> Rows:
    """Distinct places that the people's first posts name; 1 where none does."""
    several = np.flatnonzero(np.bincount(people.issue, minlength=n)[people.issue] > 1)
    posts = rows[["spot", "township", "district", "place"]].iloc[people.first[several]]
    place = posts["place"].where(posts["place"].ne(""))
    for name in ("district", "township", "spot"):
        place = posts[name].where(posts[name].notna(), place)
    codes = pd.factorize(place)[0].astype(np.int64)
    known = np.unique(people.issue[several][codes >= 0] * (len(codes) + 1) + codes[codes >= 0])
    return np.bincount(known // (len(codes) + 1), minlength=n).clip(min=1)
