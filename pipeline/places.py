"""Words become places: district, township and named spot of the matter, as far as the words settle it.

Three steps: a search for the first characters of every name in the running text (phrases.py), spaCy's PhraseMatcher
on those pieces alone (a Doc of every word would cost more than all other steps together), and the rules below on what
a name means where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import pandas as pd

from pipeline.directory import Directory, Place
from pipeline.phrases import Phrases, fold
from pipeline.schema import PLACED, SEGMENTED, SUBMISSIONS, check_table, typed
from pipeline.settings import PlaceSettings

# A name that ends like this is official wording and names the place wherever it stands.
_OFFICIAL = re.compile(r"(?:[区县市镇乡]|街道|办事处|街道办|管委会|农场|林业局)$")
# 尚志大街 is a street and not the county 尚志: a short name before one of these is part of another name.
_ROAD = re.compile(r"大?街(?!道)|大?道(?!里|外)|[东西南北中]?路|胡同|巷|[大高]桥|高速|公路|[东西南北]?线|[乡镇村屯县]")
# 新华小学 and 胜利村 stand anywhere, so a township's short name before one of these says nothing.
_NAMESAKE = re.compile(
    r"小区|社区|[小中大]学|学校|幼儿园|医院|大厦|广场|[花家]园|公司|集团|银行|书店|[酒饭商药]店|[商市]场|超市|区"
)
_ROAD_NAME = re.compile(r"(?:[路街巷]|大道|胡同)$")
# 不如香坊区 or 户口在南岗区 name a place that the matter is not at, unless no other is named.
_ASIDE = re.compile(
    r"(?:隔壁|不如|不像|好比|比如|例如|相比|比起|参照|学习|同样是|户籍|户口|原籍|老家|籍贯|毕业于|开往|前往|搬到)[的是在]?$"
)
_CITY_OF_OTHERS = re.compile(r"[一-鿿]{2,}(?<![城超本我全该各贵咱哈])[市县](?:[一-鿿]{1,3}[区县市])?$")


@dataclass(frozen=True)
class _Name:
    """One spelling and every place that it may mean; no sense at all makes it a trap."""

    senses: tuple[Place, ...]
    official: bool


@dataclass(frozen=True)
class _Mention:
    """A name as it stands in the place column (source 0), the title (1) or the text (2)."""

    source: int
    start: int
    end: int
    written: str
    name: _Name
    weight: float

    def senses(self, level: str) -> list[Place]:
        return [place for place in self.name.senses if place.level == level]

    def follows(self, other: _Mention) -> bool:
        return self.source == other.source and 0 <= self.start - other.end <= 2


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """All names of the directory's places, ready to be looked for; it travels to workers as the directory alone.

    Attributes
    ----------
    directory, settings : what it was opened with
    words : names and aliases, for the segmenter's dictionary, so that no name is cut apart
    """

    directory: Directory
    settings: PlaceSettings
    words: tuple[str, ...]
    _names: dict[str, _Name]
    _heads: Phrases
    _reach: tuple[int, ...]
    _vocab: Any
    _matcher: Any
    _keys: dict[int, str]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.directory, self.settings)


def place_names(directory: Directory) -> tuple[str, ...]:
    """Names and aliases of all places, each once; needs no spaCy."""
    return tuple(dict.fromkeys(name for place in directory.places for name in (place.name, *place.aliases)))


def open_gazetteer(directory: Directory, *, settings: PlaceSettings) -> Gazetteer:
    """Prepare the names of all places of a directory (0.1 s, after a second or two for importing spaCy)."""
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

    names = _names(directory)
    reach: dict[str, int] = {}
    for spelling in names:
        head = spelling[:3]
        reach[head] = max(reach.get(head, 0), len(spelling))
    vocab = Vocab()
    matcher = PhraseMatcher(vocab)
    for spelling in names:
        matcher.add(spelling, [Doc(vocab, words=list(spelling))])
    return Gazetteer(
        directory,
        settings,
        place_names(directory),
        names,
        Phrases.of(reach),
        tuple(reach.values()),
        vocab,
        matcher,
        {vocab.strings[spelling]: spelling for spelling in names},
    )


def locate(submissions: pd.DataFrame, segmented: pd.DataFrame, *, gazetteer: Gazetteer | None) -> pd.DataFrame:
    """Table PLACED; without a directory no place is known."""
    if gazetteer is not None:
        return find_places(submissions, segmented, gazetteer=gazetteer)
    nowhere = pd.DataFrame(
        {"submission_id": submissions["submission_id"], "district": None, "township": None, "spot": None},
        index=submissions.index,
    )
    no_words: pd.Series[Any] = pd.Series([[]] * len(nowhere), index=nowhere.index, dtype="object")
    return typed(nowhere.assign(place_words=no_words), PLACED)


def find_places(submissions: pd.DataFrame, segmented: pd.DataFrame, *, gazetteer: Gazetteer) -> pd.DataFrame:
    """District, township and spot that each submission is about.

    The place column speaks first, then the title, then the text. The longest name wins; a name that reaches into
    another word is none; a name before 路, 小学 and the like may be another thing. Of two districts the one with more
    say wins (column, title, official wording, a township or spot of its own beside it), then the first named; a spot
    right behind the name of another district is a namesake and says nothing. A
    township of two districts is settled only by the district.

    Parameters
    ----------
    submissions : table SUBMISSIONS
    segmented : table SEGMENTED of the same rows

    Returns
    -------
    table PLACED, same rows and order; official names or null; ``place_words`` as written, in order of the text

    Raises
    ------
    TableError : a column is missing
    """
    check_table(submissions, SUBMISSIONS, where="find_places")
    check_table(segmented, SEGMENTED, where="find_places")
    columns = [submissions[name].tolist() for name in ("place", "title", "text")]
    # A place column is not segmented: what stands in it is a name.
    tokens = [[()] * len(submissions), segmented["title_tokens"].tolist(), segmented["text_tokens"].tolist()]
    found = [_spellings(texts, gazetteer) for texts in columns]
    settled: list[tuple[str | None, str | None, str | None, list[str]]] = []
    weights = (gazetteer.settings.column_weight, gazetteer.settings.title_weight, 1)
    for row in range(len(submissions)):
        mentions: list[_Mention] = []
        for source, spellings in enumerate(found):
            if spellings[row]:
                text, cut = columns[source][row], tokens[source][row]
                mentions += _mentions(spellings[row], source, text, cut, weights[source], gazetteer)
        settled.append(_settle(mentions) if mentions else (None, None, None, []))
    district, township, spot, words = zip(*settled, strict=True) if settled else ((), (), (), ())
    frame = pd.DataFrame({"submission_id": submissions["submission_id"].tolist()}, index=submissions.index)
    for name, values in (("district", district), ("township", township), ("spot", spot), ("place_words", words)):
        frame[name] = pd.Series(list(values), index=submissions.index, dtype="object")
    return typed(frame, PLACED)


def _reopen(directory: Directory, settings: PlaceSettings) -> Gazetteer:
    return open_gazetteer(directory, settings=settings)


def _names(directory: Directory) -> dict[str, _Name]:
    senses: dict[str, dict[Place, None]] = {}
    for place in directory.places:
        for spelling in (place.name, *place.aliases):
            senses.setdefault(fold(spelling), {})[place] = None
    official = {fold(place.name) for place in directory.places if place.level != "spot" or len(place.name) > 3}
    names = {
        spelling: _Name(tuple(meant), spelling in official or bool(_OFFICIAL.search(spelling) and len(spelling) > 2))
        for spelling, meant in senses.items()
    }
    for place in directory.places:
        for trap in place.traps:
            names.setdefault(fold(trap), _Name((), official=True))
    return names


def _spellings(texts: Sequence[str], gazetteer: Gazetteer) -> list[list[tuple[int, int, str]]]:
    """Names in each text: (start, end, folded spelling), the longest of those that overlap, in order."""
    found: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    pieces: list[str] = []
    origin: list[tuple[int, int]] = []  # row and start in its text, of each piece
    for row, heads in enumerate(gazetteer._heads.find(texts)):
        stop = 0
        for first, _, head in heads:
            reach = first + gazetteer._reach[head]
            if first >= stop:
                pieces.append(texts[row][first:reach])
                origin.append((row, first))
            elif reach > stop:
                pieces[-1] += texts[row][stop:reach]
            stop = max(stop, reach)
    if pieces:
        from spacy.tokens import Doc

        # Pieces are parted by a line break, which is in no name.
        begins = list(accumulate((len(piece) + 1 for piece in pieces), initial=0))
        doc = Doc(gazetteer._vocab, words=list(fold("\n".join(pieces))))
        for key, first, last in gazetteer._matcher(doc):
            piece = bisect_right(begins, first) - 1
            row, start = origin[piece]
            start += first - begins[piece]
            found[row].append((start, start + last - first, gazetteer._keys[key]))
    return [_longest(spans) if len(spans) > 1 else spans for spans in found]


def _longest(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The rule of spaCy's filter_spans: longest first, then leftmost, none over another."""
    kept: list[tuple[int, int, str]] = []
    for start, end, spelling in sorted(set(spans), key=lambda span: (span[0] - span[1], span[0])):
        if all(end <= other[0] or other[1] <= start for other in kept):
            kept.append((start, end, spelling))
    return sorted(kept)


