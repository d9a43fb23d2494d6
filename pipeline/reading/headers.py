"""From a header row to fields: which column is the title, which the text, which the place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.reading.options import ReadOptions
from pipeline.reading.own_sheets import correction_columns, holds_guesses
from pipeline.reading.spellings import (
    LABEL_SPELLINGS,
    NOT_THE_PUBLIC,
    SUBMISSION_SPELLINGS,
    TEXT_ENDINGS,
    TEXT_WORDS,
    TRADITIONAL,
)
from pipeline.reading.trouble import UnreadableError

_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|\{[^{}]*\}|<[^<>]*>")
_NUMBERED = re.compile(
    r"^(?:第?\s*\d{1,3}\s*题?\s*[、.:,\s]\s*|q\d{1,3}\s*[、.:_]?\s*|[一二三四五六七八九十]{1,3}\s*、\s*)"
)
_MARKS = re.compile(r"[\W_]+")
_PLACE_PARTS = ("place_city", "place_district", "place_township", "place_community", "place_address", "place_whole")
_LONGEST_HEADER = 40  # characters; a longer cell is an instruction or a text
_WANTED = ("title", "text", "tokens")


@dataclass(frozen=True)
class HeaderMap:
    """Which column holds which field.

    Attributes
    ----------
    columns : field -> index of the column; places are still in parts (place_city ... place_whole)
    notes : Chinese remarks, such as two columns that claim one field, or a column that the user named and is absent
    """

    columns: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """True where a row of it can hold a title, a text, or tokens."""
        return any(field in self.columns for field in _WANTED)

    def place_columns(self) -> list[int]:
        """Columns of the place, from the large to the small."""
        return [self.columns[part] for part in _PLACE_PARTS if part in self.columns]


@dataclass(frozen=True)
class FoundHeader:
    """A header in the first rows of a sheet: its map, the index of the first row of data, and the cells as read."""

    map: HeaderMap
    data_start: int
    cells: tuple[str, ...]


def plain_header(header: str) -> str:
    """A header without what makes spellings differ: width, case, old characters, numbering, brackets and marks."""
    text = unicodedata.normalize("NFKC", header).casefold().translate(TRADITIONAL).strip()
    unnumbered = _NUMBERED.sub("", text)
    bare = _MARKS.sub("", _BRACKETED.sub("", unnumbered))
    return bare or _MARKS.sub("", unnumbered) or _MARKS.sub("", text)


def map_headers(headers: Sequence[str], options: ReadOptions) -> HeaderMap:
    """Give each field the column that claims it best.

    Parameters
    ----------
    headers : cells of the header row as text, "" where blank
    options : columns that the user named come before every spelling

    Returns
    -------
    map, not usable where neither title nor text was recognized
    """
    # Columns that training was told to use are the user's word about what is right.
    own = correction_columns(headers) if not any(_told_labels(options).values()) else None
    if own is not None:
        return HeaderMap(own)
    plain = [plain_header(header) if len(header) <= _LONGEST_HEADER * 3 else "" for header in headers]
    columns: dict[str, int] = {}
    notes: list[str] = []
    for field, wanted in _named_by_user(options).items():
        if plain_header(wanted) in plain:
            columns["place_whole" if field == "place" else field] = plain.index(plain_header(wanted))
        elif field in options.columns:
            notes.append(f"没有“{wanted}”列，--columns 对它不起作用")
    place_is_named = "place_whole" in columns
    told = {field for field, wanted in _told_labels(options).items() if wanted is not None}
    for field, ranks in _ranks(options.labels).items():
        # A label column that training was told to use is never replaced by another: the sheet is refused instead.
        if field in columns or field in told or (place_is_named and field in _PLACE_PARTS):
            continue
        free = [index for index in range(len(plain)) if plain[index] in ranks and index not in columns.values()]
        if not free:
            continue
        best = min(free, key=lambda index: (ranks[plain[index]], index))
        columns[field] = best
        # That 序号 is only a running number beside a real id needs no telling.
        told_of = [index for index in free if index != best and plain[index] != "序号"]
        if told_of and not field.startswith("place_"):
            others = "、".join(headers[index] for index in told_of)
            notes.append(f"“{headers[best]}”与“{others}”含义相近，按“{headers[best]}”读取")
    # Only beside known headers: a row of data may well have a title that ends in 问题 or 建议.
    if len(columns) >= 2 and not any(field in columns for field in ("text", "tokens")):
        text_column = _likely(plain, columns, TEXT_ENDINGS, TEXT_WORDS)
        if text_column is not None:
            columns["text"] = text_column
            notes.append(f"没有认出正文列，按“{headers[text_column]}”读取；不对时请用 --columns 正文=表头 指明")
    return HeaderMap(columns, tuple(notes))


def find_header(rows: Sequence[Sequence[str]], options: ReadOptions) -> FoundHeader | None:
    """The header among the first rows of a sheet: the row, or pair of rows, that names the most fields.

    Parameters
    ----------
    rows : the first rows as text; merged header cells already filled

    Returns
    -------
    header, or None where no row names a title or a text. A second row joins the first (a header of two storeys)
    only where both together name more fields than either alone, which a row of data never does.
    """
    best: FoundHeader | None = None
    for index, row in enumerate(rows):
        single = FoundHeader(map_headers(row, options), index + 1, tuple(row))
        best = _better(best, single)
        if index + 1 < len(rows):
            below = rows[index + 1]
            width = max(len(row), len(below))
            upper, lower = _padded(row, width), _padded(below, width)
            # The lower storey must be words, or a row of data would join a header with a gap in it.
            if sum(plain_header(cell) in _all_spellings() for cell in lower if cell) >= 2:
                cells = tuple(low or up for up, low in zip(upper, lower, strict=True))
                best = _better(best, FoundHeader(map_headers(cells, options), index + 2, cells))
    return best


def missing_header_reason(rows: Sequence[Sequence[str]], *, header_search_rows: int) -> str:
    """Chinese reason for a sheet whose header was not recognized, with the headers that were found."""
    fullest = max(rows, key=lambda row: sum(bool(cell) and len(cell) <= _LONGEST_HEADER for cell in row), default=())
    found = "、".join(cell for cell in fullest if cell and len(cell) <= _LONGEST_HEADER)
    shown = found if len(found) <= 200 else found[:200] + "…"
    return (
        f"前 {header_search_rows} 行中没有认出标题或内容列（找到的表头：{shown or '无'}），"
        "请把表头改为“标题”“内容”等常用名称，或用 --columns 正文=表头 指明"
    )


def check_label_columns(headers: Sequence[str], found: HeaderMap, options: ReadOptions, *, sheet: str) -> None:
    """Refuse a sheet that lacks a column which training was told to use, or whose labels are guesses of a model.

    Raises
    ------
    UnreadableError : names the column and the headers found
    """
    if options.labels and not any(_told_labels(options).values()) and holds_guesses(headers):
        raise UnreadableError(
            "这是分办的结果，主题和承办单位是系统的意见，不能当作标签来学；请用工作簿里确认、更正过的表", sheet=sheet
        )
    for field, wanted in _told_labels(options).items():
        if wanted is not None and field not in found.columns:
            shown = "、".join(header for header in headers if header)
            raise UnreadableError(
                f"没有“{wanted}”列（找到的表头：{shown}），请补上这一列，或改正选项里的列名", sheet=sheet
            )


def _named_by_user(options: ReadOptions) -> dict[str, str]:
    told = {field: wanted for field, wanted in _told_labels(options).items() if wanted is not None}
    return {**options.columns, **told}


def _told_labels(options: ReadOptions) -> dict[str, str | None]:
    return {"topic": options.topic_column, "department": options.department_column}


@cache
def _ranks(labels: bool) -> dict[str, dict[str, int]]:
    """Field -> spelling -> rank; title and text first, since a header serves one field only."""
    spellings = {**SUBMISSION_SPELLINGS, **(LABEL_SPELLINGS if labels else {})}
    return {
        field: {word: rank for rank, word in reversed(list(enumerate(words)))} for field, words in spellings.items()
    }


@cache
def _all_spellings() -> frozenset[str]:
    return frozenset(word for words in SUBMISSION_SPELLINGS.values() for word in words)


def _better(best: FoundHeader | None, other: FoundHeader) -> FoundHeader | None:
    if not other.map.usable:
        return best
    return other if best is None or len(other.map.columns) > len(best.map.columns) else best


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]


def _likely(
    plain: Sequence[str], columns: Mapping[str, int], endings: tuple[str, ...], words: tuple[str, ...]
) -> int | None:
    """The first free column that ends so, else the first that says so, and does not speak of the office's own work."""
    free = [
        index
        for index, header in enumerate(plain)
        if header and index not in columns.values() and not any(word in header for word in NOT_THE_PUBLIC)
    ]
    ending = [index for index in free if plain[index].endswith(endings)]
    saying = [index for index in free if any(word in plain[index] for word in words)]
    return next(iter(ending + saying), None)
