"""CSV files, as an office edits them in Excel, become rows that answer for their cells.

What is wrong with the directory is told in Chinese: clerks edit it, and they read the message.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pipeline.directory.model import LEVELS, PLACE_LEVELS, ROLES, URGENCIES, Department, Duty, Overlap, Place, Topic
from pipeline.directory.workdays import SpecialDay
from pipeline.errors import DirectoryError

COLUMNS = {
    "topics.csv": ("topic", "name", "covers", "boundary"),
    "departments.csv": ("department", "kind", "jurisdiction", "level", "aliases"),
    "duties.csv": (
        *("duty_id", "clause", "topic", "lead_kind", "co_kinds", "level", "urgency"),
        *("working_days", "valid_from", "valid_until", "words"),
    ),
    "places.csv": ("place", "level", "district", "township", "aliases", "traps"),
}
OVERLAPS = "overlaps.csv"  # only where zones with bodies of their own overlap districts
CALENDAR = "calendar.csv"  # for years that chinesecalendar lacks, or for days of an office that differ
_OPTIONAL = {
    OVERLAPS: ("zone", "district", "places", "kinds", "body", "role"),
    CALENDAR: ("date", "kind"),
}
_WORKED = {"班": True, "休": False}
# Chinese keyboards write the full-width semicolon; a line break in a cell parts a list as a clerk sees it.
_PARTS = re.compile("[;；\n]")
_MOST_DAYS = 1_000  # working days; more is a slip, and would overflow


@dataclass(frozen=True)
class Finding:
    """One thing about the directory that somebody should look at.

    Attributes
    ----------
    file : where it stands
    row : as Excel counts, the first below the header is 2; 0 is the whole file
    column : header, or "" for the whole row
    value : the cell as written
    told : what is wrong and what to do, in Chinese
    stops : routing cannot begin before it is mended
    """

    file: Path
    row: int
    column: str
    value: str
    told: str
    stops: bool

    def __str__(self) -> str:
        where = f" 第 {self.row} 行" if self.row else ""
        where += f" {self.column} 列" if self.column else ""
        value = f"“{self.value}”" if self.value else ""
        return f"{self.file}{where}：{value}{self.told}"


class CellError(Exception):
    """A cell cannot be used; its finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True)
class Row:
    """One line of a file that answers for its cells."""

    file: Path
    number: int
    cells: dict[str, str]

    def finding(self, column: str, told: str, *, stops: bool, value: str | None = None) -> Finding:
        """What is wrong with a cell, or with the one value of it that is named."""
        shown = self.cells.get(column, "") if value is None else value
        return Finding(self.file, self.number, column, shown, told, stops)

    def wrong(self, column: str, told: str, value: str | None = None) -> CellError:
        """The error of a cell that cannot be used."""
        return CellError(self.finding(column, told, stops=True, value=value))

    def text(self, column: str) -> str:
        """The cell."""
        return self.cells[column]

    def needed(self, column: str) -> str:
        """The cell, which may not be empty."""
        if not self.cells[column]:
            raise self.wrong(column, "是空的。请填写，或者删掉这一行。")
        if "\n" in self.cells[column]:
            raise self.wrong(column, "里有换行。请写在一行里。", self.cells[column].splitlines()[0])
        return self.cells[column]

    def one_of(self, column: str, known: Iterable[str]) -> str:
        """The cell, which must be one of a few."""
        if self.cells[column] not in known:
            raise self.wrong(column, f"不认识。请写成其中一个：{'、'.join(known)}。")
        return self.cells[column]

    def items(self, column: str) -> tuple[str, ...]:
        """The parts of a cell that holds a list."""
        parts = (part.strip() for part in _PARTS.split(self.cells[column]))
        return tuple(dict.fromkeys(part for part in parts if part))

    def words(self, column: str) -> tuple[str, ...]:
        """A list of words of two characters or more."""
        found = self.items(column)
        for word in found:
            if len(word) < 2:
                raise self.wrong(column, "太短，到处都会碰上。请写两个字以上的词。", word)
        return found

    def days(self, column: str) -> int:
        """A number of days, 1 to 1,000."""
        try:
            days = int(self.cells[column])
        except ValueError:
            days = 0
        if not 1 <= days <= _MOST_DAYS:
            raise self.wrong(column, f"不是天数。请写 1 到 {_MOST_DAYS} 的整数，如 5。")
        return days

    def day(self, column: str) -> date | None:
        """A date, or None where the cell is empty."""
        value = self.cells[column]
        if not value:
            return None
        try:
            # Excel saves 2026-01-01 as 2026/1/1.
            return date(*map(int, value.replace("/", "-").split("-")))
        except (ValueError, TypeError, OverflowError):
            raise self.wrong(column, "不是日期。请写成 2026-01-31 这样，或者空着。") from None


Item = TypeVar("Item")
Rows = list[tuple[Row, Item]]


