"""Excel workbooks, Word documents and text files as offices really send them."""

import datetime as dt
import io
import zipfile

import docx
import openpyxl
import pandas as pd
import pytest
import xlwt
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.reading import ReadOptions, read_submissions
from pipeline.reading.cells import clean_text
from pipeline.reading.headers import map_headers, plain_header
from pipeline.settings import ReadingSettings

HEATING = "道里区新阳路某小区暖气不热，室温只有十五度。"
NOISE = "南岗区夜市烧烤摊半夜还在放音响，吵得睡不着。"


def workbook(path, sheets, merges=()):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for name_merged, cells in merges:
            if name_merged == name:
                sheet.merge_cells(cells)
    book.save(path)
    return path


def told(reading):
    columns = ("source_sheet", "source_row", "reason")
    return list(zip(*(reading.rejected[column] for column in columns), strict=True))


def test_each_sheet_has_its_own_header_below_its_title_rows(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "一月": [["哈尔滨市热线工单"], [], ["工单编号", "工单标题", "诉求内容"], [188006, "暖气", HEATING]],
            "空": [],
            "二月": [
                ["留言编号", "留言主题", "留言详情", "留言时间"],
                ["007", "夜市", NOISE, dt.datetime(2024, 1, 2, 9, 5)],
            ],
            "说明": [["填表说明"], ["请如实填写"]],
        },
    )
    reading = read_submissions(path)
    rows = reading.submissions
    assert list(rows.submission_id) == ["188006", "007"]
    assert list(rows.source_sheet) == ["一月", "二月"]
    assert list(rows.source_row) == [4, 2]
    assert rows.submitted_at[1] == pd.Timestamp("2024-01-02 09:05")
    [(sheet, row, reason)] = told(reading)
    assert (sheet, row) == ("说明", 0)
    assert "填表说明" in reason or "请如实填写" in reason


def test_long_ids_stay_as_they_are_as_text_and_as_number(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {"甲": [["编号", "内容"], ["230103199001011234", HEATING], [188006.0, NOISE], [20240102000123, "路灯不亮"]]},
    )
    ids = read_submissions(path).submissions.submission_id
    assert list(ids) == ["230103199001011234", "188006", "20240102000123"]


def test_an_id_whose_last_digits_excel_has_lost_is_replaced_and_told(tmp_path):
    lost = [230103199001011200, 230103199001011200, 1e15]
    path = workbook(
        tmp_path / "a.xlsx",
        {"甲": [["编号", "内容"], [999999999999999, HEATING], *([number, NOISE] for number in lost)]},
    )
    reading = read_submissions(path)
    start = f"{reading.files[0].sha256[:8]}-甲"
    assert list(reading.submissions.submission_id) == ["999999999999999", *(f"{start}-{row}" for row in (3, 4, 5))]
    [note] = reading.notes
    assert note.startswith("a.xlsx：3 个编号超过 15 位，Excel 已丢失末尾数字")


def test_a_place_merged_over_rows_holds_for_each_of_them(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "甲": [
                ["编号", "区县", "地址", "来源", "内容"],
                ["1", "道里区", "新阳路1号", "热线", HEATING],
                ["2", None, "道里区新阳路2号", None, NOISE],
                ["3", None, None, None, None],
                ["4", "南岗区", None, None, "路灯不亮"],
            ]
        },
        [("甲", "B2:B4"), ("甲", "D2:D5")],
    )
    reading = read_submissions(path)
    assert list(reading.submissions.place) == ["道里区新阳路1号", "道里区新阳路2号", "南岗区"]
    assert list(reading.submissions.channel) == ["热线", "热线", "热线"]
    assert told(reading) == [("甲", 4, "标题和内容都是空的")]


