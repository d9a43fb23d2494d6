"""The workbook comes back from clerks: what they chose or confirmed is a label, and nothing else is."""

import shutil
import subprocess

import openpyxl
import pandas as pd
import pytest
from conftest import BODIES as OWN_BODIES
from conftest import HEAT, LAMP, LETTERS_HEADER, WATER, labelled_rows, write_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_tables import routed_rows
from test_tables_workbook import HEATING, HOUSING, make

from pipeline.bundle import load_training
from pipeline.directory import load_directory
from pipeline.errors import InputError
from pipeline.labelling import fit_corrections, prepare_labels
from pipeline.reading import ReadOptions, read_submissions
from pipeline.resources import shipped
from pipeline.schema import CONFIRMED, LABELLED, REJECTED, empty_table, typed

LABELS = ReadOptions(labels=True)
ENTRIES = ("确认", "更正主题", "更正承办单位", "更正协办单位", "退回单位")


def cell_of(sheet, submission_id, header):
    headers = [cell.value for cell in sheet[1]]
    ids = [row[0] for row in sheet.iter_rows(min_col=headers.index("编号") + 1, max_col=headers.index("编号") + 1,
                                             values_only=True)]  # fmt: skip
    return sheet.cell(ids.index(submission_id) + 1, headers.index(header) + 1)


def fill_in(folder, *entries, name="routing_tables.xlsx"):
    """Write (sheet, submission_id, header, value) into the workbook of a folder, as a clerk does."""
    book = openpyxl.load_workbook(folder / name)
    for sheet, submission_id, header, value in entries:
        cell_of(book[sheet], submission_id, header).value = value
    book.save(folder / name)
    return folder / name


def labels_of(path):
    """What training reads of a file: submission_id -> labels that are not empty."""
    rows = read_submissions(path, options=LABELS).submissions
    assert rows["submission_id"].is_unique
    names = ("topic", "department", "department_kind", "co_kinds", "returned_by", "issue", "other_topics")
    return {row["submission_id"]: {name: row[name] for name in names if row[name]} for row in rows.to_dict("records")}


@pytest.fixture
def week(tmp_path):
    """The folder of a run: five submissions on 总表 and the sheets of two bodies, two of them to review."""
    rows = routed_rows(
        {"submission_id": "a-1", "title": "暖气不热", "text": HEAT[0], "department": HEATING},
        {"submission_id": "a-2", "title": "电梯停用", "place": "兆麟小区"},
        {"submission_id": "a-3", "title": "灯不亮", "text": LAMP[0], "decision": "review", "township": "安埠街道"},
        {
            "submission_id": "a-4",
            "title": "水发黄",
            "text": WATER[0],
            "decision": "review",
            "department": "",
            "department_probability": 0.0,
        },
        {"submission_id": "000123", "title": "停水", "text": WATER[2], "co_departments": ["道里区应急管理局"]},
    )
    make(tmp_path, rows)
    return tmp_path


# What counts


def test_a_word_on_any_sheet_is_the_label_of_its_submission(week):
    fill_in(
        week,
        ("总表", "a-1", "更正主题", "市场监管"),
        ("待人工复核", "a-3", "更正承办单位", "路灯管理所"),
        (HOUSING, "000123", "更正协办单位", "水务局、道里区消防救援大队"),
        ("其他部门", "a-4", "退回单位", "南岗区水务局"),
    )
    assert labels_of(week / "routing_tables.xlsx") == {
        "a-1": {"topic": "市场监管"},
        "a-3": {"department": "路灯管理所"},
        "000123": {"co_kinds": ["水务局", "道里区消防救援大队"]},
        "a-4": {"returned_by": ["南岗区水务局"]},
    }


def test_a_guess_that_nobody_confirmed_is_no_label(week):
    fill_in(week, ("总表", "a-1", "备注", "问过了"), (HOUSING, "a-2", "确认", CONFIRMED))
    assert labels_of(week / "routing_tables.xlsx") == {"a-2": {"topic": "住房物业", "department": HOUSING}}


def test_of_a_confirmed_row_that_is_corrected_too_the_correction_holds(week):
    fill_in(week, (HOUSING, "a-2", "确认", "对"), (HOUSING, "a-2", "更正主题", "市场监管"))
    assert labels_of(week / "routing_tables.xlsx") == {"a-2": {"topic": "市场监管", "department": HOUSING}}


