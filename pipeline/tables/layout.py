"""Which columns stand on which sheet, in which order, how wide, and which of them are printed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.schema import ISSUES, REJECTED, ROUTED


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Attributes
    ----------
    key : name of the column of values; for an entry, any name
    header : Chinese header
    width : in characters of the workbook's font, a Chinese character is two
    kind : text and long (both wrapped, long is not typed as Text), plain (never wrapped), percent, number, decimal,
        time, date, decision, urgency, or entry (empty, for the clerk)
    choices : name of the list of 选项 that an entry is chosen from, or ""
    """

    key: str
    header: str
    width: float
    kind: str = "text"
    choices: str = ""


@dataclass(frozen=True)
class Layout:
    """The columns of a sheet; the first `printed` of them go on paper, the first `frozen` stay in sight."""

    columns: tuple[SheetColumn, ...]
    printed: int
    frozen: int = 2

    def without(self, keys: Collection[str]) -> Layout:
        """The layout without the columns of `keys`, for a run in which they are empty in every row."""
        kept = tuple(column for column in self.columns if column.key not in keys)
        lost = sum(column.key in keys for column in self.columns[: self.printed])
        return Layout(kept, self.printed - lost, self.frozen)


_HEADERS = ROUTED.headers() | {"issue_size": "事项件数"}
_WIDTHS = {
    "submission_id": 19,
    "title": 26,
    "text": 52,
    "department": 20,
    "co_departments": 16,
    "department_candidates": 20,
    "reason": 32,
    "township": 13,
    "submitter": 13,
    "submitted_at": 16,
    "deadline": 11,
    "source_file": 20,
    "place": 16,
    "spot": 14,
    "topic_probability": 10,
    "department_probability": 10,
    "issue_size": 10,
    "source_row": 8,
    "issue_id": 14,
    "duplicate_of": 19,
    "reopened": 10,
    "urgency": 10,
    "decision": 10,
}
_KINDS = {
    "text": "long",
    "reason": "long",
    "topic_probability": "percent",
    "department_probability": "percent",
    "issue_size": "number",
    "source_row": "number",
    "submitted_at": "time",
    "deadline": "date",
    "decision": "decision",
    "urgency": "urgency",
}


def _columns(keys: str) -> tuple[SheetColumn, ...]:
    return tuple(SheetColumn(key, _HEADERS[key], _WIDTHS.get(key, 11), _KINDS.get(key, "text")) for key in keys.split())


# A clerk who agrees puts a name under 核对人; one who does not chooses what is right.
ENTRIES = (
    SheetColumn("new_topic", "更正主题", 12, "entry", "topics"),
    SheetColumn("new_department", "更正承办单位", 20, "entry", "departments"),
    SheetColumn("checked_by", "核对人", 9, "entry"),
    SheetColumn("remark", "备注", 16, "entry"),
)
# Left out of every sheet of a run in which no row has one.
OPTIONAL = (
    "other_topics",
    "co_departments",
    "spot",
    "duplicate_of",
    "deadline",
    "reopened",
    "submitter",
    "submitted_at",
    "channel",
    "place",
    "source_sheet",
)

ALL_ROWS = Layout(
    _columns("submission_id title text decision urgency topic department co_departments")
    + ENTRIES
    + _columns(
        "reason department_candidates district township spot issue_id issue_size duplicate_of reopened deadline "
        "other_topics topic_probability department_probability submitter submitted_at channel place source_file "
        "source_sheet source_row"
    ),
    printed=8,
)
# What is handed to one body: no column says its own name; the place and the person to answer come early.
ONE_BODY = Layout(
    _columns("submission_id title text urgency topic district township co_departments deadline")
    + _columns("submitter submitted_at decision")
    + ENTRIES
    + _columns("reason spot place issue_id issue_size duplicate_of reopened other_topics"),
    printed=11,
)
# What decides comes before the cells to fill.
REVIEW = Layout(
    _columns("submission_id title text urgency topic department department_probability department_candidates reason")
    + ENTRIES
    + _columns(
        "issue_size issue_id district township spot co_departments other_topics topic_probability duplicate_of "
        "reopened deadline submitter submitted_at place"
    ),
    printed=9,
)

_ISSUE_HEADERS = ISSUES.headers()
_ISSUE_COLUMNS = (
    SheetColumn("issue_id", _ISSUE_HEADERS["issue_id"], 14),
    SheetColumn("title", _ISSUE_HEADERS["title"], 30),
    SheetColumn("size", _ISSUE_HEADERS["size"], 7, "number"),
    SheetColumn("people", _ISSUE_HEADERS["people"], 7, "number"),
    SheetColumn("heat", _ISSUE_HEADERS["heat"], 8, "decimal"),
    SheetColumn("topic", _ISSUE_HEADERS["topic"], 11),
    SheetColumn("department", _ISSUE_HEADERS["department"], 20),
    SheetColumn("district", _ISSUE_HEADERS["district"], 11),
    SheetColumn("township", _ISSUE_HEADERS["township"], 13),
    SheetColumn("text", "代表件内容", 52, "long"),
    SheetColumn("first_at", _ISSUE_HEADERS["first_at"], 16, "time"),
    SheetColumn("last_at", _ISSUE_HEADERS["last_at"], 16, "time"),
    SheetColumn("representative", _ISSUE_HEADERS["representative"], 19),
)
_MEMBERS = SheetColumn("members", _ISSUE_HEADERS["members"], 40, "plain")
HOT_ISSUES = Layout((*_ISSUE_COLUMNS, _MEMBERS), printed=12)
# Stands for the submissions in a run that has too many of them; the members would fill the sheet.
ISSUES_ONLY = Layout(_ISSUE_COLUMNS + ENTRIES, printed=12)

_REJECTED_WIDTHS = {"source_file": 40, "source_sheet": 18, "source_row": 8, "reason": 90}
REJECTED_ROWS = Layout(
    tuple(
        SheetColumn(name, header, _REJECTED_WIDTHS[name], {"source_row": "number", "reason": "long"}.get(name, "text"))
        for name, header in REJECTED.headers().items()
    ),
    printed=4,
    frozen=0,
)
