"""What every reader hands on: some rows of one sheet, column by column, each column under its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.reading.cells import cell_text
from pipeline.reading.headers import HeaderMap

BLOCK_ROWS = 4096  # rows held as Python lists at once; never changes a result


@dataclass(frozen=True)
class Block:
    """Rows of one sheet as read.

    Attributes
    ----------
    sheet : its name, "" where the file has none
    rows : 1-based row of each, as Excel or an editor shows it
    cells : field of SUBMISSIONS or LABELS -> raw cells, one for each row; a field without a column is absent
    headers : field -> header as it stands in the file, to know it again between the rows
    rejected : row and Chinese reason of what could not be made a row
    notes : Chinese remarks
    share : of the file that is read, 0 to 1
    """

    sheet: str = ""
    rows: Sequence[int] = ()
    cells: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    rejected: Sequence[tuple[int, str]] = ()
    notes: Sequence[str] = ()
    share: float = 0.0


def block_of_records(
    records: Sequence[Sequence[Any]],
    rows: Sequence[int],
    header_map: HeaderMap,
    header_cells: Sequence[str],
    *,
    sheet: str = "",
    rejected: Sequence[tuple[int, str]] = (),
    notes: Sequence[str] = (),
    share: float = 0.0,
) -> Block:
    """Turn records, all as wide as the header, into a block; places in parts become one place."""
    cells: dict[str, Sequence[Any]] = {}
    headers: dict[str, str] = {}
    for name, index in header_map.columns.items():
        if not name.startswith("place_"):
            cells[name] = [record[index] for record in records]
            headers[name] = header_cells[index]
    parts = [[record[index] for record in records] for index in header_map.place_columns()]
    if len(parts) == 1:
        cells["place"] = parts[0]
    elif parts:
        cells["place"] = [join_place(row) for row in zip(*parts, strict=True)]
    return Block(sheet, rows, cells, headers, rejected, notes, share)


def join_place(parts: Sequence[Any]) -> str:
    """District, township and address as one place; a part that a later one already holds is not said twice."""
    texts = [cell_text(part) for part in parts]
    kept = [text for index, text in enumerate(texts) if text and not any(text in later for later in texts[index + 1 :])]
    return "".join(kept)
