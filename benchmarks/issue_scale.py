#!/usr/bin/env python3
"""Measures how the issue stage grows with the number of submissions, without training or routing.

    issue_scale.py --backlog BACKLOG.csv [--rows 1000 10000 100000] [--workers 2] [--folder DIR]

The first rows of BACKLOG (columns submission_id, submitter, title, text, submitted_at) go through the local engine as
in a run: workers cut the texts with plain rjieba (not timed), sketch them and leave parts in DIR; this process then
groups all of them and reads texts and words from the parts. Topics and places are left unknown. Each size runs in a
process of its own, so that its peak memory is its own.

Seconds are those of the processor, which other work on the machine changes less than those of the clock; on an idle
machine the two are alike. Columns of the table: rows; sketch, the seconds of the worker that sketched longest; read,
the seconds of getting sketches, texts and words from the parts; group, the seconds of the rest; rows a second over all
three; the peak memory of this process and its workers; growth, the exponent of the seconds over the rows since the
size before.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rjieba

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.bundle import find_bundle, load_bundle
from pipeline.cluster import SKETCHES, content_words, group_submissions, sketch_submissions
from pipeline.engines import open_engine
from pipeline.measure import MemoryWatch, Stopwatch
from pipeline.parts import Parts
from pipeline.runs import texts_of
from pipeline.schema import CLASSIFIED
from pipeline.settings import ClusterSettings, EngineSettings

HEADER = "| rows | sketch, s | read, s | group, s | rows a second | peak memory, MB | issues | growth |"
_LISTS = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]


def sketch_batch(submissions: pd.DataFrame) -> pd.DataFrame:
    """The part of one batch: texts, content words and sketches; `attrs` has the seconds of sketching by process."""
    ids = submissions["submission_id"]
    segmented = pd.DataFrame(
        {
            "submission_id": ids,
            "title_tokens": [rjieba.cut(title) for title in submissions["title"]],
            "text_tokens": [rjieba.cut(text) for text in submissions["text"]],
        }
    )
    nothing = [[]] * len(ids)
    placed = pd.DataFrame({"submission_id": ids, "district": None, "township": None, "spot": None})
    classified = pd.DataFrame({"submission_id": ids, "topic": "", "topic_probability": 0.0})
    classified = classified.assign(**dict.fromkeys(_LISTS, nothing))
    start = time.process_time()
    sketches = sketch_submissions(
        submissions, segmented, classified, placed.assign(place_words=nothing), settings=ClusterSettings()
    )
    words = content_words(segmented)
    seconds = time.process_time() - start
    part = sketches.assign(
        title=submissions["title"].to_numpy(), text=submissions["text"].to_numpy(), content=words.to_numpy()
    )
    part.attrs["seconds"] = {str(os.getpid()): seconds}
    return part


def read_batches(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    """Table SUBMISSIONS, a batch at a time."""
    empty = dict.fromkeys(("channel", "place", "source_file", "source_sheet"), "")
    batch_rows = EngineSettings().batch_rows
    for batch in pd.read_csv(path, dtype=str, encoding="utf-8", nrows=rows, chunksize=batch_rows):
        times = pd.to_datetime(batch["submitted_at"], errors="coerce", format="mixed")
        yield batch.fillna("").assign(submitted_at=times, source_row=range(len(batch)), **empty)


def measure(backlog: Path, rows: int, workers: int, folder: Path) -> dict[str, float]:
    """Seconds, memory and results for the first `rows` of a backlog."""
    engine = open_engine("local", settings=EngineSettings(workers=workers))
    by_worker, reading, paths = Stopwatch(), 0.0, []
    with MemoryWatch() as memory:
        for part in engine.map_batches(read_batches(backlog, rows), sketch_batch, folder=folder):
            paths.append(part.path)
            for process, seconds in part.seconds.items():
                by_worker.add(process, seconds)
        parts = Parts(tuple(paths))

        def timed(read: Callable[[], Any]) -> Any:
            nonlocal reading
            begin = time.process_time()
            answer = read()
            reading += time.process_time() - begin
            return answer

        def words_of(asked: np.ndarray) -> list[list[str]]:
            return [kept.split() for kept in parts.take(asked, ["content"])["content"]]

        start = time.process_time()
        sketches = timed(lambda: parts.read(SKETCHES.names))
        grouping = group_submissions(
            sketches,
            texts=lambda asked: timed(lambda: texts_of(parts, asked)),
            words=lambda asked: timed(lambda: words_of(asked)),
            scorer=load_bundle(find_bundle(None)).scorer,
            settings=ClusterSettings(),
        )
        seconds = time.process_time() - start
        engine.close()
    return {
        "rows": len(sketches),
        "sketch": max(by_worker.seconds.values()),
        "read": reading,
        "group": seconds - reading,
        "memory": memory.peak_bytes / 1e6,
        "issues": grouping.members["issue_id"].nunique(),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--backlog", type=Path, required=True)
    options.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--folder", type=Path, help="where the parts are kept meanwhile; about 2 GB a million rows")
    options.add_argument("--json", action="store_true", help="measure one size in this process and print JSON")
    given = options.parse_args()
    if given.json:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            print(json.dumps(measure(given.backlog, given.rows[0], given.workers, Path(folder))))
        return
    print(HEADER + "\n|" + "---:|" * HEADER.count(" | ") + "---:|")
    before: tuple[int, float] | None = None
    shared = ["--backlog", given.backlog, "--workers", str(given.workers), "--json"]
    shared += ["--folder", given.folder] if given.folder else []
    for rows in given.rows:
        command = [sys.executable, __file__, *shared, "--rows", str(rows)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        if found["rows"] < rows:
            sys.exit(f"{given.backlog} has {found['rows']} rows, not {rows}. Generate a longer backlog.")
        seconds = found["sketch"] + found["read"] + found["group"]
        growth = f"{math.log(seconds / before[1]) / math.log(rows / before[0]):.2f}" if before else ""
        before = rows, seconds
        print(
            f"| {rows:,} | {found['sketch']:.2f} | {found['read']:.2f} | {found['group']:.2f} | {rows / seconds:,.0f} "
            f"| {found['memory']:,.0f} | {found['issues']:,} | {growth} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
