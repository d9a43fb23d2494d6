"""What of a run stands in the workbook, and in which order: every submission, or in a large run its issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.schema import ISSUE_FIGURES, ISSUES, ROUTED
from pipeline.settings import TablesSettings
from pipeline.tables.details import detail_rows, mass_posted, posted_again, within_limit
from pipeline.tables.parquet import read_parquet, to_frame

# Columns of ROUTED that rank and count rows; light enough to hold for a million of them.
_RANKING = (
    *("submission_id", "department", "department_probability", "urgency", "decision", "issue_id"),
    *("duplicate_of", "submitter", "submitted_at", "reopened"),
)


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
    waiting : issue_id -> submissions of it that wait for a clerk (check or review), where there are several
    hot_issues : 热点问题, issues with the text of the representative, in their order
    several : positions in `ranking` of all submissions of issues of several, hottest issue first, in each by time
    details : 事项明细, submissions (table ROUTED) of `several`, all if whole; `posted_again` where the submitter has an
        earlier one in the issue
    wordings : all that were posted in masses, see `mass_posted`
    mass_posted : 群发来件, those of `wordings` that are shown, with their text
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
    waiting: dict[str, int]
    hot_issues: pd.DataFrame
    several: np.ndarray
    details: pd.DataFrame
    wordings: pd.DataFrame
    mass_posted: pd.DataFrame


def choose_rows(
    routed: Path, issues: pd.DataFrame, marks: pd.DataFrame | None, *, mass_posted_rows: int, settings: TablesSettings
) -> Choice:
    """Choose what the workbook shows of a run.

    A submission stands in 总表, in its body's sheet, perhaps in 待人工复核 and 事项明细, and each time is a row of the
    limit, as is each line of 热点问题 and 群发来件. Rows with a person in danger stand first, and in 待人工复核
    whatever was decided of them; up to half of the limit is theirs.

    Parameters
    ----------
    routed : routed.parquet of the run
    issues : table ISSUES of the run, perhaps with columns of ISSUE_FIGURES
    marks : endangered and repeats of each row, see `write_workbook`
    mass_posted_rows : submissions of one wording from which it is mass-posted
    settings : number of sheets, limits of rows
    """
    limit = settings.workbook_rows
    ranking = read_parquet(routed, ROUTED, columns=_RANKING)
    wording = ranking if marks is None else ranking.assign(duplicate_of=marks["repeats"])
    ranking = ranking.assign(endangered=False if marks is None else marks["endangered"])
    issues = issues.sort_values(["heat", "size", "issue_id"], ascending=[False, False, True], ignore_index=True)
    review = _review_order(ranking)
    counts = ranking.loc[ranking["decision"] != "auto", "issue_id"].value_counts()
    waiting = {str(name): int(count) for name, count in counts[counts > 1].items()}
    several, wordings = detail_rows(ranking, issues), mass_posted(wording, least=mass_posted_rows)
    again = posted_again(ranking["issue_id"].iloc[several], ranking["submitter"].iloc[several])
    bodies = _largest_bodies(ranking["department"], settings.sheets)
    hot = issues[is_hot(issues)]
    speakers = _positions(issues["representative"], ranking)
    if 2 * len(ranking) + len(review) + len(hot) + len(several) + len(wordings) <= limit:
        rows = read_parquet(routed, ROUTED)
        body_rows, other_rows = _split(rows["department"], _body_order(ranking, issues), bodies)
        texts = rows["text"].to_numpy(dtype=object)
        return Choice(
            whole=True,
            ranking=ranking,
            bodies=bodies,
            rows=rows,
            all_rows=np.arange(len(rows)),
            body_rows=body_rows,
            other_rows=other_rows,
            review_submissions=rows,
            review_rows=review,
            waiting=waiting,
            hot_issues=_with_texts(hot, speakers, lambda positions: texts[positions]),
            several=several,
            details=rows.iloc[several].assign(posted_again=again),
            wordings=wordings,
            mass_posted=wordings.assign(text=texts[wordings["position"]]),
        )

    limit = min(limit, settings.workbook_issues)
    endangered = min(int(ranking["endangered"].sum()), limit // 2)
    review, hot, told = review[: max(limit // 4, endangered)], hot.head(limit // 10), wordings.head(limit // 20)
    detailed = within_limit(ranking["issue_id"].iloc[several], limit // 5)
    # For 总表, and as much for the sheets of the bodies together.
    share = (limit - len(review) - len(hot) - int(detailed.sum()) - len(told)) // 2
    grave = issues["issue_id"].isin(ranking.loc[ranking["endangered"], "issue_id"])
    body_rows, other_rows = _split(issues["department"], np.argsort(~grave.to_numpy(), kind="stable"), bodies)
    fair = fair_share([len(positions) for positions in (*body_rows, other_rows)], share)
    body_rows = [positions[:fair] for positions in body_rows]
    other_rows = other_rows[:fair]
    everything = np.arange(min(share, len(issues)))
    shown = np.unique(np.concatenate([everything, *body_rows, other_rows]))
    # One pass through the file for all that is wanted of it.
    wanted = np.concatenate([review, several[detailed], told["position"], speakers[shown], speakers[hot.index]])
    wanted = np.unique(wanted[wanted >= 0]).astype(np.int64)
    kept = read_rows(routed, wanted)
    kept_texts = kept["text"].to_numpy(dtype=object)

    def place(positions: np.ndarray) -> np.ndarray:
        return np.searchsorted(wanted, positions)

    return Choice(
        whole=False,
        ranking=ranking,
        bodies=bodies,
        rows=_with_texts(issues.iloc[shown], speakers, lambda positions: kept_texts[place(positions)]),
        all_rows=np.searchsorted(shown, everything),
        body_rows=[np.searchsorted(shown, positions) for positions in body_rows],
        other_rows=np.searchsorted(shown, other_rows),
        review_submissions=kept.iloc[place(review)],
        review_rows=np.arange(len(review)),
        waiting=waiting,
        hot_issues=_with_texts(hot, speakers, lambda positions: kept_texts[place(positions)]),
        several=several,
        details=kept.iloc[place(several[detailed])].assign(posted_again=again[detailed]),
        wordings=wordings,
        mass_posted=told.assign(text=kept_texts[place(told["position"].to_numpy())]),
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


def _positions(ids: pd.Series, ranking: pd.DataFrame) -> np.ndarray:
    """Rows of some ids in `ranking`, -1 where an id is of an earlier run."""
    return np.asarray(pd.Index(ranking["submission_id"]).get_indexer(pd.Index(ids)))


def _with_texts(issues: pd.DataFrame, speakers: np.ndarray, texts: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Issues, whose index numbers `speakers`, with the text of each one's representative, numbered anew."""
    positions = speakers[issues.index]
    column = np.full(len(issues), "", dtype=object)
    column[positions >= 0] = texts(positions[positions >= 0])
    known = [*ISSUES.names, *(name for name in ISSUE_FIGURES.names if name in issues)]
    return issues[known].reset_index(drop=True).assign(text=column)


