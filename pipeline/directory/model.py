"""The directory in memory: small frozen rows, and the indexes that stages ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise, product
from typing import Any

from pipeline.directory.clauses import Clauses, tabulate_clauses
from pipeline.directory.workdays import SpecialDay, WorkingCalendar, working_calendar
from pipeline.phrases import Phrases

LEVELS = ("city", "district", "township")
PLACE_LEVELS = (*LEVELS, "spot")
URGENCIES = ("urgent", "normal")
ROLES = ("alone", "lead", "co")
NOBODY = "其他"  # the kind that says that no kind fits


@dataclass(frozen=True)
class Topic:
    """One topic: its key in code and files, and the Chinese name that clerks read."""

    key: str
    name: str
    covers: str
    boundary: str


@dataclass(frozen=True)
class Department:
    """One body: a kind of department in one jurisdiction.

    Attributes
    ----------
    jurisdiction : official name of a city, district or township; ``区/镇`` where two districts have a township of
        that name
    level : city, district or township
    """

    name: str
    kind: str
    jurisdiction: str
    level: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Duty:
    """One clause: which kind leads on what, at which level, and the words that betray it.

    Attributes
    ----------
    working_days : days an answer may take, 1 or more
    valid_from, valid_until : first and last day in force; None is open
    words : two characters or more each; a clause without words is what its topic falls back on
    """

    duty_id: str
    clause: str
    topic: str
    lead_kind: str
    co_kinds: tuple[str, ...]
    level: str
    urgency: str
    working_days: int
    valid_from: date | None
    valid_until: date | None
    words: tuple[str, ...]

    def in_force(self, day: date) -> bool:
        """Whether the clause holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True)
class Place:
    """One named place; `traps` are longer strings in which the name is not this place."""

    name: str
    level: str
    district: str
    township: str
    aliases: tuple[str, ...]
    traps: tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """A zone with a body of its own inside a district: which of both leads there, on what.

    Attributes
    ----------
    zone : its name; a place of that name in the district lies in it
    places : more places of the district that lie wholly in the zone; the district's own name is all of it
    kinds : what the row settles, at whatever level; none is all that no other row of the zone names and that a district
        or township leads on
    body : official name of the zone's body
    role : of that body: alone, lead (the district's body helps) or co (the district's body leads)
    """

    zone: str
    district: str
    places: tuple[str, ...]
    kinds: tuple[str, ...]
    body: str
    role: str

    def settles(self) -> Iterator[tuple[str, str]]:
        """Every pair of a place and a kind that the row is about; the kind is "" for all others."""
        return product((self.zone, *self.places), self.kinds or ("",))


