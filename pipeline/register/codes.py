"""The numbers of a sketch as tables that DuckDB can join: words, writers and bands."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.cluster.known import Counts, Tally
from pipeline.cluster.sketches import BANDS
from pipeline.cluster.views import unpacked
from pipeline.register.store import Register

CODES = ["sketch.words", "sketch.submitter"]  # what counts are made of


def word_entries(words: pd.Series, rows: np.ndarray) -> pa.Table:
    """Each word of each row: row, code (28 bits), weight (1 + ln of its count)."""
    offsets, packed = unpacked(words)
    count = (packed & 7).astype(np.float64)
    return pa.table(
        {
            "row": np.repeat(rows, np.diff(offsets)),
            "code": (packed >> 4).astype(np.int32),
            "weight": (1.0 + np.log(count)).astype(np.float32),
        }
    )


def band_entries(bands: pd.Series, rows: np.ndarray) -> pa.Table:
    """Each MinHash band of each row: row, key (number of the band and its hash)."""
    hashes = np.frombuffer(b"".join(bands), dtype="<u4").reshape(len(rows), BANDS).astype(np.int64)
    keys = hashes + (np.arange(BANDS, dtype=np.int64) << 32)
    return pa.table({"row": np.repeat(rows, BANDS), "key": keys.ravel()})


def tallies(rows: pd.DataFrame, signs: np.ndarray) -> pa.Table:
    """How often each code stands in some rows.

    Parameters
    ----------
    rows : frame with CODES
    signs : shape (n,), 1 for a row that is added, -1 for one that is taken away

    Returns
    -------
    kind, code, rows; kind is word, writer, or row (code 0): the rows themselves
    """
    parts = []
    writers = rows["sketch.submitter"].to_numpy(dtype=np.int64)
    known = np.flatnonzero(writers != 0)
    for kind, codes, owners in (
        ("word", *_owned(rows["sketch.words"])),
        ("writer", writers[known], known),
        ("row", np.zeros(len(rows), dtype=np.int64), np.arange(len(rows))),
    ):
        distinct, place = np.unique(codes, return_inverse=True)
        counted = np.bincount(place, signs[owners], minlength=len(distinct)).astype(np.int64)
        parts.append(pa.table({"kind": [kind] * len(distinct), "code": distinct, "rows": counted}))
    return pa.concat_tables([part for part in parts if len(part)])


def _owned(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    offsets, packed = unpacked(column)
    return packed.astype(np.int64) >> 4, np.repeat(np.arange(len(column)), np.diff(offsets))


def counts_of(register: Register, pieces: Iterable[pd.DataFrame]) -> Counts:
    """The register's counts of the codes that stand in some rows, frames with CODES."""
    codes = [tallies(piece, np.ones(len(piece), dtype=np.int64)) for piece in pieces]
    register.show("codes", pa.concat_tables(codes))
    found = register.frame(
        "SELECT kind, code, rows FROM counts WHERE (kind, code) IN (SELECT kind, code FROM codes) ORDER BY kind, code"
    )

    def tally(kind: str) -> Tally:
        own = found[found["kind"] == kind]
        return Tally(own["code"].to_numpy(dtype=np.int64), own["rows"].to_numpy(dtype=np.int64))

    rows_counted = tally("row").rows
    return Counts(int(rows_counted[0]) if len(rows_counted) else 0, tally("word"), tally("writer"))
