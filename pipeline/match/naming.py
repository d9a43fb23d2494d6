"""How texts name departments: 城管局也不管 speaks of the department itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.directory import Directory
from pipeline.match.flat import Doubles, Ints
from pipeline.phrases import Phrases

# 市医保局, 丰台区医保局: people say 医保局, or only 医保.
_PLACE = re.compile(r"^(?:[一-鿿]{2,3}[省市区县旗]|[省市区县])(?=[一-鿿]{2})")
_OFFICE = re.compile(r"(?<=[一-鿿]{2})(?:管理)?(?:局|委员会|委|中心|总公司|集团公司|集团|公司|办公室|办)$")


@dataclass(frozen=True, eq=False)
class Naming:
    """What names a candidate in running text.

    Attributes
    ----------
    phrases : the names
    meant : the candidate of each
    """

    phrases: Phrases
    meant: tuple[str, ...]

    @classmethod
    def of_kinds(cls, directory: Directory | None) -> Naming:
        """Kinds of department, by the names and aliases of their bodies."""
        return cls(*directory.kind_names) if directory is not None else cls(Phrases.of(()), ())

    @classmethod
    def of_labels(cls, labels: Iterable[str]) -> Naming:
        """Labels of an office's own, by their names, and by these without place and form of the office."""
        meant: dict[str, set[str]] = {}
        for label in labels:
            short = _PLACE.sub("", label)
            for name in (label, short, _OFFICE.sub("", short)):
                if len(name) > 1:
                    meant.setdefault(name, set()).add(label)
        known = {name: min(owners) for name, owners in meant.items() if len(owners) == 1}
        return cls(Phrases.of(known), tuple(known.values()))

    def count(self, letters: Sequence[str], row: Ints, names: Sequence[str]) -> Doubles:
        """How often each candidate is named in its row, as the logarithm of one more; shape of `row`.

        Parameters
        ----------
        letters : title, line break, text
        row, names : the candidates
        """
        if not self.meant:
            return np.zeros(len(row))
        # A line break is in no name.
        found = self.phrases.locate(letters)
        number = {name: place for place, name in enumerate(dict.fromkeys((*self.meant, *names)))}
        width = len(number)
        of_phrase = np.array([number[name] for name in self.meant], dtype=np.int64)
        keys, times = np.unique(found.text * width + of_phrase[found.word], return_counts=True)
        wanted = row * width + np.array([number[name] for name in names], dtype=np.int64)
        place = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        if not len(keys):
            return np.zeros(len(row))
        return np.log1p(np.where(keys[place] == wanted, times[place], 0))
