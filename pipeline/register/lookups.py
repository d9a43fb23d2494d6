"""From the ids that a clerk writes to rows; an id that is not there is answered with those that are near."""

from __future__ import annotations

from collections.abc import Container, Sequence

from pipeline.errors import InputError
from pipeline.register.store import MERGED, Register

NEAR_SHOWN = 3


def known_issue(register: Register, issue: str) -> str:
    """The id as it was given, if the register knows it, merged away or not.

    Raises
    ------
    InputError : it does not; names those that are near
    """
    if not register.run("SELECT 1 FROM issues WHERE issue_id = ?", [issue]):
        raise InputError(
            f"登记库里没有事项 {issue}。{_near(register, 'issues', 'issue_id', issue)}请用 fenban issues list 查编号。"
        )
    return issue


def live_issues(register: Register, issues: Sequence[str]) -> list[str]:
    """The ids as they were given, if a decision can be about them.

    Raises
    ------
    InputError : one is unknown, was merged away or is named twice
    """
    for issue in issues:
        known_issue(register, issue)
        if list(issues).count(issue) > 1:
            raise InputError(f"事项 {issue} 写了两次。请每个编号只写一次。")
        status, into = register.run("SELECT status, merged_into FROM issues WHERE issue_id = ?", [issue])[0]
        if status == MERGED:
            raise InputError(f"事项 {issue} 已并入 {into}。请改用 {into}。")
    return list(issues)


def positions_of(register: Register, submissions: Sequence[str]) -> list[int]:
    """Numbers of the rows of some submissions, ascending.

    Raises
    ------
    InputError : the register does not know an id; names those that are near
    """
    found = dict(
        register.run(
            "SELECT submission_id, position FROM submissions WHERE submission_id IN (SELECT unnest(?))",
            [list(submissions)],
        )
    )
    for name in submissions:
        if name not in found:
            near = _near(register, "submissions", "submission_id", name)
            raise InputError(f"登记库里没有编号 {name}。{near}请用 fenban issues show 事项编号 查各件的编号。")
    return sorted(found.values())


def _near(register: Register, table: str, column: str, name: str) -> str:
    query = f"SELECT {column} FROM {table} ORDER BY jaro_winkler_similarity({column}, ?) DESC, {column} LIMIT ?"
    return f"相近的有 {'、'.join(each for (each,) in register.run(query, [name, NEAR_SHOWN]))}。"


def count_rows(register: Register, issues: list[str]) -> int:
    """How many submissions some issues have together."""
    return int(register.run("SELECT count(*) FROM submissions WHERE issue_id IN (SELECT unnest(?))", [issues])[0][0])


def earliest(register: Register, rows: str, values: dict[str, object]) -> tuple[str, int]:
    """Id and number of the earliest of some rows; one without a time comes last.

    Parameters
    ----------
    rows : a query that gives their numbers
    values : of the query
    """
    query = f"SELECT submission_id, position FROM submissions WHERE position IN ({rows})"
    return tuple(register.run(f"{query} ORDER BY submitted_at NULLS LAST, position LIMIT 1", values)[0])


def free_name(name: str, taken: Container[str]) -> str:
    """The name of an issue, with signs at its end until it is not taken."""
    while name in taken:
        name += "+"
    return name
