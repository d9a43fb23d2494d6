"""Rows with issues marked -> the pair scorer of a bundle, and its scores on issues that it never saw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.cluster import PairScorer, everyday_words, fit_pair_scorer, group_unseen, mark_pairs
from pipeline.evaluate import score_issue_folds
from pipeline.settings import ClusterSettings
from pipeline.vectorize import Lexicon

FEWEST_ISSUES = 20  # issues of two rows or more, below which five folds would tell nothing


def is_taught(labelled: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of LABELLED have a topic, a department or a kind; the others only teach which rows are one issue."""
    kinds = labelled["department_kind"].map(len) > 0
    return (labelled["topic"] != "") | (labelled["department"] != "") | kinds


def is_marked(labelled: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of LABELLED are known to be in an issue, or to be in none: those of a file that marks issues at all.

    Rows that came as words only are not among them, since nobody can tell what they say about a place.
    """
    files = set(labelled.loc[labelled["issue"] != "", "source_file"])
    return labelled["source_file"].isin(files) & (labelled["tokens"].map(len) == 0)


def learn_issues(
    labelled: pd.DataFrame,
    segmented: pd.DataFrame,
    sketches: pd.DataFrame,
    *,
    lexicon: Lexicon,
    settings: ClusterSettings,
) -> tuple[PairScorer, dict[str, float]]:
    """Learn when two rows are one issue.

    Parameters
    ----------
    labelled, segmented : tables LABELLED and SEGMENTED of all rows, same order
    sketches : table SKETCHES of the rows that `is_marked` names, same order
    lexicon : its words are no names
    settings : as in a run

    Returns
    -------
    the scorer, and its scores: rows, issues of several and what `score_issue_folds` says by five-fold over issues; {}
    where there are fewer than FEWEST_ISSUES
    """
    # Of files that mark no issue nobody knows what is one: there a name could stand in four letters of one matter.
    known = is_marked(labelled)
    outside = segmented[((labelled["issue"] == "") & known).to_numpy()]
    tokens = (title + text for title, text in zip(outside["title_tokens"], outside["text_tokens"], strict=True))
    everyday = everyday_words(tokens, lexicon.words.tolist())
    rows = labelled[known]
    texts = (rows["title"] + "\n" + rows["text"]).tolist()
    issues = rows["issue"].to_numpy(dtype=object)

    def ask(numbers: np.ndarray) -> list[str]:
        return [texts[number] for number in numbers]

    marked = mark_pairs(sketches, issues, texts=ask, everyday=everyday, settings=settings)
    of_several = int((rows["issue"][rows["issue"] != ""].value_counts() > 1).sum())
    if of_several < FEWEST_ISSUES:
        # A handful of issues would teach what happens to be in them.
        return fit_pair_scorer(marked.some(slice(0)), everyday=everyday), {}
    scorer = fit_pair_scorer(marked, everyday=everyday)
    folds = group_unseen(sketches, issues, marked, texts=ask, everyday=everyday, settings=settings)
    # A row of no issue is an issue of its own, whatever the others are called.
    truth = [issue or f"\n{row}" for row, issue in enumerate(issues)]
    scores = score_issue_folds(truth, [(found.tolist(), counted) for found, counted in folds])
    return scorer, {"rows": len(rows), "issues": of_several, **scores}
