"""Engines: where batches are worked on. They know tables and stages, never submissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pandas as pd

from pipeline.errors import EngineError
from pipeline.settings import EngineSettings

Stage = Callable[[pd.DataFrame], pd.DataFrame]


class Engine(Protocol):
    """Runs a map stage over batches and keeps the results as parts on disk."""

    def map_batches(self, batches: Iterable[pd.DataFrame], stage: Stage, *, folder: Path) -> Iterator[MappedPart]:
        """Work on each batch and yield its part, in the order of the batches.

        Parameters
        ----------
        batches : frames, read only as fast as they are worked on
        stage : row in, row out; picklable, so that a worker process can run it
        folder : where the parts are kept; a part that is there already is not worked on again
        """
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class MappedPart:
    """One finished part: its file, its number of rows, and the seconds that its stages took."""

    def __init__(self, path: Path, rows: int, seconds: dict[str, float]) -> None:
        self.path = path
        self.rows = rows
        self.seconds = seconds


def open_engine(name: str, *, settings: EngineSettings) -> Engine:
    """Open the engine "local" or "spark".

    Raises
    ------
    EngineError : no engine has this name, or what it needs is not installed
    """
    if name == "local":
        from pipeline.engines.local import LocalEngine

        return LocalEngine(settings)
    if name == "spark":
        from pipeline.engines.spark import SparkEngine

        return SparkEngine(settings)
    raise EngineError(f"No engine '{name}'. Pass --engine local or --engine spark.")
