"""Where thousands of words stand in running text, found in one pass over a whole batch.

Shared by the stages that look for given words (places, duties, danger): it knows nothing about any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

# Characters folded and searched at once; bounds memory (about 30 bytes a character) and never changes a result.
_CHUNK = 1_000_000
_BMP = 0x10000


# (start, end, word): text[start:end] reads, up to case and width, like words[word].
# A plain tuple: thousands are made in a batch, and a named one costs eight times as much.
Hit = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Phrases:
    """A fixed set of words, ready to be looked for.

    Attributes
    ----------
    words : the words as given; a hit names one by its index
    """

    words: tuple[str, ...]
    # Classes of first, second and third characters, 0 for those of no word; the head of two classes, 0 for none; and
    # whether a third class may follow a head (class 0 may where the head is a word).
    _first: np.ndarray
    _second: np.ndarray
    _third: np.ndarray
    _heads: np.ndarray
    _followers: np.ndarray
    _by_head: dict[str, dict[str, tuple[tuple[str, int], ...]]]

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
        by_head: dict[str, list[tuple[str, int]]] = {}
        for index, word in enumerate(given):
            folded = fold(word)
            by_head.setdefault(folded[:2], []).append((folded, index))
        first, firsts = _classes(head[0] for head in by_head)
        second, seconds = _classes(head[1] for head in by_head)
        third, thirds = _classes(word[2] for found in by_head.values() for word, _ in found if len(word) > 2)
        heads = np.zeros((firsts, seconds), dtype=np.int32)
        followers = np.zeros((len(by_head) + 1, thirds), dtype=bool)
        for number, (head, found) in enumerate(by_head.items(), start=1):
            heads[first[_code(head[0])], second[_code(head[1])]] = number
            for word, _ in found:
                followers[number, third[_code(word[2])] if len(word) > 2 else slice(None)] = True
        tails = {head: _tails(found) for head, found in by_head.items()}
        return cls(given, first, second, third, heads, followers, tails)

    def find(self, texts: Sequence[str]) -> list[list[Hit]]:
        """Every occurrence of every word, overlapping ones too.

        Returns
        -------
        list of n_texts lists of (start, end, index of the word), in order of start and, at one start, longest first
        """
        found: list[list[Hit]] = [[] for _ in texts]
        if not self.words:
            return found
        for start, stop in _chunks(texts):
            self._find_chunk(texts[start:stop], found[start:stop])
        return found

    def _find_chunk(self, texts: Sequence[str], found: list[list[Hit]]) -> None:
        # No word holds a line break, so none can reach from one text into the next.
        codes = _folded("\n".join(texts))
        joined = _text(codes)
        first, second = (table.take(codes, mode="clip") for table in (self._first, self._second))
        heads = self._heads[first[:-1], second[1:]]
        here = np.flatnonzero(heads)
        # Past the last character stands none, whatever is read there.
        third = self._third.take(codes[np.minimum(here + 2, codes.size - 1)], mode="clip")
        here = here[self._followers[heads[here], third]]
        begins = np.cumsum([0] + [len(text) + 1 for text in texts[:-1]])
        rows = np.searchsorted(begins, here, side="right") - 1
        offsets = begins[rows]
        by_head = self._by_head
        for at, row, offset in zip(here.tolist(), rows.tolist(), offsets.tolist(), strict=True):
            tails = by_head.get(joined[at : at + 2])
            if tails is None:  # characters beyond the basic plane share one class, so this is none of our heads
                continue
            for word, index in tails.get(joined[at + 2 : at + 3], tails[""]):
                if joined.startswith(word, at):
                    found[row].append((at - offset, at - offset + len(word), index))


def _tails(words: list[tuple[str, int]]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Words of one head by their third character, longest first; a word that is the head alone is under each."""
    alone = [(word, index) for word, index in words if len(word) == 2]
    longer = sorted((found for found in words if len(found[0]) > 2), key=lambda found: -len(found[0]))
    thirds = {word[2] for word, _ in longer}
    by_third = {third: (*(found for found in longer if found[0][2] == third), *alone) for third in thirds}
    return {**by_third, "": tuple(alone)}


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
