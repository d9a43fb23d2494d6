"""The probability that two rows are one issue, from a handful of reasons that each have a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from pipeline.cluster.candidates import SPOT, TOWNSHIP
from pipeline.cluster.duplicates import Rows, compare_names, places_differ
from pipeline.cluster.views import COUNTS, STOCK_WEIGHT, Floats, Views, state_weights

UNKNOWN_DAYS = 30.0  # where a time is missing

# Log-odds a unit. Rounded from what our own corpus teaches; training moves them as far as its pairs ask for, and they
# stand where nobody has marked issues. A reason for one issue never becomes one against it, nor the reverse.
PRIOR: Mapping[str, float] = {
    "words": 0.5,  # cosine over all words
    "everyday words": 3.5,  # cosine over words that are no names: the same trouble
    "trouble and name": 1.0,  # the smaller of that and the cosine over names: the same trouble at the same thing
    "title's trouble": 0.8,  # share of the titles' everyday words that the other text holds
    "title's trouble and name": 2.5,  # that share times the share of the titles' names
    "names shared": 0.9,  # ln(1 + weight of the names that both hold)
    "same writer": 2.4,
    "same prolific writer": 0.0,  # who writes about everything
    "days": -0.65,  # ln(1 + days between them)
    "name alike": 0.4,  # the same named object, in so far as its characters tell
    "names apart": -0.9,  # both name an object and no character is shared
    "same trouble, names apart": -4.0,  # that times the cosine over everyday words: a form letter of two estates
    "same spot": 1.6,  # both at the same estate, road or station
    "same township": 1.9,  # both in the same township, no spot known of one of them
    "other topic": -2.5,  # two matters at one place
    "nowhere": -0.65,  # one of the two names neither a place nor an object
}
PRIOR_BIAS = -1.2
FEATURES = tuple(PRIOR)


@dataclass(frozen=True)
class PairScorer:
    """Logistic regression over FEATURES.

    Attributes
    ----------
    weights : log-odds a unit of each of FEATURES
    bias : log-odds of a pair with nothing
    everyday : sorted 28-bit codes of the words that are no names: those of the lexicon, and those that stand in several
        letters about different matters
    """

    weights: Floats
    bias: float
    everyday: Rows

    def probabilities(self, views: Views, pairs: Rows, *, pairs_at_once: int) -> Floats:
        """Probability in [0, 1] that each pair is one issue; 0 where their places differ.

        Parameters
        ----------
        views : made with `everyday` of this scorer
        pairs : row numbers, shape (k, 2)
        pairs_at_once : bounds memory, never changes a result
        """
        parts = [
            self._probabilities(views, pairs[start : start + pairs_at_once])
            for start in range(0, len(pairs), pairs_at_once)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _probabilities(self, views: Views, pairs: Rows) -> Floats:
        # Not a matrix product: that rounds by where a row stands, and pieces of other sizes would differ.
        odds = (pair_features(views, pairs) * self.weights).sum(axis=1) + self.bias
        differ = places_differ(views.places[pairs[:, 0]], views.places[pairs[:, 1]])
        return np.where(differ, 0.0, 1.0 / (1.0 + np.exp(-odds)))

    def to_parts(self) -> dict[str, npt.NDArray[np.generic]]:
        """Plain arrays for a bundle."""
        return {
            "features": np.array(FEATURES),
            "weights": self.weights,
            "bias": np.array(self.bias),
            "everyday": self.everyday,
        }

    @classmethod
    def from_parts(cls, parts: Mapping[str, npt.NDArray[np.generic]]) -> PairScorer:
        """From `to_parts`.

        Raises
        ------
        ValueError : made for other features
        """
        if tuple(parts["features"].tolist()) != FEATURES:
            raise ValueError("its pair scorer weighs other features")
        return cls(parts["weights"].astype(np.float64), float(parts["bias"]), parts["everyday"].astype(np.int64))


def pair_features(views: Views, pairs: Rows) -> Floats:
    """The reasons for and against one issue.

    Parameters
    ----------
    views : see `make_views`
    pairs : row numbers, shape (k, 2)

    Returns
    -------
    shape (k, len(FEATURES)), in their order; cosines and shares are in [0, 1]
    """
    left, right = pairs[:, 0], pairs[:, 1]
    cosine, both, share, named = _shared_words(views, left, right)
    apart = np.abs(views.days[left] - views.days[right])
    same_writer = (views.writers[left] != 0) & (views.writers[left] == views.writers[right])
    same_spot, same_township = (
        (views.places[left, column] != 0) & (views.places[left, column] == views.places[right, column])
        for column in (SPOT, TOWNSHIP)
    )
    same_name, other_name = compare_names(views.names, pairs)
    known = (views.topics[left] != 0) & (views.topics[right] != 0)
    found = {
        "words": cosine,
        "everyday words": both[:, 0],
        "trouble and name": both.min(axis=1),
        "title's trouble": share[:, 0],
        "title's trouble and name": share.prod(axis=1),
        "names shared": np.log1p(named),
        "same writer": same_writer & ~views.prolific[left],
        "same prolific writer": same_writer & views.prolific[left],
        "days": np.log1p(np.where(np.isnan(apart), UNKNOWN_DAYS, apart)),
        "name alike": same_name,
        "names apart": other_name,
        "same trouble, names apart": other_name * both[:, 0],
        "same spot": same_spot,
        "same township": same_township & ~same_spot,
        "other topic": known & (views.topics[left] != views.topics[right]),
        "nowhere": views.nowhere[left] | views.nowhere[right],
    }
    return np.column_stack([found[name] for name in FEATURES]).astype(np.float64)


def _shared_words(views: Views, left: Rows, right: Rows) -> tuple[Floats, Floats, Floats, Floats]:
    """What each pair shares.

    Returns
    -------
    cosine over all words; (k, 2) cosines over everyday words and over names; (k, 2) shares of the titles' everyday
    words and names that the other row holds; weight of the names that both hold
    """
    k = len(left)
    row, column, mine, theirs = _meetings(views, left, right)
    weights, idf, named = state_weights(), views.idf[column], views.named[column].astype(np.int64)
    product = weights[mine] * weights[theirs] * idf * idf
    kind = 2 * row + named
    dots = np.bincount(kind, product, minlength=2 * k).reshape(k, 2)
    norms = views.norms[left] * views.norms[right]
    whole = np.sqrt((views.norms[left] ** 2).sum(axis=1) * (views.norms[right] ** 2).sum(axis=1))
    cosine = dots.sum(axis=1) / np.maximum(whole, 1e-9)
    both = np.minimum(1.0, dots / np.maximum(norms, 1e-9))
    # A word of my title that stands in your text counts once, and so does the reverse.
    titles = ((mine & COUNTS) > 0).astype(np.float64) * _stock(mine) + ((theirs & COUNTS) > 0) * _stock(theirs)
    held = np.bincount(kind, titles * idf, minlength=2 * k).reshape(k, 2)
    share = np.minimum(1.0, held / np.maximum(views.title_mass[left] + views.title_mass[right], 1e-9))
    stock = np.minimum(_stock(mine), _stock(theirs))
    names_weight = np.bincount(row, named * stock * idf, minlength=k).astype(np.float64)
    return cosine.astype(np.float64), both, share, names_weight


def _stock(states: Rows) -> Floats:
    return np.where(states >= 2 * COUNTS, STOCK_WEIGHT, 1.0)


def _meetings(views: Views, left: Rows, right: Rows) -> tuple[Rows, Rows, Rows, Rows]:
    """Every word that both rows of a pair hold: number of the pair, column of the word, its states left and right.

    Scipy multiplies sparse rows faster than anything else here finds their common columns. With the right states put
    above 2**16, a product l * (2**16 + r) tells both: l * r stays below 2**16.
    """

    def numbers(rows: Rows, above: int) -> csr_matrix:
        states = views.states[rows]
        return csr_matrix((states.data.astype(np.int32) + above, states.indices, states.indptr), states.shape)

    met = numbers(left, 0).multiply(numbers(right, 2**16)).tocsr()
    row = np.repeat(np.arange(len(left)), np.diff(met.indptr))
    mine = (met.data >> 16).astype(np.int64)
    return row, met.indices.astype(np.int64), mine, (met.data & 0xFFFF) // mine
