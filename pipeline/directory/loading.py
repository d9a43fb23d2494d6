"""Four CSV files, as an office edits them in Excel, become a directory; every row answers for its cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pipeline.directory.model import LEVELS, PLACE_LEVELS, URGENCIES, Department, Directory, Duty, Place, Topic
from pipeline.errors import DirectoryError

_COLUMNS = {
    "topics.csv": ("topic", "name", "covers", "boundary"),
    "departments.csv": ("department", "kind", "jurisdiction", "level", "aliases"),
    "duties.csv": (
        *("duty_id", "clause", "topic", "lead_kind", "co_kinds", "level", "urgency"),
        *("working_days", "valid_from", "valid_until", "words"),
    ),
    "places.csv": ("place", "level", "district", "township", "aliases", "traps"),
}


def load_directory(folder: Path) -> Directory:
    """Read topics.csv, departments.csv, duties.csv and places.csv; UTF-8 with or without BOM, or GB18030.

    Raises
    ------
    DirectoryError : a file or column is missing, or a row contradicts itself or another file; the message names
        file, row (the first below the header is 2, as Excel counts), column and value
    """
    folder = Path(folder)
    topics = _build("topics.csv", folder, _topic)
    departments = _build("departments.csv", folder, _department)
    places = _build("places.csv", folder, _place)
    duties = _build("duties.csv", folder, _duty)
    _check_unique(topics, lambda topic: topic.key, "topic")
    _check_unique(duties, lambda duty: duty.duty_id, "duty_id")
    _check_places(places)
    _check_duties(duties, {t.key for _, t in topics}, {d.kind for _, d in departments})
    _check_departments(departments, [place for _, place in places])
    return Directory(
        topics=tuple(topic for _, topic in topics),
        departments=tuple(department for _, department in departments),
        duties=tuple(duty for _, duty in duties),
        places=tuple(place for _, place in places),
    )


@dataclass(frozen=True)
class _Row:
    """One line of a file that answers for its cells."""

    file: Path
    number: int
    cells: dict[str, str]

    def wrong(self, column: str, why: str) -> DirectoryError:
        value = self.cells.get(column, "")
        return DirectoryError(f"{self.file}, row {self.number}, column {column}: {value!r} {why}")

    def text(self, column: str) -> str:
        return self.cells[column]

    def needed(self, column: str) -> str:
        if not self.cells[column]:
            raise self.wrong(column, "is empty. Fill it in, or delete the row.")
        return self.cells[column]

    def one_of(self, column: str, known: Iterable[str]) -> str:
        if self.cells[column] not in known:
            raise self.wrong(column, f"is unknown. Write one of {', '.join(known)}.")
        return self.cells[column]

    def items(self, column: str) -> tuple[str, ...]:
        # Chinese keyboards write the full-width semicolon.
        parts = (part.strip() for part in self.cells[column].replace("；", ";").split(";"))
        return tuple(dict.fromkeys(part for part in parts if part))

    def words(self, column: str) -> tuple[str, ...]:
        found = self.items(column)
        for word in found:
            if len(word) < 2:
                raise self.wrong(column, f"holds {word!r}, which is too short. Write words of two characters or more.")
        return found

    def days(self, column: str) -> int:
        try:
            days = int(self.cells[column])
        except ValueError:
            days = 0
        if days < 1:
            raise self.wrong(column, "is not a number of days. Write a whole number from 1, such as 5.")
        return days

    def day(self, column: str) -> date | None:
        value = self.cells[column]
        if not value:
            return None
        try:
            # Excel saves 2026-01-01 as 2026/1/1.
            return date(*map(int, value.replace("/", "-").split("-")))
        except (ValueError, TypeError):
            raise self.wrong(column, "is not a date. Write it like 2026-01-31, or leave it empty.") from None


Item = TypeVar("Item")
Rows = list[tuple[_Row, Item]]


def _build(name: str, folder: Path, make: Callable[[_Row], Item]) -> Rows[Item]:
    return [(row, make(row)) for row in _read(folder / name, _COLUMNS[name])]


def _read(path: Path, columns: tuple[str, ...]) -> list[_Row]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DirectoryError(
            f"Cannot read {path} ({error.strerror}). A directory needs {', '.join(_COLUMNS)}; add the file."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")  # what Excel on a Chinese office PC saves as CSV
        except UnicodeDecodeError as error:
            raise DirectoryError(
                f"{path} is neither UTF-8 nor GB18030 (byte {error.start}). Save it in Excel as 'CSV UTF-8'."
            ) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    missing = [column for column in columns if column not in header]
    if missing:
        raise DirectoryError(
            f"No column {', '.join(missing)} in {path} (found {', '.join(header) or 'an empty file'}). Add it."
        )
    rows = []
    # reader.line_num counts lines, and a quoted cell may hold several; Excel counts rows.
    for number, cells in enumerate(reader, start=2):
        if any(cell.strip() for cell in cells):
            padded = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
            rows.append(_Row(path, number, dict(zip(header, padded, strict=False))))
    return rows


def _topic(row: _Row) -> Topic:
    return Topic(row.needed("topic"), row.needed("name"), row.text("covers"), row.text("boundary"))


def _department(row: _Row) -> Department:
    return Department(
        row.needed("department"),
        row.needed("kind"),
        row.needed("jurisdiction"),
        row.one_of("level", LEVELS),
        row.words("aliases"),
    )


def _duty(row: _Row) -> Duty:
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
        raise row.wrong("valid_until", f"is before valid_from {duty.valid_from}. Change one of the two dates.")
    return duty


def _place(row: _Row) -> Place:
    place = Place(
        row.needed("place"),
        row.one_of("level", PLACE_LEVELS),
        row.text("district"),
        row.text("township"),
        row.words("aliases"),
        row.words("traps"),
    )
    if len(place.name) < 2:
        raise row.wrong("place", "is too short for a name. Write the official name in full.")
    return place


def _check_unique(rows: Rows[Item], key: Callable[[Item], str], column: str) -> None:
    seen: dict[str, int] = {}
    for row, item in rows:
        if key(item) in seen:
            raise row.wrong(column, f"already stands in row {seen[key(item)]}. Give it another, or delete one row.")
        seen[key(item)] = row.number


def _check_duties(rows: Rows[Duty], topics: set[str], kinds: set[str]) -> None:
    for row, duty in rows:
        if duty.topic not in topics:
            raise row.wrong("topic", "is no topic of topics.csv. Use one of its keys, or add it there.")
        for column, named in (("lead_kind", (duty.lead_kind,)), ("co_kinds", duty.co_kinds)):
            for kind in named:
                if kind not in kinds:
                    why = f"names {kind}, a kind without any row in departments.csv. Correct it, or add a body there."
                    raise row.wrong(column, why)


def _check_places(rows: Rows[Place]) -> None:
    districts = {place.name for _, place in rows if place.level == "district"}
    townships = {(place.district, place.name) for _, place in rows if place.level == "township"}
    for row, place in rows:
        if place.level == "township" and not place.district:
            raise row.wrong("district", "is empty. Name the district or county of this township.")
        if place.district and place.district not in districts:
            raise row.wrong("district", "is no row of level district in this file. Correct it, or add that row.")
        if place.level == "spot" and place.township and (place.district, place.township) not in townships:
            why = (
                f"is no township of {place.district or 'an empty district'} in this file. Correct it, or add that row."
            )
            raise row.wrong("township", why)


def _check_departments(rows: Rows[Department], places: list[Place]) -> None:
    known = {(place.level, place.name) for place in places}
    known |= {("township", f"{place.district}/{place.name}") for place in places if place.level == "township"}
    for row, body in rows:
        if (body.level, body.jurisdiction) not in known:
            why = f"is no {body.level} of places.csv. Use the official name there, or add it."
            raise row.wrong("jurisdiction", why)
