"""How sure the first candidate is, and from which probability on no person need look."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from pipeline.match.flat import Doubles
from pipeline.settings import MatchSettings

# What tells how sure the first candidate is.
SHAPE = (
    "share",  # logit of its softmax
    "gap",  # softmax less that of the second
    "learned",  # logit of its probability by the label model; with target topic, of the topic's
    "words",  # logarithm of the number of its clause's words found
    "agreed",  # 1 where no clause speaks more for another
    "past",  # its share of the like past matters
    "likeness",  # cosine of the most like past matter that it handled
)
# A threshold that no probability reaches: no decision of that sort is ever made.
NEVER = 2.0
_FOLDS = 5


def calibrate(shapes: Doubles, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A logistic curve over the shapes, and the probabilities of the same rows out of fold.

    Parameters
    ----------
    shapes : shape (n_rows, len(SHAPE))
    right : bool, shape (n_rows,)

    Returns
    -------
    intercept and weights, shape (len(SHAPE) + 1,), by all rows; probabilities, shape (n_rows,), 0 to 1
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    fewest = int(min(right.sum(), (~right).sum()))
    if fewest < _FOLDS:
        # Too few of one outcome to tell rows apart: all get the share that is right, after Laplace.
        share = (right.sum() + 1) / (len(right) + 2)
        return np.array([np.log(share / (1 - share))] + [0.0] * len(SHAPE)), np.full(len(right), share)
    model = LogisticRegression(C=1.0, max_iter=1_000)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=1)
    probabilities = cross_val_predict(model, shapes, right, cv=folds, method="predict_proba")[:, 1]
    model.fit(shapes, right)
    return np.concatenate([model.intercept_, model.coef_[0]]), probabilities


def probability_of(shapes: Doubles, calibration: np.ndarray) -> Doubles:
    """The probability of each row that its first candidate is right, 0 to 1."""
    intercept, *weights = calibration.tolist()
    total = np.full(len(shapes), intercept)
    # One after the other: a matrix product adds in another order for another number of rows.
    for column, weight in enumerate(weights):
        total = total + weight * shapes[:, column]
    return np.asarray(1 / (1 + np.exp(-total)))


def set_thresholds(probabilities: np.ndarray, right: np.ndarray, settings: MatchSettings) -> np.ndarray:
    """Lowest probability decided auto, and of the rows below it the lowest decided check; shape (2,), 2 is never."""
    auto = lowest_threshold(probabilities, right, settings.accuracy, settings.confidence)
    rest = probabilities < auto
    check = lowest_threshold(probabilities[rest], right[rest], settings.check_accuracy, settings.confidence)
    return np.array([auto, check])


def lowest_threshold(probabilities: np.ndarray, right: np.ndarray, share: float, confidence: float) -> float:
    """Lowest probability at or above which rows are right as often as asked.

    Parameters
    ----------
    probabilities : float array of shape (n_rows,), 0 to 1
    right : bool array of shape (n_rows,)
    share : of rows that must be right, 0 to 1
    confidence : of the one-sided lower bound of that share, 0.5 to 1 (0.5 is the plain share, all but exactly)

    Returns
    -------
    float in [0, 1], or 2 where no cut is good enough

    Notes
    -----
    Wilson, Probable inference, JASA 22 (1927): a lower bound that holds for shares near 1, where the normal one fails.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    # Rows of equal probability fall together, so only the last of them is a place to cut.
    last = np.append(ranked[1:] < ranked[:-1], True)
    n = np.arange(1, len(ranked) + 1)
    observed = np.cumsum(right[order]) / n
    z = NormalDist().inv_cdf(confidence)
    centre = observed + z * z / (2 * n)
    spread = z * np.sqrt(observed * (1 - observed) / n + z * z / (4 * n * n))
    good = np.flatnonzero(last & ((centre - spread) / (1 + z * z / n) >= share))
    return float(ranked[good[-1]]) if len(good) else NEVER
