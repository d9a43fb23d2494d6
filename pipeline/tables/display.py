"""Tables as columns of what cells hold: Chinese names for keys, cleaned of what Excel cannot hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.schema import DECISIONS, URGENCIES
from pipeline.tables.details import excerpt
from pipeline.tables.sheets import clean_column

Cells = dict[str, list[Any]]


GIST = 110  # characters of a text that stand for it on paper


def submission_cells(
    submissions: pd.DataFrame,
    issues: pd.DataFrame,
    evidence: Mapping[str, str],
    *,
    topic_names: Mapping[str, str],
    waiting: Mapping[str, int],
    endangered: Collection[str],
) -> Cells:
    """Submissions (table ROUTED) with their issue, its size and people, and in a few words what, where and why.

    Parameters
    ----------
    issues : table ISSUES
    evidence : submission_id -> why it is of its issue
    waiting : issue_id -> submissions of it that wait for a clerk, where there are several
    endangered : submission_ids of those in which a person is in danger
    """
    of_issue = issues.set_index("issue_id")[["title", "size", "people"]].reindex(submissions["issue_id"])
    columns = {str(name): submissions[name].tolist() for name in submissions.columns}
    columns["decision"] = [DECISIONS[value] for value in columns["decision"]]
    columns["urgency"] = [URGENCIES[value] for value in columns["urgency"]]
    columns["topic"] = [topic_names.get(topic, topic) for topic in columns["topic"]]
    columns["other_topics"] = [[topic_names.get(key, key) for key in keys] for keys in columns["other_topics"]]
    columns["issue_size"] = of_issue["size"].fillna(1).astype("float64").tolist()
    columns["people"] = of_issue["people"].fillna(1).astype("float64").tolist()
    titles = of_issue["title"].fillna("").tolist()
    columns["issue"] = [f"{title}\n{name}" for title, name in zip(titles, columns["issue_id"], strict=True)]
    columns["gist"] = excerpt((text or title for text, title in _pairs(columns, "text", "title")), longest=GIST)
    columns["where"] = [_where(parts) or place for *parts, place in _pairs(columns, *_PLACE_PARTS, "place")]
    columns["review_why"] = [
        _review_why(
            "人身危险" if name in endangered else "紧急" if urgency == URGENCIES["urgent"] else "",
            waiting.get(issue, 1),
            department,
            probability,
        )
        for name, urgency, issue, department, probability in _pairs(
            columns, "submission_id", "urgency", "issue_id", "department", "department_probability"
        )
    ]
    columns["evidence"] = [evidence.get(name) for name in columns["submission_id"]]
    return _cleaned(columns)


def issue_cells(issues: pd.DataFrame, *, topic_names: Mapping[str, str]) -> Cells:
    """Issues (table ISSUES, perhaps with further columns) with the text of each one's representative."""
    columns = {str(name): issues[name].tolist() for name in issues.columns}
    return _cleaned(columns | {"topic": [topic_names.get(topic, topic) for topic in columns["topic"]]})


def detail_cells(details: pd.DataFrame, issues: pd.DataFrame, evidence: Mapping[str, str]) -> Cells:
    """Submissions side by side (table ROUTED and `posted_again`), with title and size of their issue."""
    kept = ("issue_id", "submission_id", "submitter", "submitted_at", "title", "duplicate_of", "posted_again")
    columns = {name: details[name].tolist() for name in kept}
    of_issue = issues.set_index("issue_id").loc[details["issue_id"], ["title", "size"]]
    columns |= {"issue_title": of_issue["title"].tolist(), "issue_size": of_issue["size"].tolist()}
    columns["excerpt"] = excerpt(details["text"])
    columns["evidence"] = [evidence.get(name) for name in columns["submission_id"]]
    return _cleaned(columns)


def mass_posted_cells(wordings: pd.DataFrame) -> Cells:
    """Wordings of `mass_posted` with the text of a row each."""
    columns = {str(name): wordings[name].tolist() for name in wordings.columns}
    return _cleaned(columns | {"excerpt": excerpt(wordings["text"])})


def rejected_cells(rejected: pd.DataFrame, notes: Sequence[str], *, limit: int) -> Cells:
    """Up to `limit` rows of the table REJECTED, then the remarks on the run."""
    shown = rejected.head(limit)
    lines = list(notes)
    if len(rejected) > limit:
        lines.append(f"另有 {len(rejected) - limit:,} 条未处理的没有列出，见 run.json。")
    columns: Cells = {
        "source_file": shown["source_file"].tolist() + ["（运行说明）"] * len(lines),
        "source_sheet": shown["source_sheet"].tolist() + [""] * len(lines),
        # Row 0 is a whole file.
        "source_row": [row if row > 0 else None for row in shown["source_row"]] + [None] * len(lines),
        "reason": shown["reason"].tolist() + lines,
    }
    return _cleaned(columns)


def unused(columns: Cells, keys: Iterable[str]) -> list[str]:
    """Those of `keys` that no row has a value for."""
    return [key for key in keys if not any(value is not None for value in columns.get(key, ()))]


_PLACE_PARTS = ("district", "township", "spot")


def _pairs(columns: Mapping[str, Sequence[Any]], *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(columns[name] for name in names), strict=True)


def _where(parts: Iterable[Any]) -> str:
    # A null of a "str?" column reads as None or as nan.
    return " ".join(part for part in parts if isinstance(part, str) and part)


def _review_why(alarm: str, waiting: int, department: str, probability: float) -> str:
    """Why a decision on this row is worth its place in 待人工复核."""
    return "；".join(
        filter(
            None,
            (
                alarm,
                f"一次定 {waiting} 件" if waiting > 1 else "",
                f"把握 {probability:.0%}" if department else "没有首选单位",
            ),
        )
    )


def _cleaned(columns: Mapping[str, Sequence[Any]]) -> Cells:
    return {name: clean_column(values) for name, values in columns.items()}
