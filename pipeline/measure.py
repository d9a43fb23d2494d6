"""Seconds by stage and peak memory of a run, for run.json."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


class Stopwatch:
    """Adds up wall-clock seconds by stage name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block under `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Count `seconds` under `name`."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


class MemoryWatch:
    """Samples the memory of this process and its children while its block runs.

    Memory shared by several processes is divided among them (PSS) where the system tells it, as Linux does;
    elsewhere each process's own pages (USS) are summed.
    """

    def __init__(self, every_seconds: float = 0.25) -> None:
        self.peak_bytes = 0
        self.measure = "pss"
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self._sample()

    def _sample(self) -> None:
        this = psutil.Process()
        total = 0
        for process in [this, *this.children(recursive=True)]:
            try:
                memory = process.memory_full_info()
            except psutil.Error:
                continue  # it ended between listing and asking
            if not hasattr(memory, "pss"):
                self.measure = "uss"
            total += getattr(memory, self.measure)
        self.peak_bytes = max(self.peak_bytes, total)
