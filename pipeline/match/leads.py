"""The stage: each row's candidates are ranked, given bodies, decided and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from pipeline.directory import NOBODY, Directory
from pipeline.match.bodies import Scene, name_body
from pipeline.match.evidence import OTHER, Claim, Lead, claims_of_rows, leads_of_row
from pipeline.match.matcher import Matcher, Ranking
from pipeline.match.reasons import BLANK, quote_place, why_review, write_reason
from pipeline.match.urgency import Alarm, find_alarms, is_sign
from pipeline.schema import CLASSIFIED, MATCHED, PLACED, SEGMENTED, SUBMISSIONS, check_table, typed
from pipeline.settings import MatchSettings

# Where no clause says which level leads: villages run what is theirs, all else is a district's.
_USUAL_LEVEL = {"街道乡镇": "township"}


def match_departments(
    submissions: pd.DataFrame,
    segmented: pd.DataFrame,
    classified: pd.DataFrame,
    placed: pd.DataFrame,
    *,
    directory: Directory | None,
    matcher: Matcher,
    settings: MatchSettings,
) -> pd.DataFrame:
    """Lead, candidates, co-handlers, urgency, deadline, decision and reason of each submission.

    Parameters
    ----------
    submissions, segmented, classified, placed : tables SUBMISSIONS, SEGMENTED, CLASSIFIED, PLACED of the same rows
    directory : with only the clauses in force (Directory.valid_on); None routes by what was learned alone

    Returns
    -------
    table MATCHED, same rows and order. ``department_probability``, 0 to 1, is the calibrated probability that the lead
    (department, else kind) is right; where neither was learned, that of the topic times the duties' share for the
    kind, which no label has ever checked. Where department is "" it is 0. No duty and nothing learned: department "",
    decision review. A row with a person in danger is never decided auto. ``working_days`` is what the lead's clause
    gives, with an alarm at most settings.urgent_days, and 0 where no clause speaks; for ``deadline`` see
    `WorkingCalendar.deadlines`.

    Raises
    ------
    TableError : a column is missing
    """
    for frame, table in (
        (submissions, SUBMISSIONS),
        (segmented, SEGMENTED),
        (classified, CLASSIFIED),
        (placed, PLACED),
    ):
        check_table(frame, table, where="match_departments")
    titles, texts, columns = (submissions[name].tolist() for name in ("title", "text", "place"))
    claims = claims_of_rows(titles, texts, classified, directory=directory, settings=settings)
    letters = [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)]
    alarms = find_alarms(letters, submissions["submitted_at"], settings=settings)
    views = zip(*(classified[name].tolist() for name in _VIEWS), strict=True)
    places = zip(*(placed[name].tolist() for name in ("district", "township", "place_words")), strict=True)
    office = _Office(directory, matcher, settings)
    rows = [
        office.match(_Row(*row), _View(*view), claim, alarm)
        for row, view, claim, alarm in zip(
            ((*own, *where) for own, where in zip(zip(titles, texts, columns, strict=True), places, strict=True)),
            views,
            claims,
            alarms,
            strict=True,
        )
    ]
    matched = pd.DataFrame(rows, columns=MATCHED.names[1:-1], index=submissions.index)
    deadline = None
    if directory is not None:
        deadline = directory.working_calendar.deadlines(submissions["submitted_at"], matched["working_days"])
    return typed(matched.assign(submission_id=submissions["submission_id"], deadline=deadline), MATCHED)


_VIEWS = (
    *("topic", "topic_probability", "topic_labels", "department_labels", "department_probabilities"),
    *("kind_labels", "kind_probabilities"),
)


class _Row(NamedTuple):
    title: str
    text: str
    place: str
    district: str | None
    township: str | None
    place_words: Sequence[str]

    @property
    def blank(self) -> bool:
        return not (self.title.strip() or self.text.strip())

    def scene(self) -> Scene:
        words = f"{self.title}\n{self.text}"
        return Scene(_known(self.district), _known(self.township), len(self.place_words) > 0, words)


class _View(NamedTuple):
    topic: str
    topic_probability: float
    topic_labels: Sequence[str]
    departments: Sequence[str]
    department_probabilities: Sequence[float]
    kinds: Sequence[str]
    kind_probabilities: Sequence[float]


@dataclass(frozen=True)
class _Office:
    """Decides row by row; what it knows is the same for all rows."""

    directory: Directory | None
    matcher: Matcher
    settings: MatchSettings

    def match(self, row: _Row, view: _View, claims: dict[str, Claim], alarm: Alarm | None) -> tuple[object, ...]:
        """One row of MATCHED without its id and deadline."""
        if row.blank:
            return "", "", 0.0, [], [], BLANK, "normal", "review", False, 0
        target = self.matcher.target
        departments = (view.departments, view.department_probabilities)
        kinds = (view.kinds, view.kind_probabilities)
        leads = leads_of_row(target, claims, departments, kinds, self.directory)
        ranking = self.matcher.view(self.directory).rank(leads, view.topic_probability, target=target)
        scene = row.scene()
        lead = ranking.leads[0] if ranking.leads else None
        department = self._name(lead, scene) if lead else ""
        candidates = self._candidates(ranking, scene)
        no_topic = view.topic == OTHER or (not view.topic and len(view.topic_labels) > 0) or _nobody(lead)
        decision = self._decide(ranking, view, no_topic)
        endangered = alarm is not None and alarm.endangers
        if endangered and decision == "auto":
            decision = "check"
        shown = alarm or _grave_alarm(lead)
        reason = write_reason(
            # What speaks for 其他 is that nothing speaks for anybody: no clause and no likeness to quote.
            lead=None if _nobody(lead) else lead,
            department=department,
            decision=decision,
            review_because=why_review(ranking, candidates, no_topic=no_topic, directory=self.directory),
            topic="" if _nobody(lead) else view.topic,
            alarm=shown,
            place=quote_place(row.place_words, row.title, row.text, row.place),
            words_kept=self.settings.reason_words,
            directory=self.directory,
        )
        return (
            lead.kind if lead else "",
            department,
            self._probability(ranking) if department else 0.0,
            candidates,
            self._partners(lead, department, scene),
            reason,
            "urgent" if shown else "normal",
            decision,
            endangered,
            self._working_days(lead, alarm),
        )

    def _working_days(self, lead: Lead | None, alarm: Alarm | None) -> int:
        if lead is None or lead.claim is None:
            return 0
        # An urgent clause has days of its own; what the text alone tells is not in them.
        days = lead.claim.duty.working_days
        return min(days, self.settings.urgent_days) if alarm is not None else days

    def _candidates(self, ranking: Ranking, scene: Scene) -> list[str]:
        candidates: list[str] = []
        for lead in ranking.leads:
            name = self._name(lead, scene)
            if name and name not in candidates:
                candidates.append(name)
            if len(candidates) == self.settings.candidates:
                break
        return candidates

    def _name(self, lead: Lead, scene: Scene) -> str:
        if self.matcher.target == "department":
            return str(lead.name)
        if _nobody(lead):
            return ""
        if lead.claim is None:
            return name_body(lead.kind, _USUAL_LEVEL.get(lead.kind, "district"), scene, self.directory)
        # 供热企业 in a clause whose words stand in the text tells the heating company from the gas company.
        spoken = scene._replace(text=scene.text + lead.claim.duty.clause) if lead.claim.words else scene
        return name_body(lead.kind, lead.claim.duty.level, spoken, self.directory)

    def _partners(self, lead: Lead | None, department: str, scene: Scene) -> list[str]:
        # A clause none of whose words was found says nothing about who helps.
        if lead is None or lead.claim is None or not lead.claim.words:
            return []
        duty = lead.claim.duty
        named = [name_body(kind, duty.level, scene, self.directory) for kind in duty.co_kinds if kind != lead.kind]
        return [name for name in dict.fromkeys(named) if name != department]

    def _decide(self, ranking: Ranking, view: _View, no_topic: bool) -> str:
        if no_topic:
            return "review"
        if not ranking.leads:
            # Topics alone were learned and are the user's own: then being right is being right about the topic.
            own_topic = self.directory is None or view.topic not in self.directory.topic_names
            if not (self.matcher.target == "topic" and view.topic and own_topic):
                return "review"
        auto, check = self.matcher.view(self.directory).limits
        if ranking.probability >= auto:
            return "auto"
        return "check" if ranking.probability >= check else "review"

    def _probability(self, ranking: Ranking) -> float:
        return ranking.probability * (ranking.shares[0] if self.matcher.target == "topic" else 1.0)


def _nobody(lead: Lead | None) -> bool:
    # The kind 其他 says that no kind fits; a hotline or a committee must not become the default department by it.
    return lead is not None and lead.kind == NOBODY


def _grave_alarm(lead: Lead | None) -> Alarm | None:
    """The word of an urgent clause that makes a row urgent although no sign of an alarm does."""
    # A clause chosen without any of its words proves no danger.
    if lead is None or lead.claim is None or lead.claim.duty.urgency != "urgent":
        return None
    # Signs were judged where they stand, and are denied, supposed or over there.
    word = next((word for word in lead.claim.words if not is_sign(word)), None)
    return Alarm("", (word,)) if word else None


def _known(name: str | None) -> str:
    # A null of a "str?" column reads as None or as nan, by the dtype that pandas chose.
    return name if isinstance(name, str) else ""
