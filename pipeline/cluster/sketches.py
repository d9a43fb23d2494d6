"""Submissions -> sketches: the few hundred bytes of a row that grouping needs, so that a million rows fit in memory."""

from __future__ import annotations

import re
import unicodedata
import zlib
from functools import lru_cache
from hashlib import blake2b
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.schema import CLASSIFIED, PLACED, SEGMENTED, SUBMISSIONS, Column, Table, check_table
from pipeline.settings import ClusterSettings

# kind "bytes": little-endian uint32 numbers end to end; they cross process borders and lie in Parquet as they are.
SKETCHES = Table(
    "SKETCHES",
    (
        Column("submission_id", "str"),
        Column("submitted_at", "time?"),
        Column("submitter", "int"),  # hash of the name; 0 where unknown
        Column("district", "int"),  # hashes of the places; 0 where unknown
        Column("township", "int"),
        Column("spot", "int"),
        Column("mask", "int"),  # hash of a masked district, as published data has them
        Column("topic", "int"),  # hash of the primary topic; 0 where it is not sure
        Column("characters", "int"),  # letters and digits of title and text
        Column("numerals", "int"),  # hash of the digits in their order
        Column("wording", "int"),  # hash of title and text without case, width, blanks and punctuation
        Column("bands", "bytes"),  # MinHash bands of the character shingles
        Column("words", "bytes"),  # content words, packed by pack_word
        Column("title_pairs", "bytes"),  # hashes of the title's character pairs
        Column("names", "bytes"),  # what precedes 小区, 路 and the like, such as 绿洲: two characters, 16 bits each
    ),
)

Numbers = npt.NDArray[np.integer]

SURE = 0.7  # probability from which a topic can tell two matters apart
SHINGLE = 3  # characters
BANDS, BAND_ROWS = (
    16,
    6,
)  # a pair of Jaccard 0.8 is missed once in 125, one of 0.9 once in 100,000, one of 0.4 is seen 6 times in 100
TITLE_CHARACTERS = 60  # some offices put the whole text into the title
LEAD_CHARACTERS = 30  # a text without a title is titled by its first characters
MOST_NAMES = 6
NAME_CHARACTERS = 80  # where a text without a name in its title is searched for one

_NUMERALS = re.compile(r"\d+")
_NOT_WORDING = re.compile(r"[\W_]+")
_UNUSUAL = re.compile(r"[^0-9A-Za-z\u4e00-\u9fff]")
_CONTENT = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]")
_NAMED = re.compile(
    "小区|花园|家园|新城|广场|大道|公寓|新村|山庄|公馆|学校|小学|中学|医院|公司|大厦|社区|幼儿园|学院|大学|号线|街道|[路街村苑城府湾园里镇乡厂站桥巷]"
)
# The phrases of every letter; a run of a few rows is too small to learn that they say nothing.
_STOCK_WORDS = """
尊敬 领导 书记 市长 您好 你好 我们 他们 你们 自己 本人 大家 这个 那个 这样 这种
什么 怎么 如何 为什么 可以 没有 不能 已经 现在 目前 一直 一个 一些 因为 所以 但是
而且 如果 并且 以及 还有 就是 不是 进行 希望 恳请 请求 请问 咨询 投诉 举报 建议
反映 反应 问题 情况 相关 有关 部门 有关部门 相关部门 解决 处理 回复 答复 谢谢 感谢 此致
敬礼 关于 对于 关注 尽快 帮助 政府 老百姓 百姓 市民 居民 群众 领导您好
"""
_STOCK = frozenset(_STOCK_WORDS.split())
# 这个小区 and 附近道路 name nothing.
_NO_NAME = frozenset("的这本我该个们是在了各某和与及对有为于请求至到从被把将附近周边沿整全多两一某农乡修道公马铁高")
# Published data masks districts as A3区 or A7县. Different masks are different places, but no part of the wording.
_MASK = re.compile(r"[A-Z]\d+[区县市]")


