"""The workbook that clerks open: contents, rows, a sheet for each body, what to review, what is hot, what failed."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import OutputError
from pipeline.schema import CONFIRMED, DECISIONS, ISSUE_FIGURES, ISSUES, LINKS, OPTIONS_SHEET, REJECTED, check_table
from pipeline.settings import TablesSettings
from pipeline.tables.cells import sheet_names
from pipeline.tables.choosing import Choice, choose_rows, is_hot
from pipeline.tables.contents import Entry, write_contents
from pipeline.tables.display import (
    detail_cells,
    issue_cells,
    mass_posted_cells,
    rejected_cells,
    submission_cells,
    unused,
)
from pipeline.tables.evidence import link_sentences
from pipeline.tables.layout import (
    ALL_ROWS,
    DETAILS,
    HOT_ISSUES,
    ISSUES_ONLY,
    MASS_POSTED,
    ONE_BODY,
    OPTIONAL,
    REJECTED_ROWS,
    REVIEW,
    Layout,
)
from pipeline.tables.routed_csv import write_routed_csv
from pipeline.tables.sheets import Formats, write_rows, write_text

if TYPE_CHECKING:
    from xlsxwriter import Workbook

FIXED_SHEETS = ("目录", "总表", "待人工复核", "热点问题", "事项明细", "群发来件", "其他部门", "未处理", OPTIONS_SHEET)
TITLE = "民意分办表"


@dataclass(frozen=True)
class _Sheet:
    """A sheet before it is written: `order` are positions in `values`."""

    name: str
    layout: Layout
    values: Mapping[str, Sequence[Any]]
    order: Sequence[int]
    about: str
    colour: str
    notes: int = 0  # lines at the end that are remarks on the run and do not count as its rows


def write_workbook(
    path: Path,
    routed: Path,
    *,
    issues: pd.DataFrame,
    links: pd.DataFrame,
    marks: pd.DataFrame | None = None,
    rejected: pd.DataFrame,
    notes: Sequence[str] = (),
    topic_names: Mapping[str, str],
    departments: Iterable[str] = (),
    made_at: dt.datetime,
    mass_posted_rows: int,
    settings: TablesSettings,
) -> list[Path]:
    """Write routing_tables.xlsx and, where it cannot hold every submission, routed.csv beside it.

    Text cells are strings whatever they begin with: cells that a spreadsheet could take for a formula once they are
    edited carry Excel's quote prefix and the number format Text. Neither outlives Excel's own "save as CSV", which
    keeps no such marks; routed.csv is made for that.

    Parameters
    ----------
    path : file to write
    routed : routed.parquet, as `write_parquet` wrote it
    issues : table ISSUES; what it has of ISSUE_FIGURES is shown too
    links, rejected : tables LINKS and REJECTED
    marks : of each row of `routed`, `endangered` (bool, a person is in danger) and `repeats` (the row whose wording it
        has, or null); without it nobody is in danger, and duplicate_of tells the wordings
    notes : further lines for 未处理, in Chinese
    topic_names : key of a topic -> Chinese name; a topic that is not in it (a user's own label) stays as it is
    departments : further bodies offered for correction, beside those of this run
    made_at : when the run was made, local time
    mass_posted_rows : submissions of one wording from which it stands in 群发来件
    settings : number of sheets, limit of rows

    Returns
    -------
    the files written: the workbook, and routed.csv where the workbook lists issues instead of submissions

    Raises
    ------
    TableError : a column of a table is missing, or a link is of an unknown kind
    OutputError : a file cannot be written
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    check_table(issues, ISSUES, where="The workbook")
    check_table(links, LINKS, where="The workbook")
    check_table(rejected, REJECTED, where="The workbook")
    choice = choose_rows(routed, issues, marks, mass_posted_rows=mass_posted_rows, settings=settings)
    sheets = _plan(choice, issues, links, rejected, topic_names=topic_names, notes=notes, limit=settings.workbook_rows)
    # Strings are always written as such; the first three hold should a writer ever guess. Shared strings (not
    # constant_memory) halve the file, since each text stands on two sheets, and the limit of rows bounds the memory.
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_format_properties": {"font_name": "微软雅黑", "font_size": 10},
    }
    try:
        with _without_collector(), xlsxwriter.Workbook(path, options) as book:
            book.set_properties({"title": TITLE, "created": made_at})
            formats = Formats(book)
            contents = book.add_worksheet("目录")
            written = [book.add_worksheet(sheet.name) for sheet in sheets]
            choices = _write_options(book, choice, topic_names, departments, formats)
            entries = [Entry(sheet.name, len(sheet.order) - sheet.notes, sheet.about) for sheet in sheets]
            write_contents(
                contents, entries, _counts(choice, issues, rejected), whole=choice.whole, made_at=made_at, title=TITLE,
                formats=formats,
            )  # fmt: skip
            for worksheet, sheet in zip(written, sheets, strict=True):
                worksheet.set_tab_color(sheet.colour)
                write_rows(
                    worksheet, sheet.layout, sheet.values, sheet.order, formats=formats, choices=choices, title=TITLE
                )
    except (FileCreateError, OSError) as error:
        raise OutputError(
            f"Cannot write {path} ({error}). Close it if it is open in Excel, and see that the disk has room."
        ) from error
    if choice.whole:
        return [path]
    table = path.with_name("routed.csv")
    write_routed_csv(table, routed, topic_names=topic_names)
    return [path, table]


