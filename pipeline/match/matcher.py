"""What training learns about matching: how to rank candidates, how sure the first is, and when a person must look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from pipeline.directory import Directory
from pipeline.errors import BundleError, InputError
from pipeline.match.evidence import OTHER, Lead, claims_of_rows, leads_of_row
from pipeline.schema import CLASSIFIED, LABELS, SUBMISSIONS, check_table
from pipeline.settings import MatchSettings

TARGETS = ("department", "kind", "topic")
# A threshold that no probability reaches: no decision of that sort is ever made.
NEVER = 2.0
_FEATURES = 5
_FOLDS = 5


class Ranking(NamedTuple):
    """The candidates of one row in order, and how sure the first is.

    Attributes
    ----------
    leads : best first
    shares : softmax over the candidates, 0 to 1, as long as leads
    probability : calibrated, 0 to 1, that the first is right; with target topic, that the topic is
    """

    leads: tuple[Lead, ...]
    shares: tuple[float, ...]
    probability: float


@dataclass(frozen=True, eq=False)
class View:
    """What was learned for one way of running, with the directory or without.

    Attributes
    ----------
    ranking : float array of shape (2,), weights of Lead.features
    calibration : float array of shape (6,), intercept and weights of a logistic regression over the ranking's shape
    thresholds : float array of shape (2,): lowest probability decided auto, and lowest decided check; 2 is never
    """

    ranking: np.ndarray
    calibration: np.ndarray
    thresholds: np.ndarray

    def rank(self, leads: Sequence[Lead], topic_probability: float, *, target: str) -> Ranking:
        """Order the candidates of one row."""
        ordered, shares = _ordered(leads, self._weights)
        features = _shape(ordered, shares, topic_probability, target=target)
        intercept, *weights = self._logistic
        logit = intercept + sum(weight * feature for weight, feature in zip(weights, features, strict=True))
        return Ranking(ordered, shares, _sigmoid(logit))

    # Plain floats: arithmetic on single elements of an array costs ten times as much.
    @cached_property
    def _weights(self) -> tuple[float, float]:
        return float(self.ranking[0]), float(self.ranking[1])

    @cached_property
    def _logistic(self) -> list[float]:
        return [float(weight) for weight in self.calibration]

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Lowest probability decided auto, and lowest decided check."""
        return float(self.thresholds[0]), float(self.thresholds[1])


@dataclass(frozen=True, eq=False)
class Matcher:
    """Learned calibration and thresholds.

    Attributes
    ----------
    target : department, kind or topic: what training knew about leads, and so what being right means
    informed, plain : with and without a directory of duties
    """

    target: str
    informed: View
    plain: View

    def view(self, directory: Directory | None) -> View:
        """What was learned for a run with this directory, or with none."""
        return self.plain if directory is None or not directory.duties else self.informed

    def to_parts(self) -> dict[str, np.ndarray]:
        """Plain arrays, for np.savez."""
        parts = {"target": np.array([self.target], dtype="U16")}
        for name, view in (("informed", self.informed), ("plain", self.plain)):
            parts[f"{name}_ranking"] = view.ranking
            parts[f"{name}_calibration"] = view.calibration
            parts[f"{name}_thresholds"] = view.thresholds
        return parts

    @classmethod
    def from_parts(cls, parts: dict[str, np.ndarray]) -> Self:
        """The matcher again.

        Raises
        ------
        BundleError : an array is missing or has another shape
        """
        try:
            target = str(parts["target"][0])
            views = [
                View(*(parts[f"{name}_{field}"] for field in ("ranking", "calibration", "thresholds")))
                for name in ("informed", "plain")
            ]
        except (KeyError, IndexError) as error:
            raise BundleError(f"The bundle's matcher lacks {error}. Train the model anew with train.py.") from error
        shapes = {(view.ranking.shape, view.calibration.shape, view.thresholds.shape) for view in views}
        if target not in TARGETS or shapes != {((2,), (_FEATURES + 1,), (2,))}:
            raise BundleError(
                f"The bundle's matcher (target {target!r}) is of another version. Train the model anew with train.py."
            )
        return cls(target, *views)


def fit_matcher(
    submissions: pd.DataFrame,
    classified: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    directory: Directory | None,
    settings: MatchSettings,
) -> Matcher:
    """Learn to rank candidates, calibrate the first, and set thresholds, from rows classified out of fold.

    What is right follows the labels: the department where one was learned, else the kind (any of those labelled), else
    the topic. A threshold is the lowest probability such that, of the rows at or above it, the share that is right has
    a lower bound (Wilson, one-sided, at settings.confidence) of the accuracy asked for. The plain share would be
    promised by luck: it is the best of hundreds of cuts, and on 50 rows it is off by several points. The threshold of
    check sees only the rows below that of auto, which would else lend it their accuracy. Thresholds see probabilities
    that were calibrated out of fold too.

    Parameters
    ----------
    submissions : table SUBMISSIONS
    classified : table CLASSIFIED of the same rows, each by a model that has not seen the row
    labels : table LABELS of the same rows; rows without the label that matters are left out
    directory : as in the run; without it only the view without duties is learned
    settings : accuracy, check_accuracy, confidence

    Raises
    ------
    TableError : a column is missing
    InputError : no row has a label and a prediction to learn from
    """
    check_table(submissions, SUBMISSIONS, where="fit_matcher")
    check_table(classified, CLASSIFIED, where="fit_matcher")
    check_table(labels, LABELS, where="fit_matcher")
    target = _target(classified)
    right = _right_names(labels, target)
    informed = None
    if directory is not None and directory.duties:
        informed = _fit_view(submissions, classified, right, target, directory, settings)
    plain = _fit_view(submissions, classified, right, target, None, settings)
    return Matcher(target, informed or plain, plain)