def test_a_workbook_that_nobody_filled_in_says_so(week):
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    assert len(reading.submissions) == 0
    (reason,) = reading.rejected["reason"]
    assert "还没有人确认或更正" in reason


def test_the_same_word_twice_is_one_label_and_two_words_are_told_with_both_places(week):
    fill_in(
        week,
        ("总表", "a-3", "更正承办单位", "城管局"),
        ("待人工复核", "a-3", "更正承办单位", " 城管局"),
        ("总表", "a-4", "更正承办单位", "水务局"),
        ("待人工复核", "a-4", "更正承办单位", "住建局"),
        ("总表", "a-4", "更正主题", "市场监管"),
    )
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    assert reading.submissions["submission_id"].tolist() == ["a-3"]
    (reason,) = reading.rejected["reason"]
    assert reason == "编号 a-4 的更正承办单位有两种说法：总表第 5 行“水务局”，待人工复核第 2 行“住建局”；请改成一样的"


def test_confirming_on_one_sheet_what_is_corrected_on_another_is_a_contradiction(week):
    fill_in(week, ("总表", "a-2", "确认", CONFIRMED), (HOUSING, "a-2", "更正承办单位", HEATING))
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    assert len(reading.submissions) == 0
    assert f"总表第 3 行“{HOUSING}”" in reading.rejected["reason"][0]


def test_a_no_without_what_is_right_is_told(week):
    fill_in(week, ("总表", "a-2", "确认", "不对"), ("总表", "a-3", "确认", "不对"), ("总表", "a-3", "更正主题", "其他"))
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    assert reading.submissions["submission_id"].tolist() == ["a-3"]
    assert "“确认”填的是“不对”，又没有更正" in reading.rejected["reason"][0]


def test_only_what_people_wrote_is_read_as_theirs(week):
    fill_in(week, ("总表", "a-3", "更正主题", "其他"), ("总表", "a-2", "更正主题", "其他"))
    rows = read_submissions(week / "routing_tables.xlsx", options=LABELS).submissions.set_index("submission_id")
    assert rows["text"]["a-3"] == LAMP[0]
    assert rows["title"]["a-3"] == "灯不亮"
    assert rows["place"].to_dict() == {"a-2": "兆麟小区", "a-3": ""}, "a township that was found is not one given"
    assert rows["submitter"]["a-3"] == "王女士"
    assert rows["submitted_at"]["a-3"] == pd.Timestamp("2025-01-06 08:30")
    assert rows["corrected"].all()


def test_other_sheets_of_the_workbook_make_no_noise(week):
    fill_in(week, ("总表", "a-3", "更正主题", "其他"))
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    assert reading.rejected.empty
    assert reading.notes == ("routing_tables.xlsx：是分办的工作簿：5 件中 1 件有人确认或更正，只学这些",)


@pytest.mark.parametrize("headers", [("统计", "数量", "说明", "内容"), ("文件", "工作表", "行", "原因", "标题")])
def test_an_offices_own_sheet_with_headers_of_our_lists_and_a_text_is_read(tmp_path, headers):
    book = openpyxl.Workbook()
    book.active.append(headers)
    book.active.append([*("甲", "乙", "丙", "丁")[: len(headers) - 1], LAMP[0]])
    book.save(tmp_path / "来件.xlsx")
    assert len(read_submissions(tmp_path / "来件.xlsx").submissions) == 1


# What clerks do to a workbook


def sort_by_title(book):
    sheet = book["总表"]
    rows = sorted(([cell.value for cell in row] for row in sheet.iter_rows(min_row=2)), key=lambda row: row[1])
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            sheet.cell(number, place).value = value


def add_a_column_and_a_title(book):
    book["总表"].insert_cols(2)
    book["总表"]["B1"] = "内容摘要（我加的）"
    book["总表"]["B2"] = "我的话"
    book["总表"].insert_rows(1, 2)
    book["总表"]["A1"] = "一月分办情况"


