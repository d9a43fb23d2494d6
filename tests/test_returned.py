"""Returned matters: who sent a letter back counts at once, for it and for its like, in this run and in later ones."""

import pandas as pd
import pytest
from conftest import HEAT, LAMP, LETTERS_HEADER, SAME_TEXT, write_csv

from pipeline.bundle import load_returns
from pipeline.flow.memory import collect_returns, keep_beside
from pipeline.reading import ReadOptions, list_inputs, read_returned
from pipeline.schema import RETURNED
from pipeline.settings import ReadingSettings

HEADER = [*LETTERS_HEADER, "退回单位"]


def letter(number, text, *, place="南岗区征仪路", returned=""):
    return [f"r-{number}", "", text, "2026-01-13", f"居民{number}", "热线", place, returned]


def returned_of(path, columns=None):
    return read_returned(list_inputs([path]), options=ReadOptions(columns=columns or {}), settings=ReadingSettings())


@pytest.fixture
def routed(tmp_path, send, model, monkeypatch):
    """A function that routes some letters and gives routed.parquet by id."""
    monkeypatch.setattr("pipeline.flow.routing.write_workbook", lambda *args, **options: None)

    def run(name, letters, **options):
        out = tmp_path / name
        send([write_csv(tmp_path / f"{name}.csv", HEADER, letters)], out, model, **options)
        return pd.read_parquet(out / "routed.parquet").set_index("submission_id")

    return run


def test_only_rows_with_a_sender_are_read_ahead(tmp_path):
    write_csv(tmp_path / "a.csv", HEADER, [letter(1, LAMP[0]), letter(2, LAMP[1], returned="南岗区城管局；交警")])
    write_csv(tmp_path / "b.csv", LETTERS_HEADER, [letter(3, LAMP[0])[:-1]])
    (tmp_path / "c.csv").write_bytes(b"")
    found = returned_of(tmp_path)

    assert list(found.columns) == RETURNED.names
    assert found["submission_id"].tolist() == ["r-2"]
    assert found["returned_by"].tolist() == [["南岗区城管局", "交警"]]


def test_a_matter_has_the_id_that_the_run_gives_it(tmp_path):
    write_csv(tmp_path / "a.csv", LETTERS_HEADER, [letter(1, LAMP[0])[:-1]])
    write_csv(tmp_path / "b.csv", HEADER, [letter(1, LAMP[1], returned="交警")])
    assert returned_of(tmp_path)["submission_id"].tolist() == ["r-1-2"], "r-1 is another letter"


def test_the_column_may_have_another_name_and_stand_on_any_sheet(tmp_path):
    from openpyxl import Workbook

    write_csv(tmp_path / "a.csv", [*LETTERS_HEADER, "谁退的"], [letter(1, LAMP[0], returned="交警")])
    assert len(returned_of(tmp_path / "a.csv", {"returned_by": "谁退的"})) == 1

    book = Workbook()
    for row in (LETTERS_HEADER, letter(2, LAMP[0])[:-1]):
        book.active.append(row)
    second = book.create_sheet("退单")
    for row in (HEADER, letter(3, LAMP[1], returned="交警")):
        second.append(row)
    book.save(tmp_path / "b.xlsx")
    assert returned_of(tmp_path / "b.xlsx")["submission_id"].tolist() == ["r-3"]


def test_one_text_sent_back_twice_is_one_matter_with_both_senders():
    rows = pd.DataFrame(
        {
            "submission_id": ["a", "b"],
            "title": ["", ""],
            "text": ["路灯不亮", "路灯不亮"],
            "returned_by": [["甲"], ["乙", "甲"]],
        }
    )
    together = collect_returns([rows])
    assert together[["submission_id", "text", "returned_by"]].to_numpy().tolist() == [["a", "路灯不亮", ["甲", "乙"]]]


