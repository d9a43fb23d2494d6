"""The stage: table SUBMISSIONS and its tokens become table PLACED."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.places.gazetteer import Gazetteer, find_spellings
from pipeline.places.mentions import Mention, read_mentions
from pipeline.places.settling import settle
from pipeline.schema import PLACED, SEGMENTED, SUBMISSIONS, check_table, typed


def locate(submissions: pd.DataFrame, segmented: pd.DataFrame, *, gazetteer: Gazetteer | None) -> pd.DataFrame:
    """Table PLACED; without a directory no place is known."""
    if gazetteer is not None:
        return find_places(submissions, segmented, gazetteer=gazetteer)
    nowhere = pd.DataFrame(
        {"submission_id": submissions["submission_id"], "district": None, "township": None, "spot": None},
        index=submissions.index,
    )
    no_words: pd.Series[Any] = pd.Series([[]] * len(nowhere), index=nowhere.index, dtype="object")
    return typed(nowhere.assign(place_words=no_words), PLACED)


def find_places(submissions: pd.DataFrame, segmented: pd.DataFrame, *, gazetteer: Gazetteer) -> pd.DataFrame:
    """District, township and spot that each submission is about.

    The place column speaks first, then the title, then the text. The longest name wins; a name that reaches into
    another word is none; a name before 路, 小学 and the like may be another thing, and so may one behind a surname or
    before goods. Of two districts the one with more say wins (column, title, official wording, a township or spot of
    its own beside it, 我们 or 位于 before it), then the first named; one that is put aside (户口在, 从 … 来, 不如) says
    nothing where another is named. A spot or a short name right behind another district is a namesake there. A
    township of two districts is settled only by the district.

    Parameters
    ----------
    submissions : table SUBMISSIONS
    segmented : table SEGMENTED of the same rows

    Returns
    -------
    table PLACED, same rows and order; official names or null; ``place_words`` as written, in order of the text

    Raises
    ------
    TableError : a column is missing
    """
    check_table(submissions, SUBMISSIONS, where="find_places")
    check_table(segmented, SEGMENTED, where="find_places")
    columns = [submissions[name].tolist() for name in ("place", "title", "text")]
    # A place column is not segmented: what stands in it is a name.
    tokens = [[()] * len(submissions), segmented["title_tokens"].tolist(), segmented["text_tokens"].tolist()]
    found = [find_spellings(texts, gazetteer) for texts in columns]
    settled: list[tuple[str | None, str | None, str | None, list[str]]] = []
    weights = (gazetteer.settings.column_weight, gazetteer.settings.title_weight, 1)
    for row in range(len(submissions)):
        mentions: list[Mention] = []
        for source, spellings in enumerate(found):
            if spellings[row]:
                text, cut = columns[source][row], tokens[source][row]
                mentions += read_mentions(spellings[row], source, text, cut, weights[source], gazetteer)
        settled.append(settle(mentions) if mentions else (None, None, None, []))
    district, township, spot, words = zip(*settled, strict=True) if settled else ((), (), (), ())
    frame = pd.DataFrame({"submission_id": submissions["submission_id"].tolist()}, index=submissions.index)
    for name, values in (("district", district), ("township", township), ("spot", spot), ("place_words", words)):
        frame[name] = pd.Series(list(values), index=submissions.index, dtype="object")
    return typed(frame, PLACED)
