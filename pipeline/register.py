"""The office's register: one DuckDB file of all submissions so far, so that an issue keeps its id as it grows.

A first version: each run groups the registered rows and the new ones together, so its cost grows with the register.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.errors import OutputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE = "submissions"


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
    """Rows of earlier runs: all columns of their parts, with the issue that each belongs to in ``issue_id``."""

    def __init__(self, connection: DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def known(self, new_ids: pd.DataFrame, target: Path) -> int:
        """Write the registered rows that do not come again in this run as one Parquet part.

        Parameters
        ----------
        new_ids : frame with submission_id of this run; a registered row of the same id is the same submission again
        target : Parquet file to write

        Returns
        -------
        rows written; the file is there only if there are any
        """
        if not self._exists():
            return 0
        self._connection.register("new_ids", new_ids)
        query = (
            f"SELECT * FROM {_TABLE} WHERE submission_id NOT IN (SELECT submission_id FROM new_ids) ORDER BY position"
        )
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE known AS {query}")
        rows = self._connection.execute("SELECT count(*) FROM known").fetchone()
        count = int(rows[0]) if rows else 0
        if count:
            self._connection.execute("COPY known TO ? (FORMAT parquet)", [str(target)])
        return count

    def keep(self, parts: list[Path], issues: pd.DataFrame) -> None:
        """Take in the rows of a run, all or none.

        Parameters
        ----------
        parts : Parquet parts of the run's rows
        issues : submission_id and issue_id of the run's rows and of the registered ones
        """
        self._connection.register("issues", issues)
        self._connection.begin()
        try:
            rows = "SELECT p.*, i.issue_id FROM read_parquet(?, filename = false) p JOIN issues i USING (submission_id)"
            if not self._exists():
                self._connection.execute(
                    f"CREATE TABLE {_TABLE} AS SELECT *, 0::BIGINT AS position FROM ({rows}) LIMIT 0",
                    [[str(path) for path in parts]],
                )
            self._connection.execute(
                f"DELETE FROM {_TABLE} WHERE submission_id IN (SELECT submission_id FROM read_parquet(?))",
                [[str(path) for path in parts]],
            )
            self._connection.execute(
                f"UPDATE {_TABLE} t SET issue_id = i.issue_id FROM issues i WHERE i.submission_id = t.submission_id"
            )
            self._connection.execute(
                f"INSERT INTO {_TABLE} BY NAME SELECT *, row_number() OVER () + "
                f"(SELECT coalesce(max(position), 0) FROM {_TABLE}) AS position FROM ({rows})",
                [[str(path) for path in parts]],
            )
            self._connection.commit()
        except Exception:
            self._connection.rollback()
            raise

    def _exists(self) -> bool:
        found = self._connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_name = ?", [_TABLE]
        ).fetchone()
        return bool(found and found[0])


def keep_issue_ids(members: pd.DataFrame, registered: pd.Series[str]) -> pd.DataFrame:
    """Issues keep the id that the register has for them.

    Parameters
    ----------
    members : submission_id, issue_id, duplicate_of; the registered rows first, in the order of `registered`
    registered : issue_id of the registered rows

    Returns
    -------
    members, in which an issue with registered rows has the registered id that most of them have (at a tie the first);
    where a registered issue has come apart, the part with most of its rows keeps the id and the others are new
    """
    old = members.iloc[: len(registered)].assign(before=registered.to_numpy())
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
