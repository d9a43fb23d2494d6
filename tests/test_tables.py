"""Cells, sheet names, Parquet and routed.csv: what reaches a file is what was meant, and opens everywhere."""

import csv
import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TableError
from pipeline.schema import CUT_MARK, ISSUES, LINKS, ROUTED, SUBMISSIONS, empty_table, typed
from pipeline.tables import arrow_schema, read_parquet, write_issues, write_links, write_parquet, write_routed
from pipeline.tables.cells import cell_text, may_become_formula, sheet_names, text_width
from pipeline.tables.routed_csv import write_routed_csv

HOSTILE = st.text(st.characters() | st.sampled_from('=+-@\t\r\n\x00\x1f\ud800\ufffe\uffff<r>_x000D"＝'), max_size=40)


def routed_rows(*rows, **shared):
    """A table ROUTED with one row for each dict of `rows`, every column not named filled sensibly."""
    filled = []
    for number, row in enumerate(rows):
        given_row = {
            "submission_id": f"{number:06d}",
            "title": "电梯停用",
            "text": "道里区兆麟小区三号楼电梯停用一周，老人上不了楼。",
            "topic": "housing",
            "topic_probability": 0.9,
            "other_topics": [],
            "department_kind": "住建局",
            "department": "道里区住房和城乡建设局",
            "department_probability": 0.8,
            "department_candidates": ["道里区住房和城乡建设局", "道里区市场监督管理局"],
            "co_departments": [],
            "reason": "“电梯”属住宅小区管理，由住建部门牵头；地点在道里区。",
            "district": "道里区",
            "township": None,
            "spot": None,
            "urgency": "normal",
            "decision": "auto",
            "issue_id": f"S{number:06d}",
            "duplicate_of": None,
            "submitter": "王女士",
            "submitted_at": pd.Timestamp("2025-01-06 08:30"),
            "channel": "热线",
            "place": "",
            "source_file": "一月.xlsx",
            "source_sheet": "来件",
            "source_row": number + 2,
            "deadline": None,
            "reopened": False,
        }
        filled.append(given_row | shared | row)
    return pd.DataFrame(filled, columns=ROUTED.names)


def issues_of(routed):
    """The table ISSUES that the issue_ids of `routed` make; its heat is its size."""
    rows = []
    for issue_id, members in routed.groupby("issue_id", sort=False):
        first = members.iloc[0]
        row = {name: first[name] for name in ("topic", "department", "district", "township")}
        row |= {"issue_id": issue_id, "title": "兆麟小区电梯停用", "size": len(members), "people": len(members)}
        row |= {"first_at": first["submitted_at"], "last_at": first["submitted_at"], "heat": float(len(members))}
        rows.append(row | {"representative": first["submission_id"], "members": members["submission_id"].tolist()})
    return typed(pd.DataFrame(rows), ISSUES) if rows else empty_table(ISSUES)


# Cells


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1+2", "@市长", "\t=1", "  =1", "＝1", "－1", "\n=1"])
def test_what_a_spreadsheet_may_calculate_is_known_as_such(text):
    assert may_become_formula(text)


@pytest.mark.parametrize("text", ["", "供暖不热", "1=1", "（一）", "000123", "电话=无"])
def test_plain_chinese_is_no_formula(text):
    assert not may_become_formula(text)


def test_a_text_that_excel_can_hold_is_not_touched():
    assert cell_text("暖气不热，\n室温14℃😀。\t") == "暖气不热，\n室温14℃😀。\t"


def test_a_text_past_excels_limit_ends_in_a_mark_that_says_where_the_rest_is():
    cut = cell_text("冷" * 40_000)
    assert len(cut) == 32_767
    assert cut.endswith(CUT_MARK)
    assert cell_text("冷" * 32_767) == "冷" * 32_767


def test_excel_counts_an_emoji_as_two():
    cut = cell_text("😀" * 20_000)
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.endswith(CUT_MARK)


def test_ready_made_xml_of_the_writer_is_broken_up():
    assert not cell_text("<r><t>x</t></r>").endswith("</r>")


@given(HOSTILE)
def test_any_text_becomes_one_that_xml_can_hold(text):
    clean = cell_text(text)
    clean.encode("utf-8")
    assert all(char in "\t\n" or char >= " " for char in clean)
    assert cell_text(clean) == clean or clean.startswith("<r>")


