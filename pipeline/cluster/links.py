"""The evidence: for each submission of an issue its strongest link and the words that both rows share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.duplicates import Duplicates, Rows
from pipeline.cluster.issues import Issues
from pipeline.cluster.views import Views, unpacked
from pipeline.cluster.words import word_code
from pipeline.schema import LINKS, typed

SHARED_WORDS = 8
_LINKS_AT_ONCE = 50_000  # bounds memory, never changes a result


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
    needed, first = np.unique(codes, return_index=True)
    # One row for each word is enough to read it; most rows need not be segmented again.
    asked = np.unique(rows[links[first]])
    wanted = set(needed.tolist())
    tokens = set(chain.from_iterable(words(asked))) if len(asked) else set()
    # Sorted, because which of two words of one code is shown must not depend on the process.
    spelled = {number: token for token in sorted(tokens, reverse=True) if (number := word_code(token)) in wanted}
    shared: list[list[str]] = [[] for _ in rows]
    for link, number in zip(links.tolist(), codes.tolist(), strict=True):
        if number in spelled:
            shared[link].append(spelled[number])
    return pd.Series(shared, index=rows, dtype="object")


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
        links, codes = both >> 28, both & (2**28 - 1)
        place = np.searchsorted(views.codes, codes).clip(max=max(0, len(views.codes) - 1))
        known = views.codes[place] == codes if len(views.codes) else np.zeros(len(codes), dtype=bool)
        frequency = (
            np.where(known, views.frequency[place], 1) if len(views.codes) else np.ones(len(codes), dtype=np.int64)
        )
        order = np.lexsort((codes, frequency, links))
        links, codes = links[order], codes[order]
        position = np.arange(len(links)) - np.searchsorted(links, links)
        found_links.append(links[position < SHARED_WORDS] + start)
        found_codes.append(codes[position < SHARED_WORDS])
    return np.concatenate(found_links), np.concatenate(found_codes)
