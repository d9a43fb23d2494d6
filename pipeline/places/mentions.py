"""What a name means where it stands: the rules on the words before and behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.directory import Place
from pipeline.places.gazetteer import Gazetteer, Name

# 尚志大街 is a street and not the county 尚志: a short name before one of these is part of another name.
_ROAD = re.compile(r"大?街(?!道)|大?道(?!里|外)|[东西南北中]?路|胡同|巷|[大高]桥|高速|公路|[东西南北]?线|[乡镇村屯县]")
# 新华小学 and 胜利村 stand anywhere, so a township's short name before one of these says nothing.
_NAMESAKE = re.compile(
    r"小区|社区|[小中大]学|学校|幼儿园|医院|大厦|广场|[花家]园|公司|集团|银行|书店|[酒饭商药]店|[商市]场|超市|区"
)
# 不如香坊区 or 户口在南岗区 name a place that the matter is not at, unless no other is named.
_ASIDE = re.compile(
    r"(?:隔壁|不如|不像|好比|比如|例如|相比|比起|参照|学习|同样是|户籍|户口|原籍|老家|籍贯|毕业于|开往|前往|搬到)[的是在]?$"
)
_CITY_OF_OTHERS = re.compile(r"[一-鿿]{2,}(?<![城超本我全该各贵咱哈])[市县](?:[一-鿿]{1,3}[区县市])?$")


@dataclass(frozen=True)
class Mention:
    """A name as it stands in the place column (source 0), the title (1) or the text (2)."""

    source: int
    start: int
    end: int
    written: str
    name: Name
    weight: float

    def senses(self, level: str) -> list[Place]:
        """The places of one level that the name may mean here."""
        return [place for place in self.name.senses if place.level == level]

    def follows(self, other: Mention) -> bool:
        """Whether it stands behind the other, with two characters between them at most."""
        return self.source == other.source and 0 <= self.start - other.end <= 2


def read_mentions(
    spans: list[tuple[int, int, str]],
    source: int,
    text: str,
    tokens: Sequence[str],
    source_weight: int,
    gazetteer: Gazetteer,
) -> Iterator[Mention]:
    """Names as they stand in one text, without those that are part of another word or name.

    Parameters
    ----------
    spans : (start, end, folded spelling) of the text, in order, none over another
    source : 0 place column, 1 title, 2 text
    tokens : of the same text; none for a place column, which holds names only
    source_weight : say of a name in this source
    """
    inside = _borders_inside_words(text, tokens, {border for span in spans for border in span[:2]})
    last_end = -1
    for start, end, spelling in spans:
        name = gazetteer.names[spelling]
        place_before, last_end = last_end == start, end
        if not name.senses or start in inside or (end in inside and not name.official):
            continue
        behind = text[end : end + 3]
        if name.official:
            # 安和街道路破损 is the road 安和街, not 安和街道.
            if spelling.endswith("街道") and behind.startswith("路"):
                continue
        elif _ROAD.match(behind):
            continue
        senses = name.senses
        if not name.official and _NAMESAKE.match(behind):
            senses = tuple(place for place in senses if place.level in ("city", "district", "spot"))
        if not place_before and _CITY_OF_OTHERS.search(text[max(0, start - 9) : start]):
            # 大庆市红旗街道 is not ours; district names are rare enough to be believed (黑龙江省尚志市, 本市道里区).
            senses = tuple(place for place in senses if place.level in ("city", "district"))
        if senses:
            weight = source_weight * (0.0 if _ASIDE.search(text[max(0, start - 5) : start]) else 1.0)
            yield Mention(source, start, end, text[start:end], Name(senses, name.official), weight)


def _borders_inside_words(text: str, tokens: Sequence[str], borders: set[int]) -> set[int]:
    """Those borders that fall inside a token, where no name may begin or end."""
    words = set(tokens)
    # Aligning all tokens is dear, so first ask whether any token at all could reach over one of the borders.
    if not any(_reached_over(text, border, words) for border in borders):
        return set()
    inside: set[int] = set()
    at = 0
    for token in tokens:
        # The segmenter drops blanks and rewrites some signs; such a token is skipped, not searched for far away.
        begin = text.find(token, at, at + len(token) + 40)
        if begin >= 0:
            at = begin + len(token)
            inside.update(range(begin + 1, at))
    return inside & borders


def _reached_over(text: str, border: int, words: set[str]) -> bool:
    for begin in range(max(0, border - 4), border):
        for end in range(border + 1, begin + 6):
            if text[begin:end] in words:
                return True
    return False