def test_a_chinese_character_is_twice_as_wide_as_a_latin_one():
    assert text_width("电梯") == 4
    assert text_width("AB") == 2


# Sheet names


def test_sheet_names_lose_what_excel_forbids_and_keep_the_rest():
    assert sheet_names(["道里区[住建]", "a/b:c", "'街道办'", "History", ""], taken=[]) == [
        "道里区［住建］",
        "a／b：c",
        "街道办",
        "History(2)",
        "未定",
    ]


def test_names_that_are_the_same_after_cutting_get_numbers():
    long = "哈尔滨市道里区" * 6
    first, second, third = sheet_names([long + "甲", long + "乙", long + "丙"], taken=[])
    assert first == long[:31]
    assert second == long[:28] + "(2)"
    assert third == long[:28] + "(3)"


def test_a_body_named_like_a_fixed_sheet_does_not_take_its_place():
    assert sheet_names(["总表", "ABC", "abc"], taken=["总表"]) == ["总表(2)", "ABC", "abc(2)"]


@given(st.lists(st.text(st.characters() | st.sampled_from("'[]:*?/\\aA甲 "), max_size=45), max_size=12))
def test_any_names_become_legal_and_unique(names):
    made = sheet_names(names, taken=["目录"])
    assert len({name.casefold() for name in (*made, "目录", "history")}) == len(made) + 2
    for name in made:
        assert 1 <= len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert not name.startswith("'")
        assert not name.endswith("'")


# Parquet


def test_routed_parquet_has_the_contracts_columns_and_types(tmp_path):
    write_routed(tmp_path / "routed.parquet", [routed_rows({})])
    schema = pq.read_schema(tmp_path / "routed.parquet")
    assert schema.names == ROUTED.names
    assert schema.field("title").type == pa.string()
    assert schema.field("other_topics").type == pa.list_(pa.string())
    assert schema.field("submitted_at").type == pa.timestamp("us")
    assert schema.field("deadline").type == pa.date32()
    assert schema.field("reopened").type == pa.bool_()
    assert schema.field("source_row").type == pa.int64()
    assert schema.field("topic_probability").type == pa.float64()


def test_strings_and_lists_are_never_null_and_nullable_ones_never_blank(tmp_path):
    blank = {"topic": None, "other_topics": None, "co_departments": None, "district": "", "spot": None}
    write_routed(tmp_path / "r.parquet", [routed_rows(blank, submitted_at=pd.NaT)])
    row = pq.read_table(tmp_path / "r.parquet").to_pylist()[0]
    assert row["topic"] == ""
    assert row["other_topics"] == []
    assert row["co_departments"] == []
    assert row["district"] is None
    assert row["spot"] is None
    assert row["submitted_at"] is None
    assert row["deadline"] is None


def test_a_table_reads_back_as_it_was(tmp_path):
    deadline = dt.date(2025, 1, 20)
    rows = routed_rows({"deadline": deadline, "other_topics": ["market", "other"]}, {"township": "兆麟街道"})
    write_routed(tmp_path / "r.parquet", [typed(rows, ROUTED)])
    back = read_parquet(tmp_path / "r.parquet", ROUTED)
    assert back["other_topics"].tolist() == [["market", "other"], []]
    assert back["deadline"].tolist() == [deadline, None]
    assert back["township"].tolist()[1] == "兆麟街道"
    assert back["title"].dtype == "str"
    assert back["source_row"].tolist() == [2, 3]
    assert back["submitted_at"].tolist() == [pd.Timestamp("2025-01-06 08:30")] * 2


def test_the_size_of_the_pieces_leaves_no_trace_in_the_file(tmp_path):
    rows = routed_rows(*[{}] * 25)
    write_routed(tmp_path / "one.parquet", [rows])
    write_routed(tmp_path / "many.parquet", [rows.iloc[start : start + 4] for start in range(0, 25, 4)])
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "many.parquet").read_bytes()


