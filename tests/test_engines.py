"""Engines: the same parts in the same order however many workers there are, and no part made twice."""

import importlib.util
import os
from functools import partial

import pandas as pd
import pytest

from pipeline.engines import open_engine
from pipeline.errors import EngineError
from pipeline.parts import Parts
from pipeline.settings import EngineSettings

BATCHES = [pd.DataFrame({"n": [start, start + 1]}) for start in range(0, 12, 2)]


def doubled(batch, *, seen=None):
    """A stage that leaves a file for each batch that it works on, and names the process that did it."""
    if seen is not None:
        (seen / f"{batch['n'].iloc[0]}.txt").write_text(str(os.getpid()), encoding="utf-8")
    result = batch.assign(twice=batch["n"] * 2)
    result.attrs["seconds"] = {"double": 0.5}
    return result


def run(folder, *, workers, stage=doubled, batches=BATCHES):
    engine = open_engine("local", settings=EngineSettings(workers=workers))
    try:
        return list(engine.map_batches(iter(batches), stage, folder=folder))
    finally:
        engine.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_parts_come_in_the_order_of_the_batches(tmp_path, workers):
    seen, folder = tmp_path / "seen", tmp_path / "parts"
    seen.mkdir()
    folder.mkdir()
    parts = run(folder, workers=workers, stage=partial(doubled, seen=seen))
    assert [part.path.name for part in parts] == [f"part-{number:06d}.parquet" for number in range(6)]
    assert [part.rows for part in parts] == [2] * 6
    assert parts[0].seconds == {"double": 0.5}
    table = Parts(tuple(part.path for part in parts)).read(["n", "twice"])
    assert table["n"].tolist() == list(range(12))
    assert table["twice"].tolist() == list(range(0, 24, 2))
    worked = {path.read_text(encoding="utf-8") for path in seen.iterdir()}
    assert (str(os.getpid()) in worked) == (workers == 1)  # two workers are processes of their own


def test_a_part_that_is_there_is_not_worked_on_again(tmp_path):
    seen, folder = tmp_path / "seen", tmp_path / "parts"
    seen.mkdir()
    folder.mkdir()
    run(folder, workers=1, batches=BATCHES[:4])
    parts = run(folder, workers=1, stage=partial(doubled, seen=seen))
    assert sorted(path.stem for path in seen.iterdir()) == ["10", "8"]
    assert [part.rows for part in parts] == [2] * 6


def test_a_part_that_a_power_cut_has_torn_is_made_again(tmp_path):
    parts = run(tmp_path, workers=1)
    for part, left in ((parts[1], 0), (parts[3], 200)):
        part.path.write_bytes(part.path.read_bytes()[:left])
    again = run(tmp_path, workers=1)
    assert [part.rows for part in again] == [2] * 6
    assert Parts(tuple(part.path for part in again)).read(["n"])["n"].tolist() == list(range(12))


def test_batches_are_read_only_as_fast_as_they_are_worked_on(tmp_path):
    read = []

    def reading():
        for number, batch in enumerate(BATCHES):
            read.append(number)
            yield batch

    engine = open_engine("local", settings=EngineSettings(workers=1))
    next(engine.map_batches(reading(), doubled, folder=tmp_path))
    assert len(read) <= 2


def test_no_batch_is_no_part(tmp_path):
    assert run(tmp_path, workers=2, batches=[]) == []


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(EngineError, match="No engine 'flink'. Pass --engine local or --engine spark"):
        open_engine("flink", settings=EngineSettings())


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="pyspark is installed here")
def test_spark_without_pyspark_says_how_to_install_it():
    with pytest.raises(EngineError, match=r"pip install '\.\[spark\]'"):
        open_engine("spark", settings=EngineSettings())
