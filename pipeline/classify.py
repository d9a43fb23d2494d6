"""Vectors -> labels with calibrated probabilities: topics, kinds of department, departments.

One linear score a label from the vectors and one from the lexicon are added with weights that were fitted out of fold
(stacking after Wolpert 1992, with temperature scaling after Guo et al. 2017), so that much labelled text outvotes the
lexicon and little leans on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.schema import CLASSIFIED, SEGMENTED, check_table, typed
from pipeline.settings import ClassifySettings
from pipeline.vectorize import Lexicon, Vectorizer, lexicon_scores

Floats = NDArray[np.float32]
Names = NDArray[np.str_]
Doubles = NDArray[np.float64]

SHOWN = 3  # labels kept for each row, and the most further topics of one text
OTHER = "other"  # the topic of a text that says nothing, where the bundle learned such a topic
_UNSAID = 0.2  # lexicon strength that every topic has unsaid
_SILENT = 0.2  # share of silence from which a row counts as one that the lexicon says little of
_SHRINK = 20.0  # examples that outweigh the belief that no label is likelier than its scores say
_SILENCE = 2.0  # lexicon strength of saying nothing: one likely word has as much


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


@dataclass(frozen=True)
class LabelModel:
    """Scores every label of one target.

    Attributes
    ----------
    labels : the labels, sorted
    weights : float32 of shape (n_features, n_labels)
    bias : float32 of shape (n_labels,)
    lexicon_topics : topics of the lexicon that it was fitted with
    bridge : float32 of shape (n_lexicon_topics + 1, n_labels), probability of a label where the lexicon
        speaks for a topic; the last row where it says nothing
    stack, further : how scores become probabilities
    """

    labels: Names
    weights: Floats
    bias: Floats
    lexicon_topics: Names
    bridge: Floats
    stack: Stack
    further: Further

    def logits(self, vectors: sparse.csr_matrix, spoken: Floats, lexicon: Lexicon) -> Doubles:
        """Shape (n_rows, n_labels) from vectors and `lexicon_scores`."""
        scores = linear_scores(vectors, self.weights, self.bias)
        return self.stack.logits(scores, lexicon_prior(align(spoken, lexicon, self.lexicon_topics), self.bridge))

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up; weights as float16, which they were rounded to when fitted."""
        return {
            "labels": self.labels,
            "weights": self.weights.astype(np.float16),
            "bias": self.bias,
            "lexicon_topics": self.lexicon_topics,
            "bridge": self.bridge,
            "stack": np.concatenate([[self.stack.linear, self.stack.lexicon], self.stack.offsets]),
            "further": np.concatenate([self.further.weights, [self.further.threshold]]),
        }

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        stack, further = parts["stack"], parts["further"]
        return cls(
            labels=parts["labels"],
            weights=parts["weights"].astype(np.float32),
            bias=parts["bias"],
            lexicon_topics=parts["lexicon_topics"],
            bridge=parts["bridge"],
            stack=Stack(linear=float(stack[0]), lexicon=float(stack[1]), offsets=stack[2:]),
            further=Further(weights=further[:3], threshold=float(further[3])),
        )


def classify_labels(
    segmented: pd.DataFrame, *, vectorizer: Vectorizer, lexicon: Lexicon, models: Mapping[str, LabelModel]
) -> pd.DataFrame:
    """Give each row its topic, and the likeliest kinds and departments.

    A text without a single token says nothing: its topic is "other" where that was learned, else "", with probability
    0, and its lists are empty.

    Parameters
    ----------
    segmented : table SEGMENTED
    models : by target: topic, kind, department; one that is absent leaves its columns "" and empty

    Returns
    -------
    table CLASSIFIED, same rows, order and index

    Raises
    ------
    TableError : a column of SEGMENTED is missing
    """
    check_table(segmented, SEGMENTED, where="classify_labels")
    vectors = vectorizer.transform(segmented)
    spoken = lexicon_scores(segmented, lexicon, settings=vectorizer.settings)
    said = np.array(
        [bool(t) or bool(x) for t, x in zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)]
    )
    logits = {target: model.logits(vectors, spoken, lexicon) for target, model in models.items()}
    return tabulate(segmented["submission_id"], said, logits, models)