@dataclass(frozen=True)
class Tables:
    """The rows of the files that could be read, each with what it became."""

    topics: Rows[Topic]
    departments: Rows[Department]
    duties: Rows[Duty]
    places: Rows[Place]
    overlaps: Rows[Overlap]
    calendar: Rows[SpecialDay]


def read_tables(folder: Path) -> tuple[Tables, list[Finding]]:
    """All rows of the four files, and of those that may be absent, that make sense alone, and what does not.

    Raises
    ------
    DirectoryError : a file or a column is missing, or a file is in no encoding that Chinese is written in
    """
    findings: list[Finding] = []
    tables = Tables(
        topics=_build(_read(folder, "topics.csv"), _topic, findings),
        departments=_build(_read(folder, "departments.csv"), _department, findings),
        duties=_build(_read(folder, "duties.csv"), _duty, findings),
        places=_build(_read(folder, "places.csv"), _place, findings),
        overlaps=_build(_read(folder, OVERLAPS) if (folder / OVERLAPS).exists() else [], _overlap, findings),
        calendar=_build(_read(folder, CALENDAR) if (folder / CALENDAR).exists() else [], _special_day, findings),
    )
    return tables, findings


def _build(given: list[Row], make: Callable[[Row], Item], findings: list[Finding]) -> Rows[Item]:
    """The rows of one file that can be used; what is wrong with the others is added to `findings`."""
    rows: Rows[Item] = []
    for row in given:
        try:
            rows.append((row, make(row)))
        except CellError as error:
            findings.append(error.finding)
    return rows


def _read(folder: Path, name: str) -> list[Row]:
    path, columns = folder / name, {**COLUMNS, **_OPTIONAL}[name]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DirectoryError(
            f"读不了 {path}（{error.strerror}）。职责目录要有 {'、'.join(COLUMNS)} 四个文件，请补上。"
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")  # what Excel on a Chinese office PC saves as CSV
        except UnicodeDecodeError as error:
            raise DirectoryError(
                f"{path} 既不是 UTF-8 也不是 GB18030（第 {error.start} 字节）。请在 Excel 里另存为“CSV UTF-8”。"
            ) from error
    try:
        lines = list(csv.reader(io.StringIO(text.replace("\r\n", "\n"), newline="")))
    except csv.Error as error:
        raise DirectoryError(
            f"{path} 读不成表格（{error}）。多半是少了一个引号，请用 Excel 打开检查后另存。"
        ) from error
    header = [cell.strip() for cell in lines[0]] if lines else []
    missing = [column for column in columns if column not in header]
    if missing:
        raise DirectoryError(
            f"{path} 里没有 {'、'.join(missing)} 列（只有 {'、'.join(header) or '空文件'}）。请把表头补上。"
        )
    rows = []
    # A quoted cell may hold several lines; Excel counts rows.
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            padded = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
            rows.append(Row(path, number, dict(zip(header, padded, strict=False))))
    return rows


def _topic(row: Row) -> Topic:
    return Topic(row.needed("topic"), row.needed("name"), row.text("covers"), row.text("boundary"))


def _department(row: Row) -> Department:
    return Department(
        row.needed("department"),
        row.needed("kind"),
        row.needed("jurisdiction"),
        row.one_of("level", LEVELS),
        row.words("aliases"),
    )


def _duty(row: Row) -> Duty:
    duty = Duty(
        duty_id=row.needed("duty_id"),
        clause=row.needed("clause"),
        topic=row.needed("topic"),
        lead_kind=row.needed("lead_kind"),
        co_kinds=row.items("co_kinds"),
        level=row.one_of("level", LEVELS),
        urgency=row.one_of("urgency", URGENCIES),
        working_days=row.days("working_days"),
        valid_from=row.day("valid_from"),
        valid_until=row.day("valid_until"),
        words=row.words("words"),
    )
    if duty.valid_from and duty.valid_until and duty.valid_until < duty.valid_from:
        raise row.wrong("valid_until", f"早于生效日期 {duty.valid_from}。请改其中一个日期。")
    return duty


def _special_day(row: Row) -> SpecialDay:
    row.needed("date")
    day, worked = row.day("date"), _WORKED[row.one_of("kind", _WORKED)]
    assert day is not None, "an empty date was refused"
    return SpecialDay(day, worked)


def _place(row: Row) -> Place:
    place = Place(
        row.needed("place"),
        row.one_of("level", PLACE_LEVELS),
        row.text("district"),
        row.text("township"),
        row.words("aliases"),
        row.words("traps"),
    )
    if len(place.name) < 2:
        raise row.wrong("place", "太短，不像地名。请写全称。")
    return place


def _overlap(row: Row) -> Overlap:
    return Overlap(
        row.needed("zone"),
        row.needed("district"),
        row.items("places"),
        row.items("kinds"),
        row.needed("body"),
        row.one_of("role", ROLES),
    )
