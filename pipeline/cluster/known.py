"""What the office's register brings to a grouping: how its rows stand together, what clerks decided, and its counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """In how many rows each code stands; the codes are sorted."""

    codes: Numbers
    rows: Numbers

    def of(self, codes: Numbers) -> Numbers:
        """Rows that hold each of `codes`, 0 where it was never seen."""
        if not len(self.codes):
            return np.zeros(len(codes), dtype=np.int64)
        place = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        return np.where(self.codes[place] == codes, self.rows[place], 0)


@dataclass(frozen=True)
class Counts:
    """Counts over all rows of a register, those at hand among them.

    Attributes
    ----------
    rows : registered rows
    words, writers : by the codes of the sketches; rows that repeat a wording are not counted
    """

    rows: int
    words: Tally
    writers: Tally


@dataclass(frozen=True)
class Known:
    """The register's knowledge of the rows at hand; arrays are aligned with the sketches, in input order.

    Attributes
    ----------
    issue : shape (n,), str, the issue_id that the register has for the row, "" for a new row
    component : shape (n,), rows of one number were linked before, whether or not they are one issue; 0 for a new row
    tied : shape (n,), rows of one number stay in one issue because a clerk said so; 0 for the others
    pinned : shape (n,), the engine joins the row's issue with no other registered issue
    apart : shape (k, 2), pairs of row numbers that never share an issue because a clerk said so
    counts : over the whole register
    """

    issue: npt.NDArray[np.object_]
    component: Numbers
    tied: Numbers
    pinned: npt.NDArray[np.bool_]
    apart: Numbers
    counts: Counts