def test_workers_find_returned_matters_in_a_file_that_is_named_after_them(tmp_path):
    one = collect_returns(
        [pd.DataFrame({"submission_id": ["a"], "title": [""], "text": ["灯"], "returned_by": [["甲"]]})]
    )
    other = one.assign(returned_by=[["乙"]])

    assert keep_beside(tmp_path, collect_returns([])) is None
    path = keep_beside(tmp_path, one)
    assert path == keep_beside(tmp_path, one)
    assert path != keep_beside(tmp_path, other), "a worker that has opened one must not take it for the other"
    assert pd.read_parquet(path)["returned_by"].map(list).tolist() == [["甲"]]


def test_a_letter_that_was_sent_back_goes_elsewhere_and_so_does_its_like(routed):
    before = routed("before", [letter(1, SAME_TEXT), letter(2, SAME_TEXT + "谢谢。"), letter(3, LAMP[0])])
    body = before.loc["r-1", "department"]
    after = routed("after", [letter(1, SAME_TEXT, returned=body), letter(2, SAME_TEXT + "谢谢。"), letter(3, LAMP[0])])

    assert body == before.loc["r-2", "department"] != ""
    assert body not in after.loc["r-1", "department_candidates"]
    assert f"本件已被{body}退回" in after.loc["r-1", "reason"]
    assert f"类似件 r-1 曾被{body}退回" in after.loc["r-2", "reason"]
    assert after.loc["r-2", "department"] != body or after.loc["r-2", "decision"] != "auto"
    assert set(after.loc[["r-1", "r-2"], "decision"]) <= {"check", "review"}
    for name in ("department", "reason", "decision", "department_probability"):
        assert after.loc["r-3", name] == before.loc["r-3", name], "nobody sent it back"


def test_the_order_of_rows_and_the_size_of_batches_change_nothing(routed):
    rows = [letter(2, SAME_TEXT + "谢谢。"), letter(3, LAMP[0]), letter(1, SAME_TEXT, returned="供热燃气企业")]
    whole = routed("whole", rows)
    single = routed("single", rows, batch_rows=1)
    pd.testing.assert_frame_equal(whole.drop(columns="source_file"), single.drop(columns="source_file"))
    assert "类似件 r-1 曾被供热燃气企业退回" in whole.loc["r-2", "reason"]


def test_the_register_remembers_who_sent_what_back(routed, tmp_path):
    register = tmp_path / "office.duckdb"
    routed("first", [letter(1, SAME_TEXT, returned="供热燃气企业"), letter(4, LAMP[0])], register=register)
    later = routed("second", [letter(2, SAME_TEXT + "谢谢。")], register=register)
    assert "类似件 r-1 曾被供热燃气企业退回" in later.loc["r-2", "reason"]

    without = routed("third", [letter(2, SAME_TEXT + "谢谢。")])
    assert "退回" not in without.loc["r-2", "reason"]


def test_a_return_that_a_later_list_takes_back_is_forgotten(routed, tmp_path):
    register = tmp_path / "office.duckdb"
    routed("first", [letter(1, SAME_TEXT, returned="供热燃气企业")], register=register)
    routed("second", [letter(1, SAME_TEXT), letter(4, LAMP[0], returned="交警")], register=register)
    later = routed("third", [letter(2, SAME_TEXT + "谢谢。")], register=register)
    assert "退回" not in later.loc["r-2", "reason"]


def test_a_bundle_remembers_what_was_sent_back_in_the_rows_it_learned_from(tmp_path, teach, send):
    rows = [
        [f"t{i}", text, "供热燃气" if i % 2 else "城市管理", "甲局" if i == 3 else ""]
        for i, text in enumerate(text for pair in zip(LAMP[:8], HEAT[:8], strict=True) for text in pair)
    ]
    labelled = write_csv(tmp_path / "labelled.csv", ["编号", "内容", "主题分类", "退回单位"], rows)
    teach([labelled], tmp_path / "model")

    found = load_returns(tmp_path / "model")
    assert found["submission_id"].tolist() == ["t3"]
    assert [list(bodies) for bodies in found["returned_by"]] == [["甲局"]]
