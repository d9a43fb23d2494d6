"""Pairs -> issues that hold together. Rows are the views' rows, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.cluster.candidates import candidate_pairs
from pipeline.cluster.duplicates import Places, Rows, places_differ
from pipeline.cluster.holds import Holds
from pipeline.cluster.scorer import PairScorer
from pipeline.cluster.views import Flags, Floats, Views
from pipeline.settings import ClusterSettings

TIGHTER = (0.8, 0.9, 0.95, 0.98, 0.99)  # thresholds tried in turn on a component that is too large
_APART = 1e9  # distance of two places: no mean over groups that hold it comes under the cut


@dataclass(frozen=True)
class Issues:
    """The groups and their strongest links.

    Attributes
    ----------
    earliest : the first row of each row's issue
    linked_to : the row of the same issue with the most probable link, -1 in an issue of one
    probability : of that link, 0 to 1
    components : number of each row's component, before it was split
    tightened : components larger than `largest_component`, whose threshold was raised
    """

    earliest: Rows
    linked_to: Rows
    probability: Floats
    components: Rows
    tightened: int


def find_issues(views: Views, *, scorer: PairScorer, settings: ClusterSettings, holds: Holds | None = None) -> Issues:
    """Join probable pairs, then split what only hangs together by single links; see `group_submissions`.

    Parameters
    ----------
    views : what pairs are scored on
    scorer : gives their probabilities
    settings : thresholds and bounds
    holds : a register's word about the same rows
    """
    n = views.words.shape[0]
    pairs = candidate_pairs(views, settings=settings)
    probability = scorer.probabilities(views, pairs, pairs_at_once=settings.pairs_at_once)
    labels, tightened = _components(n, *_with_held(pairs, probability, holds, settings), settings)
    groups = labels.copy()
    following = int(labels.max(initial=0)) + 1
    strongest = _Strongest(n)
    # Two rows that only the register links, or that a clerk parted, are weighed too.
    least = 3 if holds is None else 2
    for members, inside, weights in _inner_pairs(views, labels, scorer, settings, least):
        apart = places_differ(views.places[inside[:, 0]], views.places[inside[:, 1]])
        tied = np.zeros(len(inside), dtype=bool)
        if holds is not None:
            tied, apart = _held(holds, members, inside, apart)
        parts = _linked_parts(len(members), weights, apart, tied, settings.cohesion)
        groups[members] = following + parts
        following += int(parts.max()) + 1
        strongest.add(inside, weights, groups)
    for members in _oversized(labels, settings):
        parts = _one_place_each(members, views.places, holds)
        groups[members] = following + parts
        following += int(parts.max()) + 1
    strongest.add(pairs, probability, groups)
    _, starts, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return Issues(starts[inverse], strongest.linked_to, strongest.probability, labels, tightened)


class _Strongest:
    """The most probable link of each row inside its issue, kept while pairs come in parts."""

    def __init__(self, n: int) -> None:
        self.linked_to = np.full(n, -1)
        self.probability = np.zeros(n)

    def add(self, pairs: Rows, probability: Floats, groups: Rows) -> None:
        same = (groups[pairs[:, 0]] == groups[pairs[:, 1]]) & (probability > 0)
        both = np.concatenate([pairs[same], pairs[same][:, ::-1]])
        value = np.concatenate([probability[same], probability[same]])
        # Weakest first, so that the strongest is written last; of equals, the earlier row wins.
        order = np.lexsort((-both[:, 1], value))
        rows, to, value = both[order, 0], both[order, 1], value[order]
        better = value > self.probability[rows]
        self.linked_to[rows[better]] = to[better]
        self.probability[rows[better]] = value[better]


def _with_held(pairs: Rows, probability: Floats, holds: Holds | None, settings: ClusterSettings) -> tuple[Rows, Floats]:
    """The pairs and those that the register holds in one component, each with its strength."""
    if holds is None:
        return pairs, probability
    ties = holds.ties()
    # What was linked before gives way where a component grows too large; what a clerk tied never does.
    strength = [probability, np.full(len(holds.linked), settings.issue_probability), np.full(len(ties), np.inf)]
    return np.concatenate([pairs, holds.linked, ties]), np.concatenate(strength)


def _components(n: int, pairs: Rows, probability: Floats, settings: ClusterSettings) -> tuple[Rows, int]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    def joined(kept: npt.NDArray[np.bool_]) -> Rows:
        graph = coo_matrix((np.ones(int(kept.sum())), (pairs[kept, 0], pairs[kept, 1])), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)

    kept = probability >= settings.issue_probability
    labels, tightened = joined(kept), 0
    for threshold in TIGHTER:
        large = np.bincount(labels, minlength=n) > settings.largest_component
        if not large.any():
            break
        tightened = tightened or int(large.sum())
        kept &= ~large[labels[pairs[:, 0]]] | (probability >= threshold)
        labels = joined(kept)
    return labels, tightened


def _sorted_components(labels: Rows, least: int) -> Iterator[Rows]:
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    ends = np.cumsum(counts)
    for label in np.flatnonzero(counts >= least).tolist():
        yield order[ends[label] - counts[label] : ends[label]]


def _oversized(labels: Rows, settings: ClusterSettings) -> Iterator[Rows]:
    return (members for members in _sorted_components(labels, 3) if len(members) > settings.largest_component)


def _inner_pairs(
    views: Views, labels: Rows, scorer: PairScorer, settings: ClusterSettings, least: int
) -> Iterator[tuple[Rows, Rows, Floats]]:
    """Each component of `least` rows or more with all its pairs, in the order of scipy's condensed distances, and their
    probabilities.

    Components are scored together, some `pairs_at_once` pairs at a time, because one by one costs more than the pairs.
    """
    waiting: list[tuple[Rows, Rows]] = []
    count = 0

    def scored() -> Iterator[tuple[Rows, Rows, Floats]]:
        if not waiting:
            return
        every = np.concatenate([inside for _, inside in waiting])
        probability = scorer.probabilities(views, every, pairs_at_once=settings.pairs_at_once)
        start = 0
        for members, inside in waiting:
            yield members, inside, probability[start : start + len(inside)]
            start += len(inside)

    for members in _sorted_components(labels, least):
        if len(members) > settings.largest_component:
            continue
        left, right = np.triu_indices(len(members), 1)
        waiting.append((members, np.column_stack([members[left], members[right]])))
        count += len(left)
        if count >= settings.pairs_at_once:
            yield from scored()
            waiting, count = [], 0
    yield from scored()


def _held(holds: Holds, members: Rows, inside: Rows, apart: Flags) -> tuple[Flags, Flags]:
    """Which pairs of a component are tied and which are apart, once ties are heeded.

    Rows of one tie are one as to places: two of them are never apart, and another row is apart from them only where
    its place differs from that of every one, or where a clerk parted it from any.
    """
    parted = holds.parted(inside[:, 0], inside[:, 1])
    if not holds.tied[members].any():
        return np.zeros(len(inside), dtype=bool), apart | parted
    left, right = np.triu_indices(len(members), 1)
    # Rows without a tie are ties of one.
    ties = np.where(holds.tied[members] > 0, holds.tied[members], -1 - members)
    ties = np.unique(ties, return_inverse=True)[1]
    keys = np.minimum(ties[left], ties[right]) * len(members) + np.maximum(ties[left], ties[right])
    between = np.unique(keys, return_inverse=True)[1]
    everywhere = np.bincount(between, apart) == np.bincount(between)
    anywhere = np.bincount(between, parted) > 0
    tied = ties[left] == ties[right]
    return tied, (everywhere | anywhere)[between] & ~tied


def _linked_parts(n: int, probability: Floats, apart: Flags, tied: Flags, cohesion: float) -> Rows:
    """Parts (0, 1, ...) of one component by average linkage, cut where the mean probability falls under `cohesion`."""
    if not apart.any() and (tied | (probability >= cohesion)).all():
        return np.zeros(n, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    # One more than the distance, so that ties alone are at 0 and are joined before anything else.
    tree = linkage(np.where(tied, 0.0, np.where(apart, _APART, 2.0 - probability)), "average")
    return np.asarray(fcluster(tree, 2.0 - cohesion, "distance"), dtype=np.int64) - 1


def _one_place_each(members: Rows, places: Places, holds: Holds | None) -> Rows:
    """Parts of a component too dense to weigh: each row joins the first part that its place fits.

    Rows of one tie go together, where the place of any of them fits and no clerk's word speaks against it.
    """
    tied = np.zeros(len(members), dtype=np.int64) if holds is None else holds.tied[members]
    known: list[Places] = []
    parts = np.full(len(members), -1, dtype=np.int64)
    for row in range(len(members)):
        if parts[row] >= 0:
            continue
        own = np.flatnonzero(tied == tied[row]) if tied[row] else np.array([row])
        there = places[members[own]]
        fits = (
            part
            for part, place in enumerate(known)
            if not places_differ(place, there).all()
            and (holds is None or not holds.parted(members[parts == part][:, None], members[own]).any())
        )
        part = next(fits, len(known))
        if part == len(known):
            known.append(np.zeros_like(there[0]))
        for place in there:
            known[part] = np.where(known[part] != 0, known[part], place)
        parts[own] = part
    return parts
