"""Which encoding a text file is in, found by decoding all of it: a sample would miss the one row that breaks."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.reading.trouble import UnreadableError

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_TOLERATED = 0.01  # share of undecodable bytes among those beyond ASCII; above, it is another encoding
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class TextEncoding:
    """An encoding, and whether some bytes do not fit it.

    Where `damaged`, decode with the error handler `errors`: each such byte becomes half of a surrogate pair, so that
    the row it stands in can be told from the others.
    """

    name: str
    damaged: bool = False

    @property
    def errors(self) -> str:
        """Error handler for open()."""
        return "surrogateescape" if self.damaged else "strict"


def check_encoding_name(name: str | None) -> None:
    """Refuse an encoding that Python does not know.

    Raises
    ------
    SettingsError : names it and the usual ones
    """
    if name is None:
        return
    try:
        "".encode(name)
    except LookupError as error:
        raise SettingsError(f"--encoding: there is no encoding '{name}'. Try utf-8, gb18030 or utf-16.") from error


def find_encoding(path: Path, *, name: str, given: str | None) -> TextEncoding:
    """The encoding of the file at `path`, called `name` before the clerk.

    Parameters
    ----------
    given : the encoding that the user named, or None

    Raises
    ------
    UnreadableError : the given encoding does not fit, or none of UTF-8, GB18030 and UTF-16 does
    """
    with open(path, "rb") as file:
        sample = file.read(_SAMPLE)
    if given is not None:
        return _checked(path, name, given, sample)
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return TextEncoding(encoding, damaged=_first_error(path, encoding) is not None)
    wide = _utf16_without_bom(sample)
    if wide is not None:
        return TextEncoding(wide, damaged=_first_error(path, wide) is not None)
    candidates = ("utf-8", "gb18030")
    for encoding in candidates:
        if _first_error(path, encoding) is None:
            return TextEncoding(encoding)
    share, best = min((_damaged_share(path, encoding), encoding) for encoding in candidates)
    if share <= _TOLERATED:
        return TextEncoding(best, damaged=True)
    raise UnreadableError(f"{_what_fails(path, name, 'utf-8')}，也不是 GB18030；{_advice(sample, 'utf-8')}")


def _checked(path: Path, name: str, given: str, sample: bytes) -> TextEncoding:
    # Files called gbk or gb2312 often hold characters of the larger set.
    encoding = "gb18030" if codecs.lookup(given).name in ("gbk", "gb2312") else given
    if _first_error(path, encoding) is not None:
        raise UnreadableError(f"{_what_fails(path, name, encoding)}；{_advice(sample, encoding)}")
    return TextEncoding(encoding)


def _first_error(path: Path, encoding: str) -> tuple[int, int] | None:
    """The first byte that does not fit and its 1-based line, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with open(path, "rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder may have kept some bytes of the chunk before; none of them is a line end of this text.
                return error.object[error.start], lines + error.object.count(b"\n", 0, error.start) + 1
            if not chunk:
                return None
            lines += chunk.count(b"\n")


def _damaged_share(path: Path, encoding: str) -> float:
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    bad = beyond_ascii = 0
    with open(path, "rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                return 1.0
            bad += sum(text.count(chr(code)) for code in range(0xDC80, 0xDD00))
            beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
            if not chunk:
                return bad / max(beyond_ascii, 1)


def _utf16_without_bom(sample: bytes) -> str | None:
    """UTF-16 shows in the zero bytes of its commas, digits and line ends, all on one side."""
    zeros = sample.count(b"\x00")
    if zeros < max(2, len(sample) // 200):
        return None
    odd = sample[1::2].count(b"\x00")
    for encoding, share in (("utf-16-le", odd / zeros), ("utf-16-be", 1 - odd / zeros)):
        if share < 0.9:
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)("strict").decode(sample)
        except UnicodeDecodeError:
            continue
        if sum(map(_is_usual, text)) > 0.8 * len(text):
            return encoding
    return None


def _is_usual(character: str) -> bool:
    return (
        " " <= character <= "~"
        or character in "\r\n\t"
        or "\u4e00" <= character <= "\u9fff"
        or "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffef"
    )


def _what_fails(path: Path, name: str, encoding: str) -> str:
    error = _first_error(path, encoding)
    byte, row = error if error is not None else (0, 1)
    return f"{name} 不是 {encoding.upper()} 编码（第 {row} 行有字节 0x{byte:02x}）"


def _advice(sample: bytes, tried: str) -> str:
    from charset_normalizer import from_bytes

    fitting = [encoding for bom, encoding in _BOMS if sample.startswith(bom)]
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(sample)
        except UnicodeDecodeError:
            continue
        fitting.append(encoding)
    best = from_bytes(sample).best()
    if best is not None:
        fitting.append(best.encoding)
    usable = [encoding for encoding in fitting if encoding != tried]
    if usable:
        return f"请加选项 --encoding {usable[0]} 再试"
    return "请用 Excel 或记事本打开，另存为 UTF-8 编码再试"
