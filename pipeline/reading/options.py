"""What the user says about the files: columns, encoding, and whether labels are read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.errors import SettingsError
from pipeline.schema import LABELS, SUBMISSIONS

# What a clerk may call a field, beside the English name and the header of schema.py. 主题 means the title here, as
# in most exports.
_ALSO = {
    "id": "submission_id",
    "题目": "title",
    "主题": "title",
    "正文": "text",
    "文本": "text",
    "时间": "submitted_at",
    "日期": "submitted_at",
    "姓名": "submitter",
    "用户": "submitter",
    "渠道": "channel",
    "来源": "channel",
    "地点": "place",
    "地址": "place",
    "属地": "place",
    "主题分类": "topic",
    "部门": "department",
}
_NOT_ASKED = {"source_file", "source_sheet", "source_row"}


@dataclass(frozen=True)
class ReadOptions:
    """How the user wants the files read.

    Attributes
    ----------
    columns : field -> header in the file, as `parse_columns` gives it; comes before every spelling
    encoding : name of the encoding of text files, or None to find it
    labels : also read the columns of LABELS, for training
    topic_column, department_column : header of that label, or None to find it; a file without it is rejected
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    labels: bool = False
    topic_column: str | None = None
    department_column: str | None = None


def parse_columns(text: str) -> dict[str, str]:
    """Read `--columns`: pairs such as ``正文=问题描述,标题=事项``; the left is ours, the right the header in the file.

    Raises
    ------
    SettingsError : a pair without ``=``, an unknown or repeated field, or an empty header
    """
    fields = _field_names()
    columns: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in re.split("[,，]", text))):
        name, equals, header = (part.strip() for part in pair.replace("＝", "=", 1).partition("="))
        if not equals or not name or not header:
            raise SettingsError(f"--columns: '{pair}' is not a pair. Write field=header, such as 正文=问题描述.")
        field_name = fields.get(name.casefold())
        if field_name is None:
            close = difflib.get_close_matches(name.casefold(), fields, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"use one of {', '.join(fields)}."
            raise SettingsError(f"--columns: no field '{name}' in '{pair}'; {hint}")
        if field_name in columns:
            raise SettingsError(f"--columns: {name} is given twice ({columns[field_name]}, {header}). Keep one.")
        columns[field_name] = header
    return columns


def _field_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for column in (*SUBMISSIONS.columns, *LABELS.columns):
        if column.name not in _NOT_ASKED:
            names[column.name] = names[column.header] = column.name
    return {**names, **_ALSO}
