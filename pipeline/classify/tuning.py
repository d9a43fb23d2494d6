"""The lexicon's weights, learned from labelled rows instead of guessed.

Its author's weights are the prior: a row's probability of a topic is the share of the weights found, squared, and each
weight is multiplied by a factor exp(d) with a Gaussian prior on d around 0 (maximum a posteriori, by L-BFGS). So a word
that no row has keeps its weight, and one that misleads loses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.classify.prior import UNSAID
from pipeline.classify.stack import Floats, Names
from pipeline.settings import ClassifySettings
from pipeline.vectorize import Lexicon

_SHARPNESS = 2.0  # power of a topic's share of the weights; 1 is as unsure as the shares themselves
_STEPS = 60  # of L-BFGS; the factors hardly move after these


@dataclass(frozen=True)
class Tuning:
    """How much more, or less, each entry of a lexicon says than its author thought.

    Attributes
    ----------
    words, topics : of the entries, sorted by word; float32 factors above 0 beside them
    """

    words: Names
    topics: Names
    factors: Floats

    def weights(self, lexicon: Lexicon) -> Floats:
        """The lexicon's weights by this tuning; an entry that training did not have keeps its own."""
        weights = lexicon.weights.copy()
        if len(self.words) and len(lexicon.words):
            rows, known_words = _places(lexicon.words, self.words)
            columns, known_topics = _places(lexicon.topics, self.topics)
            known = known_words & known_topics
            weights[rows[known], columns[known]] *= self.factors[known]
        return weights

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up."""
        return {"words": self.words, "topics": self.topics, "factors": self.factors.astype(np.float16)}

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        return cls(parts["words"], parts["topics"], parts["factors"].astype(np.float32))


UNTUNED = Tuning(np.zeros(0, dtype=np.str_), np.zeros(0, dtype=np.str_), np.zeros(0, dtype=np.float32))


def fit_tuning(found: sparse.csr_matrix, truth: Names, lexicon: Lexicon, *, settings: ClassifySettings) -> Tuning:
    """Learn the factors from rows whose topic is known.

    Parameters
    ----------
    found : shape (n_rows, n_words), how often each word of the lexicon stands in a row, as `lexicon_counts` gives it
    truth : topic of each row; rows of a topic that the lexicon does not have are left out
    settings : lexicon_faith
    """
    from scipy.optimize import minimize

    usable = np.isin(truth, lexicon.topics)
    if not usable.any():
        return UNTUNED
    column_of = {topic: column for column, topic in enumerate(lexicon.topics)}
    right = np.array([column_of[topic] for topic in truth[usable]])
    counted = sparse.csr_matrix(found[usable], dtype=np.float64)
    backwards = sparse.csr_matrix(counted.T)
    rows, columns = np.nonzero(lexicon.weights)
    guessed = lexicon.weights[rows, columns].astype(np.float64)
    each = np.arange(len(right))

    def loss(steps: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.zeros(lexicon.weights.shape)
        weights[rows, columns] = guessed * np.exp(steps)
        strength = counted @ weights + UNSAID
        powers = strength**_SHARPNESS
        shares = powers / powers.sum(axis=1, keepdims=True)
        value = -np.log(shares[each, right]).sum() + 0.5 * settings.lexicon_faith * (steps**2).sum()
        shares[each, right] -= 1
        slope = (backwards @ (_SHARPNESS * shares / strength))[rows, columns] * weights[rows, columns]
        return float(value), slope + settings.lexicon_faith * steps

    start = np.zeros(len(guessed))
    steps = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    # As float16, which the bundle keeps, so that saving changes no answer.
    factors = np.exp(steps).astype(np.float16).astype(np.float32)
    return Tuning(lexicon.words[rows], lexicon.topics[columns], factors)


def _places(names: Names, wanted: Names) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each wanted name stands among sorted names, and whether it does."""
    places = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return places, names[places] == wanted
