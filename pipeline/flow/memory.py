"""What rows are compared with, opened from the bundle, the directory and the returned matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy import sparse

from pipeline.bundle import Bundle
from pipeline.parts import write_part
from pipeline.recall import Clauses, Index, Past, Returned, open_returned
from pipeline.runs import digest
from pipeline.schema import RETURNED, SUBMISSIONS, empty_table, typed
from pipeline.segment import Segmenter, segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Tools
from pipeline.vectorize import Vectorizer


def collect_returns(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Table RETURNED of all in `tables`, each text once, under its first id, with all who sent it back."""
    matters: dict[tuple[str, str], tuple[str, dict[str, None]]] = {}
    for table in tables:
        for name, title, text, bodies in table[RETURNED.names].itertuples(index=False):
            matters.setdefault((title, text), (name, {}))[1].update(dict.fromkeys(bodies))
    rows = [(name, title, text, list(senders)) for (title, text), (name, senders) in matters.items()]
    return typed(pd.DataFrame(rows, columns=RETURNED.names), RETURNED)


def keep_beside(folder: Path, returned: pd.DataFrame) -> Path | None:
    """Leave returned matters in a folder that all workers reach; None where there are none.

    Thousands of texts would else travel to a worker with every batch. The name tells the content, so that what a
    worker has opened is of these matters.
    """
    if returned.empty:
        return None
    path = folder / f"returned-{digest(returned.to_dict('records'))[:16]}.parquet"
    write_part(returned, path)
    return path


@dataclass(frozen=True)
class Memory:
    """What rows are compared with: past matters, duty clauses and returned matters; None where there is nothing."""

    past: Past | None
    meanings: Index | None
    returned: Returned | None


def open_memory(tools: Tools, bundle: Bundle, returned: pd.DataFrame | None, settings: Settings) -> Memory:
    """Compare clauses, and returned matters (table RETURNED), with what the bundle knows of the past."""
    clauses = open_clauses(tools, bundle.vectorizer)
    meanings = clauses.open(bundle.past, settings.recall) if clauses is not None else None
    known = None
    if returned is not None and len(returned):
        letters = [f"{title}\n{text}" for title, text in zip(returned["title"], returned["text"], strict=True)]
        vectors = _vectors(letters, tools.segmenter, bundle.vectorizer)
        ids, bodies = returned["submission_id"].tolist(), returned["returned_by"].tolist()
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
