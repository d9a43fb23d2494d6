"""The two commands as a person meets them: options, exit status, the summary, and one line for an error."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import pandas as pd
import pytest
import typer
from conftest import HEAT, LAMP, LETTERS, LETTERS_HEADER, ROOT, labelled_rows, write_csv
from typer.testing import CliRunner

from pipeline import console
from pipeline.console import app

BOTH = [
    "--out",
    "--directory",
    "--lexicon",
    "--columns",
    "--encoding",
    "--settings",
    "--overwrite",
    "--quiet",
    "--json",
]
ROUTE_OPTIONS = [*BOTH, "--model", "--engine", "--workers", "--register"]
TRAIN_OPTIONS = [*BOTH, "--topic-column", "--department-column", "--base", "--held-out", "--strict"]


@pytest.fixture
def fenban(quick_toml):
    """A function that runs `fenban ...` in this process."""

    def run(*arguments, settings=quick_toml):
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(app, [*words, "--settings", str(settings)])

    return run


@pytest.fixture
def letters(tmp_path):
    return write_csv(tmp_path / "来信.csv", LETTERS_HEADER, LETTERS)


def script(*arguments, **environment):
    """Run a script as a process of its own, on a console that speaks GBK as an office PC's does."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="gbk",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "gbk", **environment},
    )


def one_line_error(result):
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("出错 ")
    assert result.stdout == ""
    return lines[0]


# Options


@pytest.mark.parametrize(("command", "options"), [("route", ROUTE_OPTIONS), ("train", TRAIN_OPTIONS)])
def test_every_option_of_the_contract_is_there_and_explained(command, options):
    parameters = typer.main.get_command(app).commands[command].params
    explained = {name: parameter.help for parameter in parameters for name in parameter.opts}
    for option in options:
        assert explained.get(option), option
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "160", "TERMINAL_WIDTH": "160"})
    assert result.exit_code == 0
    for option in options:
        assert option in result.stdout


def test_the_console_command_is_the_same_program(monkeypatch, capsys):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["fenban"]
    module, function = declared.split(":")
    monkeypatch.setattr(sys, "argv", ["fenban", "--help"])
    with pytest.raises(SystemExit) as ended:
        getattr(importlib.import_module(module), function)()
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "route" in shown
    assert "train" in shown


# The scripts themselves


def test_route_py_on_a_gbk_console_with_a_broken_file_of_an_unspeakable_name(letters, model, tmp_path):
    (tmp_path / "坏😀.xlsx").write_bytes(b"PK\x03\x04 cut short")
    done = script("route.py", letters, tmp_path / "坏😀.xlsx", "--out", tmp_path / "结果", "--model", model)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "读入 4 件，未处理 2 条" in done.stdout
    assert "读不了：坏?.xlsx：" in done.stdout
    assert (tmp_path / "结果" / "routing_tables.xlsx").exists()


def test_train_py_learns_and_says_how_well(tmp_path, quick_toml):
    labelled = write_csv(tmp_path / "办结.csv", *labelled_rows("主题分类"))
    done = script("train.py", labelled, "--out", tmp_path / "model", "--settings", quick_toml)
    assert done.returncode == 0, done.stderr
    assert "训练完毕，用了 24 件" in done.stdout
    assert re.search(r"主题：交叉验证 24 件，准确率 [\d.]+%，宏平均 F1 [\d.]+，校准误差 [\d.]+。", done.stdout)
    assert "card.md" in done.stdout


# The summary


@pytest.fixture(scope="module")
def summary(office, model, quick_toml, tmp_path_factory):
    out = tmp_path_factory.mktemp("summary") / "out"
    words = ["route", office, "--out", out, "--model", model, "--settings", quick_toml]
    return CliRunner().invoke(app, list(map(str, words))), out


def test_the_summary_tells_a_clerk_what_was_done(summary):
    result, out = summary
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    counts = run["counts"]
    for told in (
        f"读入 {counts['read']} 件，未处理 {counts['rejected']} 条",
        f"自动分派 {counts['auto']} 件，待核对 {counts['check']} 件，待人工复核 {counts['review']} 件",
        f"归并为 {counts['issues']} 个事项",
        f"重复件 {counts['duplicates']} 件",
        "读不了：4损坏.xlsx：",
        str(out / "routing_tables.xlsx"),
        f"全部结果在：{out}",
    ):
        assert told in result.stdout
    largest = re.search("承办最多的单位：(.*)", result.stdout).group(1).split("，")
    assert largest == [f"{name} {rows} 件" for name, rows in list(counts["departments"].items())[:5]]


