"""The file itself: its tables, its format, and every trouble with it as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from pipeline.errors import InputError, OutputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = 2  # the first version had no number

# Beside `submissions`, whose columns are those of the parts and OWN_COLUMNS.
_TABLES = f"""
CREATE TABLE meta AS SELECT {FORMAT}::INTEGER AS format;
CREATE TABLE issues (
    issue_id VARCHAR, first_seen TIMESTAMP, status VARCHAR, pinned BOOLEAN, closed_at DATE, merged_into VARCHAR
);
CREATE TABLE history (
    "at" TIMESTAMP, issue_id VARCHAR, event VARCHAR, other_issue VARCHAR, submissions BIGINT, reason VARCHAR,
    "by" VARCHAR
);
CREATE TABLE anchors (code INTEGER, position BIGINT, weight FLOAT);
CREATE TABLE bands (key BIGINT, position BIGINT);
CREATE TABLE counts (kind VARCHAR, code BIGINT, rows BIGINT);
CREATE TABLE apart (left_position BIGINT, right_position BIGINT);
"""

# position: number of the row, for good. component: rows of one number were linked, transitively; rows of one issue and
# of one tie have the same. tie: rows of one number stay in one issue, 0 for none. counted: in `counts`, because it
# repeats nothing. reopened: it came to an issue that was closed.
OWN_COLUMNS = {
    "position": "BIGINT",
    "issue_id": "VARCHAR",
    "component": "BIGINT",
    "tie": "BIGINT",
    "counted": "BOOLEAN",
    "duplicate_of": "VARCHAR",
    "reopened": "BOOLEAN",
}

OPEN, CLOSED, REPORTED_AGAIN, MERGED = "在办", "已办结", "再次反映", "并入"
STATUSES = (OPEN, CLOSED, REPORTED_AGAIN, MERGED)


class Register:
    """An open register.

    Attributes
    ----------
    path : the DuckDB file
    """

    def __init__(self, connection: DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @property
    def begun(self) -> bool:
        """Whether it holds the rows of a run."""
        return "meta" in self._table_names()

    def run(self, query: str, values: list[Any] | dict[str, Any] | None = None) -> list[Any]:
        """Run one query and give all its rows: an open result would block the connection for the next query.

        Raises
        ------
        OutputError : the file cannot be read or written
        """
        with self._one_error():
            return self._connection.execute(query, values or []).fetchall()

    def frame(self, query: str, values: list[Any] | None = None) -> pd.DataFrame:
        """Run one query and give its rows as a frame.

        Raises
        ------
        OutputError : the file cannot be read
        """
        with self._one_error():
            return self._connection.execute(query, values or []).df()

    def show(self, name: str, rows: pa.Table | pd.DataFrame) -> None:
        """Let queries read a table of ours under a name."""
        self._connection.register(name, rows)

    def taken(self, names: list[str]) -> set[str]:
        """Registered issue ids that are one of the names, or one of them with signs ``+`` at its end."""
        self.show("wanted", pa.table({"name": pa.array(names, pa.string())}))
        query = "SELECT issue_id FROM issues WHERE rtrim(issue_id, '+') IN (SELECT rtrim(name, '+') FROM wanted)"
        return {name for (name,) in self.run(query)}

    def begin(self, part: pa.Table) -> None:
        """Make the tables, inside the transaction of the first run.

        Parameters
        ----------
        part : rows without lists, whose columns and types those of `submissions` will be
        """
        self.show("first_part", part)
        with self._one_error():
            self._connection.execute(_TABLES)
        own = ", ".join(f"NULL::{kind} AS {name}" for name, kind in OWN_COLUMNS.items())
        self.run(f"CREATE TABLE submissions AS SELECT *, {own} FROM first_part LIMIT 0")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside holds, or nothing of it."""
        self._connection.begin()
        try:
            yield
            with self._one_error():
                self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise

    def check(self) -> None:
        """Refuse a database of something else, and a register of another format.

        Raises
        ------
        OutputError : tells which of the two and what to do
        """
        names = self._table_names()
        if not names:
            return
        if "meta" not in names:
            columns = self.run("SELECT column_name FROM information_schema.columns WHERE table_name = 'submissions'")
            if {"position", "issue_id", "sketch.wording"} <= {name for (name,) in columns}:
                raise OutputError(self._another_format("an earlier version"))
            raise OutputError(
                f"{self.path} is a database, but no register. Pass --register with a file that fenban made, or with a "
                "new name to begin one."
            )
        found = self.run("SELECT format FROM meta")[0][0]
        if found != FORMAT:
            raise OutputError(self._another_format(f"a version with format {found}, and this one has format {FORMAT}"))

    def _another_format(self, made_by: str) -> str:
        return (
            f"The register {self.path} was made by {made_by}. Keep it, and make a new one by routing its files again "
            "with another --register."
        )

    def _table_names(self) -> set[str]:
        return {name for (name,) in self.run("SELECT table_name FROM information_schema.tables")}

    @contextmanager
    def _one_error(self) -> Iterator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            told = str(error).splitlines()[0]
            raise OutputError(
                f"The register {self.path} cannot be used ({told}). Check the free space and its rights, or pass "
                "another --register."
            ) from error


@contextmanager
def open_register(path: Path, *, begin: bool = True) -> Iterator[Register]:
    """Open the register at `path`.

    Parameters
    ----------
    path : a DuckDB file
    begin : whether one may be begun there

    Raises
    ------
    OutputError : the file is no register, of another format, in use, or cannot be written
    InputError : there is none, and none may be begun
    """
    import duckdb

    if not begin and not path.exists():
        raise InputError(f"没有登记库 {path}。请核对路径；登记库由 fenban route --register 建立。")
    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise OutputError(
            f"The register {path} cannot be opened ({told}). Close what uses it, or pass another --register."
        ) from error
    try:
        register = Register(connection, path)
        register.check()
        if not begin and not register.begun:
            raise InputError(f"登记库 {path} 是空的。请先用 fenban route --register 登记来件。")
        yield register
    finally:
        connection.close()