def _mentions(
    spans: list[tuple[int, int, str]],
    source: int,
    text: str,
    tokens: Sequence[str],
    source_weight: int,
    gazetteer: Gazetteer,
) -> Iterator[_Mention]:
    inside = _borders_inside_words(text, tokens, {border for span in spans for border in span[:2]})
    last_end = -1
    for start, end, spelling in spans:
        name = gazetteer._names[spelling]
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
            yield _Mention(source, start, end, text[start:end], _Name(senses, name.official), weight)


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


def _settle(mentions: list[_Mention]) -> tuple[str | None, str | None, str | None, list[str]]:
    mentions = _uncontradicted(mentions)
    district = _best(_district_votes(mentions))
    townships: list[tuple[str, float]] = []
    for mention in mentions:
        # 新阳路 is a long road: it tells the district of 新阳路街道 but not the township.
        if mention.name.official or not _ROAD_NAME.search(mention.written):
            for place in mention.senses("township"):
                if place.district == district:
                    townships.append((place.name, mention.weight * (3 if mention.name.official else 1)))
    township = _best(townships)
    spots: list[tuple[Place, float]] = []
    for mention in mentions:
        for place in mention.senses("spot"):
            if place.district in (district or "", "") and township in (
                None,
                place.township,
                place.township or township,
            ):
                spots.append((place, mention.weight))
    spot = _best(spots)
    if spot and spot.township:
        township = spot.township
    words = _used(mentions, district, township, spot)
    return district, township, spot.name if spot else None, words


