"""District and township found in the submissions of corpus/places, beside what a careful clerk would fill in.

    python benchmarks/places.py corpus/places/places_dev.csv
    python benchmarks/places.py corpus/places/places_test.csv --errors

Only id, title and text are read: a column district would be taken for the place that a form asks for. F1 as in
usual information extraction: a wrong place is one too many and one missing. Intervals are 95 % percentile bootstrap
over rows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import read_submissions
from pipeline.evaluate import BOOTSTRAP_DRAWS
from pipeline.places import locate
from pipeline.resources import shipped
from pipeline.segment import segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Knowledge, open_tools

LEVELS = ("district", "township")


def place(path: Path) -> pd.DataFrame:
    """Rows of a marked file by their id, the marks with the ending _gold, places as found and "" where none is."""
    gold = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    tools = open_tools(Knowledge.shipped(shipped("models/default")), Settings(), on=dt.date.today())
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.csv"
        gold[["submission_id", "title", "text"]].to_csv(plain, index=False)
        submissions = read_submissions(plain).submissions
    placed = locate(
        submissions, segment_submissions(submissions, segmenter=tools.segmenter), gazetteer=tools.gazetteer
    ).fillna("")
    named = gold.rename(columns={level: f"{level}_gold" for level in LEVELS})
    return named.merge(placed, on="submission_id", how="left", validate="one_to_one")


def precision_recall_f1(truth: np.ndarray, guess: np.ndarray) -> tuple[float, float, float]:
    """Scores of one level; "" is no place, and nothing said of nothing is 0."""
    hit = ((truth == guess) & (truth != "")).sum()
    precision, recall = hit / max(1, (guess != "").sum()), hit / max(1, (truth != "").sum())
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("marked", type=Path, help="CSV of submission_id, title, text, district, township, trap")
    parser.add_argument("--errors", action="store_true", help="show the rows that are wrong")
    arguments = parser.parse_args()

    rows = place(arguments.marked)
    draws = np.random.default_rng(1).integers(0, len(rows), size=(BOOTSTRAP_DRAWS, len(rows)))
    for level in LEVELS:
        truth, guess = rows[f"{level}_gold"].to_numpy(str), rows[level].to_numpy(str)
        precision, recall, f1 = precision_recall_f1(truth, guess)
        low, high = np.percentile([precision_recall_f1(truth[draw], guess[draw])[2] for draw in draws], (2.5, 97.5))
        print(f"{level}: precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f} ({low:.4f}-{high:.4f})")
    right = (rows["district_gold"] == rows["district"]) & (rows["township_gold"] == rows["township"])
    for trap, kind in right.groupby(rows["trap"]):
        print(f"{trap}: {kind.sum()} of {len(kind)} rows right")
    if arguments.errors:
        shown = ["submission_id", "trap", "title", "text", "district_gold", "district", "township_gold", "township"]
        for row in rows.loc[~right, [*shown, "place_words"]].itertuples(index=False):
            print(*row, sep=" | ")


if __name__ == "__main__":
    main()