def test_row_groups_are_cut_anew_when_pieces_cross_them(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.tables.parquet.ROW_GROUP", 10)
    rows = routed_rows(*[{}] * 25)
    assert write_routed(tmp_path / "r.parquet", [rows.iloc[:7], rows.iloc[7:24], rows.iloc[24:]]) == 25
    found = pq.ParquetFile(tmp_path / "r.parquet").metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [10, 10, 5]
    assert read_parquet(tmp_path / "r.parquet", ROUTED)["submission_id"].tolist() == rows["submission_id"].tolist()


def test_a_run_without_links_or_issues_still_has_both_tables(tmp_path):
    write_links(tmp_path / "links.parquet", empty_table(LINKS))
    write_issues(tmp_path / "issues.parquet", empty_table(ISSUES))
    assert pq.read_schema(tmp_path / "links.parquet") == arrow_schema(LINKS)
    assert write_parquet(tmp_path / "none.parquet", [], SUBMISSIONS) == 0
    assert len(read_parquet(tmp_path / "none.parquet", SUBMISSIONS)) == 0


def test_a_lone_surrogate_becomes_a_replacement_character(tmp_path):
    rows = routed_rows({}).astype({"title": "object"})
    rows.at[0, "title"] = "电梯\ud800停"
    rows.at[0, "other_topics"] = ["\udfff"]
    write_routed(tmp_path / "r.parquet", [rows])
    back = read_parquet(tmp_path / "r.parquet", ROUTED)
    assert back["title"].tolist() == ["电梯\ufffd停"]
    assert back["other_topics"].tolist() == [["\ufffd"]]


def test_a_missing_or_wrong_column_is_named(tmp_path):
    with pytest.raises(TableError, match="urgency"):
        write_routed(tmp_path / "r.parquet", [routed_rows({}).drop(columns="urgency")])
    with pytest.raises(TableError, match=r"source_row must be of kind int.*Give it"):
        write_routed(tmp_path / "r.parquet", [routed_rows({"source_row": "二"})])
    with pytest.raises(TableError, match="title must be of kind str"):
        write_routed(tmp_path / "r.parquet", [routed_rows({"title": 5})])
    with pytest.raises(TableError, match="topic_probability has 1 empty"):
        write_routed(tmp_path / "r.parquet", [routed_rows({"topic_probability": None}, {})])


# routed.csv


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_routed_csv_opens_in_excel_with_chinese_headers_and_names(tmp_path):
    rows = routed_rows(
        {"other_topics": ["market", "自定"], "urgency": "urgent", "decision": "review"},
        {"deadline": dt.date(2025, 1, 20)},
    )
    write_routed(tmp_path / "r.parquet", [rows])
    write_routed_csv(
        tmp_path / "r.csv", tmp_path / "r.parquet", topic_names={"housing": "住房物业", "market": "市场监管"}
    )
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    first, second = read_csv(tmp_path / "r.csv")
    assert list(first) == list(ROUTED.headers().values())
    assert (first["主题"], first["其他主题"]) == ("住房物业", "市场监管、自定")
    assert (first["紧急程度"], first["处理方式"]) == ("紧急", "人工")
    assert first["候选单位"] == "道里区住房和城乡建设局、道里区市场监督管理局"
    assert (first["提交时间"], second["办理期限"]) == ("2025-01-06 08:30:00", "2025-01-20")
    assert (first["主题把握"], first["再次反映"], first["街道乡镇"]) == ("0.9", "", "")


def test_a_csv_cell_keeps_every_digit_and_never_calculates(tmp_path):
    rows = routed_rows(
        {
            "submission_id": "230102199901011234",
            "title": '=HYPERLINK("http://a.example","点我")',
            "text": "第一行\n=1+1",
        },
        {"submission_id": "000123", "title": "\x01=1+1", "text": ' @x,"y"\x00'},
        {"submission_id": "188006", "title": "１２３", "text": "－1"},
    )
    write_routed(tmp_path / "r.parquet", [rows])
    write_routed_csv(tmp_path / "r.csv", tmp_path / "r.parquet", topic_names={})
    found = read_csv(tmp_path / "r.csv")
    assert [row["编号"] for row in found] == ["230102199901011234\t", "000123\t", "188006"]
    assert [row["标题"] for row in found] == ['\'=HYPERLINK("http://a.example","点我")', "'=1+1", "１２３"]
    assert [row["内容"] for row in found] == ["第一行\n=1+1", '\' @x,"y"', "'－1"]
