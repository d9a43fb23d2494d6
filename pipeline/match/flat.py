"""Lists in the cells of a table as flat arrays, and what is done with those."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


def flatten(column: pd.Series[Any]) -> tuple[Ints, list[Any]]:
    """The values of all lists of a column, and the row of each."""
    lists = column.tolist()
    sizes = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    return np.repeat(np.arange(len(lists)), sizes), list(chain.from_iterable(lists))


def first_of_each(keys: Ints) -> Ints:
    """Where each run of equal keys begins."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
