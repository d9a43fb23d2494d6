"""Which of the places that a submission names is the one of its matter."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from pipeline.directory import Place
from pipeline.places.mentions import Mention

_ROAD_NAME = re.compile(r"(?:[路街巷]|大道|胡同)$")


def settle(mentions: list[Mention]) -> tuple[str | None, str | None, str | None, list[str]]:
    """District, township and spot of one submission, null where not settled, and the words that decided."""
    mentions = _uncontradicted(mentions)
    district = _best(_district_votes(mentions))
    townships: list[tuple[str, float]] = []
    for mention in mentions:
        # 新阳路 is a long road: it tells the district of 新阳路街道 but not the township.
        if mention.name.townships and (mention.name.official or not _ROAD_NAME.search(mention.written)):
            weight = mention.weight * (3 if mention.name.official else 1)
            townships += [(place.name, weight) for place in mention.name.townships if place.district == district]
    township = _best(townships)
    spots: list[tuple[tuple[str, str], float]] = []
    for mention in mentions:
        for place in mention.name.spots:
            if place.district in (district or "", "") and (not place.township or township in (None, place.township)):
                spots.append(((place.name, place.township), mention.weight))
    spot, township_of_spot = _best(spots) or (None, "")
    township = township_of_spot or township
    return district, township, spot, _used(mentions, district, township, spot)


def _uncontradicted(mentions: list[Mention]) -> list[Mention]:
    """Without namesakes of places elsewhere.

    呼兰中央大街 is a street of that name in 呼兰, and 香坊区阿城肉铺 a shop in 香坊区.
    """
    namesakes = set()
    for before, mention in pairwise(mentions):
        named = before.name.districts
        if named and before.source == mention.source and before.end == mention.start:
            homes = {place.district for place in mention.name.spots}
            if before.name.official and not mention.name.official:
                homes.update(mention.name.districts)
            if homes and not homes & {*named, ""}:
                namesakes.add(mention.written)
    # Of a name that is also a township's, only the district decides which is meant.
    return [m for m in mentions if m.written not in namesakes or m.name.townships] if namesakes else mentions


def _district_votes(mentions: list[Mention]) -> list[tuple[str, float]]:
    votes: list[tuple[str, float]] = []
    for index, mention in enumerate(mentions):
        name, weight = mention.name, mention.weight
        # 宾县 has no shorter form, so that writing it in full says no more than 木兰 does.
        full = name.official and len(mention.written) > 2
        votes += [(district, weight * (2 if full else 1)) for district in name.districts]
        beside = mentions[index - 1].name.districts if index and mention.follows(mentions[index - 1]) else ()
        for places, say in ((name.townships, 3), (name.spots, 2)):
            if places:
                homes = {place.district for place in places if place.district}
                if len(homes) == 1 and not name.districts:
                    votes.append((next(iter(homes)), weight * (say if name.official else 1)))
                votes += [(home, weight * 3) for home in beside if home in homes]
    return votes


def _best(votes: list[tuple[Any, float]]) -> Any:
    """The one with most say; of equals the first named; None where there are no votes."""
    total: dict[Any, float] = {}
    for what, weight in votes:
        total[what] = total.get(what, 0.0) + weight
    return max(total, key=lambda what: total[what]) if total else None


def _used(mentions: list[Mention], district: str | None, township: str | None, spot: str | None) -> list[str]:
    """The words that decided, one for each level; where nothing is settled, all that name the city or may be ours."""
    chosen: list[Mention] = []
    for naming in (
        [m for m in mentions if _is_among(m.name.spots, spot, district)],
        [m for m in mentions if _is_among(m.name.townships, township, district)],
        [m for m in mentions if district in m.name.districts],
    ):
        if naming:
            beside = [m for m in naming if any(other.follows(m) for other in chosen)]
            chosen.append(beside[0] if beside else max(naming, key=lambda m: m.weight))
    if not chosen:
        # Only a road of a township, or names that two districts share.
        chosen = mentions
    chosen = sorted(set(chosen), key=lambda mention: (mention.source, mention.start))
    return list(dict.fromkeys(mention.written for mention in chosen))


def _is_among(places: tuple[Place, ...], name: str | None, district: str | None) -> bool:
    return any(place.name == name and place.district in (district, "") for place in places)
