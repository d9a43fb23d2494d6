"""One Chinese sentence a clerk can check: the clause, the words and the place that decided, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.directory import Directory
from pipeline.match.evidence import Lead
from pipeline.match.matcher import Ranking
from pipeline.match.signs import FLOOD, FROST, GROUP, PEOPLE
from pipeline.match.urgency import Alarm

BLANK = "标题和内容均为空，请人工判定承办单位。"
_NO_DIRECTORY = "没有使用职责目录"
# What a clerk calls an alarm of each kind.
_ALARMS = {PEOPLE: "（人身危险）", FLOOD: "（水情险情）", FROST: "（严寒停供）", GROUP: "（群体聚集）", "": ""}


def why_review(ranking: Ranking, names: Sequence[str], *, no_topic: bool, directory: Directory | None) -> str:
    """Why a person must decide, in a few words."""
    if no_topic:
        return "主题不明确"
    if not names:
        return "没有相符的职责" if directory else _NO_DIRECTORY
    if len(names) > 1 and ranking.shares[0] < 2 * ranking.shares[1]:
        return f"“{names[0]}”与“{names[1]}”难以区分"
    return f"把握不足（{ranking.probability:.0%}）"


def write_reason(
    *,
    lead: Lead | None,
    department: str,
    decision: str,
    review_because: str,
    topic: str,
    alarm: Alarm | None,
    place: str,
    words_kept: int,
    directory: Directory | None,
) -> str:
    """The sentence.

    Parameters
    ----------
    lead : the winner; None where nothing fits or the winner is nobody
    department : as routed; may be ""
    topic : key or label, or ""
    alarm : what makes the row urgent, or None
    place : what `quote_place` made
    words_kept : most words quoted
    """
    parts = [
        *_evidence(lead, topic, words_kept, directory),
        f"含紧急情形“{'、'.join(alarm.words)}”{_ALARMS[alarm.kind]}" if alarm else "",
        place,
        _outcome(department, decision, review_because, directory),
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


def _evidence(lead: Lead | None, topic: str, words_kept: int, directory: Directory | None) -> list[str]:
    name = directory.topic_names.get(topic, topic) if directory else topic
    if lead is None:
        return [f"依据主题“{name}”"] if name else []
    words = _shortened(lead.claim.words, words_kept) if lead.claim else []
    sure = lead.learned is not None and lead.learned >= 0.5
    if lead.claim and words:
        found = [f"依据职责“{lead.claim.duty.clause.rstrip('。；')}”", f"文中“{'、'.join(words)}”"]
        return [*found, "与学过的同类件一致"] if sure else found
    if lead.learned:
        # Below one half it is only the likeliest of several, and not what most were routed to.
        return [f"依据学过的同类件多由“{lead.name}”承办" if sure else f"学过的件中与“{lead.name}”承办的最接近"]
    return [f"依据主题“{name}”多由“{lead.name}”承办", "文中未见具体职责的用语"]


def _shortened(words: Sequence[str], kept: int) -> list[str]:
    """Without words that are part of others, in order, the first few."""
    distinct = list(dict.fromkeys(words))
    return [word for word in distinct if not any(word != other and word in other for other in distinct)][:kept]


def _outcome(department: str, decision: str, review_because: str, directory: Directory | None) -> str:
    if decision == "review":
        first = f"，可先考虑{department}" if department else ""
        return f"{review_because}{first}，请人工判定承办单位"
    if not department:
        nobody = "目录中没有承办单位可列" if directory else _NO_DIRECTORY
        return nobody if decision == "auto" else f"{nobody}，请核对主题"
    return f"由{department}承办" if decision == "auto" else f"拟由{department}承办，请核对"
