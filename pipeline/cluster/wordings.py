"""Texts -> wordings, and wordings -> shingles, by numpy over the code points of a whole batch."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

SHINGLE = 3  # characters

_NOT_WORDING = re.compile(r"[\W_]+")
_PLAIN = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]")
_WIDE = re.compile(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")  # the same letters and digits, as wide as Chinese
_DROPPED, _UNUSUAL = 0, 1  # what _folded() has for a character that stands alone for no character of a wording
_BEYOND = 0x10000  # characters from here on are looked up as one


def wording(text: str) -> str:
    """The text without case, width, blanks and punctuation: equal for two rows of the same wording."""
    kept = unicodedata.normalize("NFKC", _NOT_WORDING.sub("", text))
    return _NOT_WORDING.sub("", kept).lower()


def wordings(texts: list[str]) -> list[str]:
    """`wording` of each text."""
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    signs = _folded().take(code_points("".join(texts)), mode="clip")
    places = np.flatnonzero(signs)  # _DROPPED is 0
    kept = signs[places]
    bounds = np.concatenate([[0], np.searchsorted(places, ends)])
    together = kept.tobytes().decode("utf-16-le")
    found = [together[start:end] for start, end in pairwise(bounds.tolist())]
    unusual = np.searchsorted(bounds, np.flatnonzero(kept == _UNUSUAL), side="right") - 1
    for row in set(unusual.tolist()):
        found[row] = wording(texts[row])
    return found


def numerals(wordings: list[str]) -> list[str]:
    """The digits 0 to 9 of each wording, in their order."""
    ends = np.cumsum(np.fromiter(map(len, wordings), dtype=np.int64, count=len(wordings)))
    points = code_points("".join(wordings))
    places = np.flatnonzero(points - np.uint32(ord("0")) < 10)  # what is smaller wraps round to large numbers
    together = points[places].astype(np.uint8).tobytes().decode("ascii")
    bounds = np.concatenate([[0], np.searchsorted(places, ends)])
    return [together[start:end] for start, end in pairwise(bounds.tolist())]


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The number of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def shingles(wordings: list[str], width: int = SHINGLE) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """32-bit hashes of all runs of `width` characters (2 or 3), end to end, and the offsets of each row (n + 1);
    repeats are kept.

    A row shorter than `width` has none.
    """
    lengths = np.fromiter(map(len, wordings), dtype=np.int64, count=len(wordings))
    ends = np.cumsum(lengths)
    # The blanks at the end let the shifted slices be as long as the text.
    points = code_points("".join([*wordings, "  "])).astype(np.uint64)
    mixed = points[:-2] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= points[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F)
    if width == 3:
        mixed ^= points[2:] * np.uint64(0x165667B19E3779F9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed >>= np.uint64(32)
    inside = np.ones(len(mixed), dtype=bool)
    for back in range(1, width):  # these runs would end in the next row
        inside[ends[lengths >= back] - back] = False
    return mixed[inside], np.concatenate([[0], np.cumsum(np.maximum(lengths - (width - 1), 0))])


@lru_cache(maxsize=1)
def _folded() -> npt.NDArray[np.uint16]:
    """Of each character up to U+FFFF what stands for it in a wording, _DROPPED, or _UNUSUAL where `wording` must see
    the whole text: NFKC makes several characters of ㎡ and one of two jamo. The last entry is for all beyond.
    """
    folded = np.full(_BEYOND + 1, _DROPPED, dtype=np.uint16)
    for number in range(_BEYOND):
        sign = chr(number)
        if _PLAIN.match(sign) or _WIDE.match(sign):
            folded[number] = ord(unicodedata.normalize("NFKC", sign).lower())
        elif not _NOT_WORDING.match(sign):
            folded[number] = _UNUSUAL
    folded[_BEYOND] = _UNUSUAL
    return folded
