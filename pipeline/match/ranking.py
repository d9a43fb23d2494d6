"""What training learns about matching: how to rank candidates, how sure the first is, and when a person must look."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from pipeline.directory import Directory
from pipeline.errors import BundleError, InputError
from pipeline.match.candidates import FEATURES, Candidates, gather_candidates
from pipeline.match.flat import Doubles, Ints, first_of_each
from pipeline.match.naming import Naming
from pipeline.match.thresholds import SHAPE, calibrate, probability_of, set_thresholds
from pipeline.match.weights import fit_weights, usual_weights
from pipeline.schema import CLASSIFIED, LABELS, PLACED, RECALLED, SUBMISSIONS, check_table
from pipeline.settings import MatchSettings

TARGETS = ("department", "kind", "topic")
OTHER = "other"  # the topic of what is none of an office's matters


class Ranked(NamedTuple):
    """The candidates of some rows in order, and how sure the first of each row is.

    Attributes
    ----------
    begins : int64, shape (n_rows + 1,); those of row r are order[begins[r] : begins[r + 1]]
    order : entries of Candidates, best first in each row
    share : softmax over the candidates of a row, 0 to 1, as long as order
    probability : shape (n_rows,), calibrated, 0 to 1, that the first is right; with target topic, that the topic is
    """

    begins: Ints
    order: Ints
    share: Doubles
    probability: Doubles


@dataclass(frozen=True, eq=False)
class View:
    """What was learned for one way of running, with the directory or without.

    Attributes
    ----------
    ranking : float array of shape (6,), weights of FEATURES, 0 or more
    calibration : float array of shape (8,), intercept and weights of a logistic regression over the ranking's shape
    thresholds : float array of shape (2,): lowest probability decided auto, and lowest decided check; 2 is never
    """

    ranking: np.ndarray
    calibration: np.ndarray
    thresholds: np.ndarray

    def rank(self, candidates: Candidates, topic: Doubles, against: Doubles, *, target: str) -> Ranked:
        """Order the candidates of each row.

        Parameters
        ----------
        topic : probability of each row's topic
        against : what is taken off the score of each candidate
        """
        begins, order, share = _ordered(candidates, self.ranking, against)
        shape = _shapes(candidates, begins, order, share, topic, target=target)
        return Ranked(begins, order, share, probability_of(shape, self.calibration))

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Lowest probability decided auto, and lowest decided check."""
        return float(self.thresholds[0]), float(self.thresholds[1])


@dataclass(frozen=True, eq=False)
class Matcher:
    """Learned weights, calibration and thresholds.

    Attributes
    ----------
    target : department, kind or topic: what training knew about leads, and so what being right means
    labels : the learned departments where they are the target, sorted; else empty
    informed, plain : with and without a directory of duties
    """

    target: str
    labels: np.ndarray
    informed: View
    plain: View

    def view(self, directory: Directory | None) -> View:
        """What was learned for a run with this directory, or with none."""
        return self.plain if directory is None or not directory.duties else self.informed

    def naming(self, directory: Directory | None) -> Naming:
        """How texts name the candidates of a run with this directory, or with none."""
        return self._naming_of_labels if self.target == "department" else Naming.of_kinds(directory)

    @cached_property
    def _naming_of_labels(self) -> Naming:
        return Naming.of_labels(self.labels.tolist())

    def to_parts(self) -> dict[str, np.ndarray]:
        """Plain arrays, for np.savez."""
        parts = {"target": np.array([self.target], dtype="U16"), "labels": self.labels}
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
            target, labels = str(parts["target"][0]), parts["labels"]
            views = [
                View(*(parts[f"{name}_{field}"] for field in ("ranking", "calibration", "thresholds")))
                for name in ("informed", "plain")
            ]
        except (KeyError, IndexError) as error:
            raise BundleError(f"The bundle's matcher lacks {error}. Train the model anew with train.py.") from error
        shapes = {(view.ranking.shape, view.calibration.shape, view.thresholds.shape) for view in views}
        if target not in TARGETS or shapes != {((len(FEATURES),), (len(SHAPE) + 1,), (2,))}:
            raise BundleError(
                f"The bundle's matcher (target {target!r}) is of another version. Train the model anew with train.py."
            )
        return cls(target, labels, *views)


def fit_matcher(
    submissions: pd.DataFrame,
    classified: pd.DataFrame,
    placed: pd.DataFrame,
    recalled: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    directory: Directory | None,
    settings: MatchSettings,
) -> Matcher:
    """Learn to rank candidates, calibrate the first, and set thresholds, from rows classified out of fold.

    What is right follows the labels: the department where one was learned, else the kind (any of those labelled), else
    the topic. Thresholds see probabilities that were calibrated out of fold too.

    Parameters
    ----------
    submissions : table SUBMISSIONS
    classified : table CLASSIFIED of the same rows, each by a model that has not seen the row
    placed : table PLACED of the same rows
    recalled : table RECALLED of the same rows, each by a past that it is not in
    labels : table LABELS of the same rows; rows without the label that matters are left out
    directory : as in the run; without it only the view without duties is learned
    settings : accuracy, check_accuracy, confidence

    Raises
    ------
    TableError : a column is missing
    InputError : no row has a label and a prediction to learn from
    """
    named = ((submissions, SUBMISSIONS), (classified, CLASSIFIED), (placed, PLACED), (recalled, RECALLED))
    for frame, table in (*named, (labels, LABELS)):
        check_table(frame, table, where="fit_matcher")
    target = target_of(classified)
    right = _right_names(labels, target)
    learned = np.unique(labels["department"].to_numpy(dtype=np.str_)) if target == "department" else np.zeros(0, "U1")
    learned = learned[learned != ""]
    unfitted = View(usual_weights(target), np.zeros(len(SHAPE) + 1), np.zeros(2))
    blank = Matcher(target, learned, unfitted, unfitted)
    tables = (submissions, classified, placed, recalled)
    informed = None
    if directory is not None and directory.duties:
        informed = _fit_view(blank, tables, right, directory, settings)
    plain = _fit_view(blank, tables, right, None, settings)
    return Matcher(target, learned, informed or plain, plain)


