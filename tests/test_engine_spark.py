"""Both engines give the same parts, skip what is done, and pass on what went wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.engines import open_engine
from pipeline.errors import EngineError, InputError
from pipeline.settings import EngineSettings

ROOT = Path(__file__).parent.parent
TEXTS = [
    "松花江边的路灯坏了三盏",
    "",
    "道里区这栋楼暖气不热，老人孩子受不了",
    "早市占道，一早就堵",
    "公交站牌倒了没人管",
]


@pytest.fixture(scope="module")
def spark_settings():
    from pipeline.engines.spark import _find_java

    pytest.importorskip("pyspark", reason="PySpark is not installed: pip install '.[spark]'")
    if not _find_java():
        pytest.skip("no Java is installed, and Spark needs one")
    return EngineSettings(workers=2)


@pytest.fixture(scope="module", params=["local", "spark"])
def engine(request):
    settings = request.getfixturevalue("spark_settings") if request.param == "spark" else EngineSettings(workers=2)
    opened = open_engine(request.param, settings=settings)
    yield opened
    opened.close()


def letters(batch_rows):
    """Five letters, cut into batches."""
    frame = pd.DataFrame(
        {
            "text": TEXTS,
            "submitted_at": pd.to_datetime(["2026-11-02", None, "2026-11-03", "2026-11-04", None]),
            "source_row": range(2, 7),
        }
    )
    return [frame.iloc[start : start + batch_rows] for start in range(0, len(frame), batch_rows)]


def count_characters():
    """A stage that workers can run although they cannot import this file: it is sent to them by value."""

    def stage(batch):
        counted = batch.assign(characters=batch["text"].str.len(), marks=[text.split("，") for text in batch["text"]])
        counted.attrs["seconds"] = {"count": 0.25}
        return counted

    return stage


def refuse_the_market():
    def stage(batch):
        if batch["text"].str.contains("早市").any():
            raise InputError("Row 5 speaks of a market. Take it out.")
        return batch

    return stage


def read_parts(parts):
    return pd.concat([pd.read_parquet(part.path) for part in parts], ignore_index=True)


@pytest.mark.slow
@pytest.mark.parametrize("batch_rows", [1, 2, 5])
def test_parts_come_in_order_with_the_stage_applied_whatever_the_batch_size(engine, tmp_path, batch_rows):
    parts = list(engine.map_batches(letters(batch_rows), count_characters(), folder=tmp_path))

    assert [part.rows for part in parts] == [len(batch) for batch in letters(batch_rows)]
    assert all(part.seconds == {"count": 0.25} for part in parts)
    result = read_parts(parts)
    pd.testing.assert_frame_equal(result[["text", "submitted_at", "source_row"]], letters(5)[0])
    assert result["characters"].tolist() == [11, 0, 18, 9, 9]
    assert result["marks"].map(list).tolist()[2:4] == [
        ["道里区这栋楼暖气不热", "老人孩子受不了"],
        ["早市占道", "一早就堵"],
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [part.path.name for part in parts]


@pytest.mark.slow
def test_a_part_that_is_there_is_not_worked_on_again(engine, tmp_path):
    [*_, last] = engine.map_batches(letters(2), count_characters(), folder=tmp_path)
    last.path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    parts = list(engine.map_batches(letters(2), count_characters(), folder=tmp_path))

    assert [part.rows for part in parts] == [2, 2, 1]
    assert [part.seconds for part in parts] == [{}, {}, {"count": 0.25}]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_an_error_in_a_worker_arrives_as_it_was_raised(engine, tmp_path):
    with pytest.raises(InputError, match=r"^Row 5 speaks of a market\. Take it out\.$"):
        list(engine.map_batches(letters(1), refuse_the_market(), folder=tmp_path))


@pytest.mark.slow
def test_no_batches_give_no_parts(engine, tmp_path):
    assert list(engine.map_batches([], count_characters(), folder=tmp_path)) == []


@pytest.mark.slow
def test_a_fault_in_a_stage_becomes_an_engine_error_that_names_it(spark_settings, tmp_path):
    def stage(batch):
        return batch["there is no such column"]

    opened = open_engine("spark", settings=spark_settings)
    try:
        with pytest.raises(EngineError, match=r"KeyError: 'there is no such column'\. .*--engine local"):
            list(opened.map_batches(letters(5), stage, folder=tmp_path))
    finally:
        opened.close()


@pytest.mark.slow
def test_a_session_that_was_there_before_stays_open(spark_settings, tmp_path):
    from pyspark.sql import SparkSession

    theirs = SparkSession.builder.master("local[1]").getOrCreate()
    try:
        opened = open_engine("spark", settings=spark_settings)
        assert len(list(opened.map_batches(letters(2), count_characters(), folder=tmp_path))) == 3
        opened.close()
        assert theirs.sparkContext.parallelize([1, 2]).sum() == 3
    finally:
        theirs.stop()


@pytest.mark.slow
def test_both_engines_route_the_sample_alike_from_any_folder(spark_settings, tmp_path):
    for name in ("local", "spark"):
        command = [sys.executable, str(ROOT / "route.py"), str(ROOT / "corpus" / "sample"), "--out", name]
        done = subprocess.run(
            [*command, "--engine", name, "--workers", "1", "--settings", str(small_batches(tmp_path))],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1"},
        )
        assert done.returncode == 0, done.stderr
    for table in ("routed.parquet", "issues.parquet", "links.parquet"):
        by_local, by_spark = (pd.read_parquet(tmp_path / name / table) for name in ("local", "spark"))
        assert len(by_local) > 0 or table == "links.parquet"  # nobody need have sent the sample twice
        pd.testing.assert_frame_equal(by_spark, by_local)


def small_batches(folder):
    path = folder / "settings.toml"
    path.write_text("[engine]\nbatch_rows = 20\n", encoding="utf-8")
    return path


def test_without_pyspark_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(EngineError, match=r"needs PySpark: pip install '\.\[spark\]', or pass --engine local\.$"):
        open_engine("spark", settings=EngineSettings())


def test_without_java_the_error_says_which_one_to_install(monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason="PySpark is not installed: pip install '.[spark]'")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match=r"No Java was found .* openjdk-17-jre-headless"):
        open_engine("spark", settings=EngineSettings())
