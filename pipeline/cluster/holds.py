"""What the register asks of a grouping: which rows start together, which stay together, which never meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.cluster.duplicates import Duplicates, Rows, sorted_set
from pipeline.cluster.known import Known

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Holds:
    """The register's word about rows, or about units of rows; numbers are those of the rows or units.

    Attributes
    ----------
    linked : shape (k, 2), pairs that start in one component
    tied : shape (n,), equal numbers stay in one issue; 0 for none
    heads : shape (n,), the first of the row's tie, itself where it is not tied
    issue : shape (n,), number of the registered issue, 0 for a new row
    pinned : shape (n,), that issue takes in no row of another registered issue
    apart : keys ``smaller * n + larger`` of pairs of heads that never share an issue, sorted; what is said of one row
        of a tie is said of all
    """

    linked: Rows
    tied: Rows
    heads: Rows
    issue: Rows
    pinned: Flags
    apart: Rows

    def parted(self, left: Rows, right: Rows) -> Flags:
        """Whether a clerk's word keeps each pair apart; shapes broadcast."""
        n = len(self.tied)
        other_issue = (self.issue[left] != self.issue[right]) & (self.issue[left] > 0) & (self.issue[right] > 0)
        one, other = self.heads[left], self.heads[right]
        keys = np.minimum(one, other) * n + np.maximum(one, other)
        said = np.isin(keys, self.apart, kind="sort")
        return np.asarray(((self.pinned[left] | self.pinned[right]) & other_issue) | said)

    def ties(self) -> Rows:
        """Pairs that chain the rows of each tie, shape (k, 2)."""
        return _chains(self.tied)


def holds_of(known: Known, order: Rows) -> Holds:
    """The register's word about the rows of a run, renumbered in order of time.

    Parameters
    ----------
    known : in input order
    order : input row number of each row in order of time
    """
    n = len(order)
    names = known.issue[order]
    registered = names != ""
    issue = np.zeros(n, dtype=np.int64)
    issue[registered] = np.unique(names[registered].astype(str), return_inverse=True)[1] + 1
    pinned = known.pinned[order] & registered
    tied = _joined(known.tied[order], np.where(pinned, issue, 0))
    heads = _heads(tied)
    return Holds(
        linked=_chains(known.component[order]),
        tied=tied,
        heads=heads,
        issue=issue,
        pinned=pinned,
        apart=_keys(heads[np.argsort(order)[known.apart]], n),
    )


def _heads(tied: Rows) -> Rows:
    heads = np.arange(len(tied))
    held = np.flatnonzero(tied > 0)
    _, first, inverse = np.unique(tied[held], return_index=True, return_inverse=True)
    heads[held] = held[first][inverse]
    return heads


def _keys(pairs: Rows, n: int) -> Rows:
    return sorted_set(pairs.min(axis=1) * n + pairs.max(axis=1))


def _chains(numbers: Rows) -> Rows:
    """Pairs that chain all rows of one number above 0."""
    held = np.flatnonzero(numbers > 0)
    held = held[np.argsort(numbers[held], kind="stable")]
    return np.asarray(np.column_stack([held[:-1], held[1:]])[numbers[held[:-1]] == numbers[held[1:]]])


def _joined(tied: Rows, pinned_issue: Rows) -> Rows:
    """Numbers under which rows of one tie and rows of one pinned issue are the same; 0 where neither holds a row."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    held = np.flatnonzero((tied > 0) | (pinned_issue > 0))
    if not len(held):
        return np.zeros(len(tied), dtype=np.int64)
    n = len(tied)
    ties, issues = (np.unique(each, return_inverse=True)[1] for each in (tied, pinned_issue))
    # Rows, ties and pinned issues are the points of one graph.
    in_tie, in_issue = np.flatnonzero(tied > 0), np.flatnonzero(pinned_issue > 0)
    left = np.concatenate([in_tie, in_issue])
    right = np.concatenate([n + ties[in_tie], n + len(tied) + issues[in_issue]])
    size = 3 * n + 2
    labels = connected_components(coo_matrix((np.ones(len(left)), (left, right)), shape=(size, size)))[1][:n]
    return np.asarray(np.where((tied > 0) | (pinned_issue > 0), labels.astype(np.int64) + 1, 0))


def units_of(duplicates: Duplicates, rows: Holds) -> Rows:
    """The first row of each row's unit: a row and its repetitions, unless a clerk said otherwise.

    A repetition joins the unit of what it repeats; where it is apart from a row of that unit, or tied to others than
    they are, it is a unit of its own.
    """
    n = len(rows.tied)
    units = duplicates.root.copy()
    special = rows.tied > 0
    special[np.concatenate(np.divmod(rows.apart, n))] = True
    # A unit that is tied to others must not bring together, through them, what a clerk parted.
    of_tie: dict[int, set[int]] = {}
    for row in np.flatnonzero(rows.tied > 0).tolist():
        of_tie.setdefault(int(rows.tied[row]), set()).add(row)
    for root in np.unique(duplicates.root[special]).tolist():
        members: dict[int, set[int]] = {}
        for row in np.flatnonzero(duplicates.root == root).tolist():
            head = int(units[duplicates.of[row]]) if row != root else root
            unit = members.get(head, set())
            own = {row} | of_tie.get(int(rows.tied[row]), set())
            if unit and _conflict(rows, unit.union(*_tied_to(rows, unit, of_tie)), own):
                head, unit = row, set()
            units[row] = head
            members[head] = unit | {row}
            for each in _tied_to(rows, members[head], of_tie):
                each |= members[head]
    return units


def _tied_to(rows: Holds, unit: set[int], of_tie: dict[int, set[int]]) -> list[set[int]]:
    """What a unit is tied to; units of no tied row are tied to nothing."""
    return [of_tie[tie] for tie in {int(rows.tied[row]) for row in unit} if tie > 0]


def _conflict(rows: Holds, unit: set[int], own: set[int]) -> bool:
    """Whether two sets of rows hold rows of two ties, or rows that a clerk parted."""
    left, right = (np.array(sorted(each), dtype=np.int64) for each in (unit - own, own))
    ties = [set(rows.tied[each].tolist()) - {0} for each in (left, right)]
    if ties[0] and ties[1] and ties[0] != ties[1]:
        return True
    return bool(rows.parted(left[:, None], right[None, :]).any())


def holds_of_units(rows: Holds, units: Rows, heads: Rows) -> Holds:
    """The register's word about units: what holds for one row of a unit holds for all of them.

    Parameters
    ----------
    rows : about each row
    units : head of each row's unit
    heads : the heads, ascending; they are numbered in this order
    """
    n, k = len(units), len(heads)
    number = np.searchsorted(heads, units)
    tied, issue, pinned = np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64), np.zeros(k, dtype=bool)
    held = np.flatnonzero(rows.tied > 0)
    tied[number[held]] = rows.tied[held]  # rows of two ties are never in one unit
    registered = np.flatnonzero(rows.issue > 0)[::-1]
    # Written last is the first row's issue, or a pinned one: it is what parts the unit from others.
    registered = registered[np.argsort(rows.pinned[registered], kind="stable")]
    issue[number[registered]] = rows.issue[registered]
    pinned[number[rows.pinned]] = True
    unit_heads = _heads(tied)
    return Holds(
        linked=number[rows.linked],
        tied=tied,
        heads=unit_heads,
        issue=issue,
        pinned=pinned,
        apart=_keys(unit_heads[number[np.column_stack(np.divmod(rows.apart, n))]], k),
    )
