"""Why a submission stands with another: its strongest link, as a Chinese sentence that a clerk can check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.errors import TableError
from pipeline.schema import LINKS

MOST_WORDS, ENOUGH_WORDS = 5, 3

_SENTENCES = {
    "exact": "与 {to} 文字相同",
    "edited": "与 {to} 文字基本相同（相似度 {percent}%）",
    "same issue": "与 {to} 同一事项（把握 {percent}%）",
}
# Digits and signs, or a number with what it counts: 2019, 三条, 七月. They agree by chance.
_NUMBER = re.compile(
    r"第?[\d\W_一二三四五六七八九十百千万亿零两几多半每各某这那哪]+[个条次遍种件年月日天号位名米]?(?:[左右前后多]+)?"
)
# Rare in one run and yet said of any matter.
_VAGUE_WORDS = """
    我们 你们 他们 她们 它们 我家 大家 自己 本人 有人 别人 这里 那里 这样 那样 这事 此事 怎么
    什么 哪些 有些 一些 一直 一样 可是 但是 不过 因为 所以 而且 并且 还是 还有 只是 只有 只能
    就是 都是 不是 不会 不能 不要 不到 没有 没人 有没有 是不是 能不能 可以 可能 应该 必须 需要
    希望 要求 请问 请求 感谢 谢谢 您好 你好 不好意思 反映 反应 投诉 建议 咨询 问题 情况 原因
    事情 内容 方面 部分 相关 有关 部门 领导 尊敬 非常 特别 十分 比较 很多 许多 不少 不断 经常
    常常 天天 每天 今天 昨天 明天 去年 今年 明年 前年 现在 目前 至今 以来 之前 之后 以前 以后
    之间 之久 后来 当时 同时 时候 时间 最近 近期 已经 曾经 再次 多次 多年 常年 如果 如何 何时
    何时能 为什么 到底 究竟 并未 得不到 发现 知道 认为 觉得 表示 进行 解决 处理 答复 回复 尽快
    抓紧 赶紧 号楼 单元 号线 起来 出来 上来 下来 进来 出去 过来 过去 决定 上去 下去 直接 符合
"""
_VAGUE = frozenset(_VAGUE_WORDS.split())
_PLACE_ENDS = ("省", "市", "区", "县")


def link_sentences(titles: Mapping[str, str], links: pd.DataFrame) -> dict[str, str]:
    """Say of each submission what its strongest link is.

    Parameters
    ----------
    titles : submission_id -> title, of the submissions that are shown
    links : table LINKS of the run

    Returns
    -------
    submission_id -> sentence, such as 与 2026-17 同一事项（把握 93%），共同词语：供热、安埠街; those without a link
    are not in it. A percentage is cut and ends at 99, for only the same wording is certain.

    Raises
    ------
    TableError : a link of an unknown kind
    """
    unknown = set(links["kind"].unique()) - set(_SENTENCES)
    if unknown:
        raise TableError(
            f"The workbook has no sentence for links of the kind {', '.join(sorted(unknown))} "
            f"(known are {', '.join(_SENTENCES)}). Add one in pipeline/tables/evidence.py."
        )
    sentences = {}
    columns = (links[name].tolist() for name in LINKS.names)
    for submission, to, kind, probability, words in zip(*columns, strict=True):
        if submission in titles:
            sentence = _SENTENCES[kind].format(to=to, percent=min(99, int(probability * 100 + 1e-9)))
            # Copies share nearly every word, and the rarest of those are slips of the pen.
            both = f"{titles[submission]}\n{titles.get(to, '')}"
            telling = telling_words(words, both) if kind == "same issue" else []
            sentences[submission] = f"{sentence}，共同词语：{'、'.join(telling)}" if telling else sentence
    return sentences


def telling_words(words: Sequence[str], titles: str) -> list[str]:
    """Of the words that two submissions share those that tell a clerk what they share.

    Parameters
    ----------
    words : the rarest of the run first, as in LINKS
    titles : of the two, for what stands there is the matter and not a turn of phrase

    Returns
    -------
    up to five words of the titles, or where these have fewer than three up to three, the others after them; without
    single characters, numbers and what is said of any matter; of two words one of which holds the other the longer,
    unless it only has the end of a place's name before it (区凯旋 is a piece of 道里区凯旋)
    """
    kept = [word for word in words if len(word) > 1 and word not in _VAGUE and not _NUMBER.fullmatch(word)]
    together = "\n".join(kept)
    if any(together.count(word) > 1 for word in kept):
        kept = [word for word in kept if not any(_says_less(word, other) for other in kept)]
    titled = [word for word in kept if word in titles]
    others = [word for word in kept if word not in titles]
    return [*titled[:MOST_WORDS], *others[: max(0, ENOUGH_WORDS - len(titled))]]


def _says_less(word: str, other: str) -> bool:
    if word.startswith(_PLACE_ENDS) and word[1:] == other:
        return True
    return word != other and word in other and not (other.startswith(_PLACE_ENDS) and other[1:] == word)
