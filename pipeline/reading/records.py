"""Files that machines write: JSON lines and Parquet."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.reading.blocks import BLOCK_ROWS, Block, block_of_records
from pipeline.reading.encodings import find_encoding
from pipeline.reading.files import InputFile
from pipeline.reading.headers import HeaderMap, check_label_columns, map_headers, missing_header_reason
from pipeline.reading.options import ReadOptions
from pipeline.reading.trouble import UnreadableError


def read_json_lines(file: InputFile, *, options: ReadOptions) -> Iterator[Block]:
    """One JSON object a line; a line that is none costs itself. Objects may differ in their keys.

    Raises
    ------
    UnreadableError : the encoding is not recognized, or the first line begins a JSON list
    """
    encoding = find_encoding(file.path, name=file.name, given=options.encoding)
    with (
        open(file.path, "rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding.name, errors=encoding.errors) as stream,
    ):
        numbered = enumerate(stream, start=1)
        maps: dict[tuple[str, ...], HeaderMap] = {}
        while chunk := list(itertools.islice(numbered, BLOCK_ROWS)):
            yield replace(_json_block(chunk, maps, options), share=raw.tell() / max(1, file.bytes))


def _json_block(chunk: list[tuple[int, str]], maps: dict[tuple[str, ...], HeaderMap], options: ReadOptions) -> Block:
    rows: list[int] = []
    entries: list[tuple[HeaderMap, list[Any]]] = []
    rejected: list[tuple[int, str]] = []
    notes: list[str] = []
    for row, line in chunk:
        if not line.strip(" \t\r\n\ufeff\x00"):
            continue
        entry, reason = _parsed(line, row)
        if reason:
            rejected.append((row, reason))
            continue
        keys = tuple(entry)
        if keys not in maps:
            told = {note for known in maps.values() for note in known.notes}
            maps[keys] = map_headers(keys, options)
            notes.extend(note for note in maps[keys].notes if note not in told)
        if not maps[keys].usable:
            rejected.append((row, missing_header_reason([keys], header_search_rows=1)))
            continue
        check_label_columns(keys, maps[keys], options, sheet="")
        rows.append(row)
        entries.append((maps[keys], list(entry.values())))
    # Objects may lack keys, so all are laid under the fields that any of them has.
    fields = list(dict.fromkeys(field for keys_map in maps.values() for field in keys_map.columns))
    common = HeaderMap({field: index for index, field in enumerate(fields)})
    records = [
        [values[keys_map.columns[field]] if field in keys_map.columns else None for field in fields]
        for keys_map, values in entries
    ]
    return block_of_records(records, rows, common, fields, rejected=rejected, notes=notes)


def _parsed(line: str, row: int) -> tuple[dict[str, Any], str]:
    """The object, or a Chinese reason why there is none."""
    try:
        entry = json.loads(line.lstrip("\ufeff").replace("\x00", ""))
    except (ValueError, RecursionError):
        entry = None
    if row == 1 and line.lstrip("\ufeff \t").startswith("["):
        raise UnreadableError("这是 JSON 列表，不是每行一条记录的 .jsonl，请改为每行一个 {…} 再处理")
    if entry is None:
        return {}, "这一行不是完整的 JSON，请在原文件中改正"
    if not isinstance(entry, dict):
        return {}, '这一行不是 JSON 对象，请写成 {"内容": "…"} 的形式'
    return entry, ""


def read_parquet(file: InputFile, *, options: ReadOptions) -> Iterator[Block]:
    """The rows of a Parquet file; lists and numbers become text where text is wanted.

    Raises
    ------
    UnreadableError : damaged, or no column is a title or a text
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError("Parquet 文件已损坏，请重新导出") from error
    with parquet:
        names = list(parquet.schema_arrow.names)
        header_map = map_headers(names, options)
        if not header_map.usable:
            raise UnreadableError(missing_header_reason([names], header_search_rows=1))
        check_label_columns(names, header_map, options, sheet="")
        wanted = sorted(set(header_map.columns.values()))
        narrow = HeaderMap(
            {field: wanted.index(index) for field, index in header_map.columns.items()}, header_map.notes
        )
        headers = [names[index] for index in wanted]
        notes = header_map.notes
        first = 1
        try:
            for batch in parquet.iter_batches(batch_size=BLOCK_ROWS, columns=headers):
                columns = [_python_values(batch.column(header)) for header in headers]
                records = list(zip(*columns, strict=True))
                rows = range(first, first + len(records))
                yield block_of_records(records, rows, narrow, headers, notes=notes)
                first += len(records)
                notes = ()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise UnreadableError("Parquet 文件从这里起已损坏，请重新导出", row=first) from error


def _python_values(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # Nanoseconds would ask for pandas, and a named zone for a time zone database, which Windows lacks.
        zone = None if column.type.tz is None else "+08:00"
        column = column.cast(pa.timestamp("us", tz=zone), safe=False)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values
