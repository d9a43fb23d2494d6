"""The workbook, read back with openpyxl: pleasant for a clerk, safe against hostile texts, within its limits."""

import datetime as dt
import shutil
import subprocess
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_tables import HOSTILE, issues_of, read_csv, routed_rows

from pipeline.errors import OutputError, TableError
from pipeline.schema import LINKS, REJECTED, ROUTED, empty_table
from pipeline.settings import TablesSettings
from pipeline.tables import read_parquet, write_routed, write_workbook
from pipeline.tables.choosing import fair_share, read_rows

TOPICS = {"housing": "住房物业", "market": "市场监管", "other": "其他"}
HEATING, HOUSING = "南岗区供热物业办", "道里区住房和城乡建设局"


def make(folder, routed, *, issues=None, links=None, marks=None, rejected=None, notes=(), departments=(), **limits):
    """Write the workbook of these rows and open it."""
    write_routed(folder / "routed.parquet", [routed])
    files = write_workbook(
        folder / "routing_tables.xlsx",
        folder / "routed.parquet",
        issues=issues_of(read_parquet(folder / "routed.parquet", ROUTED)) if issues is None else issues,
        links=empty_table(LINKS) if links is None else links,
        marks=marks,
        rejected=empty_table(REJECTED) if rejected is None else rejected,
        notes=notes,
        topic_names=TOPICS,
        departments=departments,
        made_at=dt.datetime(2025, 3, 1, 9, 5),
        mass_posted_rows=5,
        settings=TablesSettings(**limits),
    )
    return openpyxl.load_workbook(files[0]), [file.name for file in files]


def records(sheet):
    """The rows of a sheet as dicts by header."""
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def column(sheet, header):
    """Cells below a header."""
    place = [cell.value for cell in sheet[1]].index(header) + 1
    return [row[0] for row in sheet.iter_rows(min_row=2, min_col=place, max_col=place)]


@pytest.fixture
def week():
    """Six submissions of one week: an urgent one, two of one issue to decide, one without a body."""
    return routed_rows(
        {"title": "暖气不热", "department": HEATING, "decision": "check"},
        {"title": "电梯停用"},
        {"title": "缴费无发票", "decision": "review", "department_probability": 0.3, "issue_id": "S9"},
        {"title": "缴费无发票二", "decision": "review", "department_probability": 0.4, "issue_id": "S9"},
        {"title": "外墙要掉", "decision": "review", "urgency": "urgent", "department_probability": 0.1},
        {"title": "说不清", "decision": "review", "department": "", "department_probability": 0.0, "topic": "我的标签"},
    )


def test_sheets_stand_in_the_order_of_a_clerks_day(tmp_path, week):
    book, files = make(tmp_path, week)
    assert book.sheetnames == [
        *("目录", "总表", "待人工复核", "热点问题", "事项明细"),
        *(HOUSING, HEATING, "其他部门", "未处理", "选项"),
    ]
    assert book["选项"].sheet_state == "hidden"
    assert files == ["routing_tables.xlsx"]


def test_the_whole_table_is_chinese_and_in_input_order(tmp_path, week):
    book, _ = make(tmp_path, week)
    rows = records(book["总表"])
    assert [row["标题"] for row in rows] == week["title"].tolist()
    assert rows[4]["紧急程度"] == "紧急"
    assert [row["处理方式"] for row in rows] == ["核对", "自动", "人工", "人工", "人工", "人工"]
    assert [row["主题"] for row in rows] == ["住房物业"] * 5 + ["我的标签"]
    assert rows[0]["候选单位"] == "道里区住房和城乡建设局、道里区市场监督管理局"
    assert rows[2]["事项件数"] == 2
    assert rows[0]["提交时间"] == dt.datetime(2025, 1, 6, 8, 30)
    assert column(book["总表"], "主题把握")[0].number_format == "0%"


def test_review_begins_with_the_endangered_then_with_what_one_decision_puts_right(tmp_path, week):
    book, _ = make(tmp_path, week)
    rows = records(book["待人工复核"])
    assert [(row["标题"], row["复核理由"]) for row in rows] == [
        ("外墙要掉", "紧急；把握 10%"),
        ("缴费无发票", "一次定 2 件；把握 30%"),  # 0.7 + 0.6 submissions would go wrong
        ("缴费无发票二", "一次定 2 件；把握 40%"),
        ("说不清", "没有首选单位"),  # 1 would
    ]


