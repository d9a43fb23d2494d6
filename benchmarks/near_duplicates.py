#!/usr/bin/env python3
"""Finds planted copies with fenban, with rensa alone and with datasketch alone, and lays the results side by side.

    near_duplicates.py --backlog BACKLOG.csv --truth TRUTH.csv [--rows 50000]

All three see the same texts (title and text of the first rows) and look for a Jaccard similarity of 0.8 over character
trigrams. fenban sketches and verifies pairs on the texts. rensa: RMinHash of 128 slots, RMinHashLSH with 16 bands,
candidates kept by the similarity of the signatures. datasketch: MinHash.generator and MinHashLSH(threshold=0.8,
num_perm=128), whose candidates are its answer. Each runs in a process of its own. Seconds are those of the processor
and begin with the texts in memory; peak memory is that of the process.

TRUTH has submission_id and copy_of (empty for a new row). Recall and precision are over pairs: of the rows that are
copies of one original, how many pairs stand in one group, and the other way round.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.cluster import sketch_submissions
from pipeline.cluster.duplicates import find_duplicates
from pipeline.measure import MemoryWatch
from pipeline.schema import CLASSIFIED
from pipeline.settings import ClusterSettings

THRESHOLD, PERMUTATIONS, BANDS = 0.8, 128, 16
BATCH = 1_000
_LISTS = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]


def by_fenban(rows: pd.DataFrame) -> np.ndarray:
    """Pairs of row numbers, each row with what it repeats."""
    n, settings = len(rows), ClusterSettings()
    ids = pd.DataFrame({"submission_id": rows["submission_id"]})
    nothing = [[] for _ in range(n)]  # duplicates need no words
    tables = (
        rows,
        ids.assign(title_tokens=nothing, text_tokens=nothing),
        ids.assign(topic="", topic_probability=0.0, **dict.fromkeys(_LISTS, nothing)),
        ids.assign(district=None, township=None, spot=None, place_words=nothing),
    )
    parts = [slice(first, first + BATCH) for first in range(0, n, BATCH)]
    sketches = pd.concat([sketch_submissions(*(t[p] for t in tables), settings=settings) for p in parts])
    texts = texts_of(rows)
    found = find_duplicates(
        sketches.reset_index(drop=True),
        np.zeros((n, 3), dtype=np.int64),
        lambda asked: [texts[row] for row in asked],
        settings=settings,
    )
    late = np.flatnonzero(found.of >= 0)
    return np.column_stack([found.of[late], late])


def by_rensa(rows: pd.DataFrame) -> np.ndarray:
    from rensa import RMinHash, RMinHashLSH

    index, signatures, pairs = RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS), [], []
    for row, trigrams in enumerate(trigrams_of(rows)):
        signature = RMinHash(num_perm=PERMUTATIONS, seed=42)
        signature.update(trigrams)
        pairs += [(near, row) for near in index.query(signature) if signatures[near].jaccard(signature) >= THRESHOLD]
        index.insert(row, signature)
        signatures.append(signature)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def by_datasketch(rows: pd.DataFrame) -> np.ndarray:
    from datasketch import MinHash, MinHashLSH

    index, pairs = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), []
    encoded = ([each.encode("utf-8") for each in trigrams] for trigrams in trigrams_of(rows))
    for row, signature in enumerate(MinHash.generator(encoded, num_perm=PERMUTATIONS)):
        pairs += [(near, row) for near in index.query(signature)]
        index.insert(row, signature)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


METHODS: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    "fenban": by_fenban,
    "rensa": by_rensa,
    "datasketch": by_datasketch,
}


def texts_of(rows: pd.DataFrame) -> list[str]:
    return (rows["title"] + "\n" + rows["text"]).tolist()


def trigrams_of(rows: pd.DataFrame) -> Iterator[list[str]]:
    for text in texts_of(rows):
        yield list({text[start : start + 3] for start in range(len(text) - 2)})


def read(backlog: Path, rows: int) -> pd.DataFrame:
    read = pd.read_csv(backlog, dtype=str, encoding="utf-8", nrows=rows).fillna("")
    empty = dict.fromkeys(("channel", "place", "source_file", "source_sheet"), "")
    return read.assign(submitted_at=pd.to_datetime(read["submitted_at"]), source_row=range(len(read)), **empty)


def pairs_within(groups: np.ndarray) -> int:
    counts = np.bincount(groups)
    return int((counts * (counts - 1) // 2).sum())


def measure(method: str, backlog: Path, truth: Path, rows: int) -> dict[str, float]:
    """Seconds, memory, pairs of a group found, recall and precision of one method."""
    submissions = read(backlog, rows)
    n, ids = len(submissions), submissions["submission_id"]
    with MemoryWatch() as memory:
        start = time.process_time()
        pairs = METHODS[method](submissions)
        seconds = time.process_time() - start
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    found = connected_components(graph, directed=False)[1]
    copies = pd.read_csv(truth, dtype=str, encoding="utf-8").fillna("").set_index("submission_id")["copy_of"]
    origin = ids.map(copies)
    planted = pd.factorize(origin.where(origin != "", ids))[0]
    hits = pairs_within(np.unique(np.column_stack([found, planted]), axis=0, return_inverse=True)[1].ravel())
    return {
        "seconds": seconds,
        "memory": memory.peak_bytes / 1e6,
        "pairs": pairs_within(found),
        "recall": hits / max(1, pairs_within(planted)),
        "precision": hits / max(1, pairs_within(found)),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--backlog", type=Path, required=True)
    options.add_argument("--truth", type=Path, required=True)
    options.add_argument("--rows", type=int, default=50_000)
    options.add_argument("--json", choices=METHODS, help="measure one method in this process and print JSON")
    given = options.parse_args()
    if given.json:
        print(json.dumps(measure(given.json, given.backlog, given.truth, given.rows)))
        return
    if importlib.util.find_spec("datasketch") is None:
        sys.exit("datasketch is not installed; it is compared with here and nowhere else: pip install datasketch")
    print("| method | seconds | peak memory, MB | pairs found | recall | precision |\n|---|---:|---:|---:|---:|---:|")
    for method in METHODS:
        shared = ["--backlog", given.backlog, "--truth", given.truth, "--rows", str(given.rows)]
        command = [sys.executable, __file__, *shared, "--json", method]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"| {method} | {found['seconds']:.1f} | {found['memory']:,.0f} | {found['pairs']:,} "
            f"| {found['recall']:.4f} | {found['precision']:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
