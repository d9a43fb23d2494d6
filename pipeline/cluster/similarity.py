"""How alike two texts are, exactly: Jaccard over the sets of their shingles, for many pairs at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.cluster.wordings import shingles, wordings

Rows = npt.NDArray[np.int64]

CACHE_ROWS = 250  # rows or pairs worked on at once: their arrays stay in the processor's cache
# Many at a time, for the texts of each piece are read from disk anew.
PAIRS_AT_ONCE = 30_000
_MOST_CELLS = 2_000_000  # numbers sorted at once
_ALIKE = 0.999  # two wordings of the same shingles in another order are alike, not the same


def text_similarity(
    pairs: Rows, texts: Callable[[Rows], list[str]], *, pairs_at_once: int = PAIRS_AT_ONCE
) -> npt.NDArray[np.float64]:
    """Jaccard over the sets of shingles of each pair.

    Parameters
    ----------
    pairs : shape (k, 2), row numbers
    texts : row numbers, ascending -> the text of each
    pairs_at_once : pairs whose texts are held at a time; bounds memory, never changes a result

    Returns
    -------
    shape (k,), in [0, 1]; 1 only for the same wording, 0 where one of two wordings is shorter than a shingle
    """
    parts = [_similarity(pairs[start : start + pairs_at_once], texts) for start in range(0, len(pairs), pairs_at_once)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _similarity(pairs: Rows, texts: Callable[[Rows], list[str]]) -> npt.NDArray[np.float64]:
    rows, places = np.unique(pairs, return_inverse=True)
    pairs = places.reshape(-1, 2)
    worded, hashes, lengths = _shingled(texts(rows))
    similarity = np.array([float(worded[left] == worded[right]) for left, right in pairs.tolist()])
    weighed = np.flatnonzero((similarity == 0.0) & (lengths[pairs] > 0).all(axis=1))
    pairs, starts = pairs[weighed], np.cumsum(lengths) - lengths
    needed, places = np.unique(pairs, return_inverse=True)
    alone = _distinct(hashes, starts[needed, None], lengths[needed, None])[places.reshape(-1, 2)]
    together = _distinct(hashes, starts[pairs], lengths[pairs])
    similarity[weighed] = np.minimum(_ALIKE, (alone.sum(axis=1) - together) / together)
    return similarity


def _shingled(texts: list[str]) -> tuple[list[str], npt.NDArray[np.uint32], Rows]:
    """The wordings, the hashes of their shingles end to end, and how many each row has."""
    worded: list[str] = []
    hashes, lengths = [], []
    for start in range(0, len(texts), CACHE_ROWS):
        some = wordings(texts[start : start + CACHE_ROWS])
        runs, offsets = shingles(some)
        worded += some
        hashes.append(runs.astype(np.uint32))
        lengths.append(np.diff(offsets))
    return worded, np.concatenate(hashes), np.concatenate(lengths)


def _distinct(numbers: npt.NDArray[np.uint32], starts: Rows, lengths: Rows) -> Rows:
    """How many distinct numbers stand in all the spans of each row together; no span is empty.

    Parameters
    ----------
    numbers : where the spans are
    starts, lengths : shape (rows, spans of a row)
    """
    found = np.zeros(len(starts), dtype=np.int64)
    total = lengths.sum(axis=1)
    order = np.argsort(total, kind="stable")  # rows of like length side by side need little padding
    first = 0
    while first < len(order):
        last = min(first + CACHE_ROWS, len(order))
        # One letter of 200,000 characters must not fill up all that stand beside it.
        while last - first > 1 and (last - first) * total[order[last - 1]] > _MOST_CELLS:
            last = first + (last - first) // 2
        some = order[first:last]
        first = last
        spans = zip(starts[some].T, lengths[some].T, strict=True)
        # A span is filled up with its last number, which adds nothing distinct.
        padded = [
            numbers[start[:, None] + np.minimum(np.arange(length.max()), length[:, None] - 1)]
            for start, length in spans
        ]
        together = np.hstack(padded)
        together.sort(axis=1)
        found[some] = 1 + np.count_nonzero(together[:, 1:] != together[:, :-1], axis=1)
    return found
