"""The evidence: for each submission of an issue its strongest link and the words that both rows share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.duplicates import Duplicates, Rows
from pipeline.cluster.issues import Issues
from pipeline.cluster.views import Views, unpacked
from pipeline.cluster.words import content_codes
from pipeline.schema import LINKS, typed

SHARED_WORDS = 8
_CODE = 2**28 - 1  # a word in a packed number
_LINKS_AT_ONCE = 30_000  # bounds memory, never changes a result


def make_links(
    ranked: pd.DataFrame,
    duplicates: Duplicates,
    originals: Rows,
    earliest: Rows,
    issues: Issues,
    views: Views,
    words: Callable[[Rows], list[list[str]]],
) -> pd.DataFrame:
    """Table LINKS, one row for each row of an issue of two or more; the index is the row number in `ranked`.

    A repetition links to what it repeats (probability is the similarity of the wordings); any other row to the most
    probable row of its issue; a row that only its repetitions keep company to the most similar of them.
    """
    n = len(ranked)
    to, probability = duplicates.of.copy(), duplicates.similarity.copy()
    kind = np.where(duplicates.exact, "exact", "edited").astype(object)
    linked = issues.linked_to >= 0
    to[originals[linked]] = originals[issues.linked_to[linked]]
    probability[originals[linked]] = issues.probability[linked]
    kind[originals[linked]] = "same issue"
    # Least similar first, latest first: the last written is the most similar and of those the earliest.
    repeats = np.flatnonzero(duplicates.of >= 0)
    repeats = repeats[np.lexsort((-repeats, duplicates.similarity[repeats]))]
    lonely = repeats[(to[duplicates.of[repeats]] < 0) | (kind[duplicates.of[repeats]] != "same issue")]
    lonely = lonely[duplicates.of[duplicates.of[lonely]] < 0]
    heads = duplicates.of[lonely]
    to[heads], probability[heads], kind[heads] = lonely, duplicates.similarity[lonely], kind[lonely]
    rows = np.flatnonzero((np.bincount(earliest, minlength=n)[earliest] > 1) & (to >= 0))
    ids = ranked["submission_id"].to_numpy(dtype=object)
    links = pd.DataFrame(
        {
            "submission_id": ids[rows],
            "linked_to": ids[to[rows]],
            "kind": kind[rows],
            "probability": probability[rows],
            "shared_words": _shared_words(ranked["words"].to_numpy(), rows, to[rows], views, words),
        },
        index=rows,
    )
    return typed(links, LINKS)


def _shared_words(
    packed: npt.NDArray[np.object_], rows: Rows, to: Rows, views: Views, words: Callable[[Rows], list[list[str]]]
) -> pd.Series:
    """Up to SHARED_WORDS words that both rows hold, the rarest of the run first."""
    links, codes = _rarest_shared(packed, rows, to, views)
    needed, first, place = np.unique(codes, return_index=True, return_inverse=True)
    # One row for each word is enough to read it; most rows need not be segmented again.
    asked = np.unique(rows[links[first]])
    spelled = _spelled(needed, words(asked) if len(asked) else [])[place]
    readable = np.flatnonzero(spelled != "")
    shown = spelled[readable].tolist()
    bounds = np.searchsorted(links[readable], np.arange(len(rows) + 1))
    shared = [shown[start:end] for start, end in pairwise(bounds.tolist())]
    return pd.Series(shared, index=rows, dtype="object")


def _spelled(codes: Rows, rows: list[list[str]]) -> npt.NDArray[np.object_]:
    """The word of each code, which come ascending; "" where no row has one."""
    tokens = list(set(chain.from_iterable(rows)))
    of, known, _ = content_codes([[token] for token in tokens])
    spelled = np.full(len(codes), "", dtype=object)
    wanted = np.isin(known, codes)
    found = sorted(
        ((tokens[token], code) for token, code in zip(of[wanted].tolist(), known[wanted].tolist(), strict=True)),
        reverse=True,
    )
    # Sorted, because which of two words of one code is shown must not depend on the process.
    spelled[np.searchsorted(codes, [code for _, code in found])] = [token for token, _ in found]
    return spelled


def _rarest_shared(packed: npt.NDArray[np.object_], rows: Rows, to: Rows, views: Views) -> tuple[Rows, Rows]:
    """Link numbers and word codes, by link and then from the rarest word on."""
    found_links, found_codes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(rows), _LINKS_AT_ONCE):
        keys = []
        for side in (rows, to):
            offsets, numbers = unpacked(packed[side[start : start + _LINKS_AT_ONCE]])
            keys.append(
                np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) << 28 | (numbers >> 4).astype(np.int64)
            )
        # A row holds a word once, so a key that comes twice is on both sides.
        both = np.sort(np.concatenate(keys))
        both = both[:-1][both[1:] == both[:-1]]
        # By link (below 2**15), then by frequency (20 bits), then by code: one array of numbers sorts fastest.
        frequency = np.minimum(_frequency(both & _CODE, views), 2**20 - 1)
        ranked = both >> 28 << 48 | frequency << 28 | both & _CODE
        ranked.sort()
        links = ranked >> 48
        position = np.arange(len(links)) - np.searchsorted(links, links)
        ranked = ranked[position < SHARED_WORDS]
        found_links.append((ranked >> 48) + start)
        found_codes.append(ranked & _CODE)
    return np.concatenate(found_links), np.concatenate(found_codes)


def _frequency(codes: Rows, views: Views) -> Rows:
    """Rows of the views that hold each word; one for a word that the views leave out because one row has it."""
    if not len(views.codes):
        return np.ones(len(codes), dtype=np.int64)
    order = np.argsort(codes)  # in order, a search finds its way in the cache
    ordered = codes[order]
    place = np.searchsorted(views.codes, ordered).clip(max=len(views.codes) - 1)
    frequency = np.empty(len(codes), dtype=np.int64)
    frequency[order] = np.where(views.codes[place] == ordered, views.frequency[place], 1)
    return frequency
