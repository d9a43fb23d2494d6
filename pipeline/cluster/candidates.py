"""Which pairs of rows are worth a score: those that share rare words, or a place at about the same time."""

from __future__ import annotations

import numpy as np

from pipeline.cluster.duplicates import Rows, sorted_set
from pipeline.cluster.views import Views, columns_of
from pipeline.settings import ClusterSettings

TOWNSHIP, SPOT = 1, 2  # columns of the places
_ROWS_AT_ONCE = 50_000  # bounds memory, never changes a result
_LAGS = (1, 2, 3)  # rows in time that a row is paired with where too many share a word or a place


def candidate_pairs(views: Views, *, settings: ClusterSettings) -> Rows:
    """Pairs (smaller, larger), shape (k, 2), each once, in order.

    Words in more than `common_rows` rows find no pairs by themselves (they still count in the score), so the cost of a
    row is bounded; of each row the `neighbours` nearest are kept. Words of a middling frequency, named spots, and
    townships with one topic link each row to the next few in time only.
    """
    from sparse_dot_topn import sp_matmul_topn

    rare = columns_of(views.words, views.frequency <= settings.common_rows)
    across = rare.T.tocsr()
    found = []
    for start in range(0, rare.shape[0], _ROWS_AT_ONCE):
        near = sp_matmul_topn(
            rare[start : start + _ROWS_AT_ONCE],
            across,
            top_n=settings.neighbours + 1,
            threshold=settings.least_rare_cosine,
            n_threads=2,
        ).tocoo()
        found.append(np.column_stack([near.row.astype(np.int64) + start, near.col]))
    n = rare.shape[0]
    rows = np.arange(n)
    townships = views.places[:, TOWNSHIP].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ views.topics.astype(
        np.uint64
    )
    found += [
        _near_in_time(*_middling_words(views, settings)),
        _near_in_time(rows, views.places[:, SPOT], known=views.places[:, SPOT] != 0),
        _near_in_time(rows, townships, known=(views.places[:, TOWNSHIP] != 0) & (views.topics != 0)),
    ]
    pairs = np.concatenate(found)
    pairs = np.column_stack([pairs.min(axis=1), pairs.max(axis=1)])[pairs[:, 0] != pairs[:, 1]]
    keys = sorted_set(pairs[:, 0] * n + pairs[:, 1])
    return np.column_stack(np.divmod(keys, max(1, n)))


def _middling_words(views: Views, settings: ClusterSettings) -> tuple[Rows, Rows]:
    """Rows and columns of heavy words of middling frequency.

    Without them a matter with more reports than `common_rows` would lose the very word that names it.
    """
    middling = (views.frequency > settings.common_rows) & (views.frequency <= settings.common_rows * 20)
    if not len(middling):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    held = middling[views.words.indices] & (views.words.data >= settings.heavy_weight)
    rows = np.repeat(np.arange(views.words.shape[0]), np.diff(views.words.indptr))
    return rows[held], views.words.indices[held].astype(np.int64)


def _near_in_time(rows: Rows, keys: np.ndarray, known: np.ndarray | None = None) -> Rows:
    """Pairs of rows with the same key, each with the next ones in time."""
    if known is not None:
        rows, keys = rows[known], keys[known]
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    found = [np.zeros((0, 2), dtype=np.int64)]
    for lag in _LAGS:
        same = keys[lag:] == keys[:-lag]
        found.append(np.column_stack([rows[:-lag][same], rows[lag:][same]]))
    return np.concatenate(found)
