"""From a block of raw cells to rows of SUBMISSIONS or LABELLED, and to the reasons of those that are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.reading.blocks import Block
from pipeline.reading.cells import cell_text, clean_text, parse_times
from pipeline.reading.corrections import NAME_MARKS
from pipeline.reading.files import InputFile
from pipeline.reading.headers import plain_header
from pipeline.reading.identity import IdRegister
from pipeline.reading.options import ReadOptions
from pipeline.reading.spellings import TOTALS
from pipeline.schema import LABELLED, LABELS, REJECTED, SUBMISSIONS, typed
from pipeline.settings import ReadingSettings

_WORD = re.compile(r"[^\W_]")
_NUMBER = re.compile(r"[\d.,%\s件条]*")
_PROTECTED_ID = re.compile(r'="?(.*?)"?|[\'`](.*)')  # how exports keep Excel from turning an id into a number
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_LOST_DIGITS = 1e15  # Excel keeps 15 digits of a number and writes zeros for the others
_LIST_MARK = re.compile("[;；]")


@dataclass
class FileTally:
    """What is worth a remark about one file, counted while it is read."""

    read: int = 0
    rejected: int = 0
    renamed: int = 0
    cut: int = 0
    bad_times: int = 0
    first_bad_time: str = ""
    damaged_ids: int = 0
    shortened_ids: int = 0
    remarks: list[str] = field(default_factory=list)

    def notes(self, name: str, *, longest_text: int) -> list[str]:
        """Chinese remarks of one line each."""
        notes = [f"{name}：{remark}" for remark in self.remarks]
        if self.renamed:
            notes.append(f"{name}：{self.renamed} 个编号与前面的重复，已加 -2、-3 等后缀")
        if self.damaged_ids:
            notes.append(f"{name}：{self.damaged_ids} 个编号已被 Excel 改成科学计数法（如 1.88E+05），原编号无法恢复")
        if self.shortened_ids:
            notes.append(
                f"{name}：{self.shortened_ids} 个编号超过 15 位，Excel 已丢失末尾数字，原编号无法恢复，"
                "已按文件、工作表和行号另编；请把编号列设为文本后重新导出"
            )
        if self.cut:
            notes.append(f"{name}：{self.cut} 件超过 {longest_text} 字，已截断")
        if self.bad_times:
            notes.append(f"{name}：{self.bad_times} 个时间看不懂，已留空（如{self.first_bad_time}）")
        return notes


def rows_of_block(
    block: Block,
    file: InputFile,
    *,
    options: ReadOptions,
    settings: ReadingSettings,
    register: IdRegister,
    tally: FileTally,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The usable rows of a block as table SUBMISSIONS, and the others as REJECTED.

    Where labels are read they are LABELLED with a column `corrected`, True for what a clerk corrected or confirmed.
    """
    count = len(block.rows)
    titles = _texts(block, "title")
    texts = _texts(block, "text")
    tokens = [_token_list(cell) for cell in block.cells["tokens"]] if options.labels and "tokens" in block.cells else []
    reasons = [_reason(title, text) for title, text in zip(titles, texts, strict=True)]
    for index, words in enumerate(tokens):
        if words and not titles[index] and not texts[index]:
            reasons[index] = ""
    _mark_repeated_headers(block, reasons)
    _mark_totals(block, titles, texts, reasons)
    kept = [index for index in range(count) if not reasons[index]]
    rejected = [*block.rejected, *((block.rows[index], reasons[index]) for index in range(count) if reasons[index])]
    tally.read += len(kept)
    tally.rejected += len(rejected)
    tally.remarks.extend(f"工作表“{block.sheet}”{note}" if block.sheet else note for note in block.notes)

    columns: dict[str, Any] = {
        "submission_id": _ids(block, kept, file, register, tally),
        "title": _cut([titles[index] for index in kept], settings, tally),
        "text": _cut([texts[index] for index in kept], settings, tally),
        "submitter": [cell_text(cell) for cell in _picked(block, "submitter", kept)],
        "submitted_at": _times(block, kept, tally),
        "channel": [cell_text(cell) for cell in _picked(block, "channel", kept)],
        "place": [cell_text(cell) for cell in _picked(block, "place", kept)],
        "returned_by": pd.Series(
            [_label_list(cell, NAME_MARKS) for cell in _picked(block, "returned_by", kept)], dtype="object"
        ),
        "source_file": [file.name] * len(kept),
        "source_sheet": [block.sheet] * len(kept),
        "source_row": [block.rows[index] for index in kept],
    }
    if options.labels:
        for column in LABELS.columns:
            cells = _picked(block, column.name, kept)
            as_label = _token_list if column.name == "tokens" else _AS_LABEL[column.kind]
            columns[column.name] = pd.Series([as_label(cell) for cell in cells], dtype="object")
    submissions = typed(pd.DataFrame(columns), LABELLED if options.labels else SUBMISSIONS)
    if options.labels:
        submissions = submissions.assign(corrected="corrected" in block.cells)
    return submissions, rejected_rows(file, block.sheet, rejected)


