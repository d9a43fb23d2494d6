"""Two scores of every label become probabilities.

Stacking after Wolpert 1992, on out-of-fold scores, with temperature scaling after Guo et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Names = NDArray[np.str_]
Doubles = NDArray[np.float64]

_SHRINK = 20.0  # examples that outweigh the belief that no label is likelier than its scores say


@dataclass(frozen=True)
class Stack:
    """How the two scores become probabilities: softmax(linear * scores + lexicon * prior + offsets).

    Attributes
    ----------
    linear, lexicon : weights of the vectors' score and of the lexicon's log-probability, 0 or more
    offsets : float64 of shape (n_labels,), shrunk towards 0 where a label has few examples
    """

    linear: float
    lexicon: float
    offsets: Doubles

    def logits(self, scores: Floats, prior: Floats) -> Doubles:
        """Shape (n_rows, n_labels); softmax gives probabilities."""
        return np.asarray(self.linear * scores + self.lexicon * prior + self.offsets, dtype=np.float64)


def fit_stack(scores: Floats, prior: Floats, truth: Names, labels: Names, *, trust: float = 1.0) -> Stack:
    """Weights that make out-of-fold scores into calibrated probabilities (least negative log-likelihood).

    Parameters
    ----------
    scores, prior : out-of-fold, shape (n_rows, n_labels); without a single row the weights stay at their usual size
    truth : label of each row; every one is in `labels`
    trust : share, 0 to 1, of its fitted weight that the vectors' score keeps beside the lexicon's; the sum of both is
        calibrated after that
    """
    if not len(truth):
        return Stack(linear=3.0, lexicon=0.5, offsets=np.zeros(len(labels)))
    right = truth[:, None] == labels[None, :]
    linear, lexicon, offsets = _fit_weights(scores.astype(np.float64), prior.astype(np.float64), right)
    if trust < 1:
        together = trust * linear * scores + lexicon * prior
        scale, _, offsets = _fit_weights(together, np.zeros_like(together), right)
        linear, lexicon = scale * trust * linear, scale * lexicon
    return Stack(linear=linear, lexicon=lexicon, offsets=offsets)


def _fit_weights(first: Doubles, second: Doubles, right: NDArray[np.bool_]) -> tuple[float, float, Doubles]:
    """Weights of two views and the labels' offsets."""
    from scipy.optimize import minimize

    views = np.stack([first, second])

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        probabilities = softmax(np.tensordot(parameters[:2], views, axes=1) + parameters[2:])
        value = -np.log(probabilities[right] + 1e-12).sum() + 0.5 * _SHRINK * (parameters[2:] ** 2).sum()
        miss = probabilities - right
        by_view = np.tensordot(views, miss, axes=([1, 2], [0, 1]))
        slope = np.concatenate([by_view, miss.sum(axis=0) + _SHRINK * parameters[2:]])
        return float(value) / len(right), slope / len(right)

    start = np.concatenate([[1.0, 0.5], np.zeros(right.shape[1])])
    limits = [(0.0, 50.0), (0.0, 5.0)] + [(-5.0, 5.0)] * right.shape[1]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits).x
    return float(found[0]), float(found[1]), found[2:]


def softmax(logits: Doubles) -> Doubles:
    """Probabilities that sum to 1 in each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
