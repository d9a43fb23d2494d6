"""What every engine does with one batch, wherever its worker runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.engines import MappedPart, Stage
from pipeline.parts import write_part


def finished_part(path: Path) -> MappedPart | None:
    """The part that an earlier run left at `path`; None where there is none, or one that a power cut has torn."""
    if not path.exists():
        return None
    try:
        return MappedPart(path, pq.read_metadata(path).num_rows, {})
    except pa.ArrowInvalid:
        return None


def make_part(stage: Stage, batch: pd.DataFrame, path: Path) -> MappedPart:
    """Work on one batch and keep the result at `path`."""
    result = stage(batch)
    seconds = dict(result.attrs.get("seconds", {}))
    result.attrs = {}
    write_part(result, path)
    return MappedPart(path, len(result), seconds)


def map_one(stage: Stage, batch: pd.DataFrame, path: Path) -> MappedPart:
    """The part at `path`, made of `batch` unless it is there already."""
    return finished_part(path) or make_part(stage, batch, path)
