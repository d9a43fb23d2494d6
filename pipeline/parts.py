"""A large table as numbered Parquet parts in one folder: written whole or not at all, read back in order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def part_path(folder: Path, number: int) -> Path:
    """Where part `number` (from 0) of a folder is."""
    return folder / f"part-{number:06d}.parquet"


def write_part(frame: pd.DataFrame, path: Path) -> None:
    """Write one part so that it is there completely or not at all, even if the process is killed meanwhile."""
    # A worker that outlived a killed run may still write the same part, so each process has a name of its own.
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), unfinished, compression="zstd")
    os.replace(unfinished, path)


@dataclass(frozen=True)
class Parts:
    """The parts of one table, in order.

    Attributes
    ----------
    paths : one Parquet file a part
    """

    paths: tuple[Path, ...]

    @property
    def rows(self) -> int:
        """Rows of all parts together."""
        return int(self._starts[-1])

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The parts one after another, as frames."""
        for path in self.paths:
            yield pd.read_parquet(path, columns=list(columns) if columns else None)

    def read(self, columns: Sequence[str]) -> pd.DataFrame:
        """Some columns of the whole table in one frame."""
        return pd.concat(self.pieces(columns), ignore_index=True)

    def take(self, rows: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
        """Some rows by their position in the whole table, in the order asked for.

        Parameters
        ----------
        rows : int array of shape (n,), 0 to self.rows - 1, repeats allowed
        columns : names of columns

        Returns
        -------
        frame of n rows; only the parts that hold them are read, one at a time
        """
        starts = self._starts
        wanted = np.unique(rows)
        owner = np.searchsorted(starts, wanted, side="right") - 1
        found = []
        for part in np.unique(owner):
            frame = pd.read_parquet(self.paths[part], columns=list(columns))
            found.append(frame.iloc[wanted[owner == part] - starts[part]])
        if not found:
            return pd.DataFrame({name: [] for name in columns})
        together: pd.DataFrame = pd.concat(found, ignore_index=True)
        return together.iloc[np.searchsorted(wanted, rows)].reset_index(drop=True)

    @cached_property
    def _starts(self) -> np.ndarray:
        counts = [pq.read_metadata(path).num_rows for path in self.paths]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
