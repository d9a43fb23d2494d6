"""Which registered rows a run must look at: those that its new rows may belong with, and all that hang on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipeline.cluster import SKETCHES, PairScorer, weigh_pairs
from pipeline.cluster.known import Counts, Known, Numbers, Tally
from pipeline.cluster.views import PRIOR_ROWS
from pipeline.errors import OutputError
from pipeline.parts import Parts
from pipeline.register.codes import CODES, band_entries, tallies, word_entries
from pipeline.register.store import OWN_COLUMNS, Register
from pipeline.settings import ClusterSettings

_Kind = TypeVar("_Kind", bound=np.generic)

NEAREST = 30  # registered rows weighed for one new row by its rare words; some more than `neighbours`
NEXT_IN_TIME = 6  # those weighed for one word of middling frequency, one spot, or one township with one topic
WRITERS_ROWS = 100  # the latest rows of a prolific writer: enough to tell his stock phrases
MIDDLING = 20  # times `common_rows`: words in more rows find nothing
WHOLE_COMPONENT = 100  # rows; larger ones are not fetched whole, or a run's cost would grow with the register
NEARLY = 0.8  # times `issue_probability`: words weigh a little otherwise once all rows at hand are there

_SKETCH = [f"sketch.{name}" for name in SKETCHES.names]

_AGAIN = """
CREATE OR REPLACE TEMP TABLE again AS
SELECT a.row, s.position FROM submissions s JOIN arrived a USING (submission_id)
WHERE s."sketch.wording" = a.wording
"""
_RENAMED = """
CREATE OR REPLACE TEMP TABLE renamed AS
SELECT s.position, s.submission_id || '~' || s.position AS name FROM submissions s JOIN arrived a USING (submission_id)
WHERE s."sketch.wording" <> a.wording
"""
_FRESH = "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM arrived WHERE row NOT IN (SELECT row FROM again)"
# How many rows hold each word of the new rows, those among them.
_FREQUENCY = """
CREATE OR REPLACE TEMP TABLE frequency AS
SELECT code, sum(rows) AS rows FROM (
    SELECT code, count(*) AS rows FROM entries GROUP BY code
    UNION ALL SELECT code, rows FROM counts WHERE kind = 'word'
) WHERE code IN (SELECT code FROM entries) GROUP BY code
"""
_WORDS = f"""
CREATE OR REPLACE TEMP TABLE sought AS
SELECT row, code, rows, w / sqrt(sum(w * w) OVER (PARTITION BY row)) AS weight FROM (
    SELECT e.row, e.code, f.rows, e.weight * ln(({PRIOR_ROWS} + $rows) / (1 + f.rows)) AS w
    FROM entries e JOIN frequency f USING (code)
) QUALIFY rows <= $common * {MIDDLING} AND w > 0
"""
_TIME = "coalesce(abs(epoch(s.submitted_at) - epoch(n.submitted_at)), 1e12)"


def _next_in_time(rows: str, group: str) -> str:
    return f"SELECT n.row, unnest(arg_min(s.position, {_TIME}, {NEXT_IN_TIME})) AS position {rows} GROUP BY {group}"


# Pairs of a new row and a registered one that are worth a score.
_NEAR = (
    f"""
