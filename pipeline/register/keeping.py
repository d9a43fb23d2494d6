"""A run's rows and what became of the registered ones -> the register, all or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cluster.views import PRIOR_ROWS
from pipeline.register.codes import CODES, band_entries, tallies, word_entries
from pipeline.register.neighbours import Neighbourhood
from pipeline.register.returned import keep_returns
from pipeline.register.settling import Outcome
from pipeline.register.store import Register
from pipeline.settings import ClusterSettings

# What no later run asks for; registers that were begun before it was known have no room for it.
_OF_A_RUN = frozenset(("endangered", "working_days", "deadline"))
ANCHORS = 12  # heaviest words of a row by which it is found again

_RECOUNT = (
    "CREATE OR REPLACE TEMP TABLE sums AS SELECT kind, code, sum(rows)::BIGINT AS rows FROM tallied GROUP BY ALL",
    "UPDATE counts SET rows = counts.rows + s.rows FROM sums s WHERE s.kind = counts.kind AND s.code = counts.code",
    "INSERT INTO counts SELECT kind, code, rows FROM sums WHERE (kind, code) NOT IN (SELECT kind, code FROM counts)",
)
# The words of a row that are rarest in the register, this run counted, at the weight that they have in the row.
_ANCHORS = f"""
INSERT INTO anchors SELECT code, row, weight FROM (
    SELECT code, row, w / sqrt(sum(w * w) OVER (PARTITION BY row)) AS weight,
        row_number() OVER (PARTITION BY row ORDER BY w DESC, code) AS place
    FROM (
        SELECT e.row, e.code, e.weight * ln(({PRIOR_ROWS} + $rows) / (1 + coalesce(c.rows, 1))) AS w
        FROM entries e LEFT JOIN counts c ON c.kind = 'word' AND c.code = e.code
    )
) WHERE place <= {ANCHORS} AND weight > 0
"""


def keep_run(neighbourhood: Neighbourhood, outcome: Outcome, *, settings: ClusterSettings) -> None:
    """Take in a run, all or none.

    Parameters
    ----------
    neighbourhood : the rows of the run and of the register
    outcome : what became of them
    settings : `short_characters`, below which a wording is not found by its bands

    Raises
    ------
    OutputError : the register cannot be written
    """
    register = neighbourhood.register
    with register.transaction():
        if register.begun:
            register.run(
                "UPDATE submissions SET duplicate_of = r.name FROM (SELECT s.submission_id AS called, r.name "
                "FROM renamed r JOIN submissions s USING (position)) r WHERE r.called = submissions.duplicate_of"
            )
            register.run(
                'UPDATE submissions SET submission_id = r.name, "sketch.submission_id" = r.name '
                "FROM renamed r WHERE r.position = submissions.position"
            )
        else:
            register.begin(_rows(neighbourhood.new.paths[0]))
        _keep_joined(register, neighbourhood, outcome)
        _keep_standing(register, neighbourhood, outcome)
        positions = _positions(register, neighbourhood)
        _forget(register, positions)
        _keep_rows(register, neighbourhood, outcome, positions)
        _count(register, neighbourhood, outcome)
        _index(register, neighbourhood, positions, settings)
        _keep_issues(register, outcome)
        keep_returns(register, neighbourhood.new)


def _rows(path: Path) -> pa.Table:
    # Lists are left out: nothing asks for them, and a list column that is empty throughout has no type. Read by
    # pyarrow: DuckDB would take brackets in the folder's name for a pattern.
    schema = pq.read_schema(path)
    columns = [column.name for column in schema if not pa.types.is_nested(column.type) and column.name not in _OF_A_RUN]
    return pq.read_table(path, columns=columns)


def _counted(outcome: Outcome) -> np.ndarray:
    """Rows that repeat nothing: as in a grouping, only they count."""
    return outcome.members["duplicate_of"].isna().to_numpy()


def _repeated(outcome: Outcome, rows: slice) -> pa.Array:
    """The submission whose wording each row repeats, or null."""
    return pa.array(outcome.members["duplicate_of"].to_numpy(dtype=object)[rows], pa.string(), from_pandas=True)


def _keep_joined(register: Register, neighbourhood: Neighbourhood, outcome: Outcome) -> None:
    """Where a component has gone into another one, its rows that were not at hand follow."""
    before = neighbourhood.known.component
    pairs = np.unique(np.column_stack([before, outcome.components])[before > 0], axis=0)
    gone = pairs[~np.isin(pairs[:, 0], pairs[pairs[:, 0] == pairs[:, 1], 0])]
    first = np.unique(gone[:, 0], return_index=True)[1]
    register.show("joined", pa.table({"component": gone[first, 0], "into_component": gone[first, 1]}))
    register.run(
        "UPDATE submissions SET component = j.into_component FROM joined j WHERE j.component = submissions.component"
    )


def _keep_standing(register: Register, neighbourhood: Neighbourhood, outcome: Outcome) -> None:
    """What has changed of the registered rows at hand."""
    old = slice(0, neighbourhood.rows.rows)
    issue = outcome.members["issue_id"].to_numpy(dtype=object)[old]
    counted = _counted(outcome)[old]
    known = neighbourhood.known
    changed = (
        (issue != known.issue[old])
        | (outcome.components[old] != known.component[old])
        | (counted != neighbourhood.counted[old])
        | ~counted  # it may repeat another row now
    )
    register.show(
        "standing",
        pa.table(
            {
                "position": neighbourhood.position[old][changed],
                "issue_id": pa.array(issue[changed].tolist(), pa.string()),
                "component": outcome.components[old][changed],
                "counted": counted[changed],
                "duplicate_of": _repeated(outcome, old).filter(pa.array(changed)),
            }
        ),
    )
    register.run(
        "UPDATE submissions SET issue_id = t.issue_id, component = t.component, counted = t.counted, "
        "duplicate_of = t.duplicate_of FROM standing t WHERE t.position = submissions.position"
    )


def _positions(register: Register, neighbourhood: Neighbourhood) -> np.ndarray:
    """Number of each of the run's rows: the one that it has, or the next free one."""
    positions = neighbourhood.position[neighbourhood.rows.rows :].copy()
    last = int(register.run("SELECT coalesce(max(position), 0) FROM submissions")[0][0])
    fresh = positions == 0
    positions[fresh] = last + 1 + np.arange(int(fresh.sum()))
    return positions


