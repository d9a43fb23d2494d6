"""What the documents promise is there."""

import re

import pytest
import typer
from conftest import ROOT

from pipeline.console import app

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "corpus" / "directory" / "README.md"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("#"):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_readme_begins_in_chinese_with_the_picture_and_the_commands():
    chinese, _, english = README.partition("# fenban in English")
    assert "make demo" in chinese
    assert "make test" in chinese
    assert chinese.index("```") < chinese.index("make demo")
    assert "make demo" in english


def test_the_demo_has_its_sample():
    kinds = {path.suffix for path in (ROOT / "corpus" / "sample").rglob("*") if path.is_file()}
    assert {".xlsx", ".csv", ".docx"} <= kinds


def test_every_option_that_a_document_names_exists():
    commands = typer.main.get_command(app).commands.values()
    known = {name for command in commands for parameter in command.params for name in parameter.opts} | {"--help"}
    lines = re.findall(r"^.*(?:fenban|route\.py|train\.py).*--.*$", README, flags=re.MULTILINE)
    named = set(re.findall(r"`?(--[a-z][a-z-]*)", README))
    assert lines
    assert {"--out", "--model", "--overwrite", "--json"} <= named
    assert named <= known


def test_the_notebook_snippet_runs(monkeypatch):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)
    routed = names["routed"]
    assert len(routed) > 5
    assert {"title", "topic", "department", "reason"} <= set(routed.columns)
    assert routed["topic"].ne("").any()


def test_the_version_and_the_changelog_agree():
    from pipeline import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert __version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
