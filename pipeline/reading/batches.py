"""Files to batches of submissions: what fails costs itself, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.errors import SettingsError
from pipeline.reading.blocks import Block
from pipeline.reading.corrections import settle_corrections
from pipeline.reading.delimited import read_delimited
from pipeline.reading.documents import read_document, read_text_file
from pipeline.reading.encodings import check_encoding_name
from pipeline.reading.files import InputFile, content_kind, list_inputs
from pipeline.reading.identity import IdRegister
from pipeline.reading.options import ReadOptions
from pipeline.reading.records import read_json_lines, read_parquet
from pipeline.reading.rows import FileTally, rejected_rows, rows_of_block
from pipeline.reading.trouble import UnreadableError
from pipeline.reading.workbooks import read_workbook
from pipeline.schema import LABELLED, REJECTED, SUBMISSIONS, empty_table
from pipeline.settings import ReadingSettings


@dataclass(frozen=True)
class ReadBatch:
    """Some rows in input order.

    Attributes
    ----------
    submissions : table SUBMISSIONS, or where labels were asked for LABELLED with `corrected`: True where the label is
        what a clerk chose or confirmed in a workbook of ours
    rejected : table REJECTED: rows, sheets (row 0) and files (row 0, no sheet) that could not be used, met since
        the batch before
    notes : Chinese remarks of one line, of the files that ended since the batch before
    share : of the bytes of all files, how much has been read, 0 to 1
    """

    submissions: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[str, ...] = ()
    share: float = 0.0


@dataclass(frozen=True)
class Reading:
    """All that was read at once; attributes as of `ReadBatch`, and the files in order."""

    submissions: pd.DataFrame
    rejected: pd.DataFrame
    files: tuple[InputFile, ...]
    notes: tuple[str, ...]


def read_batches(
    files: Sequence[InputFile], *, options: ReadOptions, settings: ReadingSettings, batch_rows: int
) -> Iterator[ReadBatch]:
    """Read files as a stream of batches.

    Parameters
    ----------
    files : as `list_inputs` gives them
    options : columns, encoding, labels
    settings : rows searched for the header, longest text (characters)
    batch_rows : submissions in each batch but the last, over the borders of files; at least 1

    Yields
    ------
    batches in input order. Ids are unique over all of them and do not depend on `batch_rows`. Rows of one file can be
    counted by `source_file`, which is unique.

    Raises
    ------
    SettingsError : the encoding named in `options` does not exist, or `batch_rows` is below 1
    """
    check_encoding_name(options.encoding)
    if batch_rows < 1:
        raise SettingsError(f"batch_rows is {batch_rows} and must be at least 1. Change it in [engine].")
    return _batches(files, options, settings, batch_rows)


def read_submissions(
    paths: Iterable[Path | str] | Path | str,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    settings: ReadingSettings = ReadingSettings(),  # noqa: B008 - frozen
) -> Reading:
    """Read files and folders at once, for a notebook or for training.

    Raises
    ------
    InputError : a path does not exist, or there is nothing to read
    SettingsError : the encoding named in `options` does not exist
    """
    files = list_inputs([paths] if isinstance(paths, str | Path) else paths)
    batches = list(read_batches(files, options=options, settings=settings, batch_rows=10_000))
    submissions = [batch.submissions for batch in batches if len(batch.submissions)]
    rejected = [batch.rejected for batch in batches if len(batch.rejected)]
    return Reading(
        _joined(submissions) if submissions else _no_rows(options),
        _joined(rejected) if rejected else empty_table(REJECTED),
        tuple(files),
        tuple(note for batch in batches for note in batch.notes),
    )


def _batches(
    files: Sequence[InputFile], options: ReadOptions, settings: ReadingSettings, batch_rows: int
) -> Iterator[ReadBatch]:
    register = IdRegister()
    waiting: list[pd.DataFrame] = []
    waiting_rows = 0
    rejected: list[pd.DataFrame] = []
    notes: list[str] = []
    total, before, share = max(1, sum(file.bytes for file in files)), 0, 0.0
    for file in files:
        for submissions, refused, remarks, within in _read_file(file, options, settings, register):
            share = (before + within * file.bytes) / total
            if len(refused):
                rejected.append(refused)
            notes.extend(remarks)
            if len(submissions):
                waiting.append(submissions)
                waiting_rows += len(submissions)
            if waiting_rows < batch_rows:
                continue
            rows = _joined(waiting)
            full = waiting_rows - waiting_rows % batch_rows
            for start in range(0, full, batch_rows):
                part = rows.iloc[start : start + batch_rows].reset_index(drop=True)
                yield ReadBatch(part, _table_of_rejected(rejected), tuple(notes), share)
                rejected, notes = [], []
            waiting = [rows.iloc[full:]] if full < waiting_rows else []
            waiting_rows -= full
        before += file.bytes
    if waiting or rejected or notes:
        rest = _joined(waiting) if waiting else _no_rows(options)
        yield ReadBatch(rest, _table_of_rejected(rejected), tuple(notes), 1.0)


def _read_file(
    file: InputFile, options: ReadOptions, settings: ReadingSettings, register: IdRegister
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, list[str], float]]:
    """Submissions, rejected rows, notes, and the share of the file that is read."""
    tally = FileTally()
    nothing = _no_rows(options)
    try:
        blocks = settle_corrections(blocks_of(file, options, settings), beside=file.path.parent, labels=options.labels)
        for block in blocks:
            submissions, rejected = rows_of_block(
                block, file, options=options, settings=settings, register=register, tally=tally
            )
            yield submissions, rejected, [], block.share
    except UnreadableError as trouble:
        tally.rejected += 1
        yield nothing, rejected_rows(file, trouble.sheet, [(trouble.row, trouble.reason)]), [], 1.0
    except (OSError, UnicodeDecodeError) as error:
        tally.rejected += 1
        why = error.strerror if isinstance(error, OSError) else f"第 {tally.read} 件之后的字节不是文字"
        reason = f"文件读不下去（{why}），请检查原文件是否完整后再试"
        yield nothing, rejected_rows(file, "", [(0, reason)]), [], 1.0
    if not tally.read and not tally.rejected:
        yield nothing, rejected_rows(file, "", [(0, "没有读到任何数据行，请检查文件内容")]), [], 1.0
    notes = tally.notes(file.name, longest_text=settings.longest_text)
    if notes:
        yield nothing, empty_table(REJECTED), notes, 1.0


def blocks_of(file: InputFile, options: ReadOptions, settings: ReadingSettings) -> Iterator[Block]:
    """The rows of a file as its reader gives them.

    Raises
    ------
    UnreadableError : the file cannot be used
    """
    kind = content_kind(file)
    if kind == "csv":
        return read_delimited(file, options=options, settings=settings)
    if kind == "workbook":
        return read_workbook(file, options=options, settings=settings)
    if kind == "docx":
        return read_document(file)
    if kind == "txt":
        return read_text_file(file, options=options)
    if kind == "jsonl":
        return read_json_lines(file, options=options)
    return read_parquet(file, options=options)


def _no_rows(options: ReadOptions) -> pd.DataFrame:
    return (
        empty_table(LABELLED).assign(corrected=pd.Series([], dtype="bool"))
        if options.labels
        else empty_table(SUBMISSIONS)
    )


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)


def _table_of_rejected(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return _joined(frames) if frames else empty_table(REJECTED)
