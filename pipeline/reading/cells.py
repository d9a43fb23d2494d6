"""One cell to clean text, and columns of times in many forms to timestamps."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

# Control characters but newline and tab, zero-width and direction marks, halves of surrogate pairs, non-characters:
# none is text, and several cannot be written to XML or Parquet.
_NOT_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff\ud800-\udfff]"
)
_CHINA = dt.timezone(dt.timedelta(hours=8))
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)
_FIRST_YEAR, _LAST_YEAR = 1950, 2099
_DATE = re.compile(
    r"(?P<year>\d{4})\s*(?:年|[-/.])\s*(?P<month>\d{1,2})\s*(?:月|[-/.])\s*(?P<day>\d{1,2})\s*[日号]?"
    r"|(?P<year8>\d{4})(?P<month8>\d{2})(?P<day8>\d{2})(?=\D|\d{4}$|\d{6}$|$)"
)
_CLOCK = re.compile(
    r"[T\s]*(?P<half>上午|下午|晚上|中午|凌晨|早上|am|pm)?\s*(?P<hour>\d{1,2})\s*[:时点]\s*"
    r"(?:(?P<minute>\d{1,2})\s*分?)?(?:\s*[:]?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?\s*(?P<half2>am|pm)?"
    r"\s*(?P<zone>z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_COMPACT_CLOCK = re.compile(r"[T\s]*(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?")
_WEEKDAY = re.compile(r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?")


def clean_text(text: str) -> str:
    """Text as read, without what is not text: blank ends, carriage returns, control and zero-width characters."""
    if text.isprintable():  # most cells, and ten times as quick
        return text.strip(" ")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub("", text).strip()


def cell_text(cell: Any) -> str:
    """Any cell as clean text: whole numbers without a point or exponent, dates in ISO form, lists parted by ``;``."""
    if isinstance(cell, str):
        return clean_text(cell)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return _number_text(cell)
    if isinstance(cell, dt.datetime):
        if cell != cell:  # NaT
            return ""
        whole_day = cell.tzinfo is None and cell.time() == dt.time(0)
        return cell.date().isoformat() if whole_day else cell.isoformat(" ")
    if isinstance(cell, dict):
        return clean_text(json.dumps(cell, ensure_ascii=False))
    if isinstance(cell, list | tuple):
        return ";".join(filter(None, map(cell_text, cell)))
    return clean_text(str(cell))


def _number_text(number: float) -> str:
    if math.isnan(number) or math.isinf(number):
        return ""
    # An id of 18 digits must not become 2.301e+17; what Excel lost beyond 15 digits cannot be had back.
    return str(int(number)) if number.is_integer() and abs(number) < 1e25 else repr(number)


def parse_times(cells: Sequence[Any]) -> tuple[list[dt.datetime | None], int]:
    """Times in any form offices write.

    Parameters
    ----------
    cells : dates, Excel day numbers, seconds since 1970, or text such as 2019/1/2 9:05, 2019年1月2日 下午3点, 20190102

    Returns
    -------
    times : naive times of China, to the second; None where blank or not understood
    failed : how many were not blank and not understood
    """
    times = [_parse_time(cell) for cell in cells]
    failed = sum(time is None and cell_text(cell) != "" for time, cell in zip(times, cells, strict=True))
    return times, failed


def _parse_time(cell: Any) -> dt.datetime | None:
    try:
        time = _any_time(cell)
    except (ValueError, OverflowError):
        return None
    if time is None or time != time or not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        return None
    if time.tzinfo is not None:
        time = time.astimezone(_CHINA).replace(tzinfo=None)
    return time.replace(microsecond=0) if time.microsecond else time


def _any_time(cell: Any) -> dt.datetime | None:
    if not cell:
        return None
    if isinstance(cell, str):
        text = cell.strip()
        # fromisoformat reads "20190102112" as eleven o'clock, so it is only asked about forms with dashes
        if len(text) >= 10 and text[4] == "-" and text[7] == "-":
            try:
                return dt.datetime.fromisoformat(text)
            except ValueError:
                return _written_time(clean_text(text))
        return _written_time(clean_text(text))
    if isinstance(cell, dt.datetime):
        return cell
    if isinstance(cell, dt.date):
        return dt.datetime(cell.year, cell.month, cell.day)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _written_time(_number_text(float(cell)))
    return None


def _written_time(text: str) -> dt.datetime | None:
    if text.replace(".", "", 1).isdecimal():
        number = float(text)
        if 18_000 <= number < 80_000:  # Excel's day number
            return _EXCEL_EPOCH + dt.timedelta(seconds=round(number * 86_400))
        if 8e8 <= number < 4.1e9 and len(text.split(".")[0]) in (9, 10):
            return dt.datetime.fromtimestamp(number, tz=_CHINA)
        if 8e11 <= number < 4.1e12 and len(text) in (12, 13):
            return dt.datetime.fromtimestamp(number / 1000, tz=_CHINA)
    text = _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", text))
    date = _DATE.match(text)
    if date is None:
        return None
    year, month, day = (int(date[name] or date[name + "8"]) for name in ("year", "month", "day"))
    rest = text[date.end() :].strip()
    if not rest:
        return dt.datetime(year, month, day)
    clock = _CLOCK.fullmatch(rest) or _COMPACT_CLOCK.fullmatch(rest)
    if clock is None:
        return None
    found = clock.groupdict()
    hour = _hour_of_day(int(found["hour"]), (found.get("half") or found.get("half2") or "").lower())
    time = dt.datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0))
    zone = found.get("zone")
    return dt.datetime.fromisoformat(time.isoformat() + zone.upper()) if zone else time


def _hour_of_day(hour: int, half: str) -> int:
    if half in ("下午", "晚上", "pm") and hour < 12:
        return hour + 12
    if half == "中午" and hour < 3:
        return hour + 12
    if half in ("上午", "凌晨", "am") and hour == 12:
        return 0
    return hour
