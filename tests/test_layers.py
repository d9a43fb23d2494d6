"""Imports point downwards only, importing costs nothing, and every file keeps a pleasant size."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pipeline"
BOTTOM = {"errors"}
GROUND = BOTTOM | {"schema", "settings", "resources", "parts", "measure", "phrases", "repetitions"}
STAGES = ("reading", "segment", "vectorize", "classify", "places", "recall", "match", "cluster", "tables", "evaluate")
MAY_IMPORT = {
    "errors": set(),
    "schema": BOTTOM,
    "settings": BOTTOM,
    "resources": BOTTOM,
    "parts": BOTTOM,
    "measure": BOTTOM,
    "phrases": BOTTOM,
    "repetitions": BOTTOM,
    "directory": GROUND,
    **{stage: GROUND | {"directory", stage} for stage in STAGES},
    # What the linear model is made of crosses no stage border, so the label model may know the vectorizer's types.
    "classify": GROUND | {"vectorize"},
    "engines": GROUND | {"engines"},
    "labelling": GROUND | {"directory"},
    "learning": GROUND | {"segment", "vectorize", "classify", "evaluate"},
    "issue_learning": GROUND | {"cluster", "evaluate", "vectorize"},
    "lead_learning": GROUND | {"match", "recall"},
    "bundle": GROUND | {"vectorize", "classify", "cluster", "match", "recall"},
    "card": GROUND,
    "workspace": GROUND,
    "register": GROUND | {"cluster"},
    "runs": GROUND | {"reading"},
    "tools": GROUND | {"bundle", "directory", "places", "recall", "runs", "segment", "vectorize"},
}
ABOVE = {"flow", "console", "console_issues", "__init__"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipeline."):
            rooms.add(node.module.split(".")[1])
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline":
            rooms.update(name.name for name in node.names if name.name != "__version__")
    return rooms


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_the_rooms_below_it(path):
    room = room_of(path)
    if room in ABOVE:
        return
    allowed = MAY_IMPORT[room] | {room}
    assert imported_rooms(path) <= allowed, f"{path.name} may import {sorted(allowed)}"


def test_only_flow_and_console_know_the_order_of_the_stages():
    knowing = {room_of(path) for path in FILES if len(imported_rooms(path) & set(STAGES)) > 3}
    # The bundle knows what each stage saves, and nothing of their order.
    assert knowing <= {"flow", "learning", "bundle"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def loaded_by(module: str, heavy: tuple[str, ...]) -> str:
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    return done.stdout.strip()


def test_importing_the_package_loads_no_library_and_no_dictionary():
    assert loaded_by("pipeline", ("pandas", "sklearn", "spacy", "rjieba", "duckdb")) == "[]"


def test_importing_the_flow_loads_no_training_library():
    assert loaded_by("pipeline.flow", ("sklearn", "spacy", "duckdb", "pyspark", "xlsxwriter")) == "[]"


def test_only_the_scripts_and_the_console_print():
    printing = {path.name for path in FILES if "print(" in path.read_text(encoding="utf-8")}
    assert printing <= {"console.py", "console_issues.py"}
