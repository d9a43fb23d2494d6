"""Excel workbooks old and new: sheets, title rows, merged cells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.reading.blocks import BLOCK_ROWS, Block, block_of_records
from pipeline.reading.cells import cell_text
from pipeline.reading.files import InputFile
from pipeline.reading.headers import FoundHeader, check_label_columns, find_header, missing_header_reason
from pipeline.reading.options import ReadOptions
from pipeline.reading.own_sheets import is_list
from pipeline.reading.trouble import UnreadableError
from pipeline.schema import OPTIONS_SHEET
from pipeline.settings import ReadingSettings

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

# ((first row, first column), (last row, last column)), counted from 0
Merge = tuple[tuple[int, int], tuple[int, int]]

_OWN = ("submission_id", "title", "submitter")  # a row with one of these is a submission, though its text is shared
_SAME_SUBMISSION = "内容格与上一行合并，又没有自己的编号、标题和姓名，按同一件处理，没有另计"
_NOT_FILLED = ("submission_id", "text", "tokens")  # one submission over several rows is still one submission


def read_workbook(file: InputFile, *, options: ReadOptions, settings: ReadingSettings) -> Iterator[Block]:
    """The rows of every visible sheet, in blocks; a sheet that cannot be used costs itself.

    Raises
    ------
    UnreadableError : the workbook is protected or damaged
    """
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    with open(file.path, "rb") as stream:  # by content: an old .xls is often named .xlsx
        try:
            workbook = CalamineWorkbook.from_filelike(stream)
        except PasswordError as error:
            raise UnreadableError("文件设有打开密码，请去掉密码另存后再处理") from error
        except BaseException as error:
            raise UnreadableError(_damaged(error)) from error
        for meta in workbook.sheets_metadata:
            if meta.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.MacroSheet):
                continue
            if meta.visible is not SheetVisibleEnum.Visible:
                if meta.name == OPTIONS_SHEET:
                    continue
                yield Block(sheet=meta.name, notes=["隐藏的工作表没有读取；需要时请取消隐藏"])
                continue
            try:
                sheet = workbook.get_sheet_by_name(meta.name)
                yield from _read_sheet(sheet, options, settings)
            except UnreadableError as trouble:
                yield Block(sheet=meta.name, rejected=[(0, trouble.reason)])
            except GeneratorExit:
                raise
            except BaseException as error:  # the other sheets may be sound
                yield Block(sheet=meta.name, rejected=[(0, _damaged(error))])


def _damaged(error: BaseException) -> str:
    """Chinese reason for what calamine raised about damage: many kinds, and panics, which are no Exception.

    Raises
    ------
    BaseException : the error itself where it is a person's interrupt and such
    """
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error
    detail = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return f"表格已损坏，读不出来（{detail}），请用 Excel 或 WPS 打开修复后另存为 .xlsx"


def _read_sheet(sheet: CalamineSheet, options: ReadOptions, settings: ReadingSettings) -> Iterator[Block]:
    if sheet.start is None:
        return
    # Rows come from the first on, but without the blank columns on their left.
    skipped = sheet.start[1]
    merges = [
        ((top, max(left - skipped, 0)), (bottom, right - skipped))
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or []
        if right >= skipped
    ]
    rows: Iterator[list[Any]] = iter(sheet.iter_rows())
    head = list(itertools.islice(rows, settings.header_search_rows + 1))
    if not any(map(_has_content, itertools.chain(head, sheet.iter_rows()))):
        return
    header_rows = _header_rows(head[: settings.header_search_rows], merges)
    if is_list(header_rows):
        return
    found = find_header(header_rows, options)
    if found is None:
        raise UnreadableError(missing_header_reason(header_rows, header_search_rows=settings.header_search_rows))
    check_label_columns(found.cells, found.map, options, sheet=sheet.name)
    numbered = enumerate(itertools.chain(head[found.data_start :], rows), start=found.data_start)
    filled = _Filler(found, merges)
    notes: Sequence[str] = found.map.notes
    while chunk := list(itertools.islice(numbered, BLOCK_ROWS)):
        kept: list[tuple[int, list[Any]]] = []
        rejected: list[tuple[int, str]] = []
        for index, row in chunk:
            if not _has_content(row):
                filled.fill(index, row)
            elif filled.fill(index, row):
                kept.append((index + 1, row))
            else:
                rejected.append((index + 1, _SAME_SUBMISSION))
        yield block_of_records(
            [row for _, row in kept],
            [number for number, _ in kept],
            found.map,
            found.cells,
            sheet=sheet.name,
            rejected=rejected,
            notes=notes,
        )
        notes = ()


def _header_rows(head: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> list[list[str]]:
    """The first rows as text, the value of a merged cell in every cell of it."""
    texts = [list(map(cell_text, row)) for row in head]
    for (top, left), (bottom, right) in merges:
        if top >= len(texts) or left >= len(texts[top]):
            continue
        for row in texts[top : bottom + 1]:
            for column in range(left, min(right + 1, len(row))):
                # A title over the whole width is no header, but a group over some columns may be.
                row[column] = texts[top][left]
    return texts


class _Filler:
    """Carries the value of a cell merged over several rows down to each of them."""

    def __init__(self, found: FoundHeader, merges: Sequence[Merge]) -> None:
        columns = found.map.columns
        key = "text" if "text" in columns else "title"
        self._key_column = columns.get(key, -1)
        fillable = {index for field, index in columns.items() if field not in _NOT_FILLED} - {self._key_column}
        self._starts: dict[int, list[tuple[int, int]]] = {}
        self._carried: dict[int, tuple[int, Any]] = {}
        self._own_columns = [columns[field] for field in _OWN if field in columns and field != key]
        self._key_until = -1
        self._key_value: Any = None
        self._key_starts: dict[int, int] = {}
        for (top, left), (bottom, right) in merges:
            if bottom == top or bottom < found.data_start:
                continue
            if left <= self._key_column <= right:
                self._key_starts[top] = bottom
            elif left in fillable:
                self._starts.setdefault(top, []).append((left, bottom))

    def fill(self, index: int, row: list[Any]) -> bool:
        """Fill the row in place; False where it only continues the submission of the row above, or is blank."""
        if index in self._key_starts:
            self._key_until, self._key_value = self._key_starts[index], row[self._key_column]
            shares_text = False
        else:
            shares_text = index <= self._key_until
        has_content, is_own = _has_content(row), _has_content([row[column] for column in self._own_columns])
        for column, bottom in self._starts.get(index, ()):
            self._carried[column] = (bottom, row[column])
        if not has_content or (shares_text and not is_own):
            return False
        if shares_text and not _has_content([row[self._key_column]]):
            row[self._key_column] = self._key_value
        for column, (bottom, value) in self._carried.items():
            if index <= bottom and row[column] in ("", None):
                row[column] = value
        return True


def _has_content(row: Sequence[Any]) -> bool:
    return any(cell.strip() if isinstance(cell, str) else cell is not None for cell in row)
