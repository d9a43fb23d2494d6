"""What a name means where it stands: the rules on the words before and behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.places.gazetteer import Gazetteer, Name

# 尚志大街 is a street and not the county 尚志: a short name before one of these is part of another name.
_ROAD = re.compile(r"大?街(?!道)|大?道(?!里|外)|[东西南北中]?路|胡同|巷|[大高]桥|高速|公路|[东西南北]?线|[乡镇村屯县]")
# 新华小学 and 胜利村 stand anywhere, so a township's short name before one of these says nothing.
_NAMESAKE = re.compile(
    r"小区|社区|[小中大]学|学校|幼儿园|医院|大厦|广场|[花家]园|公司|集团|银行|书店|[酒饭商药]店|[商市]场|超市|区"
)
# 李方正经理, 村医赵延寿, 他叫王五常: a short name behind a surname, where somebody is called or addressed. Surnames
# that are also everyday words before a place (于, 向, 和, 从, 到) are left out.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付白邹孟熊秦邱尹薛闫段雷侯史陶黎贺顾毛郝龚邵钱严覃武戴莫孔汤"
)
_CALLED = re.compile(
    r"(?:叫|姓名|名字|[人员长师手工医是:：]|经理|主任|书记|医生|大夫|老板|工头|伙子?|邻居|对门|客服|同[学事志]|[哥姐弟妹叔伯姨舅侄])[做是叫为小老]?$"
)
_TITLE = re.compile(
    r"老师|经理|主任|书记|医生|大夫|律师|师傅|老板|警官|法官|教练|[校院村局所科处]长|先生|女士|同[学志]|[大老]?[爷叔哥姐妈娘]|老爷子|老太太|阿姨|奶奶"
)
# 延寿大药房 and 尚志大米行 are names of shops and goods, which are sold anywhere.
_GOODS = re.compile(
    r"大药房|药业|粮油|[大香小]米|米[业店行]|油坊|面馆|饺子|烤[肉串鸭]|烧鸡|肉铺|豆腐|影楼|木器|啤酒|白酒|牛奶|奶粉|红肠"
)
# A place that the matter is not at: a comparison, where somebody comes from or was registered, the way to somewhere.
# It is believed where no other is named.
_ASIDE = re.compile(
    r"(?:隔壁|不如|像|比|比如|例如|比起|参照|学习|同样是|听说|户[籍口](?:分?属于?)?|原籍|老家|娘家|婆家|籍贯|毕业于|来自"
    r"|(?:对象|媳妇)是|总部|总公司|开往|前往|原(?:先|来)?住?|(?:以前|曾经?|早年|当年|年轻时)住?)[就还都]?[的是在]?$"
)
_ASIDE_BEHIND = re.compile(r"那边|过?来的|牌照|车牌|户[口籍]|籍|的?(?:亲戚|朋友|同学)|人(?=[，,。;；、 在来]|$)")
# 从巴彦来, 从香坊搬至松北, 从通河到利民打工; but 从道外到香坊的公交 is about both ends.
_LEFT = re.compile(
    r"[^，。,.;；、！？!?\s]{0,4}?(?:(?<!出)来|搬|迁|调|转|带|回|考|招|买|寄|逃|进城|坐|赶)"
    r"|[到去至].{1,8}?(?:打工|务工|上班|看病|就医|住院|读书|上学|念书|定居|租房)"
)
_HERE = re.compile(
    r"(?:家[住在]|(?<!搬)回到?|搬[到至]|迁[到至]|位于|坐落[在于]?|现[住居]|现在?在|地址|我们|咱们?)了?[:：是在]?$"
)
_HERE_WEIGHT = 1.5
# Characters that the rules look at before and behind a name.
_BEFORE, _BEHIND = 9, 14
_CITY_OF_OTHERS = re.compile(r"[一-鿿]{2,}(?<![城超本我全该各贵咱哈])[市县](?:[一-鿿]{1,3}[区县市])?$")


@dataclass(frozen=True, eq=False)
class Mention:
    """A name as it stands in the place column (source 0), the title (1) or the text (2)."""

    source: int
    start: int
    end: int
    written: str
    name: Name
    weight: float

    def follows(self, other: Mention) -> bool:
        """Whether it stands behind the other, with two characters between them at most."""
        return self.source == other.source and 0 <= self.start - other.end <= 2


def read_mentions(
    spans: list[tuple[int, int, str]],
    source: int,
    text: str,
    tokens: Sequence[str],
    source_weight: int,
    gazetteer: Gazetteer,
) -> Iterator[Mention]:
    """Names as they stand in one text, without those that are part of another word or name.

    Parameters
    ----------
    spans : (start, end, folded spelling) of the text, in order, none over another
    source : 0 place column, 1 title, 2 text
    tokens : of the same text; none for a place column, which holds names only
    source_weight : say of a name in this source
    """
    inside = _borders_inside_words(text, tokens, {border for span in spans for border in span[:2]})
    last_end, aside = -1, False
    for start, end, spelling in spans:
        name = gazetteer.names[spelling]
        place_before, last_end = last_end == start, end
        if not name.senses or start in inside or (end in inside and not name.official):
            continue
        before, behind = text[max(0, start - _BEFORE) : start], text[end : end + _BEHIND]
        if name.official:
            # 安和街道路破损 is the road 安和街, not 安和街道.
            if spelling.endswith("街道") and behind.startswith("路"):
                continue
        elif _ROAD.match(behind) or (not name.is_spot and _is_another_thing(before, behind)):
            continue
        elif name.townships and _NAMESAKE.match(behind):
            name = name.without_townships
        if not place_before and _CITY_OF_OTHERS.search(before):
            # 大庆市红旗街道 and 深圳市龙岗区南岗街道 are not ours; a full name of a district is believed.
            name = name.behind_a_city
        if name.senses:
            # 户口在双城区周家街道 puts both aside.
            aside = (aside and place_before) or _is_aside(before, behind)
            weight = 0.0 if aside else _HERE_WEIGHT if _HERE.search(before) else 1.0
            yield Mention(source, start, end, text[start:end], name, source_weight * weight)


def _is_another_thing(before: str, behind: str) -> bool:
    """Whether the short name of a district or township is a person's, a shop's or a product's."""
    if _GOODS.match(behind):
        return True
    return before[-1:] in _SURNAMES and bool(_CALLED.search(before[:-1]) or _TITLE.match(behind))


def _is_aside(before: str, behind: str) -> bool:
    if _ASIDE.search(before) or _ASIDE_BEHIND.match(behind):
        return True
    return before[-1:] in ("从", "自") and bool(_LEFT.match(behind))


def _borders_inside_words(text: str, tokens: Sequence[str], borders: set[int]) -> set[int]:
    """Those borders that fall inside a token, where no name may begin or end."""
    words = set(tokens)
    # Aligning all tokens is dear, so first ask whether any token at all could reach over one of the borders.
    if not any(_reached_over(text, border, words) for border in borders):
        return set()
    inside: set[int] = set()
    at = 0
    for token in tokens:
        # The segmenter drops blanks and rewrites some signs; such a token is skipped, not searched for far away.
        begin = text.find(token, at, at + len(token) + 40)
        if begin >= 0:
            at = begin + len(token)
            inside.update(range(begin + 1, at))
    return inside & borders


def _reached_over(text: str, border: int, words: set[str]) -> bool:
    for begin in range(max(0, border - 4), border):
        for end in range(border + 1, begin + 6):
            if text[begin:end] in words:
                return True
    return False
