"""One Chinese sentence a clerk can check: the clause, the words and the place that decided, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.directory import Directory
from pipeline.match.bodies import Answer
from pipeline.match.lead import Lead, Likes
from pipeline.match.signs import FLOOD, FROST, GROUP, PEOPLE
from pipeline.match.urgency import Alarm

BLANK = "标题和内容均为空，请人工判定承办单位。"
_NO_DIRECTORY = "没有使用职责目录"
_IDS_SHOWN = 3  # past matters named in a reason
# What a clerk calls an alarm of each kind.
_ALARMS = {PEOPLE: "（人身危险）", FLOOD: "（水情险情）", FROST: "（严寒停供）", GROUP: "（群体聚集）", "": ""}


class Outcome(NamedTuple):
    """What was decided.

    Attributes
    ----------
    department : as routed; may be ""
    decision : auto, check or review
    review_because : what `why_review` said
    sent_back : a like matter and the body that sent it back; ("", body) where it was this one; else None
    """

    department: str
    decision: str
    review_because: str
    sent_back: tuple[str, str] | None


def why_review(
    shares: Sequence[float],
    names: Sequence[str],
    probability: float,
    *,
    no_topic: bool,
    directory: Directory | None,
) -> str:
    """Why a person must decide, in a few words.

    Parameters
    ----------
    shares : of the two best candidates, 0 to 1
    """
    if no_topic:
        return "主题不明确"
    if not names:
        return "没有相符的职责" if directory else _NO_DIRECTORY
    if len(names) > 1 and shares[0] < 2 * shares[1]:
        return f"“{names[0]}”与“{names[1]}”难以区分"
    return f"把握不足（{probability:.0%}）"


def write_reason(
    *,
    lead: Lead | None,
    topic: str,
    alarm: Alarm | None,
    place: str,
    outcome: Outcome,
    words_kept: int,
    directory: Directory | None,
) -> str:
    """The sentence.

    Parameters
    ----------
    lead : the winner; None where nothing fits or the winner is nobody
    topic : key or label, or ""
    alarm : what makes the row urgent, or None
    place : what `quote_place` and `explain_body` made
    outcome : what was decided
    words_kept : most words quoted
    """
    parts = [
        *_evidence(lead, topic, words_kept, directory),
        f"含紧急情形“{'、'.join(alarm.words)}”{_ALARMS[alarm.kind]}" if alarm else "",
        place,
        _sent_back(outcome.sent_back),
        _decision(outcome, directory),
    ]
    return "，".join(part for part in parts if part) + "。"


def quote_place(words: Sequence[str], title: str, text: str, column: str) -> str:
    """The place as it stands in the title or text, or in the place column; run together where it stands so."""
    if not words:
        return "文中未写明地点"
    together = "".join(words)
    for written in (title, text):
        if together in written:
            return f"地点“{together}”"
    if together in column:
        return f"填报地点“{together}”"
    return "地点" + "、".join(f"“{word}”" for word in words)


def explain_body(answer: Answer, decision: str, *, placed: bool) -> str:
    """What the place has to do with the body, where that is not plain; goes behind what `quote_place` made.

    Parameters
    ----------
    placed : some place was quoted
    """
    if answer.overlap is not None:
        return f"，属{answer.overlap.zone}管理范围"
    # With decision review the body is only a thought, and nobody takes the matter in yet.
    if not answer.gave_way or decision == "review":
        return ""
    wanted, taken = ("区县", "市级单位") if answer.gave_way == "city" else ("街道乡镇", "区县")
    return f"，未写明{wanted}，先由{taken}受理" if placed else f"，先由{taken}受理"


def _evidence(lead: Lead | None, topic: str, words_kept: int, directory: Directory | None) -> list[str]:
    name = directory.topic_names.get(topic, topic) if directory else topic
    if lead is None:
        return [f"依据主题“{name}”"] if name else []
    words = _shortened(lead.words, words_kept)
    sure = lead.learned is not None and lead.learned >= 0.5
    past = _past(lead.likes, lead.name)
    if lead.duty and words:
        found = [f"依据职责“{_clause(lead)}”", f"文中“{'、'.join(words)}”"]
        return [*found, past or ("与学过的同类件一致" if sure else "")]
    if lead.duty and lead.found_by == "meaning":
        return [f"说的事与职责“{_clause(lead)}”相近", past or ("与学过的同类件一致" if sure else "")]
    if past:
        return [past]
    if lead.learned:
        # Below one half it is only the likeliest of several, and not what most were routed to.
        return [f"依据学过的同类件多由“{lead.name}”承办" if sure else f"学过的件中与“{lead.name}”承办的最接近"]
    return [f"依据主题“{name}”多由“{lead.name}”承办", "文中未见具体职责的用语"]


def _clause(lead: Lead) -> str:
    return lead.duty.clause.rstrip("。；") if lead.duty else ""


def _past(likes: Likes, name: str) -> str:
    """类似件 3 件（a、b、c）均由城管局承办; only where most were the candidate's."""
    own, whole = len(likes.own), len(likes.own) + likes.others
    if not own or 2 * own <= whole:
        return ""
    shown = "、".join(likes.own[:_IDS_SHOWN]) + ("等" if own > _IDS_SHOWN else "")
    count = f"类似件 {own} 件" if own == whole else f"类似件 {whole} 件中 {own} 件"
    return f"{count}（{shown}）{'均' if own == whole and own > 1 else ''}由{name}承办"


def _shortened(words: Sequence[str], kept: int) -> list[str]:
    """Without words that are part of others, in order, the first few."""
    distinct = list(dict.fromkeys(words))
    return [word for word in distinct if not any(word != other and word in other for other in distinct)][:kept]


def _sent_back(matter: tuple[str, str] | None) -> str:
    if matter is None:
        return ""
    name, body = matter
    return f"类似件 {name} 曾被{body}退回" if name else f"本件已被{body}退回"


def _decision(outcome: Outcome, directory: Directory | None) -> str:
    department = outcome.department
    if outcome.decision == "review":
        first = f"，可先考虑{department}" if department else ""
        return f"{outcome.review_because}{first}，请人工判定承办单位"
    if not department:
        nobody = "目录中没有承办单位可列" if directory else _NO_DIRECTORY
        return nobody if outcome.decision == "auto" else f"{nobody}，请核对主题"
    return f"由{department}承办" if outcome.decision == "auto" else f"拟由{department}承办，请核对"
