"""The submissions of each issue side by side, and the wordings that were posted in masses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.repetitions import wordings_of

Positions = npt.NDArray[np.int64]

EXCERPT = 200  # characters of a text that stand beside others
_ISSUES_AT_LEAST = 20  # that share the rows of a limit, however large the hottest is


def detail_rows(ranking: pd.DataFrame, issues: pd.DataFrame) -> Positions:
    """Rows whose issue has several submissions: by issue in the order of `issues`, in each the earliest first.

    Parameters
    ----------
    ranking : issue_id and submitted_at of all submissions of the run
    issues : issue_id and size
    """
    several = pd.Index(issues.loc[issues["size"] > 1, "issue_id"])
    rank = several.get_indexer(pd.Index(ranking["issue_id"]))
    rows = np.flatnonzero(rank >= 0)
    times = ranking["submitted_at"].to_numpy(dtype="datetime64[us]")[rows]
    # A row without a time comes last.
    return rows[np.lexsort((rows, times.astype(np.int64), np.isnat(times), rank[rows]))]


def within_limit(issue_ids: pd.Series, limit: int) -> npt.NDArray[np.bool_]:
    """Which rows to keep of issues that stand one after the other.

    Parameters
    ----------
    issue_ids : issue of each row; rows of one issue are neighbours, the hottest issue first
    limit : most rows

    Returns
    -------
    bool, True for the first rows of each issue, for as many issues from the first on as fit; none has more than a
    twentieth of the limit, or one issue of thousands would be all that is seen
    """
    issue = pd.factorize(issue_ids)[0]
    most = max(2, limit // _ISSUES_AT_LEAST)
    nth = np.arange(len(issue)) - np.searchsorted(issue, issue)
    fits = np.minimum(np.bincount(issue), most).cumsum() <= limit
    return np.asarray((nth < most) & fits[issue])


def posted_again(issue_ids: pd.Series, submitters: pd.Series) -> npt.NDArray[np.bool_]:
    """True where the same named submitter has an earlier row in the issue; rows are in order of time."""
    pairs = pd.DataFrame({"issue": issue_ids.to_numpy(), "submitter": submitters.to_numpy()})
    return np.asarray(pairs.duplicated() & (pairs["submitter"] != ""))


def mass_posted(ranking: pd.DataFrame, *, least: int) -> pd.DataFrame:
    """The wordings that stand in `least` submissions of a run or more, the most frequent first.

    Parameters
    ----------
    ranking : submission_id, issue_id, duplicate_of, submitter, submitted_at of all submissions

    Returns
    -------
    one row a wording: `first` (id of the row that its chain of repetitions ends in, which may be of an earlier run),
    `position` (of that row in `ranking`, or where it is not there of the earliest that repeats it), issue_id,
    `submissions`, `people` (distinct submitters with a name), first_at, last_at, `members` (ids, earliest first)
    """
    wording, first = wordings_of(ranking)
    counts = np.bincount(wording, minlength=1)
    rows = np.flatnonzero(counts[wording] >= least)
    members = ranking.iloc[rows].assign(position=rows, wording=wording[rows])
    members = members.sort_values(["submitted_at", "position"], na_position="last")
    groups = members.groupby("wording", sort=False)
    found = pd.DataFrame(
        {
            "submissions": groups.size(),
            "people": members["submitter"].where(members["submitter"] != "").groupby(members["wording"]).nunique(),
            "first_at": groups["submitted_at"].min(),
            "last_at": groups["submitted_at"].max(),
            "members": groups["submission_id"].agg(list),
            "earliest": groups["position"].first(),
        }
    )
    head = found.index.to_numpy(dtype=np.int64)
    present = ranking["submission_id"].to_numpy(dtype=object)[head] == first[head]
    position = np.where(present, head, found["earliest"].to_numpy(dtype=np.int64))
    found = found.assign(
        first=first[head], position=position, issue_id=ranking["issue_id"].to_numpy(dtype=object)[position]
    )
    return found.sort_values(["submissions", "position"], ascending=[False, True], ignore_index=True)


def excerpt(texts: Iterable[str], *, longest: int = EXCERPT) -> list[str]:
    """The first characters of each text, blanks and line ends drawn together."""
    drawn = [" ".join(text.split()) for text in texts]
    return [text if len(text) <= longest else text[:longest] + "…" for text in drawn]
