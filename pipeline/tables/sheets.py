"""One sheet of rows: formats, header, cells, drop-downs, filter and print set-up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.tables.cells import cell_text, may_become_formula, text_width
from pipeline.tables.layout import Layout, SheetColumn

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

FONT = {"font_name": "微软雅黑", "font_size": 10}
DARK, PALE, ENTRY, RED = "#1F4E79", "#DDEBF7", "#FFFBE6", "#C00000"
_DECISION_FILLS = {"自动": "#E2EFDA", "核对": "#FFF2CC", "人工": "#F8DCCB"}
_LINE_HEIGHT = 16.5  # points, one line of the font
_TALLEST = 6  # lines; a long text is read in the cell's edit line, or by making the row higher
_FIRST_TIME = dt.datetime(1900, 3, 1)  # before it Excel counts days wrongly, having given 1900 a 29 February
_DAY_ZERO = dt.datetime(1899, 12, 30)
_NUMBERS = {
    "percent": "0%",
    "number": "0",
    "decimal": "0.0",
    "time": "yyyy-mm-dd hh:mm",
    "date": "yyyy-mm-dd",
}


class Formats:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: Any) -> Format:
        """The format with these properties of XlsxWriter, in the workbook's font."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(FONT | properties)
        return self._made[key]

    def rule(self, **properties: Any) -> Format:
        """A format for a conditional rule, which may not name a font."""
        return self._book.add_format(properties)

    def text(self, *, quoted: bool, typed: bool = True, **properties: Any) -> Format:
        """Of a text cell at the top of its row.

        Parameters
        ----------
        quoted : mark it as Excel marks what was typed after an apostrophe, so that editing =1+1 leaves it a text
        typed : give it the number format Text, so that editing 000123 leaves it a text
        """
        if quoted:
            properties["quote_prefix"] = True
        if quoted or typed:
            properties["num_format"] = "@"
        return self.get(**{"valign": "top", **properties})


def clean_column(values: Sequence[Any]) -> list[Any]:
    """Values of a column as cells can hold them; None where a cell stays empty."""
    return [None if value is None else _clean(value) for value in values]


def write_text(sheet: Worksheet, row: int, column: int, text: str, formats: Formats, **properties: Any) -> None:
    """Write any str as a text cell, never as a formula, number or link."""
    text = cell_text(text)
    sheet.write_string(row, column, text, formats.text(quoted=may_become_formula(text), **properties))


def write_rows(
    sheet: Worksheet,
    layout: Layout,
    values: Mapping[str, Sequence[Any]],
    order: Sequence[int],
    *,
    formats: Formats,
    choices: Mapping[str, str],
    title: str,
) -> None:
    """Fill a sheet with a header and rows.

    Parameters
    ----------
    sheet : empty sheet
    layout : its columns
    values : key of a column -> cleaned values; entries need none
    order : positions in `values`, one for each row of the sheet
    formats : of this workbook
    choices : name of a list -> its range on the sheet of options, as a formula
    title : of the workbook, for the top of each printed page
    """
    _set_up(sheet, layout, len(order), choices=choices, title=title)
    head = formats.get(
        bold=True, font_color="white", bg_color=DARK, align="center", valign="vcenter", text_wrap=True, border=1
    )
    entry = formats.get(valign="top", text_wrap=True)
    fill = formats.rule(bg_color=ENTRY, border=1, border_color="#D9D9D9")
    lines = max(math.ceil(text_width(column.header) / (column.width - 1)) for column in layout.columns)
    sheet.set_row(0, 7.5 + lines * _LINE_HEIGHT)
    if layout.grouped and order:
        # A rule and no format of the cells: it holds after sorting and filtering too.
        key = _letters([column.key for column in layout.columns].index(layout.grouped))
        line = formats.rule(top=1, top_color=DARK)
        differs = {"type": "formula", "criteria": f"=${key}2<>${key}1", "format": line}
        sheet.conditional_format(1, 0, len(order), len(layout.columns) - 1, differs)
    for place, column in enumerate(layout.columns):
        sheet.set_column(place, place, column.width, entry if column.kind == "entry" else None)
        sheet.write_string(0, place, column.header, head)
        if column.kind == "entry" and order:
            # One rule for the range costs nothing; a blank cell in each row would be a sixth of all cells.
            sheet.conditional_format(
                1, place, len(order), place, {"type": "formula", "criteria": "=TRUE", "format": fill}
            )
    written = [
        (place, values[column.key], _Styles(column, formats))
        for place, column in enumerate(layout.columns)
        if column.kind != "entry"
    ]
    wrapped = [
        (column.width, values[column.key])
        for place, column in enumerate(layout.columns)
        # A whole text to the right of what is printed would leave gaps between the rows on paper.
        if column.kind in ("text", "long") and (column.key != "text" or place < layout.printed)
    ]
    urgencies = values.get("urgency")
    for row, index in enumerate(order, start=1):
        sheet.set_row(row, _height(wrapped, index))
        urgent = urgencies is not None and urgencies[index] == "紧急"
        for place, cells, styles in written:
            value = cells[index]
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(row, place, value, styles.of_text(value, urgent))
            else:
                sheet.write_number(row, place, value, styles.of_number)


