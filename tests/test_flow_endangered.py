"""A person in danger is never closed as a duplicate, in no file of a run."""

import json

import duckdb
import openpyxl
import pandas as pd
import pytest
from conftest import LAMP, LETTERS_HEADER, write_csv

TRAPPED = "我和老母亲被困在九号楼二单元的电梯里，里面没有灯，按铃没有人应，母亲喘不上气，请马上来人救我们。"
LETTERS = [
    ["t-1", "电梯", TRAPPED, "2026-05-18 08:00", "王先生", "热线", ""],
    ["l-1", "路灯", LAMP[0] * 2, "2026-05-18 08:05", "李女士", "热线", ""],
    ["t-2", "电梯", TRAPPED, "2026-05-18 08:10", "王先生", "网站", ""],
    ["l-2", "路灯", LAMP[0] * 2, "2026-05-18 08:20", "赵女士", "热线", ""],
    ["t-3", "电梯", TRAPPED.replace("没有人应", "没人应"), "2026-05-18 08:30", "", "网站", ""],
]


@pytest.fixture(scope="module")
def out(tmp_path_factory, send, model):
    folder = tmp_path_factory.mktemp("endangered")
    inputs = write_csv(folder / "来件.csv", LETTERS_HEADER, LETTERS)
    send([inputs], folder / "out", model, register=folder / "office.duckdb")
    return folder / "out"


@pytest.fixture(scope="module")
def routed(out):
    return pd.read_parquet(out / "routed.parquet").set_index("submission_id")


def records(sheet):
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_a_repeated_call_for_help_repeats_nothing_and_a_lamp_does(routed):
    assert routed["duplicate_of"].fillna("").to_dict() == {"t-1": "", "l-1": "", "t-2": "", "l-2": "l-1", "t-3": ""}


def test_it_is_urgent_says_so_and_a_clerk_sees_it(routed):
    calls = routed.loc[["t-1", "t-2", "t-3"]]
    assert (calls["urgency"] == "urgent").all()
    assert calls["decision"].isin(["check", "review"]).all()
    assert calls["reason"].str.contains("含紧急情形“被困”（人身危险）").all()


def test_it_shares_its_issue_and_the_links_keep_the_evidence(out, routed):
    assert routed.loc[["t-1", "t-2", "t-3"], "issue_id"].nunique() == 1
    links = pd.read_parquet(out / "links.parquet").set_index("submission_id")
    assert links.loc["t-2", ["linked_to", "kind"]].tolist() == ["t-1", "exact"]
    assert links.loc["t-3", "kind"] == "edited"


def test_one_wording_is_still_one_voice(out, routed):
    issues = pd.read_parquet(out / "issues.parquet").set_index("issue_id")
    issue = issues.loc[routed.loc["t-1", "issue_id"]]
    assert (issue["size"], issue["people"]) == (3, 2), "the same man twice, and one without a name"


def test_a_register_begun_before_has_room_for_it(out):
    with duckdb.connect(str(out.parent / "office.duckdb"), read_only=True) as connection:
        columns = {name for name, *_ in connection.execute("DESCRIBE submissions").fetchall()}
    assert not columns & {"endangered", "working_days", "deadline"}, "an old register has no such columns"


def test_the_run_counts_what_the_tables_show(out):
    counts = json.loads((out / "run.json").read_text(encoding="utf-8"))["counts"]
    assert counts["duplicates"] == 1


def test_it_stands_first_where_a_clerk_looks(out):
    book = openpyxl.load_workbook(out / "routing_tables.xlsx")
    assert [row["编号"] for row in records(book["待人工复核"])[:3]] == ["t-1", "t-2", "t-3"]
    told = {row[0]: row[1] for row in book["目录"].iter_rows(values_only=True) if row[0]}
    assert told["人身危险"] == 3