def test_what_waits_to_be_checked_is_settled_by_a_decision_too(tmp_path):
    rows = routed_rows(
        {"title": "一件没把握", "decision": "review", "department_probability": 0.1},
        {"title": "三件之一", "decision": "review", "department_probability": 0.5, "issue_id": "三"},
        *[{"decision": "check", "department_probability": 0.7, "issue_id": "三"}] * 2,
        {"decision": "auto", "issue_id": "三", "urgency": "urgent"},
    )
    rows["submission_id"] = [f"{number}" for number in range(len(rows))]
    shown = records(make(tmp_path, rows)[0]["待人工复核"])
    assert [(row["标题"], row["复核理由"]) for row in shown] == [
        ("三件之一", "一次定 3 件；把握 50%"),  # 0.5 + 0.3 + 0.3, and what is decided does not count
        ("一件没把握", "把握 10%"),
    ]


def test_an_urgent_submission_takes_its_issue_to_the_front_of_its_bodys_sheet(tmp_path):
    rows = routed_rows(
        {"title": "热点一", "issue_id": "热"},
        {"title": "先说的", "issue_id": "险"},
        {"title": "热点二", "issue_id": "热"},
        {"title": "要塌了", "issue_id": "险", "urgency": "urgent"},
        {"title": "热点三", "issue_id": "热"},
    )
    sheet = make(tmp_path, rows)[0][HOUSING]
    assert [row["标题"] for row in records(sheet)] == ["要塌了", "先说的", "热点一", "热点二", "热点三"]
    assert column(sheet, "事项")[0].font.color.rgb == "FFC00000"
    assert [rule.formula for area in sheet.conditional_formatting for rule in area.rules][0] == ["$C2<>$C1"]


def test_a_bodys_sheet_has_on_paper_what_a_case_file_asks_for(tmp_path, week):
    rows = week.assign(township="安埠街道", spot="兆麟小区", text="电梯停了。" * 50, deadline=dt.date(2025, 1, 20))
    rows.loc[1, ["district", "township", "spot", "place"]] = [None, None, None, "群力第五大道"]
    sheet = make(tmp_path, rows)[0][HOUSING]
    by_title = {row["标题"]: row for row in records(sheet)}
    row = by_title["缴费无发票"]
    assert list(row)[: list(row).index("标题")] == [
        *("编号", "紧急程度", "事项", "人数", "摘要", "地点", "承办单位", "办理期限", "依据"),
    ]
    assert (row["编号"], row["事项"], row["人数"]) == ("000002", "兆麟小区电梯停用\nS9", 2)
    assert row["地点"] == "道里区 安埠街道 兆麟小区"
    assert by_title["电梯停用"]["地点"] == "群力第五大道", "where the words settle nothing, as it was given"
    assert row["摘要"] == ("电梯停了。" * 50)[:110] + "…"
    assert sheet.print_area == f"'{HOUSING}'!$A$1:$I$5"
    assert sheet.row_dimensions[2].height < 90, "the whole text, which is not printed, makes no room for itself"


def test_a_bodys_sheet_has_its_rows_and_the_rest_is_under_others(tmp_path, week):
    book, _ = make(tmp_path, week, sheets=1)
    assert [row["标题"] for row in records(book[HOUSING])][0] == "外墙要掉"
    assert len(records(book[HOUSING])) == 4
    assert [row["标题"] for row in records(book["其他部门"])] == ["暖气不热", "说不清"]
    assert HEATING not in book.sheetnames


def test_hot_issues_are_those_of_several_hottest_first(tmp_path):
    rows = routed_rows(*[{"issue_id": name} for name in ("甲", "乙", "乙", "丙", "丙", "丙")])
    hot = records(make(tmp_path, rows)[0]["热点问题"])
    assert [(row["事项编号"], row["件数"]) for row in hot] == [("丙", 3), ("乙", 2)]
    assert hot[0]["编号列表"] == "000003、000004、000005"
    assert hot[0]["代表件内容"] == rows["text"][3]


def test_what_was_not_read_is_listed_with_its_reason_and_the_notes(tmp_path, week):
    rejected = pd.DataFrame(
        {
            "source_file": ["一月.xlsx", "旧稿.doc"],
            "source_sheet": ["来件", ""],
            "source_row": [8, 0],
            "reason": ["标题和正文都是空的", "请另存为 .docx"],
        }
    )
    book, _ = make(tmp_path, week, rejected=rejected, notes=["有 1 个编号重复。"])
    assert records(book["未处理"]) == [
        {"文件": "一月.xlsx", "工作表": "来件", "行": 8, "原因": "标题和正文都是空的"},
        {"文件": "旧稿.doc", "工作表": None, "行": None, "原因": "请另存为 .docx"},
        {"文件": "（运行说明）", "工作表": None, "行": None, "原因": "有 1 个编号重复。"},
    ]
    counts = {row[0]: row[1] for row in book["目录"].iter_rows(values_only=True) if isinstance(row[1], int)}
    assert (counts["收到"], counts["未处理行"], counts["未处理文件"]) == (6, 1, 1)  # read and rejected of run.json
    assert counts["未处理"] == 2, "the sheet's rows, without the remark on the run"
    assert (counts["自动"], counts["核对"], counts["人工"]) == (1, 1, 4)
    assert (counts["事项"], counts["紧急"], counts["总表"]) == (5, 1, 6)


