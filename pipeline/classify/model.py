"""Vectors -> labels with calibrated probabilities: topics, kinds of department, departments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.classify.further import Further
from pipeline.classify.linear import linear_scores
from pipeline.classify.prior import OTHER, align, beside_lexicon, lexicon_prior
from pipeline.classify.stack import Doubles, Floats, Names, Stack, softmax
from pipeline.classify.titles import Titles
from pipeline.classify.tuning import Tuning
from pipeline.schema import CLASSIFIED, SEGMENTED, check_table, typed
from pipeline.vectorize import Lexicon, Vectorizer, lexicon_scores, titles_only

SHOWN = 3  # labels kept for each row, and the most further topics of one text


@dataclass(frozen=True)
class LabelModel:
    """Scores every label of one target.

    Attributes
    ----------
    labels : the labels, sorted
    weights : float32 of shape (n_features, n_labels) of topics; of kinds and departments of shape
        (n_features + n_lexicon_topics + 1, n_labels), the last rows for the lexicon's shares
    bias : float32 of shape (n_labels,)
    titles : what the title alone adds
    lexicon_topics : topics of the lexicon that it was fitted with
    bridge : float32 of shape (n_lexicon_topics + 1, n_labels), probability of a label where the lexicon
        speaks for a topic; the last row where it says nothing
    stack, further : how scores become probabilities
    """

    labels: Names
    weights: Floats
    bias: Floats
    titles: Titles
    lexicon_topics: Names
    bridge: Floats
    stack: Stack
    further: Further

    def logits(
        self, vectors: sparse.csr_matrix, titles: sparse.csr_matrix | None, spoken: Floats, lexicon: Lexicon
    ) -> Doubles:
        """Shape (n_rows, n_labels) from vectors, the vectors of titles, and `lexicon_scores`."""
        spoken = align(spoken, lexicon, self.lexicon_topics)
        vectors = beside_lexicon(vectors, spoken, len(self.weights))
        scores = linear_scores(vectors, self.weights, self.bias) + self.titles.scores(titles)
        return self.stack.logits(scores, lexicon_prior(spoken, self.bridge))

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up; weights as float16, which they were rounded to when fitted."""
        return {
            "labels": self.labels,
            "weights": self.weights.astype(np.float16),
            "bias": self.bias,
            "title_weights": self.titles.weights.astype(np.float16),
            "title_bias": self.titles.bias,
            "title_say": np.array(self.titles.say),
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
            titles=Titles(parts["title_weights"].astype(np.float32), parts["title_bias"], float(parts["title_say"])),
            lexicon_topics=parts["lexicon_topics"],
            bridge=parts["bridge"],
            stack=Stack(linear=float(stack[0]), lexicon=float(stack[1]), offsets=stack[2:]),
            further=Further(weights=further[:3], threshold=float(further[3])),
        )


def classify_labels(
    segmented: pd.DataFrame,
    vectors: sparse.csr_matrix,
    *,
    vectorizer: Vectorizer,
    lexicon: Lexicon,
    models: Mapping[str, LabelModel],
    tuning: Tuning,
) -> pd.DataFrame:
    """Give each row its topic, and the likeliest kinds and departments.

    A text without a single token says nothing: its topic is "other" where that was learned, else "", with probability
    0, and its lists are empty.

    Parameters
    ----------
    segmented : table SEGMENTED
    vectors : of the same rows, as `vectorizer` makes them
    models : by target: topic, kind, department; one that is absent leaves its columns "" and empty
    tuning : the lexicon's weights as training left them

    Returns
    -------
    table CLASSIFIED, same rows, order and index

    Raises
    ------
    TableError : a column of SEGMENTED is missing
    """
    check_table(segmented, SEGMENTED, where="classify_labels")
    weights = tuning.weights(lexicon)
    spoken = lexicon_scores(segmented, lexicon, settings=vectorizer.settings, weights=weights)
    said = np.array(
        [bool(t) or bool(x) for t, x in zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)]
    )
    heard = any(len(model.titles.weights) for model in models.values())
    titles = vectorizer.transform(titles_only(segmented)) if heard else None
    logits = {target: model.logits(vectors, titles, spoken, lexicon) for target, model in models.items()}
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
