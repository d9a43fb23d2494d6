"""The office's register: one DuckDB file of all submissions so far, so that an issue keeps its id as it grows.

A first version: each run groups the registered rows and the new ones together, so its cost grows with the register.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import OutputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE = "submissions"
# A submission comes again where id and wording are the same; lists numbered 1, 2, 3 every month share ids alone.
REGISTER_KEY = ["submission_id", "sketch.wording"]
_RENAMED = "renamed"
_NAMED = (
    "SELECT s.* REPLACE (coalesce(r.name, s.submission_id) AS submission_id, "
    'coalesce(r.name, s.submission_id) AS "sketch.submission_id") '
    f"FROM {_TABLE} s LEFT JOIN {_RENAMED} r ON r.position = s.position"
)


@contextmanager
def open_register(path: Path) -> Iterator[Register]:
    """Open the register at `path`, or begin one there.

    Raises
    ------
    OutputError : the file is no register, is in use, or cannot be written
    """
    import duckdb

    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise OutputError(
            f"The register {path} cannot be opened ({told}). Close what uses it, or pass another --register."
        ) from error
    try:
        yield Register(connection, path)
    finally:
        connection.close()


class Register:
    """Rows of earlier runs: the columns of their parts that are no lists, with each row's issue in ``issue_id``."""

    def __init__(self, connection: DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def known(self, new_ids: pd.DataFrame, target: Path) -> int:
        """Write the registered rows that do not come again in this run as one Parquet part.

        Parameters
        ----------
        new_ids : frame with REGISTER_KEY of this run; a registered row of the same id and wording is the same
            submission again, one of the same id and another wording is called ``id~position`` from now on
        target : Parquet file to write

        Returns
        -------
        rows written; the file is there only if there are any

        Raises
        ------
        OutputError : the file is a database of something else, or `target` cannot be written
        """
        with self._one_error():
            if not self._exists():
                return 0
            self._connection.register("new_ids", new_ids)
            wording = '"sketch.wording"'
            self._run(
                f"CREATE OR REPLACE TEMP TABLE {_RENAMED} AS "
                f"SELECT s.position, s.submission_id || '~' || s.position AS name FROM {_TABLE} s "
                f"JOIN new_ids n USING (submission_id) WHERE s.{wording} <> n.{wording}"
            )
            others = f"FROM ({_NAMED}) WHERE submission_id NOT IN (SELECT submission_id FROM new_ids)"
            count = int(self._run(f"SELECT count(*) {others}")[0][0])
            if count:
                self._run(f"COPY (SELECT * {others} ORDER BY position) TO ? (FORMAT parquet)", [str(target)])
            return count

    def renamed(self) -> int:
        """How many registered rows get another id in this run, since a new submission of other wording has theirs."""
        with self._one_error():
            return int(self._run(f"SELECT count(*) FROM {_RENAMED}")[0][0]) if self._exists() else 0

    def issues(self) -> pd.Series[str]:
        """issue_id of every registered row, those that come again in this run among them; index submission_id.

        Raises
        ------
        OutputError : the file is a database of something else
        """
        with self._one_error():
            rows = self._run(f"SELECT submission_id, issue_id FROM ({_NAMED})") if self._exists() else []
        return pd.Series([issue for _, issue in rows], index=[name for name, _ in rows], dtype="str")

    def keep(self, parts: list[Path], issues: pd.DataFrame) -> None:
        """Take in the rows of a run, all or none.

        Parameters
        ----------
        parts : Parquet parts of the run's rows
        issues : submission_id and issue_id of the run's rows and of the registered ones

        Raises
        ------
        OutputError : the file is a database of something else, or cannot be written
        """
        issue_of = issues.set_index("submission_id")["issue_id"]
        with self._one_error():
            self._connection.begin()
            try:
                self._connection.register("issues", issues)
                if self._exists():
                    self._run(
                        f"UPDATE {_TABLE} t SET submission_id = r.name FROM {_RENAMED} r WHERE r.position = t.position"
                    )
                    self._run(
                        f"UPDATE {_TABLE} t SET issue_id = i.issue_id FROM issues i "
                        "WHERE i.submission_id = t.submission_id"
                    )
                for path in parts:
                    self._keep_part(path, issue_of)
                self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise

    def _keep_part(self, path: Path, issue_of: pd.Series[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        # Lists are left out: nothing asks for them, and a list column that is empty throughout has no type.
        columns = [column.name for column in pq.read_schema(path) if not pa.types.is_nested(column.type)]
        # Read by pyarrow: DuckDB would take brackets in the folder's name for a pattern.
        rows = pq.read_table(path, columns=columns)
        issue_ids = issue_of.loc[rows.column("submission_id").to_pylist()].tolist()
        rows = rows.append_column("issue_id", pa.array(issue_ids, pa.string()))
        self._connection.register("part", rows)
        if not self._exists():
            self._run(f"CREATE TABLE {_TABLE} AS SELECT *, 0::BIGINT AS position FROM part LIMIT 0")
        self._run(f"DELETE FROM {_TABLE} WHERE submission_id IN (SELECT submission_id FROM part)")
        last = int(self._run(f"SELECT coalesce(max(position), 0) FROM {_TABLE}")[0][0])
        positions = pa.array(range(last + 1, last + 1 + len(rows)), pa.int64())
        self._connection.register("part", rows.append_column("position", positions))
        self._run(f"INSERT INTO {_TABLE} BY NAME SELECT * FROM part")

    def _exists(self) -> bool:
        query = "SELECT count(*) FROM information_schema.tables WHERE table_name = ?"
        return bool(self._run(query, [_TABLE])[0][0])

    def _run(self, query: str, values: list[str] | None = None) -> list[Any]:
        # All rows are fetched: an open result would block the connection for the next query.
        return self._connection.execute(query, values or []).fetchall()

    @contextmanager
    def _one_error(self) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            told = str(error).splitlines()[0]
            raise OutputError(
                f"The register {self._path} cannot be used ({told}). Pass --register with a file that fenban made, "
                "or with a new name to begin one."
            ) from error


def keep_issue_ids(members: pd.DataFrame, registered: pd.Series[str]) -> pd.DataFrame:
    """Issues keep the id that the register has for them.

    Parameters
    ----------
    members : submission_id, issue_id, duplicate_of of the registered rows and the new ones
    registered : issue_id of the registered rows, index submission_id

    Returns
    -------
    members, in which an issue with registered rows has the registered id that most of them have (at a tie the first);
    where a registered issue has come apart, the part with most of its rows keeps the id and the others are new
    """
    old = members[members["submission_id"].isin(registered.index)]
    old = old.assign(before=registered.loc[old["submission_id"]].to_numpy())
    votes = old.groupby(["issue_id", "before"], sort=False).size().reset_index(name="rows")
    votes = votes.sort_values("rows", ascending=False, kind="stable")
    names: dict[str, str] = {}
    taken: set[str] = set()
    for vote in votes.itertuples():
        if vote.issue_id not in names and vote.before not in taken:
            names[str(vote.issue_id)] = str(vote.before)
            taken.add(str(vote.before))
    # A new issue must not get by chance the id that an old one already has.
    return members.assign(issue_id=[names.get(name) or _free(name, taken) for name in members["issue_id"]])


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "+"
    return name