def target_of(classified: pd.DataFrame) -> str:
    """What training knew about leads: department, kind or, of leads nothing, topic."""
    for target, column in (("department", "department_labels"), ("kind", "kind_labels")):
        if any(len(names) for names in classified[column]):
            return target
    return "topic"


def _right_names(labels: pd.DataFrame, target: str) -> list[frozenset[str]]:
    if target == "kind":
        return [frozenset(kinds) for kinds in labels["department_kind"]]
    return [frozenset({name} - {""}) for name in labels[target]]


def _fit_view(
    matcher: Matcher,
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame],
    right: list[frozenset[str]],
    directory: Directory | None,
    settings: MatchSettings,
) -> View:
    submissions, classified, placed, recalled = tables
    target = matcher.target
    titles, texts = submissions["title"].tolist(), submissions["text"].tolist()
    candidates = gather_candidates(
        titles,
        texts,
        [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)],
        classified,
        placed,
        recalled,
        target=target,
        naming=matcher.naming(directory),
        directory=directory,
        settings=settings,
    )
    hits = np.array(
        [candidates.names[name] in right[row] for row, name in zip(candidates.row, candidates.name, strict=True)],
        dtype=bool,
    )
    # With topics alone the duties rank the kinds, and no label says which is right.
    weights = usual_weights(target)
    if target != "topic":
        weights = fit_weights(candidates.features, candidates.row, hits, weights)
    begins, order, share = _ordered(candidates, weights, np.zeros(len(hits)))
    topic = classified["topic_probability"].to_numpy(dtype=np.float64)
    shapes = _shapes(candidates, begins, order, share, topic, target=target)
    known = np.array([len(names) > 0 for names in right], dtype=bool)
    chosen = np.diff(begins) > 0
    outcome = np.zeros(len(known), dtype=bool)
    outcome[chosen] = hits[order[begins[:-1][chosen]]]
    if target == "topic":
        outcome = np.array([name in names for name, names in zip(classified["topic"], right, strict=True)], dtype=bool)
        chosen[:] = True
    # Rows that are never decided without a person have no say in where the thresholds stand.
    usable = known & chosen & (classified["topic"] != OTHER).to_numpy()
    if not usable.any():
        raise InputError(f"No labelled row has a {target} to learn matching from. Add rows with that label.")
    calibration, probabilities = calibrate(shapes[usable], outcome[usable])
    return View(weights, calibration, set_thresholds(probabilities, outcome[usable], settings))


def _ordered(candidates: Candidates, weights: np.ndarray, against: Doubles) -> tuple[Ints, Ints, Doubles]:
    """Where each row begins, its entries in order, and the softmax beside them."""
    score = -against
    # One feature after the other: a matrix product adds in another order for another number of rows.
    for column, weight in enumerate(weights.tolist()):
        score = score + weight * candidates.features[:, column]
    order = np.lexsort((candidates.name, -score, candidates.row))
    row, score = candidates.row[order], score[order]
    begins = np.searchsorted(row, np.arange(candidates.rows + 1))
    first = first_of_each(row)
    highest = np.repeat(score[first], np.diff(np.append(first, len(row)))) if len(first) else score
    power = np.exp(score - highest)
    total = np.bincount(row, weights=power, minlength=candidates.rows)
    return begins, order, power / total[row]


def _shapes(
    candidates: Candidates,
    begins: Ints,
    order: Ints,
    share: Doubles,
    topic: Doubles,
    *,
    target: str,
) -> Doubles:
    """What tells how sure the first of each row is, see SHAPE; with target topic, or no candidate, the topic alone."""
    claims, shapes = candidates.claims, np.zeros((candidates.rows, len(SHAPE)))
    sizes = np.diff(begins)
    rows = np.flatnonzero(sizes) if target != "topic" else np.zeros(0, dtype=np.int64)
    others = np.setdiff1d(np.arange(candidates.rows), rows)
    shapes[others, SHAPE.index("learned")] = _logit(topic[others])
    if not len(rows):
        return shapes
    at = begins[:-1][rows]
    first = order[at]
    second = np.where(sizes[rows] > 1, np.append(share, 0.0)[at + 1], 0.0)
    claimed = np.zeros(candidates.rows)
    np.maximum.at(claimed, claims.row, claims.share)
    entry = candidates.claim[first]
    own = np.append(claims.share, -1.0)[entry]
    learned = candidates.learned[first]
    shapes[rows, SHAPE.index("share")] = _logit(share[at])
    shapes[rows, SHAPE.index("gap")] = share[at] - second
    shapes[rows, SHAPE.index("learned")] = _logit(np.where(np.isnan(learned), share[at], learned))
    shapes[rows, SHAPE.index("words")] = np.log1p(np.append(claims.words, 0)[entry])
    # In a department of one's own the best claim may be of a kind that is no candidate: then they do not agree.
    shapes[rows, SHAPE.index("agreed")] = (own >= 0) & (own >= claimed[rows])
    shapes[rows, SHAPE.index("past")] = candidates.features[first, FEATURES.index("past")]
    shapes[rows, SHAPE.index("likeness")] = candidates.likeness[first]
    return shapes


def _logit(p: Doubles) -> Doubles:
    """Logarithm of the odds, kept finite."""
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p / (1 - p)))
