"""Which files are read, what they are called, and what they really contain."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from pipeline.errors import InputError
from pipeline.reading.trouble import UnreadableError

READABLE = (".csv", ".tsv", ".xlsx", ".xls", ".jsonl", ".parquet", ".docx", ".txt")

_SAVE_AS = {
    ".doc": "请用 Word 或 WPS 打开，另存为 .docx 再处理",
    ".wps": "请用 WPS 打开，另存为 .docx 再处理",
    ".rtf": "请用 Word 或 WPS 打开，另存为 .docx 再处理",
    ".et": "请用 WPS 打开，另存为 .xlsx 再处理",
    ".xlsm": "请用 Excel 打开，另存为 .xlsx 再处理",
    ".xlsb": "请用 Excel 打开，另存为 .xlsx 再处理",
    ".ods": "请用 Excel 或 WPS 打开，另存为 .xlsx 再处理",
    ".json": "请改为每行一条记录的 .jsonl 再处理",
    ".pdf": "PDF 读不了，请把文字复制到 Word 存为 .docx，或录入 Excel 表格",
    ".ofd": "OFD 读不了，请把文字复制到 Word 存为 .docx，或录入 Excel 表格",
    ".zip": "压缩包读不了，请先解压",
    ".rar": "压缩包读不了，请先解压",
    ".7z": "压缩包读不了，请先解压",
}
_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".heic"}
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class InputFile:
    """One file to be read.

    Attributes
    ----------
    path : where it is
    name : as a clerk sees it: the file name, or the path below the given folder with forward slashes; unique in a run
    sha256 : 64 hex digits of the content; "" where the file cannot be opened
    bytes : size; 0 where the file cannot be opened
    """

    path: Path
    name: str
    sha256: str
    bytes: int


def list_inputs(paths: Iterable[Path | str], *, leave_out: Path | None = None) -> list[InputFile]:
    """The files named by `paths`, folders expanded.

    Parameters
    ----------
    paths : files and folders; a folder is searched to the bottom, in order of the names' code points, so that the
        order is the same on every machine. Hidden files, lock files of Office (``~$``) and what systems leave behind
        are passed by. A file that is named twice is read once. Folders that hold a finished run of ours are passed
        by, or last week's result would be read as letters.
    leave_out : output folder of this run; it, its unfinished and its renamed older copies are passed by

    Returns
    -------
    files in the order given; those of a type that cannot be read are among them, so that reading reports each

    Raises
    ------
    InputError : a path does not exist, or nothing is left to read
    """
    named: dict[Path, tuple[Path, str]] = {}
    passed_by = _own_output(leave_out)
    given = [Path(path) for path in paths]
    for path in given:
        if path.is_dir():
            below = sorted((PurePath(found.relative_to(path)).as_posix(), found) for found in _walk(path, passed_by))
            for name, found in below:
                named.setdefault(found.resolve(), (found, name))
        elif path.exists():
            named.setdefault(path.resolve(), (path, path.name))
        else:
            raise InputError(
                f"There is no file or folder {path}. Check the path, and put it in quotes if it has blanks."
            )
    if not named:
        places = ", ".join(map(str, given)) or "no path"
        raise InputError(f"Nothing to read in {places}. Give a folder or files of {' '.join(READABLE)}.")
    return _with_unique_names([_described(path, name) for path, name in named.values()])


def content_kind(file: InputFile) -> str:
    """What the file really is: csv, workbook, docx, txt, jsonl or parquet, by content where that is cheap to see.

    Raises
    ------
    UnreadableError : absent, empty, protected, or of a type that cannot be read
    """
    suffix = file.path.suffix.lower()
    try:
        with open(file.path, "rb") as opened:
            head = opened.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableError(f"文件打不开（{error.strerror}），请关闭正在使用它的程序并检查权限") from error
    if suffix in _SAVE_AS:
        raise UnreadableError(_SAVE_AS[suffix])
    if suffix in _PICTURES:
        raise UnreadableError("图片读不了，请把文字录入 Word 存为 .docx，或录入 Excel 表格")
    if suffix not in READABLE:
        raise UnreadableError(f"不支持 {suffix or '没有扩展名'} 的文件，可读的有 {' '.join(READABLE)}")
    if not head.strip(b"\x00 \r\n\t\xef\xbb\xbf"):
        raise UnreadableError("文件是空的，请检查是否下载完整")
    return _kind_by_content(file.path, suffix, head)


def _kind_by_content(path: Path, suffix: str, head: bytes) -> str:
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"%PDF"):
        raise UnreadableError(_SAVE_AS[".pdf"])
    if suffix in (".docx", ".parquet"):
        raise UnreadableError(f"内容不是 {suffix} 格式，可能已损坏；请重新下载，或打开后另存为 {suffix}")
    if suffix in (".xlsx", ".xls"):
        start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if start.startswith(b"<"):
            raise UnreadableError("这个表格其实是网页或 XML 格式，请用 Excel 打开，另存为 .xlsx 再处理")
        # Biff of Excel 2 to 4 begins so; later ones sit in the container seen above.
        if head.startswith((b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")):
            return "workbook"
        if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnreadableError(f"内容不是 {suffix} 格式，可能已损坏；请重新下载，或打开后另存为 .xlsx")
        return "csv"  # many systems export delimited text under this name
    return {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".txt": "txt"}[suffix]


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError("文件已损坏或没有下载完整，请重新下载，或用 Office/WPS 修复后另存") from error
    if any(name.startswith("word/") for name in names):
        return "docx"
    if any(name.startswith("xl/") for name in names):
        return "workbook"
    raise UnreadableError("这是压缩包或别的格式，请解压，或打开后另存为 .xlsx 或 .docx")


def _ole_kind(path: Path) -> str:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableError("文件设有打开密码，请去掉密码另存后再处理")
    if "WordDocument".encode("utf-16-le") in content:
        raise UnreadableError(_SAVE_AS[".doc"])
    return "workbook"


def _own_output(out: Path | None) -> Callable[[Path], bool]:
    """Whether a folder is the output of this run, what a killed one left, an older copy, or any finished run."""
    mine = Path(os.path.abspath(out)) if out is not None else None

    def is_ours(folder: Path) -> bool:
        path = Path(os.path.abspath(folder))
        if mine is not None and path.parent == mine.parent:
            rest = path.name.removeprefix(mine.name)
            if path.name.startswith(mine.name) and (rest in ("", ".partial") or rest.startswith(".old-")):
                return True
        return (folder / "run.json").exists() and (folder / "routed.parquet").exists()

    return is_ours


def _walk(folder: Path, passed_by: Callable[[Path], bool]) -> Iterator[Path]:
    for entry in folder.iterdir():
        if (
            entry.name.startswith((".", "~$"))
            or entry.name.endswith(".partial.lock")
            or entry.name.lower() in _SYSTEM_FILES
        ):
            continue
        if entry.is_dir():
            if not entry.is_symlink() and not passed_by(entry):  # a link to a folder above would never end
                yield from _walk(entry, passed_by)
        else:
            yield entry


def _described(path: Path, name: str) -> InputFile:
    try:
        with open(path, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return InputFile(path, name, digest, path.stat().st_size)
    except OSError:
        return InputFile(path, name, "", 0)  # reading tells the reason, so that the other files are still processed


def _with_unique_names(files: Sequence[InputFile]) -> list[InputFile]:
    """Two files of one name from two folders get as much of their folders as tells them apart."""
    taken: dict[str, int] = {}
    for file in files:
        taken[file.name] = taken.get(file.name, 0) + 1
    return [file if taken[file.name] == 1 else replace(file, name=_longer_name(file, files)) for file in files]


def _longer_name(file: InputFile, files: Sequence[InputFile]) -> str:
    parts = file.path.resolve().parts
    rivals = [other.path.resolve().parts for other in files if other.name == file.name and other is not file]
    length = len(PurePath(file.name).parts) + 1
    while length < len(parts) and any(rival[-length:] == parts[-length:] for rival in rivals):
        length += 1
    return PurePath(*parts[-length:]).as_posix()
