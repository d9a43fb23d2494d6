"""Alarms: people in danger, floods, heat or power that fails in frost, crowds; and what only sounds like one.

Every word is judged where it stands: a word that is denied, supposed, over, asked about or taught about is no alarm.
What is known of a row beside its words is the day it was sent: heat that fails in January needs no word of frost.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.errors import SettingsError
from pipeline.match.signs import FLOOD, FROST, GROUP, KINDS, PEOPLE, SIGNS, Sign
from pipeline.phrases import Hit, Phrases
from pipeline.settings import MatchSettings


class Alarm(NamedTuple):
    """Why a row is urgent.

    Attributes
    ----------
    kind : people, flood, frost or group; "" where only the leading clause is marked urgent
    words : as written, one or two
    """

    kind: str
    words: tuple[str, ...]

    @property
    def endangers(self) -> bool:
        """Whether a person is in danger."""
        return self.kind == PEOPLE


# 没有着火, 一旦着火: nothing has happened. A denial must stand close: 没有人管，着火了 is a fire.
_DENIED = re.compile(
    r"(?:(?:没有?|未|无|不会|不曾|并非)[^，。；！？,.;!?\n]{0,2}"
    r"|(?:如果|假如|万一|倘若|一旦|要是)[^，。；！？,.;!?\n]{0,6}"
    r"|(?:避免|防止|预防|以防|谨防|严防|以免|免得|杜绝|防范|防)[^，。；！？,.;!?\n]{0,12})$"
)
# 没通知停水 is an outage, 没停水 is none.
_NOT_CUT = re.compile(
    r"(?:(?:没有?|未|不会)(?:再|怎么)?|要|会不会|(?:如果|万一|一旦)[^，。]{0,4}|防止[^，。]{0,6}|关)$"
)
# Letters of another word, matched where the word of danger begins; some look back at what stands before.
_OTHER_WORD = re.compile(
    r"跳楼(?:价|机|甩卖|大甩卖|清仓|促销|处理)|(?<=[打点]不)着火|(?<=打)着火|着火(?:车[票站次轨]|锅|柴|炬|把|龙果)"
    r"|(?<=[坐乘等赶拿盼])着火车|起火(?:锅|柴|炬)|爆炸(?:式|性|头|一样|似的|声)|(?<=信息)爆炸|(?<=像)爆炸"
    r"|救救急|求救济|落水(?:管|口|斗)|乱砍[乱滥]?伐|要杀(?:猪|鸡|鱼|价|虫|菌)|打我们?(?:单位|手机|电话|的电话)"
    r"|(?<=[不睡抓找逮碰遇赶累饿急惊冻])着了|(?<=电梯)停运|(?<=手机)中毒|(?<=电脑)中毒|(?<=宠物)中毒"
    r"|一氧化碳弥散|(?<=信息)泄[漏露]|(?<=隐私)泄[漏露]"
    r"|(?<=天)塌了|(?<=天)要塌|拿刀(?:具|片)|大火(?:锅|的|热|了)|不见了踪影|堵[了着](?:车|一|半|两|三|好)"
)
# What these words begin with, so that the pattern is asked for few.
_OTHER_WORD_STARTS = (
    *("跳楼", "着火", "起火", "爆炸", "救救", "求救", "落水", "乱砍", "要杀", "打我", "着了", "停运", "中毒", "一氧"),
    *("泄漏", "泄露", "塌了", "要塌", "拿刀", "大火", "不见", "堵了", "堵着"),
)
# 火灾演练, 走失老人救助政策: the word names a subject.
_ABOUT = re.compile(
    r"(?:的|类|等|事故|应急)?(?:演练|演习|知识|宣传|预案|培训|保险|险种|教育|探测|报警器|逃生|隐患|风险|警示|防治|预防"
    r"|案例|情节|镜头|片|题材|调查|报告|理赔|赔偿|认定|标准|条例|政策|讲座|课|补贴|手续|后遗症|预警|规定|法律"
    r"|制度|检修|通知)"
)
# A sentence that teaches or is about papers and fees, or about what was seen on a screen.
_SUBJECT = re.compile(
    r"演练|演习|讲座|宣传|普法|科普|培训|警示牌|预案|教育活动|小说|电影|电视|影片|游戏|书店|新闻里|论文|课程|写错"
    r"|案例|例子|手续|怎么认定|如何认定|怎么申请|如何申请|怎么办理|怎么算|理赔|赔不赔|赔偿标准|报销|保证金"
    r"|补贴|热费|收费"
    r"|物资储备|辟谣|查证"
)
# Who asks or proposes says so first: 建议装报警器，防煤气中毒. 煤气味很大，请问怎么办 is in danger.
_ASKS = re.compile(r"请问|咨询|建议|可否")
_TITLE_ASKS = re.compile(r"建议|咨询|请问|可否|能否|^关于")
_PAST = re.compile(
    r"去年|前年|往年|[一二两三四五六七八九十几多\d]年前|年代|当年|曾经?|早年|上个?月|以前|从前|旧案|小时候|前些年"
)
# Weak signs of the past, which hide an alarm in long letters only.
_TOLD = re.compile(
    r"上周|上个?礼拜|上回|那天|那次|那年|那时|当时|的时候|前几天|前些天|前段|后来|前任|年初|今年|差一?点|险些|要不是"
)
# 2019年交房 tells the age of a house and not when it burned.
_YEAR = re.compile(
    r"(?<!建于)(?<!建成于)[12]\d{3}(?=年(?!建|修建|交房|交付|入住|竣工|落成|搬|盖|买|购|的[老旧]?[楼房小]))"
)
# Whole numerals only: 周三一月份 is January, and 1月一三五号 names no day.
_DAY = re.compile(
    r"(\d{1,2}|十[一二]?|[一二三四五六七八九])月"
    r"(?:份|初|末|底|(\d{1,2}|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号])"
)
_SAME_EVENT = 4  # days between an event and its report, up to which it may still go on
# What says that it is going on, whatever happened before.
_NOW = re.compile(
    r"现在|目前|此刻|正在|刚才|刚刚|今[天早晚日晨]|昨[晚夜]|还[在没]|仍然?在|至今|到现在|马上|快来|赶快|赶紧|再不|这次"
    r"|这两天|随时|不停|越来越|下不来了"
)
_AGAIN = re.compile(r"又|再次|反复|还没|还有|另|没有?(?:修好|救出|找到|扑灭)")
_GOES_ON = re.compile(r"还在|正在|越来越|继续|蔓延")
# Over: somebody is safe, or a matter is settled. That others say it is settled (物业说已经修好了) settles nothing.
_SAFE = re.compile(
    r"已经?扑灭|被扑灭|(?:已经?|被|都|成功|安全)[^，。！]{0,3}救出|救出来了|获救|找到了|找回来|已经?出院|已经?送回|已被(?:抓|警察)|被警察带走|已经?搬出"
    r"|(?:人|母亲|父亲|孩子|老人|母子)[都已]?(?:很|均)?平安"
)
_SETTLED = re.compile(r"(?<![说称])(?:已经?解决|修好了|已经?修复)|当天修好|就解决了")
_RESTORED = re.compile(r"恢复了|来电了(?!解)|已经?来[水电]|很快恢复|抢修完")
_NOTHING = re.compile(
    r"没有危险|人都?没事|吃了没事|没人受伤|无人受伤|无人员?伤亡|没有(?:人员)?伤亡|没有这回事|没人中毒|虚惊|没有出危险"
    r"|没有不舒服|屋里正常|屋里挺热|没咬人"
)
_PRAISE = re.compile(r"感谢信|表扬信|特此感谢|特来(?:表扬|感谢|致谢)|十分感谢|点赞|好评|^感谢|^表扬|锦旗|立过功")
# A flood that is over leaves claims and repairs; one that is not has water that comes or stands.
_AFTERWARDS = re.compile(
    r"赔|补助|补偿|救济|灾后|损失|重建|修复|便桥|汛后|退了|水退|过后|何时发|登记|三次|多次|隐患|断面|垫土|施工"
)
_RISING = re.compile(
    r"现在|正在|今[天早晚日晨]|刚|昨[晚夜]|半夜|马上|快|涨|越|还在|一直|不停|求|派人|没人|急|哗哗|冒水|上岸"
    r"|出不去|围住|不够|走不了|房顶|楼上|水到|水已|深|里灌|全淹|撞开|裂"
)
# 一下雨就淹 is a work to plan, not tonight's flood.
_USUAL = re.compile(r"一下雨就|每[次逢到]?(?:下雨|雨季|雨天|汛期)|逢雨|年年|雨后|下雨天|改造|楼上[^，。]{0,6}漏|可能会")
_PLANNED = re.compile(
    r"(?:看到|收到|接到|贴出|贴了)[^。]{0,6}通知|计划|下周|报停|办理?停|想办|欠了|会不会停|怎么停|要停暖|催缴"
    r"|如何关|怎么关|能否|能改|次停电|停电[^。]{0,4}次"
)
_COLD = re.compile(
    r"零下[\d一二三四五六七八九十]*(?:多)?度?|冻(?!品|结|奶|库|肉|货|疮膏)[哭坏僵病伤感得死裂爆住冰硬肿]?|冰窖"
    r"|结冰|哈气成霜|哈气|羽绒服|下雪|降雪|大雪"
    r"|冰凉|只有(?:\d|1[0-4]|[一二三四五六七八九]|十[一二三四]?)度(?!电)"
    # 20.5度 is warm, and 8度电 is no temperature.
    r"|(?<![\d.])(?:\d|1[0-4])度(?!电)|(?<![一二三四五六七八九])十[一二三四]?度(?!电)"
)
# Weak words of heat, such as 不热: an alarm only where somebody freezes.
_WEAK_HEAT = frozenset(("不热", "温度低", "太冷", "很冷", "还冷"))
_FREEZING = re.compile(r"冻|零下|冰窖|冰凉|孩子[^。]{0,6}冷|咳嗽|发烧|(?<![\d.])(?:\d|1[0-2])度(?!电)")
_BREAK = re.compile(r"[。！？!?；;\n]")
_DIGITS = "零一二三四五六七八九"
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
# Characters of a long text, of its beginning, where the matter itself is told, and of a text that has no room for more.
_LONG, _OPENING, _SHORT = 160, 100, 60
_LONGEST_SENTENCE = 300  # characters on each side of a word; bounds the cost of a text without any full stop
_LONGEST_QUOTE = 12  # characters between a word and what stands near it, to be quoted as one


@cache
def _vocabulary() -> tuple[Phrases, tuple[tuple[Sign, ...], ...]]:
    """All words of all signs, and of each word its signs."""
    signs: dict[str, list[Sign]] = {}
    for sign in SIGNS:
        for word in sign.words:
            signs.setdefault(word, []).append(sign)
    return Phrases.of(signs), tuple(tuple(found) for found in signs.values())


def is_other_word(text: str, start: int) -> bool:
    """Whether a word of danger that begins here is only part of a harmless one."""
    return _OTHER_WORD.match(text, start) is not None


def may_be_other_word(word: str) -> bool:
    """Whether `is_other_word` need be asked where this word stands; asking it everywhere would be dear."""
    return word.startswith(_OTHER_WORD_STARTS)


@cache
def is_sign(word: str) -> bool:
    """Whether a word is one that `find_alarms` judges where it stands."""
    return bool(_vocabulary()[0].find([word])[0])


def find_alarms(texts: Sequence[str], times: pd.Series, *, settings: MatchSettings) -> list[Alarm | None]:
    """The gravest alarm of each text, or None: people before floods, floods before frost, frost before crowds.

    Parameters
    ----------
    texts : title, line break, text
    times : submitted_at of the same rows; NaT is a day of which nothing is known
    settings : heating_from, heating_until, urgent_days

    Raises
    ------
    SettingsError : the heating season is not written as MM-DD, or urgent_days is below 1
    """
    if settings.urgent_days < 1:
        raise SettingsError(f"urgent_days is {settings.urgent_days} and must be 1 or more. Change it in [match].")
    phrases, signs = _vocabulary()
    days = _days(times)
    heated = _in_heating_season(days, settings)
    return [
        _alarm(_Letter(text, day, cold), hits, signs) if hits else None
        for text, hits, day, cold in zip(texts, phrases.find(texts), days.tolist(), heated.tolist(), strict=True)
    ]


def _alarm(letter: _Letter, hits: list[Hit], signs: tuple[tuple[Sign, ...], ...]) -> Alarm | None:
    ordered = sorted(
        ((_RANK[sign.kind], start, end, sign) for start, end, word in hits for sign in signs[word]),
        key=lambda found: found[:3],
    )
    for _, start, end, sign in ordered:
        words = letter.words_of(start, end, sign)
        if words:
            return Alarm(sign.kind, words)
    return None


class _Letter:
    """One text; judges words where they stand, and looks at no more of the text than a word asks for."""

    def __init__(self, text: str, day: int, heated: bool) -> None:
        self.text = text
        self.day = day
        self.heated = heated
        self.title_end = text.find("\n")
        self.long = len(text) > self.title_end + _LONG

    @cached_property
    def _cuts(self) -> list[int]:
        """Where sentences begin, and the end of the text."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text)), len(self.text)]

    @cached_property
    def _again(self) -> bool:
        return _NOW.search(self.text) is not None or _AGAIN.search(self.text) is not None

    @cached_property
    def _over(self) -> bool:
        if _NOTHING.search(self.text) is not None and _GOES_ON.search(self.text) is None:
            return True
        return not self._again and _SAFE.search(self.text) is not None

    @cached_property
    def _settled(self) -> bool:
        return not self._again and _SETTLED.search(self.text) is not None

    @cached_property
    def _restored(self) -> bool:
        return not self._again and (_RESTORED.search(self.text) is not None or _PRAISE.search(self.text) is not None)

    @cached_property
    def _asks(self) -> bool:
        body = self.title_end + 1
        return (
            _SUBJECT.search(self.text, body, body + 15) is not None
            or _ASKS.search(self.text, body, body + 6) is not None
            or _TITLE_ASKS.search(self.text, 0, max(0, self.title_end)) is not None
        )

    def words_of(self, start: int, end: int, sign: Sign) -> tuple[str, ...]:
        """The words of an alarm that is there, as written; () where there is none."""
        words = self._words_here(start, end, sign)
        # Asked last: these look at the whole text.
        if words and (self._over or (self._restored and sign.kind != PEOPLE)):
            return ()
        # Who wants to die because wages are said to be settled is not safe.
        if words and self._settled and not sign.insists:
            return ()
        return words

    def _words_here(self, start: int, end: int, sign: Sign) -> tuple[str, ...]:
        if self._only_sounds_like(start, end, sign.kind):
            return ()
        at = bisect_right(self._cuts, start)
        first, last = max(self._cuts[at - 1], start - _LONGEST_SENTENCE), min(self._cuts[at], end + _LONGEST_SENTENCE)
        sentence = self.text[first:last]
        now = _NOW.search(sentence) is not None
        if not now and self._is_elsewhere(first, start, sentence, sign):
            return ()
        if self._asks and (not now or sign.kind != PEOPLE):
            return ()
        if sign.kind == FLOOD and not self._rises(now):
            return ()
        if sign.kind == FROST:
            return self._frost(start, end, sign, sentence)
        if sign.kind == GROUP and (_SUBJECT.search(sentence) or _ASKS.search(sentence)):
            return ()
        return self._quoted(start, end, sign, first, last)

    def _is_elsewhere(self, first: int, start: int, sentence: str, sign: Sign) -> bool:
        """Whether the sentence is about another time, or about a subject, or says it in passing."""
        return (
            (not sign.insists and self._in_passing(start))
            or _PAST.search(sentence) is not None
            or (self.long and _TOLD.search(sentence) is not None)
            or _SUBJECT.search(sentence) is not None
            or _ASKS.search(self.text, first, start) is not None
            or self._on_another_day(sentence)
        )

    def _rises(self, now: bool) -> bool:
        if _USUAL.search(self.text) or (not now and _AFTERWARDS.search(self.text)):
            return False
        return len(self.text) < self.title_end + _SHORT or _RISING.search(self.text) is not None

    def _in_passing(self, start: int) -> bool:
        """Whether a long letter says this neither in its title nor where it begins."""
        return self.long and start > self.title_end + _OPENING

    def _on_another_day(self, sentence: str) -> bool:
        """Whether the sentence names a year, a month or a day that is not about that of the submission."""
        if not self.day:
            return False
        year, month_now, day_now = self.day // 10_000, self.day // 100 % 100, self.day % 100
        if any(int(named) < year for named in _YEAR.findall(sentence)):
            return True
        found = _DAY.search(sentence)
        if found is None:
            return False
        month, day = _number(found[1]), _number(found[2]) if found[2] else day_now
        apart = abs((month - month_now) * 30 + day - day_now) % 360
        return min(apart, 360 - apart) > _SAME_EVENT

    def _only_sounds_like(self, start: int, end: int, kind: str) -> bool:
        denied = _NOT_CUT if kind in (FROST, GROUP) else _DENIED
        return (
            is_other_word(self.text, start)
            or denied.search(self.text, max(0, start - 16), start) is not None
            or _ABOUT.match(self.text, end) is not None
        )

    def _quoted(self, start: int, end: int, sign: Sign, first: int, last: int) -> tuple[str, ...]:
        if sign.near is None:
            return (self.text[start:end],)
        near = sign.near.search(self.text, first, last)
        # A title is no sentence: what it names is told in the text.
        if near is None and last <= self.title_end + 1:
            near = sign.near.search(self.text)
        if near is None:
            return ()
        low, high = min(start, near.start()), max(end, near.end())
        whole = self.text[low:high]
        if high - low <= _LONGEST_QUOTE and "\n" not in whole:
            return (whole,)
        return (self.text[start:end],)

    def _frost(self, start: int, end: int, sign: Sign, sentence: str) -> tuple[str, ...]:
        if _PLANNED.search(sentence) or _SUBJECT.search(sentence) or _ASKS.search(sentence):
            return ()
        word = self.text[start:end]
        if sign.near is not None and not sign.near.search(sentence):
            return ()
        if word in _WEAK_HEAT and not _FREEZING.search(self.text):
            return ()
        cold = _COLD.search(self.text)
        if cold is not None and cold.group() not in word:
            return word, cold.group()
        return (word,) if cold is not None or self.heated else ()


