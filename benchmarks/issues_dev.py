#!/usr/bin/env python3
"""Measures how well messages are grouped into issues, by scorers that never saw the messages' issues.

    issues_dev.py --data DIR [--model NAME|DIR]

DIR holds board_hot.csv and board_hot_issues_dev.csv, data kept outside the project. Two scorers are measured: one
fitted on the messages themselves, five-fold over issues (each fold's scorer groups all messages, and the fold's rows
are scored against all marked ones), and the one of the model, which was trained on corpus/ alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.bundle import find_bundle, load_bundle
from pipeline.cluster import SKETCHES, group_submissions, group_unseen, mark_pairs
from pipeline.evaluate import score_issue_folds
from pipeline.flow import open_memory, route_batch
from pipeline.reading import ReadOptions, read_submissions
from pipeline.settings import Settings
from pipeline.tools import Knowledge, open_tools

BATCH = 1_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--model")
    given = options.parse_args()
    settings = Settings()
    knowledge = Knowledge.shipped(find_bundle(given.model))
    tools, bundle = open_tools(knowledge, settings, on=dt.date.today()), load_bundle(knowledge.bundle)
    rows = read_submissions(
        [given.data / "board_hot.csv"], options=ReadOptions(), settings=settings.reading
    ).submissions
    memory = open_memory(tools, bundle, None, settings)
    routed = [
        route_batch(rows.iloc[start : start + BATCH], tools=tools, bundle=bundle, memory=memory, settings=settings)
        for start in range(0, len(rows), BATCH)
    ]
    sketches = pd.concat(routed, ignore_index=True)[["sketch." + name for name in SKETCHES.names]]
    sketches = sketches.set_axis(SKETCHES.names, axis=1)
    texts = (rows["title"] + "\n" + rows["text"]).tolist()
    marked = pd.read_csv(given.data / "board_hot_issues_dev.csv", dtype=str).set_index("submission_id")["issue"]
    issues = rows["submission_id"].map(marked).astype("object").to_numpy()
    issues = np.where(pd.isna(issues), None, issues)
    known = np.array([issue is not None for issue in issues])

    print("| scorer | B-cubed F1 (precision, recall) | pair F1 (precision, recall) |\n|---|---|---|")

    def ask(rows: np.ndarray) -> list[str]:
        return [texts[row] for row in rows]

    everyday = bundle.scorer.everyday
    pairs = mark_pairs(sketches, issues, texts=ask, everyday=everyday, settings=settings.cluster)
    unseen = group_unseen(sketches, issues, pairs, texts=ask, everyday=everyday, settings=settings.cluster)
    _show("five-fold over the issues", issues, known, [(found[known], counted[known]) for found, counted in unseen])
    grouping = group_submissions(
        sketches,
        texts=ask,
        words=lambda asked: [[] for _ in asked],
        scorer=bundle.scorer,
        settings=settings.cluster,
    )
    found = grouping.members["issue_id"].to_numpy(dtype=object)[known]
    _show(f"of {knowledge.bundle.name}", issues, known, [(found, np.ones(len(found), dtype=bool))])


def _show(name: str, issues: np.ndarray, known: np.ndarray, groupings: list[tuple[np.ndarray, np.ndarray]]) -> None:
    score = score_issue_folds(issues[known].tolist(), groupings)
    print(
        f"| {name} | {score['bcubed_f1']:.4f} ({score['bcubed_precision']:.3f}, {score['bcubed_recall']:.3f}) "
        f"| {score['pair_f1']:.4f} ({score['pair_precision']:.3f}, {score['pair_recall']:.3f}) |"
    )


if __name__ == "__main__":
    main()
