"""Which row repeats whose wording. Rows are numbers in order of time, so the smaller of a pair is the earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.cluster.sketches import BANDS
from pipeline.cluster.wordings import shingles, wordings
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


def names_alike(named: csr_matrix, pairs: Rows) -> npt.NDArray[np.bool_]:
    """True where the fewer characters of two rows' names, at least two, all stand in the other's: 友协 and 友协街."""
    left, right = named[pairs[:, 0]], named[pairs[:, 1]]
    fewer = np.minimum(np.diff(left.indptr), np.diff(right.indptr))
    return np.asarray((fewer >= 2) & (np.asarray(left.multiply(right).sum(axis=1)).ravel() == fewer))


def names_apart(named: csr_matrix, pairs: Rows) -> npt.NDArray[np.bool_]:
    """True where both rows name an object and no name shares a character: 绿洲 and 绿州 are not apart."""
    left, right = named[pairs[:, 0]], named[pairs[:, 1]]
    both = (np.diff(left.indptr) > 0) & (np.diff(right.indptr) > 0)
    return np.asarray(both & (np.asarray(left.multiply(right).sum(axis=1)).ravel() == 0))


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
    similarity = _verified(pairs, texts, settings)
    right = similarity >= settings.duplicate_similarity
    right[right] = ~names_apart(named_characters(sketches["names"]), pairs[right])
    return _assigned(pairs[right], similarity[right], first, places, texts, settings)


def _first_of_same(wordings: Rows, places: Places, characters: Rows) -> Rows:
    """Of each row the earliest row with the same wording and place; rows of signs alone stay by themselves."""
    keys = pd.DataFrame(np.column_stack([wordings, places]))
    rows = np.arange(len(keys))
    firsts = pd.Series(rows).groupby([keys[column] for column in keys], sort=False).transform("min").to_numpy()
    return np.asarray(np.where(characters > 0, firsts, rows))


def _same_wording(sketches: pd.DataFrame, places: Places, first: Rows) -> Rows:
    """Pairs of neighbours among heads of one wording at places that may be the same."""
    heads = np.flatnonzero((first == np.arange(len(first))) & (sketches["characters"].to_numpy() > 0))
    pairs = _neighbours(sketches["wording"].to_numpy()[heads], heads)
    return pairs[~places_differ(places[pairs[:, 0]], places[pairs[:, 1]])]


def _candidates(bands: npt.NDArray[np.object_], heads: Rows) -> Rows:
    if not len(heads):
        return np.zeros((0, 2), dtype=np.int64)
    keys = np.frombuffer(b"".join(bands), dtype="<u4").reshape(len(heads), BANDS)
    return _unique(np.concatenate([_neighbours(keys[:, band], heads) for band in range(BANDS)]))


def _neighbours(keys: npt.NDArray[np.integer], rows: Rows, lags: int = 7) -> Rows:
    """Pairs of rows with the same key: each with the first of its key and with the `lags` before it.

    All pairs up to eight rows of a key; beyond, the cost stays linear, and what is missed is only who repeats whom
    second.
    """
    order = np.argsort(keys, kind="stable")
    ordered, rows = keys[order], rows[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(rows) else rows
    leaders = np.repeat(rows[starts], np.diff(np.append(starts, len(rows))))
    found = [np.column_stack([leaders, rows])[leaders != rows]]
    for lag in range(1, min(lags + 1, len(rows))):
        same = ordered[lag:] == ordered[:-lag]
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


def _verified(pairs: Rows, texts: Callable[[Rows], list[str]], settings: ClusterSettings) -> npt.NDArray[np.float64]:
    """Jaccard over the sets of shingles of each pair, on the texts; the same normalized wording is 1."""
    similarity = np.zeros(len(pairs))
    for begin in range(0, len(pairs), settings.pairs_at_once):
        part = pairs[begin : begin + settings.pairs_at_once]
        rows, inverse = np.unique(part, return_inverse=True)
        worded = wordings(texts(rows))
        hashes, offsets = shingles(worded)
        small = hashes.astype(np.uint32)
        sets = [sorted_set(small[start:end]) for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
        for k, (early, late) in enumerate(inverse.reshape(-1, 2).tolist()):
            if worded[early] == worded[late]:
                similarity[begin + k] = 1.0
                continue
            left, right = sets[early], sets[late]
            both = np.concatenate([left, right])
            both.sort()
            shared = int((both[1:] == both[:-1]).sum())
            # Two wordings of the same shingles in another order are alike, not the same.
            similarity[begin + k] = min(0.999, shared / max(1, len(left) + len(right) - shared))
    return similarity


def sorted_set(numbers: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """What np.unique gives; that hashes since numpy 2.3, which is slower on these."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def _assigned(
    pairs: Rows,
    similarity: npt.NDArray[np.float64],
    first: Rows,
    places: Places,
    texts: Callable[[Rows], list[str]],
    settings: ClusterSettings,
) -> Duplicates:
    n = len(first)
    of, root, known = np.full(n, -1), first.copy(), places.copy()
    score = np.zeros(n)
    for (early, late), value in zip(pairs.tolist(), similarity.tolist(), strict=True):
        # Pairs come by the later row, its earliest partner first.
        if of[late] >= 0 or places_differ(known[root[early]], known[late]):
            continue
        of[late], root[late], score[late] = early, root[early], value
        known[root[early]] = np.where(known[root[early]] != 0, known[root[early]], known[late])
    # The earliest wording is that of the root, where the row repeats it directly too.
    further = np.flatnonzero((of >= 0) & (of != root))
    direct = _verified(np.column_stack([root[further], further]), texts, settings)
    holds = direct >= settings.duplicate_similarity
    of[further[holds]], score[further[holds]] = root[further[holds]], direct[holds]
    exact = score == 1.0
    copies = np.flatnonzero(first != np.arange(n))
    heads = first[copies]
    repeated = of[heads] >= 0
    of[copies] = np.where(repeated, of[heads], heads)
    score[copies] = np.where(repeated, score[heads], 1.0)
    exact[copies] = np.where(repeated, exact[heads], True)
    root[copies] = root[heads]
    return Duplicates(of=of, root=root, similarity=score, exact=exact, places=known)
