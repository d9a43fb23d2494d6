"""What speaks for each kind of department in a row: duty clauses by topic and words, and what was learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from pipeline.directory import Directory, Duty
from pipeline.match.urgency import is_other_word
from pipeline.settings import MatchSettings

OTHER = "other"  # the topic of what is none of an office's matters

_CLAIMS = 6  # kinds kept in a row, twice what a clerk is offered
# Below these nothing is told apart; they keep a logarithm finite.
_LEARNED_FLOOR = 1e-3
_SHARE_FLOOR = 1e-2

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


class Claim(NamedTuple):
    """What the duty clauses of one kind say in one row.

    Attributes
    ----------
    share : of the evidence of all kinds, 0 to 1
    duty : the clause that says most
    words : its words found, as written in the title or text, in order; none where only the topic speaks for the kind
    """

    share: float
    duty: Duty
    words: tuple[str, ...]


class Lead(NamedTuple):
    """One candidate: a kind, or a department that training learned.

    Attributes
    ----------
    name : the label as learned, or the kind
    kind : "" where the directory does not know the label
    learned : probability by training, 0 to 1; None where nothing of the sort was learned
    claim : what the duties say; None where no clause fits or there is no directory
    """

    name: str
    kind: str
    learned: float | None
    claim: Claim | None

    def features(self) -> tuple[float, float]:
        """Logarithms of the learned probability and of the duties' share; 0 and 0 say nothing."""
        learned = 0.0 if self.learned is None else math.log(max(self.learned, _LEARNED_FLOOR))
        share = math.log(max(self.claim.share if self.claim else 0.0, _SHARE_FLOOR))
        return learned, share


def claims_of_rows(
    titles: Sequence[str],
    texts: Sequence[str],
    classified: pd.DataFrame,
    *,
    directory: Directory | None,
    settings: MatchSettings,
) -> list[dict[str, Claim]]:
    """For each row, kind -> claim, most share first; empty where no clause fits."""
    if directory is None or not directory.duties:
        return [{} for _ in titles]
    found = directory.duty_words.find([*titles, *texts])
    labels, probabilities = classified["topic_labels"].tolist(), classified["topic_probabilities"].tolist()
    claims = []
    for row, (title, text) in enumerate(zip(titles, texts, strict=True)):
        # word -> (in the title, as written); the title is read first and weighs more
        words: dict[int, tuple[bool, str]] = {}
        for titled, written, hits in ((True, title, found[row]), (False, text, found[len(titles) + row])):
            for start, end, word in hits:
                if not is_other_word(written, start):
                    words.setdefault(word, (titled, written[start:end]))
        topics = dict(zip(labels[row], probabilities[row], strict=True))
        claims.append(_claims(words, topics, directory, settings))
    return claims


def _claims(
    words: dict[int, tuple[bool, str]], topics: dict[str, float], directory: Directory, settings: MatchSettings
) -> dict[str, Claim]:
    known = {topic: p for topic, p in topics.items() if topic in directory.topic_names}
    # A bundle that learned labels of its own says nothing about the directory's topics: words decide alone.
    floor = settings.topic_floor if known else 1.0 / max(1, len(directory.topics))
    strength: dict[int, float] = {}
    quoted: dict[int, list[str]] = {}
    in_text = {written for titled, written in words.values() if not titled}
    for word, (titled, written) in words.items():
        weight = settings.title_weight if titled else 1.0
        holders = directory.duties_by_word[word]
        for position in holders:
            # A word of many clauses tells little between them.
            strength[position] = strength.get(position, 0.0) + weight / math.sqrt(len(holders))
            quoted.setdefault(position, []).append(written)
    for position, alone in quoted.items():
        if len(alone) == 1 and alone[0] in _BARE & in_text:
            strength[position] *= _BARE_WEIGHT
    scores = {
        position: max(known.get(directory.duties[position].topic, 0.0), floor) * math.log1p(s)
        for position, s in strength.items()
    }
    for topic, probability in known.items():
        for position, share in directory.fallback_duties.get(topic, ()):
            scores[position] = scores.get(position, 0.0) + probability * share * settings.fallback_weight
    total = sum(scores.values())
    best: dict[str, int] = {}
    sums: dict[str, float] = {}
    # A clause whose words stand in the text is evidence; the topic's general one only fills the gap.
    for position in sorted(scores, key=lambda p: (p not in quoted, -scores[p], p)):
        kind = directory.duties[position].lead_kind
        best.setdefault(kind, position)
        sums[kind] = sums.get(kind, 0.0) + scores[position]
    foremost = sorted(sums, key=lambda k: -sums[k])[:_CLAIMS] if total > 0 else []
    return {
        kind: Claim(sums[kind] / total, directory.duties[best[kind]], tuple(quoted.get(best[kind], ())))
        for kind in foremost
    }


def leads_of_row(
    target: str,
    claims: dict[str, Claim],
    departments: tuple[Sequence[str], Sequence[float]],
    kinds: tuple[Sequence[str], Sequence[float]],
    directory: Directory | None,
) -> list[Lead]:
    """The candidates of one row, in no order: learned departments, or learned kinds and those that duties name."""
    if target == "department":
        named = (
            (label, directory.kind_of(label) if directory else "", p) for label, p in zip(*departments, strict=True)
        )
        return [Lead(label, kind, p, claims.get(kind)) for label, kind, p in named]
    learned = dict(zip(*kinds, strict=True))
    both = dict.fromkeys([*learned, *claims])
    return [Lead(kind, kind, learned.get(kind, 0.0) if learned else None, claims.get(kind)) for kind in both]
