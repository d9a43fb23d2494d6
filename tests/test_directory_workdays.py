"""Deadlines: working days with 调休, days of the office's own calendar, and years of which nothing is known."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_directory import written

from pipeline.directory import SpecialDay, check_directory, load_directory
from pipeline.directory.workdays import working_calendar
from pipeline.errors import DirectoryError
from pipeline.parts import write_part
from pipeline.schema import MATCHED, empty_table, typed

PUBLISHED = working_calendar(())
YEAR = PUBLISHED.published_year
TODAY = dt.date(2026, 1, 15)


def deadline(at: str | None, days: int, calendar=PUBLISHED) -> dt.date | None:
    return calendar.deadlines(pd.to_datetime(pd.Series([at])), pd.Series([days]))[0]


@pytest.mark.parametrize(
    ("at", "days", "last"),
    [
        ("2026-03-02 10:00", 1, "2026-03-03"),
        ("2026-03-02 23:59", 1, "2026-03-03"),  # after office hours it is the same day
        ("2026-03-06 10:00", 1, "2026-03-09"),  # Friday to Monday
        ("2026-03-07 10:00", 1, "2026-03-09"),  # a Saturday does not count, nor does the Sunday
        ("2026-02-13 10:00", 1, "2026-02-14"),  # Saturday, worked for the Spring Festival
        ("2026-02-14 10:00", 1, "2026-02-24"),  # nine days of Spring Festival, from the 15th to the 23rd
        ("2026-02-16 10:00", 5, "2026-02-28"),  # the fifth is a worked Saturday
        ("2026-09-18 10:00", 1, "2026-09-20"),  # Sunday, worked for the National Day
        ("2026-09-30 10:00", 3, "2026-10-10"),  # eighth, ninth, and a worked Saturday
    ],
)
def test_the_day_of_submission_does_not_count_and_holidays_neither(at, days, last):
    assert deadline(at, days) == dt.date.fromisoformat(last)


def test_working_days_are_those_of_the_library():
    from chinese_calendar import get_workdays

    assert PUBLISHED.days.tolist() == get_workdays(dt.date(PUBLISHED.first_year, 1, 1), dt.date(YEAR, 12, 31))


def test_without_a_time_or_without_a_clause_there_is_no_deadline():
    assert deadline(None, 5) is None
    assert deadline("2026-03-02", 0) is None


def test_a_day_that_would_lie_in_an_unknown_year_is_no_deadline():
    assert deadline(f"{YEAR}-12-30", 1) == dt.date(YEAR, 12, 31)
    assert deadline(f"{YEAR}-12-30", 10) is None
    assert deadline(f"{YEAR + 2}-05-01", 1) is None
    assert deadline("1999-05-01", 1) is None


def test_what_has_no_deadline_is_told_once_with_what_to_do():
    rows = pd.DataFrame(
        {
            "submitted_at": pd.to_datetime([f"{YEAR}-12-30", f"{YEAR}-12-31", f"{YEAR + 3}-01-05", None, None]),
            "working_days": [10, 10, 5, 5, 0],
        }
    )
    rows["deadline"] = PUBLISHED.deadlines(rows["submitted_at"], rows["working_days"])
    undated, first, second = PUBLISHED.remarks(rows)
    assert undated.startswith("1 件没有提交时间")
    assert first.startswith(f"日历里没有 {YEAR + 1} 年的放假安排，2 件的期限要用到这一年")
    assert "calendar.csv" in first
    assert f"{YEAR + 3} 年" in second
    assert PUBLISHED.remarks(rows.head(0)) == []


def test_a_time_long_ago_is_told_as_a_slip_and_not_as_a_year_to_add():
    rows = pd.DataFrame({"submitted_at": pd.to_datetime(["1990-01-01", "2003-12-31"]), "working_days": [3, 3]})
    rows["deadline"] = PUBLISHED.deadlines(rows["submitted_at"], rows["working_days"])
    assert PUBLISHED.remarks(rows) == ["2 件的提交时间早于 2004 年，没有算办理期限；请核对提交时间"]


def test_the_office_may_announce_a_year_and_overrule_a_day():
    off, worked = SpecialDay(dt.date(YEAR + 1, 1, 1), False), SpecialDay(dt.date(YEAR + 1, 1, 2), True)
    own = working_calendar((off, worked, SpecialDay(dt.date(2026, 3, 3), False)))
    friday = dt.date(YEAR + 1, 1, 1)
    assert deadline(f"{YEAR}-12-31", 1, own) > friday
    assert own.last_year == YEAR + 1
    assert deadline("2026-03-02", 1, own) == dt.date(2026, 3, 4)


def test_a_year_behind_a_gap_stays_unknown():
    own = working_calendar((SpecialDay(dt.date(YEAR + 2, 1, 1), False),))
    assert own.last_year == YEAR
    assert deadline(f"{YEAR + 2}-03-01", 1, own) is None


@given(
    st.lists(st.tuples(st.dates(dt.date(2025, 1, 1), dt.date(2026, 11, 1)), st.integers(1, 20)), min_size=1, max_size=8)
)
def test_a_deadline_is_a_working_day_with_as_many_working_days_up_to_it(rows):
    times = pd.to_datetime(pd.Series([day for day, _ in rows]))
    counts = pd.Series([days for _, days in rows])
    together = PUBLISHED.deadlines(times, counts)
    for (start, days), last in zip(rows, together, strict=True):
        between = PUBLISHED.days[(PUBLISHED.days > np.datetime64(start)) & (PUBLISHED.days <= np.datetime64(last))]
        assert len(between) == days
        assert between[-1] == np.datetime64(last)
        assert deadline(str(start), days) == last, "a row alone has the same deadline"


def test_dates_keep_their_type_in_a_part_where_all_are_missing(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {column.name: [""] if column.kind == "str" else [None] for column in MATCHED.columns}
    row |= {"department_probability": [0.0], "endangered": [False], "working_days": [0]}
    write_part(typed(pd.DataFrame(row), MATCHED), tmp_path / "part.parquet")
    assert pq.read_schema(tmp_path / "part.parquet").field("deadline").type == pa.date32()
    assert str(empty_table(MATCHED)["deadline"].dtype) == "date32[day][pyarrow]"


# calendar.csv


def with_calendar(folder, *rows):
    written(folder)
    lines = ["date,kind,note", *(",".join(row) for row in rows)]
    (folder / "calendar.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    return folder


def test_a_directory_without_a_calendar_uses_the_published_one(tmp_path):
    assert load_directory(written(tmp_path)).calendar == ()


def test_a_calendar_is_read_as_excel_saves_it(tmp_path):
    folder = with_calendar(tmp_path, ("2026/3/3", "休", "本局停电"), ("2026-03-07", "班", ""))
    directory = load_directory(folder)
    assert directory.calendar == (SpecialDay(dt.date(2026, 3, 3), False), SpecialDay(dt.date(2026, 3, 7), True))
    assert deadline("2026-03-02", 2, directory.working_calendar) == dt.date(2026, 3, 5)
    assert deadline("2026-03-06", 1, directory.working_calendar) == dt.date(2026, 3, 7)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("", "休", ""), "calendar.csv 第 2 行 date 列：是空的"),
        (("三月三日", "休", ""), "calendar.csv 第 2 行 date 列：“三月三日”不是日期"),
        (("2026-03-03", "放假", ""), "calendar.csv 第 2 行 kind 列：“放假”不认识。请写成其中一个：班、休"),
    ],
)
def test_a_day_that_cannot_be_read_is_told_by_row_and_column(tmp_path, row, told):
    with pytest.raises(DirectoryError, match=told):
        load_directory(with_calendar(tmp_path, row))


def test_a_day_stands_once(tmp_path):
    with pytest.raises(DirectoryError, match="calendar.csv 第 3 行 date 列：“2026/03/03”第 2 行已经有了"):
        load_directory(with_calendar(tmp_path, ("2026-03-03", "休", ""), ("2026/03/03", "班", "")))


def told(folder):
    return [str(finding) for finding in check_directory(folder, on=TODAY) if finding.file.name == "calendar.csv"]


def test_half_a_year_and_a_year_behind_a_gap_want_a_look(tmp_path):
    [line] = told(with_calendar(tmp_path, (f"{YEAR + 1}-01-01", "休", "元旦")))
    assert f"{YEAR + 1} 年只写了 1 个休息日" in line
    [line] = told(with_calendar(tmp_path, (f"{YEAR + 2}-01-01", "休", "元旦")))
    assert f"{YEAR + 2} 年的用不上" in line
    assert told(with_calendar(tmp_path, ("2026-03-03", "休", ""))) == []