@contextmanager
def _without_collector() -> Iterator[None]:
    # The writer holds a tuple for each cell to the end. None of them is part of a circle, and to look through all again
    # and again for circles takes a twelfth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _plan(
    choice: Choice,
    issues: pd.DataFrame,
    links: pd.DataFrame,
    rejected: pd.DataFrame,
    *,
    topic_names: Mapping[str, str],
    notes: Sequence[str],
    limit: int,
) -> list[_Sheet]:
    shown = (choice.review_submissions, choice.details)
    titles = {name: title for rows in shown for name, title in zip(rows["submission_id"], rows["title"], strict=True)}
    evidence = link_sentences(titles, links)
    review = submission_cells(
        choice.review_submissions,
        issues,
        evidence,
        topic_names=topic_names,
        waiting=choice.waiting,
        endangered=frozenset(choice.ranking.loc[choice.ranking["endangered"], "submission_id"]),
    )
    empty = unused(review, OPTIONAL)
    first, cut = "每件一行，按读入顺序", ""
    if choice.whole:
        rows, every, body = review, ALL_ROWS.without(empty), ONE_BODY.without(empty)
    else:
        rows = issue_cells(choice.rows, topic_names=topic_names)
        every = body = ISSUES_ONLY.without(unused(rows, ISSUE_FIGURES.names))
        waiting = int((choice.ranking["decision"].eq("review") | choice.ranking["endangered"]).sum())
        first = f"最热的 {len(choice.all_rows):,} 个事项，共有 {len(issues):,} 个"
        cut = f"；列出 {len(choice.review_rows):,} 件，共有 {waiting:,} 件" if waiting > len(choice.review_rows) else ""
    sheets = [
        _Sheet("总表", every, rows, choice.all_rows.tolist(), first, "#1F4E79"),
        _Sheet(
            "待人工复核", REVIEW.without(empty), review, choice.review_rows.tolist(),
            f"人身危险的在最前，都要人看；其余是系统拿不准的，紧急的在前，再按定下来能免去多少错派排{cut}", "#C55A11",
        ),
        *_issue_sheets(choice, issues, evidence, topic_names=topic_names),
    ]  # fmt: skip
    share = _shares(choice.ranking)
    names = sheet_names(choice.bodies, taken=FIXED_SHEETS)
    for name, department, positions in zip(names, choice.bodies, choice.body_rows, strict=True):
        about = share.get(department, "") if name == department else f"{department}：{share.get(department, '')}"
        sheets.append(_Sheet(name, body, rows, positions.tolist(), about, "#9DC3E6"))
    others = choice.other_rows.tolist()
    sheets.append(_Sheet("其他部门", body, rows, others, "件数较少的单位，以及尚未确定单位的", "#9DC3E6"))
    failed = rejected_cells(rejected, notes, limit=limit)
    failed_rows = range(len(failed["reason"]))
    remarks = len(failed_rows) - min(len(rejected), limit)
    about = "没有读入的行和文件" + (f"；后附运行说明 {remarks:,} 条" if remarks else "")
    sheets.append(_Sheet("未处理", REJECTED_ROWS, failed, failed_rows, about, "#A6A6A6", remarks))
    return sheets


