"""The office's own history: the labelled matters that a training saw, who handled each, and who helped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.recall.nearest import Index, heaviest
from pipeline.settings import RecallSettings

Names = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Past:
    """Matters with their lead, ready to be asked for those like a new one.

    Attributes
    ----------
    vectors : csr of float32, shape (n_past, n_features); the heaviest features of each matter's vector of unit length
    ids : submission_ids
    leads : label of each: the department, or the kind of department
    partners : co-handling kinds of each, parted by ``;``
    cited : bool, whether a reason may name the matter: made-up examples are never named
    common : a feature that more of them have finds none
    """

    vectors: sparse.csr_matrix
    ids: Names
    leads: Names
    partners: Names
    cited: NDArray[np.bool_]
    common: int

    @cached_property
    def index(self) -> Index:
        """Finds matters by their features."""
        return Index.of(self.vectors, common=self.common)

    @cached_property
    def told(self) -> dict[str, NDArray[np.object_]]:
        """What a recalled matter says, by column of RECALLED. Objects: an array of text makes each anew when read."""
        ids = np.where(self.cited, self.ids, "")
        columns = {"past_ids": ids, "past_leads": self.leads, "past_partners": self.partners}
        return {name: values.astype(object) for name, values in columns.items()}

    def without(self, chosen: NDArray[np.bool_]) -> Past:
        """The same history without some matters, for rows of a fold that must not meet their like."""
        kept = ~chosen
        return Past(
            self.vectors[kept], self.ids[kept], self.leads[kept], self.partners[kept], self.cited[kept], self.common
        )

    def to_parts(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it up."""
        return {
            "data": self.vectors.data.astype(np.float16),
            "indices": self.vectors.indices.astype(np.int32),
            "indptr": self.vectors.indptr.astype(np.int64),
            "features": np.array(self.vectors.shape[1]),
            "ids": self.ids,
            "leads": self.leads,
            "partners": self.partners,
            "cited": self.cited,
            "common": np.array(self.common),
        }

    @classmethod
    def from_parts(cls, parts: dict[str, NDArray[Any]]) -> Self:
        """The inverse of `to_parts`."""
        entries = (parts["data"].astype(np.float32), parts["indices"], parts["indptr"])
        vectors = sparse.csr_matrix(entries, shape=(len(parts["ids"]), int(parts["features"])))
        ids, leads, partners, cited = (parts[name] for name in ("ids", "leads", "partners", "cited"))
        return cls(vectors, ids, leads, partners, cited, int(parts["common"]))


def fit_past(vectors: sparse.csr_matrix, labelled: pd.DataFrame, *, target: str, settings: RecallSettings) -> Past:
    """Keep the labelled matters, the newest where there are too many.

    Parameters
    ----------
    vectors : of unit length, a row for each of `labelled`
    labelled : table LABELLED
    target : department or kind: whose labels are kept; with topic there is no history of leads and nothing is kept
    """
    leads = _leads(labelled, target)
    # Rows that are only learned from are no matters that anybody handled.
    kept = np.flatnonzero((leads != "") & ~labelled["learn_only"].to_numpy(dtype=bool))
    # Rows without a date are the least of integers, so the oldest; of equals the later row is the newer.
    times = labelled["submitted_at"].to_numpy(dtype="datetime64[us]").astype(np.int64)[kept]
    kept = np.sort(kept[np.argsort(times, kind="stable")][-settings.past_rows :])
    short = heaviest(vectors[kept], settings.past_features)
    # As the bundle keeps it, so that saving changes no answer.
    short.data = short.data.astype(np.float16).astype(np.float32)
    rows = labelled.iloc[kept]
    return Past(
        short,
        rows["submission_id"].to_numpy(dtype=np.str_),
        leads[kept],
        np.array([";".join(names) for names in rows["co_kinds"]], dtype=np.str_),
        ~rows["example"].to_numpy(dtype=bool),
        settings.common_rows,
    )


def _leads(labelled: pd.DataFrame, target: str) -> Names:
    if target == "department":
        return labelled["department"].to_numpy(dtype=np.str_)
    if target == "kind":
        return np.array([kinds[0] if len(kinds) else "" for kinds in labelled["department_kind"]], dtype=np.str_)
    return np.full(len(labelled), "", dtype=np.str_)