def _forget(register: Register, positions: np.ndarray) -> None:
    """Rows that come again are kept as they are now."""
    register.show("run_rows", pa.table({"position": positions}))
    for table in ("submissions", "anchors", "bands"):
        register.run(f"DELETE FROM {table} WHERE position IN (SELECT position FROM run_rows)")


def _keep_rows(register: Register, neighbourhood: Neighbourhood, outcome: Outcome, positions: np.ndarray) -> None:
    start = neighbourhood.rows.rows
    own = {
        "issue_id": pa.array(outcome.members["issue_id"].tolist()[start:], pa.string()),
        "component": pa.array(outcome.components[start:]),
        "tie": pa.array(neighbourhood.known.tied[start:]),
        "counted": pa.array(_counted(outcome)[start:]),
        "duplicate_of": _repeated(outcome, slice(start, None)),
        "reopened": pa.array(outcome.members["reopened"].to_numpy(dtype=bool)[start:]),
        "position": pa.array(positions),
    }
    done = 0
    for path in neighbourhood.new.paths:
        rows = _rows(path)
        for name, values in own.items():
            rows = rows.append_column(name, values.slice(done, len(rows)))
        register.show("part", rows)
        register.run("INSERT INTO submissions BY NAME SELECT * FROM part")
        done += len(rows)


def _count(register: Register, neighbourhood: Neighbourhood, outcome: Outcome) -> None:
    """Rows that repeat nothing any more are counted from now on, those that repeat something are not."""
    signs = _counted(outcome).astype(np.int64) - neighbourhood.counted.astype(np.int64)
    register.run("CREATE OR REPLACE TEMP TABLE tallied (kind VARCHAR, code BIGINT, rows BIGINT)")
    done = 0
    for piece in neighbourhood.everything.pieces(CODES):
        own = signs[done : done + len(piece)]
        if own.any():
            register.show("tallied_part", tallies(piece.loc[own != 0], own[own != 0]))
            register.run("INSERT INTO tallied SELECT kind, code, rows FROM tallied_part")
        done += len(piece)
    for query in _RECOUNT:
        register.run(query)


def _index(register: Register, neighbourhood: Neighbourhood, positions: np.ndarray, settings: ClusterSettings) -> None:
    """Anchors and bands of the run's rows."""
    counted = int(register.run("SELECT coalesce(sum(rows), 0) FROM counts WHERE kind = 'row'")[0][0])
    done = 0
    for piece in neighbourhood.new.pieces(["sketch.words", "sketch.bands", "sketch.characters"]):
        own = positions[done : done + len(piece)]
        register.show("entries", word_entries(piece["sketch.words"], own))
        register.run(_ANCHORS, {"rows": counted})
        banded = (piece["sketch.characters"] >= settings.short_characters).to_numpy()
        register.show("band_entries", band_entries(piece.loc[banded, "sketch.bands"], own[banded]))
        register.run("INSERT INTO bands SELECT key, row FROM band_entries")
        done += len(piece)


def _keep_issues(register: Register, outcome: Outcome) -> None:
    register.show("changed", _table(outcome.issues, {"first_seen": pa.timestamp("us")}))
    register.run(
        "UPDATE issues SET status = c.status, merged_into = c.merged_into FROM changed c "
        "WHERE c.issue_id = issues.issue_id"
    )
    register.run(
        "INSERT INTO issues SELECT issue_id, first_seen, status, false, NULL, merged_into FROM changed "
        "WHERE issue_id NOT IN (SELECT issue_id FROM issues)"
    )
    register.show("events", _table(outcome.history, {"at": pa.timestamp("us"), "submissions": pa.int64()}))
    register.run('INSERT INTO history SELECT "at", issue_id, event, other_issue, submissions, reason, "by" FROM events')


def _table(frame: pd.DataFrame, kinds: dict[str, pa.DataType]) -> pa.Table:
    """An Arrow table whose types do not hang on whether a column is empty; text where no other is told."""
    columns = {
        name: pa.array(
            frame[name].astype(object).where(frame[name].notna(), None).tolist(), kinds.get(name, pa.string())
        )
        for name in frame.columns
    }
    return pa.table(columns)
