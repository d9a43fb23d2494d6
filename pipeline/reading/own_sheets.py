"""Sheets that fenban wrote itself: rows that a clerk corrects, lists that are no submissions, and guesses.

Known by their headers, so that a sheet that was copied, renamed, sorted or saved by another program stays known.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.reading.spellings import SUBMISSION_SPELLINGS
from pipeline.schema import CORRECTIONS, ISSUES, ROUTED, SAMPLE_TEXT, SUBMISSIONS

_ROUTED_FIELDS = {"topic": "routed_topic", "department": "routed_department"}
"""Column of ROUTED -> field under which a correction sheet's guess is read, never as a label."""

_SOURCE = ("source_file", "source_sheet", "source_row")
_WRITTEN = {name: header for name, header in SUBMISSIONS.headers().items() if name not in _SOURCE}
_GUESSED = {field: ROUTED.headers()[name] for name, field in _ROUTED_FIELDS.items()}
_FILLED_IN = CORRECTIONS.headers()
_TELLING = (_FILLED_IN["new_topic"], _FILLED_IN["new_department"])
# Where a large run lists issues, a row speaks for the issue's representative.
_ISSUE_ROW = {"submission_id": ISSUES.headers()["representative"], "text": SAMPLE_TEXT}

# Headers of 热点问题, 事项明细 and 群发来件 that stand together nowhere else.
_LISTS = (
    {ISSUES.headers()["heat"], ISSUES.headers()["representative"]},
    {"不是一件事", "应并入"},
    {"首件", "署名人数"},
)
# 目录 and 未处理 have headers that an office's own sheet may have too, which then also has a title or a text.
_PLAIN_LISTS = ({"统计", "数量", "说明"}, {"文件", "工作表", "行", "原因"})
_TOLD_BY_PEOPLE = frozenset((*SUBMISSION_SPELLINGS["title"], *SUBMISSION_SPELLINGS["text"]))
_GUESSES = (("department_probability",), ("decision", "reason", "urgency"))


def correction_columns(headers: Sequence[str]) -> dict[str, int] | None:
    """Field -> column of a sheet that a clerk corrects; None where the header is of no such sheet.

    Fields are those of SUBMISSIONS and CORRECTIONS and the values of _ROUTED_FIELDS. Spellings have no say here: 地点
    and 事项 of such a sheet are what fenban found, not what somebody wrote.
    """
    plain = [_plain(header) for header in headers]
    if not any(header in plain for header in _TELLING):
        return None
    fields = _WRITTEN | _GUESSED | _FILLED_IN
    found = {field: plain.index(header) for field, header in fields.items() if header in plain}
    if "submission_id" not in found and _ISSUE_ROW["submission_id"] in plain:
        found |= {field: plain.index(header) for field, header in _ISSUE_ROW.items() if header in plain}
    return found


def is_list(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first rows are of a sheet of ours that holds no submissions and nothing to correct."""
    plain = [{_plain(cell) for cell in row} for row in rows]
    if any(header in row for row in plain for header in _TELLING):
        return False
    if any(marks <= row for row in plain for marks in _LISTS):
        return True
    return any(marks <= row and not (row - marks) & _TOLD_BY_PEOPLE for row in plain for marks in _PLAIN_LISTS)


def holds_guesses(headers: Sequence[str]) -> bool:
    """Whether topic and lead below these headers are what a model found, without a column for what is right."""
    plain = {_plain(header) for header in headers}
    if plain & set(_TELLING):
        return False
    names, chinese = {name: name for name in ROUTED.names}, ROUTED.headers()
    issues = ({"heat", "representative"}, {ISSUES.headers()["heat"], ISSUES.headers()["representative"]})
    marks = [{told[name] for name in group} for group in _GUESSES for told in (names, chinese)]
    return any(mark <= plain for mark in (*marks, *issues))


def _plain(header: str) -> str:
    return "".join(header.split())
