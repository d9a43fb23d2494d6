"""Who may lead: the candidates of each row, with one number for each reason that speaks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.directory import Directory
from pipeline.match.claims import Claims, find_claims
from pipeline.match.flat import Doubles, Ints, first_of_each, flatten
from pipeline.match.naming import Naming
from pipeline.phrases import look_up
from pipeline.settings import MatchSettings

# Each is 0 or more where it speaks for a candidate; the first two are logarithms.
FEATURES = (
    "learned",  # probability by the label model
    "duty",  # share of the duty clauses whose words were found, by topic
    "meaning",  # cosine with the clause of the candidate that reads most like the text
    "past",  # share of the like past matters that the candidate handled
    "named",  # how often the text names the candidate
    "local",  # 1 for a township's own department where the township is known
)
LEARNED, DUTY, MEANING, PAST, NAMED, LOCAL = range(len(FEATURES))

# Below these nothing is told apart; they keep a logarithm finite.
_LEARNED_FLOOR = 1e-3
_SHARE_FLOOR = 1e-2
_NO_LIKENESS = 0.05  # squared cosine that says nothing: one distant matter is not all of the past
_LEAST_PAST = 0.1  # share of the like past matters from which their department becomes a candidate
TOWNSHIP_KIND = "街道乡镇"


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of some rows; one entry for each row and candidate, rows ascending, names in order.

    Attributes
    ----------
    rows : number of rows
    names : labels as learned, or kinds, sorted; an entry's `name` is a place in them
    kinds : kind of each name, "" where the directory does not know it
    row, name : of each entry
    features : shape (n_entries, len(FEATURES))
    learned : probability by training, 0 to 1; NaN where nothing of the sort was learned
    claims : what the duty clauses say in these rows
    claim : the entry of `claims`, -1 where no clause speaks for the candidate
    likeness : cosine of the most like past matter that the candidate handled, 0 to 1
    nearest : the clause of the candidate that reads most like the row, a position in Directory.duties; -1 where none
        does
    """

    rows: int
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    row: Ints
    name: Ints
    features: Doubles
    learned: Doubles
    claims: Claims
    claim: Ints
    likeness: Doubles
    nearest: Ints

    def without(self, chosen: NDArray[np.bool_]) -> Candidates:
        """The same rows without some of the entries."""
        kept = ~chosen
        return replace(
            self,
            row=self.row[kept],
            name=self.name[kept],
            features=self.features[kept],
            learned=self.learned[kept],
            claim=self.claim[kept],
            likeness=self.likeness[kept],
            nearest=self.nearest[kept],
        )


def gather_candidates(
    titles: Sequence[str],
    texts: Sequence[str],
    letters: Sequence[str],
    classified: pd.DataFrame,
    placed: pd.DataFrame,
    recalled: pd.DataFrame,
    *,
    target: str,
    naming: Naming,
    directory: Directory | None,
    settings: MatchSettings,
) -> Candidates:
    """Learned departments and those of like past matters; or learned kinds, those of past matters and of duties.

    Parameters
    ----------
    titles, texts : of the rows
    letters : title, line break, text
    classified, placed, recalled : tables of the same rows
    target : department, kind or topic: what training knew about leads
    naming : how texts name the candidates
    """
    claims = find_claims(titles, texts, classified, directory=directory, settings=settings)
    column = "department" if target == "department" else "kind"
    learned_row, learned_labels = flatten(classified[f"{column}_labels"])
    probability = np.array(flatten(classified[f"{column}_probabilities"])[1], dtype=np.float64)
    past_row, past_labels = flatten(recalled["past_leads"])
    cosine = np.array(flatten(recalled["past_likeness"])[1], dtype=np.float64)
    of_claims = [] if target == "department" else [claims.kinds[kind] for kind in claims.kind.tolist()]
    # Sorted, so that the order of equals does not hang on the batch.
    names = tuple(sorted({*learned_labels, *past_labels, *of_claims}))
    number = {name: place for place, name in enumerate(names)}
    width = max(1, len(names))

    def keys(row: Ints, labels: list[Any]) -> Ints:
        return row * width + np.array([number[label] for label in labels], dtype=np.int64)

    past_keys, support, likeness = _support(keys(past_row, past_labels), past_row, cosine, len(titles), width)
    learned_keys = keys(learned_row, learned_labels)
    claim_keys = keys(claims.row, of_claims) if of_claims else np.zeros(0, dtype=np.int64)
    key = np.unique(np.concatenate([learned_keys, claim_keys, past_keys[support >= _LEAST_PAST]]))
    row, name = np.divmod(key, width)

    kinds = names
    if target == "department":
        kinds = tuple(directory.kind_of(label) if directory is not None else "" for label in names)
    claim = _claims_of(row, name, kinds, claims)
    learned = _value(learned_keys, probability, key, 0.0 if len(learned_labels) else np.nan)
    past = _value(past_keys, support, key, 0.0)
    features = np.zeros((len(key), len(FEATURES)))
    features[:, LEARNED] = np.log(np.maximum(np.nan_to_num(learned, nan=1.0), _LEARNED_FLOOR))
    share = np.append(claims.share, 0.0)[claim]
    features[:, DUTY] = np.log(np.maximum(share, _SHARE_FLOOR))
    features[:, MEANING], nearest = _meanings(row, name, kinds, recalled, directory)
    features[:, PAST] = past
    features[:, NAMED] = naming.count(letters, row, name, names)
    townships = placed["township"].notna().to_numpy()
    own = np.array([kind == TOWNSHIP_KIND for kind in kinds], dtype=bool)
    features[:, LOCAL] = own[name] & townships[row]
    likeness = _value(past_keys, likeness, key, 0.0)
    return Candidates(len(titles), names, kinds, row, name, features, learned, claims, claim, likeness, nearest)


