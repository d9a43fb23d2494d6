"""The stage: for each row the past matters, the duty clauses and the returned matters that are like it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.recall.nearest import Found, Index
from pipeline.recall.past import Past
from pipeline.recall.returned import Returned
from pipeline.schema import RECALLED, SUBMISSIONS, check_table, typed
from pipeline.settings import RecallSettings


def recall_matters(
    submissions: pd.DataFrame,
    vectors: sparse.csr_matrix,
    *,
    past: Past | None,
    meanings: Index | None,
    returned: Returned | None,
    settings: RecallSettings,
) -> pd.DataFrame:
    """What each row is like.

    Parameters
    ----------
    submissions : table SUBMISSIONS
    vectors : of the same rows, of unit length
    past : None where no lead was learned
    meanings : the duty clauses by what they mean; None without a directory
    returned : None where nothing was sent back

    Returns
    -------
    table RECALLED, same rows and order; likeness is a cosine, 0 to 1, most like first. A row that was learned from
    recalls itself, and so who handled it, but never by its id: it is not another matter that is like it.

    Raises
    ------
    TableError : a column is missing
    """
    check_table(submissions, SUBMISSIONS, where="recall_matters")
    rows = len(submissions)
    columns: dict[str, list[Any]] = {}
    if past is not None:
        found = past.index.nearest(vectors, settings.like_matters)
        told = {name: values[found.other] for name, values in past.told.items()}
        own = told["past_ids"] == submissions["submission_id"].to_numpy(dtype=object)[found.row]
        told["past_ids"] = np.where(own, "", told["past_ids"])
        columns |= {name: _cut(found, rows, values) for name, values in told.items()}
        columns["past_likeness"] = _cut(found, rows, found.cosine)
    if meanings is not None:
        found = meanings.nearest(vectors, settings.like_clauses)
        columns["clauses"], columns["clause_likeness"] = _cut(found, rows, found.other), _cut(found, rows, found.cosine)
    if returned is not None:
        found = returned.index.nearest(vectors, settings.like_matters)
        found = found.only(found.cosine >= settings.returned_likeness)
        # An array of tuples would become a table.
        bodies = np.empty(len(returned.bodies), dtype=object)
        bodies[:] = returned.bodies
        ids = np.array(returned.ids, dtype=object)
        columns["returned_ids"] = _cut(found, rows, ids[found.other])
        columns["returned_bodies"] = _cut(found, rows, bodies[found.other])
        columns["returned_likeness"] = _cut(found, rows, found.cosine)
    table = pd.DataFrame({"submission_id": submissions["submission_id"]}, index=submissions.index)
    for name in RECALLED.names[1:]:
        values = columns.get(name) or [[] for _ in range(rows)]
        table[name] = pd.Series(values, index=submissions.index, dtype="object")
    return typed(table, RECALLED)


def _cut(found: Found, rows: int, values: np.ndarray) -> list[list[Any]]:
    """One list for each row. Slices of a list: those of an array cost ten times as much."""
    borders = np.searchsorted(found.row, np.arange(rows + 1)).tolist()
    whole = values.tolist()
    return [whole[start:stop] for start, stop in zip(borders[:-1], borders[1:], strict=True)]
