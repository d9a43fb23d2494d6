"""What the register tells about issues: lists, one issue with its submissions, and the history."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.cluster import describe_issues
from pipeline.errors import InputError
from pipeline.register.lookups import known_issue
from pipeline.register.store import MERGED, STATUSES, Register
from pipeline.schema import ISSUE_ROWS
from pipeline.settings import ClusterSettings

_LISTED = """
SELECT i.issue_id, i.status, i.pinned, i.closed_at, i.merged_into, i.first_seen, count(s.position) AS size,
    max(s.submitted_at) AS last_at
FROM issues i LEFT JOIN submissions s USING (issue_id) WHERE {wanted}
GROUP BY ALL ORDER BY last_at DESC NULLS LAST, i.first_seen DESC, i.issue_id LIMIT ?
"""
_DESCRIBED = ["issue_id", "title", "people", "department", "district", "township", "first_at"]


def list_issues(register: Register, *, status: str | None, limit: int) -> pd.DataFrame:
    """Issues, those with the newest submission first.

    Parameters
    ----------
    register : of the office
    status : one of STATUSES; None gives all but those that were merged away
    limit : rows at most

    Returns
    -------
    issue_id, title, status, size, people, department, district, township, first_at, last_at, first_seen, pinned,
    closed_at, merged_into

    Raises
    ------
    InputError : no such status
    """
    if status is not None and status not in STATUSES:
        raise InputError(f"没有“{status}”这种状态。可用的有 {'、'.join(STATUSES)}。")
    wanted, values = ("i.status = ?", [status]) if status is not None else ("i.status <> ?", [MERGED])
    return _described(register, register.frame(_LISTED.format(wanted=wanted), [*values, limit]))


def issue_details(register: Register, issue: str) -> dict[str, Any]:
    """One issue as `list_issues` has it, with ``submissions`` and ``history``, both frames.

    Raises
    ------
    InputError : the register does not know the id; names those that are near
    """
    known_issue(register, issue)
    found = _described(register, register.frame(_LISTED.format(wanted="i.issue_id = ?"), [issue, 1]))
    submissions = register.frame(
        "SELECT submission_id, submitted_at, submitter, title, text, department, tie > 0 AS tied, reopened "
        "FROM submissions WHERE issue_id = ? ORDER BY submitted_at NULLS LAST, position",
        [issue],
    )
    history = issue_history(register, issue)
    told = {str(name): value for name, value in found.iloc[0].items()}
    return {**told, "submissions": submissions, "history": history}


def issue_history(register: Register, issue: str | None = None, *, limit: int | None = None) -> pd.DataFrame:
    """What has happened, the latest last: at, issue_id, event, other_issue, submissions, reason, by.

    Parameters
    ----------
    register : of the office
    issue : of one issue, those events among them in which it is the other one; None gives all
    limit : the latest so many; None gives all

    Raises
    ------
    InputError : the register does not know the id
    """
    if issue is not None:
        known_issue(register, issue)
    wanted, values = ("issue_id = ? OR other_issue = ?", [issue, issue]) if issue is not None else ("true", [])
    query = f"SELECT * FROM history WHERE {wanted} ORDER BY rowid DESC LIMIT ?"
    return register.frame(query, [*values, limit if limit is not None else 2**62])[::-1].reset_index(drop=True)


def _described(register: Register, issues: pd.DataFrame) -> pd.DataFrame:
    """The issues with what `describe_issues` says of their submissions; those without any have none of it."""
    columns = ", ".join(f's."{name}"' for name in ISSUE_ROWS.names)
    rows = register.frame(
        f"SELECT {columns} FROM submissions s WHERE issue_id IN (SELECT unnest(?)) ORDER BY position",
        [issues["issue_id"].tolist()],
    )
    described = describe_issues(rows, settings=ClusterSettings())[_DESCRIBED]
    return issues.merge(described, on="issue_id", how="left").fillna({"title": "", "people": 0})
