"""One linear score a label from the vectors."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from pipeline.classify.stack import Floats, Names
from pipeline.settings import ClassifySettings


def fit_linear(
    vectors: sparse.csr_matrix, truth: Names, labels: Names, *, settings: ClassifySettings, balanced: bool = False
) -> tuple[Floats, Floats]:
    """One linear score a label, each against the rest: support vectors with squared hinge loss.

    Parameters
    ----------
    truth : label of each row
    balanced : give the rows of a label together as much weight as all other rows, so that one with few rows is heard

    Returns
    -------
    weights of shape (n_features, n_labels) and bias of shape (n_labels,), rounded to what float16 can hold; a label
    without an example in `truth` has the score -1 everywhere
    """
    from sklearn.svm import LinearSVC

    slopes = np.zeros((vectors.shape[1], len(labels)), dtype=np.float32)
    bias = np.full(len(labels), -1, dtype=np.float32)
    for column, label in enumerate(labels):
        right = truth == label
        if right.all():
            bias[column] = 1
        elif right.any() and vectors.shape[1]:
            weight = "balanced" if balanced else None
            svc = LinearSVC(C=settings.cost, class_weight=weight, random_state=settings.seed)
            fitted = svc.fit(vectors, right)
            slopes[:, column] = fitted.coef_[0]
            bias[column] = fitted.intercept_[0]
    return slopes.astype(np.float16).astype(np.float32), bias


def linear_scores(vectors: sparse.csr_matrix, weights: Floats, bias: Floats) -> Floats:
    """Shape (n_rows, n_labels); about -1 where a label does not fit, 1 where it does."""
    return np.asarray(vectors @ weights + bias, dtype=np.float32)
