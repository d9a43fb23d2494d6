"""Tokens, characters and the lexicon -> sparse vectors, inside one batch.

Every gram (a word, two words in a row, two or three characters in a row) is a 64-bit number, computed by numpy over the code
points of a whole batch; a vocabulary is a sorted set of such numbers. Scikit-learn's own analyzers do the same work with
Python strings and take 30 times as long.
"""

from __future__ import annotations

import csv
import math
import unicodedata
from collections.abc import Iterable, Iterator
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

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads neighbouring numbers far apart
_FIT_ROWS = 2_000  # rows counted at once while fitting; bounds memory, never changes a result
_CACHE_ROWS = 500  # rows turned into vectors at once: their arrays stay in the processor's cache


@dataclass(frozen=True)
class Lexicon:
    """Words and phrases that speak for topics.

    Attributes
    ----------
    topics : the topics' keys, sorted
    words : array of str, folded as running text is
    weights : float32 of shape (n_words, n_topics), 0 where a word says nothing of a topic, 3 where it is almost certain
    """

    topics: NDArray[np.str_]
    words: NDArray[np.str_]
    weights: Floats

    @cached_property
    def _index(self) -> _Index:
        return _Index.of(_text_keys(self.words, _CHARACTERS))

    @cached_property
    def _lengths(self) -> list[int]:
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


def lexicon_scores(segmented: pd.DataFrame, lexicon: Lexicon, *, settings: VectorizeSettings) -> Floats:
    """How strongly the lexicon speaks for each topic.

    Phrases are found in the running text, whatever its tokens. The score is the sum of the weights of all phrases found; one
    in the title counts `settings.title_weight` times.

    Parameters
    ----------
    segmented : table SEGMENTED

    Returns
    -------
    float32 of shape (n_rows, n_topics), 0 or more, higher is stronger; columns as in `lexicon.topics`
    """
    check_table(segmented, SEGMENTED, where="lexicon_scores")
    scores = np.zeros((len(segmented), len(lexicon.topics)), dtype=np.float32)
    for start, part in _chunks(segmented, _CACHE_ROWS):
        for column, weight in (("title_tokens", settings.title_weight), ("text_tokens", 1.0)):
            batch = _Batch.of(part[column])
            found = [batch.characters(length, _CHARACTERS) for length in lexicon._lengths]
            counted = _count(lexicon._index, found, len(part), len(lexicon.words))
            scores[start : start + len(part)] += np.float32(weight) * (counted @ lexicon.weights)
    return scores


@dataclass(frozen=True)
class Vectorizer:
    """Turns tokens into vectors by a fixed vocabulary.

    Attributes
    ----------
    keys : uint64 of shape (n_features,), the grams: words and pairs of words first, then characters
    word_features : how many of them are words and pairs of words
    idf : float32 of shape (n_features,), ln((1 + rows) / (1 + rows with the gram)) + 1
    settings : which grams there are
    """

    keys: Keys
    word_features: int
    idf: Floats
    settings: VectorizeSettings

    @cached_property
    def _index(self) -> _Index:
        return _Index.of(self.keys)

    def transform(self, segmented: pd.DataFrame) -> sparse.csr_matrix:
        """Vectors of a table SEGMENTED.

        Returns
        -------
        csr_matrix of float32, shape (n_rows, n_features); the words' block and the characters' block of a row have each the
        length sqrt(1/2), so a row has unit length, less where a block is empty

        Raises
        ------
        TableError : a column of SEGMENTED is missing
        """
        check_table(segmented, SEGMENTED, where="Vectorizer.transform")
        parts = [self._vectors(part) for _, part in _chunks(segmented, _CACHE_ROWS)]
        if not parts:
            return sparse.csr_matrix((0, len(self.keys)), dtype=np.float32)
        return sparse.csr_matrix(sparse.vstack(parts, format="csr"))

    def _vectors(self, segmented: pd.DataFrame) -> sparse.csr_matrix:
        rows, features = len(segmented), len(self.keys)
        words, characters = _grams(segmented, self.settings)
        counted = _count(self._index, words + characters, rows, features)
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
            "word_pairs": np.array(self.settings.word_pairs),
            "titles": np.array(self.settings.titles),
            "title_weight": np.array(self.settings.title_weight),
        }

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        settings = VectorizeSettings(
            word_pairs=bool(parts["word_pairs"]),
            titles=bool(parts["titles"]),
            title_weight=float(parts["title_weight"]),
        )
        idf = parts["idf"].astype(np.float32)
        return cls(keys=parts["keys"], word_features=int(parts["word_features"]), idf=idf, settings=settings)


