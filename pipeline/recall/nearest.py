"""Sparse rows: their heaviest parts, and the most like rows of a fixed set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LEAST = 0.02  # cosine; below it two rows share one common word at most


class Found(NamedTuple):
    """Pairs of a row and what is like it: rows ascending, of each row the most like first.

    Attributes
    ----------
    row, other : int64, shape (n_pairs,)
    cosine : float64, shape (n_pairs,), 0 to 1
    """

    row: Ints
    other: Ints
    cosine: NDArray[np.float64]

    def only(self, chosen: NDArray[np.bool_]) -> Found:
        """Some of the pairs."""
        return Found(self.row[chosen], self.other[chosen], self.cosine[chosen])


@dataclass(frozen=True, eq=False)
class Index:
    """A set of rows that are looked for by their features.

    Attributes
    ----------
    by_feature : csr of shape (n_features, n_rows), float32
    """

    by_feature: sparse.csr_matrix

    @classmethod
    def of(cls, vectors: sparse.csr_matrix, *, common: int | None = None) -> Index:
        """Prepare rows; a feature that more than `common` of them have finds none, which bounds the cost."""
        kept = vectors
        if common is not None:
            frequency = np.bincount(vectors.indices, minlength=vectors.shape[1])
            kept = kept_only(vectors, frequency[vectors.indices] <= common)
        return cls(sparse.csr_matrix(kept.T, dtype=np.float32))

    def nearest(self, vectors: sparse.csr_matrix, n: int) -> Found:
        """The `n` most like rows of each of some vectors of unit length.

        Of equals the first, where they are no more than one too many; else which of them is the library's choice, the
        same for a row whatever stands beside it.
        """
        from sparse_dot_topn import sp_matmul_topn

        if not self.by_feature.nnz or not vectors.nnz:
            nothing = np.zeros(0, dtype=np.int64)
            return Found(nothing, nothing, np.zeros(0))
        pairs = sp_matmul_topn(vectors, self.by_feature, top_n=n + 1, threshold=_LEAST, n_threads=1).tocoo()
        cosine = np.round(pairs.data.astype(np.float64), 4)
        order = np.lexsort((pairs.col, -cosine, pairs.row))
        row, other, cosine = pairs.row[order].astype(np.int64), pairs.col[order].astype(np.int64), cosine[order]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        kept = place < n
        return Found(row[kept], other[kept], cosine[kept])


def heaviest(vectors: sparse.csr_matrix, n: int) -> sparse.csr_matrix:
    """The `n` largest entries of each row, of equals the first; the rest is left out and the length not mended."""
    rows = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    order = np.lexsort((vectors.indices, -vectors.data, rows))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - vectors.indptr[rows[order]]
    return kept_only(vectors, place < n)


def kept_only(vectors: sparse.csr_matrix, chosen: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Some of the entries of a matrix.

    Parameters
    ----------
    chosen : bool of shape (nnz,)
    """
    rows = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))[chosen]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=vectors.shape[0]))])
    return sparse.csr_matrix((vectors.data[chosen], vectors.indices[chosen], indptr), shape=vectors.shape)


def of_unit_length(vectors: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows divided by their lengths; a row of nothing stays one."""
    rows = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    squares = np.bincount(rows, weights=vectors.data.astype(np.float64) ** 2, minlength=vectors.shape[0])
    lengths = np.sqrt(np.where(squares > 0, squares, 1.0))
    data = (vectors.data / lengths[rows]).astype(np.float32)
    return sparse.csr_matrix((data, vectors.indices, vectors.indptr), shape=vectors.shape)