def test_a_text_merged_over_rows_is_one_submission(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "甲": [
                ["编号", "标题", "内容", "承办"],
                ["1", "暖气", HEATING, "甲局"],
                [None, None, None, "乙局"],
                ["2", "夜市", NOISE, "丙局"],
            ]
        },
        [("甲", "A2:A3"), ("甲", "B2:B3"), ("甲", "C2:C3")],
    )
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == ["1", "2"]
    [(sheet, row, reason)] = told(reading)
    assert (sheet, row) == ("甲", 3)
    assert reason.startswith("内容格与上一行合并")


@pytest.mark.parametrize("own", ["编号", "标题", "姓名"])
def test_a_row_of_its_own_that_shares_a_merged_text_is_a_submission_with_that_text(tmp_path, own):
    header = ["编号", "标题", "姓名", "内容", "承办"]
    second = [f"另一{own}" if name == own else None for name in header[:3]]
    rows = [header, ["1", "暖气", "王某", HEATING, "甲局"], [*second, None, "乙局"], [None] * 4 + ["丙局"]]
    path = workbook(tmp_path / "a.xlsx", {"甲": [*rows, ["2", "夜市", "李某", NOISE, "丙局"]]}, [("甲", "D2:D4")])
    reading = read_submissions(path)
    assert list(reading.submissions.source_row) == [2, 3, 5]
    assert list(reading.submissions.text) == [HEATING, HEATING, NOISE]
    field = {"编号": "submission_id", "标题": "title", "姓名": "submitter"}[own]
    assert reading.submissions[field][1] == f"另一{own}"
    assert [(sheet, row) for sheet, row, _ in told(reading)] == [("甲", 4)]


def test_a_header_of_two_storeys_is_read(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "甲": [
                ["市民诉求汇总表", None, None, None, None],
                ["编号", "诉求人信息", None, "诉求", None],
                [None, "姓名", "联系电话", "标题", "内容"],
                ["1", "张某", "123", "暖气", HEATING],
            ]
        },
        [("甲", "A1:E1"), ("甲", "A2:A3"), ("甲", "B2:C2"), ("甲", "D2:E2")],
    )
    [row] = read_submissions(path).submissions.itertuples()
    assert (row.submission_id, row.submitter, row.title, row.text, row.source_row) == ("1", "张某", "暖气", HEATING, 4)


def test_blank_columns_on_the_left_do_not_move_merged_cells(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {"甲": [[None, None, "区县", "内容"], [None, None, "道里区", HEATING], [None, None, None, NOISE]]},
        [("甲", "C2:C3")],
    )
    assert list(read_submissions(path).submissions.place) == ["道里区", "道里区"]


def test_totals_and_printed_headers_between_rows_are_told(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "甲": [
                ["编号", "标题", "内容"],
                ["1", "暖气", HEATING],
                ["编号", "标题", "内容"],
                [None, None, None],
                ["合计", None, 1],
            ]
        },
    )
    reading = read_submissions(path)
    assert len(reading.submissions) == 1
    assert told(reading) == [("甲", 3, "重复的表头，不是诉求"), ("甲", 5, "合计行，不是诉求")]


def test_a_hidden_sheet_is_noted(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"甲": [["内容"], [HEATING]], "乙": [["内容"], [NOISE]]})
    book = openpyxl.load_workbook(path)
    book["乙"].sheet_state = "hidden"
    book.save(path)
    reading = read_submissions(path)
    assert list(reading.submissions.text) == [HEATING]
    assert "隐藏的工作表没有读取" in reading.notes[0]


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_an_old_workbook_is_read_whatever_it_is_called(tmp_path, name):
    book = xlwt.Workbook()
    sheet = book.add_sheet("甲")
    style = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for column, header in enumerate(["编号", "内容", "时间", "区县"]):
        sheet.write(0, column, header)
    for row, text in enumerate([HEATING, NOISE], start=1):
        sheet.write(row, 0, 188005 + row)
        sheet.write(row, 1, text)
        sheet.write(row, 2, dt.date(2024, 1, row), style)
    sheet.write_merge(1, 2, 3, 3, "道里区")
    book.save(str(tmp_path / name))
    rows = read_submissions(tmp_path / name).submissions
    assert list(rows.submission_id) == ["188006", "188007"]
    assert list(rows.submitted_at) == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")]
    assert list(rows.place) == ["道里区", "道里区"]


