"""What is wrong between the rows of a directory: what stops routing, and what only wants a look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from pipeline.directory.model import NOBODY, Directory, Duty, Place
from pipeline.directory.rows import Finding, Item, Row, Rows, Tables
from pipeline.directory.workdays import SpecialDay

_STATUTORY = 13  # days off by 全国年节及纪念日放假办法 of 2024
_NAMED = 5  # districts or clauses named in one finding
_OVERLAP = 0.5  # share of the shorter clause's words, 0 to 1, from which two clauses of different kinds overlap


def contradictions_of(tables: Tables) -> list[Finding]:
    """Rows that no run can use: unknown keys, and names that stand twice."""
    return [
        *_repeated(tables.topics, lambda topic: topic.key, "topic"),
        *_repeated(tables.topics, lambda topic: topic.name, "name"),
        *_repeated(tables.places, lambda place: (place.level, place.name, place.district), "place"),
        *_repeated(tables.duties, lambda duty: duty.duty_id, "duty_id"),
        *_repeated(tables.departments, lambda body: body.name, "department"),
        *_repeated(tables.calendar, lambda own: own.day, "date"),
        *_lost_places(tables.places),
        *_lost_duties(tables),
        *_lost_departments(tables),
        *_lost_overlaps(tables),
        *_rival_overlaps(tables),
    ]


def doubts_of(tables: Tables, directory: Directory, on: date) -> list[Finding]:
    """Rows that a run can use and that will surprise somebody.

    Parameters
    ----------
    tables : without contradictions
    directory : what they became
    on : day for which clauses are in force or expired
    """
    in_force = [(row, duty) for row, duty in tables.duties if duty.in_force(on)]
    return [
        *_expired(tables.duties, on),
        *_uncovered_topics(tables, in_force),
        *_duties_without_body(directory, in_force),
        *_shadowed(in_force),
        *_overlapping(in_force),
        *_shared_aliases(tables.departments, "department", lambda body: body.name),
        *_shared_aliases(tables.places, "place", lambda place: (place.name, place.district)),
        *_idle_traps(tables.places),
        *_halves_of_years(tables.calendar, directory),
    ]


def _repeated(rows: Rows[Item], key: Callable[[Item], object], column: str) -> Iterator[Finding]:
    seen: dict[object, int] = {}
    for row, item in rows:
        if key(item) in seen:
            yield row.finding(column, f"第 {seen[key(item)]} 行已经有了。请改名，或者删掉一行。", stops=True)
        else:
            seen[key(item)] = row.number


def _lost_duties(tables: Tables) -> Iterator[Finding]:
    topics = {topic.key for _, topic in tables.topics}
    kinds = {body.kind for _, body in tables.departments}
    for row, duty in tables.duties:
        if duty.topic not in topics:
            yield row.finding("topic", "topics.csv 里没有这个主题。请改成那里有的键，或者在那里加上。", stops=True)
        for column, named in (("lead_kind", (duty.lead_kind,)), ("co_kinds", duty.co_kinds)):
            for kind in named:
                if kind not in kinds:
                    told = "departments.csv 里没有这一类部门。请改正，或者在那里加一个单位。"
                    yield row.finding(column, told, stops=True, value=kind)


def _lost_places(rows: Rows[Place]) -> Iterator[Finding]:
    districts = {place.name for _, place in rows if place.level == "district"}
    townships = {(place.district, place.name) for _, place in rows if place.level == "township"}
    for row, place in rows:
        if place.level == "township" and not place.district:
            yield row.finding("district", "是空的。请写这个街道乡镇所在的区县。", stops=True)
        elif place.district and place.district not in districts:
            yield row.finding("district", "不是本表里的区县（level 为 district 的行）。请改正或加上。", stops=True)
        elif place.level == "spot" and place.township and (place.district, place.township) not in townships:
            where = place.district or "空着的区县"
            yield row.finding("township", f"不是本表里{where}的街道乡镇。请改正，或者加上那一行。", stops=True)


def _lost_departments(tables: Tables) -> Iterator[Finding]:
    places = [place for _, place in tables.places]
    known = {(place.level, place.name) for place in places}
    known |= {("township", f"{place.district}/{place.name}") for place in places if place.level == "township"}
    for row, body in tables.departments:
        if (body.level, body.jurisdiction) not in known:
            told = f"places.csv 里没有级别为 {body.level} 的这个地方。请写那里的全称，或者在那里加上。"
            yield row.finding("jurisdiction", told, stops=True)


def _lost_overlaps(tables: Tables) -> Iterator[Finding]:
    districts = {place.name for _, place in tables.places if place.level == "district"}
    known = {(place.district, place.name) for _, place in tables.places if place.level in ("township", "spot")}
    known |= {(district, district) for district in districts}
    kinds = {body.kind for _, body in tables.departments} - {NOBODY}
    bodies = {body.name for _, body in tables.departments}
    for row, overlap in tables.overlaps:
        if overlap.district not in districts:
            told = "不是 places.csv 里的区县（level 为 district 的行）。请改正，或者在那里加上。"
            yield row.finding("district", told, stops=True)
            continue  # what lies in it cannot be looked up
        if not overlap.places and (overlap.district, overlap.zone) not in known:
            told = f"不是 places.csv 里{overlap.district}的地点，来件里认不出。请在那里加上，或者填 places 列。"
            yield row.finding("zone", told, stops=True)
        for name in overlap.places:
            if (overlap.district, name) not in known:
                told = f"不是 places.csv 里{overlap.district}的街道乡镇或具体地点。请写全称，或者在那里加上。"
                yield row.finding("places", told, stops=True, value=name)
        for kind in overlap.kinds:
            if kind not in kinds:
                told = (
                    f"不是能派单的部门类别（departments.csv 的 kind，“{NOBODY}”除外）。请改正，或者在那里加一个单位。"
                )
                yield row.finding("kinds", told, stops=True, value=kind)
        if overlap.body not in bodies:
            told = "departments.csv 里没有这个单位。请写全称，或者在那里加上。"
            yield row.finding("body", told, stops=True)


def _rival_overlaps(tables: Tables) -> Iterator[Finding]:
    """Two rows that settle one kind in one place."""
    settled: dict[tuple[str, str, str], int] = {}
    for row, overlap in tables.overlaps:
        rivals = []
        for place, kind in overlap.settles():
            earlier = settled.setdefault((overlap.district, place, kind), row.number)
            if earlier != row.number:
                rivals.append(f"{place}的{kind or '其余类别'}（第 {earlier} 行）")
        if rivals:
            told = f"别的行已经写了归谁：{_some(rivals)}。一个地点的一类事只能归一处管，请从一行里去掉。"
            yield row.finding("zone", told, stops=True)


def _expired(rows: Rows[Duty], on: date) -> Iterator[Finding]:
    for row, duty in rows:
        if duty.valid_until is not None and duty.valid_until < on:
            told = f"已经失效，不再用来派单。若职责还在，请改日期；若已移交，请确认接手的条目在不在（{duty.clause}）。"
            yield row.finding("valid_until", told, stops=False)


def _uncovered_topics(tables: Tables, in_force: Rows[Duty]) -> Iterator[Finding]:
    covered = {duty.topic for _, duty in in_force}
    for row, topic in tables.topics:
        if topic.key not in covered:
            yield row.finding("topic", "没有一条在用的职责，这类来件派不出去。请在 duties.csv 里加上。", stops=False)


def _duties_without_body(directory: Directory, in_force: Rows[Duty]) -> Iterator[Finding]:
    bodies = directory.bodies
    districts = [place.name for place in directory.places if place.level == "district"]
    townships = [(place.district, place.name) for place in directory.places if place.level == "township"]
    for row, duty in in_force:
        if duty.lead_kind == NOBODY:
            continue
        kind, level = duty.lead_kind, duty.level
        of_city = any((kind, "city", city.name) in bodies for city in directory.cities)
        if of_city and (level == "city" or kind in directory.city_kinds):
            lacking = []
        elif level == "township":
            lacking = [
                f"{district}{township}"
                for district, township in townships
                if not {(kind, "township", f"{district}/{township}"), (kind, "township", township)} & bodies.keys()
                and (kind, "district", district) not in bodies
            ]
        else:
            lacking = [district for district in districts if (kind, "district", district) not in bodies]
        if lacking:
            told = f"在{_some(lacking)}没有单位，那里的来件只写得出部门类别。请在 departments.csv 里加上。"
            yield row.finding("lead_kind", told, stops=False)


def _shadowed(in_force: Rows[Duty]) -> Iterator[Finding]:
    holders = _holders(in_force)
    for row, duty in in_force:
        if duty.words and all(len(holders[word]) > 1 for word in duty.words):
            others = dict.fromkeys(in_force[position][1].duty_id for word in duty.words for position in holders[word])
            others.pop(duty.duty_id)
            told = f"的词别的条目（{_some(list(others))}）都有，这一条没有自己的词，总被挡住。请加几个只属于它的词。"
            yield row.finding("words", told, stops=False, value=duty.duty_id)


def _overlapping(in_force: Rows[Duty]) -> Iterator[Finding]:
    shared: dict[tuple[int, int], list[str]] = defaultdict(list)
    for word, positions in _holders(in_force).items():
        for place, first in enumerate(positions):
            for second in positions[place + 1 :]:
                shared[first, second].append(word)
    for (first, second), words in sorted(shared.items()):
        (_, one), (row, other) = in_force[first], in_force[second]
        if one.lead_kind == other.lead_kind or len(words) < 2:
            continue
        if len(words) >= _OVERLAP * min(len(one.words), len(other.words)):
            told = (
                f"与 {one.duty_id} 有一半以上的词相同（{_some(words)}），牵头的却是{one.lead_kind}和{other.lead_kind}。"
                "请把词分开。"
            )
            yield row.finding("words", told, stops=False, value=other.duty_id)


def _shared_aliases(rows: Rows[Item], column: str, identity: Callable[[Item], object]) -> Iterator[Finding]:
    """An alias of two rows, or one that is the name of another row."""
    named: dict[str, list[tuple[Row, Item]]] = defaultdict(list)
    for row, item in rows:
        named[row.text(column)].append((row, item))
    seen: dict[str, tuple[Row, Item]] = {}
    for row, item in rows:
        for alias in row.items("aliases"):
            clash = next((other for other, owner in named[alias] if identity(owner) != identity(item)), None)
            earlier = seen.setdefault(alias, (row, item))[0]
            found = clash or (earlier if earlier is not row else None)
            if found is not None:
                told = f"也是第 {found.number} 行“{found.text(column)}”的名称，不知道说的是哪一个。请从一行里去掉。"
                yield row.finding("aliases", told, stops=False, value=alias)


def _idle_traps(rows: Rows[Place]) -> Iterator[Finding]:
    for row, place in rows:
        for trap in place.traps:
            if not any(name in trap and name != trap for name in (place.name, *place.aliases)):
                told = "不含这个地方的名称，起不了作用。陷阱要写含有地名却不是这个地方的更长的说法。"
                yield row.finding("traps", told, stops=False, value=trap)


def _halves_of_years(rows: Rows[SpecialDay], directory: Directory) -> Iterator[Finding]:
    """Years beyond the published ones that cannot be used, or are hardly whole."""
    calendar = directory.working_calendar
    by_year: dict[int, list[tuple[Row, SpecialDay]]] = defaultdict(list)
    for row, own in rows:
        if not calendar.first_year <= own.day.year <= calendar.published_year:
            by_year[own.day.year].append((row, own))
    for year, found in sorted(by_year.items()):
        free = sum(not own.worked for _, own in found)
        if year > calendar.last_year:
            told = f"还没有 {calendar.last_year + 1} 年的放假安排，{year} 年的用不上。请先补上前面的。"
        elif year < calendar.first_year:
            told = f"早于 {calendar.first_year} 年的不算期限，用不上。请核对日期。"
        elif free < _STATUTORY:
            told = (
                f"{year} 年只写了 {free} 个休息日，法定节假日就有 {_STATUTORY} 天。请按国务院的通知写全，调休的也要写。"
            )
        else:
            continue
        yield found[0][0].finding("date", told, stops=False)


def _holders(rows: Rows[Duty]) -> dict[str, list[int]]:
    holders: dict[str, list[int]] = defaultdict(list)
    for position, (_, duty) in enumerate(rows):
        for word in duty.words:
            holders[word].append(position)
    return holders


def _some(names: Sequence[str]) -> str:
    told = "、".join(names[:_NAMED])
    return f"{told}等 {len(names)} 个" if len(names) > _NAMED else told
