"""routed.csv: every submission of a run that is too large for the workbook, for people who open it in a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.schema import DECISIONS, ROUTED, URGENCIES, Column
from pipeline.tables.cells import FORMULA_STARTS, ILLEGAL

if TYPE_CHECKING:
    import pyarrow as pa

# A CSV has no types: what could be a formula gets an apostrophe before it, as OWASP's page on CSV injection advises.
_FORMULA = rf"^(\s*[{FORMULA_STARTS}]|[\t\n\r])"
# Excel makes 1.88E+05 of a long number and 123 of 000123; a tab behind keeps every digit.
_LONG_NUMBER = r"^(0[0-9]+|[0-9]{12,})$"


def write_routed_csv(path: Path, routed: Path, *, topic_names: Mapping[str, str]) -> None:
    """Write every row of routed.parquet as CSV in UTF-8 with BOM, with Chinese headers, topics and decisions.

    Programs read routed.parquet, which has every text as it was. Here a text that a spreadsheet could take for a
    formula has an apostrophe before it, a number of 12 digits or with leading zeros has a tab behind it, and control
    characters are gone.

    Parameters
    ----------
    path : file to write
    routed : routed.parquet, read piece by piece
    topic_names : key of a topic -> Chinese name; others stay as they are
    """
    import pyarrow as pa
    import pyarrow.csv as pc_csv
    import pyarrow.parquet as pq

    headers = list(ROUTED.headers().values())
    schema = pa.schema([(header, pa.string()) for header in headers])
    with open(path, "wb") as file, pq.ParquetFile(routed) as source:
        file.write(b"\xef\xbb\xbf")
        with pc_csv.CSVWriter(file, schema, write_options=pc_csv.WriteOptions(quoting_style="needed")) as writer:
            for batch in source.iter_batches(columns=ROUTED.names):
                texts = [_texts(batch.column(column.name), column, topic_names) for column in ROUTED.columns]
                writer.write_batch(pa.RecordBatch.from_arrays(texts, schema=schema))


def _texts(values: pa.Array, column: Column, topic_names: Mapping[str, str]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = {"topic": topic_names, "other_topics": topic_names, "decision": DECISIONS, "urgency": URGENCIES}
    if column.kind == "bool":
        return pc.if_else(values, "是", "")
    if column.kind == "time?":
        return pc.fill_null(pc.strftime(pc.cast(values, pa.timestamp("s"), safe=False), "%Y-%m-%d %H:%M:%S"), "")
    if column.kind in ("int", "float", "date?"):
        number = pc.round(values, 4) if column.kind == "float" else values
        return pc.fill_null(number.cast(pa.string()), "")
    if column.kind == "list":
        flat = _renamed(values.flatten(), names.get(column.name, {}))
        values = pc.binary_join(pa.ListArray.from_arrays(values.offsets, flat), "、")
    else:
        values = _renamed(values, names.get(column.name, {}))
    values = pc.replace_substring_regex(pc.fill_null(values, ""), f"[{ILLEGAL}]", "")
    values = pc.replace_substring_regex(values, _LONG_NUMBER, "\\1\t")
    return pc.replace_substring_regex(values, _FORMULA, "'\\1")


def _renamed(values: pa.Array, names: Mapping[str, str]) -> pa.Array:
    import pyarrow as pa

    if not names:
        return values
    coded = values.dictionary_encode()
    renamed = pa.array([names.get(key, key) for key in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, renamed).cast(pa.string())