def _issue_sheets(
    choice: Choice, issues: pd.DataFrame, evidence: Mapping[str, str], *, topic_names: Mapping[str, str]
) -> list[_Sheet]:
    """What came several times: the issues, their submissions side by side, and the wordings posted in masses."""
    hot = issue_cells(choice.hot_issues, topic_names=topic_names)
    details = detail_cells(choice.details, issues, evidence)
    about = "同一事项的件排在一起，最热的事项在前，每个事项里最早的在前"
    if len(choice.details) < len(choice.several):
        shown, every = choice.details["issue_id"].nunique(), choice.ranking["issue_id"].iloc[choice.several].nunique()
        about += f"；列出 {shown:,} 个事项的 {len(choice.details):,} 件，共有 {every:,} 个、{len(choice.several):,} 件"
    sheets = [
        _Sheet(
            "热点问题", HOT_ISSUES.without(unused(hot, ISSUE_FIGURES.names)), hot, range(len(choice.hot_issues)),
            "多人反映的同一事项，最热的在前", "#C00000",
        ),
        _Sheet(
            "事项明细", DETAILS.without(unused(details, OPTIONAL)), details, range(len(choice.details)),
            about, "#C00000",
        ),
    ]  # fmt: skip
    if len(choice.mass_posted):
        listed = mass_posted_cells(choice.mass_posted)
        about = "许多件文字相同或基本相同的，每段文字一行，件数多的在前；未署名的不计入署名人数"
        if len(choice.mass_posted) < len(choice.wordings):
            about += f"；列出 {len(choice.mass_posted):,} 段，共有 {len(choice.wordings):,} 段"
        sheets.append(_Sheet("群发来件", MASS_POSTED, listed, range(len(choice.mass_posted)), about, "#7030A0"))
    return sheets


def _shares(ranking: pd.DataFrame) -> dict[str, str]:
    """Of each body how much there is, and how much of it waits for whom."""
    waiting = pd.DataFrame(
        {
            "all": 1,
            "urgent": ranking["urgency"] == "urgent",
            "check": ranking["decision"] == "check",
            "review": ranking["decision"] == "review",
        }
    )
    counts = waiting.groupby(ranking["department"]).sum()
    lines = [
        f"来件 {row['all']:,} 件，其中紧急 {row['urgent']:,}，需核对 {row['check']:,}，需人工 {row['review']:,}"
        for row in counts.to_dict("records")
    ]
    return dict(zip(counts.index, lines, strict=True))


def _counts(choice: Choice, issues: pd.DataFrame, rejected: pd.DataFrame) -> dict[str, int]:
    decisions = choice.ranking["decision"].value_counts()
    files = int((rejected["source_row"] == 0).sum())
    return {
        "read": len(choice.ranking),
        "rejected_rows": len(rejected) - files,
        "rejected_files": files,
        **{name: int(decisions.get(name, 0)) for name in DECISIONS},
        "urgent": int((choice.ranking["urgency"] == "urgent").sum()),
        "endangered": int(choice.ranking["endangered"].sum()),
        "issues": len(issues),
        "hot": int(is_hot(issues).sum()),
        "duplicates": int(choice.ranking["duplicate_of"].notna().sum()),
        "mass_posted": int(choice.wordings["submissions"].sum()),
        "reopened": int(choice.ranking["reopened"].sum()),
    }


def _write_options(
    book: Workbook, choice: Choice, topic_names: Mapping[str, str], departments: Iterable[str], formats: Formats
) -> dict[str, str]:
    """The hidden sheet of lists to choose from; a list written into the validation itself ends at 255 characters."""
    seen = choice.ranking["department"].value_counts(sort=True).index.tolist()
    own = [*choice.rows["topic"], *choice.review_submissions["topic"]]
    lists = {
        "topics": _distinct([*topic_names.values(), *(topic_names.get(topic, topic) for topic in own)]),
        "departments": _distinct([*seen, *departments]),
        "verdicts": [CONFIRMED],
    }
    sheet = book.add_worksheet(OPTIONS_SHEET)
    sheet.hide()
    for place, header in enumerate(("主题", "承办单位", "确认")):
        write_text(sheet, 0, place, header, formats)
    for row in range(max(map(len, lists.values()))):
        for place, values in enumerate(lists.values()):
            if row < len(values):
                write_text(sheet, row + 1, place, values[row], formats)
    return {
        name: f"='{OPTIONS_SHEET}'!${letter}$2:${letter}${len(values) + 1}"
        for letter, (name, values) in zip("ABC", lists.items(), strict=True)
        if values
    }


def _distinct(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value.strip()]
