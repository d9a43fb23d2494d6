"""A register without a model: letters are segmented, sketched, grouped and registered, places given by the test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd
import rjieba
from scorers import SCORER

from pipeline.cluster import SKETCHES, content_words, group_submissions, sketch_submissions
from pipeline.parts import Parts, write_part
from pipeline.register import Signature, find_neighbourhood, keep_run, open_register, settle_issues
from pipeline.runs import texts_of
from pipeline.schema import CLASSIFIED, typed
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()
CLERK = Signature(dt.datetime(2026, 3, 2, 9, 30), "周敏", "现场看过")
_LISTS = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]

HEATING = "群力家园12号楼3单元供热开始半个月了，室内温度一直只有十四度，热力公司说派人来测温，到今天没有人上门。"
HEATING_TOO = "群力家园的暖气一直不热，室内测温只有十四度，热力公司电话打了几次，说好上门测温也不来，供热费一分没少交。"
MARKET = "中央大街东侧夜市每晚摆摊到后半夜，烧烤油烟直接往居民楼里灌，垃圾没人清扫，附近住户不敢开窗。"
MARKET_TOO = "中央大街夜市的烧烤油烟灌进居民楼，每晚摆摊到后半夜，垃圾也没人清扫，住户都不敢开窗。"
BUS = "早高峰在世茂大道等公交车常常要等四十分钟，车来了又挤不上去，建议给这条线路多配几台车。"


def letter(name: str, text: str, day: int, *, spot: str | None = None, writer: str = "") -> dict[str, object]:
    return {"submission_id": name, "text": text, "day": day, "spot": spot, "submitter": writer or f"居民{name}"}


def make_part(letters: list[dict[str, object]], path: Path) -> Parts:
    """What the map stages leave of some letters, as far as the register and the grouping look at it."""
    given = pd.DataFrame(letters)
    rows = pd.DataFrame(
        {
            **{name: given[name] for name in ("submission_id", "text", "submitter", "spot")},
            "submitted_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(given["day"], unit="D"),
            **dict.fromkeys(("title", "channel", "place", "source_file", "source_sheet"), ""),
            "returned_by": [[] for _ in letters],
            **{"source_row": range(len(given)), "topic": "other", "department": "", "urgency": "normal"},
            **{"district": None, "township": None},
        }
    )
    segmented = pd.DataFrame(
        {
            "submission_id": rows["submission_id"],
            "title_tokens": [[] for _ in rows.index],
            "text_tokens": [rjieba.cut(text) for text in rows["text"]],
        }
    )
    unclassified = rows[["submission_id"]].assign(topic="", topic_probability=0.0)
    classified = typed(unclassified.assign(**{name: [[]] * len(rows) for name in _LISTS}), CLASSIFIED)
    placed = rows[["submission_id", "district", "township", "spot"]].assign(place_words=None)
    sketches = sketch_submissions(rows, segmented, classified, placed, settings=SETTINGS).add_prefix("sketch.")
    write_part(pd.concat([rows, sketches, content_words(segmented).rename("words")], axis=1), path)
    return Parts((path,))


def group(parts: Parts, known=None):
    return group_submissions(
        parts.read([f"sketch.{name}" for name in SKETCHES.names]).set_axis(SKETCHES.names, axis=1),
        texts=lambda rows: texts_of(parts, rows),
        words=lambda rows: [kept.split() for kept in parts.take(rows, ["words"])["words"]],
        scorer=SCORER,
        settings=SETTINGS,
        known=known,
    )


class Office:
    """An office that registers letters batch by batch; `fetched` is how many registered rows the last batch needed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.fetched = folder, folder / "office.duckdb", 0

    def receive(self, *letters: dict[str, object]) -> pd.DataFrame:
        """Register letters; gives issue_id, duplicate_of and reopened of them, index submission_id."""
        new = make_part(list(letters), self.folder / "new.parquet")
        with self.open(begin=True) as register:
            found = find_neighbourhood(register, new, self.folder / "known.parquet", scorer=SCORER, settings=SETTINGS)
            outcome = settle_issues(
                found, group(found.everything, found.known), at=dt.datetime(2026, 3, 1), cohesion=SETTINGS.cohesion
            )
            keep_run(found, outcome, settings=SETTINGS)
        self.fetched = found.rows.rows
        return outcome.members.iloc[found.rows.rows :].set_index("submission_id")

    def decide(self, decision, *args, **options):
        with self.open() as register:
            return decision(register, *args, sign=CLERK, **options)

    def open(self, *, begin: bool = False):
        return open_register(self.file, begin=begin)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def issue_of(self) -> dict[str, str]:
        return dict(self.ask("SELECT submission_id, issue_id FROM submissions ORDER BY position"))

    def issues(self) -> dict[str, tuple[str, str | None]]:
        """Status and successor of each issue."""
        return {name: told for name, *told in self.ask("SELECT issue_id, status, merged_into FROM issues")}

    def events(self, issue: str | None = None) -> list[tuple[object, ...]]:
        """issue, event, other issue and number of submissions, in order."""
        wanted = f"WHERE issue_id = '{issue}'" if issue else ""
        return self.ask(f"SELECT issue_id, event, other_issue, submissions FROM history {wanted} ORDER BY rowid")


def small_office(folder: Path) -> Office:
    """An office with two letters about heating (i-a1), one about a market (i-m1), one about a bus (i-b1)."""
    office = Office(folder)
    office.receive(
        letter("a1", HEATING, 1), letter("m1", MARKET, 2), letter("b1", BUS, 3), letter("a2", HEATING_TOO, 4)
    )
    return office
