"""Every notebook runs from top to bottom in the project's folder."""

import json
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.mark.parametrize("path", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_runs_and_is_stored_without_outputs(path, monkeypatch):
    monkeypatch.chdir(PROJECT)
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    names = {"__name__": "notebook"}
    for cell in cells:
        assert cell["outputs"] == [], "clear the outputs: they may hold other people's text"
        exec(compile("".join(cell["source"]), path.name, "exec"), names)
