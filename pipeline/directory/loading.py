"""A folder of CSV files becomes a directory, or says all that is wrong with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipeline.directory.checking import contradictions_of, doubts_of
from pipeline.directory.model import Directory
from pipeline.directory.rows import Finding, Tables, read_tables
from pipeline.errors import DirectoryError

_TOLD = 3  # findings in one message; `fenban check` shows all


def load_directory(folder: Path) -> Directory:
    """Read topics.csv, departments.csv, duties.csv, places.csv and, if they are there, overlaps.csv and calendar.csv.

    UTF-8 with or without BOM, or GB18030.

    Raises
    ------
    DirectoryError : a file or column is missing, or a row contradicts itself or another file; the message names
        file, row (the first below the header is 2, as Excel counts), column and value of the first ones, and how
        many there are
    """
    tables, findings = read_tables(Path(folder))
    findings = findings or contradictions_of(tables)
    if findings:
        rest = f" 共 {len(findings)} 处，用 fenban check --directory {folder} 看全部。" if len(findings) > _TOLD else ""
        raise DirectoryError(" ".join(map(str, findings[:_TOLD])) + rest)
    return _directory(tables)


def check_directory(folder: Path, *, on: date) -> list[Finding]:
    """What somebody should look at: rows that cannot be read, else what stops routing, else what is doubtful.

    Parameters
    ----------
    on : day for which clauses are in force or expired

    Raises
    ------
    DirectoryError : a file or column is missing
    """
    tables, findings = read_tables(Path(folder))
    # What is wrong here looks wrong elsewhere too; what follows from it is told once it is mended.
    return findings or contradictions_of(tables) or doubts_of(tables, _directory(tables), on)


def _directory(tables: Tables) -> Directory:
    return Directory(
        topics=tuple(topic for _, topic in tables.topics),
        departments=tuple(department for _, department in tables.departments),
        duties=tuple(duty for _, duty in tables.duties),
        places=tuple(place for _, place in tables.places),
        overlaps=tuple(overlap for _, overlap in tables.overlaps),
        calendar=tuple(day for _, day in tables.calendar),
    )
