"""The local engine: batches through worker processes of this machine, parts on disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from pipeline.engines import MappedPart, Stage
from pipeline.engines.work import map_one
from pipeline.errors import EngineError
from pipeline.parts import part_path
from pipeline.settings import EngineSettings


class LocalEngine:
    """Worker processes by joblib's loky, which start fresh interpreters: the same on Windows and Linux."""

    def __init__(self, settings: EngineSettings) -> None:
        self.workers = settings.workers or os.cpu_count() or 1
        self._started = False

    def map_batches(self, batches: Iterable[pd.DataFrame], stage: Stage, *, folder: Path) -> Iterator[MappedPart]:
        """See Engine.map_batches."""
        stream = enumerate(batches)
        first = list(itertools.islice(stream, 2))
        numbered = itertools.chain(first, stream)
        if self.workers == 1 or len(first) < 2:
            # Starting workers costs seconds, more than one batch does.
            for number, batch in numbered:
                yield map_one(stage, batch, part_path(folder, number))
            return
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        self._started = True
        # Twice as many batches as workers are in flight: enough to keep them busy, few enough to bound memory.
        parallel = Parallel(n_jobs=self.workers, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        try:
            yield from parallel(delayed(map_one)(stage, batch, part_path(folder, number)) for number, batch in numbered)
        except TerminatedWorkerError as error:
            raise EngineError(
                "A worker process was ended from outside, most likely because memory ran out. Run the same command "
                "again: it goes on where it stopped; with --workers 1 it needs the least memory."
            ) from error

    def close(self) -> None:
        """Let the workers go."""
        # Asked for an executor, loky would make one only to end it.
        if self._started:
            from joblib.externals.loky import get_reusable_executor

            # All parts are on disk, so there is nothing that a worker could still have to finish.
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
