"""The wheel carries model, lexicon and directory: an installed fenban works in an empty folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.mark.slow
def test_an_installed_wheel_routes_a_file_in_an_empty_folder(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "installed")
    empty = tmp_path / "office"
    empty.mkdir()
    (empty / "留言.csv").write_text("标题,内容\n停电,香坊区通乡街停电三天了，没人来修。\n", encoding="utf-8-sig")
    arguments = ["route", "留言.csv", "--out", "结果"]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); sys.argv[1:] = {arguments!r}; "
        "from pipeline.console import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=empty, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert (empty / "结果" / "routing_tables.xlsx").exists()
    assert "读入 1 件" in done.stdout
