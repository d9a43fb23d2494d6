"""The office's register: an issue keeps its id from one week to the next."""

import datetime as dt

import duckdb
import pandas as pd
import pytest
from conftest import FORMULA, HEAT, LAMP, LETTERS_HEADER, SAME_TEXT, write_csv

from pipeline.errors import OutputError
from pipeline.register import Signature, close_issues, open_register


def letter(number, text, day, *, place="南岗区征仪路"):
    return [f"2026-{number}", "", text, f"2026-01-{day:02}", f"居民{number}", "热线", place]


FIRST_WEEK = [letter(1, SAME_TEXT, 13), letter(2, LAMP[0], 14, place="道里区")]
AGAIN = letter(3, SAME_TEXT.replace("九点起", "九点左右起"), 19)
EARLIER = letter(4, SAME_TEXT + "谢谢。", 11)  # written before the first week's letters, received after them


@pytest.fixture
def week(tmp_path, send, model, monkeypatch):
    """A function that routes one week's letters into the one register and gives routed.parquet by id, and issues."""
    monkeypatch.setattr(
        "pipeline.flow.routing.write_workbook", lambda *args, **options: None
    )  # half of the time, not looked at

    def run(name, letters, **options):
        inputs = tmp_path / f"{name}.csv"
        write_csv(inputs, LETTERS_HEADER, letters)
        out = tmp_path / name
        send([inputs], out, model, register=tmp_path / "office.duckdb", **options)
        routed = pd.read_parquet(out / "routed.parquet").set_index("submission_id")
        return routed, pd.read_parquet(out / "issues.parquet").set_index("issue_id")

    return run


def registered(tmp_path):
    with duckdb.connect(str(tmp_path / "office.duckdb"), read_only=True) as connection:
        return dict(connection.execute("SELECT submission_id, issue_id FROM submissions ORDER BY position").fetchall())


def test_a_new_letter_joins_the_issue_of_the_week_before(week, tmp_path):
    first, _ = week("first", FIRST_WEEK)
    second, issues = week("second", [AGAIN, letter(5, HEAT[3], 20, place="香坊区")])
    issue = first.loc["2026-1", "issue_id"]
    assert second.loc["2026-3", "issue_id"] == issue
    assert second.loc["2026-3", "duplicate_of"] == "2026-1"
    assert second.loc["2026-5", "issue_id"] != issue
    assert second.index.tolist() == ["2026-3", "2026-5"]
    assert registered(tmp_path) == {**first["issue_id"], **second["issue_id"]}


def test_the_size_of_an_issue_counts_its_registered_letters(week):
    week("first", FIRST_WEEK)
    second, issues = week("second", [AGAIN])
    issue = issues.loc[second.loc["2026-3", "issue_id"]]
    assert issue["size"] == 2
    assert issue["people"] == 2
    assert sorted(issue["members"]) == ["2026-1", "2026-3"]
    assert len(issues) == 1  # the lamp's issue has no letter of this week


def test_an_issue_keeps_its_id_when_an_earlier_letter_comes_in_late(week):
    first, _ = week("first", FIRST_WEEK)
    second, _ = week("second", [EARLIER])
    assert second.loc["2026-4", "issue_id"] == first.loc["2026-1", "issue_id"]


def test_an_issue_keeps_its_id_when_the_export_holds_the_old_letters_again(week):
    first, _ = week("first", FIRST_WEEK)
    second, _ = week("second", [EARLIER, *FIRST_WEEK])
    assert second.loc["2026-1", "issue_id"] == first.loc["2026-1", "issue_id"]
    assert second.loc["2026-4", "issue_id"] == first.loc["2026-1", "issue_id"]
    assert second.loc["2026-2", "issue_id"] == first.loc["2026-2", "issue_id"]


def test_the_same_file_twice_changes_nothing(week, tmp_path):
    week("first", FIRST_WEEK)
    second, _ = week("second", [AGAIN])
    before = registered(tmp_path)
    tables = everything_in(tmp_path)
    again, issues = week("again", [AGAIN])
    assert registered(tmp_path) == before
    changed = {name for name, rows in everything_in(tmp_path).items() if rows != tables[name]}
    assert changed == {"submissions"}  # the file that it was read from has another name now
    assert again["issue_id"].tolist() == second["issue_id"].tolist()
    assert issues["size"].tolist() == [2]