def sketch_submissions(
    submissions: pd.DataFrame,
    segmented: pd.DataFrame,
    classified: pd.DataFrame,
    placed: pd.DataFrame,
    *,
    settings: ClusterSettings,
) -> pd.DataFrame:
    """Reduce each submission to numbers from which duplicates and issues are found; each row alone.

    Parameters
    ----------
    submissions, segmented, classified, placed : tables SUBMISSIONS, SEGMENTED, CLASSIFIED and PLACED of the same rows
    settings : `words` bounds the distinct words kept of a row

    Returns
    -------
    table SKETCHES, same rows and order, index 0..n-1; 300 to 600 bytes a row

    Raises
    ------
    TableError : a column of one of the four tables is missing

    Notes
    -----
    MinHash and bands after Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3, with rensa's RMinHash.
    Only the hash
    of each band is kept: every candidate pair is verified on its texts, so the signature itself is not needed.
    """
    check_table(submissions, SUBMISSIONS, where="sketch_submissions")
    check_table(segmented, SEGMENTED, where="sketch_submissions")
    check_table(classified, CLASSIFIED, where="sketch_submissions")
    check_table(placed, PLACED, where="sketch_submissions")
    titles, texts = submissions["title"].tolist(), submissions["text"].tolist()
    wordings = [wording(title, text) for title, text in zip(titles, texts, strict=True)]
    leads = [
        wording(title[:TITLE_CHARACTERS] or text[:LEAD_CHARACTERS], "")
        for title, text in zip(titles, texts, strict=True)
    ]
    return pd.DataFrame(
        {
            "submission_id": submissions["submission_id"].to_numpy(),
            "submitted_at": submissions["submitted_at"].to_numpy(),
            "submitter": _codes(submissions["submitter"]),
            "district": _codes(placed["district"]),
            "township": _codes(placed["township"]),
            "spot": _codes(placed["spot"]),
            "mask": np.array(
                [_mask_code(title, text) for title, text in zip(titles, texts, strict=True)], dtype=np.int64
            ),
            "topic": np.where(classified["topic_probability"] >= SURE, _codes(classified["topic"]), 0),
            "characters": np.array([len(each) for each in wordings], dtype=np.int64),
            "numerals": np.array([code("".join(_NUMERALS.findall(each))) for each in wordings], dtype=np.int64),
            "wording": np.array([code(each) for each in wordings], dtype=np.int64),
            "bands": _bands(wordings),
            "words": _packed_words(list(segmented["title_tokens"]), list(segmented["text_tokens"]), settings.words),
            "title_pairs": _title_pairs(leads),
            "names": [_names(title, text) for title, text in zip(titles, texts, strict=True)],
        },
        columns=SKETCHES.names,
    )


def content_words(segmented: pd.DataFrame) -> pd.Series[str]:
    """Per row of table SEGMENTED the words that a sketch is made of, each once, parted by blanks."""
    rows = zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)
    joined = [" ".join(dict.fromkeys(word for word in (*title, *text) if len(word) > 1)) for title, text in rows]
    return pd.Series(joined, index=segmented.index, dtype="str")


def wording(title: str, text: str) -> str:
    """Title and text without case, width, blanks and punctuation: equal for two rows of the same wording."""
    kept = _NOT_WORDING.sub("", f"{title}{text}")
    # NFKC costs more than all the rest and changes nothing in plain Chinese.
    if _UNUSUAL.search(kept):
        kept = _NOT_WORDING.sub("", unicodedata.normalize("NFKC", kept))
    return kept.lower()


def shingles(wordings: list[str], width: int = SHINGLE) -> tuple[Numbers, Numbers]:
    """32-bit hashes of all runs of `width` characters (2 or 3), end to end, and the offsets of each row (n + 1);
    repeats are kept.

    A row shorter than `width` has none.
    """
    lengths = np.array([len(each) for each in wordings], dtype=np.int64)
    # The blanks at the end let the sum of shifted slices stay inside the array.
    points = np.frombuffer("".join([*wordings, "   "]).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    mixed = points[:-2] * np.uint64(0x9E3779B97F4A7C15) ^ points[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F)
    if width == 3:
        mixed ^= points[2:] * np.uint64(0x165667B19E3779F9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed >>= np.uint64(32)
    counts = np.maximum(lengths - (width - 1), 0)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    starts = np.cumsum(lengths) - lengths
    return mixed[np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])], offsets


