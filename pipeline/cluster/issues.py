"""Pairs -> issues that hold together. Rows are the views' rows, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.cluster.duplicates import Places, Rows, places_differ
from pipeline.cluster.pairs import Floats, Views, candidate_pairs, pair_probabilities
from pipeline.settings import ClusterSettings

TIGHTER = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)  # thresholds tried in turn on a component that is too large
_APART = 1e9  # distance of two places: no mean over groups that hold it comes under the cut


@dataclass(frozen=True)
class Issues:
    """The groups and their strongest links.

    Attributes
    ----------
    earliest : the first row of each row's issue
    linked_to : the row of the same issue with the most probable link, -1 in an issue of one
    probability : of that link, 0 to 1
    tightened : components larger than `largest_component`, whose threshold was raised
    """

    earliest: Rows
    linked_to: Rows
    probability: Floats
    tightened: int


def find_issues(views: Views, *, settings: ClusterSettings) -> Issues:
    """Join probable pairs, then split what only hangs together by single links; see `group_submissions`."""
    n = views.words.shape[0]
    pairs = candidate_pairs(views, settings=settings)
    probability = pair_probabilities(views, pairs, settings=settings)
    labels, tightened = _components(n, pairs, probability, settings)
    groups = labels.copy()
    following = int(labels.max(initial=0)) + 1
    strongest = _Strongest(n)
    for members, inside, weights in _inner_pairs(views, labels, settings):
        apart = places_differ(views.places[inside[:, 0]], views.places[inside[:, 1]])
        parts = _linked_parts(len(members), weights, apart, settings.cohesion)
        groups[members] = following + parts
        following += int(parts.max()) + 1
        strongest.add(inside, weights, groups)
    for members in _oversized(labels, settings):
        parts = _one_place_each(views.places[members])
        groups[members] = following + parts
        following += int(parts.max()) + 1
    strongest.add(pairs, probability, groups)
    _, starts, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return Issues(starts[inverse], strongest.linked_to, strongest.probability, tightened)


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


def _sorted_components(labels: Rows) -> Iterator[Rows]:
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    ends = np.cumsum(counts)
    for label in np.flatnonzero(counts > 2).tolist():
        yield order[ends[label] - counts[label] : ends[label]]


def _oversized(labels: Rows, settings: ClusterSettings) -> Iterator[Rows]:
    return (members for members in _sorted_components(labels) if len(members) > settings.largest_component)


def _inner_pairs(views: Views, labels: Rows, settings: ClusterSettings) -> Iterator[tuple[Rows, Rows, Floats]]:
    """Each component of three or more with all its pairs, in the order of scipy's condensed distances, and their
    probabilities.

    Components are scored together, some `pairs_at_once` pairs at a time, because one by one costs more than the pairs.
    """
    waiting: list[tuple[Rows, Rows]] = []
    count = 0

    def scored() -> Iterator[tuple[Rows, Rows, Floats]]:
        if not waiting:
            return
        probability = pair_probabilities(views, np.concatenate([inside for _, inside in waiting]), settings=settings)
        start = 0
        for members, inside in waiting:
            yield members, inside, probability[start : start + len(inside)]
            start += len(inside)

    for members in _sorted_components(labels):
        if len(members) > settings.largest_component:
            continue
        left, right = np.triu_indices(len(members), 1)
        waiting.append((members, np.column_stack([members[left], members[right]])))
        count += len(left)
        if count >= settings.pairs_at_once:
            yield from scored()
            waiting, count = [], 0
    yield from scored()


def _linked_parts(n: int, probability: Floats, apart: npt.NDArray[np.bool_], cohesion: float) -> Rows:
    """Parts (0, 1, ...) of one component by average linkage, cut where the mean probability falls under `cohesion`."""
    if not apart.any() and probability.min() >= cohesion:
        return np.zeros(n, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(np.where(apart, _APART, 1.0 - probability), "average")
    return np.asarray(fcluster(tree, 1.0 - cohesion, "distance"), dtype=np.int64) - 1


def _one_place_each(places: Places) -> Rows:
    """Parts of a component too dense to weigh: each row joins the first part that its place fits."""
    known: list[Places] = []
    parts = np.zeros(len(places), dtype=np.int64)
    for row, place in enumerate(places):
        fits = (part for part, there in enumerate(known) if not places_differ(there, place))
        part = next(fits, len(known))
        if part == len(known):
            known.append(place.copy())
        known[part] = np.where(known[part] != 0, known[part], place)
        parts[row] = part
    return parts
