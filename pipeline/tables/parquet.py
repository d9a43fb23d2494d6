"""Tables of schema.py as Parquet: exact types, nulls only where the kind ends in ``?``, written piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import TableError
from pipeline.schema import Column, Table, check_table

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of one group in the file. Pieces are cut anew to it, so that the batch size leaves no mark in the file.
ROW_GROUP = 20_000

_SURROGATE = re.compile("[\ud800-\udfff]")


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table: one Arrow type for each kind of column."""
    import pyarrow as pa

    types = {
        "str": pa.string(),
        "float": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us"),
        "date": pa.date32(),
        "list": pa.list_(pa.string()),
        "floats": pa.list_(pa.float64()),
    }
    return pa.schema([(column.name, types[column.kind.rstrip("?")]) for column in table.columns])


def arrow_table(frame: pd.DataFrame, table: Table) -> pa.Table:
    """A frame as an Arrow table with exactly the columns of `table`.

    Missing strings become "", missing lists []; in columns that may be null, "" and NaT become null. A lone surrogate,
    which no file can hold, becomes U+FFFD.

    Raises
    ------
    TableError : a column is missing, or holds a value of another type
    """
    import pyarrow as pa

    check_table(frame, table, where="Writing Parquet")
    schema = arrow_schema(table)
    arrays = [_array(frame[column.name], column, schema.field(column.name).type) for column in table.columns]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_parquet(path: Path, pieces: Iterable[pd.DataFrame], table: Table) -> int:
    """Write pieces of a table to one Parquet file; only about one row group is in memory at a time.

    Parameters
    ----------
    path : file to write; its folder exists
    pieces : frames with the columns of `table`, in order; further columns are left out
    table : a table of schema.py

    Returns
    -------
    number of rows written; without pieces the file is there and has none

    Raises
    ------
    TableError : a column is missing, or holds a value of another type
    """
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(path, arrow_schema(table), compression="zstd") as writer:
        for group in _groups(pieces, table):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def read_parquet(path: Path, table: Table, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that `write_parquet` wrote, with lists as lists of str (pandas alone gives arrays).

    Parameters
    ----------
    path : file
    table : its table
    columns : names to read, in this order; all by default

    Returns
    -------
    frame with the columns asked for
    """
    import pyarrow.parquet as pq

    names = list(table.names if columns is None else columns)
    return to_frame(pq.read_table(path, columns=names).select(names))


def to_frame(arrow: pa.Table) -> pd.DataFrame:
    """An Arrow table as a frame in which a list is a list."""
    import pyarrow as pa

    frame: pd.DataFrame = arrow.to_pandas()
    lists = {
        field.name: pd.Series(arrow.column(field.name).to_pylist(), index=frame.index, dtype="object")
        for field in arrow.schema
        if pa.types.is_list(field.type)
    }
    return frame.assign(**lists)


def _groups(pieces: Iterable[pd.DataFrame], table: Table) -> Iterator[pa.Table]:
    import pyarrow as pa

    held: list[pa.Table] = []
    count = 0
    for piece in pieces:
        held.append(arrow_table(piece, table))
        count += held[-1].num_rows
        while count >= ROW_GROUP:
            whole = pa.concat_tables(held)
            yield whole.slice(0, ROW_GROUP)
            held, count = [whole.slice(ROW_GROUP)], count - ROW_GROUP
    if count:
        yield pa.concat_tables(held)


def _array(values: pd.Series, column: Column, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        try:
            array = _converted(values, column.kind, wanted)
        except UnicodeEncodeError:
            array = _converted(values.map(_without_surrogates), column.kind, wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise TableError(
            f"Column {column.name} must be of kind {column.kind} to be written as Parquet ({error}). "
            f"Give it that type in the stage that makes it; pipeline/schema.py lists every column."
        ) from error
    if column.kind == "str":
        array = pc.fill_null(array, "")
    elif column.kind == "str?":
        array = pc.if_else(pc.equal(array, ""), None, array)
    elif not column.kind.endswith("?") and array.null_count:
        raise TableError(
            f"Column {column.name} has {array.null_count} empty values and may have none. "
            f"Fill them in the stage that makes it; pipeline/schema.py lists every column."
        )
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array], type=wanted)


def _converted(values: pd.Series, kind: str, wanted: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if kind in ("str", "str?"):
        array = pa.array(values, from_pandas=True)
        if pa.types.is_null(array.type) or pa.types.is_large_string(array.type):
            array = array.cast(wanted)
        if not array.type.equals(wanted):
            raise pa.ArrowTypeError(f"found {array.type}")
        return array
    given: Any = values
    if kind == "list":
        given = [[] if _absent(value) else list(value) for value in values]
    elif kind == "floats":
        given = [[] if _absent(value) else [float(number) for number in value] for value in values]
    elif kind == "date?":
        given = [None if pd.isna(value) else value for value in values]
    # Times may come finer than microseconds, as pandas keeps nanoseconds; what is finer is cut.
    return pa.array(given, type=wanted, from_pandas=True, safe=kind != "time?")


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and pd.isna(value))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    return value if _absent(value) else [_without_surrogates(item) for item in value]
