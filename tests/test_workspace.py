"""The output folder: complete or not there, one run at a time, nothing overwritten."""

import json
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.workspace import finish_workspace, finished_run, open_workspace, release_workspace


def start(out, *, key="k1", part_key="2000", overwrite=False):
    return open_workspace(out, key=key, part_key=part_key, overwrite=overwrite)


def finish(out, *, key="k1", overwrite=False):
    workspace = start(out, key=key, overwrite=overwrite)
    (workspace.result / "routed.csv").write_text(key, encoding="utf-8")
    finish_workspace(workspace, {"key": key})
    release_workspace(workspace)


def test_a_finished_folder_holds_run_json_and_nothing_is_left_beside_it(tmp_path):
    finish(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8")) == {"key": "k1"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_folder_is_not_there_before_the_run_ends(tmp_path):
    workspace = start(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    release_workspace(workspace)


def test_the_same_run_is_found_again_and_another_is_not(tmp_path):
    finish(tmp_path / "out")
    assert finished_run(tmp_path / "out", key="k1") == {"key": "k1"}
    assert finished_run(tmp_path / "out", key="k2") is None


def test_another_run_is_refused_and_the_old_folder_stays_as_it_was(tmp_path):
    finish(tmp_path / "out")
    with pytest.raises(OutputError, match="--overwrite"):
        start(tmp_path / "out", key="k2")
    assert (tmp_path / "out" / "routed.csv").read_text(encoding="utf-8") == "k1"


def test_overwrite_renames_the_old_folder_and_loses_nothing(tmp_path):
    for key in ("k1", "k2", "k3"):
        finish(tmp_path / "out", key=key, overwrite=True)
    kept = {path.name: (path / "routed.csv").read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert kept == {"out": "k3", "out.old-1": "k1", "out.old-2": "k2"}


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.docx").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty"):
        start(tmp_path / "out")


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    finish(tmp_path / "out")
    assert (tmp_path / "out" / "run.json").exists()


def test_two_runs_on_one_folder_are_refused(tmp_path):
    workspace = start(tmp_path / "out")
    with pytest.raises(OutputError, match="Another run is working"):
        start(tmp_path / "out")
    release_workspace(workspace)
    release_workspace(start(tmp_path / "out"))


def test_parts_of_a_killed_run_are_kept_for_the_same_run_only(tmp_path):
    workspace = start(tmp_path / "out")
    (workspace.parts / "part-000000.parquet").write_text("x", encoding="utf-8")
    (workspace.result / "half.xlsx").write_text("x", encoding="utf-8")
    release_workspace(workspace)
    again = start(tmp_path / "out")
    assert again.resumed
    assert [path.name for path in again.parts.iterdir()] == ["part-000000.parquet"]
    assert list(again.result.iterdir()) == []
    release_workspace(again)
    other = start(tmp_path / "out", key="k2")
    assert not other.resumed
    assert list(other.parts.iterdir()) == []
    release_workspace(other)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file"):
        start(tmp_path / "out")


def test_a_worker_that_outlived_a_killed_run_cannot_write_among_the_parts_of_another(tmp_path):
    killed = start(tmp_path / "out", key="k1")
    (killed.parts / "part-000000.parquet").write_text("x", encoding="utf-8")
    release_workspace(killed)
    other = start(tmp_path / "out", key="k2")
    assert not killed.parts.exists()
    assert other.parts != killed.parts
    release_workspace(other)


@pytest.mark.parametrize("out", [".", ".."])
def test_the_folder_one_stands_in_is_refused_before_any_work(tmp_path, monkeypatch, out):
    (tmp_path / "office").mkdir()
    monkeypatch.chdir(tmp_path / "office")
    with pytest.raises(OutputError, match="Choose a folder of its own below"):
        start(Path(out), overwrite=True)
