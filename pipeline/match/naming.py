"""How texts name departments: 城管局也不管 speaks of the department itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.directory import Directory
from pipeline.match.flat import Doubles, Ints
from pipeline.phrases import Phrases, look_up

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

    def count(self, letters: Sequence[str], row: Ints, name: Ints, names: Sequence[str]) -> Doubles:
        """How often each candidate is named in its row, as the logarithm of one more; shape of `row`.

        Parameters
        ----------
        letters : title, line break, text; a line break is in no name
        row, name : of the candidates; `name` is a place in `names`
        """
        found = self.phrases.locate(letters)
        number = {candidate: place for place, candidate in enumerate(names)}
        # Whom few names in few letters mean: looked up for what was found, not for all that could be.
        code = np.array([number.get(self.meant[word], -1) for word in found.word.tolist()], dtype=np.int64)
        keys, times = np.unique(found.text[code >= 0] * len(names) + code[code >= 0], return_counts=True)
        place = look_up(keys, row * len(names) + name)
        return np.log1p(np.where(place >= 0, np.append(times, 0)[place], 0))