def tabulate(
    submission_id: pd.Series[str],
    said: NDArray[np.bool_],
    logits: Mapping[str, Doubles],
    models: Mapping[str, LabelModel],
) -> pd.DataFrame:
    """Table CLASSIFIED from the logits of each target.

    Parameters
    ----------
    said : shape (n_rows,), False for a text without a token
    logits : by target, shape (n_rows, n_labels)
    models : whose labels and thresholds are used
    """
    rows = len(submission_id)
    columns: dict[str, Any] = {"submission_id": submission_id}
    for target in ("topic", "kind", "department"):
        if target in models:
            names, values = _best(logits[target], models[target].labels, said)
        else:
            names, values = [[] for _ in range(rows)], [[] for _ in range(rows)]
        columns[f"{target}_labels"] = pd.Series(names, index=submission_id.index, dtype="object")
        columns[f"{target}_probabilities"] = pd.Series(values, index=submission_id.index, dtype="object")
    silent = OTHER if "topic" in models and OTHER in models["topic"].labels else ""
    columns["topic"] = [names[0] if names else silent for names in columns["topic_labels"]]
    columns["topic_probability"] = [values[0] if values else 0.0 for values in columns["topic_probabilities"]]
    others: list[list[str]] = [[] for _ in range(rows)]
    if "topic" in models:
        others = _others(logits["topic"], models["topic"], said)
    columns["other_topics"] = pd.Series(others, index=submission_id.index, dtype="object")
    return typed(pd.DataFrame(columns, index=submission_id.index), CLASSIFIED)


def _best(logits: Doubles, labels: Names, said: NDArray[np.bool_]) -> tuple[list[list[str]], list[list[float]]]:
    probabilities = softmax(logits)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :SHOWN]
    names = labels[order].tolist()
    values = np.take_along_axis(probabilities, order, axis=1).tolist()
    return [n if s else [] for n, s in zip(names, said, strict=True)], [
        v if s else [] for v, s in zip(values, said, strict=True)
    ]


def _others(logits: Doubles, model: LabelModel, said: NDArray[np.bool_]) -> list[list[str]]:
    others: list[list[str]] = [[] for _ in range(len(logits))]
    if model.further.threshold > 1 or not len(logits):
        return others
    probabilities = model.further.probabilities(logits)
    probabilities[np.arange(len(logits)), logits.argmax(axis=1)] = -1  # the first label is no further one
    probabilities[:, model.labels == OTHER] = -1  # none of the others, so never beside one
    for row in np.flatnonzero((probabilities >= model.further.threshold).any(axis=1) & said):
        order = np.argsort(-probabilities[row], kind="stable")[:SHOWN]
        others[row] = [
            str(model.labels[label]) for label in order if probabilities[row, label] >= model.further.threshold
        ]
    return others


def softmax(logits: Doubles) -> Doubles:
    """Probabilities that sum to 1 in each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def linear_scores(vectors: sparse.csr_matrix, weights: Floats, bias: Floats) -> Floats:
    """Shape (n_rows, n_labels); about -1 where a label does not fit, 1 where it does."""
    return np.asarray(vectors @ weights + bias, dtype=np.float32)


def align(spoken: Floats, lexicon: Lexicon, topics: Names) -> Floats:
    """The columns of lexicon scores in the order of `topics`; 0 for a topic that this lexicon lacks."""
    if np.array_equal(lexicon.topics, topics):
        return spoken
    aligned = np.zeros((len(spoken), len(topics)), dtype=np.float32)
    place = {topic: column for column, topic in enumerate(lexicon.topics)}
    for column, topic in enumerate(topics):
        if topic in place:
            aligned[:, column] = spoken[:, place[topic]]
    return aligned


def lexicon_shares(spoken: Floats) -> Floats:
    """Each topic's share in what the lexicon says, and as last column the share of saying nothing."""
    silence = np.full((len(spoken), 1), _SILENCE)
    strength = np.hstack([spoken.astype(np.float64) + _UNSAID, silence])
    return np.asarray(strength / strength.sum(axis=1, keepdims=True), dtype=np.float32)


def lexicon_prior(spoken: Floats, bridge: Floats) -> Floats:
    """Log-probability of each label by the lexicon alone, shape (n_rows, n_labels)."""
    # Sparse on purpose: a dense product sums in another order for another number of rows, and the batch would matter.
    shares = sparse.csr_matrix(lexicon_shares(spoken))
    return np.asarray(np.log(shares @ bridge + np.float32(1e-4)), dtype=np.float32)


