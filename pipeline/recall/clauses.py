"""The meaning of duty clauses: a clause is like the words it is written in and like the past matters nearest to them.

Relevance feedback after Rocchio, 1971: the clause's own vector is moved towards the matters that its department handled
and that read most like it. So 供水企业负责水压 is found by 水管像线一样细 too, which shares no word with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.recall.nearest import Floats, Index, heaviest, of_unit_length
from pipeline.recall.past import Past
from pipeline.settings import RecallSettings


@dataclass(frozen=True, eq=False)
class Clauses:
    """The duty clauses of a directory as they are written.

    Attributes
    ----------
    vectors : of the clauses with their words, shape (n_clauses, n_features), of unit length
    kinds : the kind that leads on each
    kind_of : a lead of the past -> its kind
    """

    vectors: sparse.csr_matrix
    kinds: Sequence[str]
    kind_of: Callable[[str], str]

    def open(self, past: Past, settings: RecallSettings) -> Index:
        """Finds clauses by what they mean to some past; positions as in Directory.duties.

        Without a past matter of its kind a clause means its own words alone.
        """
        moved = self.vectors
        if len(past.ids):
            moved = of_unit_length(moved + of_unit_length(self._like(past, settings)))
        return Index.of(of_unit_length(heaviest(sparse.csr_matrix(moved), settings.clause_features)))

    def _like(self, past: Past, settings: RecallSettings) -> sparse.csr_matrix:
        """Sum of the past matters of the clause's kind that are most like it, each as much as it is like it."""
        cosines: Floats = np.asarray((self.vectors @ past.vectors.T).todense(), dtype=np.float32)
        leads = np.array([self.kind_of(lead) for lead in past.leads.tolist()], dtype=np.str_)
        cosines[np.array(self.kinds, dtype=np.str_)[:, None] != leads[None, :]] = 0.0
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : settings.clause_matters]
        says = np.take_along_axis(cosines, nearest, axis=1)
        rows = np.repeat(np.arange(len(says)), says.shape[1])
        shares = sparse.csr_matrix((says.ravel(), (rows, nearest.ravel())), shape=cosines.shape)
        return sparse.csr_matrix(shares @ past.vectors)
