"""A kind and a place become a body, and never a body that the words do not point to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import fsum
from typing import NamedTuple

from pipeline.directory import Department, Directory, Overlap

_NOWHERE: tuple[Mapping[str, Overlap], ...] = ()


class Scene(NamedTuple):
    """Where one matter is, and its words, for choosing between bodies.

    Attributes
    ----------
    district, township : official names or ""
    text : title, text and place column, and the clause that decided
    zones : what overlaps there, kind -> row (Directory.zones): of the spot, then the township, then the district
    """

    district: str
    township: str
    text: str
    zones: tuple[Mapping[str, Overlap], ...]


class Answer(NamedTuple):
    """Who it is, and what of that a clerk could not guess.

    Attributes
    ----------
    name : official name of the body, or the kind where no body is settled
    gave_way : level of the body, city or district, where a narrower one is due and its place is not known; else ""
    overlap : the row about the zone that the place lies in, where it has a say; else None
    beside : the other body of that overlap, which helps; "" where there is none
    by_words : the words of the matter had a say, so the same kind and place may have another answer
    """

    name: str
    gave_way: str = ""
    overlap: Overlap | None = None
    beside: str = ""
    by_words: bool = False


def set_scene(district: str, township: str, spot: str, *, text: str, directory: Directory | None) -> Scene:
    """The scene of official names, each "" where it is not known; a directory's only district need not be named."""
    if directory is None:
        return Scene(district, township, text, _NOWHERE)
    district = district or directory.only_district
    zones = _NOWHERE
    if directory.overlaps and district:
        found = (directory.zones.get((district, place)) for place in (spot, township, district) if place)
        zones = tuple(zone for zone in found if zone)
    return Scene(district, township, text, zones)


def find_body(kind: str, level: str, scene: Scene, directory: Directory | None) -> Answer:
    """The kind's body at the level named by a clause, or the body of a zone that the place lies in; else the kind.

    The township's body where the clause is a township's, the district's where it is a district's, the city's where it
    is the city's or the kind exists nowhere below. Where the place of a narrower body is not known, the next wider
    takes the matter in: the district's for a township's, the city's for a district's. The only city, and the only
    district, need not be named. Where several bodies answer and the words do not tell them apart, the kind itself is
    the answer. In a zone with a body of its own the directory's overlaps say who leads and who helps.
    """
    if directory is None:
        return Answer(kind)
    usual = _usual(kind, level, scene, directory)
    for zone in scene.zones:
        overlap = zone.get(kind)
        if overlap is None and level != "city" and kind not in directory.city_kinds:
            overlap = zone.get("")
        if overlap is not None:
            if overlap.role == "co":
                return usual._replace(overlap=overlap, beside=overlap.body)
            helper = usual.name if overlap.role == "lead" and usual.name != kind else ""
            return Answer(overlap.body, overlap=overlap, beside=helper, by_words=usual.by_words)
    return usual


def _usual(kind: str, level: str, scene: Scene, directory: Directory) -> Answer:
    for found, gave_way in _tries(kind, level, scene, directory):
        if found:
            if len(found) == 1:
                return Answer(found[0].name, gave_way, by_words=len(directory.cities) > 1)
            body = _told_apart(found, scene.text, directory)
            return Answer(body.name, gave_way, by_words=True) if body else Answer(kind, by_words=True)
    return Answer(kind, by_words=len(directory.cities) > 1)


def _tries(kind: str, level: str, scene: Scene, directory: Directory) -> Iterator[tuple[tuple[Department, ...], str]]:
    """Bodies from the due level to wider ones, each with the level that it gave way to for want of a place."""
    bodies, district, township = directory.bodies, scene.district, scene.township
    if level == "township" and township:
        yield bodies.get((kind, "township", f"{district}/{township}"), ()), ""
        yield _of_district(bodies.get((kind, "township", township), ()), district), ""
    of_city = level == "city" or kind in directory.city_kinds
    if of_city:
        yield _of_city(kind, scene, directory), ""
    if district:
        lost = level == "township" and not township
        yield bodies.get((kind, "district", district), ()), "district" if lost else ""
    elif not of_city:
        yield _of_city(kind, scene, directory), "city"


def _of_city(kind: str, scene: Scene, directory: Directory) -> tuple[Department, ...]:
    bodies = directory.city_bodies.get(kind, ())
    if len(directory.cities) == 1:
        return bodies
    named = {
        place.name for place in directory.cities if any(name in scene.text for name in (place.name, *place.aliases))
    }
    return tuple(body for body in bodies if body.jurisdiction in named)


def _of_district(found: tuple[Department, ...], district: str) -> tuple[Department, ...]:
    """Two districts may have a township of one name; then the body's own name tells whose it is."""
    if len(found) < 2:
        return found
    return tuple(body for body in found if district and any(district in name for name in (body.name, *body.aliases)))


def _told_apart(found: tuple[Department, ...], text: str, directory: Directory) -> Department | None:
    """The one whose own words stand in the text most: 供热 and 燃气 of two bodies of one kind and place.

    A pair of characters counts the less, the more of the bodies have it in their names.
    """
    hits = [{pair for pair in directory.name_pairs[body.name] if pair in text} for body in found]
    holders = Counter(pair for pairs in hits for pair in pairs)
    scores = [fsum(1 / holders[pair] for pair in pairs if holders[pair] < len(found)) for pairs in hits]
    highest = max(scores)
    return found[scores.index(highest)] if highest and scores.count(highest) == 1 else None
