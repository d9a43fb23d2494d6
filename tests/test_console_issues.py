"""`fenban issues` as a clerk meets it: Chinese lines, JSON for programs, one line for a mistake."""

import json

import pytest
import typer
from registering import small_office
from typer.testing import CliRunner

from pipeline.console import app

DECISIONS = ["merge", "split", "pin", "unpin", "close", "reopen"]


@pytest.fixture
def office(tmp_path):
    return small_office(tmp_path)


@pytest.fixture
def issues(office):
    """A function that runs `fenban issues ...` on the office's register and gives what it says."""

    def run(*arguments, status=0):
        result = CliRunner().invoke(app, ["issues", *arguments, "--register", str(office.file)])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr

    return run


def test_every_command_and_option_is_explained():
    commands = typer.main.get_command(app).commands["issues"].commands
    assert set(commands) == {"list", "show", "history", *DECISIONS}
    for name, command in commands.items():
        assert command.help, name
        options = {option: parameter.help for parameter in command.params for option in parameter.opts}
        assert all(options.values()), options
        assert {"--register", "--json"} <= set(options)
        assert name not in DECISIONS or {"--by", "--reason"} <= set(options)


def test_the_list_names_status_title_size_and_newest_letter(issues):
    lines = issues("list").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("i-a1 [在办] ")
    assert "：2 件 2 人，最近 2026-01-05" in lines[0]
    assert issues("list", "--limit", "1").splitlines() == lines[:1]
    assert issues("list", "--status", "已办结") == "没有这样的事项。\n"


def test_a_decision_is_told_and_stands_in_what_show_and_history_say(issues):
    told = issues("merge", "i-m1", "i-b1", "--by", "周敏", "--reason", "同一路口")
    assert told == "已把 i-b1 的 1 件并入 i-m1。今后归并都照此办理。\n"
    shown = issues("show", "i-m1").splitlines()
    assert any("b1 2026-01-04" in line and "（人工定的）" in line for line in shown)
    assert shown[-1].endswith("人工合并 i-b1（1 件，周敏）：同一路口")
    assert issues("show", "i-b1").splitlines()[0] == "i-b1 [并入 i-m1]"
    assert len(issues("history", "--limit", "2").splitlines()) == 2
    assert issues("history", "i-a1").splitlines() == [line for line in issues("history").splitlines() if "i-a1" in line]


def test_the_other_decisions_are_told(issues):
    assert "新事项编号 i-a2" in issues("split", "i-a1", "a2")
    assert "已固定 i-a1" in issues("pin", "i-a1")
    assert "其中 1 件从别的事项移来" in issues("pin", "i-b1", "m1")
    assert "已解除 i-a1 的固定" in issues("unpin", "i-a1")
    assert "已办结 i-a1、i-b1（2026-02-03）" in issues("close", "i-a1", "i-b1", "--on", "2026-02-03")
    assert issues("list", "--status", "已办结").count("[已办结，2026-02-03]") == 2
    assert "已重开 i-a1" in issues("reopen", "i-a1")


@pytest.mark.parametrize("command", [["list"], ["show", "i-a1"], ["history"], ["close", "i-a1"], ["pin", "i-a1"]])
def test_json_is_one_object_of_plain_ascii(issues, command):
    told = issues(*command, "--json")
    assert told.isascii()
    assert isinstance(json.loads(told), dict)


def test_json_says_what_show_says(issues):
    shown = json.loads(issues("show", "i-a1", "--json"))
    assert (shown["issue_id"], shown["status"], shown["size"]) == ("i-a1", "在办", 2)
    assert [row["submission_id"] for row in shown["submissions"]] == ["a1", "a2"]
    assert [event["event"] for event in shown["history"]] == ["新立"]


def test_a_mistake_is_one_line_that_says_what_is_near(issues):
    told = issues("close", "i-a7", status=2)
    assert len(told.strip().splitlines()) == 1
    assert told.startswith("出错 InputError: 登记库里没有事项 i-a7。相近的有 i-a1、")


def test_a_register_that_is_not_there_is_one_line(tmp_path):
    result = CliRunner().invoke(app, ["issues", "list", "--register", str(tmp_path / "无.duckdb")])
    assert result.exit_code == 2
    assert "没有登记库" in result.stderr
    assert not (tmp_path / "无.duckdb").exists()