CREATE OR REPLACE TEMP TABLE near AS SELECT DISTINCT row, position FROM (
    SELECT row, unnest(arg_max(position, score, {NEAREST})) AS position FROM (
        SELECT w.row, a.position, sum(a.weight * w.weight) AS score
        FROM anchors a JOIN sought w USING (code) WHERE w.rows <= $common GROUP BY ALL
    ) WHERE score >= $least GROUP BY row
"""
    + "".join(
        f" UNION ALL {_next_in_time(rows, group)}"
        for rows, group in (
            (
                "FROM anchors a JOIN sought w USING (code) JOIN submissions s USING (position) "
                "JOIN fresh n ON n.row = w.row WHERE w.rows > $common AND w.weight >= $heavy AND a.weight >= $heavy",
                "n.row, w.code",
            ),
            ('FROM submissions s JOIN fresh n ON s."sketch.spot" = n.spot WHERE n.spot <> 0', "n.row"),
            (
                'FROM submissions s JOIN fresh n ON s."sketch.township" = n.township AND s."sketch.topic" = n.topic '
                "WHERE n.township <> 0 AND n.topic <> 0",
                "n.row",
            ),
        )
    )
    + ")"
)
# Registered rows that a run needs whatever their score: of like wording, and what a prolific writer has written.
_SURE = f"""
CREATE OR REPLACE TEMP TABLE sure AS SELECT DISTINCT position FROM (
    SELECT position FROM again
    UNION ALL
    SELECT s.position FROM submissions s JOIN fresh n ON s."sketch.wording" = n.wording AND n.characters > 0
    UNION ALL
    SELECT b.position FROM bands b JOIN sought_bands USING (key)
    UNION ALL
    SELECT unnest(arg_max(s.position, s.position, {WRITERS_ROWS})) AS position FROM submissions s
    JOIN (SELECT DISTINCT writer FROM fresh) n ON s."sketch.submitter" = n.writer
    JOIN counts c ON c.kind = 'writer' AND c.code = n.writer WHERE c.rows >= $prolific GROUP BY n.writer
)
"""
# All that may change with the linked rows. A component beyond WHOLE_COMPONENT rows hangs together by chains of
# single links; of it the issues that are touched are enough. Rows of one tie are always rows of one issue.
_AT_HAND = f"""
CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT component, issue_id FROM submissions
WHERE position IN (SELECT position FROM sure UNION ALL SELECT position FROM linked);
CREATE OR REPLACE TEMP TABLE at_hand AS
SELECT position FROM submissions WHERE issue_id IN (SELECT issue_id FROM touched) OR component IN (
    SELECT component FROM submissions WHERE component IN (SELECT component FROM touched)
    GROUP BY component HAVING count(*) <= {WHOLE_COMPONENT}
)
"""
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
    issues : first_seen, status and pinned of the registered issues at hand, index issue_id
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
    sketches = new.read(_SKETCH)
    if not register.begun:
        return _first(register, new, len(sketches))
    _seek(register, sketches, scorer, settings)
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
        counts=_counts(register, Parts((*rows.paths, *new.paths)).pieces(CODES)),
    )
    issues = ordered.drop_duplicates("issue_id").set_index("issue_id")[["first_seen", "status", "pinned"]]
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
        issues=pd.DataFrame({"first_seen": [], "status": [], "pinned": []}, index=pd.Index([], name="issue_id")),
        renamed=0,
    )


def _seek(register: Register, sketches: pd.DataFrame, scorer: PairScorer, settings: ClusterSettings) -> None:
    """Leave the temporary tables again, renamed and at_hand."""
    arrived = {
        "row": np.arange(len(sketches)),
        "submission_id": pa.array(sketches["sketch.submission_id"].tolist(), pa.string()),
        "submitted_at": pa.array(sketches["sketch.submitted_at"].astype("datetime64[us]"), pa.timestamp("us")),
    }
    for name in ("wording", "characters", "spot", "township", "topic"):
        arrived[name] = sketches[f"sketch.{name}"].to_numpy()
    arrived["writer"] = sketches["sketch.submitter"].to_numpy()
    register.show("arrived", pa.table(arrived))
    for query in (_AGAIN, _RENAMED, _FRESH):
        register.run(query)
    fresh = np.array([row for (row,) in register.run("SELECT row FROM fresh ORDER BY row")], dtype=np.int64)
    register.show("entries", word_entries(sketches["sketch.words"].iloc[fresh], fresh))
    # Short wordings repeat only exactly, so their bands would find what is never compared.
    banded = fresh[sketches["sketch.characters"].to_numpy()[fresh] >= settings.short_characters]
    register.show("sought_bands", band_entries(sketches["sketch.bands"].iloc[banded], banded))
    registered = register.run("SELECT coalesce(sum(rows), 0) FROM counts WHERE kind = 'row'")[0][0]
    register.run(_FREQUENCY)
    register.run(_WORDS, {"rows": int(registered) + len(fresh), "common": settings.common_rows})
    rare = {"common": settings.common_rows, "least": settings.least_rare_cosine, "heavy": settings.heavy_weight}
    register.run(_NEAR, rare)
    register.run(_SURE, {"prolific": settings.prolific_rows})
    register.show("linked", pa.table({"position": _linked(register, sketches, scorer, settings)}))
    register.run(_AT_HAND)


def _linked(register: Register, sketches: pd.DataFrame, scorer: PairScorer, settings: ClusterSettings) -> Numbers:
    """Positions of the near rows that are probably one issue with a new row, or almost."""
    pairs = register.frame("SELECT row, position FROM near ORDER BY ALL").to_numpy(dtype=np.int64)
    if not len(pairs):
        return pairs[:, 1]
    columns = ", ".join(f'"{name}"' for name in _SKETCH)
    # A prolific writer's other rows are among them, because they tell which words are his manner.
    old = register.frame(
        f"SELECT position, {columns} FROM submissions "
        "WHERE position IN (SELECT position FROM near UNION ALL SELECT position FROM sure) ORDER BY position"
    )
    rows, place = np.unique(pairs[:, 0], return_inverse=True)
    together = pd.concat([old[_SKETCH], sketches[_SKETCH].iloc[rows]], ignore_index=True)
    numbered = np.column_stack([np.searchsorted(old["position"].to_numpy(), pairs[:, 1]), len(old) + place])
    probability = weigh_pairs(
        together.set_axis(SKETCHES.names, axis=1),
        numbered,
        counts=_counts(register, [together]),
        fresh=np.arange(len(together)) >= len(old),
        scorer=scorer,
        settings=settings,
    )
    return np.unique(pairs[probability >= NEARLY * settings.issue_probability, 1])


def _apart(register: Register, position: Numbers) -> Numbers:
    """Pairs of row numbers at hand that a clerk parted, shape (k, 2)."""
    at_hand = np.flatnonzero(position)
    register.show("numbered", pa.table({"row": at_hand, "position": position[at_hand]}))
    pairs = register.run(
        "SELECT l.row, r.row FROM apart a JOIN numbered l ON l.position = a.left_position "
        "JOIN numbered r ON r.position = a.right_position ORDER BY ALL"
    )
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _counts(register: Register, pieces: Iterable[pd.DataFrame]) -> Counts:
    """The register's counts of the codes that stand in the rows."""
    codes = [tallies(piece, np.ones(len(piece), dtype=np.int64)) for piece in pieces]
    register.show("codes", pa.concat_tables(codes))
    found = register.frame(
        "SELECT kind, code, rows FROM counts WHERE (kind, code) IN (SELECT kind, code FROM codes) ORDER BY kind, code"
    )

    def tally(kind: str) -> Tally:
        own = found[found["kind"] == kind]
        return Tally(own["code"].to_numpy(dtype=np.int64), own["rows"].to_numpy(dtype=np.int64))

    rows_counted = tally("row").rows
    return Counts(int(rows_counted[0]) if len(rows_counted) else 0, tally("word"), tally("writer"))