class _Styles:
    """The formats that cells of one column take."""

    def __init__(self, column: SheetColumn, formats: Formats) -> None:
        properties: dict[str, Any] = {} if column.kind == "plain" else {"text_wrap": True}
        if column.kind in ("decision", "urgency", "alarm"):
            properties["align"] = "center"
        if column.kind == "alarm":
            properties |= {"font_color": RED, "bold": True}
        red = {"font_color": RED, "bold": True} if column.key in ("title", "issue", "urgency") else {}
        # Old Excel shows #### for more than 255 characters in a cell of the format Text, so long texts go without.
        typed = column.kind not in ("long", "plain")
        self._texts = {
            (quoted, urgent): formats.text(quoted=quoted, typed=typed, **properties, **(red if urgent else {}))
            for quoted in (False, True)
            for urgent in (False, True)
        }
        self._decisions = {}
        if column.kind == "decision":
            self._decisions = {
                name: formats.text(quoted=False, bg_color=fill, **properties) for name, fill in _DECISION_FILLS.items()
            }
        self.of_number = formats.get(valign="top", align="center", num_format=_NUMBERS.get(column.kind, "0"))

    def of_text(self, text: str, urgent: bool) -> Format:
        """The format for this text in a row that is urgent or not."""
        if self._decisions and text in self._decisions:
            return self._decisions[text]
        return self._texts[may_become_formula(text), urgent]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return cell_text(value) or None
    if isinstance(value, list):
        return cell_text("、".join(value)) or None
    if value != value:  # NaN and NaT differ from themselves
        return None
    if isinstance(value, bool):
        return "是" if value else None
    if isinstance(value, float) and math.isinf(value):
        return None
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=None)
        return _serial(value) if value >= _FIRST_TIME else value.isoformat(" ", "minutes")
    if isinstance(value, dt.date):
        midnight = dt.datetime(value.year, value.month, value.day)
        return _serial(midnight) if midnight >= _FIRST_TIME else value.isoformat()
    return value


def _serial(value: dt.datetime) -> float:
    return (value - _DAY_ZERO) / dt.timedelta(days=1)


def _height(wrapped: Sequence[tuple[float, Sequence[Any]]], index: int) -> float:
    lines = 1
    for width, cells in wrapped:
        text = cells[index]
        # Line ends and words that do not fit leave gaps: count each line end as one more. A character takes two
        # and a half at most, so a short text need not be measured.
        if text is not None and (len(text) * 2.5 > (width - 1) * lines or "\n" in text):
            lines = max(lines, math.ceil(text_width(text[:1_000]) / (width - 1)) + text.count("\n", 0, 1_000))
        if lines >= _TALLEST:
            return _TALLEST * _LINE_HEIGHT + 3
    return lines * _LINE_HEIGHT + 3


def _set_up(sheet: Worksheet, layout: Layout, rows: int, *, choices: Mapping[str, str], title: str) -> None:
    last = len(layout.columns) - 1
    sheet.freeze_panes(1, layout.frozen)
    sheet.autofilter(0, 0, rows, last)
    sheet.set_default_row(_LINE_HEIGHT)
    set_up_page(sheet, title=title)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, max(rows, 1), layout.printed - 1)
    # An id such as 000123 is meant to be text: no green corner in each of its cells.
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_letters(last)}{rows + 1}"})
    for place, column in enumerate(layout.columns):
        if rows and column.choices and column.choices in choices:
            sheet.data_validation(
                1,
                place,
                rows,
                place,
                {
                    "validate": "list",
                    "source": choices[column.choices],
                    "error_type": "warning",  # a clerk may know a body that the directory lacks
                    "error_title": column.header,
                    "error_message": "名单里没有这一项。确实要这样填吗？",
                },
            )


def set_up_page(sheet: Worksheet, *, title: str) -> None:
    """Landscape A4, one page wide, the workbook and the sheet named above, pages counted below; gridlines printed."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    plain = cell_text(title[:80]).replace("&", "&&")
    sheet.set_header(f"&L{plain}&C&A")
    sheet.set_footer("&C第 &P 页，共 &N 页")
    sheet.hide_gridlines(0)


def _letters(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))
