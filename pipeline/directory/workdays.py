"""Deadlines in working days, with China's public holidays and the weekend days worked for them (调休)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class SpecialDay:
    """One day that is a day off, or worked, whatever day of the week it is."""

    day: date
    worked: bool


@dataclass(frozen=True, eq=False)
class WorkingCalendar:
    """The working days of the years whose holidays are known.

    Attributes
    ----------
    days : datetime64[D] array, every working day, ascending
    first_year, last_year : the years known, both included, none between them unknown
    published_year : the last year that chinesecalendar knows by itself
    """

    days: np.ndarray
    first_year: int
    last_year: int
    published_year: int

    def deadlines(self, submitted_at: pd.Series, working_days: pd.Series) -> pd.Series:
        """The last day on which each row is answered in time.

        The day of submission does not count, at whatever hour it came (民法典, article 201): the first day counted is
        the first working day after it. Times are the office's own and have no zone.

        Parameters
        ----------
        submitted_at : time of submission, NaT where it is not known
        working_days : days an answer may take; 0 where no clause says so

        Returns
        -------
        datetime.date or None, same index; None where the time or the days are not known, or where a day that has to be
        counted lies in a year whose holidays are not known
        """
        start = submitted_at.to_numpy().astype("datetime64[D]")
        count = working_days.to_numpy(dtype=np.int64)
        place = np.searchsorted(self.days, start, side="right") + count - 1
        known = (count > 0) & ~np.isnat(start) & (start >= _first_day(self.first_year)) & (place < len(self.days))
        found = np.full(len(start), None, dtype=object)
        found[known] = self.days[place[known]].astype(object)
        return pd.Series(found, index=submitted_at.index, dtype="object")

    def remarks(self, rows: pd.DataFrame) -> list[str]:
        """What a clerk should know about rows that a clause gives days but that have no deadline, in Chinese.

        Parameters
        ----------
        rows : submitted_at, working_days, deadline
        """
        lacking = rows[(rows["working_days"] > 0) & rows["deadline"].isna()]
        undated = int(lacking["submitted_at"].isna().sum())
        told = []
        if undated:
            told.append(
                f"{undated:,} 件没有提交时间，没有算办理期限；请从收件当天起算，或在来件里补上提交时间后重新分办"
            )
        years = lacking["submitted_at"].dropna().dt.year
        early = int((years < self.first_year).sum())
        if early:
            told.append(f"{early:,} 件的提交时间早于 {self.first_year} 年，没有算办理期限；请核对提交时间")
        unknown = years[years >= self.first_year].clip(lower=self.last_year + 1)
        for year, count in unknown.value_counts().sort_index().items():
            told.append(
                f"日历里没有 {year} 年的放假安排，{count:,} 件的期限要用到这一年，没有算；请升级 chinesecalendar，"
                f"或把国务院公布的 {year} 年放假和调休日期写进职责目录的 calendar.csv，再重新分办"
            )
        return told


@cache
def working_calendar(special: tuple[SpecialDay, ...]) -> WorkingCalendar:
    """The years of chinesecalendar, with an office's own days laid over them.

    Parameters
    ----------
    special : the office's days; a year of theirs that chinesecalendar lacks is known too if the year before it is
    """
    # Loaded with the first batch: nothing else needs it, and the command line must start at once.
    from chinese_calendar.constants import holidays, workdays

    first, published = min(holidays).year, max(holidays).year
    given = {own.day.year for own in special}
    last = published
    while last + 1 in given:
        last += 1
    everyday = np.arange(_first_day(first), _first_day(last + 1))
    # The library's own functions look through all holidays for each day, which takes a fifth of a second in all.
    worked = set(everyday[np.is_busday(everyday)].tolist()) - holidays.keys() | workdays.keys()
    for own in special:
        (worked.add if own.worked else worked.discard)(own.day)
    days = sorted(day for day in worked if first <= day.year <= last)
    return WorkingCalendar(np.array(days, dtype="datetime64[D]"), first, last, published)


def _first_day(year: int) -> np.datetime64:
    return np.datetime64(f"{year:04d}-01-01", "D")
