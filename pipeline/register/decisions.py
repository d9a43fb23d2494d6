"""What clerks decide about issues: at once in the register, and heeded by every later run. The latest decision wins.

Each function is one transaction. An id that the register does not know is answered with those that are near.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.register.lookups import count_rows, earliest, free_name, live_issues, positions_of
from pipeline.register.store import CLOSED, MERGED, OPEN, REPORTED_AGAIN, Register


@dataclass(frozen=True)
class Signature:
    """Who decides, when and why; all of it stands in the history.

    Attributes
    ----------
    at : moment of the decision
    by : name of the clerk, may be empty
    reason : in the clerk's words, may be empty
    """

    at: dt.datetime
    by: str
    reason: str


def merge_issues(register: Register, issue: str, others: Sequence[str], *, sign: Signature) -> int:
    """Join issues for good; their submissions stay together whatever comes.

    Parameters
    ----------
    register : of the office
    issue : keeps its id and status
    others : become a part of it
    sign : for the history

    Returns
    -------
    submissions that came to the issue

    Raises
    ------
    InputError : an id is unknown, was merged away, or is named twice
    """
    wanted = live_issues(register, [issue, *others])
    with register.transaction():
        came = count_rows(register, wanted[1:])
        rows = "SELECT position FROM submissions WHERE issue_id IN (SELECT unnest($ids))"
        _tie(register, rows, {"ids": wanted})
        _part_no_longer(register, rows, {"ids": wanted})
        for other in wanted[1:]:
            rows_there = count_rows(register, [other])
            _tell(register, sign, other, "人工合并", issue, rows_there)
            _tell(register, sign, issue, "人工合并", other, rows_there)
        values = {"issue": issue, "others": wanted[1:]}
        register.run("UPDATE submissions SET issue_id = $issue WHERE issue_id IN (SELECT unnest($others))", values)
        register.run(
            "UPDATE issues SET pinned = true WHERE issue_id = $issue AND EXISTS "
            "(SELECT 1 FROM issues WHERE pinned AND issue_id IN (SELECT unnest($others)))",
            values,
        )
        _leave(register, wanted[1:], issue)
    return came


def split_issue(register: Register, issue: str, submissions: Sequence[str], *, sign: Signature) -> str:
    """Take submissions out of an issue; they are a new one and never come back by themselves.

    Parameters
    ----------
    register : of the office
    issue : loses the submissions
    submissions : stay together; they leave the tie that an earlier decision has put them in
    sign : for the history

    Returns
    -------
    id of the new issue

    Raises
    ------
    InputError : an id is unknown, a submission is not in the issue, or all of them are to leave
    """
    live_issues(register, [issue])
    leaving = positions_of(register, submissions)
    inside = dict(register.run("SELECT submission_id, position FROM submissions WHERE issue_id = ?", [issue]))
    foreign = [name for name in submissions if name not in inside]
    if foreign:
        raise InputError(f"{'、'.join(foreign)} 不在事项 {issue} 里。请用 fenban issues show {issue} 核对。")
    if len(leaving) == len(inside):
        raise InputError(f"事项 {issue} 的 {len(inside)} 件全要拆出，等于没有拆。请只写要拆出去的件。")
    with register.transaction():
        first, _ = earliest(register, "SELECT unnest($rows)", {"rows": leaving})
        name = free_name(f"i-{first}", register.taken([f"i-{first}"]))
        _move(register, leaving, issue, name)
        _tie(register, "SELECT unnest($rows)", {"rows": leaving})
        register.run(
            "INSERT INTO issues SELECT ?, ?, status, false, closed_at, NULL FROM issues WHERE issue_id = ?",
            [name, sign.at, issue],
        )
        _tell(register, sign, issue, "人工拆分", name, len(leaving))
        _tell(register, sign, name, "人工拆分", issue, len(leaving))
    return name


def pin_issue(register: Register, issue: str, *, sign: Signature) -> None:
    """Let an issue stay as it is: none of its submissions leaves, and none of another registered issue comes in.

    Raises
    ------
    InputError : the id is unknown or was merged away
    """
    live_issues(register, [issue])
    with register.transaction():
        register.run("UPDATE issues SET pinned = true WHERE issue_id = ?", [issue])
        _tell(register, sign, issue, "固定", None, count_rows(register, [issue]))


def pin_submissions(register: Register, issue: str, submissions: Sequence[str], *, sign: Signature) -> int:
    """Let submissions belong to an issue for good, wherever they are now.

    Parameters
    ----------
    register : of the office
    issue : where they belong
    submissions : are tied to the issue's earliest submission, and kept apart from the issues that they leave
    sign : for the history

    Returns
    -------
    submissions that came from other issues

    Raises
    ------
    InputError : an id is unknown, or the issue was merged away
    """
    live_issues(register, [issue])
    rows = positions_of(register, submissions)
    with register.transaction():
        homes = register.run(
            "SELECT issue_id, list(position ORDER BY position) FROM submissions "
            "WHERE position IN (SELECT unnest($rows)) AND issue_id <> $issue GROUP BY issue_id ORDER BY issue_id",
            {"rows": rows, "issue": issue},
        )
        for home, moved in homes:
            _move(register, moved, home, issue)
            if not count_rows(register, [home]):
                _leave(register, [home], issue)
            _tell(register, sign, home, "分出", issue, len(moved))
        own = "SELECT position FROM submissions WHERE issue_id = $issue"
        _part_no_longer(register, own, {"issue": issue})
        _, head = earliest(register, own, {"issue": issue})
        _tie(register, "SELECT unnest($rows)", {"rows": sorted({head, *rows})})
        _tell(register, sign, issue, "固定", None, len(rows))
    return sum(len(moved) for _, moved in homes)


def unpin_issue(register: Register, issue: str, *, sign: Signature) -> None:
    """Leave an issue to the engine again: the pin goes, and so does what merging and pinning tied in it.

    Raises
    ------
    InputError : the id is unknown or was merged away
    """
    live_issues(register, [issue])
    with register.transaction():
        register.run("UPDATE issues SET pinned = false WHERE issue_id = ?", [issue])
        register.run("UPDATE submissions SET tie = 0 WHERE issue_id = ?", [issue])
        _tell(register, sign, issue, "解除固定", None, count_rows(register, [issue]))


def close_issues(register: Register, issues: Sequence[str], *, on: dt.date, sign: Signature) -> None:
    """Say that issues are dealt with; a new submission reopens them.

    Raises
    ------
    InputError : an id is unknown, was merged away or is named twice
    """
    wanted = live_issues(register, issues)
    with register.transaction():
        for issue in wanted:
            register.run(f"UPDATE issues SET status = '{CLOSED}', closed_at = ? WHERE issue_id = ?", [on, issue])
            _tell(register, sign, issue, "办结", None, count_rows(register, [issue]))


def reopen_issues(register: Register, issues: Sequence[str], *, sign: Signature) -> None:
    """Take issues up again that were closed.

    Raises
    ------
    InputError : an id is unknown, was merged away or is named twice, or an issue is not closed
    """
    wanted = live_issues(register, issues)
    states = dict(register.run("SELECT issue_id, status FROM issues WHERE issue_id IN (SELECT unnest(?))", [wanted]))
    for issue in wanted:
        if states[issue] not in (CLOSED, REPORTED_AGAIN):
            raise InputError(f"事项 {issue} 没有办结，是{states[issue]}，不用重开。请核对编号。")
    with register.transaction():
        for issue in wanted:
            register.run(f"UPDATE issues SET status = '{OPEN}', closed_at = NULL WHERE issue_id = ?", [issue])
            _tell(register, sign, issue, "重开", None, count_rows(register, [issue]))


def _tie(register: Register, rows: str, values: dict[str, object]) -> None:
    """Put rows, and all that are tied to one of them, into one tie and one component."""
    tie = int(register.run("SELECT coalesce(max(tie), 0) + 1 FROM submissions")[0][0])
    tied = f"SELECT tie FROM submissions WHERE tie > 0 AND position IN ({rows})"
    register.run(f"UPDATE submissions SET tie = {tie} WHERE position IN ({rows}) OR tie IN ({tied})", values)
    # Rows of one tie and of one issue are rows of one component: a run fetches whole components.
    components = [number for (number,) in register.run(f"SELECT DISTINCT component FROM submissions WHERE tie = {tie}")]
    register.run(
        "UPDATE submissions SET component = ? WHERE component IN (SELECT unnest(?))", [min(components), components]
    )


def _move(register: Register, rows: list[int], home: str, issue: str) -> None:
    """Rows go from one issue to another and are kept apart from those that stay."""
    values = {"rows": rows, "home": home}
    register.run(
        "INSERT INTO apart SELECT least(l.position, r.position), greatest(l.position, r.position) "
        "FROM submissions l, submissions r WHERE l.position IN (SELECT unnest($rows)) AND r.issue_id = $home "
        "AND r.position NOT IN (SELECT unnest($rows))",
        values,
    )
    register.run(
        "UPDATE submissions SET issue_id = $issue, tie = 0 WHERE position IN (SELECT unnest($rows))",
        {"rows": rows, "issue": issue},
    )


def _part_no_longer(register: Register, rows: str, values: dict[str, object]) -> None:
    """What was said before of any two of the rows holds no more."""
    register.run(f"DELETE FROM apart WHERE left_position IN ({rows}) AND right_position IN ({rows})", values)


def _leave(register: Register, issues: list[str], into: str) -> None:
    """Issues without a submission of their own any more lead to another one."""
    register.run(
        f"UPDATE issues SET status = '{MERGED}', merged_into = $into, pinned = false "
        "WHERE issue_id IN (SELECT unnest($issues))",
        {"issues": issues, "into": into},
    )


def _tell(register: Register, sign: Signature, issue: str, event: str, other: str | None, rows: int) -> None:
    register.run(
        "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
        [sign.at, issue, event, other, rows, sign.reason, sign.by],
    )