def test_the_contents_link_to_every_visible_sheet(tmp_path, week):
    book, _ = make(tmp_path, week.assign(department=["O'Brien 街道办'", *week["department"][1:]]))
    links = {cell.value: cell.hyperlink.location for row in book["目录"] for cell in row if cell.hyperlink}
    assert list(links) == book.sheetnames[1:-1]
    assert links["O'Brien 街道办"] == "'O''Brien 街道办'!A1"
    assert book["目录"]["A2"].value == "生成时间：2025-03-01 09:05"


def test_sheets_are_set_up_for_screen_and_paper(tmp_path, week):
    book, _ = make(tmp_path, week.assign(text="停水" * 300))
    for name in book.sheetnames[1:-1]:
        sheet = book[name]
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref is not None
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 where it is not said
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.oddHeader.center.text == "&A"
        assert "&P" in sheet.oddFooter.center.text
    text = column(book["总表"], "内容")[0]
    assert text.alignment.wrap_text
    assert text.alignment.vertical == "top"
    assert all(book["总表"].row_dimensions[row].height <= 110 for row in range(2, 8))
    urgent = column(book["总表"], "紧急程度")[4]
    assert urgent.font.color.rgb == "FFC00000"
    colours = {cell.value: cell.fill.fgColor.rgb for cell in column(book["总表"], "处理方式")}
    assert len(set(colours.values())) == 3


def test_a_clerk_corrects_by_choosing_from_lists_of_any_length(tmp_path, week):
    bodies = [f"哈尔滨市第{number}街道办事处" for number in range(300)]
    book, _ = make(tmp_path, week, departments=bodies)
    lists = {tuple(cell.value for cell in col)[0]: [cell.value for cell in col][1:] for col in book["选项"].columns}
    assert lists["主题"][:4] == ["住房物业", "市场监管", "其他", "我的标签"]
    assert lists["承办单位"][:2] == [HOUSING, HEATING]
    assert lists["承办单位"][-1] == bodies[-1]
    assert lists["确认"][0] == "正确"
    for name in ("总表", "待人工复核", HOUSING, "其他部门"):
        rules = {str(rule.sqref): rule for rule in book[name].data_validations.dataValidation}
        bodies_list = "'选项'!$B$2:$B$303"
        for header, source in (
            ("确认", "'选项'!$C$2:$C$2"),
            ("更正主题", "'选项'!$A$2:$A$5"),
            *((header, bodies_list) for header in ("更正承办单位", "更正协办单位", "退回单位")),
        ):
            cells = column(book[name], header)
            rule = rules[cells[0].coordinate + (f":{cells[-1].coordinate}" if len(cells) > 1 else "")]
            assert rule.formula1 == source
            assert rule.errorStyle == "warning"
            assert all(cell.value is None for cell in cells)


def test_columns_that_are_empty_in_the_whole_run_are_left_out(tmp_path, week):
    headers = [cell.value for cell in make(tmp_path, week)[0]["总表"][1]]
    assert "办理期限" not in headers
    assert "协办单位" not in headers
    assert "街道乡镇" in headers
    dated = week.assign(deadline=dt.date(2025, 1, 20), co_departments=[["道里区消防救援大队"]] * 6)
    sheet = make(tmp_path, dated)[0]["总表"]
    assert column(sheet, "办理期限")[0].value == dt.datetime(2025, 1, 20)
    assert column(sheet, "协办单位")[0].value == "道里区消防救援大队"


@pytest.mark.parametrize(
    "text", ["=1+1", "+86 451", "-1", "@SUM(A1)", "\t=1", "{=1}", "http://a.example", "mailto:a", "1E5"]
)
def test_a_hostile_cell_is_text_and_stays_text_when_edited(tmp_path, text):
    sheet = make(tmp_path, routed_rows({"title": text, "submission_id": "000123", "department": text, "topic": text}))[
        0
    ]["总表"]
    for header, value in (("标题", text), ("承办单位", text), ("主题", text), ("编号", "000123")):
        cell = column(sheet, header)[0]
        assert (cell.value, cell.data_type, cell.hyperlink) == (value, "s", None)
        assert cell.number_format == "@"
        assert cell.quotePrefix is (text[0] in "=+-@\t" and header != "编号")


