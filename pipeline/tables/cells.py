"""What may stand in a cell and on a sheet's tab: text that stays text, and names that Excel accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.schema import CUT_MARK

EXCEL_LONGEST_TEXT = 32_767  # UTF-16 units in one cell
LONGEST_SHEET_NAME = 31  # UTF-16 units

# XML 1.0 has no place for these, not even escaped; with one of them inside, Excel calls the file damaged.
ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
_ILLEGAL = re.compile(f"[{ILLEGAL}\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?")
# The full-width forms too: an input method or a Japanese Excel turns ＝1+1 into a formula.
FORMULA_STARTS = "=+@＝＋－＠-"  # the hyphen last: this stands inside a character class
_FORMULA = re.compile(rf"\s*[{FORMULA_STARTS}]|[\t\n]")
_NAME_FORBIDDEN = str.maketrans("[]:*?/\\", "［］：＊？／＼")
_NAME_INVISIBLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_RESERVED = ("history", "历史记录")  # Excel keeps it for its own list of changes


def cell_text(text: str, *, longest: int = EXCEL_LONGEST_TEXT) -> str:
    """Make a text fit for an Excel cell, changing nothing that a reader would see.

    Parameters
    ----------
    text : any str, lone surrogates and control characters included
    longest : UTF-16 units kept, at most 32,767; a longer text ends in ``CUT_MARK``

    Returns
    -------
    str that XML 1.0 can hold, with a line feed as its only line end
    """
    if not text.isprintable():
        text = _ILLEGAL.sub("", _LINE_END.sub("\n", text))
    # XlsxWriter takes a text between these two tags for ready-made XML and writes it as it is.
    if text.startswith("<r>") and text.endswith("</r>"):
        text += " "
    if len(text) * 2 > longest and _units(text) > longest:
        text = _cut(text, longest - _units(CUT_MARK)) + CUT_MARK
    return text


def may_become_formula(text: str) -> bool:
    """Whether a spreadsheet may read the text as a formula once somebody edits the cell or opens it from a CSV."""
    # Most begin with a Chinese character, and comparing it costs a quarter of asking the pattern.
    return not "一" <= text[:1] <= "龥" and _FORMULA.match(text) is not None


def text_width(text: str) -> int:
    """Width in columns of a terminal or in Excel's unit: a Chinese character takes two, a Latin one takes one."""
    # A Chinese character is three bytes of UTF-8 and a Latin letter is one: the mean of bytes and characters fits both.
    return (len(text.encode("utf-8", "replace")) + len(text)) // 2


def sheet_names(wanted: Iterable[str], *, taken: Iterable[str]) -> list[str]:
    """Legal names for sheets, unique whatever the case, also after cutting to 31.

    Parameters
    ----------
    wanted : names as they are, any str
    taken : names of sheets that exist already

    Returns
    -------
    list of str, one for each name wanted, in order; a later namesake gets ``(2)``, ``(3)`` …
    """
    used = {_key(name) for name in taken} | {_key(name) for name in _RESERVED}
    names = []
    for name in wanted:
        plain = _NAME_INVISIBLE.sub("", name).translate(_NAME_FORBIDDEN)
        candidate, number = _tidy(plain, LONGEST_SHEET_NAME), 1
        while _key(candidate) in used:
            number += 1
            mark = f"({number})"
            candidate = _tidy(plain, LONGEST_SHEET_NAME - len(mark)) + mark
        used.add(_key(candidate))
        names.append(candidate)
    return names


def _tidy(name: str, longest: int) -> str:
    # Cutting may bare an apostrophe or a blank at the end, so strip after it as well.
    return _cut(name.strip(" '\u3000"), longest).strip(" '\u3000") or "未定"


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, units: int) -> str:
    # A character beyond the first plane takes two units; half of one is dropped with "ignore".
    return text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "ignore")
