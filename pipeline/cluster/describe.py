"""Routed rows -> issues: one line an office can act on for each, with a heat that one loud person cannot raise."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.schema import ISSUE_ROWS, ISSUES, check_table, empty_table, typed
from pipeline.settings import ClusterSettings

Rows = npt.NDArray[np.int64]

TITLE_CHARACTERS = 40
# What the form, the channel or the register says, and not the matter.
_FORM_TITLE = re.compile(
    r"(?:群众|市民|居民|村民|热线|随手拍|接待|信访|工单|关于|有关|一个|我要|我想|向您|登记|转办|办理|电话记录|记录|网络留言"
    r"|网上留言|来电|来信|来访|留言|反映|问题|情况|咨询|求助|投诉|举报|建议|诉求|事项|反馈|请求|帮助|意见|标题|主题|尊敬|各位"
    r"|领导|市长|您好|你好|无|的|书|信|件|单|表|[\W\d_])*+"
)
# At a tie a known value goes before the one that says that nothing was known.
_VAGUE = ("other", "其他")
_CLAUSE_END = re.compile(r"[。！？!?；;，,\n]")


def describe_issues(routed: pd.DataFrame, *, settings: ClusterSettings) -> pd.DataFrame:
    """Sum up the issues of a finished run, hottest first.

    Parameters
    ----------
    routed : table ISSUE_ROWS, the columns of ROUTED that an issue is made of; further columns are ignored
    settings : `freshness_days`

    Returns
    -------
    table ISSUES, one row an issue, by heat, then size, then first_at and issue_id. `people` counts distinct submitters,
    and of the rows without one each distinct wording. `topic` and `department` are those of most members (of equals a
    known one before other, then the one that comes first in the run), `district` and `township` the most frequent known
    ones. `representative` is the member whose title shares most character pairs with the titles of the others (of two,
    the one with the longer title), the first of equals; members whose title is only a form's (群众来电, 反映问题) come
    after all others. `title` is its title, or where it has none of its own the first clause of its text that says
    something, with the place before it where it is not in it, at most 40 characters.

    Raises
    ------
    TableError : a column is missing

    Notes
    -----
    heat = log2(1 + people) * urgency * (1 + 0.5 ** (age / freshness_days)) / 2, where urgency is 1.5 if half of the
    members or more are urgent and 1 otherwise, and age is the days from the issue's newest row to the newest of the
    run; without times the last factor is 1/2. Posts do not enter, so one person who writes forty times weighs as one;
    the logarithm lets the tenth person lift an issue more than the hundredth.
    """
    check_table(routed, ISSUE_ROWS, where="describe_issues")
    if not len(routed):
        return empty_table(ISSUES)
    rows = routed.reset_index(drop=True)
    keys, first_seen = np.unique(rows["issue_id"].to_numpy(dtype=object), return_index=True)
    group = np.searchsorted(keys, rows["issue_id"].to_numpy(dtype=object))
    sizes = np.bincount(group)
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.cumsum(sizes)[:-1])
    titles, texts = rows["title"].to_numpy(dtype=object), rows["text"].to_numpy(dtype=object)
    chosen = first_seen.copy()
    for issue in np.flatnonzero(sizes > 1).tolist():
        own = [row for row in members[issue] if not _FORM_TITLE.fullmatch(titles[row])]
        own = own or members[issue].tolist()
        chosen[issue] = own[_most_typical([_words(titles[row], texts[row])[:TITLE_CHARACTERS] for row in own])]
    times = rows["submitted_at"].groupby(group)
    people = _people(rows, group)
    urgent = np.bincount(group, weights=(rows["urgency"] == "urgent").to_numpy(dtype=float)) / sizes
    last_at = times.max()
    age = (rows["submitted_at"].max() - last_at).dt.total_seconds().to_numpy() / 86_400
    fresh = np.where(np.isnan(age), 0.0, 0.5 ** (np.nan_to_num(age) / settings.freshness_days))
    ids = rows["submission_id"].to_numpy(dtype=object)
    issues = pd.DataFrame(
        {
            "issue_id": keys,
            "size": sizes,
            "people": people,
            "first_at": times.min().to_numpy(),
            "last_at": last_at.to_numpy(),
            "topic": _most_frequent(rows["topic"], group, len(keys), ""),
            "department": _most_frequent(rows["department"], group, len(keys), ""),
            "district": _most_frequent(rows["district"], group, len(keys), None),
            "township": _most_frequent(rows["township"], group, len(keys), None),
            "heat": np.log2(1.0 + people) * np.where(urgent >= 0.5, 1.5, 1.0) * (1.0 + fresh) / 2.0,
            "representative": ids[chosen],
            "members": [ids[each].tolist() for each in members],
        }
    )
    spots = _most_frequent(rows["spot"], group, len(keys), None)
    places = zip(spots, issues["township"], issues["district"], strict=True)
    issues["title"] = [_title(titles[row], texts[row], place) for row, place in zip(chosen, places, strict=True)]
    hottest = issues.sort_values(
        ["heat", "size", "first_at", "issue_id"],
        ascending=[False, False, True, True],
        kind="stable",
        na_position="last",
    )
    return typed(hottest.reset_index(drop=True), ISSUES)


def _people(rows: pd.DataFrame, group: Rows) -> Rows:
    # A tab cannot be in a name that a reader has trimmed, so a wording never meets a name.
    wordings = "\t" + rows["title"].astype("object") + "\n" + rows["text"].astype("object")
    voices = pd.factorize(rows["submitter"].astype("object").where(rows["submitter"] != "", wordings))[0].astype(
        np.int64
    )
    distinct = np.unique(group.astype(np.int64) * (int(voices.max()) + 1) + voices) // (int(voices.max()) + 1)
    return np.bincount(distinct)


def _most_frequent(values: pd.Series, group: Rows, n: int, nothing: str | None) -> npt.NDArray[np.object_]:
    """Per issue its most frequent known value; of equals a clear one, then that which comes first in the run."""
    numbers, known = pd.factorize(values.astype("object").where(values != "", None))
    result = np.full(n, nothing, dtype=object)
    rows = np.flatnonzero(numbers >= 0)
    if not len(rows):
        return result
    keys, first, counts = np.unique(
        group[rows].astype(np.int64) * len(known) + numbers[rows], return_index=True, return_counts=True
    )
    clear = ~np.isin(np.asarray(known, dtype=object)[keys % len(known)].astype(str), _VAGUE)
    order = np.lexsort((-first, clear, counts))  # the winner of an issue is written last
    issue, value = np.divmod(keys[order], len(known))
    result[issue] = np.asarray(known, dtype=object)[value]
    return result


def _most_typical(titles: list[str]) -> int:
    """Number of the title whose character pairs the others share most, of two the longer; the first of equals."""
    if len(titles) <= 2:
        return int(np.argmax([len(title) for title in titles]))  # two share the same pairs
    pairs = [{title[i : i + 2] for i in range(len(title) - 1)} for title in titles]
    counts = Counter(chain.from_iterable(pairs))
    # By length, or a whole story wins; with a constant, or a single word does.
    return int(np.argmax([sum(counts[pair] - 1 for pair in each) / (len(each) + 8) for each in pairs]))


def _words(title: str, text: str) -> str:
    """The title, or where it is only a form's the first clause of the text that has words of its own."""
    if _FORM_TITLE.fullmatch(title):
        clauses = _CLAUSE_END.split(text.strip())
        title = next((clause for clause in clauses if not _FORM_TITLE.fullmatch(clause)), title.strip() or clauses[0])
    return " ".join(title.split())


def _title(title: str, text: str, places: tuple[str | None, str | None, str | None]) -> str:
    words = _words(title, text)
    place = next((place for place in places if place and isinstance(place, str)), "")
    # 道里 says as much as 道里区.
    if place and place not in words and not (len(place) > 2 and place[:-1] in words):
        words = f"{place}：{words}"
    return words if len(words) <= TITLE_CHARACTERS else words[: TITLE_CHARACTERS - 1] + "…"
