"""Sketches -> what pairs of rows are compared on. Rows are numbers in order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.cluster.duplicates import Places, Rows, named_characters, sorted_set
from pipeline.cluster.known import Counts
from pipeline.settings import ClusterSettings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Added to the rows of a run: in a run of a few rows a word that two of them share must still count.
PRIOR_ROWS = 100.0
STOCK_SHARE = 0.3  # words in this share of a prolific writer's rows are his manner, not his matter
STOCK_WEIGHT = 0.25
COUNTS = 8  # how often a word stands in a row: 1 to 7
STATES = 4 * COUNTS  # count + COUNTS * in title + 2 * COUNTS * stock phrase
_AT_ONCE = 4_000_000  # numbers; bounds memory, never changes a result


@dataclass(frozen=True)
class Views:
    """What pairs are scored on.

    Attributes
    ----------
    words : csr_matrix of float32, (n, words in two rows or more); TF-IDF, the norm of a row counts all its words
    states : csr_matrix of int8 of the same cells: how often the word stands there, whether in the title, whether as a
        stock phrase of a prolific writer; see `state_weights`
    codes, frequency, idf : of each column of `words`: sorted 28-bit code, rows that hold it, its weight
    named : of each column, whether it is no everyday word, so most likely a name
    norms : (n, 2), of each row over its everyday words and its names
    title_mass : (n, 2), weight of the title's everyday words and names
    names : csr_matrix, the characters of the objects that a row names
    places : (n, 4), district, township, spot and mask, 0 where unknown
    topics : primary topic, 0 where unknown
    nowhere : the row names neither a place nor an object
    days : since 1970, nan where unknown
    writers : 0 where unknown
    prolific : the writer has `prolific_rows` rows or more
    """

    words: csr_matrix
    states: csr_matrix
    codes: Rows
    frequency: Rows
    idf: Floats
    named: Flags
    norms: Floats
    title_mass: Floats
    names: csr_matrix
    places: Places
    topics: Rows
    nowhere: Flags
    days: Floats
    writers: Rows
    prolific: Flags


def make_views(
    sketches: pd.DataFrame,
    places: Places,
    *,
    everyday: Rows,
    settings: ClusterSettings,
    counts: Counts | None = None,
    fresh: Flags | None = None,
) -> Views:
    """Vectors of the given rows.

    Parameters
    ----------
    sketches : table SKETCHES, rows that repeat no other
    places : (n, 4)
    everyday : sorted codes of the words that are no names, see PairScorer
    settings : `prolific_rows`
    counts : of a register's rows; where there are none, words and writers are counted over the given rows alone
    fresh : (n,) which rows `counts` does not count yet; all by default

    Notes
    -----
    A prolific writer's stock phrases count a quarter: forty things asked for in the same words are forty things.
    """
    n = len(sketches)
    fresh = np.ones(n, dtype=bool) if fresh is None else fresh
    indptr, packed = unpacked(sketches["words"])
    codes, row = (packed >> 4).astype(np.int32), np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr))
    writers = sketches["submitter"].to_numpy()
    prolific = _prolific(writers, fresh, counts, settings.prolific_rows)
    # The lowest bits of a packed word are its title bit and its count, as COUNTS and STATES have them.
    states = (packed & 15).astype(np.int8)
    states[_stock_phrases(indptr, codes, writers, prolific)] += 2 * COUNTS
    del packed
    known = _distinct(codes)
    column = _places_of(codes, known)
    del codes
    own: Rows = np.bincount(column, minlength=len(known)).astype(np.int64)
    rows, frequency = int(fresh.sum()), own
    if counts is not None:
        frequency = np.bincount(column[fresh[row]], minlength=len(known)) + counts.words.of(known)
        rows += counts.rows
    idf = np.maximum(0.0, np.log((PRIOR_ROWS + rows) / (1.0 + frequency)))
    named = ~np.isin(known, everyday, assume_unique=True)
    weights = (state_weights().astype(np.float32)[states] * idf.astype(np.float32)[column]).astype(np.float32)
    kind = 2 * row + named[column]
    norms = np.sqrt(np.bincount(kind, weights * weights, minlength=2 * n).reshape(n, 2))
    in_title = (states & COUNTS) > 0
    mass = np.where(states[in_title] >= 2 * COUNTS, STOCK_WEIGHT, 1.0) * idf[column[in_title]]
    title_mass = np.bincount(kind[in_title], mass, minlength=2 * n).reshape(n, 2).astype(np.float64)
    del in_title, mass, kind
    weights /= np.maximum(np.sqrt((norms * norms).sum(axis=1)), 1e-9).astype(np.float32)[row]
    shared = own > 1 if len(known) else np.zeros(1, dtype=bool)
    words, in_row = columns_of(csr_matrix((weights, column, indptr), shape=(n, len(shared))), shared), shared[column]
    names = named_characters(sketches["names"])
    times = sketches["submitted_at"].to_numpy().astype("datetime64[us]")
    return Views(
        words=words,
        states=csr_matrix((states[in_row], words.indices, words.indptr), shape=words.shape),
        codes=known[own > 1],
        frequency=frequency[own > 1],
        idf=idf[own > 1],
        named=named[own > 1],
        norms=norms,
        title_mass=title_mass,
        names=names,
        places=places,
        topics=sketches["topic"].to_numpy(),
        nowhere=(places == 0).all(axis=1) & (np.diff(names.indptr) == 0),
        days=np.where(np.isnat(times), np.nan, times.astype(np.int64) / 86_400e6),
        writers=writers,
        prolific=np.isin(writers, prolific),
    )


def state_weights() -> Floats:
    """The weight of a word in each of STATES states, before its rarity: 1 + ln(count), a stock phrase a quarter."""
    state = np.arange(STATES)
    return np.where(state >= 2 * COUNTS, STOCK_WEIGHT, 1.0) * (1.0 + np.log(np.maximum(1, state % COUNTS)))


def unpacked(column: pd.Series | npt.NDArray[np.object_]) -> tuple[Rows, Rows]:
    """Row offsets (n + 1) and the uint32 numbers of a column of bytes, as int64."""
    lengths = np.array([len(each) // 4 for each in column], dtype=np.int64)
    numbers = np.frombuffer(b"".join(column), dtype="<u4")
    return np.concatenate([[0], np.cumsum(lengths)]), numbers


def columns_of(matrix: csr_matrix, kept: Flags) -> csr_matrix:
    """The kept columns; much faster than fancy indexing of a large csr_matrix."""
    held = kept[matrix.indices]
    before = np.concatenate([[0], np.cumsum(held)])
    renumbered = (np.cumsum(kept) - 1).astype(np.int32)
    return csr_matrix(
        (matrix.data[held], renumbered[matrix.indices[held]], before[matrix.indptr]),
        shape=(matrix.shape[0], max(1, int(kept.sum()))),
    )


def _distinct(codes: npt.NDArray[np.int32]) -> Rows:
    """Sorted codes; by parts, since a million rows have eighty million."""
    parts = [sorted_set(codes[start : start + _AT_ONCE]) for start in range(0, len(codes), _AT_ONCE)]
    return sorted_set(np.concatenate([codes[:0], *parts])).astype(np.int64)


def _places_of(codes: npt.NDArray[np.int32], known: Rows) -> npt.NDArray[np.int32]:
    column = np.empty(len(codes), dtype=np.int32)
    for start in range(0, len(codes), _AT_ONCE):
        column[start : start + _AT_ONCE] = np.searchsorted(known, codes[start : start + _AT_ONCE])
    return column


def _prolific(writers: Rows, fresh: Flags, counts: Counts | None, rows: int) -> Rows:
    """Writers of `rows` rows or more, registered ones among them."""
    known, column = np.unique(writers, return_inverse=True)
    written = np.bincount(column[fresh], minlength=len(known))
    if counts is not None:
        written = written + counts.writers.of(known)
    found: Rows = known[(written >= rows) & (known != 0)]
    return found


def _stock_phrases(indptr: Rows, codes: npt.NDArray[np.int32], writers: Rows, prolific: Rows) -> Flags:
    """Which entries are words that a prolific writer uses in every third row of his."""
    stock = np.zeros(len(codes), dtype=bool)
    if not len(prolific):
        return stock
    rows = pd.Series(np.arange(len(writers))).groupby(writers).indices
    for writer in prolific.tolist():
        own = rows[writer]
        entries = np.concatenate([np.arange(indptr[row], indptr[row + 1]) for row in own])
        _, places, counts = np.unique(codes[entries], return_inverse=True, return_counts=True)
        stock[entries[(counts >= STOCK_SHARE * len(own))[places]]] = True
    return stock
