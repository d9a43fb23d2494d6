"""Labelled rows -> the past matters that a bundle keeps, and each row as it looks to a past that it is not part of.

The folds are those of learning.py: what a row is compared with has no text and no issue in common with it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.recall import Clauses, Past, fit_past, recall_matters
from pipeline.settings import RecallSettings


def learn_past(
    rows: pd.DataFrame,
    labelled: pd.DataFrame,
    vectors: sparse.csr_matrix,
    folds: NDArray[np.int64],
    *,
    target: str,
    clauses: Clauses | None,
    settings: RecallSettings,
) -> tuple[Past, pd.DataFrame]:
    """The past matters, and table RECALLED of the scored rows.

    Parameters
    ----------
    rows : scored rows of `labelled`, with its index
    labelled : table LABELLED
    vectors, folds : of the rows of `labelled`, in its order
    target : department, kind or topic: whose labels are leads
    clauses : None without a directory
    """
    past = fit_past(vectors, labelled, target=target, settings=settings)
    place = pd.Series(np.arange(len(labelled)), index=labelled.index)
    fold_of = dict(zip(labelled["submission_id"], folds.tolist(), strict=True))
    past_folds = np.array([fold_of[name] for name in past.ids.tolist()], dtype=np.int64)
    chosen = place[rows.index].to_numpy()
    found: list[pd.DataFrame] = []
    for fold in np.unique(folds[chosen]):
        unseen = chosen[folds[chosen] == fold]
        others = past.without(past_folds == fold)
        meanings = clauses.open(others, settings) if clauses is not None else None
        table, own = labelled.iloc[unseen], vectors[unseen]
        found.append(recall_matters(table, own, past=others, meanings=meanings, returned=None, settings=settings))
    return past, pd.concat(found).loc[rows.index]
