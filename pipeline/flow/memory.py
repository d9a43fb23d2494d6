"""What rows are compared with, opened from the bundle, the directory and the returned matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy import sparse

from pipeline.bundle import Bundle
from pipeline.recall import Clauses, Index, Past, Returned, open_returned
from pipeline.schema import RETURNED, SUBMISSIONS, empty_table
from pipeline.segment import Segmenter, segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Tools
from pipeline.vectorize import Vectorizer


@dataclass(frozen=True)
class ReturnedMatter:
    """A submission that bodies sent back, with their names."""

    submission_id: str
    title: str
    text: str
    bodies: tuple[str, ...]


def collect_returns(tables: Sequence[pd.DataFrame]) -> tuple[ReturnedMatter, ...]:
    """The matters of tables RETURNED, each text once with all who sent it back."""
    matters: dict[tuple[str, str], ReturnedMatter] = {}
    for table in tables:
        for name, title, text, bodies in table[RETURNED.names].itertuples(index=False):
            known = matters.get((title, text), ReturnedMatter(name, title, text, ()))
            senders = tuple(dict.fromkeys((*known.bodies, *bodies)))
            matters[title, text] = ReturnedMatter(known.submission_id, title, text, senders)
    return tuple(matters.values())


@dataclass(frozen=True)
class Memory:
    """What rows are compared with: past matters, duty clauses and returned matters; None where there is nothing."""

    past: Past | None
    meanings: Index | None
    returned: Returned | None


def open_memory(tools: Tools, bundle: Bundle, returned: Sequence[ReturnedMatter], settings: Settings) -> Memory:
    """Compare clauses and returned matters with what the bundle knows of the past."""
    clauses = open_clauses(tools, bundle.vectorizer)
    meanings = clauses.open(bundle.past, settings.recall) if clauses is not None else None
    known = None
    if returned:
        vectors = _vectors(
            [f"{matter.title}\n{matter.text}" for matter in returned], tools.segmenter, bundle.vectorizer
        )
        ids, bodies = [matter.submission_id for matter in returned], [matter.bodies for matter in returned]
        known = open_returned(vectors, ids, bodies, settings=settings.recall)
    return Memory(bundle.past, meanings, known)


def open_clauses(tools: Tools, vectorizer: Vectorizer) -> Clauses | None:
    """The duty clauses with their words as vectors; None where there are none."""
    directory = tools.directory
    if directory is None or not directory.duties:
        return None
    texts = [f"{duty.clause}\n{'，'.join(duty.words)}" for duty in directory.duties]
    kinds = [duty.lead_kind for duty in directory.duties]
    return Clauses(_vectors(texts, tools.segmenter, vectorizer), kinds, directory.kind_of)


def _vectors(texts: Sequence[str], segmenter: Segmenter, vectorizer: Vectorizer) -> sparse.csr_matrix:
    rows = empty_table(SUBMISSIONS).reindex(range(len(texts)))
    rows = rows.assign(submission_id="", title="", text=pd.Series(texts, dtype="str"))
    return vectorizer.transform(segment_submissions(rows, segmenter=segmenter))
