"""The lexicon: words and phrases that speak for topics."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.errors import DirectoryError, InputError
from pipeline.schema import SEGMENTED, check_table
from pipeline.settings import VectorizeSettings
from pipeline.vectorize.grams import CACHE_ROWS, CHARACTERS, Batch, Index, chunks, count_grams, text_keys

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Lexicon:
    """Words and phrases that speak for topics.

    Attributes
    ----------
    topics : the topics' keys, sorted
    words : array of str, folded as running text is
    weights : float32 of shape (n_words, n_topics), 0 where a word says nothing of a topic, 3 where it is almost
        certain, 8 where it settles it
    """

    topics: NDArray[np.str_]
    words: NDArray[np.str_]
    weights: Floats

    @cached_property
    def index(self) -> Index:
        """Finds the words."""
        return Index.of(text_keys(self.words, CHARACTERS))

    @cached_property
    def lengths(self) -> list[int]:
        """The lengths that words have, in characters."""
        return sorted({len(word) for word in self.words})

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up."""
        return {"topics": self.topics, "words": self.words, "weights": self.weights}

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        return cls(topics=parts["topics"], words=parts["words"], weights=parts["weights"])


def load_lexicon(path: Path) -> Lexicon:
    """Read a lexicon: CSV with columns word, topic, weight (0 to 10), UTF-8.

    Raises
    ------
    InputError : the file is absent or not UTF-8
    DirectoryError : a column is missing, or a row has no word, no topic, or a weight that is not above 0
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"Cannot read the lexicon {path} ({error.strerror}). Check its path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The lexicon {path} is not UTF-8 ({error.reason}). Save it as CSV UTF-8.") from error
    entries: dict[tuple[str, str], float] = {}
    for number, row in enumerate(rows, start=2):
        word, topic, weight = (str(row.get(name) or "").strip() for name in ("word", "topic", "weight"))
        folded = fold(word)
        if not (folded and topic and _is_weight(weight)):
            raise DirectoryError(
                f"{path} row {number} (word '{word}', topic '{topic}', weight '{weight}') is not a lexicon entry. "
                f"Give the columns word, topic, weight, with a weight above 0 and at most 10."
            )
        entries[folded, topic] = max(float(weight), entries.get((folded, topic), 0.0))
    words = sorted({word for word, _ in entries})
    topics = sorted({topic for _, topic in entries})
    row_of, column_of = ({name: place for place, name in enumerate(names)} for names in (words, topics))
    weights = np.zeros((len(words), len(topics)), dtype=np.float32)
    for (word, topic), value in entries.items():
        weights[row_of[word], column_of[topic]] = value
    return Lexicon(topics=np.array(topics, dtype=np.str_), words=np.array(words, dtype=np.str_), weights=weights)


def lexicon_counts(segmented: pd.DataFrame, lexicon: Lexicon, *, settings: VectorizeSettings) -> sparse.csr_matrix:
    """How often each word of the lexicon stands in each row.

    Phrases are found in the running text, whatever its tokens. One in the title counts `settings.title_weight` times.

    Parameters
    ----------
    segmented : table SEGMENTED

    Returns
    -------
    csr_matrix of float32, shape (n_rows, n_words)
    """
    check_table(segmented, SEGMENTED, where="lexicon_counts")
    parts = []
    for _, part in chunks(segmented, CACHE_ROWS):
        in_title, in_text = (_counts(part[column], lexicon) for column in ("title_tokens", "text_tokens"))
        parts.append(np.float32(settings.title_weight) * in_title + in_text)
    if not parts:
        return sparse.csr_matrix((0, len(lexicon.words)), dtype=np.float32)
    return sparse.csr_matrix(sparse.vstack(parts, format="csr"))


def _counts(tokens: pd.Series[Any], lexicon: Lexicon) -> sparse.csr_matrix:
    batch = Batch.of(tokens)
    found = [batch.characters(length, CHARACTERS) for length in lexicon.lengths]
    return count_grams(lexicon.index, found, len(tokens), len(lexicon.words))


def lexicon_scores(
    segmented: pd.DataFrame, lexicon: Lexicon, *, settings: VectorizeSettings, weights: Floats | None = None
) -> Floats:
    """How strongly the lexicon speaks for each topic: the sum of the weights of all its words found.

    Parameters
    ----------
    segmented : table SEGMENTED
    weights : shape of `lexicon.weights`, in their place

    Returns
    -------
    float32 of shape (n_rows, n_topics), 0 or more, higher is stronger; columns as in `lexicon.topics`
    """
    counted = lexicon_counts(segmented, lexicon, settings=settings)
    return np.asarray(counted @ (lexicon.weights if weights is None else weights), dtype=np.float32)


def fold(text: str) -> str:
    """The form in which running text is compared: plain characters, lower case, letters and digits only."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def _is_weight(text: str) -> bool:
    try:
        return 0 < float(text) <= 10
    except ValueError:
        return False
