"""What the title alone says: it counts as much as it is sure, for most titles name the matter and long texts wander."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.classify.linear import fit_linear, linear_scores
from pipeline.classify.stack import Floats, Names, softmax
from pipeline.settings import ClassifySettings

_SHARPNESS = 4.0  # scale of the scores under which the best label's probability tells how sure a title is


@dataclass(frozen=True)
class Titles:
    """A second linear score, from the vectors of titles.

    Attributes
    ----------
    weights : float32 of shape (n_features, n_labels); (0, n_labels) where titles have no say of their own
    bias : float32 of shape (n_labels,)
    say : what a title that is sure adds, against 1 for title and text together
    """

    weights: Floats
    bias: Floats
    say: float

    def scores(self, titles: sparse.csr_matrix | None) -> Floats | float:
        """What is added to the linear scores, shape (n_rows, n_labels); 0 for a row without a title."""
        if titles is None or not len(self.weights):
            return 0.0
        scores = linear_scores(titles, self.weights, self.bias)
        sure = softmax(_SHARPNESS * scores.astype(np.float64)).max(axis=1)
        sure[np.diff(titles.indptr) == 0] = 0.0
        return np.asarray(self.say * sure[:, None] * scores, dtype=np.float32)


def no_titles(labels: Names) -> Titles:
    """Titles without a say of their own."""
    return Titles(np.zeros((0, len(labels)), dtype=np.float32), np.zeros(len(labels), dtype=np.float32), 0.0)


def fit_titles(titles: sparse.csr_matrix | None, truth: Names, labels: Names, *, settings: ClassifySettings) -> Titles:
    """Learn from the rows that have a title.

    Parameters
    ----------
    titles : vectors of the rows without their texts; None where titles have no say of their own
    """
    if titles is None:
        return no_titles(labels)
    titled = np.diff(titles.indptr) > 0
    if not titled.any():
        return no_titles(labels)
    slopes, bias = fit_linear(titles[titled], truth[titled], labels, settings=settings)
    return Titles(slopes, bias, settings.title_say)
