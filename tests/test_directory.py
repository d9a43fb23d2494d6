"""The directory: what load_directory promises to an office that edits its CSV files in Excel."""

from __future__ import annotations

import csv
import pickle
from datetime import date
from pathlib import Path

import pytest

from pipeline.directory import load_directory
from pipeline.errors import DirectoryError

TOPICS = [
    ["topic", "name", "covers", "boundary"],
    ["traffic", "交通出行", "拥堵、信号灯", ""],
    ["city_management", "城市管理", "占道经营", ""],
]
DEPARTMENTS = [
    ["department", "kind", "jurisdiction", "level", "aliases"],
    ["道里区城市管理局", "城管局", "道里区", "district", "道里城管;道里区城管局"],
    ["哈尔滨市公安局交通警察支队", "交警", "哈尔滨市", "city", "市交警支队"],
]
DUTIES = [
    [
        *["duty_id", "clause", "topic", "lead_kind", "co_kinds", "level", "urgency"],
        *["working_days", "valid_from", "valid_until", "words"],
    ],
    [
        "stall",
        "城管局负责治理占道经营",
        "city_management",
        "城管局",
        "交警",
        "district",
        "normal",
        "5",
        "2025-01-01",
        "",
        "占道经营;油烟",
    ],
    ["signal", "交警负责信号灯", "traffic", "交警", "", "city", "normal", "10", "", "2026/6/30", "红绿灯；信号灯"],
]
PLACES = [
    ["place", "level", "district", "township", "aliases", "traps"],
    ["哈尔滨市", "city", "", "", "哈市", ""],
    ["道里区", "district", "道里区", "", "道里", "街道里"],
    ["新阳路街道", "township", "道里区", "新阳路街道", "", ""],
]
OVERLAPS = [
    ["zone", "district", "places", "kinds", "body", "role"],
    ["群力新区", "道里区", "新阳路街道", "城管局", "道里区城市管理局", "lead"],
]
FILES = {"topics.csv": TOPICS, "departments.csv": DEPARTMENTS, "duties.csv": DUTIES, "places.csv": PLACES}