def rejected_rows(file: InputFile, sheet: str, rejected: Sequence[tuple[int, str]]) -> pd.DataFrame:
    """Table REJECTED of pairs of row and Chinese reason."""
    frame = pd.DataFrame(
        {
            "source_file": [file.name] * len(rejected),
            "source_sheet": [sheet] * len(rejected),
            "source_row": [row for row, _ in rejected],
            "reason": [reason for _, reason in rejected],
        }
    )
    return typed(frame, REJECTED)


def _reason(title: str, text: str) -> str:
    if not title and not text:
        return "标题和内容都是空的"
    if not _WORD.search(text) and not _WORD.search(title):
        return "标题和内容里没有文字"
    return ""


def _mark_repeated_headers(block: Block, reasons: list[str]) -> None:
    """A header printed again on each page is no submission."""
    headers = {name: plain_header(header) for name, header in block.headers.items() if header and name in block.cells}
    key = "text" if "text" in headers else "title"
    if key not in headers:
        return
    for index, cell in enumerate(block.cells[key]):
        if not isinstance(cell, str) or len(cell) > 60 or plain_header(cell) != headers[key]:
            continue
        others = [(name, cell_text(block.cells[name][index])) for name in headers if name != key]
        same = sum(plain_header(text) == headers[name] for name, text in others)
        if 2 * same >= len([text for _, text in others if text]) and (same or not others):
            reasons[index] = "重复的表头，不是诉求"


def _mark_totals(block: Block, titles: Sequence[str], texts: Sequence[str], reasons: list[str]) -> None:
    for index, (title, text) in enumerate(zip(titles, texts, strict=True)):
        if len(title) > 12 or len(text) > 12:
            continue
        first = next((cell for name in ("submission_id", "title", "text") if (cell := _cell(block, name, index))), "")
        if plain_header(first) in TOTALS and all(
            _NUMBER.fullmatch(cell) or plain_header(cell) in TOTALS for cell in (title, text)
        ):
            reasons[index] = "合计行，不是诉求"


def _cell(block: Block, name: str, index: int) -> str:
    return cell_text(block.cells[name][index]) if name in block.cells else ""


def _picked(block: Block, name: str, kept: Sequence[int]) -> Sequence[Any]:
    if name not in block.cells:
        return [""] * len(kept)
    cells = block.cells[name]
    return cells if len(kept) == len(cells) else [cells[index] for index in kept]


def _texts(block: Block, name: str) -> list[str]:
    if name not in block.cells:
        return [""] * len(block.rows)
    return [clean_text(cell) if type(cell) is str else cell_text(cell) for cell in block.cells[name]]


def _cut(texts: list[str], settings: ReadingSettings, tally: FileTally) -> list[str]:
    longest = settings.longest_text
    long = sum(len(text) > longest for text in texts)
    tally.cut += long
    return [text[:longest] for text in texts] if long else texts


def _ids(block: Block, kept: Sequence[int], file: InputFile, register: IdRegister, tally: FileTally) -> list[str]:
    start = "-".join(filter(None, (file.sha256[:8], block.sheet)))
    cells = _picked(block, "submission_id", kept)
    ids = ["" if _has_lost_digits(cell) else cell_text(cell) for cell in cells]
    tally.shortened_ids += sum(map(_has_lost_digits, cells))
    for position, name in enumerate(ids):
        if name.startswith(("=", "'", "`")):
            protected = _PROTECTED_ID.fullmatch(name)
            ids[position] = name = (protected[1] or protected[2] or "").strip() if protected else name
        if not name:
            ids[position] = f"{start}-{block.rows[kept[position]]}"
        elif "+" in name and _SCIENTIFIC.fullmatch(name):
            tally.damaged_ids += 1
    unique, renamed = register.unique(ids)
    tally.renamed += renamed
    return unique


def _has_lost_digits(cell: Any) -> bool:
    # Two such ids may have become one number, so the number is no id.
    return isinstance(cell, float) and _LOST_DIGITS <= abs(cell) < float("inf")


def _times(block: Block, kept: Sequence[int], tally: FileTally) -> pd.Series:
    cells = _picked(block, "submitted_at", kept)
    times, failed = parse_times(cells)
    if failed and not tally.bad_times:
        position = next(i for i, time in enumerate(times) if time is None and cell_text(cells[i]))
        shown = cell_text(cells[position])[:40]
        tally.first_bad_time = f"第 {block.rows[kept[position]]} 行“{shown}”"
    tally.bad_times += failed
    return pd.Series(times, dtype="datetime64[us]")


def _label_list(cell: Any, marks: re.Pattern[str] = _LIST_MARK) -> list[str]:
    parts = cell if isinstance(cell, list | tuple) else marks.split(cell_text(cell))
    return [text for part in parts if (text := cell_text(part))]


def _token_list(cell: Any) -> list[str]:
    if isinstance(cell, list | tuple):
        return [text for part in cell if (text := cell_text(part))]
    return cell_text(cell).split()


def _yes(cell: Any) -> bool:
    return cell_text(cell).casefold() in _YES


_YES = frozenset(("1", "true", "yes", "y", "是", "√"))
_AS_LABEL: dict[str, Callable[[Any], Any]] = {"str": cell_text, "list": _label_list, "bool": _yes}
