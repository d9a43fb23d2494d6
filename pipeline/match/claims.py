"""What the duty clauses say in a batch: each clause by its words and topic, each kind of department by its clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.directory import Directory
from pipeline.match.flat import Doubles, Ints, first_of_each, flatten
from pipeline.match.urgency import is_other_word, may_be_other_word
from pipeline.phrases import Phrases, spans
from pipeline.settings import MatchSettings

_CLAIMS = 6  # kinds kept in a row, twice what a clerk is offered

# Who and where, seldom what: 幼儿园门口堵车 is no matter of nursery schools. In the text and with no other word of its
# clause such a word says little; in a title it is mostly the matter itself.
_BARE = frozenset(
    (
        *("幼儿园", "操场", "教学楼", "宿舍", "高考", "中考", "高校", "大学生", "学校", "小学", "中学", "大学", "食堂"),
        *("医院", "大夫", "门诊", "住院", "卫生院", "儿科", "药店", "养老院", "敬老院", "福利院", "殡仪馆"),
        *("中介", "房东", "开发商", "售楼处", "物业", "保安", "业委会", "环卫工", "清洁工", "保洁员", "志愿者", "游客"),
        *("身份证", "户口", "户口本", "派出所", "民警", "法院", "律师", "村委会", "居委会", "网格员", "街道办"),
        *("超市", "饭店", "宾馆", "酒店", "旅馆", "银行", "邮局", "营业厅", "菜市场", "健身房", "游泳馆", "加油站"),
        *("公园", "博物馆", "图书馆", "景区", "体育馆", "体育场", "火车站", "客运站", "地铁站", "公交站"),
        *("开发区", "园区", "厂房", "工业园", "自然屯"),
    )
)
_BARE_WEIGHT = 0.25


@dataclass(frozen=True, eq=False)
class Claims:
    """What speaks for kinds of department in some rows; one entry for each row and kind, in order of both.

    Attributes
    ----------
    kinds : names of kinds, sorted
    row, kind : of each entry; `kind` is a place in `kinds`
    share : of the evidence of all kinds in the row, 0 to 1
    duty : the clause that says most, a position in Directory.duties
    words : how many of its words were found, 0 where only the topic speaks for the kind
    """

    kinds: tuple[str, ...]
    row: Ints
    kind: Ints
    share: Doubles
    duty: Ints
    words: Ints
    _directory: Directory | None
    _texts: tuple[Sequence[str], Sequence[str]]
    _hits: _Hits

    def quote(self, row: int, duty: int) -> tuple[str, ...]:
        """The words of a clause as written in a row, those of the title first, in order."""
        return self._hits.quote(row, duty, self._directory, self._texts) if self._directory is not None else ()


@dataclass(frozen=True, eq=False)
class _Hits:
    """Words of clauses found, each once in a row: in the title if it stands there, else in the text."""

    row: Ints
    word: Ints
    titled: NDArray[np.bool_]
    start: Ints
    end: Ints

    @cached_property
    def _by_row(self) -> tuple[list[int], list[tuple[bool, int, int, int]]]:
        """Where each row begins, and of each hit: in the text, start, end, word. Lists are read ten times as fast."""
        rows = int(self.row[-1]) + 1 if len(self.row) else 0
        begins = np.searchsorted(self.row, np.arange(rows + 1)).tolist()
        columns = (~self.titled, self.start, self.end, self.word)
        return begins, list(zip(*(column.tolist() for column in columns), strict=True))

    def quote(
        self, row: int, duty: int, directory: Directory, texts: tuple[Sequence[str], Sequence[str]]
    ) -> tuple[str, ...]:
        begins, hits = self._by_row
        if row + 1 >= len(begins):
            return ()
        holders = directory.duties_by_word
        found = sorted(hit for hit in hits[begins[row] : begins[row + 1]] if duty in holders[hit[3]])
        return tuple(texts[in_text][row][start:end] for in_text, start, end, _ in found)


def find_claims(
    titles: Sequence[str],
    texts: Sequence[str],
    classified: pd.DataFrame,
    *,
    directory: Directory | None,
    settings: MatchSettings,
) -> Claims:
    """Claims of all rows; none where no clause fits, or there are no duties."""
    if directory is None or not directory.duties:
        none, no_share = np.zeros(0, dtype=np.int64), np.zeros(0)
        hits = _Hits(none, none, none.astype(bool), none, none)
        return Claims((), none, none, no_share, none, none, directory, (titles, texts), hits)
    hits = _find_words(titles, texts, directory)
    topics, floor = _topics(classified, directory, settings)
    row, duty, score, words = _scores(hits, topics, floor, directory, settings)
    clauses = directory.clauses
    kind = clauses.kind[duty]
    # A clause whose words stand in the text is evidence; the topic's general one only fills the gap.
    order = np.lexsort((duty, -score, words == 0, kind, row))
    row, duty, words, kind, score = row[order], duty[order], words[order], kind[order], score[order]
    best = first_of_each(row * len(clauses.kinds) + kind)
    total = np.bincount(row, weights=score, minlength=len(titles))
    sums = np.add.reduceat(score, best) if len(best) else score
    row, kind, duty, words = row[best], kind[best], duty[best], words[best]
    share = sums / np.where(total > 0, total, 1.0)[row]
    ranked = np.lexsort((kind, -share, row))
    place = np.empty(len(row), dtype=np.int64)
    place[ranked] = np.arange(len(row)) - np.searchsorted(row, row)
    kept = (place < _CLAIMS) & (total[row] > 0)
    return Claims(
        clauses.kinds, row[kept], kind[kept], share[kept], duty[kept], words[kept], directory, (titles, texts), hits
    )


def _find_words(titles: Sequence[str], texts: Sequence[str], directory: Directory) -> _Hits:
    phrases = directory.duty_words
    written = [*titles, *texts]
    found = phrases.locate(written)
    doubtful = _word_marks(phrases)[0][found.word]
    harmless = [
        hit
        for hit in np.flatnonzero(doubtful).tolist()
        if is_other_word(written[found.text[hit]], int(found.start[hit]))
    ]
    source, start, end, word = (np.delete(column, harmless) for column in found)
    row, titled = source % max(1, len(titles)), source < len(titles)
    # Titles stand before texts, and hits in order, so of each word the first is the one that counts.
    key = row * len(phrases.words) + word
    order = np.argsort(key, kind="stable")
    first = order[first_of_each(key[order])]
    return _Hits(row[first], word[first], titled[first], start[first], end[first])


@lru_cache(maxsize=1)
def _word_marks(phrases: Phrases) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each word, whether it may be part of another one, and whether it is bare; the same for all batches."""
    marks = np.array([(may_be_other_word(word), word in _BARE) for word in phrases.words], dtype=bool).reshape(-1, 2)
    return marks[:, 0], marks[:, 1]


