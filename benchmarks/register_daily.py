#!/usr/bin/env python3
"""Measures the register: whether daily batches give the issues of one batch, and what a batch costs as it grows.

    register_daily.py --data DIR                                      ten batches by date against all rows at once
    register_daily.py --backlog N,N,... --backlog-file BACKLOG.csv    seconds of 1,000 new rows after N registered ones

DIR holds board_hot.csv, data kept outside the project; BACKLOG.csv has the columns submission_id, submitter, title,
text and submitted_at, and 1,000 rows more than the largest N. Rows are segmented with plain rjieba and have no topics
and no places, since it is the grouping that is looked at.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import rjieba

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.bundle import find_bundle, load_bundle
from pipeline.cluster import SKETCHES, content_words, group_submissions, sketch_submissions
from pipeline.cluster.known import Known
from pipeline.parts import Parts, part_path, write_part
from pipeline.register import find_neighbourhood, keep_run, open_register, settle_issues
from pipeline.runs import texts_of
from pipeline.schema import CLASSIFIED, typed
from pipeline.settings import ClusterSettings

BATCHES = 10
NEW_ROWS = 1_000
PART_ROWS = 1_000
SETTINGS = ClusterSettings()
SCORER = load_bundle(find_bundle(None)).scorer
_LISTS = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]


def read(path: Path) -> pd.DataFrame:
    """Rows by date, with the columns of SUBMISSIONS."""
    rows = pd.read_csv(path, dtype=str, encoding="utf-8").fillna("")
    times = pd.to_datetime(rows["submitted_at"], errors="coerce", format="mixed").astype("datetime64[us]")
    empty = dict.fromkeys(("channel", "place", "source_file", "source_sheet"), "")
    rows = rows.assign(submitted_at=times, source_row=range(len(rows)), **empty)
    return rows.sort_values("submitted_at", kind="stable").reset_index(drop=True)


def make_part(rows: pd.DataFrame, path: Path) -> None:
    """What the map stages leave of some rows, as far as the grouping and the register look at it."""
    rows = rows.reset_index(drop=True)
    ids = rows["submission_id"]
    segmented = pd.DataFrame(
        {
            "submission_id": ids,
            "title_tokens": [rjieba.cut(title) for title in rows["title"]],
            "text_tokens": [rjieba.cut(text) for text in rows["text"]],
        }
    )
    placed = pd.DataFrame({"submission_id": ids}).assign(district=None, township=None, spot=None, place_words=None)
    unclassified = pd.DataFrame({"submission_id": ids}).assign(topic="", topic_probability=0.0)
    classified = typed(unclassified.assign(**{name: [[]] * len(rows) for name in _LISTS}), CLASSIFIED)
    sketches = sketch_submissions(rows, segmented, classified, placed, settings=SETTINGS).add_prefix("sketch.")
    write_part(pd.concat([rows, sketches, content_words(segmented).rename("words")], axis=1), path)


def make_parts(rows: pd.DataFrame, folder: Path) -> Parts:
    folder.mkdir(parents=True)
    starts = range(0, len(rows), PART_ROWS)
    for number, start in enumerate(starts):
        make_part(rows.iloc[start : start + PART_ROWS], part_path(folder, number))
    return Parts(tuple(part_path(folder, number) for number in range(len(starts))))


def group(parts: Parts, known: Known | None = None):
    return group_submissions(
        parts.read([f"sketch.{name}" for name in SKETCHES.names]).set_axis(SKETCHES.names, axis=1),
        texts=lambda rows: texts_of(parts, rows),
        words=lambda rows: [kept.split() for kept in parts.take(rows, ["words"])["words"]],
        scorer=SCORER,
        settings=SETTINGS,
        known=known,
    )


def run_batch(register_file: Path, new: Parts, folder: Path) -> dict[str, float]:
    """One run with the register; rows at hand, and seconds of finding, grouping and keeping."""
    start = time.perf_counter()
    with open_register(register_file) as register:
        found = find_neighbourhood(register, new, folder / "known.parquet", scorer=SCORER, settings=SETTINGS)
        middle = time.perf_counter()
        grouping = group(found.everything, found.known)
        outcome = settle_issues(found, grouping, at=dt.datetime.now(), cohesion=SETTINGS.cohesion)
        grouped = time.perf_counter()
        keep_run(found, outcome, settings=SETTINGS)
    kept = time.perf_counter()
    seconds = {"find": middle - start, "group": grouped - middle, "keep": kept - grouped, "all": kept - start}
    return {"new": new.rows, "fetched": found.rows.rows, **seconds}


def tell(batch: dict[str, float]) -> None:
    told = [f"{name} {value:.2f} s" if isinstance(value, float) else f"{name} {value}" for name, value in batch.items()]
    print(", ".join(told), flush=True)


def registered(register_file: Path) -> pd.Series:
    with open_register(register_file, begin=False) as register:
        rows = register.frame("SELECT submission_id, issue_id FROM submissions")
    return rows.set_index("submission_id")["issue_id"]


def issues_of(issue_ids: pd.Series) -> set[frozenset[str]]:
    return {frozenset(members.index) for _, members in issue_ids.groupby(issue_ids)}


def compare(whole: set[frozenset[str]], daily: set[frozenset[str]]) -> None:
    several = {issue for issue in whole if len(issue) > 1}
    for name, issues in (("all_issues", whole), ("issues_of_several", several)):
        same = len(issues & daily)
        print(f"{name}: {len(issues)}\n{name}_the_same: {same} ({same / max(1, len(issues)):.2%})")


def measure_daily(data: Path, folder: Path) -> None:
    rows = read(data / "board_hot.csv")
    everything = make_parts(rows, folder / "whole")
    start = time.perf_counter()
    members = group(everything).members.set_index("submission_id")["issue_id"]
    print(f"rows: {len(rows)}\none_batch_seconds: {time.perf_counter() - start:.2f}")
    size = -(-len(rows) // BATCHES)
    for batch in range(BATCHES):
        parts = make_parts(rows.iloc[batch * size : (batch + 1) * size], folder / f"day-{batch}")
        tell(run_batch(folder / "office.duckdb", parts, folder))
    compare(issues_of(members), issues_of(registered(folder / "office.duckdb")))


def measure_backlog(file: Path, sizes: list[int], folder: Path) -> None:
    """Register up to each size in turn; then time a batch of new rows in a copy of the register."""
    rows = read(file)
    done = 0
    for size in sorted(sizes):
        tell(run_batch(folder / "office.duckdb", make_parts(rows.iloc[done:size], folder / f"to-{size}"), folder))
        done = size
        copy = folder / f"office-{size}.duckdb"
        copy.write_bytes((folder / "office.duckdb").read_bytes())
        print(f"register of {size} rows, {copy.stat().st_size / 1e6:.0f} MB:", end=" ")
        tell(run_batch(copy, make_parts(rows.iloc[-NEW_ROWS:], folder / f"new-{size}"), folder))
        copy.unlink()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path)
    options.add_argument("--backlog", help="rows to register, as 10000,100000")
    options.add_argument("--backlog-file", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.data:
            measure_daily(given.data, Path(folder))
        if given.backlog and given.backlog_file:
            measure_backlog(given.backlog_file, [int(size) for size in given.backlog.split(",")], Path(folder))


if __name__ == "__main__":
    main()
