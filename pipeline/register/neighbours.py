"""Which registered rows a run must look at: those that its new rows may belong with, and all that hang on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.cluster import PairScorer
from pipeline.cluster.known import Counts, Known, Numbers, Tally
from pipeline.errors import OutputError
from pipeline.parts import Parts
from pipeline.register.codes import CODES, counts_of
from pipeline.register.seeking import SKETCH, seek
from pipeline.register.store import OWN_COLUMNS, Register
from pipeline.settings import ClusterSettings

_Kind = TypeVar("_Kind", bound=np.generic)

_ROWS = f"""
SELECT s.* EXCLUDE ({", ".join(OWN_COLUMNS)}) REPLACE (
    coalesce(r.name, s.submission_id) AS submission_id, coalesce(r.name, s.submission_id) AS "sketch.submission_id"
) FROM submissions s LEFT JOIN renamed r USING (position)
WHERE position IN (SELECT position FROM at_hand) AND position NOT IN (SELECT position FROM again) ORDER BY position
"""
# Registered rows by position, then the new ones in their order; those that come again stand among the new ones.
_STANDING = """
SELECT coalesce(a.row, -1) AS row, s.position, s.issue_id, s.component, s.tie, s.counted, s.reopened, i.pinned,
    i.first_seen, i.status
FROM submissions s LEFT JOIN again a USING (position) JOIN issues i USING (issue_id)
WHERE position IN (SELECT position FROM at_hand) ORDER BY s.position
"""


@dataclass(frozen=True)
class Neighbourhood:
    """The rows that a run groups, registered ones first, and what the register knows of them.

    Attributes
    ----------
    register : where the registered rows are
    rows : the registered rows that do not come again in this run, as parts of at most one file
    new : the run's own rows
    position : shape (n,), number of the row in the register, 0 for a new one
    known : for the grouping
    counted : shape (n,), the row is in the register's counts
    reopened : shape (n,), the row came to an issue that was closed, in the run that brought it
    issues : first_seen and status of the registered issues at hand, index issue_id
    renamed : registered rows whose id a new submission of another wording has taken
    """

    register: Register
    rows: Parts
    new: Parts
    position: Numbers
    known: Known
    counted: npt.NDArray[np.bool_]
    reopened: npt.NDArray[np.bool_]
    issues: pd.DataFrame
    renamed: int

    @property
    def everything(self) -> Parts:
        """Registered and new rows in the order of the arrays."""
        return Parts((*self.rows.paths, *self.new.paths))


def find_neighbourhood(
    register: Register, new: Parts, target: Path, *, scorer: PairScorer, settings: ClusterSettings
) -> Neighbourhood:
    """Fetch what a run must look at; the cost follows the new rows, not the register.

    Parameters
    ----------
    register : of the office
    new : the run's rows as the map stages left them. One of the same id and wording as a registered row is that
        submission again; where only the id is the same, the registered row is called ``id~position`` from now on
    target : Parquet file to write the registered rows to; it is there only if there are any
    scorer : tells which registered rows are probably one issue with a new one
    settings : what makes a word rare, a weight heavy and a writer prolific

    Raises
    ------
    OutputError : the register cannot be read, or `target` not be written
    """
    sketches = new.read(SKETCH)
    if not register.begun:
        return _first(register, new, len(sketches))
    seek(register, sketches, scorer=scorer, settings=settings)
    register.run(f"COPY ({_ROWS}) TO ? (FORMAT parquet)", [str(target)])
    rows = Parts((target,) if Parts((target,)).rows else ())
    if not rows.paths:
        target.unlink()
    standing = register.frame(_STANDING)
    # Registered rows stand first, by position; a row that comes again stands where the run has it.
    others, again = standing[standing["row"] < 0], standing[standing["row"] >= 0]
    n, start = rows.rows + len(sketches), rows.rows
    if start != len(others):
        raise OutputError(
            f"The register {register.path} contradicts itself: {start} rows at hand, {len(others)} with an issue. "
            "Make a new one by routing its files again with another --register."
        )
    place = np.concatenate([np.arange(start), start + again["row"].to_numpy(dtype=np.int64)])
    ordered = pd.concat([others, again])

    position = _aligned(ordered["position"], place, np.zeros(n, dtype=np.int64))
    known = Known(
        issue=_aligned(ordered["issue_id"], place, np.full(n, "", dtype=object)),
        component=_aligned(ordered["component"], place, np.zeros(n, dtype=np.int64)),
        tied=_aligned(ordered["tie"], place, np.zeros(n, dtype=np.int64)),
        pinned=_aligned(ordered["pinned"], place, np.zeros(n, dtype=bool)),
        apart=_apart(register, position),
        counts=counts_of(register, Parts((*rows.paths, *new.paths)).pieces(CODES)),
    )
    issues = ordered.drop_duplicates("issue_id").set_index("issue_id")[["first_seen", "status"]]
    return Neighbourhood(
        register=register,
        rows=rows,
        new=new,
        position=position,
        known=known,
        counted=_aligned(ordered["counted"], place, np.zeros(n, dtype=bool)),
        reopened=_aligned(ordered["reopened"], place, np.zeros(n, dtype=bool)),
        issues=issues,
        renamed=int(register.run("SELECT count(*) FROM renamed")[0][0]),
    )


def _aligned(column: pd.Series, place: Numbers, values: npt.NDArray[_Kind]) -> npt.NDArray[_Kind]:
    """`values` for new rows, with what the register says of the others in their places."""
    values[place] = column.to_numpy(dtype=values.dtype)
    return values


def _first(register: Register, new: Parts, n: int) -> Neighbourhood:
    none, no = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    nothing = Tally(none[:0], none[:0])
    known = Known(
        issue=np.full(n, "", dtype=object),
        component=none,
        tied=none,
        pinned=no,
        apart=np.zeros((0, 2), dtype=np.int64),
        counts=Counts(0, nothing, nothing),
    )
    return Neighbourhood(
        register=register,
        rows=Parts(()),
        new=new,
        position=none,
        known=known,
        counted=no,
        reopened=no,
        issues=pd.DataFrame({"first_seen": [], "status": []}, index=pd.Index([], name="issue_id")),
        renamed=0,
    )


def _apart(register: Register, position: Numbers) -> Numbers:
    """Pairs of row numbers at hand that a clerk parted, shape (k, 2)."""
    at_hand = np.flatnonzero(position)
    register.show("numbered", pa.table({"row": at_hand, "position": position[at_hand]}))
    pairs = register.frame(
        "SELECT l.row AS one, r.row AS other FROM apart a JOIN numbered l ON l.position = a.left_position "
        "JOIN numbered r ON r.position = a.right_position ORDER BY ALL"
    )
    return pairs.to_numpy(dtype=np.int64).reshape(-1, 2)
