"""The vectorizer: a fixed vocabulary of grams with their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.schema import SEGMENTED, check_table
from pipeline.settings import VectorizeSettings
from pipeline.vectorize.grams import (
    CACHE_ROWS,
    CHARACTERS,
    FIT_ROWS,
    TITLE,
    WORDS,
    Batch,
    GramCounts,
    Grams,
    Index,
    Keys,
    chunks,
    count_grams,
    word_keys,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Vectorizer:
    """Turns tokens into vectors by a fixed vocabulary.

    Attributes
    ----------
    keys : uint64 of shape (n_features,), the grams: words first, then characters
    word_features : how many of them are words
    idf : float32 of shape (n_features,), ln((1 + rows) / (1 + rows with the gram)) + 1
    settings : which grams there are
    unheard : uint64, the words that are dropped before anything is counted
    """

    keys: Keys
    word_features: int
    idf: Floats
    settings: VectorizeSettings
    unheard: Keys

    @cached_property
    def index(self) -> Index:
        """Finds the grams."""
        return Index.of(self.keys)

    @cached_property
    def unheard_index(self) -> Index:
        """Finds the words that are dropped."""
        return Index.of(self.unheard)

    def transform(self, segmented: pd.DataFrame) -> sparse.csr_matrix:
        """Vectors of a table SEGMENTED.

        Returns
        -------
        csr_matrix of float32, shape (n_rows, n_features); the words' block and the characters' block of a row
        have each the length sqrt(1/2), so a row has unit length, less where a block is empty

        Raises
        ------
        TableError : a column of SEGMENTED is missing
        """
        check_table(segmented, SEGMENTED, where="Vectorizer.transform")
        parts = [self._vectors(part) for _, part in chunks(segmented, CACHE_ROWS)]
        if not parts:
            return sparse.csr_matrix((0, len(self.keys)), dtype=np.float32)
        return sparse.csr_matrix(sparse.vstack(parts, format="csr"))

    def _vectors(self, segmented: pd.DataFrame) -> sparse.csr_matrix:
        rows, features = len(segmented), len(self.keys)
        words, characters = _grams(segmented, self.settings, self.unheard_index)
        counted = count_grams(self.index, words + characters, rows, features)
        counted.data = (1 + np.log(counted.data)) * self.idf[counted.indices]
        row_of = np.repeat(np.arange(rows), np.diff(counted.indptr))
        block = 2 * row_of + (counted.indices >= self.word_features)
        squares = np.bincount(block, weights=counted.data.astype(np.float64) ** 2, minlength=2 * rows)
        counted.data = (counted.data / np.sqrt(2 * squares)[block]).astype(np.float32)
        return counted

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up."""
        return {
            "keys": self.keys,
            "idf": self.idf.astype(np.float16),
            "word_features": np.array(self.word_features),
            "titles": np.array(self.settings.titles),
            "across_words": np.array(self.settings.across_words),
            "title_weight": np.array(self.settings.title_weight),
            "unheard": self.unheard,
        }

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        settings = VectorizeSettings(
            titles=bool(parts["titles"]),
            across_words=bool(parts["across_words"]),
            title_weight=float(parts["title_weight"]),
        )
        idf = parts["idf"].astype(np.float32)
        return cls(
            keys=parts["keys"],
            word_features=int(parts["word_features"]),
            idf=idf,
            settings=settings,
            unheard=parts["unheard"],
        )


def fit_vectorizer(segmented: pd.DataFrame, *, settings: VectorizeSettings, unheard: Iterable[str] = ()) -> Vectorizer:
    """Learn the vocabulary: the grams that at least `settings.min_rows` rows have, the most frequent first.

    Parameters
    ----------
    segmented : table SEGMENTED; no labels are looked at
    unheard : words that are dropped from every row, here and whenever the vectorizer is used

    Raises
    ------
    TableError : a column of SEGMENTED is missing
    """
    check_table(segmented, SEGMENTED, where="fit_vectorizer")
    dropped = word_keys(unheard)
    index = Index.of(dropped)
    counts = (GramCounts(), GramCounts())
    for _, part in chunks(segmented, FIT_ROWS):
        for counted, grams in zip(counts, _grams(part, settings, index), strict=True):
            counted.add(grams)
    blocks = [counted.frequent(settings.min_rows, settings.block_features) for counted in counts]
    frequency = np.concatenate([rows_with for _, rows_with in blocks])
    idf = np.log((1 + len(segmented)) / (1 + frequency)) + 1
    return Vectorizer(
        keys=np.concatenate([keys for keys, _ in blocks]),
        word_features=len(blocks[0][0]),
        idf=idf.astype(np.float16).astype(np.float32),  # as the bundle keeps it, so that saving changes no answer
        settings=settings,
        unheard=dropped,
    )


def titles_only(segmented: pd.DataFrame) -> pd.DataFrame:
    """Table SEGMENTED without the texts."""
    nothing: list[list[str]] = [[] for _ in range(len(segmented))]
    return segmented.assign(text_tokens=pd.Series(nothing, index=segmented.index, dtype="object"))


def _grams(segmented: pd.DataFrame, settings: VectorizeSettings, unheard: Index) -> tuple[list[Grams], list[Grams]]:
    """The words' block and the characters' block of a batch."""
    whole = Batch.of(
        [title + text for title, text in zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)]
    ).without(unheard)
    words = [whole.words(WORDS)]
    # Inside words only, where rows came as words without stop words: these have other neighbours than running text has.
    inside = not settings.across_words
    characters = [whole.characters(length, CHARACTERS, in_words=inside) for length in ((1, 2) if inside else (2,))]
    if settings.titles:
        titles = Batch.of(segmented["title_tokens"]).without(unheard)
        words.append(titles.words(WORDS + TITLE))
        characters.append(titles.characters(2, CHARACTERS + TITLE, in_words=inside))
    return words, characters