def delete_what_is_not_needed(book):
    for name in ("目录", "热点问题", "事项明细", HEATING, "未处理", "选项"):
        del book[name]
    sheet = book["总表"]
    sheet.delete_cols([cell.value for cell in sheet[1]].index("依据") + 1)
    sheet.delete_rows(2)


def move_lists_to_the_front(book):
    book.move_sheet("热点问题", -4)
    book.move_sheet("未处理", -8)
    book["总表"].title = "存档"


def keep_one_sheet(book):
    for name in book.sheetnames:
        if name != "总表":
            del book[name]


@pytest.mark.parametrize(
    "change",
    [sort_by_title, add_a_column_and_a_title, delete_what_is_not_needed, move_lists_to_the_front, keep_one_sheet],
    ids=lambda change: change.__name__,
)
def test_a_workbook_that_was_rearranged_says_the_same(week, change):
    path = fill_in(
        week, ("总表", "a-3", "更正承办单位", "城管局"), ("总表", "a-4", "更正主题", "市场监管"),
        ("总表", "000123", "确认", CONFIRMED),
    )  # fmt: skip
    before = labels_of(path)
    assert set(before) == {"a-3", "a-4", "000123"}
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    assert labels_of(path) == before
    assert read_submissions(path, options=LABELS).rejected.empty


def test_one_word_in_a_cell_merged_over_an_issues_rows_holds_for_each_of_them(week):
    book = openpyxl.load_workbook(week / "routing_tables.xlsx")
    first, last = (cell_of(book["总表"], name, "更正承办单位") for name in ("a-2", "a-4"))
    first.value = "城管局"
    book["总表"].merge_cells(f"{first.coordinate}:{last.coordinate}")
    book.save(week / "routing_tables.xlsx")
    assert labels_of(week / "routing_tables.xlsx") == dict.fromkeys(("a-2", "a-3", "a-4"), {"department": "城管局"})


def test_sheets_pasted_one_below_the_other_bring_no_header_as_a_submission(week):
    book = openpyxl.load_workbook(fill_in(week, ("总表", "a-3", "更正承办单位", "城管局")))
    for row in list(book["总表"].iter_rows(values_only=True)):
        book["总表"].append(row)
    book.save(week / "routing_tables.xlsx")
    reading = read_submissions(week / "routing_tables.xlsx")
    assert len(reading.submissions) == 5
    assert labels_of(week / "routing_tables.xlsx") == {"a-3": {"department": "城管局"}}


def test_two_clerks_who_filled_in_copies_are_read_together_and_told_where_they_differ(week, directory):
    shutil.copy(week / "routing_tables.xlsx", week / "二科.xlsx")
    fill_in(
        week,
        ("总表", "a-1", "更正主题", "市场监管"),
        ("总表", "a-2", "更正承办单位", "南岗区住房和城乡建设局"),
        ("总表", "a-3", "更正承办单位", "南岗区城市管理局"),
    )
    second = (("总表", "a-2", "确认", CONFIRMED), ("总表", "a-3", "更正承办单位", "住建局"))
    fill_in(week, *second, name="二科.xlsx")
    reading = read_submissions([week / "routing_tables.xlsx", week / "二科.xlsx"], options=LABELS)
    rows, notes = prepare_labels(reading.submissions, reading.rejected, directory=directory, base=KINDS, strict=False)
    # Two bodies of one kind are no contradiction for a model of kinds.
    assert rows["submission_id"].tolist() == ["2", "a-1", "a-2", "a-2-2"]
    both = "routing_tables.xlsx 总表 第 4 行、二科.xlsx 总表 第 4 行"
    assert f"同一内容标了不同的承办部门类别（城管局 / 住建局）：{both}" in notes


def test_without_numbers_a_guess_is_still_no_label(week):
    book = openpyxl.load_workbook(fill_in(week, ("总表", "a-3", "更正承办单位", "城管局")))
    for sheet in book:
        if sheet["A1"].value == "编号":
            sheet.delete_cols(1)
    book.save(week / "routing_tables.xlsx")
    rows = read_submissions(week / "routing_tables.xlsx", options=LABELS).submissions
    assert rows[["title", "department", "topic"]].values.tolist() == [["灯不亮", "城管局", ""]]