def code(text: str) -> int:
    """64 bits of a text as a signed number, 0 for "". Not hash(): str hashes differ between processes."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True) if text else 0


@lru_cache(maxsize=2**17)  # most words of a batch stood in the batch before
def word_code(word: str) -> int:
    """28 bits of a content word, or -1 for blanks, punctuation, single characters and the phrases of every letter."""
    return zlib.crc32(word.encode()) >> 4 if len(word) > 1 and word not in _STOCK and _CONTENT.search(word) else -1


def _codes(names: pd.Series) -> Numbers:
    known = {name: code(name) for name in names.dropna().unique()}
    return np.array([known.get(name, 0) for name in names], dtype=np.int64)


def _mask_code(title: str, text: str) -> int:
    for part in (title, text):
        masks = set(_MASK.findall(part))
        if masks:
            return code(masks.pop()) if len(masks) == 1 else 0
    return 0


def _bands(wordings: list[str]) -> list[bytes]:
    from rensa import RMinHash

    hashes, offsets = shingles(wordings)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), BANDS * BAND_ROWS, 1)
    signature = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(wordings), BANDS, BAND_ROWS)
    mixed = np.zeros((len(wordings), BANDS), dtype=np.uint64)
    for row in range(BAND_ROWS):
        mixed = (mixed ^ signature[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
    return [row.tobytes() for row in (mixed >> np.uint64(32)).astype("<u4")]


class _WordCodes(dict[str, int]):
    """word_code of each word, worked out once."""

    def __missing__(self, word: str) -> int:
        self[word] = number = word_code(word)
        return number


def _packed_words(titles: list[list[str]], texts: list[list[str]], most: int) -> list[bytes]:
    """Per row its distinct content words: 28 bits of the word, one whether the title has it, three for its count (1
    to 7).

    A word of the title counts twice more. Of a row with more than `most` words those of the title are kept first,
    then what is
    repeated, then long words, which are mostly names.
    """
    n = len(titles)
    codes = _WordCodes()
    title_keys, text_keys = _row_words(titles, codes), _row_words(texts, codes)
    keys, counts = np.unique(np.concatenate([text_keys, title_keys, title_keys]), return_counts=True)
    in_title = np.isin(keys, title_keys)
    rows, numbers = keys >> 28, keys & (2**28 - 1)
    counts = np.minimum(counts, 7)
    per_row = np.bincount(rows, minlength=n)
    if (per_row > most).any():
        known = sorted((number, -len(word)) for word, number in codes.items() if number >= 0)
        shortness = np.array([length for _, length in known])[np.searchsorted([number for number, _ in known], numbers)]
        order = np.lexsort((numbers, shortness, -counts, ~in_title, rows))
        position = np.arange(len(rows)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
        kept = np.sort(order[position < most])
        rows, numbers, counts, in_title = rows[kept], numbers[kept], counts[kept], in_title[kept]
        per_row = np.minimum(per_row, most)
    packed = (numbers << 4 | in_title.astype(np.int64) << 3 | counts).astype("<u4")
    return _cut(packed, per_row)


def _row_words(rows: list[list[str]], codes: _WordCodes) -> Numbers:
    """Of every content word its row << 28 | its code, repeats kept."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    numbers = np.fromiter(map(codes.__getitem__, chain.from_iterable(rows)), dtype=np.int64, count=int(lengths.sum()))
    keys = np.repeat(np.arange(len(rows), dtype=np.int64), lengths) << 28 | numbers
    return keys[numbers >= 0]


def _cut(numbers: Numbers, per_row: Numbers) -> list[bytes]:
    ends = np.cumsum(per_row) * 4
    buffer = numbers.tobytes()
    return [buffer[end - 4 * count : end] for end, count in zip(ends.tolist(), per_row.tolist(), strict=True)]


def _title_pairs(leads: list[str]) -> list[bytes]:
    hashes, offsets = shingles(leads, 2)
    keys = np.unique(np.repeat(np.arange(len(leads), dtype=np.int64), np.diff(offsets)) << 32 | hashes.astype(np.int64))
    return _cut((keys & 0xFFFFFFFF).astype("<u4"), np.bincount(keys >> 32, minlength=len(leads)))


def _names(title: str, text: str) -> bytes:
    """The two characters before a word such as 小区 or 路, of the title or else of the beginning of the text."""
    for part in (title, text[:NAME_CHARACTERS]):
        names = {part[max(0, each.start() - 2) : each.start()] for each in _NAMED.finditer(part)}
        named = [
            name
            for name in names
            if len(name) == 2 and all("一" <= sign <= "鿿" for sign in name) and not _NO_NAME.intersection(name)
        ]
        if named:
            return "".join(sorted(named)[:MOST_NAMES]).encode("utf-16-le")
    return b""
