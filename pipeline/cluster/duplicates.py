"""Which row repeats whose wording. Rows are numbers in order of time, so the smaller of a pair is the earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.cluster.similarity import text_similarity
from pipeline.cluster.sketches import BANDS
from pipeline.settings import ClusterSettings

Rows = npt.NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.integer)
Places = npt.NDArray[np.int64]  # shape (n, 3): district, township, spot; 0 where unknown


@dataclass(frozen=True)
class Duplicates:
    """The verified answer, one entry a row.

    Attributes
    ----------
    of : the earliest row whose wording this one repeats, -1 for none
    root : the row that its group of repetitions began with, itself where it repeats nothing
    similarity : float in [0, 1], Jaccard over character shingles with `of`; 1 for the same wording, 0 where `of` is -1
    exact : the normalized wording of row and `of` is the same
    places : shape (n, 3), of each root what its whole group knows about the place
    """

    of: Rows
    root: Rows
    similarity: npt.NDArray[np.float64]
    exact: npt.NDArray[np.bool_]
    places: Places


def places_differ(left: Places, right: Places) -> npt.NDArray[np.bool_]:
    """True where district, township or spot are known on both sides and not the same; shapes (..., 3) -> (...)."""
    return np.asarray(((left != 0) & (right != 0) & (left != right)).any(axis=-1))


def named_characters(names: pd.Series) -> csr_matrix:
    """Which of 65,536 characters stand in the names of each row, from the column of SKETCHES."""
    lengths = np.array([len(each) // 2 for each in names], dtype=np.int64)
    characters = np.frombuffer(b"".join(names), dtype="<u2").astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((np.ones(len(characters), dtype=np.float32), characters, offsets), shape=(len(names), 2**16))


def compare_names(named: csr_matrix, pairs: Rows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the names of two rows are alike, and whether they are apart. Most pairs are neither.

    Alike: the fewer characters, at least two, all stand on the other side too: 友协 and 友协街. Apart: both rows name
    an object and no character is shared, which 绿洲 and 绿州 are not.
    """
    left, right = named[pairs[:, 0]], named[pairs[:, 1]]
    fewer = np.minimum(np.diff(left.indptr), np.diff(right.indptr))
    shared = np.asarray(left.multiply(right).sum(axis=1)).ravel()
    return (fewer >= 2) & (shared == fewer), (fewer > 0) & (shared == 0)


def find_duplicates(
    sketches: pd.DataFrame, places: Places, texts: Callable[[Rows], list[str]], *, settings: ClusterSettings
) -> Duplicates:
    """Find repetitions.

    The same wording is found by its 64-bit hash, edited wording by MinHash bands and then on the texts themselves.

    Parameters
    ----------
    sketches : table SKETCHES in order of time
    places : shape (n, 3)
    texts : row numbers -> title and text of each, joined
    settings : see ClusterSettings

    Notes
    -----
    A wording shorter than `short_characters` can only be repeated exactly: 道里停电 and 道外停电 differ
    by one character. Below three times that length the numerals must be the same, or 3号楼 and 5号楼 would be one.
    Repetitions at places that are known to differ, or that name other objects, are not repetitions: a form letter from
    two townships or two estates is two matters.
    """
    n = len(sketches)
    characters = sketches["characters"].to_numpy()
    first = _first_of_same(sketches["wording"].to_numpy(), places, characters)
    heads = np.flatnonzero((first == np.arange(n)) & (characters >= settings.short_characters))
    pairs = _candidates(sketches["bands"].to_numpy()[heads], heads)
    pairs = pairs[_may_repeat(sketches, places, pairs, settings)]
    # The same wording with the place known in one and unknown in the other is short or long alike.
    pairs = _unique(np.concatenate([pairs, _same_wording(sketches, places, first)]))
    pairs = pairs[~compare_names(named_characters(sketches["names"]), pairs)[1]]
    joined = _joined(pairs, first, places, texts, settings)
    return _with_copies(joined, first, texts, settings)


def _first_of_same(wordings: Rows, places: Places, characters: Rows) -> Rows:
    """Of each row the earliest row with the same wording and place; rows of signs alone stay by themselves."""
    keys = pd.DataFrame(np.column_stack([wordings, places]))
    rows = np.arange(len(keys))
    firsts = pd.Series(rows).groupby([keys[column] for column in keys], sort=False).transform("min").to_numpy()
    return np.asarray(np.where(characters > 0, firsts, rows))


def _same_wording(sketches: pd.DataFrame, places: Places, first: Rows) -> Rows:
    """Pairs of neighbours among heads of one wording at places that may be the same."""
    heads = np.flatnonzero((first == np.arange(len(first))) & (sketches["characters"].to_numpy() > 0))
    numbers = np.unique(sketches["wording"].to_numpy()[heads], return_inverse=True)[1]
    pairs = _neighbours(numbers, heads)
    return pairs[~places_differ(places[pairs[:, 0]], places[pairs[:, 1]])]


def _candidates(bands: npt.NDArray[np.object_], heads: Rows) -> Rows:
    keys = np.frombuffer(b"".join(bands), dtype="<u4").reshape(len(heads), BANDS)
    return _unique(np.concatenate([_neighbours(keys[:, band], heads) for band in range(BANDS)]))


