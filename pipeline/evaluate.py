"""Predictions and truth -> scores. Returns numbers and tables, never prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

CALIBRATION_BINS = 15
BOOTSTRAP_DRAWS = 2_000


def score_labels(truth: np.ndarray, guess: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    """How well one label was predicted.

    Parameters
    ----------
    truth, guess : str arrays of shape (n_rows,)
    probability : float array of shape (n_rows,), of the guess, 0 to 1

    Returns
    -------
    rows, labels, accuracy with its 95 % interval (percentile bootstrap over rows), macro_f1 (over the labels that occur
    in the truth), calibration_error, and per_label: label -> rows, precision, recall, f1
    """
    from sklearn.metrics import precision_recall_fscore_support

    labels = np.unique(truth)
    precision, recall, f1, rows = precision_recall_fscore_support(truth, guess, labels=labels, zero_division=0.0)
    right = truth == guess
    return {
        "rows": len(truth),
        "labels": len(labels),
        "accuracy": float(right.mean()),
        "accuracy_interval": share_interval(right),
        "macro_f1": float(f1.mean()),
        "calibration_error": calibration_error(probability, right),
        "per_label": {
            str(label): {"rows": int(n), "precision": float(p), "recall": float(r), "f1": float(f)}
            for label, n, p, r, f in zip(labels, rows, precision, recall, f1, strict=True)
        },
    }


def share_interval(right: np.ndarray) -> list[float]:
    """95 % interval of the share that is right: percentile bootstrap over rows.

    Parameters
    ----------
    right : bool array of shape (n_rows,), one row or more
    """
    # The share right of a bootstrap sample is a binomial draw: no need to draw the rows themselves.
    draws = np.random.default_rng(1).binomial(len(right), right.mean(), size=BOOTSTRAP_DRAWS) / len(right)
    return [float(edge) for edge in np.percentile(draws, (2.5, 97.5))]


def calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: mean gap between probability and share right, over equal-width bins.

    Guo, Pleiss, Sun, Weinberger, On Calibration of Modern Neural Networks, 2017, section 2.

    Parameters
    ----------
    probability : float array of shape (n,), of the top label
    right : bool array of shape (n,)
    """
    if len(probability) == 0:
        return 0.0
    index = np.minimum((probability * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    confidence = np.bincount(index, weights=probability, minlength=bins)
    correct = np.bincount(index, weights=right.astype(float), minlength=bins)
    return float(np.abs(confidence - correct).sum() / count.sum())


def score_leads(
    labels: pd.DataFrame, classified: pd.DataFrame, matched: pd.DataFrame, *, target: str
) -> dict[str, float]:
    """How often the lead is right, and how many rows no person needs to see.

    Parameters
    ----------
    labels : has the columns of LABELS; rows without the label that matters are left out
    classified, matched : tables CLASSIFIED and MATCHED of the same rows
    target : department, kind or topic: what being right means

    Returns
    -------
    rows, accuracy, and for auto and check the share of rows (coverage) and of right ones among them (accuracy)
    """
    given = _has_label(labels, target)
    if target == "kind":
        pairs = zip(matched["department_kind"], labels["department_kind"], strict=True)
        right = pd.Series([kind in kinds for kind, kinds in pairs], index=labels.index)
    else:
        right = (matched["department"] if target == "department" else classified["topic"]) == labels[target]
    right, decision = right[given], matched.loc[given, "decision"]
    scores = {"rows": float(len(right)), "accuracy": float(right.mean())}
    for name in ("auto", "check"):
        chosen = decision == name
        scores[f"{name}_coverage"] = float(chosen.mean())
        scores[f"{name}_accuracy"] = float(right[chosen].mean()) if chosen.any() else 0.0
    return scores


def score_routed(labels: pd.DataFrame, routed: pd.DataFrame, *, target: str) -> dict[str, Any]:
    """Scores of rows that were routed by a finished bundle.

    Parameters
    ----------
    labels : has the columns of LABELS
    routed : has the columns of CLASSIFIED and MATCHED, same rows and order
    target : department, kind or topic: what a right lead means

    Returns
    -------
    topic, as `score_labels` gives it, and lead, as `score_leads` gives it, where any row has the label
    """
    scores: dict[str, Any] = {}
    if _has_label(labels, target).any():
        scores["lead"] = score_leads(labels, routed, routed, target=target)
    given = _has_label(labels, "topic").to_numpy()
    if given.any():
        truth, guess, probability = (
            column[given].to_numpy() for column in (labels["topic"], routed["topic"], routed["topic_probability"])
        )
        scores["topic"] = score_labels(truth.astype(np.str_), guess.astype(np.str_), probability)
    return scores


def _has_label(labels: pd.DataFrame, target: str) -> pd.Series[bool]:
    return labels["department_kind"].map(len) > 0 if target == "kind" else labels[target] != ""


def score_issues(truth: Sequence[str], guess: Sequence[str]) -> dict[str, float]:
    """B-cubed and pair precision, recall and F1 of a grouping; 1 is best.

    B-cubed after Bagga and Baldwin, Algorithms for Scoring Coreference Chains, 1998.

    Parameters
    ----------
    truth, guess : group names of the same n rows
    """
    return score_issue_folds(truth, [(guess, np.ones(len(truth), dtype=bool))])


def score_issue_folds(truth: Sequence[str], groupings: Sequence[tuple[Sequence[str], np.ndarray]]) -> dict[str, float]:
    """As `score_issues`, each row by the grouping that never learned from its issue.

    Parameters
    ----------
    truth : group names of n rows
    groupings : of each fold the names found for all n rows, and a bool array of the rows that it counts for; these are
        scored against all n, and pairs are ordered ones whose first row counts
    """
    parts = []
    for guess, counted in groupings:
        pair = pd.DataFrame({"truth": list(truth), "guess": list(guess)})
        sizes = [pair.groupby(by)["truth"].transform("size") for by in (["truth", "guess"], "guess", "truth")]
        parts.append(np.column_stack(sizes)[counted].astype(float))
    both, in_guess, in_truth = np.concatenate(parts).T
    precision, recall = float((both / in_guess).mean()), float((both / in_truth).mean())
    hits, said, there = (float((size - 1).sum()) for size in (both, in_guess, in_truth))
    return {
        "bcubed_precision": precision,
        "bcubed_recall": recall,
        "bcubed_f1": 2 * precision * recall / (precision + recall),
        "pair_precision": hits / said if said else 1.0,
        "pair_recall": hits / there if there else 1.0,
        "pair_f1": 2 * hits / (said + there) if said + there else 1.0,
    }