def test_a_register_takes_columns_that_were_empty_in_its_first_batch(week, tmp_path):
    # "other" has no department and no place, so that every list of the first part is empty.
    said_nothing = letter(6, "你好", 5, place="")
    week("first", [said_nothing, *FIRST_WEEK], batch_rows=1)
    second, _ = week("second", [letter(7, "谢谢", 6, place=""), AGAIN])
    assert second.loc["2026-3", "issue_id"] == "i-2026-1"
    assert list(registered(tmp_path)) == ["2026-6", "2026-1", "2026-2", "2026-7", "2026-3"]


def test_formulas_and_quotes_are_only_text_in_the_register(week, tmp_path):
    # Brackets in a folder's name are a pattern to DuckDB.
    week("一月[改]", [letter(1, FORMULA, 13), letter("'; DROP TABLE submissions; --", LAMP[1], 13)])
    assert len(registered(tmp_path)) == 2


def test_a_file_that_is_no_register_gives_one_line(week, tmp_path):
    (tmp_path / "office.duckdb").write_text("这不是数据库" * 1000, encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be opened") as caught:
        week("first", FIRST_WEEK)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "first").exists()


def test_a_database_of_something_else_gives_one_line_and_stays_as_it_is(week, tmp_path):
    with duckdb.connect(str(tmp_path / "office.duckdb")) as connection:
        connection.execute("CREATE TABLE submissions AS SELECT 42 AS price")
    with pytest.raises(OutputError, match=r"office\.duckdb") as caught:
        week("first", FIRST_WEEK)
    assert "\n" not in str(caught.value)
    with duckdb.connect(str(tmp_path / "office.duckdb")) as connection:
        assert connection.execute("SELECT * FROM submissions").fetchall() == [(42,)]


def test_a_register_of_an_earlier_version_gives_one_line_that_says_what_to_do(week, tmp_path):
    with duckdb.connect(str(tmp_path / "office.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE submissions AS SELECT 1 AS position, 'i-1' AS issue_id, 2 AS \"sketch.wording\""
        )
    with pytest.raises(OutputError, match="an earlier version.*routing its files again") as caught:
        week("first", FIRST_WEEK)
    assert "\n" not in str(caught.value)


def everything_in(tmp_path):
    with duckdb.connect(str(tmp_path / "office.duckdb"), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()]
        return {name: sorted(map(str, connection.execute(f"FROM {name}").fetchall())) for name in sorted(tables)}


def test_a_run_that_fails_while_it_registers_leaves_the_register_as_it_was(week, tmp_path, monkeypatch):
    week("first", FIRST_WEEK)
    before = everything_in(tmp_path)

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.register.keeping._keep_issues", fail)
    with pytest.raises(KeyboardInterrupt):
        week("second", [AGAIN])
    assert everything_in(tmp_path) == before


def test_a_first_run_that_fails_leaves_no_table(week, tmp_path, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.register.keeping._keep_issues", fail)
    with pytest.raises(KeyboardInterrupt):
        week("first", FIRST_WEEK)
    assert everything_in(tmp_path) == {}


def test_a_new_letter_to_a_closed_issue_is_marked_in_the_results_and_stays_marked(week, tmp_path):
    first, _ = week("first", FIRST_WEEK)
    with open_register(tmp_path / "office.duckdb") as register:
        sign = Signature(dt.datetime(2026, 1, 16), "", "")
        close_issues(register, [first.loc["2026-1", "issue_id"]], on=dt.date(2026, 1, 16), sign=sign)
    assert not first["reopened"].any()
    second, _ = week("second", [AGAIN, *FIRST_WEEK])
    assert second["reopened"].to_dict() == {"2026-3": True, "2026-1": False, "2026-2": False}
    again, _ = week("again", [AGAIN])
    assert again["reopened"].tolist() == [True]


def test_a_list_numbered_anew_each_month_brings_new_letters_and_loses_no_old_one(week, tmp_path):
    january = [["1", "", LAMP[0], "2026-01-03", "居民1", "热线", "道里区"]]
    february = [["1", "", HEAT[3], "2026-02-03", "居民2", "热线", "香坊区"]]
    first, _ = week("january", january)
    second, _ = week("february", february)
    assert second.loc["1", "issue_id"] != first.loc["1", "issue_id"]
    assert registered(tmp_path) == {"1~1": first.loc["1", "issue_id"], "1": second.loc["1", "issue_id"]}
