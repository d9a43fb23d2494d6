"""The wheel carries model, lexicon and directory: an installed fenban works in an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def fenban(tmp_path_factory):
    """A function that runs the installed command in a folder outside the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    python = [sys.executable, "-m"]
    build = [*python, "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    wheel = str(next((folder / "dist").glob("*.whl")))
    # Its dependencies are those of this environment; only fenban itself is installed.
    install = [*python, "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "installed"), wheel]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)

    def run(*arguments, cwd):
        script = (
            f"import sys; sys.argv[1:] = {list(arguments)!r}\n"
            f"import pipeline; assert pipeline.__file__.startswith({str(folder)!r}), pipeline.__file__\n"
            "from pipeline.console import main; main()"
        )
        environment = {**os.environ, "PYTHONPATH": str(folder / "installed"), "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", script]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8")

    return run


@pytest.mark.slow
def test_an_installed_wheel_routes_a_file_in_an_empty_folder(fenban, tmp_path):
    (tmp_path / "留言.csv").write_text("标题,内容\n停电,香坊区通乡街停电三天了，没人来修。\n", encoding="utf-8-sig")
    done = fenban("route", "留言.csv", "--out", "结果", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "读入 1 件" in done.stdout
    assert (tmp_path / "结果" / "routing_tables.xlsx").exists()
    run = json.loads((tmp_path / "结果" / "run.json").read_text(encoding="utf-8"))
    assert (run["model"]["folder"], run["directory"], run["lexicon"]) == ("default", "directory", "lexicon.csv")


@pytest.mark.slow
def test_an_installed_wheel_checks_its_directory(fenban, tmp_path):
    done = fenban("check", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "没有发现问题" in done.stdout
