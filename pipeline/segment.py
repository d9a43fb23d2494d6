"""Submissions -> tokens: jieba's dictionary and rules, run by rjieba.

rjieba reads some characters otherwise than jieba (80-90, 4.2.3, rare Chinese characters). `normalize` takes away what
the two dispute, so that the engines give the same tokens; a test holds that. What is left are guesses on a character
repeated three times (as in 噪噪噪), where two readings are equally likely.

The reference is jieba: `segment.engine = "jieba"`.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError, SettingsError
from pipeline.schema import SEGMENTED, SUBMISSIONS, check_table, typed
from pipeline.settings import SegmentSettings

# Characters whose compatibility form is a letter, a digit or a Chinese character: Ａ ９ ① ㎡ 豈. Full-width punctuation
# is left out on purpose: it never reaches a token, and normalizing every text would cost a third of the cutting.
_COMPATIBLE = re.compile(
    "[\u00aa\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u2070-\u218f\u2460-\u24ff\u2e80-\u2fdf\u3200-\u33ff"
    "\uf900-\ufaff\ufb00-\ufb06\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\U0001d400-\U0001d7ff\U0002f800-\U0002fa1f]"
)
# rjieba joins these to words, jieba splits them; what they join is cut at them in both.
_JOINERS = "-+#&_.%"
# Chinese characters that jieba's rules do not know and rjieba's do.
_RARE = re.compile("([\u3400-\u4dbf\u9fd6-\u9fff\U00020000-\U0003ffff])")
# Marks within a word that are no word themselves, and that people paste without seeing them.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
# A line of jieba's own dictionary format: word, frequency, tag.
_DICTIONARY_LINE = re.compile(r"^(.+?)(?: ([0-9]+))?(?: ([a-z]+))?$")


def normalize(text: str) -> str:
    """Give `text` the form that is cut: the same for every engine, length not kept.

    Full-width letters and digits become plain, invisible marks vanish, and - + # & _ . % become blanks. Case is kept,
    and so are traditional characters: tokens are what the writer wrote.
    """
    if _COMPATIBLE.search(text):
        text = unicodedata.normalize("NFKC", text)
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
    for joiner in _JOINERS:
        text = text.replace(joiner, " ")
    if _RARE.search(text):
        text = _RARE.sub(r" \1 ", text)
    return text


@dataclass(frozen=True)
class Segmenter:
    """Cuts text into tokens. Not to be pickled: a worker opens its own (0.2 s)."""

    _cut: Callable[[str], list[str]]

    def cut(self, text: str) -> list[str]:
        """Tokens of `text` in order: words, numbers, Latin; blanks, punctuation and emoji are dropped.

        A token holds letters, digits and Chinese characters only, so 3.5 gives 3 and 5.
        """
        return list(filter(str.isalnum, self._cut(normalize(text))))


def open_segmenter(dictionaries: Iterable[Path], *, settings: SegmentSettings, words: Iterable[str] = ()) -> Segmenter:
    """Load jieba's dictionary and lay the user's words over it.

    Parameters
    ----------
    dictionaries : files in jieba's format, `word [frequency] [tag]` a line, UTF-8
    settings : engine, and whether to guess words that no dictionary has
    words : further words, such as the names of places; they get the frequency that makes jieba keep them whole;
        one with a blank, a sign or a rare character in it is cut there all the same and therefore left out

    Raises
    ------
    InputError : a dictionary is absent, is not UTF-8, or has a line that cannot be a word
    SettingsError : the engine is neither rjieba nor jieba
    """
    entries = list(_read_dictionaries(dictionaries))
    known = {word for word, _, _ in entries}
    for word in dict.fromkeys(words):
        plain = normalize(word)
        if plain.isalnum() and plain not in known:
            entries.append((plain, None, None))
            known.add(plain)
    if settings.engine == "rjieba":
        return Segmenter(_open_rjieba(entries, hmm=settings.hmm))
    if settings.engine == "jieba":
        return Segmenter(_open_jieba(entries, hmm=settings.hmm))
    raise SettingsError(
        f"No engine '{settings.engine}' in [segment]. Use engine = 'rjieba' (fast) or 'jieba' (reference)."
    )


def segment_submissions(submissions: pd.DataFrame, *, segmenter: Segmenter) -> pd.DataFrame:
    """Cut each submission's title and text into tokens.

    Parameters
    ----------
    submissions : table SUBMISSIONS, one row per submission
    segmenter : from `open_segmenter`

    Returns
    -------
    table SEGMENTED, same rows, order and index; both lists are empty for a blank submission

    Raises
    ------
    TableError : a column of SUBMISSIONS is missing
    """
    check_table(submissions, SUBMISSIONS, where="segment_submissions")
    segmented = pd.DataFrame(
        {
            "submission_id": submissions["submission_id"],
            "title_tokens": pd.Series(
                map(segmenter.cut, submissions["title"]), index=submissions.index, dtype="object"
            ),
            "text_tokens": pd.Series(map(segmenter.cut, submissions["text"]), index=submissions.index, dtype="object"),
        },
        index=submissions.index,
    )
    return typed(segmented, SEGMENTED)


_Entry = tuple[str, int | None, str | None]


def _read_dictionaries(dictionaries: Iterable[Path]) -> Iterable[_Entry]:
    for path in dictionaries:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise InputError(f"Cannot read the dictionary {path} ({error.strerror}). Check its path.") from error
        except UnicodeDecodeError as error:
            raise InputError(f"The dictionary {path} is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
        for number, line in enumerate(lines, start=1):
            match = _DICTIONARY_LINE.match(line.strip())
            if match is None:  # a blank line
                continue
            word, frequency, tag = match.groups()
            plain = normalize(word)
            if not plain.isalnum() or (frequency and int(frequency) == 0):
                raise InputError(
                    f"{path} line {number}: '{line.strip()}' cannot be a word of the dictionary. Write letters, digits "
                    f"or Chinese characters, then if wanted a frequency above 0 and a tag, like: 群力新区 100 ns"
                )
            yield plain, int(frequency) if frequency else None, tag


def _open_rjieba(entries: list[_Entry], *, hmm: bool) -> Callable[[str], list[str]]:
    import rjieba

    engine = rjieba.Jieba()
    for word, frequency, tag in entries:
        engine.add_word(word, engine.suggest_freq(word) if frequency is None else frequency, tag or "")

    def cut(text: str) -> list[str]:
        tokens: list[str] = engine.cut(text, hmm)
        return tokens

    return cut


def _open_jieba(entries: list[_Entry], *, hmm: bool) -> Callable[[str], list[str]]:
    with warnings.catch_warnings():
        # jieba 0.42.1 has escapes in its own source that Python warns of when it compiles them.
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel("WARNING")
    engine = jieba.Tokenizer()
    for word, frequency, tag in entries:
        engine.add_word(word, frequency, tag)

    def cut(text: str) -> list[str]:
        tokens: list[str] = engine.lcut(text, HMM=hmm)
        return tokens

    return cut
