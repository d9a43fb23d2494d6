"""A grouping -> issues under the ids that they had, what has become of them, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.cluster import Grouping
from pipeline.cluster.known import Known, Numbers
from pipeline.register.lookups import free_name
from pipeline.register.neighbours import Neighbourhood
from pipeline.register.reasons import Reasons
from pipeline.register.store import CLOSED, MERGED, OPEN, REPORTED_AGAIN, Register

_Moves = Mapping[tuple[str, str], int]  # issue before ("" for new rows) and after -> rows, in the order of the rows
_Event = tuple[str, str, str | None, int, str]  # issue, event, other issue, rows, reason

AUTOMATIC = "自动"
EVENT_COLUMNS = ["at", "issue_id", "event", "other_issue", "submissions", "reason", "by"]


@dataclass(frozen=True)
class Outcome:
    """What a run makes of the rows at hand, in the order of the neighbourhood.

    Attributes
    ----------
    members : submission_id, issue_id, duplicate_of, reopened (bool)
    components : shape (n,), numbers of the register
    issues : issue_id, first_seen, status, merged_into (str or null) of the issues that are new or changed
    history : EVENT_COLUMNS
    notes : Chinese remarks
    """

    members: pd.DataFrame
    components: Numbers
    issues: pd.DataFrame
    history: pd.DataFrame
    notes: tuple[str, ...]


def settle_issues(neighbourhood: Neighbourhood, grouping: Grouping, *, at: dt.datetime, cohesion: float) -> Outcome:
    """Name the issues of a grouping and tell what changed; writes nothing.

    Parameters
    ----------
    neighbourhood : the rows that were grouped
    grouping : of the same rows, in the same order
    at : moment of the run
    cohesion : mean probability under which an issue comes apart, for the reasons

    Raises
    ------
    OutputError : the register cannot be read
    """
    register, known, members = neighbourhood.register, neighbourhood.known, grouping.members
    first_seen = dict(zip(neighbourhood.issues.index, neighbourhood.issues["first_seen"], strict=True))
    registered = dict(zip(neighbourhood.issues.index, neighbourhood.issues["status"], strict=True))
    names = keep_issue_ids(members["issue_id"].tolist(), known, first_seen)
    names = _free_names(register, names, set(registered))
    after = np.array(names, dtype=object)
    new = known.issue == ""
    moves = Counter(zip(known.issue.tolist(), names, strict=True))
    status = _statuses(moves, registered)
    reasons = Reasons(grouping.links, members["submission_id"].to_numpy(dtype=object), known.issue, after, cohesion)
    again = {name for before, name in moves if before == "" and status[name] == CLOSED}
    reopened = neighbourhood.reopened | (new & np.isin(after, list(again)))
    events, changed = _changes(moves, status, again, set(registered), reasons)
    return Outcome(
        members=members.assign(issue_id=pd.Series(names, dtype="str"), reopened=reopened),
        components=_components(grouping.components, known.component, _next(register)),
        issues=pd.DataFrame(
            [(name, first_seen.get(name, at), told, into) for name, (told, into) in changed.items()],
            columns=["issue_id", "first_seen", "status", "merged_into"],
        ),
        history=pd.DataFrame(
            [(at, issue, event, other, rows, reason, AUTOMATIC) for issue, event, other, rows, reason in events],
            columns=EVENT_COLUMNS,
        ),
        notes=_notes(neighbourhood.renamed),
    )


def _notes(renamed: int) -> tuple[str, ...]:
    return (f"{renamed} 个编号在登记库里属于另一件，库里的那一件已另起编号",) if renamed else ()


def keep_issue_ids(issues: Sequence[str], known: Known, first_seen: Mapping[str, dt.datetime]) -> list[str]:
    """Issues keep the id that the register has for them.

    Parameters
    ----------
    issues : issue_id of each row, as the grouping names it
    known : what the register knows of the same rows
    first_seen : of the registered issues

    Returns
    -------
    issue_id of each row: an issue with registered rows has the registered id that most of them have (at a tie the
    older issue's; rows that a clerk tied or pinned decide before the others); where a registered issue has come apart,
    the part with most of its rows keeps the id. The others have the id that the grouping gave them, which may be a
    registered one by chance.
    """
    frame = pd.DataFrame(
        {"issue": issues, "before": known.issue, "rows": 1, "decided": ((known.tied > 0) | known.pinned).astype(int)}
    )
    votes = frame[frame["before"] != ""].groupby(["issue", "before"], sort=False).sum().reset_index()
    votes["first_seen"] = votes["before"].map(first_seen)
    votes = votes.sort_values(
        ["decided", "rows", "first_seen", "before"], ascending=[False, False, True, True], kind="stable"
    )
    names: dict[str, str] = {}
    taken: set[str] = set()
    for issue, before in zip(votes["issue"], votes["before"], strict=True):
        if issue not in names and before not in taken:
            names[issue] = before
            taken.add(before)
    # A new issue must not get by chance the id of an old one that is at hand, nor of one that ends in this run.
    taken |= set(votes["before"])
    return [names.get(issue) or free_name(issue, taken) for issue in issues]


def _free_names(register: Register, names: list[str], at_hand: set[str]) -> list[str]:
    """The names, where a new one is another registered issue's made free by signs at its end."""
    fresh = pd.unique(pd.Series([name for name in names if name not in at_hand], dtype="object"))
    taken = register.taken(fresh.tolist()) if register.begun else set()
    free: dict[str, str] = {}
    for name in fresh:
        free[name] = free_name(name, taken)
        taken.add(free[name])
    return [free.get(name, name) for name in names]


def _statuses(moves: _Moves, registered: Mapping[str, str]) -> dict[str, str]:
    """Status of each issue before the new rows count; a part of an issue has the status that the whole had."""
    status: dict[str, str] = {}
    for (before, name), _ in sorted(moves.items(), key=lambda move: -move[1]):
        if name in registered:
            status[name] = registered[name]
        elif before:
            status.setdefault(name, registered[before])
    for _, name in moves:
        status.setdefault(name, OPEN)
    return status


def _changes(
    moves: _Moves, status: Mapping[str, str], again: set[str], registered: set[str], reasons: Reasons
) -> tuple[list[_Event], dict[str, tuple[str, str | None]]]:
    """Events in the order of the issues, and status and successor of each issue that is new or changed."""
    events: list[_Event] = []
    issues: dict[str, tuple[str, str | None]] = {}
    came: dict[str, dict[str, int]] = {}
    went: dict[str, dict[str, int]] = {}
    for (before, name), rows in moves.items():
        came.setdefault(name, {})[before] = rows
        if before:
            went.setdefault(before, {})[name] = rows
    for name, origins in came.items():
        if name not in registered:
            old = [before for before in origins if before]
            events.append((name, "新立", old[0] if old else None, sum(origins.values()), ""))
            issues[name] = (REPORTED_AGAIN if name in again else status[name], None)
        elif "" in origins:
            events.append((name, "增加", None, origins[""], ""))
        if name in again:
            events.append((name, REPORTED_AGAIN, None, origins[""], "办结以后又有新来件"))
            issues[name] = (REPORTED_AGAIN, None)
    for before, parts in went.items():
        heir = before if before in parts else max(parts, key=lambda name: parts[name])
        for name, rows in parts.items():
            if name == before:
                continue
            if name == heir:
                events.append((before, MERGED, name, rows, reasons.merged(before, name)))
                issues[before] = (MERGED, name)
            else:
                events.append((before, "分出", name, rows, reasons.parted(before, name)))
    return events, issues


def _components(labels: Numbers, before: Numbers, following: int) -> Numbers:
    """Numbers of the register: a component keeps its smallest, a new one gets a fresh one.

    Of the parts that a component has fallen into, one keeps the number.
    """
    number = np.zeros(int(labels.max(initial=-1)) + 1, dtype=np.int64)
    pairs = np.unique(np.column_stack([before, labels])[before > 0], axis=0)
    # Largest first, so that each label's smallest is written last.
    number[pairs[::-1, 1]] = pairs[::-1, 0]
    kept, first = np.unique(number, return_index=True)
    fresh = np.ones(len(number), dtype=bool)
    fresh[first[kept > 0]] = False
    number[fresh] = following + np.arange(int(fresh.sum()))
    return number[labels]


def _next(register: Register) -> int:
    return int(register.run("SELECT coalesce(max(component), 0) + 1 FROM submissions")[0][0]) if register.begun else 1
