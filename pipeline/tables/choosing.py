"""What of a run stands in the workbook, and in which order: every submission, or in a large run its issues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.schema import ISSUES, ROUTED
from pipeline.settings import TablesSettings
from pipeline.tables.parquet import read_parquet, to_frame

# Columns of ROUTED that rank rows; light enough to hold for a million of them.
_RANKING = ("submission_id", "department", "department_probability", "urgency", "decision", "issue_id")


@dataclass(frozen=True)
class Choice:
    """Rows of the workbook; every array holds positions in `rows`, in the order of the sheet.

    Attributes
    ----------
    whole : True where the workbook has every submission, False where it has issues instead
    ranking : light columns of all submissions, in input order
    bodies : lead bodies with a sheet of their own, most submissions first
    rows : submissions (table ROUTED) if whole, else issues (table ISSUES with the text of the representative)
    all_rows : 总表
    body_rows : one array for each of `bodies`
    other_rows : 其他部门
    review_submissions, review_rows : 待人工复核, submissions with their order
    hot_issues : 热点问题, issues with the text of the representative, in their order
    """

    whole: bool
    ranking: pd.DataFrame
    bodies: list[str]
    rows: pd.DataFrame
    all_rows: np.ndarray
    body_rows: list[np.ndarray]
    other_rows: np.ndarray
    review_submissions: pd.DataFrame
    review_rows: np.ndarray
    hot_issues: pd.DataFrame


def choose_rows(routed: Path, issues: pd.DataFrame, *, settings: TablesSettings) -> Choice:
    """Choose what the workbook shows of a run.

    A submission stands in 总表, in its body's sheet and perhaps in 待人工复核, and each time is a row of the limit.

    Parameters
    ----------
    routed : routed.parquet of the run
    issues : table ISSUES of the run
    settings : number of sheets, limits of rows
    """
    limit = settings.workbook_rows
    ranking = read_parquet(routed, ROUTED, columns=_RANKING)
    issues = issues.sort_values(["heat", "size", "issue_id"], ascending=[False, False, True], ignore_index=True)
    review = _review_order(ranking, issues)
    whole = 2 * len(ranking) + len(review) <= limit
    bodies = _largest_bodies(ranking["department"], settings.sheets)
    hot = issues[is_hot(issues)]
    if whole:
        rows = read_parquet(routed, ROUTED)
        order = _body_order(rows, issues)
        heat = _with_texts(hot.head(limit), routed, ranking["submission_id"])
        body_rows, other_rows = _split(rows["department"], order, bodies)
        everything = np.arange(len(rows))
        return Choice(True, ranking, bodies, rows, everything, body_rows, other_rows, rows, review, heat)

    limit = min(limit, settings.workbook_issues)
    review, hot = review[: limit // 4], hot.head(limit // 10)
    share = (limit - len(review) - len(hot)) // 2  # for 总表, and as much for the sheets of the bodies together
    body_rows, other_rows = _split(issues["department"], np.arange(len(issues)), bodies)
    fair = fair_share([len(positions) for positions in (*body_rows, other_rows)], share)
    body_rows = [positions[:fair] for positions in body_rows]
    other_rows = other_rows[:fair]
    everything = np.arange(min(share, len(issues)))
    shown = np.unique(np.concatenate([everything, *body_rows, other_rows]))
    rows = _with_texts(issues.iloc[shown], routed, ranking["submission_id"])
    return Choice(
        False,
        ranking,
        bodies,
        rows,
        np.searchsorted(shown, everything),
        [np.searchsorted(shown, positions) for positions in body_rows],
        np.searchsorted(shown, other_rows),
        read_rows(routed, review),
        np.arange(len(review)),
        _with_texts(hot, routed, ranking["submission_id"]),
    )


def is_hot(issues: pd.DataFrame) -> pd.Series:
    """Which issues come in several submissions, or from several people."""
    return issues["size"].gt(1) | issues["people"].gt(1)


def read_rows(path: Path, positions: np.ndarray, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read some rows of routed.parquet, in the order of `positions`, without holding the others.

    Parameters
    ----------
    path : routed.parquet
    positions : int array, 0 is the first row, each at most once
    columns : names; all by default
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(ROUTED.names if columns is None else columns)
    wanted = np.sort(positions)
    found, first = [], 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=names):
            low, high = np.searchsorted(wanted, [first, first + batch.num_rows])
            if high > low:
                found.append(batch.take(pa.array(wanted[low:high] - first)))
            first += batch.num_rows
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
    frame = to_frame(pa.Table.from_batches(found, schema=schema).select(names))
    return frame.iloc[np.searchsorted(wanted, positions)].reset_index(drop=True)


def _with_texts(issues: pd.DataFrame, routed: Path, ids: pd.Series) -> pd.DataFrame:
    """Issues with the text of each one's representative, numbered anew."""
    issues = issues[ISSUES.names].reset_index(drop=True)
    found = pd.Index(ids).get_indexer(issues["representative"])
    positions = np.unique(found[found >= 0])
    texts = read_rows(routed, positions, columns=("text",))["text"].to_numpy(dtype=object)
    column = np.full(len(issues), "", dtype=object)
    column[found >= 0] = texts[np.searchsorted(positions, found[found >= 0])]
    return issues.assign(text=column)


def _largest_bodies(departments: pd.Series, sheets: int) -> list[str]:
    counts = departments[departments != ""].value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [str(name) for name, _ in ranked[:sheets]]


def _review_order(ranking: pd.DataFrame, issues: pd.DataFrame) -> np.ndarray:
    """Rows to review by what deciding is worth: urgent ones, then large issues kept together, then likely leads."""
    rows = ranking[ranking["decision"] == "review"]
    size = rows["issue_id"].map(issues.set_index("issue_id")["size"]).fillna(1).astype("float64")
    together = rows["department_probability"].groupby(rows["issue_id"]).transform("max")
    keys = pd.DataFrame(
        {
            "normal": rows["urgency"] != "urgent",
            "size": -size,
            "together": -together,
            "issue_id": rows["issue_id"],
            "probability": -rows["department_probability"],
        }
    )
    return keys.sort_values(list(keys.columns), kind="stable").index.to_numpy(dtype=np.int64)


def _body_order(rows: pd.DataFrame, issues: pd.DataFrame) -> np.ndarray:
    """Urgent submissions first, then those of hot issues, those of one issue side by side."""
    rank = pd.Index(issues["issue_id"]).get_indexer(pd.Index(rows["issue_id"]))
    keys = pd.DataFrame({"normal": rows["urgency"] != "urgent", "rank": rank, "issue_id": rows["issue_id"]})
    return keys.sort_values(list(keys.columns), kind="stable").index.to_numpy(dtype=np.int64)


def _split(departments: pd.Series, order: np.ndarray, bodies: list[str]) -> tuple[list[np.ndarray], np.ndarray]:
    """Positions of `order` by body, and those of no body that has a sheet."""
    codes = pd.Index(bodies, dtype="object").get_indexer(pd.Index(departments, dtype="object"))[order]
    return [order[codes == code] for code in range(len(bodies))], order[codes < 0]


def fair_share(sizes: list[int], total: int) -> int:
    """The most rows that each may show so that all stay within `total`; what small ones leave goes to the others."""
    left = total
    for done, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - done)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)
