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


def _uncontradicted(mentions: list[Mention]) -> list[Mention]:
    """Without namesakes of places elsewhere.

    呼兰中央大街 is a street of that name in 呼兰, and 香坊区阿城肉铺 a shop in 香坊区.
    """
    namesakes = set()
    for before, mention in pairwise(mentions):
        named = {place.name for place in before.senses("district")}
        beside = before.source == mention.source and before.end == mention.start
        if beside and named:
            homes = {place.district for place in mention.senses("spot")}
            if before.name.official and not mention.name.official:
                homes.update(place.name for place in mention.senses("district"))
            if homes and not homes & {*named, ""}:
                namesakes.add(mention.written)
    # Of a name that is also a township's, only the district decides which is meant.
    return [m for m in mentions if m.written not in namesakes or m.senses("township")]


def _district_votes(mentions: list[Mention]) -> list[tuple[str, float]]:
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


def _used(mentions: list[Mention], district: str | None, township: str | None, spot: Place | None) -> list[str]:
    """The words that decided, one for each level; where nothing is settled, all that name the city or may be ours."""
    chosen: list[Mention] = []
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