def _target(classified: pd.DataFrame) -> str:
    for target, column in (("department", "department_labels"), ("kind", "kind_labels")):
        if any(len(names) for names in classified[column]):
            return target
    return "topic"


def _right_names(labels: pd.DataFrame, target: str) -> list[frozenset[str]]:
    if target == "kind":
        return [frozenset(kinds) for kinds in labels["department_kind"]]
    return [frozenset({name} - {""}) for name in labels[target]]


def _fit_view(
    submissions: pd.DataFrame,
    classified: pd.DataFrame,
    right: list[frozenset[str]],
    target: str,
    directory: Directory | None,
    settings: MatchSettings,
) -> View:
    titles, texts = submissions["title"].tolist(), submissions["text"].tolist()
    claims = claims_of_rows(titles, texts, classified, directory=directory, settings=settings)
    rows = list(zip(*(classified[name].tolist() for name in _COLUMNS), strict=True))
    candidates = [
        leads_of_row(target, claim, (departments, department_p), (kinds, kind_p), directory)
        for claim, (_, _, departments, department_p, kinds, kind_p) in zip(claims, rows, strict=True)
    ]
    # With topics alone the duties rank the kinds, and no label says which is right.
    ranking = np.array([1.0, 1.0]) if target == "topic" else _fit_ranking(candidates, right)
    shapes, outcomes = [], []
    for leads, names, row in zip(candidates, right, rows, strict=True):
        # Rows that are never decided without a person have no say in where the thresholds stand.
        if not names or row[0] == OTHER or not (leads or target == "topic"):
            continue
        ordered, shares = _ordered(leads, (float(ranking[0]), float(ranking[1])))
        shapes.append(_shape(ordered, shares, row[1], target=target))
        outcomes.append((row[0] if target == "topic" else ordered[0].name) in names)
    if not shapes:
        raise InputError(f"No labelled row has a {target} to learn matching from. Add rows with that label.")
    features, hits = np.array(shapes), np.array(outcomes)
    calibration, probabilities = _calibrate(features, hits)
    return View(ranking, calibration, set_thresholds(probabilities, hits, settings))


_COLUMNS = (
    *("topic", "topic_probability", "department_labels", "department_probabilities"),
    *("kind_labels", "kind_probabilities"),
)


def _fit_ranking(candidates: list[list[Lead]], right: list[frozenset[str]]) -> np.ndarray:
    """Weights of Lead.features: logistic regression over candidates, right or not."""
    from sklearn.linear_model import LogisticRegression

    pairs = [
        (lead, lead.name in names) for leads, names in zip(candidates, right, strict=True) if names for lead in leads
    ]
    features = np.array([lead.features() for lead, _ in pairs]).reshape(len(pairs), 2)
    outcomes = np.array([outcome for _, outcome in pairs], dtype=bool)
    if outcomes.all() or not outcomes.any():
        return np.array([1.0, 1.0])
    weights = np.asarray(LogisticRegression(C=10.0).fit(features, outcomes).coef_[0])
    # More evidence for a candidate never speaks against it, whatever a small sample says.
    return np.asarray(np.clip(weights, 0.0, None))


def _ordered(leads: Sequence[Lead], weights: tuple[float, float]) -> tuple[tuple[Lead, ...], tuple[float, ...]]:
    if not leads:
        return (), ()
    first, second = weights
    scores = [first * learned + second * share for learned, share in (lead.features() for lead in leads)]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    order = sorted(range(len(leads)), key=lambda i: (-powers[i], i))
    return tuple(leads[i] for i in order), tuple(powers[i] / total for i in order)


def _shape(leads: Sequence[Lead], shares: Sequence[float], topic_probability: float, *, target: str) -> list[float]:
    """What tells how sure the first is: its share, its lead, the topic's probability, words found, both agreeing."""
    topic = _logit(topic_probability)
    if target == "topic" or not leads:
        return [0.0, 0.0, topic, 0.0, 0.0]
    first = leads[0]
    second = shares[1] if len(shares) > 1 else 0.0
    claimed = max([lead.claim.share for lead in leads if lead.claim], default=0.0)
    agreed = first.claim is not None and first.claim.share >= claimed
    words = len(first.claim.words) if first.claim else 0
    learned = first.learned if first.learned is not None else shares[0]
    return [_logit(shares[0]), shares[0] - second, _logit(learned), math.log1p(words), float(agreed)]


def _calibrate(features: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and weights on all rows, and the probabilities of the same rows out of fold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    fewest = int(min(hits.sum(), (~hits).sum()))
    if fewest < _FOLDS:
        # Too few of one outcome to tell rows apart: all get the share that is right, after Laplace.
        share = (hits.sum() + 1) / (len(hits) + 2)
        return np.array([_logit(share)] + [0.0] * _FEATURES), np.full(len(hits), share)
    model = LogisticRegression(C=1.0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=1)
    probabilities = cross_val_predict(model, features, hits, cv=folds, method="predict_proba")[:, 1]
    model.fit(features, hits)
    return np.concatenate([model.intercept_, model.coef_[0]]), probabilities


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


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