def written(folder: Path, encoding: str = "utf-8-sig", **changed: list[list[str]]) -> Path:
    for name, rows in FILES.items():
        with open(folder / name, "w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(changed.get(name.removesuffix(".csv"), rows))
    return folder


def with_overlaps(folder: Path, rows: list[list[str]]) -> Path:
    with open(written(folder) / "overlaps.csv", "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def with_cell(rows: list[list[str]], row: int, column: str, value: str) -> list[list[str]]:
    copy = [list(cells) for cells in rows]
    copy[row - 1][rows[0].index(column)] = value
    return copy


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_a_directory_saved_by_any_excel_reads_the_same(tmp_path, encoding):
    directory = load_directory(written(tmp_path, encoding))

    assert directory.topic_names == {"traffic": "交通出行", "city_management": "城市管理"}
    assert directory.departments[0].aliases == ("道里城管", "道里区城管局")
    assert directory.duties[0].working_days == 5
    assert directory.duties[1].words == ("红绿灯", "信号灯"), "a full-width semicolon parts words too"
    assert directory.duties[1].valid_until == date(2026, 6, 30), "Excel writes dates with slashes"
    assert directory.places[1].traps == ("街道里",)


def test_a_topic_has_one_key_by_either_name_and_a_strange_label_stays(tmp_path):
    directory = load_directory(written(tmp_path))

    assert directory.topic_key("交通出行") == "traffic"
    assert directory.topic_key("traffic") == "traffic"
    assert directory.topic_key("我局自定类") == "我局自定类"


def test_a_kind_is_known_by_body_alias_or_itself(tmp_path):
    directory = load_directory(written(tmp_path))

    assert [directory.kind_of(name) for name in ("道里区城市管理局", "道里城管", "城管局", "某局")] == [
        *["城管局"] * 3,
        "",
    ]


def test_clauses_are_in_force_by_the_day_that_the_caller_names(tmp_path):
    directory = load_directory(written(tmp_path))

    assert [duty.duty_id for duty in directory.valid_on(date(2024, 12, 31)).duties] == ["signal"]
    assert [duty.duty_id for duty in directory.valid_on(date(2025, 1, 1)).duties] == ["stall", "signal"]
    assert [duty.duty_id for duty in directory.valid_on(date(2026, 7, 1)).duties] == ["stall"]


def test_a_topic_falls_back_on_its_kinds_by_their_share_of_its_clauses(tmp_path):
    more = [*DUTIES, ["order", "交警疏导占道", "city_management", "交警", "", "city", "normal", "5", "", "", "堵路"]]
    directory = load_directory(written(tmp_path, duties=more))
    assert directory.fallback_duties["city_management"] == ((0, 0.5), (2, 0.5))

    general = [
        *more,
        ["all", "城管局负责其他市容事项", "city_management", "城管局", "", "district", "normal", "5", "", "", ""],
    ]
    directory = load_directory(written(tmp_path, duties=general))
    assert directory.fallback_duties["city_management"] == ((3, 1.0),), "a clause without words is the general one"


def test_a_directory_travels_to_a_worker(tmp_path):
    directory = load_directory(written(tmp_path))
    assert directory.duty_words.words  # what is cached must not stand in the way

    assert pickle.loads(pickle.dumps(directory)) == directory


@pytest.mark.parametrize(
    ("file", "row", "column", "value", "says"),
    [
        ("duties", 2, "topic", "trafic", "topics.csv 里没有这个主题"),
        ("duties", 2, "lead_kind", "城管", "没有这一类部门"),
        ("duties", 2, "co_kinds", "水利局", "没有这一类部门"),
        ("duties", 2, "level", "区级", "请写成其中一个：city、district、township"),
        ("duties", 2, "urgency", "急", "请写成其中一个：urgent、normal"),
        ("duties", 2, "working_days", "五", "不是天数"),
        ("duties", 2, "working_days", "0", "不是天数"),
        ("duties", 2, "working_days", "99999999999999999999", "请写 1 到 1000 的整数"),
        ("duties", 3, "valid_until", "明年", "不是日期"),
        ("duties", 3, "valid_until", "99999999999999999999-1-1", "不是日期"),
        ("duties", 2, "valid_until", "2024-01-01", "早于生效日期 2025-01-01"),
        ("duties", 3, "duty_id", "stall", "第 2 行已经有了"),
        ("duties", 3, "words", "灯", "太短"),
        ("topics", 3, "topic", "traffic", "第 2 行已经有了"),
        ("departments", 2, "department", "", "是空的"),
        ("departments", 2, "jurisdiction", "道理区", "没有级别为 district 的这个地方"),
        ("places", 4, "district", "道理区", "不是本表里的区县"),
        ("places", 4, "level", "街道", "请写成其中一个：city、district、township、spot"),
    ],
)
def test_a_wrong_cell_is_named_by_file_row_column_and_value(tmp_path, file, row, column, value, says):
    folder = written(tmp_path, **{file: with_cell(FILES[f"{file}.csv"], row, column, value)})

    with pytest.raises(DirectoryError) as error:
        load_directory(folder)

    message = str(error.value)
    assert f"{file}.csv 第 {row} 行 {column} 列：{f'“{value}”' if value else ''}" in message
    assert says in message
    assert message.endswith("。"), "a message ends with what to do"


def test_a_line_break_parts_a_list_and_is_in_no_name(tmp_path):
    changed = with_cell(FILES["duties.csv"], 3, "words", "路灯不亮\n灯杆歪了；没有路灯")
    assert load_directory(written(tmp_path, duties=changed)).duties[1].words == ("路灯不亮", "灯杆歪了", "没有路灯")

    with pytest.raises(DirectoryError, match="departments.csv 第 2 行 department 列：“城管”里有换行"):
        load_directory(written(tmp_path, departments=with_cell(FILES["departments.csv"], 2, "department", "城管\n局")))


def test_a_file_that_is_no_table_is_told_in_one_line(tmp_path):
    folder = written(tmp_path)
    with open(folder / "places.csv", "a", encoding="utf-8") as file:
        file.write('"' + "道里区" * 50_000)  # a quote that is never closed takes in the rest of the file
    with pytest.raises(DirectoryError, match="places.csv 读不成表格"):
        load_directory(folder)


def test_zones_are_read_where_the_folder_has_them(tmp_path):
    assert load_directory(written(tmp_path)).overlaps == ()

    directory = load_directory(with_overlaps(tmp_path, OVERLAPS))
    (overlap,) = directory.overlaps
    assert (overlap.places, overlap.kinds, overlap.role) == (("新阳路街道",), ("城管局",), "lead")
    assert set(directory.zones) == {("道里区", "新阳路街道"), ("道里区", "群力新区")}
    assert pickle.loads(pickle.dumps(directory)) == directory


@pytest.mark.parametrize(
    ("column", "value", "shown", "says"),
    [
        ("zone", "", "", "是空的"),
        ("district", "道理区", "道理区", "不是 places.csv 里的区县"),
        ("places", "新阳路街道;群力街", "群力街", "不是 places.csv 里道里区的街道乡镇或具体地点"),
        ("places", "", "群力新区", "来件里认不出"),
        ("kinds", "城管局;城管", "城管", "不是能派单的部门类别"),
        ("body", "群力管委会", "群力管委会", "departments.csv 里没有这个单位"),
        ("role", "主办", "主办", "请写成其中一个：alone、lead、co"),
    ],
)
def test_a_wrong_cell_of_a_zone_is_named(tmp_path, column, value, shown, says):
    folder = with_overlaps(tmp_path, with_cell(OVERLAPS, 2, column, value))

    with pytest.raises(DirectoryError) as error:
        load_directory(folder)

    wrong = "zone" if says == "来件里认不出" else column
    assert f"overlaps.csv 第 2 行 {wrong} 列：{f'“{shown}”' if shown else ''}" in str(error.value)
    assert says in str(error.value)


def test_one_kind_in_one_place_is_settled_by_one_zone(tmp_path):
    second = ["道里开发区", "道里区", "新阳路街道", "交警;城管局", "道里区城市管理局", "co"]

    with pytest.raises(DirectoryError, match=r"第 3 行 zone 列.*新阳路街道的城管局（第 2 行）.*请从一行里去掉"):
        load_directory(with_overlaps(tmp_path, [*OVERLAPS, second]))
    load_directory(with_overlaps(tmp_path, [*OVERLAPS, with_cell([OVERLAPS[0], second], 2, "kinds", "交警")[1]]))


def test_a_missing_file_is_named(tmp_path):
    written(tmp_path)
    (tmp_path / "places.csv").unlink()

    with pytest.raises(DirectoryError, match=r"places\.csv.*请补上"):
        load_directory(tmp_path)


def test_a_missing_column_is_named_with_those_found(tmp_path):
    folder = written(tmp_path, topics=[["topic", "名称"], ["traffic", "交通出行"]])

    with pytest.raises(DirectoryError, match=r"没有 name、covers、boundary 列（只有 topic、名称）.*请把表头补上"):
        load_directory(folder)


def test_bytes_of_no_chinese_encoding_are_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "topics.csv").write_bytes(b"topic,name,covers,boundary\n\xff\xff\xff,x,,\n")

    with pytest.raises(DirectoryError, match="既不是 UTF-8 也不是 GB18030"):
        load_directory(tmp_path)
