"""Where thousands of words stand in running text, found in one pass over a whole batch.

Shared by the stages that look for given words (places, duties, danger): it knows nothing about any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Characters folded and searched at once; bounds memory (about 30 bytes a character) and never changes a result.
_CHUNK = 1_000_000
_BMP = 0x10000


# (start, end, word): text[start:end] reads, up to case and width, like words[word].
# A plain tuple: thousands are made in a batch, and a named one costs eight times as much.
Hit = tuple[int, int, int]
Ints = NDArray[np.int64]


class Hits(NamedTuple):
    """Occurrences of words in texts, in order of the texts, of the start and, at one start, longest first.

    Attributes
    ----------
    text, start, end, word : int64, shape (n_hits,): texts[text][start:end] reads like words[word]
    """

    text: Ints
    start: Ints
    end: Ints
    word: Ints


@dataclass(frozen=True, eq=False)
class Phrases:
    """A fixed set of words, ready to be looked for.

    Attributes
    ----------
    words : the words as given; a hit names one by its index
    """

    words: tuple[str, ...]
    # Classes of first, second and third characters, 0 for those of no word, the first times the number of second ones;
    # whether two classes begin a word, and which head they are: bytes first, for the numbers do not fit into the cache;
    # and whether a third class may follow a head (class 0 may where the head is a word).
    _first: np.ndarray
    _second: np.ndarray
    _third: np.ndarray
    _begin: np.ndarray
    _heads: np.ndarray
    _followers: np.ndarray
    # Words that are head h alone: _short[_short_begins[h] : _short_begins[h + 1]]; longer ones by head and third class.
    _short_begins: Ints
    _short: Ints
    _long_keys: Ints
    _long_begins: Ints
    _long: Ints
    _codes: np.ndarray  # shape (n_words, longest), 0 behind the end of a word
    _lengths: Ints

    @classmethod
    def of(cls, words: Iterable[str]) -> Phrases:
        """Prepare words; the case and width of letters and digits do not matter.

        Raises
        ------
        ValueError : a word is shorter than two characters, which is no evidence of anything in Chinese text
        """
        given = tuple(words)
        short = [word for word in given if len(word) < 2]
        if short:
            raise ValueError(f"words need two characters or more, not {short[0]!r}")
        folded = [fold(word) for word in given]
        lengths = np.array([len(word) for word in folded], dtype=np.int64)
        codes = np.zeros((len(given), int(lengths.max(initial=2))), dtype=np.uint32)
        for row, word in enumerate(folded):
            codes[row, : len(word)] = [ord(character) for character in word]
        first, firsts = _classes(word[0] for word in folded)
        second, seconds = _classes(word[1] for word in folded)
        third, thirds = _classes(word[2] for word in folded if len(word) > 2)
        pairs = first[np.minimum(codes[:, 0], _BMP)] * seconds + second[np.minimum(codes[:, 1], _BMP)]
        distinct, head = np.unique(pairs, return_inverse=True)
        head = head.astype(np.int64) + 1
        heads = np.zeros(firsts * seconds, dtype=np.int32)
        heads[distinct] = np.arange(1, len(distinct) + 1)
        followers = np.zeros((len(distinct) + 1, thirds), dtype=bool)
        alone = lengths == 2
        followers[head[alone]] = True
        long = np.flatnonzero(~alone)
        after = third[np.minimum(codes[long, 2], _BMP)].astype(np.int64) if len(long) else long
        followers[head[long], after] = True
        keys = head[long] * thirds + after
        order = np.argsort(keys, kind="stable")
        long_keys, begins = np.unique(keys[order], return_index=True)
        by_head = np.flatnonzero(alone)[np.argsort(head[alone], kind="stable")]
        return cls(
            given,
            (first * seconds).astype(np.int32),
            second,
            third,
            heads > 0,
            heads,
            followers,
            np.searchsorted(head[by_head], np.arange(len(distinct) + 2)),
            by_head,
            long_keys,
            np.append(begins, len(keys)),
            long[order],
            codes,
            lengths,
        )

    def locate(self, texts: Sequence[str]) -> Hits:
        """Every occurrence of every word, overlapping ones too."""
        parts = [self._locate_chunk(texts[start:stop], start) for start, stop in _chunks(texts)] if self.words else []
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return Hits(nothing, nothing, nothing, nothing)
        return Hits(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def find(self, texts: Sequence[str]) -> list[list[Hit]]:
        """As `locate`, for words of which few are found: a list of hits for each text."""
        found: list[list[Hit]] = [[] for _ in texts]
        for text, *hit in zip(*(column.tolist() for column in self.locate(texts)), strict=True):
            found[text].append((hit[0], hit[1], hit[2]))
        return found

    def _locate_chunk(self, texts: Sequence[str], before: int) -> Hits:
        # No word holds a line break, so none can reach from one text into the next.
        codes = _folded("\n".join(texts))
        first, second = (table.take(codes, mode="clip") for table in (self._first, self._second))
        pair = first[:-1] + second[1:]
        here = np.flatnonzero(self._begin.take(pair))
        heads = self._heads.take(pair[here])
        # Past the last character stands none.
        third = self._third.take(codes[np.minimum(here + 2, codes.size - 1)], mode="clip")
        third = np.where(here + 2 < codes.size, third, 0)
        kept = self._followers[heads, third]
        here, third, head = here[kept], third[kept].astype(np.int64), heads[kept].astype(np.int64)
        short, short_at = spans(self._short_begins[head], self._short_begins[head + 1])
        key = head * self._followers.shape[1] + third
        group = look_up(self._long_keys, key)
        known = group >= 0
        long, long_at = spans(self._long_begins[group[known]], self._long_begins[group[known] + 1])
        at = np.concatenate([here[short], here[known][long]])
        word = np.concatenate([self._short[short_at], self._long[long_at]])
        size = self._lengths[word]
        places = at[:, None] + np.arange(self._codes.shape[1])
        same = codes[np.minimum(places, codes.size - 1)] == self._codes[word]
        # Characters beyond the basic plane share one class, so the first ones are compared too.
        right = (same | (np.arange(self._codes.shape[1]) >= size[:, None])).all(axis=1) & (at + size <= codes.size)
        at, word, size = at[right], word[right], size[right]
        order = np.lexsort((word, -size, at))
        at, word, size = at[order], word[order], size[order]
        begins = np.cumsum([0] + [len(text) + 1 for text in texts[:-1]])
        row = np.searchsorted(begins, at, side="right") - 1
        start = at - begins[row]
        return Hits(row + before, start, start + size, word)


def spans(begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """All places of some spans one after the other, and for each the number of its span."""
    sizes = ends - begins
    number = np.repeat(np.arange(len(sizes)), sizes)
    return number, begins[number] + np.arange(len(number)) - (np.cumsum(sizes) - sizes)[number]


def look_up(keys: Ints, wanted: Ints) -> Ints:
    """Where each wanted key stands among sorted distinct keys; -1 where it does not."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def fold(text: str) -> str:
    """The text with full-width ASCII made half-width and a-z made A-Z, of exactly the same length."""
    return _text(_folded(text))