def fit_bridge(spoken: Floats, truth: Names, labels: Names, topics: Names) -> Floats:
    """How the lexicon's topics, and its silence, speak for labels: topics by name where possible, else by counting.

    Parameters
    ----------
    spoken : lexicon scores of the training rows, columns as `topics`
    truth : label of each training row

    Returns
    -------
    float32 of shape (n_topics + 1, n_labels), the last row for silence; a row sums to 1 unless its topic is no label
    """
    shares = lexicon_shares(spoken)
    # What silence tells is learned where it is loud: a lexicon that speaks for most rows is silent for few.
    shares[:, -1] *= shares[:, -1] >= _SILENT
    counts = shares.T @ (truth[:, None] == labels[None, :]).astype(np.float32)
    # As if one row more stood for each topic, spread as the labels are.
    counts += (counts.sum(axis=0) + 1 / len(labels)) / (len(truth) + 1)
    bridge = np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float32)
    if speaks_by_name(labels, topics):
        bridge[:-1] = topics[:, None] == labels[None, :]
    return bridge


def fit_linear(
    vectors: sparse.csr_matrix, truth: Names, labels: Names, *, settings: ClassifySettings
) -> tuple[Floats, Floats]:
    """One linear score a label, each against the rest: support vectors with squared hinge loss.

    Returns
    -------
    weights of shape (n_features, n_labels) and bias of shape (n_labels,), rounded to what float16 can hold; a label
    without an example in `truth` has the score -1 everywhere
    """
    from sklearn.svm import LinearSVC

    weights = np.zeros((vectors.shape[1], len(labels)), dtype=np.float32)
    bias = np.full(len(labels), -1, dtype=np.float32)
    for column, label in enumerate(labels):
        right = truth == label
        if right.all():
            bias[column] = 1
        elif right.any() and vectors.shape[1]:
            fitted = LinearSVC(C=settings.cost, random_state=settings.seed).fit(vectors, right)
            weights[:, column] = fitted.coef_[0]
            bias[column] = fitted.intercept_[0]
    return weights.astype(np.float16).astype(np.float32), bias


def fit_stack(
    scores: Floats, prior: Floats, truth: Names, labels: Names, *, trust: float = 1.0, weights: Doubles | None = None
) -> Stack:
    """Weights that make out-of-fold scores into calibrated probabilities (least negative log-likelihood).

    Parameters
    ----------
    scores, prior : out-of-fold, shape (n_rows, n_labels); without a single row the weights stay at their usual size
    truth : label of each row; every one is in `labels`
    trust : share, 0 to 1, of its fitted weight that the vectors' score keeps beside the lexicon's; the sum of both is
        calibrated after that
    weights : how many rows each row stands for, mean 1; None is one each
    """
    if not len(truth):
        return Stack(linear=3.0, lexicon=0.5, offsets=np.zeros(len(labels)))
    right = truth[:, None] == labels[None, :]
    rows = np.ones(len(truth)) if weights is None else weights
    linear, lexicon, offsets = _fit_weights(scores.astype(np.float64), prior.astype(np.float64), right, rows)
    if trust < 1:
        together = trust * linear * scores + lexicon * prior
        scale, _, offsets = _fit_weights(together, np.zeros_like(together), right, rows)
        linear, lexicon = scale * trust * linear, scale * lexicon
    return Stack(linear=linear, lexicon=lexicon, offsets=offsets)


def _fit_weights(
    first: Doubles, second: Doubles, right: NDArray[np.bool_], rows: Doubles
) -> tuple[float, float, Doubles]:
    """Weights of two views and the labels' offsets."""
    from scipy.optimize import minimize

    views = np.stack([first, second])

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        probabilities = softmax(np.tensordot(parameters[:2], views, axes=1) + parameters[2:])
        value = -(rows * np.log(probabilities[right] + 1e-12)).sum() + 0.5 * _SHRINK * (parameters[2:] ** 2).sum()
        miss = rows[:, None] * (probabilities - right)
        by_view = np.tensordot(views, miss, axes=([1, 2], [0, 1]))
        slope = np.concatenate([by_view, miss.sum(axis=0) + _SHRINK * parameters[2:]])
        return float(value) / len(right), slope / len(right)

    start = np.concatenate([[1.0, 0.5], np.zeros(right.shape[1])])
    limits = [(0.0, 50.0), (0.0, 5.0)] + [(-5.0, 5.0)] * right.shape[1]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits).x
    return float(found[0]), float(found[1]), found[2:]


def speaks_by_name(labels: Names, topics: Names) -> bool:
    """Whether the labels are topics of the lexicon (other apart): it speaks for those without being taught."""
    return bool(np.isin(labels, [*topics, OTHER]).all())


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
