"""Which columns stand on which sheet, in which order, how wide, and which of them are printed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pipeline.schema import CORRECTIONS, ISSUE_FIGURES, ISSUES, REJECTED, ROUTED, SAMPLE_TEXT


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Attributes
    ----------
    key : name of the column of values; for an entry, any name
    header : Chinese header
    width : in characters of the workbook's font, a Chinese character is two
    kind : text and long (both wrapped, long is not typed as Text), plain (never wrapped), percent, number, decimal,
        time, date, decision, urgency, alarm (red), or entry (empty, for the clerk)
    choices : name of the list of 选项 that an entry is chosen from, or ""
    """

    key: str
    header: str
    width: float
    kind: str = "text"
    choices: str = ""


@dataclass(frozen=True)
class Layout:
    """The columns of a sheet; the first `printed` of them go on paper, the first `frozen` stay in sight.

    A line stands above each row whose cell in the column `grouped` differs from the one above; "" draws none.
    """

    columns: tuple[SheetColumn, ...]
    printed: int
    frozen: int = 2
    grouped: str = ""

    def without(self, keys: Collection[str]) -> Layout:
        """The layout without the columns of `keys`, for a run in which they are empty in every row."""
        kept = tuple(column for column in self.columns if column.key not in keys)
        lost = sum(column.key in keys for column in self.columns[: self.printed])
        return Layout(kept, self.printed - lost, self.frozen, self.grouped)


_HEADERS = ROUTED.headers() | {
    "issue_size": "事项件数",
    "evidence": "并案依据",
    "issue_title": ISSUES.headers()["title"],
    "issue": ISSUES.headers()["title"],
    "people": ISSUES.headers()["people"],
    "gist": "摘要",
    "where": "地点",
    "review_why": "复核理由",
    "excerpt": "内容摘录",
    "posted_again": "本人再次提交",
}
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
    "reopened": 7,
    "evidence": 34,
    "issue_title": 20,
    "issue": 24,
    "people": 6,
    "gist": 46,
    "where": 16,
    "review_why": 13,
    "excerpt": 44,
    "posted_again": 7,
    "urgency": 10,
    "decision": 10,
}
_KINDS = {
    "text": "long",
    "reason": "long",
    "evidence": "long",
    "gist": "long",
    "people": "number",
    "excerpt": "long",
    "reopened": "alarm",
    "topic_probability": "percent",
    "department_probability": "percent",
    "issue_size": "number",
    "source_row": "number",
    "submitted_at": "time",
    "deadline": "date",
    "decision": "decision",
    "urgency": "urgency",
}


def _columns(keys: str, **widths: float) -> tuple[SheetColumn, ...]:
    wide = _WIDTHS | widths
    return tuple(SheetColumn(key, _HEADERS[key], wide.get(key, 11), _KINDS.get(key, "text")) for key in keys.split())


_ENTRIES = CORRECTIONS.headers()
# A clerk who agrees chooses 正确; one who does not chooses what is right. Both are read back by train.py.
ENTRIES = (
    SheetColumn("confirmed", _ENTRIES["confirmed"], 7, "entry", "verdicts"),
    SheetColumn("new_topic", _ENTRIES["new_topic"], 12, "entry", "topics"),
    SheetColumn("new_department", _ENTRIES["new_department"], 20, "entry", "departments"),
    SheetColumn("new_co_departments", _ENTRIES["new_co_departments"], 18, "entry", "departments"),
    SheetColumn("returned_by", _ENTRIES["returned_by"], 18, "entry", "departments"),
    SheetColumn("remark", "备注", 16, "entry"),
)
# Left out of every sheet of a run in which no row has one.
OPTIONAL = (
    "other_topics",
    "co_departments",
    "spot",
    "evidence",
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
    _columns("submission_id title text decision urgency reopened topic department co_departments deadline")
    + ENTRIES
    + _columns(
        "reason department_candidates district township spot issue_id issue_size evidence duplicate_of other_topics "
        "topic_probability department_probability submitter submitted_at channel place source_file source_sheet "
        "source_row"
    ),
    printed=10,
)
# What is handed to one body: what a case file asks for goes on paper, then the whole text and the cells to fill. The
# lead stands in every row although the sheet is named after it: a name too long for a tab is cut there.
ONE_BODY = Layout(
    _columns("submission_id urgency reopened issue people gist where department co_departments deadline reason")
    + _columns("title text topic")
    + ENTRIES
    + _columns("decision submitter submitted_at district township spot place")
    + _columns("issue_id issue_size evidence duplicate_of other_topics"),
    printed=11,
    grouped="issue",
)
# What decides comes before the cells to fill.
REVIEW = Layout(
    _columns("submission_id review_why title text urgency reopened topic department department_probability")
    + _columns("department_candidates reason")
    + ENTRIES
    + _columns(
        "issue_size issue_id evidence district township spot co_departments other_topics topic_probability "
        "duplicate_of deadline submitter submitted_at place"
    ),
    printed=11,
    frozen=3,
    grouped="issue_id",
)
# The submissions of an issue side by side, so that a clerk sees whether they are one matter. Issue and title stand in
# every row: a filter or a sort by any column keeps them together.
DETAILS = Layout(
    _columns("issue_id issue_title issue_size submission_id submitter submitted_at", issue_size=6, submission_id=16)
    + _columns("title excerpt posted_again evidence", title=20)
    + (
        SheetColumn("not_same", "不是一件事", 7, "entry"),
        SheetColumn("belongs_to", "应并入", 12, "entry"),
    )
    + _columns("duplicate_of"),
    printed=12,
    frozen=4,
    grouped="issue_id",
)

