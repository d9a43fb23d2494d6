"""Invented rows of ISSUE_ROWS for the tests of what issues are called and how hot they are."""

from __future__ import annotations

import pandas as pd


def routed(**columns: list[object]) -> pd.DataFrame:
    """Rows that differ only in the given columns; without others they are one issue of different people."""
    n = len(next(iter(columns.values())))
    rows = {
        "submission_id": [f"s{i}" for i in range(n)],
        "title": ["群力家园供热不达标"] * n,
        "text": ["屋里只有十四度。"] * n,
        "topic": ["heating_gas"] * n,
        "department": ["供热燃气企业"] * n,
        "district": [None] * n,
        "township": [None] * n,
        "spot": [None] * n,
        "urgency": ["normal"] * n,
        "issue_id": ["i-s0"] * n,
        "duplicate_of": [None] * n,
        "submitter": [f"居民{i}" for i in range(n)],
        "submitted_at": ["2025-11-01"] * n,
        "place": [""] * n,
        "reopened": [False] * n,
    } | columns
    return pd.DataFrame(rows).assign(submitted_at=lambda table: pd.to_datetime(table["submitted_at"]))
