"""Further labels beside the first one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.classify.stack import Doubles, Names, softmax


@dataclass(frozen=True)
class Further:
    """When a label stands beside the first one.

    Attributes
    ----------
    weights : float64 (3,): of the logit below the best one, of the log-probability, and the constant of a logistic
        curve
    threshold : probability, 0 to 1; labels at or above are given; above 1 gives none
    """

    weights: Doubles
    threshold: float

    def probabilities(self, logits: Doubles) -> Doubles:
        """Probability of each label to be right beside the first one, independent of the others; shape of `logits`."""
        below = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(
            1
            / (
                1
                + np.exp(
                    -(self.weights[0] * below + self.weights[1] * np.log(softmax(logits) + 1e-9) + self.weights[2])
                )
            )
        )


NO_FURTHER = Further(weights=np.zeros(3), threshold=2.0)


def fit_further(logits: Doubles, others: list[list[str]], labels: Names) -> Further:
    """Curve and threshold for further labels, from out-of-fold logits of rows whose further labels are known.

    The threshold is the one with the best F1 over all pairs of row and label. Without a single further label nothing
    can be learned, and none is given.
    """
    if not any(others):
        return NO_FURTHER
    from sklearn.linear_model import LogisticRegression

    known = np.array([np.isin(labels, names) for names in others])
    candidates = np.ones_like(known)
    candidates[np.arange(len(logits)), logits.argmax(axis=1)] = False
    below = logits - logits.max(axis=1, keepdims=True)
    views = np.stack([below, np.log(softmax(logits) + 1e-9)], axis=-1)[candidates]
    right = known[candidates]
    if not right.any():
        return NO_FURTHER
    curve = LogisticRegression(C=1.0).fit(views, right)
    weights = np.concatenate([curve.coef_[0], curve.intercept_]).astype(np.float64)
    given = Further(weights=weights, threshold=0.0).probabilities(logits)[candidates]
    order = np.argsort(-given, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + right.sum())
    return Further(weights=weights, threshold=float(given[order][f1.argmax()]))
