"""What clerks decided in a workbook of ours: each submission once, with what they chose as its labels.

A submission stands on several sheets, and a word in any of them counts. What fenban had guessed is a label only where
somebody confirmed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.reading.blocks import Block
from pipeline.reading.cells import cell_text
from pipeline.reading.trouble import UnreadableError
from pipeline.schema import CONFIRMED, CORRECTIONS, CUT_MARK, SUBMISSIONS

_YES = frozenset((CONFIRMED, "对", "是", "同意", "√", "✓", "确认", "无误"))
NAME_MARKS = re.compile("[、;；,，\n]")
"""Between the names of bodies in one cell, as people write and as the workbook does."""
# What a clerk can state -> the label that it is, and the guess that a confirmation makes one.
_STATED = {
    "new_topic": ("topic", "routed_topic"),
    "new_department": ("department", "routed_department"),
    "new_co_departments": ("co_kinds", None),
    "returned_by": ("returned_by", None),
}
_COMPARED = 500  # characters by which a cut text is known again
_LISTS = frozenset(column.name for column in CORRECTIONS.columns if column.kind == "list")
_NAMES = CORRECTIONS.headers()
_OWN = [name for name in SUBMISSIONS.names if not name.startswith("source_")]


@dataclass(frozen=True)
class _Row:
    """One row of one sheet, field -> raw cell."""

    sheet: str
    number: int
    cells: Mapping[str, Any]

    def text(self, field: str) -> str:
        return cell_text(self.cells.get(field))

    @property
    def where(self) -> str:
        return f"{self.sheet}第 {self.number} 行" if self.sheet else f"第 {self.number} 行"

    def stated(self) -> dict[str, tuple[str, ...]]:
        """What a clerk chose here, or confirmed: field of _STATED -> names."""
        confirmed = self.text("confirmed") in _YES
        found = {}
        for field, (_, guess) in _STATED.items():
            given = self.text(field) or (self.text(guess) if confirmed and guess else "")
            parts = NAME_MARKS.split(given) if field in _LISTS else [given]
            if names := tuple(part.strip() for part in parts if part.strip()):
                found[field] = names
        return found


def settle_corrections(blocks: Iterable[Block], *, beside: Path, labels: bool) -> Iterator[Block]:
    """Hand on blocks of other sheets as they are, and the rows of sheets to correct once each, at the end.

    Parameters
    ----------
    blocks : of one file
    beside : its folder: routed.parquet there has the texts that a cell could not hold
    labels : True gives the rows on which a clerk said something, with their labels and the field `corrected`; False
        gives every row with no more than who sent it back

    Raises
    ------
    UnreadableError : labels are wanted and no clerk said anything
    """
    rows: list[_Row] = []
    for block in blocks:
        if not any(field in block.cells for field in ("new_topic", "new_department")):
            yield block
            continue
        columns = list(block.cells)
        for number, cells in zip(block.rows, zip(*block.cells.values(), strict=True), strict=True):
            row = _Row(block.sheet, number, dict(zip(columns, cells, strict=True)))
            # Sheets that were pasted one below the other bring their headers along.
            if any(row.text(field) != header for field, header in block.headers.items()):
                rows.append(row)
    if rows:
        yield from _settled(rows, beside, labels)


def _settled(rows: Sequence[_Row], beside: Path, labels: bool) -> Iterator[Block]:
    standing: dict[str, list[_Row]] = {}
    for row in rows:
        # A row whose number was lost is a submission of its own.
        standing.setdefault(row.text("submission_id") or f"\n{row.where}", []).append(row)
    chosen: list[tuple[_Row, dict[str, Any]]] = []
    refused: list[tuple[_Row, str]] = []
    for places in standing.values():
        values, reason = _labels_of(places) if labels else (_returns_of(places), "")
        if reason:
            refused.append((places[0], reason))
        elif values or not labels:
            # Of several rows one with the submission's own whole title and text, as a row of an issue has not.
            chosen.append((min(places, key=_is_short), values))
    if labels and not chosen and not refused:
        raise UnreadableError(
            f"这是分办的工作簿，但还没有人确认或更正；请在“{_NAMES['confirmed']}”“{_NAMES['new_department']}”"
            "等浅黄格里填写、存盘后再训练"
        )
    chosen, without_text = _with_texts(chosen, beside)
    yield Block(notes=[_note(len(standing), len(chosen), labels)])
    for sheet, group in groupby(refused + without_text, key=lambda pair: pair[0].sheet):
        yield Block(sheet=sheet, rejected=[(row.number, reason) for row, reason in group])
    for sheet, found in groupby(chosen, key=lambda pair: pair[0].sheet):
        of_sheet = list(found)
        fields = dict.fromkeys(field for row, values in of_sheet for field in (*row.cells, *values))
        cells = {
            field: [values.get(field, row.cells.get(field)) for row, values in of_sheet]
            for field in fields
            if field in _OWN or any(field in values for _, values in of_sheet)
        }
        if labels:
            cells["corrected"] = [True] * len(of_sheet)
        yield Block(sheet=sheet, rows=[row.number for row, _ in of_sheet], cells=cells)


def _note(submissions: int, used: int, labels: bool) -> str:
    if labels:
        return f"是分办的工作簿：{submissions} 件中 {used} 件有人确认或更正，只学这些"
    return "是分办的工作簿：每件只按编号读一次；其中的确认和更正要用 train.py 学，这里不用"


def _labels_of(places: Sequence[_Row]) -> tuple[dict[str, Any], str]:
    """Labels of one submission from all rows it stands in, or the reason why none can be had."""
    labels: dict[str, Any] = {}
    stated = [(row, row.stated()) for row in places]
    for field, (label, _) in _STATED.items():
        given = {names: row for row, found in reversed(stated) if (names := found.get(field))}
        if len(given) > 1:
            both = "，".join(f"{row.where}“{'、'.join(names)}”" for names, row in reversed(given.items()))
            return {}, f"编号 {places[0].text('submission_id')} 的{_NAMES[field]}有两种说法：{both}；请改成一样的"
        if given:
            (names,) = given
            labels[label] = list(names) if field in _LISTS else names[0]
    for row in places:
        told = row.text("confirmed")
        if told and told not in _YES and not labels:
            return {}, (
                f"{row.where}“{_NAMES['confirmed']}”填的是“{told}”，又没有更正；"
                f"对的请填“{CONFIRMED}”，不对的请填更正各列"
            )
    return labels, ""


def _returns_of(places: Sequence[_Row]) -> dict[str, Any]:
    """All who sent a submission back: no label, but it counts in the very next run, whatever else was said of it."""
    names = dict.fromkeys(name for row in places for name in row.stated().get("returned_by", ()))
    return {"returned_by": list(names)} if names else {}


def _with_texts(
    chosen: Sequence[tuple[_Row, dict[str, Any]]], beside: Path
) -> tuple[list[tuple[_Row, dict[str, Any]]], list[tuple[_Row, str]]]:
    """The rows with their whole title and text, and those whose text cannot be had."""
    wanted = {row.text("submission_id") for row, _ in chosen if _is_short(row)}
    texts = _texts_of(beside / "routed.parquet", wanted) if wanted else {}
    found, lost = [], []
    for row, values in chosen:
        name = row.text("submission_id")
        if not _is_short(row):
            found.append((row, values))
        elif name in texts and _begins_alike(row.text("text"), texts[name][1]):
            title, text = texts[name]
            found.append((row, values | {"title": title, "text": text}))
        elif row.text("text") and not row.text("text").endswith(CUT_MARK):
            found.append((row, values))  # of an issue's row the text is whole, and only the title is not its own
        else:
            lost.append((row, f"编号 {name} 的内容在表里不全；请把同一次运行的 routed.parquet 放在工作簿旁边再处理"))
    return found, lost


def _is_short(row: _Row) -> bool:
    return "title" not in row.cells or any(row.text(field).endswith(CUT_MARK) for field in ("title", "text"))


def _begins_alike(shown: str, whole: str) -> bool:
    """Whether a cell and a text are of one submission: the id 1 stands in the run of every week."""
    return _plain(whole).startswith(_plain(shown.removesuffix(CUT_MARK)[:_COMPARED]))


def _plain(text: str) -> str:
    # A cell loses control characters and other line ends.
    return "".join(filter(str.isalnum, text))


def _texts_of(path: Path, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Title and text of some submissions of a run; {} where its routed.parquet is not there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return {}
    columns = ["submission_id", "title", "text"]
    try:
        table = pq.read_table(path, columns=columns, filters=[("submission_id", "in", sorted(ids))])
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(
            f"旁边的 routed.parquet 读不出来（{str(error).splitlines()[0]}）；请从原结果文件夹重新复制"
        ) from error
    return {
        name: (title, text) for name, title, text in zip(*(table[name].to_pylist() for name in columns), strict=True)
    }