def test_a_sheet_saved_as_csv_says_the_same(week):
    book = openpyxl.load_workbook(fill_in(week, ("总表", "a-3", "更正承办单位", "城管局")))
    header, *rows = ([cell.value or "" for cell in row] for row in book["总表"].iter_rows())
    path = write_csv(week / "总表.csv", header, rows, encoding="gb18030")
    assert labels_of(path) == {"a-3": {"department": "城管局"}}


def test_a_column_that_training_is_told_to_use_is_the_users_word(week):
    path = fill_in(week, ("总表", "a-3", "承办单位", "城管局"), ("总表", "a-1", "更正主题", "其他"))
    told = ReadOptions(labels=True, department_column="承办单位")
    rows = read_submissions(path, options=told).submissions
    assert set(rows["department"]) >= {"城管局", HOUSING, HEATING}
    assert not rows["corrected"].any()


# Texts that the workbook does not hold


def test_a_text_that_was_cut_comes_from_the_runs_own_table(tmp_path):
    text = "漏" * 33_000
    make(tmp_path, routed_rows({"submission_id": "long", "text": text}))
    path = fill_in(tmp_path, ("总表", "long", "更正主题", "其他"))
    assert read_submissions(path, options=LABELS).submissions["text"].tolist() == [text]
    assert read_submissions(path).submissions["text"].tolist() == [text]
    (tmp_path / "routed.parquet").unlink()
    reading = read_submissions(path, options=LABELS)
    assert len(reading.submissions) == 0
    assert "请把同一次运行的 routed.parquet 放在工作簿旁边" in reading.rejected["reason"][0]


def test_the_table_of_another_run_lends_its_text_to_nobody(tmp_path):
    (tmp_path / "last").mkdir()
    make(tmp_path / "last", routed_rows({"submission_id": "1", "text": "路灯不亮。" * 9}))
    make(tmp_path, routed_rows({"submission_id": "1", "text": "\x01漏\r\n水" * 11_000}))
    path = fill_in(tmp_path, ("总表", "1", "更正主题", "其他"))
    assert read_submissions(path, options=LABELS).submissions["text"].str.len().tolist() == [33_000]
    shutil.copy(tmp_path / "last" / "routed.parquet", tmp_path / "routed.parquet")
    reading = read_submissions(path, options=LABELS)
    assert len(reading.submissions) == 0
    assert "请把同一次运行的 routed.parquet 放在工作簿旁边" in reading.rejected["reason"][0]


def test_a_correction_of_an_issue_is_that_of_its_representative(tmp_path):
    rows = routed_rows(*[{"issue_id": f"S{number // 2}", "text": f"第{number}封，停水了"} for number in range(40)])
    book, files = make(tmp_path, rows, workbook_rows=60)
    assert "routed.csv" in files
    sheet = book["总表"]
    headers = [cell.value for cell in sheet[1]]
    told = sheet.cell(2, headers.index("代表件") + 1).value
    sheet.cell(2, headers.index("更正承办单位") + 1).value = "水务局"
    book.save(tmp_path / "routing_tables.xlsx")
    (row,) = read_submissions(tmp_path / "routing_tables.xlsx", options=LABELS).submissions.to_dict("records")
    assert (row["submission_id"], row["department"]) == (told, "水务局")
    assert (row["title"], row["text"]) == ("电梯停用", f"第{int(told)}封，停水了")
    (tmp_path / "routed.parquet").unlink()
    (row,) = read_submissions(tmp_path / "routing_tables.xlsx", options=LABELS).submissions.to_dict("records")
    assert (row["title"], row["text"]) == ("", f"第{int(told)}封，停水了"), "the issue's title is not its own"


# What is no label


def test_a_result_without_columns_to_correct_is_not_learned_from(tmp_path):
    rows = routed_rows(*[{"issue_id": f"S{number // 2}"} for number in range(40)])
    make(tmp_path, rows, workbook_rows=60)
    for name in ("routed.parquet", "routed.csv"):
        reading = read_submissions(tmp_path / name, options=LABELS)
        assert len(reading.submissions) == 0
        assert "系统的意见，不能当作标签来学" in reading.rejected["reason"][0]
        assert len(read_submissions(tmp_path / name).submissions) == 40