def _uncontradicted(mentions: list[_Mention]) -> list[_Mention]:
    """Without spots right behind the name of another district: 呼兰中央大街 is a street of that name in 呼兰."""
    namesakes = set()
    for before, mention in pairwise(mentions):
        named = {place.name for place in before.senses("district")}
        homes = {place.district for place in mention.senses("spot")}
        beside = before.source == mention.source and before.end == mention.start
        if beside and named and homes and not homes & {*named, ""}:
            namesakes.add(mention.written)
    # Of a name that is also a township's, only the district decides which is meant.
    return [m for m in mentions if m.written not in namesakes or m.senses("township") or m.senses("district")]


def _district_votes(mentions: list[_Mention]) -> list[tuple[str, float]]:
    votes: list[tuple[str, float]] = []
    for index, mention in enumerate(mentions):
        before = mentions[index - 1] if index and mention.follows(mentions[index - 1]) else None
        named_before = {place.name for place in before.senses("district")} if before else set()
        for place in mention.senses("district"):
            votes.append((place.name, mention.weight * (2 if mention.name.official else 1)))
        for level, say in (("township", 3), ("spot", 2)):
            homes = {place.district for place in mention.senses(level) if place.district}
            if len(homes) == 1 and not mention.senses("district"):
                votes.append((next(iter(homes)), mention.weight * (say if mention.name.official else 1)))
            votes += [(home, mention.weight * 3) for home in sorted(homes & named_before)]
    return votes


def _best(votes: list[tuple[Any, float]]) -> Any:
    """The one with most say; of equals the first named; None where there are no votes."""
    total: dict[Any, float] = {}
    for what, weight in votes:
        total[what] = total.get(what, 0.0) + weight
    return max(total, key=lambda what: total[what]) if total else None


def _used(mentions: list[_Mention], district: str | None, township: str | None, spot: Place | None) -> list[str]:
    """The words that decided, one for each level; where nothing is settled, all that name the city or may be ours."""
    chosen: list[_Mention] = []
    for level, name in (("spot", spot.name if spot else None), ("township", township), ("district", district)):
        naming = [m for m in mentions if name and any(_names_it(p, level, name, district) for p in m.senses(level))]
        if naming:
            beside = [m for m in naming if any(other.follows(m) for other in chosen)]
            chosen.append((beside or sorted(naming, key=lambda m: -m.weight))[0])
    if not chosen:
        # Only a road of a township, or names that two districts share.
        chosen = mentions
    chosen = sorted(set(chosen), key=lambda mention: (mention.source, mention.start))
    return list(dict.fromkeys(mention.written for mention in chosen))


def _names_it(place: Place, level: str, name: str, district: str | None) -> bool:
    return place.name == name and (level == "district" or place.district in (district, ""))