def ids_in(sheet):
    return [cell.value for cell in column(sheet, "编号")]


def in_danger(rows, *ids, repeats=None):
    """What the workbook is told of rows beside ROUTED."""
    return pd.DataFrame({"endangered": rows["submission_id"].isin(ids), "repeats": repeats or [None] * len(rows)})


def test_a_person_in_danger_stands_before_what_is_merely_urgent(tmp_path, week):
    lost, urgent = week["submission_id"].iloc[-1], week["submission_id"].iloc[0]
    rows = week.assign(department=HOUSING, decision=["review", *["check"] * 5])
    rows = rows.assign(urgency=["urgent", *["normal"] * 4, "urgent"])
    book, _ = make(tmp_path, rows, marks=in_danger(rows, lost))
    assert ids_in(book["待人工复核"]) == [lost, urgent], "it is looked at although it was decided check"
    assert ids_in(book[HOUSING])[:2] == [lost, urgent]
    assert {row[0]: row[1] for row in book["目录"].iter_rows(values_only=True)}["人身危险"] == 1


def test_a_person_in_danger_is_shown_where_the_workbook_lists_only_issues(tmp_path):
    rows = routed_rows(*[{"decision": "check"} for _ in range(60)], *[{"decision": "review"} for _ in range(60)])
    danger = rows["submission_id"].iloc[::6].tolist()
    book, files = make(tmp_path, rows, marks=in_danger(rows, *danger), workbook_rows=40, workbook_issues=40)
    assert "routed.csv" in files
    assert ids_in(book["待人工复核"])[:20] == danger[:20]


def test_where_the_workbook_lists_only_issues_one_with_a_person_in_danger_begins_its_bodys_sheet(tmp_path):
    rows = routed_rows(*[{"department": HOUSING, "issue_id": f"S{number}"} for number in range(120)])
    lost = rows["submission_id"].iloc[-1]
    book, files = make(tmp_path, rows, marks=in_danger(rows, lost), workbook_rows=40, workbook_issues=40)
    assert "routed.csv" in files
    assert records(book[HOUSING])[0]["事项编号"] == "S119", "the coolest and last of all"


def test_calls_for_help_of_one_wording_are_counted_as_posted_in_masses(tmp_path):
    rows = routed_rows(*[{} for _ in range(6)])
    ids = rows["submission_id"].tolist()
    marks = in_danger(rows, *ids, repeats=[None, *[ids[0]] * 5])
    book, _ = make(tmp_path, rows, marks=marks)
    [wording] = records(book["群发来件"])
    assert wording["件数"] == 6


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*[HOSTILE] * 9), min_size=1, max_size=8))
def test_no_text_whatever_becomes_a_formula_or_breaks_the_file(tmp_path, lines):
    names = ("title", "text", "topic", "department", "reason", "submitter", "channel", "issue_id", "township")
    hostile = {
        name: pd.Series(texts, dtype="object") for name, texts in zip(names, zip(*lines, strict=True), strict=True)
    }
    rows = routed_rows(*[{}] * len(lines)).assign(**hostile)
    texts = lines[0]
    failed = dict(zip(REJECTED.names, (texts[0], texts[1], 3, texts[2]), strict=True))
    rejected = pd.DataFrame({name: pd.Series([value], dtype="object") for name, value in failed.items()})
    book, _ = make(tmp_path, rows, rejected=rejected, notes=[texts[3]], departments=texts[4:])
    for sheet in book:
        assert all(cell.data_type != "f" for line in sheet for cell in line)
    with zipfile.ZipFile(tmp_path / "routing_tables.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/"))


def test_a_long_number_keeps_every_digit_and_a_long_text_is_cut_with_a_mark(tmp_path):
    book, _ = make(tmp_path, routed_rows({"submission_id": "230102199901011234", "text": "漏" * 33_000}))
    assert column(book["总表"], "编号")[0].value == "230102199901011234"
    assert column(book["总表"], "内容")[0].value.endswith("…（全文见 routed.parquet）")


def test_dates_that_excel_does_not_know_are_text(tmp_path):
    rows = routed_rows({"submitted_at": pd.Timestamp("1899-05-01 10:00")}, {"submitted_at": pd.NaT})
    cells = column(make(tmp_path, rows)[0]["总表"], "提交时间")
    assert [cell.value for cell in cells] == ["1899-05-01 10:00", None]