def _days(times: pd.Series) -> np.ndarray:
    """20260710 for 10 July 2026; 0 where the time is not known."""
    stamps = pd.to_datetime(times)
    days = stamps.dt.year * 10_000 + stamps.dt.month * 100 + stamps.dt.day
    return np.asarray(days.fillna(0).to_numpy(dtype=np.int64))


def _in_heating_season(days: np.ndarray, settings: MatchSettings) -> np.ndarray:
    first, last = _day_of_year("heating_from", settings), _day_of_year("heating_until", settings)
    day = days % 10_000
    within = (day >= first) | (day <= last) if first > last else (day >= first) & (day <= last)
    return np.asarray(within & (day > 0))


def _number(written: str) -> int:
    """A number below 100 in digits or as 二十三."""
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.rpartition("十")
    return 10 * (_DIGITS.index(tens or "一") if ten else 0) + (_DIGITS.index(ones) if ones else 0)


def _day_of_year(name: str, settings: MatchSettings) -> int:
    value = str(getattr(settings, name))
    found = re.fullmatch(r"(\d\d)-(\d\d)", value)
    try:
        day = date(2024, int(found[1]), int(found[2])) if found else None  # a leap year has all days
    except ValueError:
        day = None
    if day is None:
        raise SettingsError(f"{name} = {value!r} in [match] is no day of a year. Write it like 10-20.")
    return day.month * 100 + day.day
