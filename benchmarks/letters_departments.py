"""Five-fold accuracy of learned departments on letters with the office that replied; no duties, a model for each fold.

    python benchmarks/letters_departments.py --data ../shared/data [--seeds 1 2 3]

Reads letters_departments_dev.csv, kept outside the project. Each fold trains a bundle from the column of departments by
train, without a directory, and routes the fold's letters by route, as an office of another city would. No text is on
both sides of a fold. For each seed of the folds one line; the last is their mean.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.engines import open_engine
from pipeline.flow import route, train
from pipeline.learning import stratified_folds, text_groups
from pipeline.reading import ReadOptions, read_submissions
from pipeline.resources import shipped
from pipeline.segment import open_segmenter, segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Knowledge

FIGURES = ("accuracy", "without_largest", "top_three", "auto_coverage", "auto_accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    path, settings = given.data / "letters_departments_dev.csv", Settings()
    letters = pd.read_csv(path, dtype=str, keep_default_na=False)
    segmenter = open_segmenter((), words=(), settings=settings.segment)
    read = read_submissions([path], options=ReadOptions(), settings=settings.reading).submissions
    groups = text_groups(segment_submissions(read, segmenter=segmenter))
    print(f"{len(letters)} letters\n| seed | {' | '.join(FIGURES)} | seconds |\n|{'---|' * (len(FIGURES) + 2)}")
    found = []
    for seed in given.seeds:
        start = time.perf_counter()
        spread = dataclasses.replace(settings.classify, seed=seed)
        folds = stratified_folds(groups, letters["department"].to_numpy(dtype=np.str_), settings=spread)
        routed = pd.concat([route_fold(letters[folds != fold], letters[folds == fold]) for fold in np.unique(folds)])
        found.append(scores(letters, routed.set_index("submission_id").loc[letters["submission_id"]]))
        print(
            f"| {seed} | {' | '.join(f'{v:.3f}' for v in found[-1])} | {time.perf_counter() - start:.0f} |", flush=True
        )
    print(f"| mean | {' | '.join(f'{v:.3f}' for v in np.mean(found, axis=0))} | |")


def route_fold(seen: pd.DataFrame, unseen: pd.DataFrame) -> pd.DataFrame:
    """Rows of `unseen` by a bundle of `seen`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen.to_csv(folder / "seen.csv", index=False)
        unseen.drop(columns="department").to_csv(folder / "unseen.csv", index=False)
        knowledge = Knowledge(folder / "model", None, shipped("lexicon.csv"), shipped("dictionaries"))
        train([folder / "seen.csv"], folder / "model", knowledge=knowledge, options=ReadOptions(labels=True))
        settings = Settings()
        engine = open_engine("local", settings=dataclasses.replace(settings.engine, workers=1))
        try:
            route([folder / "unseen.csv"], folder / "out", knowledge=knowledge, engine=engine)
        finally:
            engine.close()
        return pd.read_parquet(folder / "out" / "routed.parquet")


def scores(letters: pd.DataFrame, routed: pd.DataFrame) -> list[float]:
    """FIGURES of all letters."""
    truth = letters["department"].to_numpy()
    right = routed["department"].to_numpy() == truth
    rare = truth != letters["department"].value_counts().index[0]
    top = [name in offered for name, offered in zip(truth, routed["department_candidates"], strict=True)]
    auto = (routed["decision"] == "auto").to_numpy()
    sure = right[auto].mean() if auto.any() else 0.0
    return [float(value) for value in (right.mean(), right[rare].mean(), np.mean(top), auto.mean(), sure)]


if __name__ == "__main__":
    main()
