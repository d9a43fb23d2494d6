"""Tokens -> the content words of a row as packed numbers, by numpy over the code points of a whole batch."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from itertools import count

import numpy as np
import numpy.typing as npt

from pipeline.cluster.wordings import code_points

Numbers = npt.NDArray[np.int64]

_CONTENT = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]")
# The phrases of every letter; a run of a few rows is too small to learn that they say nothing.
_STOCK_WORDS = """
尊敬 领导 书记 市长 您好 你好 我们 他们 你们 自己 本人 大家 这个 那个 这样 这种
什么 怎么 如何 为什么 可以 没有 不能 已经 现在 目前 一直 一个 一些 因为 所以 但是
而且 如果 并且 以及 还有 就是 不是 进行 希望 恳请 请求 请问 咨询 投诉 举报 建议
反映 反应 问题 情况 相关 有关 部门 有关部门 相关部门 解决 处理 回复 答复 谢谢 感谢 此致
敬礼 关于 对于 关注 尽快 帮助 政府 老百姓 百姓 市民 居民 群众 领导您好
"""
_STOCK = frozenset(_STOCK_WORDS.split())

# Words of two to _LONGEST characters of _FIRST and the _SIGNS that follow it, nearly all words there are, get their
# numbers by table; the others one by one.
_FIRST, _SIGNS, _LONGEST = 0x4E00, 0x5200, 4
_PARTING = "\uffff"  # never a character, so no token has it
_MOST_LENGTH = 63  # a longer word ranks as one of this length


@lru_cache(maxsize=2**17)  # the same few numerals and Latin words come in every batch
def word_code(word: str) -> int:
    """28 bits of a content word, or -1 for blanks, punctuation, single characters and the phrases of every letter."""
    return zlib.crc32(word.encode()) >> 4 if len(word) > 1 and word not in _STOCK and _CONTENT.search(word) else -1


def packed_words(titles: list[list[str]], texts: list[list[str]], most: int) -> list[bytes]:
    """Per row its distinct content words, ascending: 28 bits of the word, one whether the title has it, three for its
    count (1 to 7).

    A word of the title counts twice more. Of a row with more than `most` words those of the title are kept first,
    then what is repeated, then long words, which are mostly names.
    """
    n = len(titles)
    parts, codes, lengths = content_codes([*titles, *texts])
    keys = parts % n << 36 | codes << 8 | np.minimum(lengths, _MOST_LENGTH) << 1 | (parts < n)
    keys.sort()
    starts = np.flatnonzero(np.diff(keys >> 8, prepend=-1))
    in_title = np.add.reduceat(keys & 1, starts) if len(starts) else starts
    ends = np.append(starts[1:], len(keys))
    counts = np.minimum(ends - starts + in_title, 7)
    # What is kept first has the smaller key: all that is asked of a word is in it.
    length = keys[ends - 1] >> 1 & 127 if len(starts) else starts
    ranked = keys[starts] >> 36 << 38 | (in_title == 0) << 37 | (7 - counts) << 34 | (_MOST_LENGTH - length) << 28
    ranked |= keys[starts] >> 8 & (2**28 - 1)
    ranked.sort()
    per_row = np.bincount(ranked >> 38, minlength=n)
    place = np.arange(len(ranked)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    ranked = ranked[place < most]
    kept = ranked >> 38 << 32 | (ranked & (2**28 - 1)) << 4 | (~ranked >> 37 & 1) << 3 | 7 - (ranked >> 34 & 7)
    kept.sort()
    return cut((kept & 0xFFFFFFFF).astype("<u4"), np.minimum(per_row, most))


def content_codes(rows: list[list[str]]) -> tuple[Numbers, Numbers, Numbers]:
    """Of every content word, repeats kept, its row, its `word_code` and its length in characters; by row."""
    joined = [*map(_PARTING.join, rows)]
    text = _PARTING.join([*joined, ""])
    points = code_points(text)
    ends = np.flatnonzero(points == ord(_PARTING))
    lengths = np.diff(ends, prepend=-1) - 1
    several = np.flatnonzero(lengths > 1)
    ends, lengths = ends[several], lengths[several]
    row_ends = np.cumsum(np.fromiter(map(len, joined), dtype=np.int64, count=len(rows)) + 1)
    row_of = np.repeat(np.arange(len(rows)), np.diff(np.searchsorted(ends, row_ends), prepend=0))
    codes = np.full(len(ends), -1, dtype=np.int64)
    slow = lengths > _LONGEST
    for length in range(2, _LONGEST + 1):
        words = np.flatnonzero(lengths == length)
        crcs, plain = _crcs(points, ends[words] - length, length)
        plain_codes = (crcs[plain] >> 4).astype(np.int64)
        plain_codes[_is_stock(crcs[plain])] = -1
        codes[words[plain]] = plain_codes
        slow[words[~plain]] = True
    others = np.flatnonzero(slow)
    spans = zip((ends - lengths)[others].tolist(), ends[others].tolist(), strict=True)
    codes[others] = [word_code(text[start:end]) for start, end in spans]
    known = codes >= 0
    return row_of[known], codes[known], lengths[known]


def cut(numbers: npt.NDArray[np.uint32], per_row: Numbers) -> list[bytes]:
    """The bytes of `per_row` numbers for each row."""
    ends = np.cumsum(per_row) * numbers.itemsize
    buffer = numbers.tobytes()
    starts = (ends - per_row * numbers.itemsize).tolist()
    return [buffer[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]


def _crcs(
    points: npt.NDArray[np.uint32], starts: Numbers, length: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """CRC-32 of the UTF-8 of words of one length, and whether a word has Chinese characters only, or it is void."""
    crcs = np.full(len(starts), zlib.crc32(bytes(3 * length)), dtype=np.uint32)
    plain = np.ones(len(starts), dtype=bool)
    for place in range(length):
        signs = points[starts + place] - np.uint32(_FIRST)  # what is smaller wraps round to large numbers
        plain &= signs < _SIGNS
        crcs ^= _shares()[length - 1 - place].take(signs, mode="clip")
    return crcs, plain


@lru_cache(maxsize=1)
def _shares() -> npt.NDArray[np.uint32]:
    """What a character with 0, 1, ... others behind it changes in the CRC-32 of a word, which is linear over exclusive
    or; shape (_LONGEST, _SIGNS).
    """
    signs = [chr(number).encode() for number in range(_FIRST, _FIRST + _SIGNS)]
    behind = [(bytes(3 * count), zlib.crc32(bytes(3 * count + 3))) for count in range(_LONGEST)]
    return np.array([[zlib.crc32(sign + rest) ^ none for sign in signs] for rest, none in behind], dtype=np.uint32)


@lru_cache(maxsize=1)
def _stock_crcs() -> npt.NDArray[np.uint32]:
    """The CRC of each stock word at its remainder by the table's size, at which no two of them meet."""
    crcs = [zlib.crc32(word.encode()) for word in _STOCK]
    size = next(size for size in count(len(crcs)) if len({crc % size for crc in crcs}) == len(crcs))
    table = np.arange(1, size + 1, dtype=np.uint32)  # an empty place has a number that belongs elsewhere
    table[[crc % size for crc in crcs]] = crcs
    return table


def _is_stock(crcs: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Whether each is the CRC of a stock word."""
    table = _stock_crcs()
    return np.asarray(table[crcs % np.uint32(len(table))] == crcs)