def test_an_offices_own_table_is_read_as_before(tmp_path):
    header = ["编号", "内容", "主题分类", "承办单位", "紧急程度", "依据"]
    path = write_csv(tmp_path / "办结.csv", header, [["1", HEAT[0], "供热燃气", "松北热力公司", "一般", ""]])
    assert labels_of(path) == {"1": {"topic": "供热燃气", "department": "松北热力公司"}}


# Routing a workbook again


def test_routing_a_workbook_again_takes_each_submission_once_and_says_so(week):
    fill_in(week, ("总表", "a-3", "更正主题", "其他"))
    reading = read_submissions(week / "routing_tables.xlsx")
    assert reading.submissions["submission_id"].tolist() == ["a-1", "a-2", "a-3", "a-4", "000123"]
    assert reading.rejected.empty
    (note,) = reading.notes
    assert "每件只按编号读一次" in note
    assert "train.py" in note


def test_all_who_sent_a_matter_back_count_in_the_next_run_whatever_else_was_said(week):
    fill_in(
        week,
        ("总表", "a-3", "退回单位", "城管局"),
        ("待人工复核", "a-3", "退回单位", "水务局、城管局"),
        ("待人工复核", "a-4", "退回单位", "住建局"),
        ("总表", "a-4", "更正主题", "市场监管"),
        ("待人工复核", "a-4", "更正主题", "其他"),
    )
    rows = read_submissions(week / "routing_tables.xlsx").submissions
    sent = {row["submission_id"]: row["returned_by"] for row in rows.to_dict("records") if row["returned_by"]}
    assert sent == {"a-3": ["城管局", "水务局"], "a-4": ["住建局"]}


def test_bodies_in_one_cell_of_an_offices_own_column_are_parted_as_in_the_workbook(tmp_path):
    path = tmp_path / "来件.csv"
    path.write_text(f'内容,退回单位\n{LAMP[0]},"城管局、水务局，住建局"\n{WATER[0]},住建局\n', encoding="utf-8")
    assert read_submissions(path).submissions["returned_by"].tolist() == [["城管局", "水务局", "住建局"], ["住建局"]]


# What a base makes of them


@pytest.fixture(scope="module")
def directory():
    return load_directory(shipped("directory"))


def corrected(*rows):
    """Rows of LABELLED that a clerk corrected, each a dict of labels."""
    filled = []
    for number, row in enumerate(rows, start=2):
        lists = {"other_topics": [], "department_kind": [], "co_kinds": [], "returned_by": [], "tokens": []}
        plain = {"submission_id": str(number), "title": "", "text": f"信 {number}", "source_file": "表.xlsx"}
        source = {
            "source_sheet": "总表",
            "source_row": number,
            "learn_only": False,
            "example": False,
            "submitted_at": pd.NaT,
        }
        texts = dict.fromkeys(("topic", "department", "issue", "submitter", "channel", "place"), "")
        filled.append(texts | lists | plain | source | row)
    return typed(pd.DataFrame(filled), LABELLED).assign(corrected=True)


KINDS = corrected({"topic": "housing", "department_kind": ["住建局"]})
BODIES = corrected({"topic": "housing", "department": "自来水公司"})
TOPICS_ONLY = corrected({"topic": "housing"})


def test_a_body_becomes_its_kind_where_the_base_has_kinds(directory):
    rows, lines = fit_corrections(
        corrected({"department": "道里区城市管理局", "co_kinds": ["南岗区水务局", "物业公司"]}), KINDS, directory
    )
    assert rows[["department", "department_kind", "co_kinds"]].values.tolist() == [
        ["", ["城管局"], ["水务局", "物业公司"]],
    ]
    assert lines == []


def test_a_body_stays_a_body_where_the_base_has_its_own(directory):
    rows, lines = fit_corrections(corrected({"department": "新来的公司"}), BODIES, directory)
    assert (rows["department"].tolist(), lines) == (["新来的公司"], [])