def _largest_bodies(departments: pd.Series, sheets: int) -> list[str]:
    counts = departments[departments != ""].value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [str(name) for name, _ in ranked[:sheets]]


def _review_order(ranking: pd.DataFrame) -> np.ndarray:
    """Rows to review by what a clerk gains by deciding: people in danger first, then what puts most errors right.

    One decision settles all submissions of an issue that wait, so its gain is the number of them that would go to a
    wrong lead if nobody looked: the sum of 1 - probability over them. Submissions of one issue stand together.
    """
    waits = ranking[ranking["decision"] != "auto"]
    of_issue = waits["issue_id"]
    # Submissions to check wait too: they add to the gain, and stand on their body's sheet.
    keys = pd.DataFrame(
        {
            "safe": ~waits["endangered"].groupby(of_issue).transform("any"),
            "calm": ~waits["urgency"].eq("urgent").groupby(of_issue).transform("any"),
            "gain": -(1 - waits["department_probability"]).groupby(of_issue).transform("sum"),
            "first": waits.index.to_series().groupby(of_issue).transform("min"),
            "unharmed": ~waits["endangered"],
            "normal": waits["urgency"] != "urgent",
        }
    )
    ordered = keys.sort_values(list(keys.columns), kind="stable").index
    shown = ranking["decision"].eq("review") | ranking["endangered"]
    return ordered[shown.loc[ordered]].to_numpy(dtype=np.int64)


def _body_order(rows: pd.DataFrame, issues: pd.DataFrame) -> np.ndarray:
    """Issues with a person in danger first, then urgent ones, then hot ones; of one issue side by side, as grave."""
    urgent, endangered = rows["urgency"] == "urgent", rows["endangered"]
    keys = pd.DataFrame(
        {
            "safe": ~endangered.groupby(rows["issue_id"]).transform("any"),
            "calm": ~urgent.groupby(rows["issue_id"]).transform("any"),
            "rank": pd.Index(issues["issue_id"]).get_indexer(pd.Index(rows["issue_id"])),
            "issue_id": rows["issue_id"],
            "unharmed": ~endangered,
            "normal": ~urgent,
        }
    )
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
