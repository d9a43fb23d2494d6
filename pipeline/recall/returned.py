"""Matters that a body sent back: what it said it is not responsible for counts at once, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import sparse

from pipeline.recall.nearest import Index, heaviest
from pipeline.settings import RecallSettings

_COMMON = 1_000  # returned matters; a feature of more finds none, or a row would cost what was ever sent back


@dataclass(frozen=True, eq=False)
class Returned:
    """Returned matters, ready to be asked for those like a new one.

    Attributes
    ----------
    index : finds them by features
    ids : submission_id of each
    bodies : names of the bodies that sent each back
    """

    index: Index
    ids: tuple[str, ...]
    bodies: tuple[tuple[str, ...], ...]


def open_returned(
    vectors: sparse.csr_matrix, ids: Sequence[str], bodies: Sequence[Sequence[str]], *, settings: RecallSettings
) -> Returned:
    """Prepare returned matters.

    Parameters
    ----------
    vectors : of their texts, of unit length
    ids, bodies : one for each of them
    """
    index = Index.of(heaviest(vectors, settings.clause_features), common=_COMMON)
    return Returned(index, tuple(ids), tuple(tuple(names) for names in bodies))
