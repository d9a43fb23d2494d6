"""Words of danger to people, with a simple guard against denials and suppositions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pipeline.phrases import Phrases

_DANGER = """
燃气泄漏 煤气泄漏 天然气泄漏 燃气味 煤气味 燃气漏 煤气中毒 一氧化碳 爆炸 爆燃
触电 漏电 电线掉落 电线断落 电线垂落 高压线断 打火花 冒火花 电线冒烟 电箱冒烟 电表冒烟 着火 起火 火灾 失火
塌陷 坍塌 塌方 路面下陷 地面下沉 房屋倒塌 墙体倒塌 楼体倾斜 滑坡 泥石流
被困 困在 落水 溺水 坠楼 坠落 砸伤 砸到人 咬伤 昏迷 生命危险 出人命 食物中毒 集体中毒
轻生 自杀 跳楼 自残 不想活 服毒 喝农药 持刀 殴打 家暴 失踪 走失
决堤 溃坝 溃堤 管涌 洪水进村 冰凌 冰坝 河水倒灌 江水倒灌 水漫进屋
集体上访 群众聚集 人员聚集 聚众 群体性 集体讨薪 堵路 围堵 拉横幅
"""
# 没有着火, 一旦着火: nothing has happened. A denial must stand close: 没有人管，着火了 is a fire.
# A clerk still sees the row; only the red mark is not set.
_NOT_YET = re.compile(
    r"(?:(?:没有?|未|无|不会|不曾)[^，。；！？,.;!?\n]{0,2}"
    r"|(?:避免|防止|预防|以防|谨防|严防|以免|免得|如果|假如|万一|倘若|一旦|杜绝)[^，。；！？,.;!?\n]{0,4})$"
)
# 跳楼价, 打不着火, 拿着火车票: the letters of another word. Matched where the word of danger begins.
_OTHER_WORD = re.compile(
    r"跳楼(?:价|机|甩卖|大甩卖|清仓|促销|处理)|(?<=[打点]不)着火|(?<=打)着火|着火(?:车[票站次轨]|锅|柴|炬|把|龙果)"
    r"|(?<=[坐乘等赶拿盼])着火车|起火(?:锅|柴|炬)"
)
_ABOUT = re.compile(r"(?:演练|知识|宣传|预案|培训|保险|险种|教育|探测器|报警器|逃生|隐患排查)")


@cache
def _danger() -> Phrases:
    return Phrases.of(_DANGER.split())


def is_other_word(text: str, start: int) -> bool:
    """Whether a word of danger that begins here is only part of a harmless one."""
    return _OTHER_WORD.match(text, start) is not None


def may_be_other_word(word: str) -> bool:
    """Whether `is_other_word` need be asked where this word stands; asking it everywhere would be dear."""
    return word.startswith(("跳楼", "着火", "起火"))


def find_danger(texts: Sequence[str]) -> list[str]:
    """The first word of danger in each text that is neither denied nor supposed, as written; "" where there is none."""
    words = []
    for text, hits in zip(texts, _danger().find(texts), strict=True):
        meant = (
            text[start:end]
            for start, end, _ in hits
            if not is_other_word(text, start)
            and not _NOT_YET.search(text[max(0, start - 8) : start])
            and not _ABOUT.match(text, end)
        )
        words.append(next(meant, ""))
    return words