def fit_vectorizer(segmented: pd.DataFrame, *, settings: VectorizeSettings) -> Vectorizer:
    """Learn the vocabulary: the grams that at least `settings.min_rows` rows have, the most frequent first.

    Parameters
    ----------
    segmented : table SEGMENTED; no labels are looked at

    Raises
    ------
    TableError : a column of SEGMENTED is missing
    """
    check_table(segmented, SEGMENTED, where="fit_vectorizer")
    counts = (_Counts(), _Counts())
    for _, part in _chunks(segmented, _FIT_ROWS):
        for counted, grams in zip(counts, _grams(part, settings), strict=True):
            counted.add(grams)
    blocks = [counted.frequent(settings.min_rows, settings.block_features) for counted in counts]
    frequency = np.concatenate([rows_with for _, rows_with in blocks])
    idf = np.log((1 + len(segmented)) / (1 + frequency)) + 1
    return Vectorizer(
        keys=np.concatenate([keys for keys, _ in blocks]),
        word_features=len(blocks[0][0]),
        idf=idf.astype(np.float16).astype(np.float32),  # as the bundle keeps it, so that saving changes no answer
        settings=settings,
    )


def fold(text: str) -> str:
    """The form in which running text is compared: compatible characters made plain, lower case, letters and digits only."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def _is_weight(text: str) -> bool:
    try:
        return 0 < float(text) <= 10
    except ValueError:
        return False


def _chunks(segmented: pd.DataFrame, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    for start in range(0, len(segmented), rows):
        yield start, segmented.iloc[start : start + rows]


_Grams = tuple[Ints, Keys]  # the row of each gram, and its number


@dataclass(frozen=True)
class _Batch:
    """The characters of many rows in one array, with the row of each and where tokens begin."""

    codes: Keys
    row_of: Ints
    starts: Ints

    @classmethod
    def of(cls, rows: Iterable[list[str]]) -> Self:
        text = "\x00".join(map("\x01".join, rows)).lower()
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        marks = codes <= 1
        kept = np.flatnonzero(~marks)
        row_of = np.cumsum(codes == 0)[kept]
        token_of = np.cumsum(marks)[kept]
        starts = np.flatnonzero(np.diff(token_of, prepend=-1))
        return cls(codes=codes[kept].astype(np.uint64), row_of=row_of, starts=starts)

    def characters(self, length: int, salt: int) -> _Grams:
        """Every run of `length` characters inside a row."""
        last = len(self.codes) - length + 1
        if last <= 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
        keys = self.codes[:last].copy()
        for place in range(1, length):
            keys *= _MULTIPLIER
            keys += self.codes[place : place + last]
        inside = self.row_of[:last] == self.row_of[length - 1 :]
        return self.row_of[:last][inside], _mixed(keys[inside], salt + length)

    def words(self, salt: int, *, pairs: bool) -> list[_Grams]:
        """Every token; with `pairs`, also every two tokens in a row."""
        if not len(self.codes):
            return []
        sizes = np.diff(self.starts, append=len(self.codes))
        places = np.arange(len(self.codes)) - np.repeat(self.starts, sizes)
        keys = np.add.reduceat(self.codes * _POWERS[places % len(_POWERS)], self.starts)
        rows = self.row_of[self.starts]
        grams = [(rows, _mixed(keys, salt))]
        if pairs:
            inside = rows[:-1] == rows[1:]
            grams.append((rows[:-1][inside], _mixed((keys[:-1] * _MULTIPLIER + keys[1:])[inside], salt + 1)))
        return grams


_POWERS = np.array([pow(0xD6E8FEB86659FD93, place, 2**64) for place in range(64)], dtype=np.uint64)
_WORDS, _CHARACTERS, _TITLE = 0, 8, 32  # salts that tell kinds of grams apart


def _mixed(keys: Keys, salt: int) -> Keys:
    """Numbers whose high bits are as good as random (the finisher of splitmix64)."""
    keys = keys + np.array([salt], dtype=np.uint64) * _MULTIPLIER  # an array, as numpy warns when a scalar wraps round
    keys ^= keys >> np.uint64(30)
    keys *= np.uint64(0xBF58476D1CE4E5B9)
    keys ^= keys >> np.uint64(27)
    keys *= np.uint64(0x94D049BB133111EB)
    return keys


def _grams(segmented: pd.DataFrame, settings: VectorizeSettings) -> tuple[list[_Grams], list[_Grams]]:
    """The words' block and the characters' block of a batch."""
    whole = _Batch.of(
        [title + text for title, text in zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)]
    )
    words = whole.words(_WORDS, pairs=settings.word_pairs)
    characters = [whole.characters(length, _CHARACTERS) for length in (2, 3)]
    if settings.titles:
        titles = _Batch.of(segmented["title_tokens"])
        words += titles.words(_WORDS + _TITLE, pairs=False)
        characters.append(titles.characters(2, _CHARACTERS + _TITLE))
    return words, characters


class _Counts:
    """In how many rows each gram stands, over batches."""

    def __init__(self) -> None:
        self._parts: list[tuple[Keys, Ints]] = []

    def add(self, grams: list[_Grams]) -> None:
        rows = np.concatenate([rows for rows, _ in grams]) if grams else np.zeros(0, dtype=np.int64)
        keys = np.concatenate([keys for _, keys in grams]) if grams else np.zeros(0, dtype=np.uint64)
        if not len(keys):
            return
        distinct, place = np.unique(keys, return_inverse=True)
        stands = np.unique(place * (rows.max() + 1) + rows) // (rows.max() + 1)
        self._parts.append((distinct, np.bincount(stands, minlength=len(distinct))))

    def frequent(self, least: int, most: int) -> tuple[Keys, Ints]:
        """Grams in at least `least` rows, the `most` commonest of them; sorted by number."""
        if not self._parts:
            return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
        keys, place = np.unique(np.concatenate([keys for keys, _ in self._parts]), return_inverse=True)
        rows = np.bincount(place, weights=np.concatenate([rows for _, rows in self._parts])).astype(np.int64)
        kept = np.flatnonzero(rows >= least)
        kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:most]])
        return keys[kept], rows[kept]


@dataclass(frozen=True)
class _Index:
    """Finds the place of a gram in an array of grams: tables that a gram's high bits point into.

    Grams that clash in one table stand in the next, which looks at other bits.
    """

    keys: Keys
    tables: list[NDArray[np.int32]]
    shift: np.uint64

    @classmethod
    def of(cls, keys: Keys) -> Self:
        bits = max(10, math.ceil(math.log2(16 * len(keys) + 1)))
        shift = np.uint64(64 - bits)
        tables: list[NDArray[np.int32]] = []
        left = np.arange(len(keys))
        while len(left) or not tables:
            table = np.full(2**bits, -1, dtype=np.int32)
            slots = _turned(keys[left], len(tables)) >> shift
            table[slots] = left
            left = left[table[slots] != left]
            tables.append(table)
        return cls(keys=keys, tables=tables, shift=shift)

    def find(self, keys: Keys) -> NDArray[np.int32]:
        """Place of each gram, -1 for those that are not there."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int32)
        found: NDArray[np.int32] = self.tables[0][keys >> self.shift]
        wrong = np.flatnonzero((found >= 0) & (self.keys[found] != keys))
        found[wrong] = -1
        for level, table in enumerate(self.tables[1:], start=1):
            places = table[_turned(keys[wrong], level) >> self.shift]
            right = (places >= 0) & (self.keys[places] == keys[wrong])
            found[wrong[right]] = places[right]
            wrong = wrong[~right]
        return found


def _turned(keys: Keys, level: int) -> Keys:
    """The number with its bits moved, so that each table looks at others."""
    return keys * np.uint64(2 * level * 0x9E3779B97F4A7C1 + 1) if level else keys


def _count(index: _Index, grams: list[_Grams], rows: int, features: int) -> sparse.csr_matrix:
    """How often each known gram stands in each row: csr_matrix of float32, shape (rows, features)."""
    cells = []
    for row_of, keys in grams:
        found = index.find(keys)
        known = found >= 0
        cells.append(row_of[known] * features + found[known])
    cell = np.sort(np.concatenate(cells)) if cells else np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    counts = np.diff(first, append=len(cell)).astype(np.float32)
    row, column = np.divmod(cell[first], max(features, 1))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
    return sparse.csr_matrix((counts, column.astype(np.int32), indptr.astype(np.int32)), shape=(rows, features))


def _text_keys(words: NDArray[np.str_], salt: int) -> Keys:
    """The number that running text gives for each word, found as a run of characters."""
    keys = np.zeros(len(words), dtype=np.uint64)
    sizes = np.char.str_len(words)
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        keys[chosen] = _Batch.of([[str(word)] for word in words[chosen]]).characters(int(size), salt)[1]
    return keys