def _neighbours(keys: npt.NDArray[np.integer], rows: Rows, lags: int = 7) -> Rows:
    """Pairs of rows with the same key (below 2**32): each with the first of its key and with the `lags` before it.

    All pairs up to eight rows of a key; beyond, the cost stays linear, and what is missed is only who repeats whom
    second.
    """
    # One array of numbers sorts many times faster than an order of keys.
    ordered = np.sort(keys.astype(np.uint64) << np.uint64(32) | np.arange(len(keys), dtype=np.uint64))
    keys, rows = ordered >> np.uint64(32), rows[(ordered & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    again = np.concatenate([[False], keys[1:] == keys[:-1]])[: len(keys)]
    several = again | np.append(again[1:], [False])[: len(keys)]
    keys, rows, again = keys[several], rows[several], again[several]
    leaders = rows[np.maximum.accumulate(np.where(again, 0, np.arange(len(rows))))]
    found = [np.column_stack([leaders, rows])[again]]
    for lag in range(1, min(lags + 1, len(rows))):
        same = keys[lag:] == keys[:-lag]
        found.append(np.column_stack([rows[:-lag][same], rows[lag:][same]]))
    return np.concatenate(found)


def _unique(pairs: Rows) -> Rows:
    """Each pair once, ordered by the later row and then the earlier."""
    most = int(pairs.max(initial=0)) + 1
    return np.column_stack(np.divmod(sorted_set(pairs[:, 1] * most + pairs[:, 0]), most))[:, ::-1]


def _may_repeat(
    sketches: pd.DataFrame, places: Places, pairs: Rows, settings: ClusterSettings
) -> npt.NDArray[np.bool_]:
    early, late = pairs[:, 0], pairs[:, 1]
    characters, numerals = sketches["characters"].to_numpy(), sketches["numerals"].to_numpy()
    shorter = np.minimum(characters[early], characters[late])
    longer = np.maximum(characters[early], characters[late])
    # Jaccard is at most the ratio of the lengths; a repeated shingle counts once, hence the slack of a tenth.
    near = shorter >= 0.9 * settings.duplicate_similarity * longer
    counted = (shorter >= 3 * settings.short_characters) | (numerals[early] == numerals[late])
    return np.asarray(near & counted & ~places_differ(places[early], places[late]))


def sorted_set(numbers: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """What np.unique gives; that hashes since numpy 2.3, which is slower on these."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def _joined(
    pairs: Rows, first: Rows, places: Places, texts: Callable[[Rows], list[str]], settings: ClusterSettings
) -> Duplicates:
    """Each later row of the pairs with the earliest partner that it is like enough and whose group's place fits.

    Most rows stay with the first partner looked at, and texts are dear: of the other pairs only those are weighed
    whose later row is still alone.
    """
    similarity = np.full(len(pairs), np.nan)
    asked = np.flatnonzero(np.diff(pairs[:, 1], prepend=-1))
    while True:
        similarity[asked] = text_similarity(pairs[asked], texts)
        alike = similarity >= settings.duplicate_similarity
        joined = _first_fitting(pairs[alike], similarity[alike], first, places)
        # What a group knows of its place depends on all who joined before, so all rows are joined anew.
        asked = np.flatnonzero(np.isnan(similarity) & (joined.of[pairs[:, 1]] < 0))
        if not len(asked):
            return joined


def _first_fitting(pairs: Rows, similarity: npt.NDArray[np.float64], first: Rows, places: Places) -> Duplicates:
    """Pairs come by the later row, its earliest partner first."""
    n = len(first)
    of, root, known, score = np.full(n, -1), first.copy(), places.copy(), np.zeros(n)
    for early, late, value in zip(*pairs.T.tolist(), similarity.tolist(), strict=True):
        if of[late] >= 0:
            continue
        head = root[early]
        there, here = known[head].tolist(), known[late].tolist()
        if any(here):
            if any(a and b and a != b for a, b in zip(there, here, strict=True)):
                continue
            known[head] = [a or b for a, b in zip(there, here, strict=True)]
        of[late], root[late], score[late] = early, head, value
    return Duplicates(of=of, root=root, similarity=score, exact=score == 1.0, places=known)


def _with_copies(
    joined: Duplicates, first: Rows, texts: Callable[[Rows], list[str]], settings: ClusterSettings
) -> Duplicates:
    """Every row linked to the root of its group where it is like it, and copies of a wording to what that repeats."""
    of, root, score = joined.of.copy(), joined.root.copy(), joined.similarity.copy()
    further = np.flatnonzero((of >= 0) & (of != root))
    direct = text_similarity(np.column_stack([root[further], further]), texts)
    holds = direct >= settings.duplicate_similarity
    of[further[holds]], score[further[holds]] = root[further[holds]], direct[holds]
    copies = np.flatnonzero(first != np.arange(len(first)))
    heads = first[copies]
    repeated = of[heads] >= 0
    of[copies] = np.where(repeated, of[heads], heads)
    score[copies] = np.where(repeated, score[heads], 1.0)
    root[copies] = root[heads]
    return Duplicates(of=of, root=root, similarity=score, exact=score == 1.0, places=joined.places)
