"""The duty clauses as arrays, so that a whole batch is looked up at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Clauses:
    """Which words betray which clauses, and what each clause is about; positions as in Directory.duties.

    Attributes
    ----------
    begins, holders : the clauses of word w are holders[begins[w] : begins[w + 1]]
    kinds : kinds that lead on some clause, sorted
    kind : of each clause, its place in `kinds`
    topic : of each clause, the place of its topic in Directory.topics, or their number
    fallback_begins, fallback_holders, fallback_shares : where topic t goes when no word is found
    """

    begins: Ints
    holders: Ints
    kinds: tuple[str, ...]
    kind: Ints
    topic: Ints
    fallback_begins: Ints
    fallback_holders: Ints
    fallback_shares: NDArray[np.float64]


def tabulate_clauses(
    by_word: Sequence[Sequence[int]],
    leads: Sequence[str],
    about: Sequence[int],
    fallbacks: Sequence[Sequence[tuple[int, float]]],
) -> Clauses:
    """Lists as arrays.

    Parameters
    ----------
    by_word : clauses of each word
    leads, about : leading kind and topic of each clause
    fallbacks : of each topic (clause, share)
    """
    kinds = sorted(set(leads))
    place = {kind: number for number, kind in enumerate(kinds)}
    flat = [entry for entries in fallbacks for entry in entries]
    return Clauses(
        _begins(by_word),
        np.array([position for positions in by_word for position in positions], dtype=np.int64),
        tuple(kinds),
        np.array([place[kind] for kind in leads], dtype=np.int64),
        np.array(about, dtype=np.int64),
        _begins(fallbacks),
        np.array([position for position, _ in flat], dtype=np.int64),
        np.array([share for _, share in flat], dtype=np.float64),
    )


def _begins(lists: Sequence[Sequence[object]]) -> Ints:
    return np.cumsum([0, *(len(entries) for entries in lists)], dtype=np.int64)
