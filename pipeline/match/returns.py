"""Bodies that sent a matter back: which candidates that counts against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.directory import Directory
from pipeline.match.candidates import Candidates
from pipeline.match.flat import Doubles
from pipeline.settings import MatchSettings


@dataclass(frozen=True, eq=False)
class Refusals:
    """What returned matters say about the candidates of some rows.

    Attributes
    ----------
    refused : bool, shape (n_entries,), the candidate sent this very row back and is none any more
    against : float64, shape (n_entries,), what is taken off its score, 0 or more
    told : row -> the like returned matter, as (id, body), or ("", body) where the row itself was sent back
    """

    refused: np.ndarray
    against: Doubles
    told: dict[int, tuple[str, str]]


def find_refusals(
    submissions: pd.DataFrame,
    recalled: pd.DataFrame,
    candidates: Candidates,
    name: Callable[[int], str],
    *,
    directory: Directory | None,
    settings: MatchSettings,
) -> Refusals:
    """Match returned matters with the candidates of the rows that are like them.

    Parameters
    ----------
    submissions : table SUBMISSIONS; `returned_by` names who sent the row itself back
    recalled : table RECALLED of the same rows
    name : an entry of `candidates` -> the body that it is in its place
    settings : returned_weight
    """
    refused, against = np.zeros(len(candidates.row), dtype=bool), np.zeros(len(candidates.row))
    told: dict[int, tuple[str, str]] = {}
    begins = np.searchsorted(candidates.row, np.arange(candidates.rows + 1))
    own, ids = submissions["returned_by"].tolist(), submissions["submission_id"].tolist()
    columns = [recalled[column].tolist() for column in ("returned_ids", "returned_bodies", "returned_likeness")]
    # A few bodies send thousands of matters back, and to look one's name up takes as long as to rank some rows.
    known = cache(lambda sender: _Sender.of(sender, directory))
    for row in _concerned(own, columns[0]):
        # Whoever it was, known or not: the row came back, and a person looks at it.
        if len(own[row]):
            told[row] = ("", own[row][0])
        for entry in range(begins[row], begins[row + 1]):
            kind = candidates.kinds[candidates.name[entry]]
            body = name(entry)
            official = (directory.official_name(body) if directory is not None else "") or body
            for sender in own[row]:
                if known(sender).is_body(official, kind):
                    refused[entry] = True
                    told[row] = ("", sender)
            for matter, senders, likeness in zip(*(column[row] for column in columns), strict=True):
                for sender in senders:
                    if known(sender).is_body(official, kind):
                        against[entry] = max(against[entry], settings.returned_weight * likeness)
                        # Register or model may know the row itself as sent back though its file does not say so.
                        told.setdefault(row, ("" if matter == ids[row] else matter, sender))
    return Refusals(refused, against, told)


class _Sender(NamedTuple):
    """Who sent a matter back: by official name, or, where the directory knows none, as any body of some kinds."""

    name: str
    kinds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, directory: Directory | None) -> _Sender:
        if directory is None:
            return cls(name)
        if official := directory.official_name(name):
            return cls(official)
        names, kinds = directory.kind_names
        return cls(name, frozenset(kinds[word] for _, end, word in names.find([name])[0] if end == len(name)))

    def is_body(self, official: str, kind: str) -> bool:
        return self.name == official or kind in self.kinds


def _concerned(own: Sequence[Sequence[str]], like: Sequence[Sequence[str]]) -> Iterator[int]:
    return (row for row, (bodies, matters) in enumerate(zip(own, like, strict=True)) if len(bodies) or len(matters))
