#!/usr/bin/env python3
"""Measures the cluster room alone, without training or routing.

    issues_dev.py --data DIR --scorer SCORE.py                    B-cubed and pair F1 on board_hot.csv
    issues_dev.py --backlog BACKLOG.csv [--truth TRUTH.csv]       speed, and the planted copies of a backlog

DIR holds board_hot.csv and board_hot_issues_dev.csv, data kept outside the project.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import rjieba

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.cluster import Grouping, group_submissions, sketch_submissions
from pipeline.schema import CLASSIFIED, typed
from pipeline.settings import ClusterSettings

BATCH = 2_000
_LISTS = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]


def read(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, dtype=str, encoding="utf-8").fillna("")
    times = pd.to_datetime(rows["submitted_at"], errors="coerce", format="mixed")
    empty = dict.fromkeys(("channel", "place", "source_file", "source_sheet"), "")
    return rows.assign(submitted_at=times, source_row=range(len(rows)), **empty)


def group(rows: pd.DataFrame) -> Grouping:
    """Segment with plain rjieba, without topics and places, sketch and group; prints seconds of processor time."""
    segmented = pd.DataFrame(
        {
            "submission_id": rows["submission_id"],
            "title_tokens": [rjieba.cut(title) for title in rows["title"]],
            "text_tokens": [rjieba.cut(text) for text in rows["text"]],
        }
    )
    placed = pd.DataFrame({"submission_id": rows["submission_id"]}).assign(
        district=None, township=None, spot=None, place_words=[[] for _ in range(len(rows))]
    )
    unclassified = pd.DataFrame({"submission_id": rows["submission_id"]}).assign(topic="", topic_probability=0.0)
    classified = typed(unclassified.assign(**{name: [[]] * len(rows) for name in _LISTS}), CLASSIFIED)
    texts = (rows["title"] + "\n" + rows["text"]).tolist()
    words = [a + b for a, b in zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)]
    settings = ClusterSettings()
    start = time.process_time()
    parts = [slice(first, first + BATCH) for first in range(0, len(rows), BATCH)]
    tables = (rows, segmented, classified, placed)
    made = [sketch_submissions(*(table[p] for table in tables), settings=settings) for p in parts]
    sketches = pd.concat(made, ignore_index=True)
    middle = time.process_time()
    grouping = group_submissions(
        sketches,
        texts=lambda asked: [texts[i] for i in asked],
        words=lambda asked: [words[i] for i in asked],
        settings=settings,
    )
    packed = sum(sketches[name].map(len).mean() for name in ("bands", "words", "title_pairs", "names"))
    print(f"rows: {len(rows)}\nsketch_seconds: {middle - start:.2f}\ngroup_seconds: {time.process_time() - middle:.2f}")
    print(f"sketch_bytes_a_row: {packed + 64:.0f}\nissues: {grouping.members['issue_id'].nunique()}")
    print(f"tightened: {grouping.tightened}")
    return grouping


def score_duplicates(members: pd.DataFrame, truth_path: Path) -> None:
    """Recall and precision over pairs: groups that duplicate_of makes against those that copy_of makes."""
    truth = pd.read_csv(truth_path, dtype=str, encoding="utf-8").fillna("").set_index("submission_id")["copy_of"]
    ids = members["submission_id"]
    parent = dict(zip(ids, members["duplicate_of"].where(members["duplicate_of"].notna(), ids), strict=True))

    def root(each: str) -> str:
        while parent[each] != each:
            each = parent[each]
        return each

    found = ids.map(root)
    planted = ids.map(truth).where(ids.map(truth) != "", ids)

    def pairs(groups: pd.Series) -> int:
        counts = groups.value_counts()
        return int((counts * (counts - 1) // 2).sum())

    hits = pairs(pd.Series(list(zip(found, planted, strict=True))))
    print(
        f"duplicate_recall: {hits / max(1, pairs(planted)):.4f}\nduplicate_precision: {hits / max(1, pairs(found)):.4f}"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path)
    options.add_argument("--scorer", type=Path)
    options.add_argument("--backlog", type=Path)
    options.add_argument("--truth", type=Path)
    given = options.parse_args()
    if given.data and given.scorer:
        grouping = group(read(given.data / "board_hot.csv"))
        with tempfile.TemporaryDirectory() as folder:
            routed = Path(folder) / "routed.parquet"
            grouping.members.to_parquet(routed)
            gold = given.data / "board_hot_issues_dev.csv"
            subprocess.run([sys.executable, str(given.scorer), "issues", str(routed), str(gold)], check=True)
    if given.backlog:
        grouping = group(read(given.backlog))
        if given.truth:
            score_duplicates(grouping.members, given.truth)


if __name__ == "__main__":
    main()