def test_a_run_without_submissions_still_opens(tmp_path):
    book, files = make(tmp_path, routed_rows())
    assert book.sheetnames == ["目录", "总表", "待人工复核", "热点问题", "事项明细", "其他部门", "未处理", "选项"]
    assert files == ["routing_tables.xlsx"]


@pytest.mark.parametrize(("limit", "whole"), [(18, True), (17, False)])
def test_the_limit_counts_a_submission_on_each_of_its_sheets(tmp_path, limit, whole):
    # Seven on 总表, seven with their bodies, one to review; two are of one issue: one hot line, two of 事项明细.
    rows = routed_rows(*[{}] * 5, *[{"decision": "review", "department": HEATING}])
    rows = pd.concat([rows, routed_rows({"submission_id": "x"})], ignore_index=True)
    book, files = make(tmp_path, rows, workbook_rows=limit)
    assert ("编号" in [cell.value for cell in book["总表"][1]]) is whole
    assert ("routed.csv" in files) is not whole


def test_past_the_limit_the_workbook_lists_the_hottest_issues_and_the_csv_every_row(tmp_path):
    bodies = [HOUSING] * 30 + [HEATING] * 20 + ["道外区教育局"] * 10
    rows = routed_rows(
        *[
            {"department": body, "issue_id": f"S{number // 2 if number < 20 else number}", "decision": decision}
            for number, (body, decision) in enumerate(zip(bodies, ["review", "auto"] * 30, strict=True))
        ]
    )
    book, files = make(tmp_path, rows, workbook_rows=60)
    assert files == ["routing_tables.xlsx", "routed.csv"]
    listed = {name: records(book[name]) for name in book.sheetnames[1:-2]}
    assert sum(map(len, listed.values())) <= 60
    heat = [row["热度"] for row in listed["总表"]]
    assert heat == sorted(heat, reverse=True)
    assert heat[0] == 2
    assert all(row["承办单位"] == HEATING for row in listed[HEATING])
    assert min(len(listed[name]) for name in (HOUSING, HEATING, "道外区教育局")) >= 4
    assert len(listed["待人工复核"]) == 15
    assert len(read_csv(tmp_path / "routed.csv")) == 60
    about = {row[0]: row[2] for row in book["目录"].iter_rows(values_only=True)}
    assert about["总表"].endswith("共有 50 个")
    assert about["待人工复核"].endswith("列出 15 件，共有 30 件")
    assert any("routed.csv" in str(row[0]) for row in book["目录"].iter_rows(values_only=True))


def test_small_bodies_leave_their_share_to_large_ones():
    assert fair_share([10, 1, 1], 8) == 6
    assert fair_share([1, 2], 100) == 2
    assert fair_share([], 5) == 0


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 100))
def test_shares_never_pass_the_total(sizes, total):
    share = fair_share(sizes, total)
    assert sum(min(size, share) for size in sizes) <= total


def test_rows_are_read_from_the_file_in_the_order_asked_for(tmp_path):
    write_routed(tmp_path / "r.parquet", [routed_rows(*[{}] * 9)])
    positions = pd.Series([7, 0, 4]).to_numpy()
    assert read_rows(tmp_path / "r.parquet", positions)["submission_id"].tolist() == ["000007", "000000", "000004"]
    assert len(read_rows(tmp_path / "r.parquet", positions[:0])) == 0


def test_a_file_that_cannot_be_written_and_a_missing_column_say_what_to_do(tmp_path, week):
    (tmp_path / "routing_tables.xlsx").mkdir()
    with pytest.raises(OutputError, match="Close it if it is open in Excel"):
        make(tmp_path, week)
    with pytest.raises(TableError, match="REJECTED but column reason is missing"):
        make(tmp_path, week, rejected=empty_table(REJECTED).drop(columns="reason"))


@pytest.mark.slow
def test_libreoffice_opens_the_workbook_and_finds_no_formula(tmp_path):
    office = shutil.which("soffice")
    assert office, "LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc"
    make(tmp_path, routed_rows({"title": "=1+1", "submission_id": "000123", "text": "+2+3\x01"}))
    command = [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to"]
    # The last numbers choose the sheet 总表 and ask for formulas as they are written, not for what they give.
    table = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,2"
    subprocess.run(
        [*command, table, "--outdir", tmp_path, tmp_path / "routing_tables.xlsx"],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    (row,) = read_csv(next(tmp_path.glob("*总表.csv")))
    assert (row["编号"], row["标题"], row["内容"]) == ("000123", "=1+1", "+2+3")