def test_a_body_or_topic_that_the_base_cannot_learn_is_told_and_the_rest_of_the_row_is_learned(directory):
    rows, lines = fit_corrections(
        corrected({"topic": "housing", "department": "月球管理局"}, {"topic": "月球"}), KINDS, directory
    )
    assert rows[["topic", "department"]].values.tolist() == [["housing", ""]]
    assert "表.xlsx 总表 第 2 行：职责目录里没有“月球管理局”" in lines[0]
    assert "表.xlsx 总表 第 3 行：没有“月球”这个主题" in lines[1]
    rows, lines = fit_corrections(corrected({"department": "道里区城市管理局"}), TOPICS_ONLY, directory)
    assert rows.empty
    assert "原模型没有学过承办单位" in lines[0]


def test_without_a_directory_the_kinds_that_the_base_knows_can_be_chosen():
    rows, lines = fit_corrections(corrected({"department": "住建局"}, {"department": "水务局"}), KINDS, None)
    assert rows["department_kind"].tolist() == [["住建局"]]
    assert "“水务局”" in lines[0]


def test_what_a_clerk_did_not_speak_of_stays_as_the_base_has_it(directory):
    base = corrected({"topic": "housing", "department_kind": ["住建局", "城管局"], "returned_by": ["水务局"]})
    rows, _ = fit_corrections(corrected({"topic": "market"}), base.assign(text="信2"), directory)
    assert rows[["topic", "department_kind", "returned_by"]].values.tolist() == [
        ["market", ["住建局", "城管局"], ["水务局"]],
    ]


def test_rows_that_nobody_corrected_stay_as_they_are(directory):
    own = corrected({"topic": "我的", "department_kind": ["住建局"]}, {"topic": "我的"}).assign(corrected=False)
    rows, lines = fit_corrections(own, KINDS, directory)
    pd.testing.assert_frame_equal(rows, own)
    assert lines == []


def test_a_lists_bodies_become_kinds_beside_a_base_of_kinds_and_unknown_ones_are_told(directory):
    own = corrected(
        {"department": "道里区城市管理局"},
        {"topic": "housing", "department": "月球管理局"},
        {"department": "月球管理局"},
    ).assign(corrected=False)
    rows, lines = fit_corrections(own, KINDS, directory)

    assert [list(kinds) for kinds in rows["department_kind"]] == [["城管局"], []]
    assert (rows["department"] == "").all()
    assert rows["topic"].tolist() == ["", "housing"], "the last row has nothing left to learn"
    assert len(lines) == 2
    assert "职责目录里没有“月球管理局”，没有学" in lines[0]
    same, none = fit_corrections(own, BODIES, directory)
    assert (same["department"].tolist(), none) == (own["department"].tolist(), [])
    alone, none = fit_corrections(own, KINDS, None)
    assert (alone["department"].tolist(), none) == (own["department"].tolist(), []), "nobody can tell the kind"


def test_strict_stops_on_a_correction_that_cannot_be_learned(directory):
    rows = corrected({"topic": "月球"})
    with pytest.raises(InputError, match=r"1 corrections cannot be learned .*“月球”"):
        prepare_labels(rows, empty_table(REJECTED), directory=directory, base=KINDS, strict=True)


def test_a_base_is_not_learned_again_for_a_workbook_that_nobody_filled_in(week, directory):
    reading = read_submissions(week / "routing_tables.xlsx", options=LABELS)
    with pytest.raises(InputError, match=r"No labelled row could be read; the first: .*还没有人确认或更正"):
        prepare_labels(reading.submissions, reading.rejected, directory=directory, base=KINDS, strict=False)


def test_a_model_trained_on_a_corrected_workbook_is_of_the_same_sort_and_knows_better(model, teach, send, tmp_path):
    letters = [[f"w-{number}", "", text, "", "", "热线", "道里区"] for number, text in enumerate((*LAMP, *WATER[:2]))]
    write_csv(tmp_path / "热线.csv", LETTERS_HEADER, letters)
    out = send([tmp_path / "热线.csv"], tmp_path / "out", model).out
    routed = pd.read_parquet(out / "routed.parquet").set_index("submission_id")
    path = fill_in(
        out,
        ("总表", "w-0", "更正承办单位", "道里区教育局"),
        ("总表", "w-1", "更正主题", "供水排水"),
        ("总表", "w-2", "确认", CONFIRMED),
    )
    report = teach([path], tmp_path / "model", base=model)
    assert set(report.manifest["scores"]) == {"topic", "kind"}
    rows = load_training(report.out)
    rows = rows[rows["source_file"] == "routing_tables.xlsx"].set_index("submission_id")
    assert rows["text"].to_dict() == {"w-0": LAMP[0], "w-1": LAMP[1], "w-2": LAMP[2]}
    assert rows["topic"].to_dict() == {"w-0": "", "w-1": "water_supply", "w-2": routed["topic"]["w-2"]}
    confirmed = [routed["department_kind"]["w-2"]] if routed["department"]["w-2"] else []
    assert [list(kinds) for kinds in rows["department_kind"]] == [["教育局"], [], confirmed]
    assert (rows["department"] == "").all()


