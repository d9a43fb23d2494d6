"""Which rows may be one issue, and with what probability. Rows are numbers in order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from pipeline.cluster.duplicates import (
    Places,
    Rows,
    named_characters,
    names_alike,
    names_apart,
    places_differ,
    sorted_set,
)
from pipeline.settings import ClusterSettings

Floats = npt.NDArray[np.float64]

# Log-odds that two rows are one issue, set by hand near a logistic regression on labelled pairs of a message board.
WORDS = 14.0  # times the cosine over words: 0.3 with nothing else is even odds
TITLE = 4.0  # times the cosine over the character pairs of the titles
SAME_WRITER = 2.0  # the same person
PROLIFIC_WRITER = -3.0  # the same person, who writes about everything in the same phrases
DAYS = -0.5  # times ln(1 + days between them): half a year costs 2.6
SAME_NAME = 1.0  # the same named object, in so far as its characters tell
NAMES_APART = -8.0  # both name an object and no character is shared: only nearly the same words overcome it
SAME_SPOT = 3.0  # both at the same estate, road or station
SAME_TOWNSHIP = 2.0  # both in the same township, no spot known of one of them
OTHER_TOPIC = -3.0  # two matters at one place
NOWHERE = -2.0  # one of the two names neither a place nor an object: like words are then a like matter, not the same
BASE = -4.0
TOWNSHIP, SPOT = 1, 2  # columns of the places
UNKNOWN_DAYS = 30.0  # where a time is missing

# Added to the rows of a run: in a run of a few rows a word that two of them share must still count.
PRIOR_ROWS = 100.0

STOCK_SHARE = 0.3  # words in this share of a prolific writer's rows are his manner, not his matter
STOCK_WEIGHT = 0.25


@dataclass(frozen=True)
class Views:
    """What pairs are scored on; rows are those of `rows`, vectors have unit length.

    Attributes
    ----------
    words : csr_matrix of float32, (n, words in two rows or more), TF-IDF; the norm counts all words
    frequency : rows that hold each word
    codes : sorted 28-bit code of each word
    titles : csr_matrix of float32, (n, character pairs in two titles or more), TF-IDF
    names : csr_matrix, the characters of the objects that a row names
    places : (n, 4), district, township, spot and mask, 0 where unknown
    topics : primary topic, 0 where unknown
    nowhere : the row names neither a place nor an object
    days : since 1970, nan where unknown
    writers : 0 where unknown
    prolific : the writer has `prolific_rows` rows or more
    """

    words: csr_matrix
    frequency: Rows
    codes: Rows
    titles: csr_matrix
    names: csr_matrix
    places: Places
    topics: Rows
    nowhere: npt.NDArray[np.bool_]
    days: Floats
    writers: Rows
    prolific: npt.NDArray[np.bool_]


def make_views(sketches: pd.DataFrame, places: Places, *, settings: ClusterSettings) -> Views:
    """Vectors of the given rows; document frequencies are counted over just these rows."""
    n = len(sketches)
    indptr, packed = unpacked(sketches["words"])
    writers = sketches["submitter"].to_numpy()
    weights = 1.0 + np.log((packed & 7).astype(np.float32))
    times = sketches["submitted_at"].to_numpy().astype("datetime64[us]")
    days = np.where(np.isnat(times), np.nan, times.astype(np.int64) / 86_400e6)
    values, counts = np.unique(writers[writers != 0], return_counts=True)
    prolific = values[counts >= settings.prolific_rows]
    weights *= _manner(indptr, packed >> 4, writers, prolific)
    words, codes, frequency = _tfidf(n, indptr, packed >> 4, weights)
    title_indptr, pairs = unpacked(sketches["title_pairs"])
    names = named_characters(sketches["names"])
    titles, _, _ = _tfidf(n, title_indptr, pairs, _manner(title_indptr, pairs, writers, prolific))
    return Views(
        words=words,
        frequency=frequency,
        codes=codes,
        titles=titles,
        names=names,
        places=places,
        topics=sketches["topic"].to_numpy(),
        nowhere=(places == 0).all(axis=1) & (np.diff(names.indptr) == 0),
        days=days,
        writers=writers,
        prolific=np.isin(writers, prolific),
    )


def candidate_pairs(views: Views, *, settings: ClusterSettings) -> Rows:
    """Pairs (smaller, larger) that share rare words, shape (k, 2), each once, in order.

    Words in more than `common_rows` rows find no pairs (they still count in the score), so the cost of a row is
    bounded; of each
    row the `neighbours` nearest are kept. Words of a middling frequency link each row to its neighbours in time only.
    """
    from sparse_dot_topn import sp_matmul_topn

    rare = _columns(views.words, views.frequency <= settings.common_rows)
    across = rare.T.tocsr()
    found = []
    for start in range(0, rare.shape[0], 50_000):
        near = sp_matmul_topn(
            rare[start : start + 50_000], across, top_n=settings.neighbours + 1, threshold=settings.least_rare_cosine
        ).tocoo()
        found.append(np.column_stack([near.row.astype(np.int64) + start, near.col]))
    found.append(_near_in_time(views, settings))
    pairs = np.concatenate(found)
    pairs = np.column_stack([pairs.min(axis=1), pairs.max(axis=1)])[pairs[:, 0] != pairs[:, 1]]
    keys = sorted_set(pairs[:, 0] * rare.shape[0] + pairs[:, 1])
    return np.column_stack(np.divmod(keys, max(1, rare.shape[0])))


def pair_probabilities(views: Views, pairs: Rows, *, settings: ClusterSettings) -> Floats:
    """Probability in [0, 1] that each pair is one issue; 0 where their places differ."""
    parts = [
        _probabilities(views, pairs[start : start + settings.pairs_at_once])
        for start in range(0, len(pairs), settings.pairs_at_once)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _probabilities(views: Views, pairs: Rows) -> Floats:
    left, right = pairs[:, 0], pairs[:, 1]
    apart = np.abs(views.days[left] - views.days[right])
    apart = np.where(np.isnan(apart), UNKNOWN_DAYS, apart)
    same_writer = (views.writers[left] != 0) & (views.writers[left] == views.writers[right])
    same_spot, same_township = (
        (views.places[left, column] != 0) & (views.places[left, column] == views.places[right, column])
        for column in (SPOT, TOWNSHIP)
    )
    known = (views.topics[left] != 0) & (views.topics[right] != 0)
    other_topic = known & (views.topics[left] != views.topics[right])
    odds = (
        WORDS * _dot(views.words, left, right)
        + TITLE * _dot(views.titles, left, right)
        + np.where(views.prolific[left], PROLIFIC_WRITER, SAME_WRITER) * same_writer
        + DAYS * np.log1p(apart)
        + NAMES_APART * names_apart(views.names, pairs)
        + SAME_NAME * names_alike(views.names, pairs)
        + SAME_SPOT * same_spot
        + SAME_TOWNSHIP * (same_township & ~same_spot)
        + OTHER_TOPIC * other_topic
        + NOWHERE * (views.nowhere[left] | views.nowhere[right])
        + BASE
    )
    return np.where(places_differ(views.places[left], views.places[right]), 0.0, 1.0 / (1.0 + np.exp(-odds)))


def _dot(vectors: csr_matrix, left: Rows, right: Rows) -> Floats:
    return np.asarray(vectors[left].multiply(vectors[right]).sum(axis=1), dtype=np.float64).ravel()


def unpacked(column: pd.Series | npt.NDArray[np.object_]) -> tuple[Rows, Rows]:
    """Row offsets (n + 1) and the uint32 numbers of a column of bytes, as int64."""
    lengths = np.array([len(each) // 4 for each in column], dtype=np.int64)
    numbers = np.frombuffer(b"".join(column), dtype="<u4")
    return np.concatenate([[0], np.cumsum(lengths)]), numbers


def _tfidf(n: int, indptr: Rows, codes: Rows, weights: npt.NDArray[np.floating]) -> tuple[csr_matrix, Rows, Rows]:
    """Unit rows over the codes that two rows or more hold, those codes, and how many rows hold each."""
    known, counts = np.unique(codes, return_counts=True)
    columns = np.searchsorted(known, codes)
    data = weights * np.log((PRIOR_ROWS + n) / (1.0 + counts)).astype(np.float32)[columns]
    rows = np.repeat(np.arange(n), np.diff(indptr))
    norms = np.sqrt(np.bincount(rows, data * data, minlength=n))
    data /= np.maximum(norms, 1e-9).astype(np.float32)[rows]
    matrix = csr_matrix((data, columns.astype(np.int32), indptr), shape=(n, max(1, len(known))))
    shared = counts > 1
    return _columns(matrix, np.append(shared, []) if len(known) else np.zeros(1, bool)), known[shared], counts[shared]


def _columns(matrix: csr_matrix, kept: npt.NDArray[np.bool_]) -> csr_matrix:
    """The kept columns; much faster than fancy indexing of a large csr_matrix."""
    kept = kept.astype(bool)
    held = kept[matrix.indices]
    before = np.concatenate([[0], np.cumsum(held)])
    renumbered = (np.cumsum(kept) - 1).astype(np.int32)
    result = csr_matrix(
        (matrix.data[held], renumbered[matrix.indices[held]], before[matrix.indptr]),
        shape=(matrix.shape[0], max(1, int(kept.sum()))),
    )
    result.sort_indices()
    return result


def _manner(indptr: Rows, codes: Rows, writers: Rows, prolific: Rows) -> npt.NDArray[np.float32]:
    """Weight of each entry: STOCK_WEIGHT for a prolific writer's stock words, else 1."""
    weights = np.ones(len(codes), dtype=np.float32)
    if not len(prolific):
        return weights
    rows = pd.Series(np.arange(len(writers))).groupby(writers).indices
    for writer in prolific.tolist():
        own = rows[writer]
        entries = np.concatenate([np.arange(indptr[row], indptr[row + 1]) for row in own])
        _, places, counts = np.unique(codes[entries], return_inverse=True, return_counts=True)
        weights[entries[(counts >= STOCK_SHARE * len(own))[places]]] = STOCK_WEIGHT
    return weights


def _near_in_time(views: Views, settings: ClusterSettings) -> Rows:
    """Rows that share a heavy word of middling frequency, each with the next ones in time that hold it.

    Without this a matter with more reports than `common_rows` would lose the very word that names it.
    """
    middling = (views.frequency > settings.common_rows) & (views.frequency <= settings.common_rows * 20)
    held = _columns(views.words, middling).tocsc()
    held.sort_indices()
    columns = np.repeat(np.arange(held.shape[1]), np.diff(held.indptr))
    heavy = held.data >= settings.heavy_weight
    rows, columns = held.indices[heavy].astype(np.int64), columns[heavy]
    found = [np.zeros((0, 2), dtype=np.int64)]
    for lag in (1, 2, 3):
        same = columns[lag:] == columns[:-lag]
        found.append(np.column_stack([rows[:-lag][same], rows[lag:][same]]))
    return np.concatenate(found)
