"""A kind and a place become a body, and never a body that the words do not point to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.directory import Department, Directory


class Scene(NamedTuple):
    """Where one matter is, and its words, for choosing between bodies.

    Attributes
    ----------
    district, township : official names or ""
    in_city : some place of the directory is named
    text : title and text, and the clause that decided
    """

    district: str
    township: str
    in_city: bool
    text: str


def name_body(kind: str, level: str, scene: Scene, directory: Directory | None) -> str:
    """Official name of the kind's body at the level named by a clause, else the kind.

    The township's body where the clause is a township's, the district's where it is a district's, the city's where it
    is the city's or the kind exists nowhere below; a level without such a body gives way to the next wider that the
    place settles. Where the place is not known, or several bodies answer and the words do not tell them apart, the
    kind itself is the answer.
    """
    if directory is None:
        return kind
    for found in _tries(kind, level, scene, directory):
        if found:
            body = found[0] if len(found) == 1 else _told_apart(found, scene.text)
            return body.name if body else kind
    return kind


def _tries(kind: str, level: str, scene: Scene, directory: Directory) -> Iterator[tuple[Department, ...]]:
    bodies = directory.bodies
    if level == "township" and scene.township:
        yield bodies.get((kind, "township", f"{scene.district}/{scene.township}"), ())
        yield _of_district(bodies.get((kind, "township", scene.township), ()), scene.district)
    if level == "city" or kind in directory.city_kinds:
        for city in directory.cities if scene.in_city else ():
            yield bodies.get((kind, "city", city), ())
    if scene.district:
        yield bodies.get((kind, "district", scene.district), ())


def _of_district(found: tuple[Department, ...], district: str) -> tuple[Department, ...]:
    """Two districts may have a township of one name; then the body's own name tells whose it is."""
    if len(found) < 2:
        return found
    return tuple(body for body in found if district and any(district in name for name in (body.name, *body.aliases)))


def _told_apart(found: tuple[Department, ...], text: str) -> Department | None:
    """The one whose own words stand in the text most: 供热 and 燃气 of two bodies of one kind and place."""
    pairs = [{name[i : i + 2] for name in (body.name, *body.aliases) for i in range(len(name) - 1)} for body in found]
    shared = set.intersection(*pairs)
    scores = [sum(pair in text for pair in own - shared) for own in pairs]
    highest = max(scores)
    return found[scores.index(highest)] if highest and scores.count(highest) == 1 else None