def test_of_a_model_with_departments_of_its_own_all_can_be_chosen_and_are_learned_as_such(teach, send, tmp_path):
    header, rows = labelled_rows("承办单位", OWN_BODIES)
    write_csv(tmp_path / "办结.csv", header, rows)
    base = teach([tmp_path / "办结.csv"], tmp_path / "base").out
    write_csv(tmp_path / "热线.csv", LETTERS_HEADER, [["w-1", "", f"急：{LAMP[1]}", "", "", "", ""]])
    out = send([tmp_path / "热线.csv"], tmp_path / "out", base).out
    offered = {cell.value for cell in openpyxl.load_workbook(out / "routing_tables.xlsx")["选项"]["B"]}
    assert offered >= set(OWN_BODIES.values()) | {"道里区城市管理局"}
    path = fill_in(out, ("总表", "w-1", "更正承办单位", "自来水公司"))
    report = teach([path], tmp_path / "model", base=base)
    training = load_training(report.out)
    assert training.loc[training["submission_id"] == "w-1", "department"].tolist() == ["自来水公司"]
    assert set(report.manifest["scores"]) == {"department"}


# Whatever is written comes back


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "更正主题": NAMES,
        "更正承办单位": NAMES,
        "更正协办单位": st.lists(NAMES, min_size=1, max_size=3).map("、".join),
        "退回单位": NAMES,
    },
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["总表", HOUSING]), SAID), unique_by=lambda entry: entry[0])
)
def test_any_corrections_come_back_as_they_were_written(tmp_path, said):
    make(tmp_path, routed_rows(*[{"text": f"第{number}封，电梯停了"} for number in range(6)]))
    fill_in(
        tmp_path,
        *((sheet, f"{number:06d}", header, value) for number, sheet, told in said for header, value in told.items()),
    )
    expected = {}
    for number, _, told in said:
        labels = {"topic": told.get("更正主题"), "department": told.get("更正承办单位")}
        labels["co_kinds"] = told.get("更正协办单位", "").split("、") if "更正协办单位" in told else None
        labels["returned_by"] = [told["退回单位"]] if "退回单位" in told else None
        if told:
            expected[f"{number:06d}"] = {name: value for name, value in labels.items() if value}
    assert labels_of(tmp_path / "routing_tables.xlsx") == expected


@pytest.mark.slow
@pytest.mark.parametrize("steps", [("xlsx",), ("ods", "xlsx"), ("xls",)], ids="-".join)
def test_a_workbook_that_libreoffice_saved_says_the_same(week, tmp_path_factory, steps):
    office = shutil.which("soffice")
    assert office, "LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc"
    path = fill_in(
        week,
        ("总表", "a-1", "更正主题", "市场监管"),
        ("待人工复核", "a-3", "更正承办单位", "路灯管理所"),
        (HOUSING, "000123", "更正协办单位", "水务局、应急管理局"),
        ("其他部门", "a-4", "退回单位", "南岗区水务局"),
        ("总表", "a-2", "确认", CONFIRMED),
    )
    before = read_submissions(path, options=LABELS).submissions
    for step in steps:
        folder = tmp_path_factory.mktemp("saved")
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        subprocess.run(
            [office, profile, "--headless", "--convert-to", step, "--outdir", folder, path],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        path = folder / f"routing_tables.{step}"
    reading = read_submissions(path, options=LABELS)
    assert reading.rejected.empty
    kept = [name for name in LABELLED.names if name != "source_file"]
    pd.testing.assert_frame_equal(reading.submissions[kept], before[kept])
    assert len(before) == 5
