"""CSV and its relatives, as a stream: any delimiter, quoted line ends, and broken rows that break no others."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipeline.reading.blocks import BLOCK_ROWS, Block, block_of_records
from pipeline.reading.cells import clean_text
from pipeline.reading.encodings import find_encoding
from pipeline.reading.files import InputFile
from pipeline.reading.headers import FoundHeader, check_label_columns, find_header, missing_header_reason
from pipeline.reading.options import ReadOptions
from pipeline.reading.trouble import UnreadableError
from pipeline.settings import ReadingSettings

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_LINES = 400
_SAMPLE_CHARACTERS = 400_000
_RECORD_LINES = 2_000  # a quoted cell of more lines has lost its closing quote
_RECORD_CHARACTERS = 4_000_000
_NEXT_LINE = "next line"
_UNDECODED = re.compile("[\udc80-\udcff]")

_QUOTE_OPEN = "引号没有成对，这一行无法分列，请在原文件中补上引号"
_CELL_TOO_LONG = "单元格过长，无法读取，请在原文件中拆分"


def read_delimited(file: InputFile, *, options: ReadOptions, settings: ReadingSettings) -> Iterator[Block]:
    """The rows of a delimited text file, in blocks.

    Raises
    ------
    UnreadableError : encoding or header not recognized
    """
    encoding = find_encoding(file.path, name=file.name, given=options.encoding)
    # The bytes tell how far reading is; the text on them must keep line ends, which are part of quoted cells.
    with (
        open(file.path, "rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding.name, errors=encoding.errors, newline="") as stream,
    ):
        lines = _without_bom(stream)
        sample = _sample(lines)
        delimiter, found = _find_layout(sample, file, options, settings)
        records = split_records(itertools.chain(sample, lines), delimiter)
        for _ in range(found.data_start):
            next(records)
        for block in _blocks(records, found, damaged=encoding.damaged):
            yield replace(block, share=raw.tell() / max(1, file.bytes))


def split_records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Cut lines into records.

    Parameters
    ----------
    lines : with their line ends; a quoted cell may run over several

    Yields
    ------
    row : 1-based number of the record, as Excel counts
    record : its cells
    reason : Chinese, why it cannot be used, or ""

    Notes
    -----
    A quote that is never closed would make csv swallow the rest of the file as one cell. So reading is strict, a
    record may only be so long, and after an error the lines behind the first are read again.
    """
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    for row in itertools.count(1):
        source.begin_record()
        # The limit belongs to the whole process and is too small for a long petition, so it is lent and given back.
        limit = csv.field_size_limit(_RECORD_CHARACTERS)
        try:
            record, reason = next(reader), ""
        except StopIteration:
            return
        except csv.Error:
            first, *behind = source.taken
            source.give_back(behind)
            record, reason = _mended(first, delimiter)
        finally:
            csv.field_size_limit(limit)
        yield row, record, reason


class _Lines:
    """Lines that can be given back, and that end where one record takes too many."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._waiting: list[str] = []
        self.taken: list[str] = []
        self._characters = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _RECORD_LINES or self._characters >= _RECORD_CHARACTERS:
            raise StopIteration
        line = self._waiting.pop() if self._waiting else next(self._lines)
        self.taken.append(line)
        self._characters += len(line)
        return line

    def begin_record(self) -> None:
        self.taken.clear()
        self._characters = 0

    def give_back(self, lines: Sequence[str]) -> None:
        self._waiting.extend(reversed(lines))


def _mended(line: str, delimiter: str) -> tuple[list[str], str]:
    """Read one line leniently; a quote still open at its end shows in the next line not becoming a record."""
    try:
        records = list(csv.reader([line.rstrip("\r\n"), _NEXT_LINE], delimiter=delimiter))
    except csv.Error:
        return [], _CELL_TOO_LONG
    return (records[0], "") if len(records) == 2 else ([], _QUOTE_OPEN)


def _blocks(records: Iterator[tuple[int, list[str], str]], found: FoundHeader, *, damaged: bool) -> Iterator[Block]:
    width = len(found.cells)
    notes: Sequence[str] = found.map.notes
    while True:
        rows: list[int] = []
        kept: list[list[str]] = []
        rejected: list[tuple[int, str]] = []
        taken = 0
        for row, record, reason in itertools.islice(records, BLOCK_ROWS):
            taken += 1
            if not reason and len(record) != width:
                record, reason = _fitted(record, width, row)
            if damaged and not reason and _UNDECODED.search("".join(record)):
                reason = "有无法识别的字节，文字已损坏，请核对原文件的这一行"
            if reason:
                rejected.append((row, reason))
            elif any(map(str.strip, record)):
                rows.append(row)
                kept.append(record)
        if not taken:
            return
        yield block_of_records(kept, rows, found.map, found.cells, rejected=rejected, notes=notes)
        notes = ()


def _fitted(record: list[str], width: int, row: int) -> tuple[list[str], str]:
    if len(record) < width:
        return record + [""] * (width - len(record)), ""
    if any(map(str.strip, record[width:])):
        return record, (
            f"第 {row} 行有 {len(record)} 列，表头只有 {width} 列，多半是内容里的分隔符没有加引号，请在原文件中改正"
        )
    return record[:width], ""


def _without_bom(stream: Iterator[str]) -> Iterator[str]:
    return itertools.chain([next(stream, "").removeprefix("\ufeff")], stream)


def _sample(lines: Iterator[str]) -> list[str]:
    sample: list[str] = []
    characters = 0
    for line in lines:
        sample.append(line)
        characters += len(line)
        if len(sample) >= _SAMPLE_LINES or characters >= _SAMPLE_CHARACTERS:
            break
    return sample


def _find_layout(
    sample: Sequence[str], file: InputFile, options: ReadOptions, settings: ReadingSettings
) -> tuple[str, FoundHeader]:
    """The delimiter under which the header names the most fields, and that header."""
    best: tuple[tuple[int, float, bool], str, FoundHeader] | None = None
    fullest: tuple[float, list[list[str]]] = (-1.0, [])
    for delimiter in _DELIMITERS:
        records = [record for _, record, _ in split_records(sample, delimiter)]
        rows = [list(map(clean_text, record)) for record in records[: settings.header_search_rows]]
        found = find_header(rows, options)
        evenness = _evenness(records)
        if found is not None:
            fitting = sum(len(record) == len(found.cells) for record in records[found.data_start :])
            rank = (
                len(found.map.columns),
                fitting / max(len(records), 1),
                delimiter == "\t" and file.path.suffix.lower() == ".tsv",
            )
            if best is None or rank > best[0]:
                best = (rank, delimiter, found)
        if evenness > fullest[0]:
            fullest = (evenness, rows)
    if best is None:
        raise UnreadableError(missing_header_reason(fullest[1], header_search_rows=settings.header_search_rows))
    check_label_columns(best[2].cells, best[2].map, options, sheet="")
    return best[1], best[2]


def _evenness(records: Sequence[Sequence[Any]]) -> float:
    """Share of the records that have the commonest width; 0 where that is one column."""
    widths = Counter(len(record) for record in records if record)
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    return count / widths.total() if width > 1 else 0.0
