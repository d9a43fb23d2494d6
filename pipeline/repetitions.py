"""Where chains of repetitions end: which rows of a table have one wording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Rows = npt.NDArray[np.int64]


def wordings_of(rows: pd.DataFrame) -> tuple[Rows, npt.NDArray[np.object_]]:
    """Follow `duplicate_of` to its end: rows that lead to one row have its wording.

    Parameters
    ----------
    rows : submission_id (unique) and duplicate_of (an id, perhaps of a row that is not here, or null)

    Returns
    -------
    of each row the first row of its wording here, and of each such row the id that its chain ends in
    """
    ids = rows["submission_id"].to_numpy(dtype=object)
    end = np.arange(len(ids))
    repeats = np.flatnonzero(rows["duplicate_of"].notna())
    of = rows["duplicate_of"].to_numpy(dtype=object)[repeats]
    before = pd.Index(ids).get_indexer(pd.Index(of)) if len(repeats) else repeats
    end[repeats] = np.where(before >= 0, before, repeats)
    # Each pass doubles the steps taken, so these suffice for any chain, and a circle does not hang.
    for _ in range(len(ids).bit_length()):
        end = end[end]
    # Rows that repeat the same one that is not here have one wording.
    outside, elsewhere = repeats[before < 0], of[before < 0]
    joined, first = np.arange(len(ids)), ids.copy()
    _, one, number = np.unique(elsewhere, return_index=True, return_inverse=True)
    joined[outside] = outside[one][number]
    first[outside] = elsewhere
    return joined[end], first
