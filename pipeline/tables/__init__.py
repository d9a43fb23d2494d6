"""What a run leaves in its output folder: Parquet tables, the workbook, and in a large run a CSV of every row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.schema import ISSUES, LINKS, ROUTED
from pipeline.tables.parquet import arrow_schema, read_parquet, write_parquet
from pipeline.tables.workbook import write_workbook

__all__ = [
    "arrow_schema",
    "read_parquet",
    "write_issues",
    "write_links",
    "write_parquet",
    "write_routed",
    "write_workbook",
]


def write_routed(path: Path, pieces: Iterable[pd.DataFrame]) -> int:
    """Write routed.parquet from pieces of the table ROUTED, in input order; see `write_parquet`."""
    return write_parquet(path, pieces, ROUTED)


def write_issues(path: Path, issues: pd.DataFrame) -> int:
    """Write issues.parquet from the table ISSUES; see `write_parquet`."""
    return write_parquet(path, (issues,), ISSUES)


def write_links(path: Path, links: pd.DataFrame) -> int:
    """Write links.parquet from the table LINKS; see `write_parquet`."""
    return write_parquet(path, (links,), LINKS)
