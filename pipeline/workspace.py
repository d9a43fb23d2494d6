"""The output folder: complete or not there, continued after a kill, never two runs at once, nothing overwritten.

While a run works, everything it makes is in DIR.partial; at the very end the finished folder is renamed to DIR.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.errors import OutputError

RUN_FILE = "run.json"
_KEY_FILE = "key.json"


@dataclass(frozen=True)
class Workspace:
    """The folders of one run.

    Attributes
    ----------
    out : where the finished folder will be
    folder : DIR.partial
    resumed : whether an earlier, killed run has left parts to go on from
    """

    out: Path
    folder: Path
    resumed: bool
    lock: FileLock
    parts_name: str

    @property
    def parts(self) -> Path:
        """Folder of the parts that a killed run can be continued from.

        Named after what the run is: workers that outlived a killed run of other inputs find their folder gone, and
        never write among the parts of this one.
        """
        return self.folder / self.parts_name

    @property
    def result(self) -> Path:
        """Folder that becomes DIR."""
        return self.folder / "result"


def finished_run(out: Path, *, key: str) -> dict[str, Any] | None:
    """run.json of `out` if it is a finished run of the same inputs, model, directory and settings; else None."""
    path = out / RUN_FILE
    if not path.exists():
        return None
    try:
        run: Any = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None  # not a run of ours as it stands: open_workspace refuses it without --overwrite
    return run if isinstance(run, dict) and run.get("key") == key else None


def open_workspace(out: Path, *, key: str, part_key: str, overwrite: bool) -> Workspace:
    """Take the output folder for this run alone.

    Parameters
    ----------
    out : the folder asked for
    key : identity of inputs, model, directory and settings
    part_key : identity of the batches; parts of another are thrown away
    overwrite : whether a folder that stands there may be renamed

    Raises
    ------
    OutputError : another run works on it, or something else stands there and `overwrite` is not set
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise OutputError(f"--out {out} is a file. Choose a folder.")
    if out == Path.cwd() or out in Path.cwd().parents:
        # The finished folder takes its place by a rename, which nobody can do to the folder he stands in.
        raise OutputError(f"--out {out} is the folder you are in, or one above it. Choose a folder of its own below.")
    if out.exists() and any(out.iterdir()) and not overwrite:
        what = "holds a run of other inputs, model or settings" if (out / RUN_FILE).exists() else "is not empty"
        raise OutputError(
            f"{out} {what}. Choose another --out, or pass --overwrite: then it is renamed to {_free_name(out).name}."
        )
    folder = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out.with_name(out.name + ".partial.lock"))
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(f"Another run is working on {out}. Wait until it ends, or choose another --out.") from error
    except OSError as error:
        raise OutputError(f"Cannot write beside {out} ({error.strerror}). Choose another --out.") from error
    wanted = {"key": key, "parts": part_key}
    resumed = _read_key(folder / _KEY_FILE) == wanted
    if not resumed:
        # What a worker of a killed run still holds open may stay: its parts have another name, so nobody reads them.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _KEY_FILE).write_text(json.dumps(wanted), encoding="utf-8")
    workspace = Workspace(out, folder, resumed, lock, f"parts-{key[:16]}")
    workspace.parts.mkdir(exist_ok=True)
    # Only parts are worth keeping: what comes after them is made anew in less time than checking it would take.
    try:
        if workspace.result.exists():
            shutil.rmtree(workspace.result)
        workspace.result.mkdir()
    except OSError as error:
        lock.release()
        raise OutputError(
            f"{workspace.result}, left by a killed run, cannot be removed ({error.strerror}). Close the programs that "
            "use it, or choose another --out."
        ) from error
    return workspace


def finish_workspace(workspace: Workspace, run: dict[str, Any]) -> None:
    """Write run.json as the last file, then put the finished folder in its place."""
    (workspace.result / RUN_FILE).write_text(
        json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    if workspace.out.exists():
        if any(workspace.out.iterdir()):
            os.replace(workspace.out, _free_name(workspace.out))
        else:
            workspace.out.rmdir()
    os.replace(workspace.result, workspace.out)
    shutil.rmtree(workspace.folder, ignore_errors=True)


def release_workspace(workspace: Workspace) -> None:
    """Let another run take the folder; parts stay for the next one."""
    if not any(workspace.parts.glob("*.parquet")):
        shutil.rmtree(workspace.folder, ignore_errors=True)
    workspace.lock.release()
    with suppress(OSError):  # on Windows another run may hold it by now
        Path(workspace.lock.lock_file).unlink()


def _free_name(out: Path) -> Path:
    number = 1
    while (name := out.with_name(f"{out.name}.old-{number}")).exists():
        number += 1
    return name


def _read_key(path: Path) -> dict[str, Any] | None:
    try:
        key: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return key
