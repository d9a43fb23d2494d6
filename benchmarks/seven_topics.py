"""Five-fold macro-F1, calibration error and speed on messages with one of seven topics.

    python benchmarks/seven_topics.py --data ../shared/data

Reads board_7topics_dev.csv (scored) and board_7topics_tokens.csv (learned from only), kept outside the project.
No text is on both sides of a fold, neither word for word nor pasted with changes nor stripped of its stop words; the
folds and their discipline are those of pipeline/learning.py. The baseline sees the same folds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.classify import classify_labels
from pipeline.learning import learn_labels, training_rows
from pipeline.resources import shipped
from pipeline.schema import LABELLED, SUBMISSIONS, empty_table
from pipeline.segment import Segmenter, open_segmenter, segment_submissions
from pipeline.settings import Settings
from pipeline.vectorize import load_lexicon


def read_labelled(folder: Path) -> pd.DataFrame:
    texts = pd.read_csv(folder / "board_7topics_dev.csv", dtype=str, encoding="utf-8").fillna("")
    words = pd.read_csv(folder / "board_7topics_tokens.csv", dtype=str, encoding="utf-8").fillna("")
    texts["tokens"] = [[] for _ in range(len(texts))]
    words["tokens"] = words["tokens"].str.split()
    given = pd.concat([texts, words], ignore_index=True).fillna({"title": "", "text": ""})
    labelled = empty_table(LABELLED).reindex(range(len(given)))
    lists = {
        name: [[] for _ in range(len(given))] for name in ("other_topics", "department_kind", "co_kinds", "returned_by")
    }
    strings = {name: given[name] for name in ("submission_id", "title", "text", "topic", "tokens")}
    return labelled.assign(**strings, **lists, department="", issue="", submitter="", channel="", place="")


def baseline(rows: pd.DataFrame, truth: np.ndarray, folds: np.ndarray, scored: np.ndarray) -> tuple[np.ndarray, float]:
    """Guesses of a plain LinearSVC on words and characters, and its texts a second without segmentation."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    texts = np.array([" ".join([*a, *b]) for a, b in zip(rows["title_tokens"], rows["text_tokens"], strict=True)])
    guesses, seconds = truth.copy(), 0.0
    for fold in np.unique(folds[scored]):
        train, test = folds != fold, scored & (folds == fold)
        words = TfidfVectorizer(analyzer=str.split, min_df=2, sublinear_tf=True)
        characters = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), min_df=3, sublinear_tf=True)
        model = make_pipeline(make_union(words, characters), LinearSVC(random_state=1)).fit(texts[train], truth[train])
        start = time.process_time()
        guesses[test] = model.predict(texts[test])
        seconds += time.process_time() - start
    return guesses[scored], scored.sum() / seconds


def speed(labelled: pd.DataFrame, segmenter: Segmenter, learned: Any, lexicon: Any) -> tuple[float, float]:
    """Texts of about 360 characters a second on one core: segmentation alone, and all three stages."""
    short = labelled[labelled["text"].str.len().between(260, 460)]
    segment_submissions(short.head(5), segmenter=segmenter)
    start = time.process_time()
    segmented = segment_submissions(short[SUBMISSIONS.names], segmenter=segmenter)
    cut = time.process_time() - start

    def classify(rows: pd.DataFrame) -> None:
        vectorizer = learned.vectorizer
        known = {"lexicon": lexicon, "models": learned.models, "tuning": learned.tuning}
        classify_labels(rows, vectorizer.transform(rows), vectorizer=vectorizer, **known)

    classify(segmented.head(5))
    start = time.process_time()
    classify(segmented)
    return len(short) / cut, len(short) / (cut + time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the two files")
    parser.add_argument("--skip-baseline", action="store_true")
    options = parser.parse_args()

    from sklearn.metrics import f1_score

    settings = Settings()
    labelled = read_labelled(options.data)
    lexicon = load_lexicon(shipped("lexicon.csv"))
    segmenter = open_segmenter(sorted(shipped("dictionaries").glob("*.txt")), settings=settings.segment)
    segmented = segment_submissions(labelled[SUBMISSIONS.names], segmenter=segmenter)
    start = time.perf_counter()
    learned = learn_labels(segmented, labelled, lexicon=lexicon, settings=settings)
    scores = learned.scores["topic"]
    print(f"rows scored: {scores['rows']}\nlearning_seconds: {time.perf_counter() - start:.0f}")
    print(f"macro_f1: {scores['macro_f1']:.4f}\naccuracy: {scores['accuracy']:.4f}")
    print(f"calibration_error: {scores['calibration_error']:.4f}")
    print(f"stack: {learned.models['topic'].stack.linear:.2f} {learned.models['topic'].stack.lexicon:.2f}")
    cut, whole = speed(labelled, segmenter, learned, lexicon)
    print(f"texts_a_second_segment: {cut:.0f}\ntexts_a_second_all: {whole:.0f}")
    if not options.skip_baseline:
        truth = labelled["topic"].to_numpy(dtype=str)
        scored = (labelled["tokens"].str.len() == 0).to_numpy()
        rows = training_rows(segmented, labelled)
        guesses, rate = baseline(rows, truth, learned.folds, scored)
        print(f"baseline_macro_f1: {f1_score(truth[scored], guesses, average='macro'):.4f}")
        print(f"baseline_texts_a_second: {1 / (1 / cut + 1 / rate):.0f}")


if __name__ == "__main__":
    main()