def test_a_csv_named_xls_is_read(tmp_path):
    path = tmp_path / "a.xls"
    path.write_bytes(f"编号\t内容\n1\t{HEATING}\n".encode("gb18030"))
    assert list(read_submissions(path).submissions.text) == [HEATING]


def damaged_files():
    whole = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["内容"])
    book.save(whole)
    yield "cut.xlsx", whole.getvalue()[:-400], "损坏"
    hollow = io.BytesIO()
    with zipfile.ZipFile(hollow, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    yield "hollow.xlsx", hollow.getvalue(), "损坏"
    yield "page.xls", "<html><table><tr><td>内容</td></tr></table></html>".encode(), "网页"
    yield (
        "locked.xlsx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        "密码",
    )
    yield "noise.xlsx", bytes(range(256)) * 4, "损坏"
    yield "ole.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "损坏"
    yield "noise.docx", bytes(range(256)) * 4, "损坏"
    yield "cut.parquet", b"PAR1" + bytes(40), "损坏"
    yield "archive.docx", hollow.getvalue().replace(b"xl/", b"yy/"), "另存"
    yield "list.jsonl", b'[{"text": "x"}]', "JSON 列表"
    yield "letter.wps", b"x", "另存为 .docx"


@pytest.mark.parametrize(("name", "content", "word"), list(damaged_files()), ids=lambda value: str(value)[:12])
def test_a_file_that_cannot_be_read_is_one_line_and_the_others_are_read(tmp_path, name, content, word):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.csv").write_text(f"内容\n{HEATING}\n", encoding="utf-8")
    reading = read_submissions(tmp_path)
    assert list(reading.submissions.text) == [HEATING]
    [(_, row, reason)] = told(reading)
    assert row == 0
    assert word in reason


def test_a_damaged_sheet_costs_itself(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"甲": [["内容"], [HEATING]], "乙": [["内容"], [NOISE]]})
    broken = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[:150] if name.endswith("sheet1.xml") else content)
    reading = read_submissions(broken)
    assert list(reading.submissions.text) == [NOISE]
    [(sheet, row, reason)] = told(reading)
    assert (sheet, row) == ("甲", 0)
    assert "损坏" in reason


def test_a_word_document_is_one_submission_with_its_tables(tmp_path):
    document = docx.Document()
    document.add_heading("关于加强冬季供热的提案", level=1)
    document.add_paragraph(HEATING)
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "建议单位", "住建局"
    document.add_paragraph("此致")
    document.save(str(tmp_path / "提案.docx"))
    reading = read_submissions(tmp_path / "提案.docx")
    [row] = reading.submissions.itertuples()
    assert row.title == "关于加强冬季供热的提案"
    assert row.text == f"{HEATING}\n建议单位 住建局\n此致"
    assert row.submission_id == f"{reading.files[0].sha256[:8]}-1"