def _topics(classified: pd.DataFrame, directory: Directory, settings: MatchSettings) -> tuple[Doubles, Doubles]:
    """Probability of each of the directory's topics in each row, with a last column of zeros, and its least value."""
    number = {topic.key: place for place, topic in enumerate(directory.topics)}
    row, labels = flatten(classified["topic_labels"])
    _, probabilities = flatten(classified["topic_probabilities"])
    place = np.array([number.get(label, -1) for label in labels], dtype=np.int64)
    known = place >= 0
    topics = np.zeros((len(classified), len(number) + 1))
    topics[row[known], place[known]] = np.array(probabilities, dtype=np.float64)[known]
    # A bundle that learned labels of its own says nothing about the directory's topics: words decide alone.
    floor = np.full(len(classified), 1.0 / max(1, len(number)))
    floor[row[known]] = settings.topic_floor
    return topics, floor


def _scores(
    hits: _Hits, topics: Doubles, floor: Doubles, directory: Directory, settings: MatchSettings
) -> tuple[Ints, Ints, Doubles, Ints]:
    """Row, clause, score and number of words found, for each clause that something speaks for."""
    clauses, duties = directory.clauses, len(directory.duties)
    entry, at = spans(clauses.begins[hits.word], clauses.begins[hits.word + 1])
    bare = _word_marks(directory.duty_words)[1][hits.word] & ~hits.titled
    holders = np.diff(clauses.begins)[hits.word]
    # A word of many clauses tells little between them.
    weight = np.where(hits.titled, settings.title_weight, 1.0) / np.sqrt(np.maximum(1, holders))
    key = hits.row[entry] * duties + clauses.holders[at]
    order = np.argsort(key, kind="stable")
    key, entry = key[order], entry[order]
    first = first_of_each(key)
    strength, words = np.zeros(0), np.zeros(0, dtype=np.int64)
    if len(first):
        strength = np.add.reduceat(weight[entry], first)
        words = np.diff(np.append(first, len(key)))
        strength[(words == 1) & bare[entry[first]]] *= _BARE_WEIGHT
    row, duty = np.divmod(key[first], duties)
    spoken = np.maximum(topics[row, clauses.topic[duty]], floor[row]) * np.log1p(strength)

    # What a topic falls back on when no word is found.
    topic_row, topic = np.nonzero(topics[:, :-1])
    of, at = spans(clauses.fallback_begins[topic], clauses.fallback_begins[topic + 1])
    general = topics[topic_row, topic][of] * clauses.fallback_shares[at] * settings.fallback_weight
    key = np.concatenate([key[first], topic_row[of] * duties + clauses.fallback_holders[at]])
    score, words = np.concatenate([spoken, general]), np.concatenate([words, np.zeros(len(general), dtype=np.int64)])
    order = np.argsort(key, kind="stable")
    key, score, words = key[order], score[order], words[order]
    first = first_of_each(key)
    if not len(first):
        return key, key, score, words
    row, duty = np.divmod(key[first], duties)
    return row, duty, np.add.reduceat(score, first), np.add.reduceat(words, first)
