"""Rows with issues marked -> the weights of a PairScorer, and how well such weights do on issues they never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.candidates import candidate_pairs
from pipeline.cluster.duplicates import Rows, places_differ
from pipeline.cluster.groups import group_submissions, known_places, rank_rows
from pipeline.cluster.scorer import FEATURES, PRIOR, PRIOR_BIAS, PairScorer, pair_features
from pipeline.cluster.views import Floats, make_views
from pipeline.cluster.words import word_code
from pipeline.settings import ClusterSettings

EVERYDAY_ROWS = 4  # rows about different matters from which a word is no name
FAITH = 1.0  # how firmly the prior weights stand, as the inverse variance of a weight on its feature's own scale
FOLDS = 5
_SEED = 1
# A reason that speaks for one issue everywhere may be rare, or contrived, in one corpus: its sign is knowledge.
_AGAINST = {"same prolific writer", "days", "names apart", "same trouble, names apart", "other topic", "nowhere"}
_BOUNDS = [(None, 0.0) if name in _AGAINST else (0.0, None) for name in FEATURES]


@dataclass(frozen=True)
class MarkedPairs:
    """Candidate pairs of rows whose issues are known.

    Attributes
    ----------
    features : shape (k, len(FEATURES))
    same : shape (k,), whether the pair is one issue
    rows : shape (k, 2), numbers of the sketches
    """

    features: Floats
    same: npt.NDArray[np.bool_]
    rows: Rows

    def some(self, wanted: npt.NDArray[np.bool_] | slice) -> MarkedPairs:
        """Some of the pairs."""
        return MarkedPairs(self.features[wanted], self.same[wanted], self.rows[wanted])


def everyday_words(rows: Iterable[Iterable[str]], lexicon: Iterable[str]) -> Rows:
    """Codes of the words that are no names: all of the lexicon, and those in EVERYDAY_ROWS of the given rows or more.

    Parameters
    ----------
    rows : tokens of each row; of an issue no row should be among them, or its name would seem an everyday word
    lexicon : words that tell a topic
    """
    counts: dict[str, int] = {}
    for tokens in rows:
        for token in set(tokens):
            counts[token] = counts.get(token, 0) + 1
    common = [token for token, count in counts.items() if count >= EVERYDAY_ROWS]
    codes = np.array([word_code(token) for token in (*common, *lexicon)], dtype=np.int64)
    return np.unique(codes[codes >= 0])


def mark_pairs(
    sketches: pd.DataFrame,
    issues: npt.NDArray[np.object_],
    *,
    texts: Callable[[Rows], list[str]],
    everyday: Rows,
    settings: ClusterSettings,
) -> MarkedPairs:
    """The pairs that a grouping of these rows would score, with the answer.

    Parameters
    ----------
    sketches : table SKETCHES
    issues : shape (n,), each row's issue; "" stands alone, None is not known
    texts : row numbers -> title and text of each, joined
    everyday : see `everyday_words`
    settings : as in a run

    Notes
    -----
    Rows that repeat another's wording are left out, and so are pairs whose places differ: both are decided before.
    """
    order, ranked, duplicates = rank_rows(sketches, texts, settings=settings)
    heads = np.flatnonzero(duplicates.of < 0)
    places = known_places(ranked, duplicates, heads)
    views = make_views(ranked.iloc[heads], places, everyday=everyday, settings=settings)
    pairs = candidate_pairs(views, settings=settings)
    given = issues[order][heads]
    told = np.array([issue is not None for issue in given], dtype=bool)
    pairs = pairs[told[pairs].all(axis=1) & ~places_differ(views.places[pairs[:, 0]], views.places[pairs[:, 1]])]
    step = settings.pairs_at_once
    features = [pair_features(views, pairs[start : start + step]) for start in range(0, len(pairs), step)]
    names = np.where(told, given, "")
    same = (names[pairs[:, 0]] == names[pairs[:, 1]]) & (names[pairs[:, 0]] != "")
    return MarkedPairs(np.concatenate([np.zeros((0, len(FEATURES))), *features]), same, order[heads][pairs])


def fit_pair_scorer(pairs: MarkedPairs, *, everyday: Rows) -> PairScorer:
    """Logistic regression whose weights keep their signs and lean on PRIOR; without pairs it is PRIOR.

    Notes
    -----
    Maximum a posteriori with a normal prior around PRIOR and PRIOR_BIAS, each feature in units of its own spread;
    L-BFGS-B holds the signs of the weights (Byrd, Lu, Nocedal, Zhu 1995).
    """
    from scipy.optimize import minimize

    weights = np.array([PRIOR[name] for name in FEATURES])
    if not pairs.same.any() or pairs.same.all():
        return PairScorer(weights, PRIOR_BIAS, everyday)
    spread = pairs.features.std(axis=0)
    spread[spread == 0] = 1.0
    scaled, sign = pairs.features / spread, np.where(pairs.same, 1.0, -1.0)
    prior = np.append(weights * spread, PRIOR_BIAS)

    def loss(found: Floats) -> tuple[float, Floats]:
        odds = sign * (scaled @ found[:-1] + found[-1])
        away = found - prior
        slope = -sign / (1.0 + np.exp(odds))
        gradient = np.append(scaled.T @ slope, slope.sum()) + FAITH * away
        return float(np.logaddexp(0.0, -odds).sum() + FAITH * (away @ away) / 2.0), gradient

    best = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=[*_BOUNDS, (None, None)], options={"maxiter": 500})
    return PairScorer(best.x[:-1] / spread, float(best.x[-1]), everyday)


def issue_folds(issues: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Part (0 to FOLDS - 1) of each row: rows of one issue are in one; -1 where the issue is not known."""
    alone = np.array([None if issue is None else issue or f"\n{row}" for row, issue in enumerate(issues)], dtype=object)
    numbers, names = pd.factorize(alone)
    parts = np.random.default_rng(_SEED).integers(0, FOLDS, size=max(1, len(names)))
    return np.where(numbers >= 0, parts[numbers], -1)


def group_unseen(
    sketches: pd.DataFrame,
    issues: npt.NDArray[np.object_],
    marked: MarkedPairs,
    *,
    texts: Callable[[Rows], list[str]],
    everyday: Rows,
    settings: ClusterSettings,
) -> list[tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]]:
    """Group all rows once for each fold, by a scorer that never saw a pair with a row of it.

    Parameters
    ----------
    sketches, issues, texts, everyday, settings : see `mark_pairs`
    marked : what it gave for them

    Returns
    -------
    of each fold the issue_id of every row, and which rows are of the fold
    """
    folds = issue_folds(issues)
    found = []
    for fold in range(FOLDS):
        seen = ~(folds[marked.rows] == fold).any(axis=1)
        scorer = fit_pair_scorer(marked.some(seen), everyday=everyday)
        grouping = group_submissions(
            sketches, texts=texts, words=lambda rows: [[] for _ in rows], scorer=scorer, settings=settings
        )
        found.append((grouping.members["issue_id"].to_numpy(dtype=object), folds == fold))
    return found
