"""The stage: each row's candidates are ranked, given bodies, decided and explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.directory import Directory, Duty
from pipeline.match.bodies import Answer, Scene, find_body, set_scene
from pipeline.match.candidates import MEANING, PAST, Candidates, gather_candidates
from pipeline.match.claims import Claims, find_claims
from pipeline.match.lead import Lead, Likes
from pipeline.match.ranking import OTHER, Matcher, Ranked
from pipeline.match.reasons import BLANK, Outcome, explain_body, quote_place, why_review, write_reason
from pipeline.match.returns import Refusals, find_refusals
from pipeline.match.urgency import find_danger
from pipeline.schema import CLASSIFIED, MATCHED, PLACED, RECALLED, SUBMISSIONS, check_table, typed
from pipeline.settings import MatchSettings

# Where no clause says which level leads: villages run what is theirs, all else is a district's.
_USUAL_LEVEL = {"街道乡镇": "township"}
_LIST_SIGN = ";"


def match_departments(
    submissions: pd.DataFrame,
    classified: pd.DataFrame,
    placed: pd.DataFrame,
    recalled: pd.DataFrame,
    *,
    directory: Directory | None,
    matcher: Matcher,
    settings: MatchSettings,
) -> pd.DataFrame:
    """Lead, candidates, co-handlers, urgency, decision and reason of each submission.

    Parameters
    ----------
    submissions, classified, placed, recalled : tables SUBMISSIONS, CLASSIFIED, PLACED, RECALLED of the same rows
    directory : with only the clauses in force (Directory.valid_on); None routes by what was learned alone

    Returns
    -------
    table MATCHED, same rows and order. ``department_probability``, 0 to 1, is the calibrated probability that the lead
    (department, else kind) is right; where neither was learned, that of the topic times the duties' share for the
    kind, which no label has ever checked. Where department is "" it is 0. No duty and nothing learned: department "",
    decision review. A body that sent the row back is no candidate; one that sent like matters back ranks lower, and
    where that has a say no row is decided without a person.

    Raises
    ------
    TableError : a column is missing
    """
    for frame, table in ((submissions, SUBMISSIONS), (classified, CLASSIFIED), (placed, PLACED), (recalled, RECALLED)):
        check_table(frame, table, where="match_departments")
    titles, texts = submissions["title"].tolist(), submissions["text"].tolist()
    claims = find_claims(titles, texts, classified, directory=directory, settings=settings)
    candidates = gather_candidates(
        submissions,
        classified,
        placed,
        recalled,
        claims,
        target=matcher.target,
        naming=matcher.naming(directory),
        directory=directory,
    )
    views = list(map(_View, *(classified[name].tolist() for name in _View._fields)))
    own = (submissions[name].tolist() for name in ("title", "text", "place"))
    where = (placed[name].tolist() for name in ("district", "township", "spot", "place_words"))
    rows = list(map(_Row, *own, *where))
    office = _Office(directory, matcher, settings, rows, claims, candidates, _Recalled.of(recalled))
    refusals = find_refusals(submissions, recalled, candidates, office.body_of, directory=directory, settings=settings)
    if refusals.refused.any():
        candidates, against = candidates.without(refusals.refused), refusals.against[~refusals.refused]
        office = _Office(directory, matcher, settings, rows, claims, candidates, office.recalled)
    else:
        against = refusals.against
    topic = classified["topic_probability"].to_numpy(dtype=np.float64)
    view = matcher.view(directory)
    ranked = view.rank(candidates, claims, topic, against, target=matcher.target)
    danger = find_danger([f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)])
    matched = pd.DataFrame(
        [office.match(number, views[number], ranked, refusals, alarm) for number, alarm in enumerate(danger)],
        columns=MATCHED.names[1:],
        index=submissions.index,
    )
    return typed(matched.assign(submission_id=submissions["submission_id"]), MATCHED)


class _Row(NamedTuple):
    title: str
    text: str
    place: str
    district: str | None
    township: str | None
    spot: str | None
    place_words: Sequence[str]

    @property
    def blank(self) -> bool:
        return not (self.title.strip() or self.text.strip())

    def scene(self, directory: Directory | None) -> Scene:
        where = (_known(name) for name in (self.district, self.township, self.spot))
        return set_scene(*where, text=f"{self.title}\n{self.text}\n{self.place}", directory=directory)


class _View(NamedTuple):
    topic: str
    topic_probability: float
    topic_labels: Sequence[str]


class _Recalled(NamedTuple):
    """Columns of RECALLED as lists."""

    ids: list[Sequence[str]]
    leads: list[Sequence[str]]
    partners: list[Sequence[str]]
    likeness: list[Sequence[float]]
    clauses: list[Sequence[int]]
    clause_likeness: list[Sequence[float]]

    @classmethod
    def of(cls, recalled: pd.DataFrame) -> _Recalled:
        names = ("past_ids", "past_leads", "past_partners", "past_likeness", "clauses", "clause_likeness")
        return cls(*(recalled[name].tolist() for name in names))


@dataclass(frozen=True, eq=False)
class _Office:
    """Decides row by row; what it knows is the same for all rows of a batch."""

    directory: Directory | None
    matcher: Matcher
    settings: MatchSettings
    rows: list[_Row]
    claims: Claims
    candidates: Candidates
    recalled: _Recalled

    def match(self, number: int, view: _View, ranked: Ranked, refusals: Refusals, alarm: str) -> tuple[object, ...]:
        """One row of MATCHED without its id."""
        row = self.rows[number]
        if row.blank:
            return "", "", 0.0, [], [], BLANK, "normal", "review"
        low, high = int(ranked.begins[number]), int(ranked.begins[number + 1])
        entries = ranked.order[low:high].tolist()
        scene = row.scene(self.directory)
        lead = self._lead(entries[0]) if entries else None
        answer = self._find(lead, scene) if lead else Answer("")
        names = self._names(entries, answer, scene)
        probability = float(ranked.probability[number])
        no_topic = view.topic == OTHER or (not view.topic and len(view.topic_labels) > 0)
        no_topic = no_topic or (lead is not None and lead.nobody)
        sent_back = refusals.told.get(number)
        decision = self._decide(lead, view, probability, no_topic, refused=sent_back is not None)
        # What speaks for 其他 is that nothing speaks for anybody: no clause and no likeness to quote.
        shown = None if lead is not None and lead.nobody else lead
        danger = alarm or _grave_word(lead)
        shares = ranked.share[low : min(high, low + 2)].tolist()
        why = why_review(shares, names, probability, no_topic=no_topic, directory=self.directory)
        reason = write_reason(
            lead=shown,
            topic=view.topic if shown is not None or lead is None else "",
            danger=danger,
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
            self._partners(number, lead, answer, scene),
            reason,
            "urgent" if danger else "normal",
            decision,
        )

    def body_of(self, entry: int) -> str:
        """The body that a candidate is in the place of its row."""
        return self._find(self._plain(entry), self.rows[self.candidates.row[entry]].scene(self.directory)).name

    def _lead(self, entry: int) -> Lead:
        """A candidate with its words and past matters, which only the first of a row needs."""
        lead = self._plain(entry)
        words = self.claims.quote(claim) if (claim := int(self.candidates.claim[entry])) >= 0 else ()
        row = int(self.candidates.row[entry])
        likes = self._likes(row, lead.name) if self.candidates.features[entry, PAST] > 0 else Likes()
        return lead._replace(words=words, likes=likes)

    def _plain(self, entry: int) -> Lead:
        number, learned = int(self.candidates.name[entry]), float(self.candidates.learned[entry])
        name, kind = self.candidates.names[number], self.candidates.kinds[number]
        return Lead(name, kind, None if learned != learned else learned, *self._duty(entry, kind))

    def _duty(self, entry: int, kind: str) -> tuple[Duty | None, str]:
        """The clause whose words were found, else the one that reads like the row, else that of the topic."""
        if self.directory is None:
            return None, ""
        claim = int(self.candidates.claim[entry])
        spoken = claim >= 0 and self.claims.words[claim] > 0
        if not spoken and self.candidates.features[entry, MEANING] >= self.settings.clause_likeness:
            row = int(self.candidates.row[entry])
            near = (self.directory.duties[place] for place in self.recalled.clauses[row])
            return next(duty for duty in near if duty.lead_kind == kind), "meaning"
        if claim < 0:
            return None, ""
        return self.directory.duties[self.claims.duty[claim]], "words" if spoken else "topic"

    def _likes(self, row: int, name: str) -> Likes:
        """Past matters that may be named and are like the row."""
        past = zip(self.recalled.ids[row], self.recalled.leads[row], self.recalled.likeness[row], strict=True)
        near = [(matter, lead) for matter, lead, cosine in past if matter and cosine >= self.settings.cited_likeness]
        return Likes(tuple(matter for matter, lead in near if lead == name), sum(lead != name for _, lead in near))

    def _names(self, entries: Sequence[int], answer: Answer, scene: Scene) -> list[str]:
        names = [answer.name] if answer.name else []
        for entry in entries[1:]:
            if len(names) == self.settings.candidates:
                break
            name = self._find(self._plain(entry), scene).name
            if name and name not in names:
                names.append(name)
        return names

    def _find(self, lead: Lead, scene: Scene) -> Answer:
        if self.matcher.target == "department":
            return Answer(lead.name)
        if lead.nobody:
            return Answer("")
        if lead.duty is None:
            return find_body(lead.kind, _USUAL_LEVEL.get(lead.kind, "district"), scene, self.directory)
        # 供热企业 in a clause whose words stand in the text tells the heating company from the gas company.
        spoken = scene._replace(text=scene.text + lead.duty.clause) if lead.found_by == "words" else scene
        return find_body(lead.kind, lead.duty.level, spoken, self.directory)

    def _partners(self, number: int, lead: Lead | None, answer: Answer, scene: Scene) -> list[str]:
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
                    named.append(find_body(kind, _USUAL_LEVEL.get(kind, level), scene, self.directory).name)
        return [name for name in dict.fromkeys(named) if name != answer.name]

    def _helpers(self, row: int, name: str) -> list[str]:
        """Those who helped in most of the like past matters that the lead handled, of two at least."""
        past = zip(self.recalled.leads[row], self.recalled.partners[row], self.recalled.likeness[row], strict=True)
        near = [partners for lead, partners, cosine in past if lead == name and cosine >= self.settings.cited_likeness]
        counts = Counter(kind for partners in near for kind in partners.split(_LIST_SIGN) if kind)
        return [kind for kind, times in sorted(counts.items()) if times > 1 and 2 * times > len(near)]

    def _decide(self, lead: Lead | None, view: _View, probability: float, no_topic: bool, *, refused: bool) -> str:
        if no_topic:
            return "review"
        if lead is None:
            # Topics alone were learned and are the user's own: then being right is being right about the topic.
            own_topic = self.directory is None or view.topic not in self.directory.topic_names
            if not (self.matcher.target == "topic" and view.topic and own_topic):
                return "review"
        auto, check = self.matcher.view(self.directory).limits
        # What was calibrated knew of no matter sent back.
        if probability >= auto and not refused:
            return "auto"
        return "check" if probability >= check else "review"


def _grave_word(lead: Lead | None) -> str:
    """The word of an urgent clause that makes a row urgent although no word of danger does; "" where there is none."""
    # A clause chosen without any of its words proves no danger.
    if lead is None or lead.duty is None or lead.duty.urgency != "urgent":
        return ""
    # Words of danger were judged where they stand, and are denied or supposed there.
    return next((word for word, denied in zip(lead.words, find_danger(lead.words), strict=True) if not denied), "")


def _known(name: str | None) -> str:
    # A null of a "str?" column reads as None or as nan, by the dtype that pandas chose.
    return name if isinstance(name, str) else ""
