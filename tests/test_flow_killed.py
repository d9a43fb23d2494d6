"""A run that was killed: continued by the same command, with the same end."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from conftest import HEAT, LAMP, LETTERS, LETTERS_HEADER, ROOT, WATER, write_csv, write_office_files

from pipeline.engines import open_engine
from pipeline.flow import RouteStage


class PowerCut(Exception):
    pass


class DyingEngine:
    """The local engine, until the current fails after some parts."""

    def __init__(self, engine, parts):
        self.engine, self.parts = engine, parts

    def map_batches(self, batches, stage, *, folder):
        for number, part in enumerate(self.engine.map_batches(batches, stage, folder=folder)):
            if number == self.parts:
                raise PowerCut
            yield part


@pytest.fixture
def worked(monkeypatch):
    """The number of rows of each batch that is really worked on."""
    rows = []
    call = RouteStage.__call__
    monkeypatch.setattr(RouteStage, "__call__", lambda stage, batch: rows.append(len(batch)) or call(stage, batch))
    return rows


def test_a_killed_run_goes_on_where_it_stopped_and_ends_the_same(
    finished, office, model, quick, send, tmp_path, worked
):
    engine = DyingEngine(open_engine("local", settings=quick.engine), parts=2)
    with pytest.raises(PowerCut):
        send([office], tmp_path / "out", model, batch_rows=2, engine=engine)
    assert not (tmp_path / "out").exists()
    assert worked == [2, 2, 2]
    send([office], tmp_path / "out", model, batch_rows=2)
    assert worked == [2, 2, 2, 2]
    for name in ("routed.parquet", "issues.parquet", "links.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (finished.out / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_killed_run_of_files_that_changed_since_begins_anew(tmp_path, model, quick, send, worked):
    (tmp_path / "in").mkdir()
    write_office_files(tmp_path / "in")
    engine = DyingEngine(open_engine("local", settings=quick.engine), parts=2)
    with pytest.raises(PowerCut):
        send([tmp_path / "in"], tmp_path / "out", model, batch_rows=2, engine=engine)
    write_csv(tmp_path / "in" / "1热线.csv", LETTERS_HEADER, [["z", "", LAMP[5], "", "", "", ""]])
    worked.clear()
    send([tmp_path / "in"], tmp_path / "out", model, batch_rows=2)
    assert worked == [2, 2, 1]
    assert pd.read_parquet(tmp_path / "out" / "routed.parquet")["submission_id"].tolist()[0] == "z"


def test_a_run_that_fails_while_tables_are_written_is_not_there_and_can_be_run_again(
    model, send, tmp_path, monkeypatch
):
    letters = write_csv(tmp_path / "来信.csv", LETTERS_HEADER, LETTERS[:2])

    def fail(*args, **options):
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.flow.routing.write_workbook", fail)
        with pytest.raises(PowerCut):
            send([letters], tmp_path / "out", model)
    assert not (tmp_path / "out").exists()
    send([letters], tmp_path / "out", model)
    assert (tmp_path / "out" / "run.json").exists()


def many_letters(path, rows):
    """Letters that differ in street, house and day, so that there are issues, duplicates and lone ones."""
    streets = ("征仪路", "学府路", "靖宇街", "中央大街", "红旗大街", "和兴路", "文昌街")
    texts = (*HEAT, *LAMP, *WATER)
    letters = [
        [
            f"k{n}",
            "",
            f"{streets[n % 7]}{n % 89 + 1}号：{texts[n % len(texts)]}{texts[(n * 7) % len(texts)]}",
            f"2026-01-{n % 28 + 1:02}",
            f"居民{n % 1500}",
            "热线",
            "",
        ]
        for n in range(rows)
    ]
    return write_csv(path, LETTERS_HEADER, letters)


def parts_of(folder):
    return list(folder.glob("out.partial/parts-*/*.parquet"))


def wait_for_parts(folder, count):
    deadline = time.monotonic() + 120
    while len(parts_of(folder)) < count and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is what Linux does when memory runs out")
def test_a_run_killed_by_the_system_is_continued_by_the_same_command(tmp_path, model):
    letters = many_letters(tmp_path / "来信.csv", 6_000)
    settings = tmp_path / "small.toml"
    settings.write_text("[engine]\nbatch_rows = 200\nworkers = 2\n", encoding="utf-8")

    def command(out):
        options = ["--model", str(model), "--settings", str(settings), "--quiet"]
        return [sys.executable, "route.py", str(letters), "--out", str(tmp_path / out), *options]

    killed = subprocess.Popen(command("out"), cwd=ROOT, start_new_session=True)
    wait_for_parts(tmp_path, 4)
    # The whole group, as a power cut does; it is the session that was started above.
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "out").exists()
    assert 4 <= len(parts_of(tmp_path)) < 30
    again = subprocess.run(command("out"), cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    subprocess.run(command("straight"), cwd=ROOT, check=True)
    for name in ("routed.parquet", "issues.parquet", "links.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.toml", "straight", "来信.csv"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is what Linux does when memory runs out")
def test_workers_that_outlive_a_killed_run_leave_nothing_in_the_next_run_of_other_letters(tmp_path, model):
    settings = tmp_path / "small.toml"
    settings.write_text("[engine]\nbatch_rows = 100\nworkers = 2\n", encoding="utf-8")
    first = many_letters(tmp_path / "先.csv", 3_000)
    other = write_csv(
        tmp_path / "后.csv", LETTERS_HEADER, [[f"o{n}", "", f"{LAMP[0]}{n}号", "", "", "", ""] for n in range(900)]
    )
    options = ["--out", str(tmp_path / "out"), "--model", str(model), "--settings", str(settings), "--quiet"]
    killed = subprocess.Popen([sys.executable, "route.py", str(first), *options], cwd=ROOT)
    wait_for_parts(tmp_path, 2)
    killed.kill()  # the parent alone: its workers go on for a while
    killed.wait()
    subprocess.run([sys.executable, "route.py", str(other), *options], cwd=ROOT, check=True)
    routed = pd.read_parquet(tmp_path / "out" / "routed.parquet")
    assert routed["submission_id"].tolist() == [f"o{n}" for n in range(900)]