def test_insertions_are_read_deletions_are_not_and_text_boxes_once(tmp_path):
    document = docx.Document()
    document.add_paragraph("供热")
    document.element.body.insert(
        1,
        parse_xml(
            f"<w:p {nsdecls('w')}><w:r><w:t>室温</w:t></w:r>"
            "<w:ins w:id='1' w:author='a'><w:r><w:t>只有十五度</w:t></w:r></w:ins>"
            "<w:del w:id='2' w:author='a'><w:r><w:delText>十八度</w:delText></w:r></w:del></w:p>"
        ),
    )
    box = f"<w:txbxContent {nsdecls('w')}><w:p><w:r><w:t>框里的话</w:t></w:r></w:p></w:txbxContent>"
    compatible = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    document.element.body.insert(
        2,
        parse_xml(
            f"<w:p {nsdecls('w')} {compatible}><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
            f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
        ),
    )
    document.save(str(tmp_path / "a.docx"))
    [row] = read_submissions(tmp_path / "a.docx").submissions.itertuples()
    assert (row.title, row.text) == ("供热", "室温只有十五度\n框里的话")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_file_is_one_submission_with_a_short_first_line_as_title(tmp_path, encoding):
    (tmp_path / "a.txt").write_bytes(f"暖气不热\r\n\r\n{HEATING}\r\n{NOISE}".encode(encoding))
    (tmp_path / "b.txt").write_bytes(HEATING.encode(encoding))
    rows = read_submissions(tmp_path).submissions
    assert list(rows.title) == ["暖气不热", ""]
    assert list(rows.text) == [f"{HEATING}\n{NOISE}", HEATING]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("＊标题（必填）：", "标题"),
        ("留言 時間", "留言时间"),
        ("3、您的意见建议", "您的意见建议"),
        ("Submission_ID", "submissionid"),
        ("Ｔｅｘｔ", "text"),
        ("信件標題", "信件标题"),
        ("(内容)", "内容"),
        ("内容（500字以内）*", "内容"),
    ],
)
def test_headers_are_compared_without_what_makes_them_differ(written, plain):
    assert plain_header(written) == plain


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (
            "submission_id title text submitted_at submitter channel place",
            "submission_id title text submitted_at submitter channel place_whole",
        ),
        ("留言编号 留言用户 留言主题 留言时间 留言详情 点赞数", "submission_id submitter title submitted_at text"),
        ("序号 工单号 案由 委员姓名 提案内容", "submission_id title submitter text"),
        ("序号 您的意见 提交答卷时间 来源", "submission_id text submitted_at channel"),
        (
            "受理编号 来电人 来电时间 所属区域 事发地址 诉求描述 办理意见",
            "submission_id submitter submitted_at place_district place_address text",
        ),
        ("編號 標題 內容 時間 來源 地址", "submission_id title text submitted_at channel place_address"),
    ],
)
def test_headers_of_many_systems_are_known(headers, fields):
    found = map_headers(headers.split(), ReadOptions())
    assert set(found.columns) == set(fields.split())


def test_a_question_of_a_questionnaire_is_taken_for_the_text_and_noted():
    headers = ["序号", "提交答卷时间", "来源", "来源详情", "3、您对本市供热工作有什么意见或建议？"]
    found = map_headers(headers, ReadOptions())
    assert found.columns["text"] == 4
    assert "没有认出正文列" in found.notes[0]


def test_a_number_of_the_ticket_comes_before_a_row_number():
    assert map_headers(["序号", "工单号", "内容"], ReadOptions()).columns["submission_id"] == 1


def test_two_columns_for_one_field_are_noted_and_the_exacter_is_taken():
    found = map_headers(["问题描述", "内容", "编号"], ReadOptions())
    assert found.columns["text"] == 1
    assert found.notes == ("“内容”与“问题描述”含义相近，按“内容”读取",)


def test_an_answer_of_the_office_is_never_taken_for_the_text():
    found = map_headers(["编号", "时间", "答复内容", "办理意见", "市民所述详情"], ReadOptions())
    assert found.columns["text"] == 4
    assert not map_headers(["编号", "时间", "答复内容"], ReadOptions()).usable


def test_the_header_is_only_looked_for_in_the_first_rows(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"甲": [["说明"]] * 3 + [["内容"], [HEATING]]})
    assert read_submissions(path, settings=ReadingSettings(header_search_rows=3)).submissions.empty
    assert len(read_submissions(path).submissions) == 1


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
)


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(CELLS, min_size=1, max_size=5))
def test_what_is_written_as_workbook_is_read_back(tmp_path, texts):
    path = workbook(
        tmp_path / "a.xlsx", {"甲": [["编号", "内容"], *([f"n{n}", "路灯" + text] for n, text in enumerate(texts))]}
    )
    assert list(read_submissions(path).submissions.text) == [clean_text("路灯" + text) for text in texts]