def _folded(text: str) -> np.ndarray:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded = _fold_table().take(codes, mode="clip")
    # Rare characters beyond the basic plane were clipped to its last code.
    return np.where(codes < _BMP, folded, codes) if codes.size and codes.max() >= _BMP else folded


def _text(codes: np.ndarray) -> str:
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")


@cache
def _fold_table() -> np.ndarray:
    table = np.arange(_BMP, dtype=np.uint32)
    table[0xFF01:0xFF5F] -= 0xFEE0
    table[0x3000] = 0x20
    lower = (table >= ord("a")) & (table <= ord("z"))
    table[lower] -= 32
    # Lone surrogates stand in damaged files and cannot be decoded again.
    table[0xD800:0xE000] = 0
    return table


def _code(character: str) -> int:
    return min(ord(character), _BMP)


def _classes(characters: Iterable[str]) -> tuple[np.ndarray, int]:
    """A number above 0 for each character code that occurs, 0 for all others."""
    codes = sorted({_code(character) for character in characters})
    table = np.zeros(_BMP + 1, dtype=np.int32)
    table[codes] = np.arange(1, len(codes) + 1)
    return table, len(codes) + 1


def _chunks(texts: Sequence[str]) -> Iterable[tuple[int, int]]:
    cuts, size = [0], 0
    for index, text in enumerate(texts):
        size += len(text) + 1
        if size >= _CHUNK:
            cuts.append(index + 1)
            size = 0
    if cuts[-1] != len(texts):
        cuts.append(len(texts))
    return pairwise(cuts)
