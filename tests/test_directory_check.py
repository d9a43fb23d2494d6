"""The check of a directory: everything that wants a look, by file, row and column, before letters are routed by it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from conftest import LETTERS, LETTERS_HEADER, write_csv
from test_directory import DEPARTMENTS, DUTIES, PLACES, TOPICS, with_cell, written
from typer.testing import CliRunner

from pipeline.console import app
from pipeline.directory import check_directory
from pipeline.resources import shipped

TODAY = date(2026, 1, 15)
LASTING = with_cell(DUTIES, 3, "valid_until", "")  # for the commands, which look at the calendar


def clause(duty_id: str, kind: str, words: str, **changed: str) -> list[str]:
    cells = {
        "duty_id": duty_id,
        "clause": f"{kind}负责{duty_id}",
        "topic": "traffic",
        "lead_kind": kind,
        "co_kinds": "",
        "level": "city",
        "urgency": "normal",
        "working_days": "5",
        "valid_from": "",
        "valid_until": "",
        "words": words,
    }
    return [(cells | changed)[column] for column in DUTIES[0]]


def told(folder: Path) -> list[str]:
    return [str(finding) for finding in check_directory(folder, on=TODAY)]


def test_a_sound_directory_gives_nothing_to_look_at(tmp_path):
    assert told(written(tmp_path)) == []


def test_the_shipped_directory_gives_nothing_to_look_at():
    assert check_directory(shipped("directory"), on=date.today()) == []


def test_all_unknown_keys_are_told_at_once(tmp_path):
    duties = with_cell(with_cell(DUTIES, 2, "topic", "trafic"), 3, "lead_kind", "交巡警")
    findings = check_directory(written(tmp_path, duties=duties), on=TODAY)

    assert [(f.file.name, f.row, f.column, f.value, f.stops) for f in findings] == [
        ("duties.csv", 2, "topic", "trafic", True),
        ("duties.csv", 3, "lead_kind", "交巡警", True),
    ]


def test_a_row_that_cannot_be_read_is_told_before_what_follows_from_it(tmp_path):
    findings = check_directory(written(tmp_path, departments=with_cell(DEPARTMENTS, 2, "level", "区")), on=TODAY)

    assert [(f.file.name, f.row, f.column) for f in findings] == [("departments.csv", 2, "level")]


def test_a_department_stands_once(tmp_path):
    twice = [*DEPARTMENTS, ["道里区城市管理局", "交警", "道里区", "district", ""]]

    assert any(
        "departments.csv 第 4 行 department 列：“道里区城市管理局”第 2 行已经有了" in line
        for line in told(written(tmp_path, departments=twice))
    )


def test_a_duty_without_a_body_in_some_district_names_the_district(tmp_path):
    places = [*PLACES, ["南岗区", "district", "南岗区", "", "南岗", ""]]
    lines = told(written(tmp_path, places=places))

    assert len(lines) == 1
    assert "duties.csv 第 2 行 lead_kind 列：“城管局”在南岗区没有单位" in lines[0]


def test_a_city_body_answers_for_districts_only_where_the_kind_exists_nowhere_below(tmp_path):
    duties = [*DUTIES, clause("signs", "交警", "路牌;指路牌", level="district")]

    assert told(written(tmp_path, duties=duties)) == []


def test_a_city_duty_without_a_city_body_is_done_by_the_districts(tmp_path):
    duties = [*DUTIES, clause("stalls", "城管局", "夜市;早市", level="city")]

    assert told(written(tmp_path, duties=duties)) == []


def test_two_topics_have_two_names_and_a_place_stands_once(tmp_path):
    topics = with_cell(TOPICS, 3, "name", "交通出行")
    lines = told(written(tmp_path, topics=topics, places=[*PLACES, PLACES[-1]]))

    assert ["topics.csv 第 3 行 name 列" in lines[0], "places.csv 第 5 行 place 列" in lines[1]] == [True, True]


def test_a_township_duty_names_the_townships_that_nobody_answers_for(tmp_path):
    duties = [*DUTIES, clause("lanes", "街道乡镇", "背街;小巷", level="township")]
    departments = [*DEPARTMENTS, ["新阳路街道办事处", "街道乡镇", "新阳路街道", "township", ""]]
    places = [*PLACES, ["群力街道", "township", "道里区", "群力街道", "", ""]]
    lines = told(written(tmp_path, duties=duties, departments=departments, places=places))

    assert len(lines) == 1
    assert "“街道乡镇”在道里区群力街道没有单位" in lines[0]


def test_an_expired_clause_is_told_and_its_words_overlap_nothing(tmp_path):
    duties = [*DUTIES, clause("old", "城管局", "红绿灯;信号灯", valid_until="2025-12-31")]
    lines = told(written(tmp_path, duties=duties))

    assert len(lines) == 1
    assert "duties.csv 第 4 行 valid_until 列：“2025-12-31”已经失效" in lines[0]


def test_clauses_of_two_kinds_with_half_their_words_in_common_overlap(tmp_path):
    duties = [*DUTIES, clause("lamps", "城管局", "红绿灯;信号灯;路灯不亮;灯杆", level="district")]
    lines = told(written(tmp_path, duties=duties))

    assert len(lines) == 2, "and the signal clause has no word of its own left"
    assert "“signal”的词别的条目（lamps）都有" in lines[0]
    assert "“lamps”与 signal 有一半以上的词相同（红绿灯、信号灯），牵头的却是交警和城管局" in lines[1]


def test_a_topic_that_no_clause_covers_is_told(tmp_path):
    lines = told(written(tmp_path, topics=[*TOPICS, ["power", "供电用电", "停电", ""]]))

    assert len(lines) == 1
    assert "topics.csv 第 4 行 topic 列：“power”没有一条在用的职责" in lines[0]


@pytest.mark.parametrize("alias", ["道里城管", "道里区城市管理局"])
def test_an_alias_means_one_body(tmp_path, alias):
    lines = told(written(tmp_path, departments=with_cell(DEPARTMENTS, 3, "aliases", alias)))

    assert len(lines) == 1
    assert f"departments.csv 第 3 行 aliases 列：“{alias}”也是第 2 行“道里区城市管理局”的名称" in lines[0]


def test_a_trap_without_the_name_of_its_place_is_told(tmp_path):
    lines = told(written(tmp_path, places=with_cell(PLACES, 3, "traps", "人行道外")))

    assert len(lines) == 1
    assert "places.csv 第 3 行 traps 列：“人行道外”不含这个地方的名称" in lines[0]


def test_the_command_exits_by_what_it_found(tmp_path):
    sound, doubtful, broken = (tmp_path / name for name in ("sound", "doubtful", "broken"))
    for folder in (sound, doubtful, broken):
        folder.mkdir()
    written(sound, duties=LASTING)
    written(doubtful, duties=LASTING, places=with_cell(PLACES, 3, "traps", "人行道外"))
    written(broken, duties=with_cell(LASTING, 2, "topic", "trafic"))
    run = {
        folder: CliRunner().invoke(app, ["check", "--directory", str(folder)]) for folder in (sound, doubtful, broken)
    }

    assert {folder.name: done.exit_code for folder, done in run.items()} == {"sound": 0, "doubtful": 1, "broken": 2}
    assert "没有发现问题" in run[sound].output
    assert "1 处要核对" in run[doubtful].output
    assert "1 处不改不能派单" in run[broken].output


def test_the_command_speaks_json_to_programs(tmp_path):
    written(tmp_path, duties=with_cell(LASTING, 2, "topic", "trafic"))
    done = CliRunner().invoke(app, ["check", "--directory", str(tmp_path), "--json"])

    (finding,) = json.loads(done.output)
    assert (finding["row"], finding["column"], finding["value"]) == (2, "topic", "trafic")


def test_a_run_notes_what_is_doubtful_about_the_directory_and_goes_on(tmp_path, quick_toml):
    folder = tmp_path / "directory"
    folder.mkdir()
    written(folder, duties=LASTING, places=with_cell(PLACES, 3, "traps", "人行道外"))
    letters = write_csv(tmp_path / "来信.csv", LETTERS_HEADER, LETTERS)
    command = ["route", str(letters), "--out", str(tmp_path / "out"), "--directory", str(folder)]
    done = CliRunner().invoke(app, [*command, "--settings", str(quick_toml)])

    assert done.exit_code == 0, done.output
    notes = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["notes"]
    assert any("职责目录有 1 处要核对" in note and "人行道外" in note for note in notes)
