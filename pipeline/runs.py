"""The book-keeping of a run: what was read and said beside it, and what makes two runs the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.errors import InputError
from pipeline.measure import Stopwatch
from pipeline.parts import Parts
from pipeline.reading import InputFile, ReadBatch, ReadOptions
from pipeline.schema import DECISIONS, ISSUE_ROWS, REJECTED, ROUTED, empty_table, typed
from pipeline.settings import Settings

# Columns of ROUTED that no map stage knows.
_FOUND_BY_GROUPING = ("issue_id", "duplicate_of", "reopened")


@dataclass(frozen=True)
class RouteReport:
    """What a run did.

    Attributes
    ----------
    out : the finished folder
    run : what run.json holds
    finished_before : the folder was there already, of the same inputs, model, directory and settings
    """

    out: Path
    run: Mapping[str, Any]
    finished_before: bool


@dataclass(frozen=True)
class TrainReport:
    """What a training did.

    Attributes
    ----------
    out : folder of the bundle
    manifest : what its manifest.json holds, scores among it
    notes : Chinese remarks: rejected rows, contradicting labels, replaced rows
    failed_files : names of the inputs that could not be read
    """

    out: Path
    manifest: Mapping[str, Any]
    notes: Sequence[str]
    failed_files: Sequence[str]


class ReadingLog:
    """Passes the submissions of a stream on and remembers what was said beside them.

    Attributes
    ----------
    files : the inputs in order
    notes : Chinese remarks
    rows : rows used, by file
    share : of all input that has been read, 0 to 1
    total : rows used, of all files
    """

    def __init__(self, files: Sequence[InputFile]) -> None:
        self.files = files
        self.notes: list[str] = []
        self.rows: dict[str, int] = {}
        self._rejected: list[pd.DataFrame] = []
        self.share = 0.0
        self.total = 0

    def submissions(self, batches: Iterable[ReadBatch], watch: Stopwatch) -> Iterator[pd.DataFrame]:
        """The submissions of each batch; what else it brings, and the time that reading takes, is remembered."""
        source = iter(batches)
        while True:
            with watch.stage("read"):
                batch = next(source, None)
            if batch is None:
                return
            self._rejected.append(batch.rejected)
            self.notes.extend(batch.notes)
            for name, rows in batch.submissions["source_file"].value_counts().items():
                self.rows[str(name)] = self.rows.get(str(name), 0) + int(rows)
            self.total += len(batch.submissions)
            self.share = batch.share
            if len(batch.submissions):
                yield batch.submissions

    def refuse_nothing(self) -> None:
        """Stop a run for which no submission could be read.

        Raises
        ------
        InputError : names the first reason
        """
        if not self.total:
            reasons = self.rejected()["reason"]
            first = f"; the first: {reasons.iloc[0]}" if len(reasons) else ""
            raise InputError(
                f"No submission could be read from {len(self.files)} files{first}. Mend them and run again."
            )

    def rejected(self) -> pd.DataFrame:
        """Table REJECTED of all that was read so far."""
        return pd.concat([empty_table(REJECTED), *self._rejected], ignore_index=True)

    def inputs(self) -> list[dict[str, Any]]:
        """One entry a file for run.json: name, hash, bytes, rows used and rejected."""
        rejected = self.rejected()["source_file"].value_counts()
        return [
            {
                "file": file.name,
                "sha256": file.sha256,
                "bytes": file.bytes,
                "rows": self.rows.get(file.name, 0),
                "rejected": int(rejected.get(file.name, 0)),
            }
            for file in self.files
        ]


def routed_pieces(parts: Parts, members: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Table ROUTED in pieces: each part with the issues of its rows.

    A row with a person in danger repeats nothing, whatever its wording: who closes duplicates must still read it. That
    it was written before is in the links.

    Parameters
    ----------
    parts : results of the map stages
    members : issue_id, duplicate_of and reopened of the same rows, same order
    """
    start = 0
    columns = [name for name in ROUTED.names if name not in _FOUND_BY_GROUPING]
    for piece in parts.pieces([*columns, "endangered"]):
        own = members.iloc[start : start + len(piece)].reset_index(drop=True)
        own["duplicate_of"] = own["duplicate_of"].mask(piece["endangered"])
        yield typed(piece.assign(**_found_by_grouping(own)), ROUTED)
        start += len(piece)


def issue_rows(parts: Parts, members: pd.DataFrame, wanted: set[str]) -> pd.DataFrame:
    """What describing the `wanted` issues needs of their rows."""
    rows = parts.read([name for name in ISSUE_ROWS.names if name not in _FOUND_BY_GROUPING])
    rows = rows.assign(**_found_by_grouping(members.reset_index(drop=True)))
    return rows[rows["issue_id"].isin(wanted)]


def _found_by_grouping(members: pd.DataFrame) -> dict[str, Any]:
    return {name: members[name] for name in _FOUND_BY_GROUPING}


def texts_of(parts: Parts, rows: np.ndarray) -> list[str]:
    """Title and text of some rows, joined."""
    found = parts.take(rows, ["title", "text"])
    return [f"{title}\n{text}" for title, text in zip(found["title"], found["text"], strict=True)]


def count_results(routed: Path, issues: pd.DataFrame) -> dict[str, Any]:
    """Counts of decisions, issues, duplicates and departments, largest first, from a written routed.parquet."""
    rows = pd.read_parquet(routed, columns=["decision", "department", "duplicate_of"])
    decisions = rows["decision"].value_counts()
    departments = rows["department"][rows["department"] != ""].value_counts()
    return {
        **{name: int(decisions.get(name, 0)) for name in DECISIONS},
        "issues": len(issues),
        "issues_of_several": int((issues["size"] > 1).sum()),
        "duplicates": int(rows["duplicate_of"].notna().sum()),
        "departments": {str(name): int(count) for name, count in departments.items()},
    }


def run_key(
    files: Sequence[InputFile],
    knowledge_digest: str,
    options: ReadOptions,
    settings: Settings,
    *,
    register: Path | None,
) -> str:
    """What two runs must have in common to be the same run: inputs, knowledge, options, settings and register."""
    # How the work is spread never changes a result, so it is no part of what a run is.
    wanted = {name: value for name, value in dataclasses.asdict(settings).items() if name != "engine"}
    inputs = [(file.name, file.sha256) for file in files]
    book = str(register.resolve()) if register is not None else None
    return digest([__version__, inputs, knowledge_digest, dataclasses.asdict(options), wanted, book])


def digest(value: Any) -> str:
    """SHA-256 of anything that JSON can say, paths and dates as text."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode("utf-8")).hexdigest()
