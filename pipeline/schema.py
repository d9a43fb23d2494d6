"""The tables that cross a stage border: their columns, types and Chinese headers.

A stage takes tables and returns tables. Vectors never cross a border: they live and die inside one batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.errors import TableError


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : English name, as in code and Parquet
    kind : one of str, str? (str or null), float, int, bool, time? (timestamp or null), date?, list (of str), floats
    header : Chinese header that a clerk sees; "" where no clerk sees it
    """

    name: str
    kind: str
    header: str = ""


@dataclass(frozen=True)
class Table:
    """A named set of columns in a fixed order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def headers(self) -> dict[str, str]:
        """English name -> Chinese header, for the columns that have one."""
        return {column.name: column.header for column in self.columns if column.header}


SUBMISSIONS = Table(
    "SUBMISSIONS",
    (
        Column("submission_id", "str", "编号"),
        Column("title", "str", "标题"),
        Column("text", "str", "内容"),
        Column("submitter", "str", "提交人"),
        Column("submitted_at", "time?", "提交时间"),
        Column("channel", "str", "来源渠道"),
        Column("place", "str", "填报地点"),
        Column("returned_by", "list", "退回单位"),
        Column("source_file", "str", "来源文件"),
        Column("source_sheet", "str", "来源工作表"),
        Column("source_row", "int", "来源行"),
    ),
)

# What train.py reads beside SUBMISSIONS. A label that is not given is "" or [].
LABELS = Table(
    "LABELS",
    (
        Column("topic", "str", "主题"),
        Column("other_topics", "list", "其他主题"),
        Column("department", "str", "承办单位"),
        Column("department_kind", "list", "承办部门类别"),
        Column("co_kinds", "list", "协办部门类别"),
        Column("issue", "str", "事项"),
        Column("tokens", "list", "分词"),
        Column("learn_only", "bool", "只学不考"),
        Column("example", "bool", "样例"),
    ),
)
LABELLED = Table("LABELLED", SUBMISSIONS.columns + LABELS.columns)

REJECTED = Table(
    "REJECTED",
    (
        Column("source_file", "str", "文件"),
        Column("source_sheet", "str", "工作表"),
        Column("source_row", "int", "行"),
        Column("reason", "str", "原因"),
    ),
)

SEGMENTED = Table(
    "SEGMENTED",
    (
        Column("submission_id", "str"),
        Column("title_tokens", "list"),
        Column("text_tokens", "list"),
    ),
)

# The learned views of one row: best labels first, at most three, with calibrated probabilities beside them.
CLASSIFIED = Table(
    "CLASSIFIED",
    (
        Column("submission_id", "str"),
        Column("topic", "str"),
        Column("topic_probability", "float"),
        Column("other_topics", "list"),
        Column("topic_labels", "list"),
        Column("topic_probabilities", "floats"),
        Column("kind_labels", "list"),
        Column("kind_probabilities", "floats"),
        Column("department_labels", "list"),
        Column("department_probabilities", "floats"),
    ),
)

# Matters that bodies sent back, each with their names.
RETURNED = Table(
    "RETURNED",
    tuple(column for column in SUBMISSIONS.columns if column.name in {"submission_id", "title", "text", "returned_by"}),
)

# What each row is like: cosines of 0 to 1, most like first. An id that a reason may not name is "".
RECALLED = Table(
    "RECALLED",
    (
        Column("submission_id", "str"),
        Column("past_ids", "list"),
        Column("past_leads", "list"),
        Column("past_partners", "list"),
        Column("past_likeness", "floats"),
        Column("clauses", "list"),
        Column("clause_likeness", "floats"),
        Column("returned_ids", "list"),
        Column("returned_bodies", "list"),
        Column("returned_likeness", "floats"),
    ),
)

PLACED = Table(
    "PLACED",
    (
        Column("submission_id", "str"),
        Column("district", "str?", "区县"),
        Column("township", "str?", "街道乡镇"),
        Column("spot", "str?", "具体地点"),
        Column("place_words", "list"),
    ),
)

MATCHED = Table(
    "MATCHED",
    (
        Column("submission_id", "str"),
        Column("department_kind", "str", "部门类别"),
        Column("department", "str", "承办单位"),
        Column("department_probability", "float", "把握"),
        Column("department_candidates", "list", "候选单位"),
        Column("co_departments", "list", "协办单位"),
        Column("reason", "str", "依据"),
        Column("urgency", "str", "紧急程度"),
        Column("decision", "str", "处理方式"),
        Column("endangered", "bool", "人身危险"),
        Column("working_days", "int"),
        Column("deadline", "date?", "办理期限"),
    ),
)

ROUTED = Table(
    "ROUTED",
    (
        Column("submission_id", "str", "编号"),
        Column("title", "str", "标题"),
        Column("text", "str", "内容"),
        Column("topic", "str", "主题"),
        Column("topic_probability", "float", "主题把握"),
        Column("other_topics", "list", "其他主题"),
        Column("department_kind", "str", "部门类别"),
        Column("department", "str", "承办单位"),
        Column("department_probability", "float", "承办把握"),
        Column("department_candidates", "list", "候选单位"),
        Column("co_departments", "list", "协办单位"),
        Column("reason", "str", "依据"),
        Column("district", "str?", "区县"),
        Column("township", "str?", "街道乡镇"),
        Column("spot", "str?", "具体地点"),
        Column("urgency", "str", "紧急程度"),
        Column("decision", "str", "处理方式"),
        Column("issue_id", "str", "事项编号"),
        Column("duplicate_of", "str?", "重复于"),
        Column("submitter", "str", "提交人"),
        Column("submitted_at", "time?", "提交时间"),
        Column("channel", "str", "来源渠道"),
        Column("place", "str", "填报地点"),
        Column("source_file", "str", "来源文件"),
        Column("source_sheet", "str", "来源工作表"),
        Column("source_row", "int", "来源行"),
        Column("deadline", "date?", "办理期限"),
        Column("reopened", "bool", "再次反映"),
    ),
)

# What describing issues needs of ROUTED: of a million rows, no more than that is in memory at once.
ISSUE_ROWS = Table(
    "ISSUE_ROWS",
    tuple(
        column
        for column in ROUTED.columns
        if column.name
        in {
            *("submission_id", "title", "text", "topic", "department", "district", "township", "spot"),
            *("urgency", "issue_id", "duplicate_of", "submitter", "submitted_at", "place", "reopened"),
        }
    ),
)

ISSUES = Table(
    "ISSUES",
    (
        Column("issue_id", "str", "事项编号"),
        Column("title", "str", "事项"),
        Column("size", "int", "件数"),
        Column("people", "int", "人数"),
        Column("first_at", "time?", "最早"),
        Column("last_at", "time?", "最近"),
        Column("topic", "str", "主题"),
        Column("department", "str", "承办单位"),
        Column("district", "str?", "区县"),
        Column("township", "str?", "街道乡镇"),
        Column("heat", "float", "热度"),
        Column("representative", "str", "代表件"),
        Column("members", "list", "编号列表"),
    ),
)

# What describing issues tells beside ISSUES: for the workbook, in no Parquet file.
ISSUE_FIGURES = Table(
    "ISSUE_FIGURES",
    (
        Column("copies", "int", "重复件"),
        Column("mass_posted", "int", "群发件"),
        Column("voices", "int", "不同说法"),
        Column("resubmitted", "int", "本人再次提交"),
        Column("recent_people", "int", "近期新增人数"),
        Column("earlier_people", "int", "此前人数"),
        Column("spread", "int", "涉及地点数"),
        Column("urgent", "int", "紧急件"),
        Column("reopened", "bool", "再次反映"),
    ),
)

LINKS = Table(
    "LINKS",
    (
        Column("submission_id", "str", "编号"),
        Column("linked_to", "str", "关联到"),
        Column("kind", "str", "关系"),
        Column("probability", "float", "把握"),
        Column("shared_words", "list", "共同词语"),
    ),
)

# What a clerk fills in on the rows of the workbook, and train.py reads back.
CORRECTIONS = Table(
    "CORRECTIONS",
    (
        Column("confirmed", "str", "确认"),
        Column("new_topic", "str", "更正主题"),
        Column("new_department", "str", "更正承办单位"),
        Column("new_co_departments", "list", "更正协办单位"),
        Column("returned_by", "list", "退回单位"),
    ),
)
CONFIRMED = "正确"  # under 确认: topic and lead are right as routed
SAMPLE_TEXT = "代表件内容"  # header of the text of an issue's representative, where a sheet lists issues
CUT_MARK = "…（全文见 routed.parquet）"  # ends a text that is too long for a cell
OPTIONS_SHEET = "选项"  # the hidden sheet of the lists to choose from

DECISIONS = {"auto": "自动", "check": "核对", "review": "人工"}
URGENCIES = {"urgent": "紧急", "normal": "一般"}


def check_table(frame: pd.DataFrame, table: Table, *, where: str) -> None:
    """Refuse a frame that lacks a column of `table`; further columns are allowed.

    Raises
    ------
    TableError : names the missing columns and those found
    """
    missing = [name for name in table.names if name not in frame.columns]
    if missing:
        raise TableError(
            f"{where} needs the table {table.name} but column {', '.join(missing)} is missing "
            f"(found {', '.join(map(str, frame.columns)) or 'no columns'}). "
            f"Add it, or make the table with the stage before; pipeline/schema.py lists every column."
        )


def empty_table(table: Table) -> pd.DataFrame:
    """A table of no rows with the right columns and types."""
    return typed(pd.DataFrame({name: [] for name in table.names}), table)


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The columns of `table` in order, with one dtype for each kind; nulls only where the kind ends in '?'."""
    series: dict[str, pd.Series[Any]] = {}
    for column in table.columns:
        values = frame[column.name]
        if column.kind == "str":
            series[column.name] = values.astype("str").fillna("")
        elif column.kind == "str?":
            text = values.astype("str")
            series[column.name] = text.where(text.fillna("") != "")
        elif column.kind == "time?":
            series[column.name] = pd.to_datetime(values).astype("datetime64[us]")
        elif column.kind == "float":
            series[column.name] = values.astype("float64")
        elif column.kind == "int":
            series[column.name] = values.astype("int64")
        elif column.kind == "bool":
            series[column.name] = values.astype("bool")
        elif column.kind == "date?":
            # A column of Python dates that are all missing has no type, in a file or a database.
            series[column.name] = values.astype("object").astype("date32[pyarrow]")
        else:  # lists are Python objects
            series[column.name] = values.astype("object")
    return pd.DataFrame(series, columns=table.names, index=frame.index)
