"""Submissions -> sketches: the few hundred bytes of a row that grouping needs, so that a million rows fit in memory."""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.cluster.wordings import numerals, shingles, wordings
from pipeline.cluster.words import cut, packed_words
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
        Column("numerals", "int"),  # hash of the digits, and of numbers that count houses, in their order
        Column("wording", "int"),  # hash of title and text without case, width, blanks and punctuation
        Column("bands", "bytes"),  # MinHash bands of the character shingles
        Column("words", "bytes"),  # content words, packed by packed_words
        Column("names", "bytes"),  # what precedes 小区, 路 and the like, such as 绿洲: two characters, 16 bits each
    ),
)

Numbers = npt.NDArray[np.integer]

SURE = 0.7  # probability from which a topic can tell two matters apart
BANDS, BAND_ROWS = (
    16,
    6,
)  # a pair of Jaccard 0.8 is missed once in 125, one of 0.9 once in 100,000, one of 0.4 is seen 6 times in 100
LEAD_WORDS = 12  # a text without a title is titled by its first words
MOST_NAMES = 6
NAME_CHARACTERS = 80  # where a text without a name in its title is searched for one

_NAMED = re.compile(
    # Alternatives, not a class of characters: an expression whose alternatives all begin with a letter is searched for
    # twice as fast.
    "小区|花园|家园|新城|广场|大道|公寓|新村|山庄|公馆|学校|小学|中学|医院|公司|大厦|社区|幼儿园|学院|大学|号线|街道"
    "|路|街|村|苑|城|府|湾|园|里|镇|乡|厂|站|桥|巷"
)
_DIGITS = "一二三四五六七八九"
_LINE = re.compile("(?<![0-9一二三四五六七八九十百])([0-9]{1,2}|[一二三四五六七八九十]{1,3})号线")
# 三号楼 and 五号楼 differ as 3号楼 and 5号楼 do.
_COUNTED = re.compile("[一二三四五六七八九十]+(?=[号栋幢楼组单期区路])")
_NUMERAL_SIGNS = frozenset(_DIGITS + "十")
_PRIVATE = 0xE000  # first code point of private use
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
    worded = wordings([title + text for title, text in zip(titles, texts, strict=True)])
    tokens = list(segmented["title_tokens"]), list(segmented["text_tokens"])
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
            "characters": np.array([len(each) for each in worded], dtype=np.int64),
            "numerals": np.array(
                [
                    code(digits + "".join(_COUNTED.findall(each)))
                    for digits, each in zip(numerals(worded), worded, strict=True)
                ],
                dtype=np.int64,
            ),
            "wording": np.array([code(each) for each in worded], dtype=np.int64),
            "bands": _bands(worded),
            "words": packed_words(
                [title or text[:LEAD_WORDS] for title, text in zip(*tokens, strict=True)], tokens[1], settings.words
            ),
            "names": [_names(title, text) for title, text in zip(titles, texts, strict=True)],
        },
        columns=SKETCHES.names,
    )


def content_words(segmented: pd.DataFrame) -> pd.Series[str]:
    """Per row of table SEGMENTED the words that a sketch is made of, each once, parted by blanks."""
    rows = zip(segmented["title_tokens"], segmented["text_tokens"], strict=True)
    joined = [" ".join(dict.fromkeys(word for word in (*title, *text) if len(word) > 1)) for title, text in rows]
    return pd.Series(joined, index=segmented.index, dtype="str")


def code(text: str) -> int:
    """64 bits of a text as a signed number, 0 for "". Not hash(): str hashes differ between processes."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True) if text else 0


def _codes(names: pd.Series) -> Numbers:
    known = {name: code(name) for name in names.dropna().unique()}
    return np.array([known.get(name, 0) for name in names], dtype=np.int64)


def _mask_code(title: str, text: str) -> int:
    for part in (title, text):
        masks = set(_MASK.findall(part))
        if masks:
            return code(masks.pop()) if len(masks) == 1 else 0
    return 0


def _bands(worded: list[str]) -> list[bytes]:
    from rensa import RMinHash

    n = len(worded)
    hashes, offsets = shingles(worded)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), BANDS * BAND_ROWS, 1)
    numbers = np.fromiter(chain.from_iterable(matrix.to_rows()), dtype=np.uint64, count=n * BANDS * BAND_ROWS)
    signature = numbers.reshape(n, BANDS, BAND_ROWS)
    mixed = np.zeros((n, BANDS), dtype=np.uint64)
    for row in range(BAND_ROWS):
        mixed = (mixed ^ signature[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
    return cut((mixed >> np.uint64(32)).astype("<u4").ravel(), np.full(n, BANDS))


def _names(title: str, text: str) -> bytes:
    """The two characters before a word such as 小区 or 路, of the title or else of the beginning of the text.

    A numbered line is two characters of private use, so that 3号线 and 4号线 share none.
    """
    for part in (title, text[:NAME_CHARACTERS]):
        lines = {_number(number) for number in _LINE.findall(part)}
        names = {part[max(0, each.start() - 2) : each.start()] for each in _NAMED.finditer(part)}
        named = [
            name
            for name in names
            if len(name) == 2
            and all("一" <= sign <= "鿿" for sign in name)
            and not _NO_NAME.intersection(name)
            and not set(name) <= _NUMERAL_SIGNS
        ]
        named += [chr(_PRIVATE + number) + chr(_PRIVATE + 100 + number) for number in lines if number]
        if named:
            return "".join(sorted(named)[:MOST_NAMES]).encode("utf-16-le")
    return b""


def _number(spelled: str) -> int:
    """3, 三, 13, 十三 and 二十三 as numbers."""
    if spelled.isdigit():
        return int(spelled)
    tens, ten, units = spelled.rpartition("十")
    return 10 * (_DIGITS.find(tens) + 1 if tens else 1) * bool(ten) + (_DIGITS.find(units) + 1 if units else 0)
