"""The stage: the candidates of all rows are ranked at once, then each row is given a body, decided and explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.directory import Directory
from pipeline.match.candidates import gather_candidates
from pipeline.match.office import Office, Recalled, Row, TopicView
from pipeline.match.ranking import Matcher
from pipeline.match.returns import find_refusals
from pipeline.match.urgency import find_alarms
from pipeline.schema import CLASSIFIED, MATCHED, PLACED, RECALLED, SUBMISSIONS, check_table, typed
from pipeline.settings import MatchSettings


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
    """Lead, candidates, co-handlers, urgency, deadline, decision and reason of each submission.

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
    where that has a say no row is decided without a person; nor is a row with a person in danger. ``working_days`` is
    what the lead's clause gives, with an alarm at most settings.urgent_days, and 0 where no clause speaks; for
    ``deadline`` see `WorkingCalendar.deadlines`.

    Raises
    ------
    TableError : a column is missing
    """
    for frame, table in ((submissions, SUBMISSIONS), (classified, CLASSIFIED), (placed, PLACED), (recalled, RECALLED)):
        check_table(frame, table, where="match_departments")
    titles, texts = submissions["title"].tolist(), submissions["text"].tolist()
    letters = [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)]
    candidates = gather_candidates(
        titles,
        texts,
        letters,
        classified,
        placed,
        recalled,
        target=matcher.target,
        naming=matcher.naming(directory),
        directory=directory,
        settings=settings,
    )
    views = list(map(TopicView, *(classified[name].tolist() for name in TopicView._fields)))
    where = (placed[name].tolist() for name in ("district", "township", "spot", "place_words"))
    rows = list(map(Row, titles, texts, submissions["place"].tolist(), *where))
    office = Office(directory, matcher, settings, rows, candidates, Recalled.of(recalled))
    refusals = find_refusals(submissions, recalled, candidates, office.body_of, directory=directory, settings=settings)
    office = replace(office, candidates=candidates.without(refusals.refused))
    topic = classified["topic_probability"].to_numpy(dtype=np.float64)
    against = refusals.against[~refusals.refused]
    ranked = matcher.view(directory).rank(office.candidates, topic, against, target=matcher.target)
    alarms = find_alarms(letters, submissions["submitted_at"], settings=settings)
    matched = pd.DataFrame(
        [office.match(number, views[number], ranked, refusals, alarm) for number, alarm in enumerate(alarms)],
        columns=MATCHED.names[1:-1],
        index=submissions.index,
    )
    deadline = None
    if directory is not None:
        deadline = directory.working_calendar.deadlines(submissions["submitted_at"], matched["working_days"])
    return typed(matched.assign(submission_id=submissions["submission_id"], deadline=deadline), MATCHED)
