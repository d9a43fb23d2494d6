"""Grams as numbers: a word, or a run of characters, is a 64-bit number.

They are computed by numpy over the code points of a whole batch, and a vocabulary is an array of such numbers.
Scikit-learn's own analyzers do the same work with Python strings and take many times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads neighbouring numbers far apart
FIT_ROWS = 2_000  # rows counted at once while fitting; bounds memory, never changes a result
CACHE_ROWS = 500  # rows turned into vectors at once: their arrays stay in the processor's cache

_POWERS = np.array([pow(0xD6E8FEB86659FD93, place, 2**64) for place in range(64)], dtype=np.uint64)
WORDS, CHARACTERS, TITLE = 0, 8, 32  # salts that tell kinds of grams apart

Grams = tuple[Ints, Keys]  # the row of each gram, and its number


def chunks(segmented: pd.DataFrame, rows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    """Parts of a table with the place of their first row."""
    for start in range(0, len(segmented), rows):
        yield start, segmented.iloc[start : start + rows]


@dataclass(frozen=True)
class Batch:
    """The characters of many rows in one array, with the row of each and where tokens begin."""

    codes: Keys
    row_of: Ints
    starts: Ints

    @classmethod
    def of(cls, rows: Iterable[list[str]]) -> Self:
        """The folded characters of rows of tokens."""
        text = "\x00".join(map("\x01".join, rows)).lower()
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        marks = codes <= 1
        kept = np.flatnonzero(~marks)
        row_of = np.cumsum(codes == 0)[kept]
        token_of = np.cumsum(marks)[kept]
        starts = np.flatnonzero(np.diff(token_of, prepend=-1))
        return cls(codes=codes[kept].astype(np.uint64), row_of=row_of, starts=starts)

    def without(self, words: Index) -> Self:
        """The batch less the tokens that `words` finds."""
        if not len(self.codes) or not len(words.keys):
            return self
        kept = words.find(self.words(WORDS)[1]) < 0
        sizes = np.diff(self.starts, append=len(self.codes))
        letters = np.repeat(kept, sizes)
        starts = np.cumsum(sizes[kept]) - sizes[kept]
        return replace(self, codes=self.codes[letters], row_of=self.row_of[letters], starts=starts)

    def characters(self, length: int, salt: int, *, in_words: bool = False) -> Grams:
        """Every run of `length` characters inside a row; with `in_words`, inside a token."""
        last = len(self.codes) - length + 1
        if last <= 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
        keys = self.codes[:last].copy()
        for place in range(1, length):
            keys *= _MULTIPLIER
            keys += self.codes[place : place + last]
        of = self.row_of
        if in_words:
            of = np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=len(self.codes)))
        inside = of[:last] == of[length - 1 :]
        return self.row_of[:last][inside], _mixed(keys[inside], salt + length)

    def words(self, salt: int) -> Grams:
        """Every token."""
        if not len(self.codes):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
        sizes = np.diff(self.starts, append=len(self.codes))
        places = np.arange(len(self.codes)) - np.repeat(self.starts, sizes)
        keys = np.add.reduceat(self.codes * _POWERS[places % len(_POWERS)], self.starts)
        return self.row_of[self.starts], _mixed(keys, salt)


def _mixed(keys: Keys, salt: int) -> Keys:
    """Numbers whose high bits are as good as random (the finisher of splitmix64)."""
    keys = keys + np.array([salt], dtype=np.uint64) * _MULTIPLIER  # an array, as numpy warns when a scalar wraps round
    keys ^= keys >> np.uint64(30)
    keys *= np.uint64(0xBF58476D1CE4E5B9)
    keys ^= keys >> np.uint64(27)
    keys *= np.uint64(0x94D049BB133111EB)
    return keys


class GramCounts:
    """In how many rows each gram stands, over batches."""

    def __init__(self) -> None:
        self._parts: list[tuple[Keys, Ints]] = []

    def add(self, grams: list[Grams]) -> None:
        """Count the grams of one batch, whose rows are in no other."""
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
class Index:
    """Finds the place of a gram in an array of grams: tables that a gram's high bits point into.

    Grams that clash in one table stand in the next, which looks at other bits.
    """

    keys: Keys
    tables: list[NDArray[np.int32]]
    shift: np.uint64

    @classmethod
    def of(cls, keys: Keys) -> Self:
        """Tables for `keys`, all different."""
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


def count_grams(index: Index, grams: list[Grams], rows: int, features: int) -> sparse.csr_matrix:
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


def word_keys(words: Iterable[str]) -> Keys:
    """The number of each word as a token; sorted, each once."""
    return np.unique(Batch.of([list(words)]).words(WORDS)[1])


def text_keys(words: NDArray[np.str_], salt: int) -> Keys:
    """The number that running text gives for each word, found as a run of characters."""
    keys = np.zeros(len(words), dtype=np.uint64)
    sizes = np.char.str_len(words)
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        keys[chosen] = Batch.of([[str(word)] for word in words[chosen]]).characters(int(size), salt)[1]
    return keys