@dataclass(frozen=True)
class Directory:
    """Who does what, where. Tuples in the order of the files; `calendar` is empty where the office gives none."""

    topics: tuple[Topic, ...]
    departments: tuple[Department, ...]
    duties: tuple[Duty, ...]
    places: tuple[Place, ...]
    overlaps: tuple[Overlap, ...] = ()
    calendar: tuple[SpecialDay, ...] = ()

    @cached_property
    def topic_names(self) -> dict[str, str]:
        """Topic key -> Chinese name."""
        return {topic.key: topic.name for topic in self.topics}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of department, in the order of the file."""
        return tuple(dict.fromkeys(department.kind for department in self.departments))

    @cached_property
    def _topic_keys(self) -> dict[str, str]:
        return {topic.name: topic.key for topic in self.topics} | {topic.key: topic.key for topic in self.topics}

    def topic_key(self, name: str) -> str:
        """The key of a topic given by Chinese name or key; any other label is returned as it is."""
        return self._topic_keys.get(name.strip(), name.strip())

    @cached_property
    def bodies(self) -> dict[tuple[str, str, str], tuple[Department, ...]]:
        """(kind, level, jurisdiction) -> its bodies, nearly always one."""
        found: dict[tuple[str, str, str], tuple[Department, ...]] = {}
        for body in self.departments:
            key = (body.kind, body.level, body.jurisdiction)
            found[key] = (*found.get(key, ()), body)
        return found

    @cached_property
    def cities(self) -> tuple[Place, ...]:
        """The cities."""
        return tuple(place for place in self.places if place.level == "city")

    @cached_property
    def city_bodies(self) -> dict[str, tuple[Department, ...]]:
        """Kind -> its bodies at the level of the city, of all cities."""
        found: dict[str, tuple[Department, ...]] = {}
        for body in self.departments:
            if body.level == "city":
                found[body.kind] = (*found.get(body.kind, ()), body)
        return found

    @cached_property
    def only_district(self) -> str:
        """The district that is meant where none is named, because there is no other; "" where there are several."""
        districts = [place.name for place in self.places if place.level == "district"]
        return districts[0] if len(districts) == 1 else ""

    @cached_property
    def zones(self) -> dict[tuple[str, str], dict[str, Overlap]]:
        """(district, place in a zone) -> kind -> the row that settles it; kind "" is all others."""
        found: dict[tuple[str, str], dict[str, Overlap]] = {}
        for overlap in self.overlaps:
            for place, kind in overlap.settles():
                found.setdefault((overlap.district, place), {})[kind] = overlap
        return found

    @cached_property
    def name_pairs(self) -> dict[str, frozenset[str]]:
        """Name of a body -> the pairs of neighbouring characters in its name and aliases, less those that mislead.

        物业 is what other kinds' clauses are about, and does not point to the heating company that has it in its name.
        """
        kinds: dict[str, set[str]] = {}
        for duty in self.duties:
            for word in duty.words:
                kinds.setdefault(word, set()).add(duty.lead_kind)
        return {
            body.name: frozenset(
                pair
                for name in (body.name, *body.aliases)
                for pair in map("".join, pairwise(name))
                if body.kind in kinds.get(pair, (body.kind,))
            )
            for body in self.departments
        }

    @cached_property
    def city_kinds(self) -> frozenset[str]:
        """Kinds that have bodies at the level of the city only."""
        below = {body.kind for body in self.departments if body.level != "city"}
        return frozenset(self.kinds) - below

    @cached_property
    def _kinds_of_names(self) -> dict[str, str]:
        by_alias = {alias: body.kind for body in self.departments for alias in body.aliases}
        return by_alias | {body.name: body.kind for body in self.departments} | {kind: kind for kind in self.kinds}

    @cached_property
    def _official_names(self) -> dict[str, str]:
        by_alias = {alias: body.name for body in self.departments for alias in body.aliases}
        return by_alias | {body.name: body.name for body in self.departments}

    def official_name(self, name: str) -> str:
        """The official name of a body given by name or alias; "" where the directory does not know it."""
        return self._official_names.get(name, "")

    def kind_of(self, name: str) -> str:
        """The kind of a department given by name, alias or kind; "" where the directory does not know it."""
        return self._kinds_of_names.get(name, "")

    @cached_property
    def duty_words(self) -> Phrases:
        """The words of all clauses, ready to be looked for."""
        return Phrases.of(dict.fromkeys(word for duty in self.duties for word in duty.words))

    @cached_property
    def duties_by_word(self) -> tuple[tuple[int, ...], ...]:
        """For each of `duty_words`, the positions in `duties` of the clauses that it betrays."""
        holders: dict[str, list[int]] = {word: [] for word in self.duty_words.words}
        for position, duty in enumerate(self.duties):
            for word in duty.words:
                holders[word].append(position)
        return tuple(tuple(positions) for positions in holders.values())

    @cached_property
    def fallback_duties(self) -> dict[str, tuple[tuple[int, float], ...]]:
        """Topic -> where it goes when no word is found: (position in `duties`, share), one clause for each kind.

        The clauses without words if the topic has any, else all of them: a kind with half of a topic's clauses leads
        on half of it.
        """
        of_topic: dict[str, list[int]] = {}
        for position, duty in enumerate(self.duties):
            of_topic.setdefault(duty.topic, []).append(position)
        chosen = {}
        for topic, positions in of_topic.items():
            general = [position for position in positions if not self.duties[position].words] or positions
            leads = [self.duties[position].lead_kind for position in general]
            chosen[topic] = tuple(
                (general[leads.index(kind)], leads.count(kind) / len(leads)) for kind in dict.fromkeys(leads)
            )
        return chosen

    @cached_property
    def clauses(self) -> Clauses:
        """The clauses as arrays."""
        number = {topic.key: place for place, topic in enumerate(self.topics)}
        return tabulate_clauses(
            self.duties_by_word,
            [duty.lead_kind for duty in self.duties],
            [number.get(duty.topic, len(number)) for duty in self.duties],
            [self.fallback_duties.get(topic.key, ()) for topic in self.topics],
        )

    @cached_property
    def kind_names(self) -> tuple[Phrases, tuple[str, ...]]:
        """What people call the kinds of department, ready to be looked for, and the kind of each name.

        Names and aliases of bodies, whole and without the name of their place; one that two kinds share tells nothing.
        """
        meant: dict[str, set[str]] = {}
        cities = [city.name for city in self.cities]
        for body in self.departments:
            for name in (body.kind, body.name, *body.aliases):
                for short in (name, *(name.removeprefix(place) for place in (body.jurisdiction, *cities))):
                    if len(short) > 1:
                        meant.setdefault(short, set()).add(body.kind)
        known = {name: min(kinds) for name, kinds in meant.items() if len(kinds) == 1 and NOBODY not in kinds}
        return Phrases.of(known), tuple(known.values())

    @property
    def working_calendar(self) -> WorkingCalendar:
        """The working days, with the office's own laid over the published ones."""
        return working_calendar(self.calendar)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is cached is made again where it is needed, so that little travels to workers.
        parts = (self.topics, self.departments, self.duties, self.places, self.overlaps, self.calendar)
        return Directory, parts

    def valid_on(self, day: date) -> Directory:
        """The same directory with only the duty clauses in force on `day`."""
        return replace(self, duties=tuple(duty for duty in self.duties if duty.in_force(day)))
