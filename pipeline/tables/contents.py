"""The first sheet: what the workbook is, what it counts, how to use it, and a link to each sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.tables.cells import cell_text
from pipeline.tables.sheets import DARK, PALE, Formats, set_up_page, write_text

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet


@dataclass(frozen=True)
class Entry:
    """A line of the contents."""

    name: str
    rows: int
    about: str


# key of a count -> what it is called, and what it means for the clerk
_COUNTS = {
    "read": ("收到", "读入的全部来件，不含未处理的行"),
    "rejected_rows": ("未处理行", "没有读入的行，如没有正文和标题的，原因见“未处理”"),
    "rejected_files": ("未处理文件", "打不开、认不出表头的文件和工作表，原因见“未处理”"),
    "auto": ("自动", "系统有把握，可直接转办"),
    "check": ("核对", "系统有建议，请人核对"),
    "review": ("人工", "系统拿不准，请人决定"),
    "urgent": ("紧急", "来件中紧急的，标红"),
    "endangered": ("人身危险", "紧急件中可能有人遇险的，列在“待人工复核”最前，不作重复件处理"),
    "issues": ("事项", "同一地点的同一件事算一个事项"),
    "hot": ("热点", "多人反映的事项，列在“热点问题”"),
    "duplicates": ("重复件", "与另一件文字相同或基本相同，是哪一件见“重复于”"),
    "mass_posted": ("群发来件", "许多件用同一段文字的，按文字列在“群发来件”"),
    "reopened": ("再次反映", "事项办结后又来的件，标红"),
}
_USE = (
    "一、先办“待人工复核”，再看标为“核对”的；各单位的表可直接打印或转交，打印时只印到主要各列。",
    "二、同意系统意见，在浅黄格“确认”选“正确”；不同意，在“更正主题”“更正承办单位”“更正协办单位”选对的；被退回的，在“退回单位”选是谁退的。任何一张表填一处即可。",
    "三、每列可筛选；“依据”说明为什么这样分，“事项编号”相同的是同一件事；长内容只显示六行，点选单元格可看全文。",
    "四、“并案依据”说明一件为什么和别的件算同一事项；“事项明细”把同一事项的件排在一起，不是一件事的、该并入别的事项的，在浅黄格里写明。",
    "五、填好存盘，运行 fenban train 本工作簿 --base default --out models/新模型，系统就学会这些；没有填的行不学。",
)
_USE_LARGE = "六、来件太多，本表只列事项，最热的在前，各单位的表里有人遇险的排在最前；每一件都在旁边的 routed.csv 里。"


def write_contents(
    sheet: Worksheet,
    entries: Sequence[Entry],
    counts: Mapping[str, int],
    *,
    whole: bool,
    made_at: dt.datetime,
    title: str,
    formats: Formats,
) -> None:
    """Write 目录 from top to bottom.

    Parameters
    ----------
    sheet : empty sheet
    entries : the sheets that follow, in order, with their rows
    counts : read, rejected_rows, rejected_files (sheets too), auto, check, review, urgent, endangered, issues, hot,
        duplicates, mass_posted, reopened
    whole : False where the workbook lists issues instead of submissions
    made_at : when the run was made, local time
    title : of the workbook
    formats : of this workbook
    """
    set_up_page(sheet, title=title)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 12)
    sheet.set_column(2, 2, 78)
    sheet.set_default_row(18)
    sheet.set_row(0, 32)
    write_text(sheet, 0, 0, title, formats, bold=True, font_size=18, font_color=DARK)
    write_text(sheet, 1, 0, f"生成时间：{made_at:%Y-%m-%d %H:%M}", formats, font_color="#7F7F7F")
    row = 3
    _head(sheet, row, ("统计", "数量", "说明"), formats)
    for key, (name, meaning) in _COUNTS.items():
        row += 1
        write_text(sheet, row, 0, name, formats, valign="vcenter")
        sheet.write_number(row, 1, counts[key], formats.get(num_format="#,##0", valign="vcenter"))
        write_text(sheet, row, 2, meaning, formats, font_color="#595959", align="left", indent=1, valign="vcenter")
    row += 2
    _head(sheet, row, ("怎样用", "", ""), formats)
    for line in _USE if whole else (*_USE, _USE_LARGE):
        row += 1
        write_text(sheet, row, 0, line, formats, valign="vcenter")
    row += 2
    _head(sheet, row, ("工作表", "行数", "内容"), formats)
    link = formats.get(font_color="#0563C1", underline=1, num_format="@", valign="vcenter")
    for entry in entries:
        row += 1
        quoted = entry.name.replace("'", "''")
        sheet.write_url(row, 0, f"internal:'{quoted}'!A1", link, string=entry.name)
        sheet.write_number(row, 1, entry.rows, formats.get(num_format="#,##0", valign="vcenter"))
        write_text(
            sheet,
            row,
            2,
            cell_text(entry.about),
            formats,
            font_color="#595959",
            align="left",
            indent=1,
            valign="vcenter",
        )
    sheet.print_area(0, 0, row, 2)


def _head(sheet: Worksheet, row: int, names: Sequence[str], formats: Formats) -> None:
    for place, name in enumerate(names):
        style = formats.get(
            bold=True, bg_color=PALE, font_color=DARK, align=("left", "right", "left")[place], indent=place // 2
        )
        sheet.write_string(row, place, name, style)