_ISSUE_HEADERS = ISSUES.headers() | ISSUE_FIGURES.headers() | {"text": SAMPLE_TEXT}


def _counts(keys: str) -> tuple[SheetColumn, ...]:
    return tuple(SheetColumn(key, _ISSUE_HEADERS[key], 7, "number") for key in keys.split())


# As a clerk reads: what, where, how many people, whether it grows, who acts, the words, since when.
_ISSUE_COLUMNS = (
    SheetColumn("issue_id", _ISSUE_HEADERS["issue_id"], 14),
    SheetColumn("title", _ISSUE_HEADERS["title"], 28),
    SheetColumn("topic", _ISSUE_HEADERS["topic"], 10),
    SheetColumn("district", _ISSUE_HEADERS["district"], 9),
    SheetColumn("township", _ISSUE_HEADERS["township"], 11),
    *_counts("people size recent_people earlier_people spread urgent"),
    SheetColumn("reopened", _ISSUE_HEADERS["reopened"], 7, "alarm"),
    SheetColumn("heat", _ISSUE_HEADERS["heat"], 7, "decimal"),
    SheetColumn("department", _ISSUE_HEADERS["department"], 16),
    SheetColumn("text", _ISSUE_HEADERS["text"], 40, "long"),
    SheetColumn("first_at", _ISSUE_HEADERS["first_at"], 11, "date"),
    SheetColumn("last_at", _ISSUE_HEADERS["last_at"], 11, "date"),
)
_POSTS = _counts("voices copies mass_posted resubmitted")
_REPRESENTATIVE = SheetColumn("representative", _ISSUE_HEADERS["representative"], 19)
_MEMBERS = SheetColumn("members", _ISSUE_HEADERS["members"], 40, "plain")
HOT_ISSUES = Layout((*_ISSUE_COLUMNS, *_POSTS, _REPRESENTATIVE, _MEMBERS), printed=len(_ISSUE_COLUMNS))
# Stands for the submissions in a run that has too many of them; the members would fill the sheet.
ISSUES_ONLY = Layout((*_ISSUE_COLUMNS, _REPRESENTATIVE, *ENTRIES, *_POSTS), printed=len(_ISSUE_COLUMNS))

MASS_POSTED = Layout(
    (
        SheetColumn("issue_id", _ISSUE_HEADERS["issue_id"], 16),
        SheetColumn("excerpt", _HEADERS["excerpt"], 80, "long"),
        SheetColumn("submissions", _ISSUE_HEADERS["size"], 7, "number"),
        SheetColumn("people", "署名人数", 7, "number"),
        SheetColumn("first_at", _ISSUE_HEADERS["first_at"], 16, "time"),
        SheetColumn("last_at", _ISSUE_HEADERS["last_at"], 16, "time"),
        SheetColumn("first", "首件", 19),
        SheetColumn("members", _ISSUE_HEADERS["members"], 40, "plain"),
    ),
    printed=7,
)

_REJECTED_WIDTHS = {"source_file": 40, "source_sheet": 18, "source_row": 8, "reason": 90}
REJECTED_ROWS = Layout(
    tuple(
        SheetColumn(name, header, _REJECTED_WIDTHS[name], {"source_row": "number", "reason": "long"}.get(name, "text"))
        for name, header in REJECTED.headers().items()
    ),
    printed=4,
    frozen=0,
)
