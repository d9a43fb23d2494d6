"""Ids that are unique over all inputs, however many rows there are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class IdRegister:
    """Remembers every id given out, as 8 bytes each, and renames those that repeat.

    Two different ids share their 8 bytes about once in a hundred thousand runs of 20 million rows; the later one is
    then renamed without need, and ids are still unique.
    """

    def __init__(self) -> None:
        self._sorted: list[NDArray[np.uint64]] = []  # each at least twice as long as the next, so that there are few
        self._next_suffix: dict[str, int] = {}

    def unique(self, ids: Sequence[str]) -> tuple[list[str], int]:
        """The ids in order, ``-2``, ``-3`` ... appended where one was given out before, and how many were renamed."""
        codes = np.fromiter(map(_code, ids), dtype=np.uint64, count=len(ids))
        given: list[str] = list(ids)
        renamed = 0
        if len(np.unique(codes)) < len(codes) or self._known(codes).any():
            known_before = self._known(codes)
            here: set[int] = set()
            for index, name in enumerate(ids):
                code = int(codes[index])
                if known_before[index] or code in here:
                    given[index], code = self._renamed(name, here)
                    codes[index] = code
                    renamed += 1
                here.add(code)
        self._remember(np.sort(codes))
        return given, renamed

    def _renamed(self, name: str, here: set[int]) -> tuple[str, int]:
        suffix = self._next_suffix.get(name, 2)
        while True:
            candidate = f"{name}-{suffix}"
            suffix += 1
            code = _code(candidate)
            if code not in here and not self._known(np.array([code], dtype=np.uint64))[0]:
                self._next_suffix[name] = suffix
                return candidate, code

    def _known(self, codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        known = np.zeros(len(codes), dtype=bool)
        for codes_before in self._sorted:
            found = np.searchsorted(codes_before, codes)
            found[found == len(codes_before)] = 0
            known |= codes_before[found] == codes
        return known

    def _remember(self, codes: NDArray[np.uint64]) -> None:
        while self._sorted and len(self._sorted[-1]) < 2 * len(codes):
            codes = np.sort(np.concatenate([self._sorted.pop(), codes]))
        if len(codes):
            self._sorted.append(codes)


def _code(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
