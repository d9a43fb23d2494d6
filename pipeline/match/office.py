"""One row after the other: its first candidate becomes a body, a decision and a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.directory import NOBODY, Directory, Duty
from pipeline.match.bodies import Answer, Scene, find_body, set_scene
from pipeline.match.candidates import MEANING, TOWNSHIP_KIND, Candidates
from pipeline.match.lead import Lead, Likes
from pipeline.match.ranking import OTHER, Matcher, Ranked
from pipeline.match.reasons import BLANK, Outcome, explain_body, quote_place, why_review, write_reason
from pipeline.match.returns import Refusals
from pipeline.match.urgency import Alarm, is_sign
from pipeline.settings import MatchSettings

# Where no clause says which level leads: villages run what is theirs, all else is a district's.
_USUAL_LEVEL = {TOWNSHIP_KIND: "township"}
_LIST_SIGN = ";"
# What a clause was found by.
_FOUND_BY = ("words", "meaning", "topic")
_BY_WORDS, _BY_MEANING, _BY_TOPIC = range(len(_FOUND_BY))

Where = tuple[str, str, str]


class Row(NamedTuple):
    """What a row says itself, and where it is."""

    title: str
    text: str
    place: str
    district: str | None
    township: str | None
    spot: str | None
    place_words: Sequence[str]

    @property
    def blank(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.title.strip() or self.text.strip())

    @property
    def where(self) -> Where:
        """Official names of district, township and spot, each "" where it is not known."""
        return _known(self.district), _known(self.township), _known(self.spot)

    def scene(self, directory: Directory | None) -> Scene:
        """Where the matter is, for choosing between bodies."""
        return set_scene(*self.where, text=f"{self.title}\n{self.text}\n{self.place}", directory=directory)


class TopicView(NamedTuple):
    """What was classified."""

    topic: str
    topic_probability: float
    topic_labels: Sequence[str]


class Recalled(NamedTuple):
    """The past matters of RECALLED as lists."""

    ids: list[Sequence[str]]
    leads: list[Sequence[str]]
    partners: list[Sequence[str]]
    likeness: list[Sequence[float]]

    @classmethod
    def of(cls, recalled: pd.DataFrame) -> Recalled:
        """Of a table RECALLED."""
        return cls(*(recalled[f"past_{name}"].tolist() for name in cls._fields))


@dataclass(frozen=True, eq=False)
class Office:
    """Decides row by row; what it knows is the same for all rows of a batch."""

    directory: Directory | None
    matcher: Matcher
    settings: MatchSettings
    rows: list[Row]
    candidates: Candidates
    recalled: Recalled
    _kept: dict[tuple[str, str, Where], Answer] = field(default_factory=dict)

    def match(
        self, number: int, view: TopicView, ranked: Ranked, refusals: Refusals, alarm: Alarm | None
    ) -> tuple[object, ...]:
        """One row of MATCHED without its id and deadline."""
        row = self.rows[number]
        if row.blank:
            return "", "", 0.0, [], [], BLANK, "normal", "review", False, 0
        low, high = int(ranked.begins[number]), int(ranked.begins[number + 1])
        entries = ranked.order[low:high].tolist()
        scene = row.scene(self.directory)
        where = row.where
        endangered = alarm is not None and alarm.endangers
        if endangered:
            # Where a person may be in danger somebody is named, though topic and kind find nobody's matter in it.
            entries.sort(key=lambda entry: self._entries[entry][1] == NOBODY)
        lead = self._lead(entries[0], number) if entries else None
        answer = self._find(lead, scene, where) if lead else Answer("")
        names = self._names(entries, answer, scene, where)
        probability = float(ranked.probability[number])
        no_topic = view.topic == OTHER or (not view.topic and len(view.topic_labels) > 0)
        no_topic = no_topic or (lead is not None and lead.nobody)
        sent_back = refusals.told.get(number)
        decision = self._decide(lead, view, probability, no_topic, refused=sent_back is not None)
        # What speaks for 其他 is that nothing speaks for anybody: no clause and no likeness to quote.
        shown = None if lead is not None and lead.nobody else lead
        if endangered and decision == "auto":
            decision = "check"
        told = alarm or _grave_alarm(lead)
        shares = ranked.share[low : min(high, low + 2)].tolist()
        why = why_review(shares, names, probability, no_topic=no_topic, directory=self.directory)
        reason = write_reason(
            lead=shown,
            topic=view.topic if shown is not None or lead is None else "",
            alarm=told,
            place=quote_place(row.place_words, row.title, row.text, row.place)
            + explain_body(answer, decision, placed=len(row.place_words) > 0),
            outcome=Outcome(answer.name, decision, why, sent_back),
            words_kept=self.settings.reason_words,
            directory=self.directory,
        )
        share = shares[0] if shares and self.matcher.target == "topic" else 1.0
        return (
            lead.kind if lead else "",
            answer.name,
            probability * share if answer.name else 0.0,
            names,
            self._partners(number, lead, answer, scene, where),
            reason,
            "urgent" if told else "normal",
            decision,
            endangered,
            self._working_days(lead, alarm),
        )

    def _working_days(self, lead: Lead | None, alarm: Alarm | None) -> int:
        if lead is None or lead.duty is None:
            return 0
        # An urgent clause has days of its own; what the text alone tells is not in them.
        days = lead.duty.working_days
        return min(days, self.settings.urgent_days) if alarm is not None else days

    def body_of(self, entry: int) -> str:
        """The body that a candidate is in the place of its row."""
        row = self.rows[int(self.candidates.row[entry])]
        return self._find(self._plain(entry), row.scene(self.directory), row.where).name

    @cached_property
    def _entries(self) -> list[tuple[str, str, float, int, int, int]]:
        """Of each candidate: name, kind, learned, clause (-1: none), what found it, nearest clause.

        Lists, for they are read far faster than arrays.
        """
        candidates, claims = self.candidates, self.candidates.claims
        claimed = np.append(claims.duty, -1)[candidates.claim]
        spoken = np.append(claims.words, 0)[candidates.claim] > 0
        alike = ~spoken & (candidates.features[:, MEANING] >= self.settings.clause_likeness)
        duty = np.where(alike, candidates.nearest, claimed)
        found_by = np.where(spoken, _BY_WORDS, np.where(alike, _BY_MEANING, _BY_TOPIC))
        names = [(candidates.names[place], candidates.kinds[place]) for place in candidates.name.tolist()]
        columns = (candidates.learned.tolist(), duty.tolist(), found_by.tolist(), candidates.nearest.tolist())
        return [(*name, *rest) for name, rest in zip(names, zip(*columns, strict=True), strict=True)]

    def _lead(self, entry: int, row: int) -> Lead:
        """A candidate with its words and past matters, which only the first of a row needs."""
        lead = self._plain(entry)
        duty = self._entries[entry][3]
        words = self.candidates.claims.quote(row, duty) if lead.found_by == "words" else ()
        return lead._replace(words=words, likes=self._likes(row, lead.name))

    def _plain(self, entry: int) -> Lead:
        name, kind, learned, duty, found_by, nearest = self._entries[entry]
        clause = self._clause(duty)
        found = _FOUND_BY[found_by] if clause else ""
        return Lead(name, kind, None if learned != learned else learned, clause, found, self._clause(nearest))

    def _clause(self, duty: int) -> Duty | None:
        return self.directory.duties[duty] if self.directory is not None and duty >= 0 else None

    def _likes(self, row: int, name: str) -> Likes:
        """Past matters that may be named and are like the row."""
        if not self._has_like(row):
            return Likes()
        past = zip(self.recalled.ids[row], self.recalled.leads[row], self.recalled.likeness[row], strict=True)
        near = [(matter, lead) for matter, lead, cosine in past if matter and cosine >= self.settings.cited_likeness]
        return Likes(tuple(matter for matter, lead in near if lead == name), sum(lead != name for _, lead in near))

    def _has_like(self, row: int) -> bool:
        likeness = self.recalled.likeness[row]
        return len(likeness) > 0 and likeness[0] >= self.settings.cited_likeness

    def _names(self, entries: Sequence[int], answer: Answer, scene: Scene, where: Where) -> list[str]:
        names = [answer.name] if answer.name else []
        for entry in entries[1:]:
            if len(names) >= self.settings.candidates:
                break
            name = self._find(self._plain(entry), scene, where).name
            if name and name not in names:
                names.append(name)
        return names

    def _find(self, lead: Lead, scene: Scene, where: Where) -> Answer:
        if self.matcher.target == "department":
            return Answer(lead.name)
        if lead.nobody:
            return Answer("")
        level = lead.duty.level if lead.duty is not None else _USUAL_LEVEL.get(lead.kind, "district")
        # 供热企业 in the clause tells the heating company from the gas company where the text names neither.
        telling = lead.duty if lead.found_by == "words" else lead.nearest
        return self._body(lead.kind, level, telling.clause if telling is not None else "", scene, where)

    def _body(self, kind: str, level: str, clause: str, scene: Scene, where: Where) -> Answer:
        """The body of a kind in a place; asked for again and again, so what no word decides is kept."""
        key = (kind, level, where)
        if (kept := self._kept.get(key)) is not None:
            return kept
        answer = find_body(kind, level, scene._replace(text=scene.text + clause) if clause else scene, self.directory)
        if not answer.by_words:
            self._kept[key] = answer
        return answer

    def _partners(self, number: int, lead: Lead | None, answer: Answer, scene: Scene, where: Where) -> list[str]:
        """Who helps: the other body of a zone, those of the clause whose words were found, those of like matters."""
        named = [answer.beside] if answer.beside else []
        if lead is not None:
            # A clause none of whose words was found says nothing about who helps.
            kinds = [*(lead.duty.co_kinds if lead.duty is not None and lead.found_by == "words" else ())]
            kinds += [kind for kind in self._helpers(number, lead.name) if kind not in kinds]
            level = lead.duty.level if lead.duty is not None else "district"
            for kind in kinds:
                # Which street or village helps is known by its name only, and no wider body helps in its stead.
                if kind != lead.kind and (scene.township or kind not in _USUAL_LEVEL):
                    named.append(self._body(kind, _USUAL_LEVEL.get(kind, level), "", scene, where).name)
        return [name for name in dict.fromkeys(named) if name != answer.name]

    def _helpers(self, row: int, name: str) -> list[str]:
        """Those who helped in most of the like past matters that the lead handled, of two at least."""
        if not self._has_like(row):
            return []
        past = zip(self.recalled.leads[row], self.recalled.partners[row], self.recalled.likeness[row], strict=True)
        near = [partners for lead, partners, cosine in past if lead == name and cosine >= self.settings.cited_likeness]
        counts = Counter(kind for partners in near for kind in partners.split(_LIST_SIGN) if kind)
        return [kind for kind, times in sorted(counts.items()) if times > 1 and 2 * times > len(near)]

    def _decide(self, lead: Lead | None, view: TopicView, probability: float, no_topic: bool, *, refused: bool) -> str:
        if no_topic:
            return "review"
        if lead is None:
            # Topics alone were learned and are the user's own: then being right is being right about the topic.
            own_topic = self.directory is None or view.topic not in self.directory.topic_names
            if not (self.matcher.target == "topic" and view.topic and own_topic):
                return "review"
        auto, check = self.matcher.view(self.directory).limits
        if probability >= auto:
            # What was calibrated knew of no matter sent back.
            return "check" if refused else "auto"
        return "check" if probability >= check else "review"


def _grave_alarm(lead: Lead | None) -> Alarm | None:
    """The word of an urgent clause that makes a row urgent although no sign of an alarm does."""
    # A clause chosen without any of its words proves no danger.
    if lead is None or lead.duty is None or lead.duty.urgency != "urgent":
        return None
    # Signs were judged where they stand, and are denied, supposed or over there.
    word = next((word for word in lead.words if not is_sign(word)), None)
    return Alarm("", (word,)) if word else None


def _known(name: str | None) -> str:
    # A null of a "str?" column reads as None or as nan, by the dtype that pandas chose.
    return name if isinstance(name, str) else ""