def test_the_departments_are_counted_largest_first(summary):
    counts = json.loads((summary[1] / "run.json").read_text(encoding="utf-8"))["counts"]["departments"]
    rows = pd.read_parquet(summary[1] / "routed.parquet")["department"]
    assert counts == rows[rows != ""].value_counts().to_dict()
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_a_file_that_cannot_be_read_among_good_ones_is_status_1(summary):
    assert summary[0].exit_code == 1


def test_a_row_that_is_left_out_is_no_failed_file(letters, model, fenban, tmp_path):
    result = fenban("route", letters, "--out", tmp_path / "out", "--model", model)
    assert result.exit_code == 0
    assert "未处理 1 条" in result.stdout


def test_a_finished_run_says_that_nothing_was_changed(letters, model, fenban, tmp_path):
    for told in ("处理完毕", "结果没有改动"):
        result = fenban("route", letters, "--out", tmp_path / "out", "--model", model)
        assert result.exit_code == 0
        assert told in result.stdout


def test_quiet_prints_nothing(letters, model, fenban, tmp_path):
    result = fenban("route", letters, "--out", tmp_path / "out", "--model", model, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_json_is_one_object(letters, model, fenban, tmp_path):
    result = fenban("route", letters, "--out", tmp_path / "out", "--model", model, "--json")
    told = json.loads(result.stdout)
    assert result.stdout.isascii(), "a console of any code page shows it unharmed"
    assert any("局" in name or "办" in name for name in told["departments"])
    assert result.stderr == ""
    assert told["out"] == str(tmp_path / "out")
    assert (told["read"], told["rejected"]) == (4, 1)
    assert {"auto", "check", "review", "issues", "duplicates", "departments"} <= set(told)


def test_training_speaks_json_too(fenban, tmp_path):
    labelled = write_csv(tmp_path / "办结.csv", *labelled_rows("事由归口"))
    result = fenban("train", labelled, "--out", tmp_path / "model", "--topic-column", "事由归口", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["topic"]["rows"] == 24


# Progress


def test_progress_tells_rows_rate_and_time_left_where_there_is_no_terminal(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr("pipeline.console.time", SimpleNamespace(monotonic=lambda: now[0]))
    with console._progress(False) as tell:
        tell("map", 0, None)
        now[0] = 100.5
        tell("map", 60, 0.02)
        assert capsys.readouterr().err == ""  # what takes less than a second needs no progress
        now[0] = 112.0
        tell("map", 1_200, 0.5)
    assert capsys.readouterr().err.split() == ["分类与匹配", "1,200", "件，每秒", "100", "件，还需约", "12", "秒"]


def test_every_stage_that_is_told_has_a_chinese_name(letters, model, send, teach, tmp_path):
    told = []
    send([letters], tmp_path / "out", model, progress=lambda stage, rows, share: told.append(stage))
    labelled = write_csv(tmp_path / "办结.csv", *labelled_rows("主题分类"))
    teach([labelled], tmp_path / "model", progress=lambda stage, rows, share: told.append(stage))
    assert set(told) == set(console._STAGES)


# Errors


def test_each_mistake_of_a_route_command_is_one_line_with_a_way_out(letters, model, fenban, tmp_path, quick_toml):
    wrong_key = tmp_path / "wrong.toml"
    wrong_key.write_text("[match]\nacuracy = 0.9\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "信.docx").write_text("x", encoding="utf-8")
    good = {"input": letters, "--out": tmp_path / "out", "--model": model, "settings": quick_toml}
    for change, told in (
        ({"input": tmp_path / "absent.csv"}, "absent.csv"),
        ({"input": tmp_path / "empty"}, "Nothing to read"),
        ({"--model": "2099"}, "No model '2099'"),
        ({"--model": tmp_path / "empty"}, "No model"),
        ({"settings": wrong_key}, "did you mean 'accuracy'?"),
        ({"settings": tmp_path / "absent.toml"}, "absent.toml"),
        ({"--out": tmp_path / "taken"}, "is not empty"),
        ({"--out": letters}, "is a file"),
        ({"--engine": "flink"}, "No engine 'flink'"),
        ({"--columns": "正文"}, "is not a pair"),
        ({"--encoding": "klingon"}, "klingon"),
        ({"--directory": tmp_path / "absent"}, "absent"),
        ({"--directory": letters}, "来信.csv"),
        ({"--lexicon": tmp_path / "absent.csv"}, "absent.csv"),
        ({"--register": tmp_path / "absent" / "office.duckdb"}, "office.duckdb"),
    ):
        arguments = {**good, **change}
        source, settings = arguments.pop("input"), arguments.pop("settings")
        options = [word for pair in arguments.items() for word in pair]
        assert told in one_line_error(fenban("route", source, *options, settings=settings)), change
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.partial").exists()


def test_each_mistake_of_a_train_command_is_one_line_with_a_way_out(letters, model, fenban, tmp_path):
    labelled = write_csv(tmp_path / "办结.csv", *labelled_rows("主题分类"))
    good = {"input": labelled, "--out": tmp_path / "new"}
    for change, told in (
        ({"input": tmp_path / "absent.csv"}, "absent.csv"),
        ({"input": letters}, "No row has a label"),
        ({"--out": model}, "exists already"),
        ({"--base": "2099"}, "No model '2099'"),
        ({"input": letters, "--topic-column": "归口"}, "没有“归口”列"),
        ({"--lexicon": tmp_path / "absent.csv"}, "absent.csv"),
        ({"--directory": tmp_path / "absent"}, "absent"),
    ):
        arguments = {**good, **change}
        source = arguments.pop("input")
        options = [word for pair in arguments.items() for word in pair]
        assert told in one_line_error(fenban("train", source, *options)), change
    assert not (tmp_path / "new").exists()


def test_an_error_in_json_is_one_object_too(letters, fenban, tmp_path):
    result = fenban("route", letters, "--out", tmp_path / "out", "--model", "2099", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"] == "BundleError"
    assert result.stdout.isascii()


def test_an_interrupted_run_says_that_it_can_go_on(letters, model, fenban, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.flow.route", interrupt)
    result = fenban("route", letters, "--out", tmp_path / "out", "--model", model)
    assert result.exit_code == 2
    assert "会接着做下去" in result.stderr


def test_a_full_disk_is_one_line(letters, model, fenban, tmp_path, monkeypatch):
    def fail(*args, **options):
        raise OSError(28, "No space left on device", str(tmp_path / "out"))

    monkeypatch.setattr("pipeline.flow.routing.write_workbook", fail)
    told = one_line_error(fenban("route", letters, "--out", tmp_path / "out", "--model", model, "--quiet"))
    assert "No space left on device" in told


# Options at work


def test_the_options_reach_the_run(fenban, model, tmp_path):
    letters = tmp_path / "来信.csv"
    write_csv(letters, ["甲", "乙"], [["q1", HEAT[0]], ["q2", LAMP[0]]], encoding="gb18030")
    options = ["--columns", "编号=甲,正文=乙", "--encoding", "gb18030", "--directory", "none", "--workers", "1"]
    out, register = tmp_path / "out", tmp_path / "office.duckdb"
    result = fenban("route", letters, "--out", out, "--model", model, *options, "--register", register)
    assert result.exit_code == 0, result.output
    assert pd.read_parquet(out / "routed.parquet")["text"].tolist() == [HEAT[0], LAMP[0]]
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (run["directory"], run["settings"]["engine"]["workers"]) == ("none", 1)
    assert register.exists()
    changed = fenban("route", letters, "--out", out, "--model", model, *options[:4], "--overwrite")
    assert changed.exit_code == 0
    assert (tmp_path / "out.old-1").exists()


def test_a_model_is_chosen_by_models_current(letters, model, fenban, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "current").write_text(str(model), encoding="utf-8")
    assert fenban("route", letters, "--out", "out").exit_code == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["model"]["folder"] == model.name
