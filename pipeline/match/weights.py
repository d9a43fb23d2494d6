"""Weights of the reasons that speak for a candidate: a conditional logit over the candidates of each row.

McFadden, Conditional logit analysis of qualitative choice behavior, 1974.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.match.candidates import FEATURES
from pipeline.match.flat import Doubles, Ints, first_of_each

# Where rows are few the weights stay near these, which were learned from the shipped corpus.
_USUAL = {"learned": 0.5, "duty": 0.2, "meaning": 7.0, "past": 3.0, "named": 0.8, "local": 0.8}
# Nothing was learned of leads: the duties and what the text names rank them.
_WITHOUT_LEADS = {"learned": 1.0, "duty": 1.0, "meaning": 7.0, "past": 0.0, "named": 0.8, "local": 0.8}
_NO_DIFFERENCE = 1e-6  # standard deviation of a feature that is the same everywhere but for rounding
_FAITH = 5.0  # rows that must speak against a usual weight before it changes much


def usual_weights(target: str) -> np.ndarray:
    """Weights of FEATURES before anything was learned; float64, shape (n_features,)."""
    usual = _WITHOUT_LEADS if target == "topic" else _USUAL
    return np.array([usual[name] for name in FEATURES])


def fit_weights(features: Doubles, row: Ints, right: NDArray[np.bool_], usual: np.ndarray) -> np.ndarray:
    """Weights, 0 or more, under which the right candidates of a row have most of its softmax.

    Parameters
    ----------
    features : shape (n_entries, n_features)
    row : of each entry, ascending; rows without a right candidate teach nothing
    right : of each entry; a row may have several
    usual : prior mean of the weights
    """
    from scipy.optimize import minimize

    if not right.any():
        return usual
    taught = np.isin(row, row[right])
    features, right = features[taught], right[taught]
    first = first_of_each(row[taught])
    sizes = np.diff(np.append(first, len(right)))
    scale = features.std(axis=0)
    # A feature that never differs says nothing: its weight stays as it was.
    told = scale > _NO_DIFFERENCE
    scaled, start = features[:, told] / scale[told], usual[told] * scale[told]

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        score = scaled @ weights
        power = np.exp(score - np.repeat(np.maximum.reduceat(score, first), sizes))
        total, hit = np.add.reduceat(power, first), np.add.reduceat(power * right, first)
        miss = power / np.repeat(total, sizes) - power * right / np.repeat(hit, sizes)
        away = weights - start
        # Of a right candidate that is all but impossible the logarithm stays finite.
        value = -np.log(np.maximum(hit, 1e-300) / total).sum() + 0.5 * _FAITH * away @ away
        return float(value), np.asarray(scaled.T @ miss + _FAITH * away)

    # More evidence for a candidate never speaks against it, whatever a small sample says.
    limits = [(0.0, None)] * len(start)
    weights = usual.copy()
    weights[told] = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits).x / scale[told]
    return weights