def _support(keys: Ints, row: Ints, cosine: Doubles, rows: int, width: int) -> tuple[Ints, Doubles, Doubles]:
    """Of each row and lead of like past matters: the key, its share of the squared cosines, the highest cosine."""
    order = np.lexsort((-cosine, keys))
    keys, squares, cosine = keys[order], cosine[order] ** 2, cosine[order]
    first = first_of_each(keys)
    if not len(first):
        return keys, squares, cosine
    total = np.bincount(row[order], weights=squares, minlength=rows) + _NO_LIKENESS
    keys = keys[first]
    return keys, np.add.reduceat(squares, first) / total[keys // width], cosine[first]


def _claims_of(row: Ints, name: Ints, kinds: tuple[str, ...], claims: Claims) -> Ints:
    width = max(1, len(claims.kinds))
    return _of_kind(row, _places(kinds, claims.kinds)[name], claims.row * width + claims.kind, width)


def _meanings(
    row: Ints, name: Ints, kinds: tuple[str, ...], recalled: pd.DataFrame, directory: Directory | None
) -> tuple[Doubles, Ints]:
    """The highest cosine of a clause of each candidate's kind, and the clause."""
    clause_row, positions = flatten(recalled["clauses"])
    if directory is None or not positions:
        return np.zeros(len(row)), np.full(len(row), -1)
    clauses = directory.clauses
    width = len(clauses.kinds)
    position = np.array(positions, dtype=np.int64)
    keys = clause_row * width + clauses.kind[position]
    # Most like first, and the sort is stable: the first of a kind is its best.
    order = np.argsort(keys, kind="stable")
    first = order[first_of_each(keys[order])]
    found = _of_kind(row, _places(kinds, clauses.kinds)[name], keys[first], width)
    cosine = np.array(flatten(recalled["clause_likeness"])[1], dtype=np.float64)
    return np.append(cosine[first], 0.0)[found], np.append(position[first], -1)[found]


def _places(kinds: Sequence[str], among: Sequence[str]) -> Ints:
    """Where each kind stands among others; -1 where it does not."""
    number = {kind: place for place, kind in enumerate(among)}
    return np.array([number.get(kind, -1) for kind in kinds], dtype=np.int64)


def _of_kind(row: Ints, kind: Ints, keys: Ints, width: int) -> Ints:
    """Where the key of each row and kind, row * width + kind, stands among sorted keys; -1 where it does not."""
    return np.where(kind >= 0, look_up(keys, row * width + kind), -1)


def _value(keys: Ints, values: Doubles, wanted: Ints, otherwise: float) -> Doubles:
    """The value beside each wanted key; keys are distinct."""
    order = np.argsort(keys, kind="stable")
    place = look_up(keys[order], wanted)
    return np.where(place >= 0, np.append(values[order], otherwise)[place], otherwise)
