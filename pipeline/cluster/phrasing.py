"""How a matter is put in words: what a title says beside the matter is cut off, never anything added or rewritten.

Every function returns a piece of what it was given (white space aside), so that no title holds a word nobody wrote.
"""

from __future__ import annotations

import re
from itertools import islice

_LONGEST_FORM = 16  # characters; a title of more has words of its own
SHORTEST = 4  # characters; less names no matter
SHORT = 8  # characters; a title of less that names no problem says less than a clause of the text that does

# What the form, the channel or the register says, and not the matter.
_FORM = re.compile(
    r"(?:群众|市民|居民|村民|热线|随手拍|接待|信访|工单|关于|有关|一个|我要|我想|向您|登记|转办|办理|电话记录|记录|网络留言"
    r"|网上留言|来电|来信|来访|来人|留言|反映|问题|情况|咨询|求助|投诉|举报|建议|诉求|事项|反馈|请求|帮助|意见|标题|主题"
    r"|尊敬|各位|领导|市长|书记|局长|主任|您好|你好|大家好|谢谢|感谢|打扰|急急急|紧急|如题|无|的|书|信|件|单|表|人|称"
    r"|[\W\d_])*+"
)
# Words that name a trouble, a loss or a question. A single character only where hardly any common word has it in
# another sense: 停车 is no trouble, 停水 is one.
_PROBLEM = re.compile(
    r"不(?!动产|锈钢)|没|无(?!线|人机|障碍|偿)|未(?!来|成年)|难|坏|漏|堵|扰|臭|味|欠|塌|裂|断头|断电|中断|破|黑(?!龙江|河|土)"
    r"|脏|太|过[高低慢长短大小]|慢|贵|缺|停(?!车|靠)|凉|冷|爆|淹|积水|积雪|结冰|违|骗|诈|盗|偷|占|挡|危|险(?!公司|费)"
    r"|隐患|污|噪|吵|异响|烟|呛|闹|伤|死|咬|假|拖|赖|霸|强[制行买]|私[自搭拉设]|滥|涨|罚|推诿|失|错|烂|锈|脱落|掉|滑|溢|冒"
    r"|跑路|拒|被|损|毁|闲置|迟|延误|何时|什么|何日|为何|怎么|咋|能否|可否|是否|能不能|吗|哪|枯|乱|严重|频繁|杂草|老鼠|苍蝇"
    r"|超标|故障|卡顿|贪|冲突|矛盾|纠纷|维权|受害|救|中毒|上吐下泻|倒了|锁了"
)
_WISHES = r"(?:请求|希望|恳请|恳求|要求|呼吁|期望|期盼|盼望|盼|望|建议|提议|请|求)(?!书|人|婚)"
_VERY = r"(?:再次|强烈|衷心|真诚|诚恳|紧急|迫切|恳切|我们?)*"
_OFFICES = (
    r"(?:(?:市政府|市委|区政府|县政府|政府|有关部门|相关部门|有关单位|相关单位|主管部门|职能部门|有关领导|各级领导|各位领导"
    r"|领导|贵[局委部办单]位?|上级)们?)?"
)
_SOON = (
    r"(?:能够|能|可以|帮忙|帮助|协调|督促|责令|敦促|予以|给予|一起|真正|彻底|妥善|切实|坚决|严厉|依法|全面|进一步"
    r"|尽快|尽早|及时|早日|抓紧|立即|马上|速)*"
)
_SOLVE = r"(?:解决|处理|关注|重视|查查|管管|管一管|看看)(?:一下|下)?(?:关于)?"
# Work that is asked for. A wish that goes on so is plain without its 请求; one that goes on with who should do it
# (建议公园取消门票) would become a statement of fact, so it stays as it is.
_WORK = (
    r"(?:加[快强大装设开]|增[加设开派补]|恢复|取[消缔]|开[通放设展行]|公[开布示]|修[建缮复改订好路]?|建[立设成好]|新建|重建"
    r"|设[立置]|安装|拆除|整[治改顿]|治理|解决|处理|查[处清办明]|彻查|严[查惩厉格]|制止|禁止|打击|规范|完善|优化|提[高升供前]"
    r"|推[动进广]|改[善造进]|调整|延[长伸]|扩[大建]|保[障护留]|清[理除运]|疏通|更换|维修|落实|兑现|返还|退[还款费]|发放|支持"
    r"|减[免少]|降低|免[费除]|停止|纠正|明确|统[一筹]|还原|归还|关[闭停注]|赔偿|补[发偿贴办]|重新|撤销|监管|核[实查]"
    r"|迁[移走]|搬[迁离]|移[除走])"
)
_REPORT = r"(?:反映|反应|投诉|举报|咨询|询问|请教|请问|问问|想问|求助|控诉|检举|质疑|查询|想了解)"
_WRITERS = (
    r"(?:来电人|来访人|来信人|写信人|留言人|投诉人|举报人|反映人|诉求人|市民|居民|群众|业主|村民|网友|职工|家长|学生|商户|住户"
    r"|租户|游客|乘客|司机|农户|养殖户|种植户|患者|本人|购房人|消费者|教师|工人|老人|订户)"
)
_NAMED = r"(?:[\u4e00-\u9fff]{1,3}?(?:先生|女士|同志|大爷|大妈|阿姨|师傅|老师|某某?)|某某?)?"
_SAYS = r"(?:反映|举报|投诉|咨询|询问|建议|求助|急报|报告|表示|诉|称|说)"
_NOT_SAID = r"(?!的|过|多|后|了|无|未|至今|人|量|热|电话|箱|明书)"
_DATE = (
    r"(?:(?:19|20)\d\d年\d{1,2}月(?:\d{1,2}[日号])?|\d{1,2}月\d{1,2}[日号]|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号])"
)

# What may stand before the matter, in any number and order. The looks ahead only make it fast: titles mostly begin
# with none of these.
_LEAD = re.compile(
    rf"""(?:
      [\s，,。、；;：:！!—\-–…~*#]+
    | [【\[〔][^】\]〕]{{1,8}}[】\]〕]
    | \d{{1,2}}(?:[、)）]|[.．](?!\d)) | [（(][一二三四五六七八九十\d]{{1,2}}[)）] | [一二三四五六七八九十]、
    | 尊敬的?[^，,。：:！!？?\s]{{0,14}}[，,。：:！!\s]+
    | [您你]们?好(?=[，,。：:！!\s]|我|请|关|想)
    | (?=[不打冒匿主标事内诉问反投举咨求建请申如现情来控检质查想])
      (?:不好意思|打扰(?:一下|您?了)?|冒昧|匿名|主题|标题|事由|内容|诉求|问题|来[电访信](?:登记|记录)|{_REPORT}|建议|请求|申请|如题|现状|情况)[：:，,]
    | (?=[自从在于本我12一二三四五六七八九十])(?:自|从|在|于|本人于|我于)?{_DATE}
      (?:起|以来|开始|至今|左右|上午|下午|晚上?|凌晨|早上|夜间|中午)*(?!至|到|-|—|、|起)
    | (?=[再多强实特紧联集继第来我反投举咨询请问想求控检质查])
      (?:再次|多次|强烈|实名|特此|紧急|联名|集体|继续|第[二三四五六]次|来[电信访]|我要|我想|特)*
      {_REPORT}(?:一下|下)?(?:关于|有关)?(?!至|给|到|在|是|贴|栏|系统|平台|渠道|没|不|对|者|材料){_NOT_SAID}
    | (?=[再强衷真诚紧迫恳我请希要呼期盼望建提求]){_VERY}{_WISHES}{_OFFICES}
      {_SOON}(?:{_SOLVE}(?!方案|好|了|结果|率|中心)|(?={_WORK}))
    | (?=.{{0,3}}[人民众主友工长生户客机者师某士])(?:干部|一)?(?:{_WRITERS}{_NAMED}|.{{1,3}}(?:先生|女士|某某?))[，,、]?
      (?:紧急|再次|多次|实名|联名)?(?:(?:来[电信访]|致电|登记|留言)[：:，,]?{_SAYS}*|{_SAYS}){_NOT_SAID}[：:，,]?
    | 来[电信访]{_SAYS}[：:，,]? | 称其?(?!职|号|重|呼) | 诉(?=[\u4e00-\u9fff]{{6}}) | 其(?=在)
    | 我们?的?(?=小区|村|屯|组|楼|单元|单位|公司)
    )++""",
    re.VERBOSE,
)
_ABOUT_STARTS = frozenset("关有就")
_ABOUT = re.compile(r"关于|(?:有关|就)(?!于|是|业|医|读|餐|地|近|诊|要|没|不|这|那|我|因|部|单|人|领|方)")
# What may stand behind the matter.
_MARKS = " ，,。、；;：:！!…~—-–"
_ASKED = (
    r"请求|投诉|反映|咨询|举报|求助|诉求|建议|提案|意见|请示|汇报|报告|疑问|疑惑|质疑|提问|询问|申请|呼吁|想法|议案"
)
_SOLVED = r"解决|处理|解答|核查|核实|查处|整改|帮助|关注|重视|答复|回复"
_SIGHS = r"求查|求解|跪求|谢谢|拜托|何解"
_TAIL = re.compile(
    rf"""(?:
      [（(【\[](?:[急续图转]+|补充|投诉|匿名|附图|跟帖|追问|再[^（()）【】\[\]]{{0,6}}|第?[一二三四五六七八九十两\d]{{1,3}}次?)[）)】\]]
    | (?:(?:的|等)?(?:相关|有关|一些|若干|几点|几个|诸多)?(?:问题|情况|事宜|事项|一事|事)的?|的(?:补充|几点|一点|紧急)?)
      (?:{_ASKED})[书信函件]?
    | [，,。！!？?、\s](?:{_ASKED})
    | (?:[，,。！!？?、；;\s]|(?<=[\u4e00-\u9fff]{{4}}))
      (?:(?:请|求|请求|恳请|[盼望]){_OFFICES}{_SOON}(?:{_SOLVED})|{_SIGHS})(?:一下|了)?
    | [，,。！!？?、；;\s]怎么办
    )$""",
    re.VERBOSE,
)
# Looking for an end from every place of a title costs ten times as much as seeing that its last character is of none.
_TAIL_ENDS = frozenset("）)】]书信函件下了办").union(words[-1] for words in f"{_ASKED}|{_SOLVED}|{_SIGHS}".split("|"))
_LAST_WISH = re.compile(rf"[，,。！!；;\s]{_WISHES}[^，,。；;]*$")
_BARE_ENDS = frozenset("题况象宜事")
_BARE_TAIL = re.compile(r"(?:的|等)?(?:问题|情况|现象|事宜|一事)$")
_VAGUE_BEFORE = re.compile(r"(?:相关|有关|存在|一些|诸多|严重|各种)[^，,]{0,5}$")

_SAID = re.compile(r"来[电访信]|致电|反映|称")
_REPORTED = re.compile(
    rf"[^，,。：:；;！!？?对向将给被把让]{{0,14}}?{_WRITERS}{_NAMED}[，,、]?(?:紧急|再次)?"
    rf"(?:来[电信访]|致电|反映|称){_SAYS}*{_NOT_SAID}[，,：:。]?"
)
# Clauses that speak of the writer, of wishes and thanks.
_ASIDE = re.compile(
    r"(?:我|本人|我们|我家|家|俺|其)(?:们|家)?(?:是|系|住|住在|叫|为|家住|现居|名)|现住|(?:首先|再次)?(?:感谢|谢谢)|祝|希望|请"
    r"|恳请|盼|望|建议|要求|您好|你好|尊敬|如题|各位|领导|以上|此致|特此|图片|作为|不好意思|来[电访信][人者]|我今年|我叫"
)
_ASIDE_LAST_WORDS = (
    "来电|来访|来信|反映|表示|经理|教师|医生|村民|居民|业主|职工|学生|家长|先生|女士|您好|你好|领导|书记|市长|局长|主任"
    "|县长|区长|一封信|说两句|说句话"
)
_ASIDE_ENDS = tuple(_ASIDE_LAST_WORDS.split("|"))
_ASIDE_LAST = frozenset(words[-1] for words in _ASIDE_ENDS)
# Colons part clauses but not hours from minutes; a blank does not part Latin words.
_CLAUSE = re.compile(r"[^。！？!?；;，,\n：:\s]+(?:(?:[：:](?=\d)|(?<=[!-~])[ \u3000])[^。！？!?；;，,\n：:\s]+)*")
_QUESTION = frozenset("？?")
_LOOK = 160  # characters of a text in which a clause is looked for
_CLAUSES = 10  # clauses looked at
_TOGETHER = 24  # characters up to which the next clause of a sentence is taken along
_TO_PROBLEM = 34  # characters up to which it is while no problem has been named


def says_nothing(words: str) -> bool:
    """Whether words are only a form's (群众来电, 反映问题, 投诉（3）) or none at all."""
    return _FORM.fullmatch(words) is not None


def names_problem(words: str) -> bool:
    """Whether words name a trouble, a loss or a question."""
    return _PROBLEM.search(words) is not None


def tidy(title: str, submitter: str = "") -> str:
    """The title without salutation, 关于…的请求, 请求解决, date, writer and closing marks.

    Returns
    -------
    a piece of the title with each run of white space as one blank; the whole title where less than `SHORTEST`
    characters would be left, or where what is left says nothing
    """
    whole = " ".join(title.split())
    words = whole.removeprefix(submitter).removesuffix(submitter) if len(submitter) > 1 else whole
    words = _after(_LEAD, words)
    about = _ABOUT.match(words) if words[:1] in _ABOUT_STARTS else None
    if about:
        words = _after(_LEAD, words[about.end() :])
    less = words.rstrip(_MARKS)
    # Without its 的建议, what begins with 对 (对公交线路的建议) is no longer Chinese.
    while less[-1:] in _TAIL_ENDS and less[0] not in "对给" and (end := _TAIL.search(less)):
        less = less[: end.start()].rstrip(_MARKS)
    wish = _LAST_WISH.search(less)
    if wish and names_problem(less[: wish.start()]):
        less = less[: wish.start()]
    bare = _BARE_TAIL.search(less, max(len(less) - 4, 0)) if less[-1:] in _BARE_ENDS else None
    if bare:
        rest = less[: bare.start()]
        near = rest if bare.group()[0] in "的等" else rest[-3:]
        if names_problem(near) and not _VAGUE_BEFORE.search(rest):
            less = rest
    if len(less) == len(whole):
        return whole
    for piece in (less, words):
        if len(piece) >= SHORTEST and not says_nothing(piece):
            return piece
    return whole


def clause_of(text: str) -> str:
    """The first clause of a text that says something, with those behind it until a problem is named; "" if none does.

    The writer's introduction, wishes and thanks come only where there is nothing else. Clauses are taken along up to
    some twenty characters, and where no problem was named so far up to some thirty.
    """
    head = text[:_LOOK]
    start, end, named, aside = -1, 0, False, ""
    for match in islice(_CLAUSE.finditer(head), _CLAUSES):
        clause = match.group()
        if start >= 0:
            longest = _TOGETHER if named else _TO_PROBLEM
            if head[end] not in "，,：: \u3000" or match.end() - start > longest or says_nothing(clause):
                break
            if _is_aside(clause):
                break
            end, named = match.end(), named or names_problem(clause)
            continue
        words = _after(_LEAD, _after(_REPORTED, clause) if _SAID.search(clause) else clause)
        if len(words) < SHORTEST or says_nothing(words):
            continue
        if _is_aside(words):
            aside = aside or words
            continue
        start, end, named = match.end() - len(words), match.end(), names_problem(words)
    if start < 0:
        return aside
    return " ".join(head[start : end + (head[end : end + 1] in _QUESTION)].split())


def own_words(title: str, text: str, submitter: str = "") -> str:
    """What a row calls its matter: its title, or where that says nothing a clause of its text; "" for a blank row.

    A short title that names no problem (退耕还林款) gives way to a clause that does and shares a pair of characters
    with it.
    """
    words = tidy(title, submitter) if title else ""
    if (len(words) <= _LONGEST_FORM and says_nothing(words)) or _ends_aside(words):
        return clause_of(text) or words or " ".join(text[:_LOOK].split())
    if len(words) < SHORT and not names_problem(words):
        clause = clause_of(text)
        told_of_self = clause.startswith(("我", "本人", "俺"))
        if (
            not told_of_self
            and names_problem(clause)
            and any(words[i : i + 2] in clause for i in range(len(words) - 1))
        ):
            return clause
    return words


def _is_aside(clause: str) -> bool:
    return _ends_aside(clause) or _ASIDE.match(clause) is not None


def _ends_aside(clause: str) -> bool:
    return clause[-1:] in _ASIDE_LAST and clause.endswith(_ASIDE_ENDS)


def _after(pattern: re.Pattern[str], words: str) -> str:
    found = pattern.match(words)
    return words[found.end() :] if found else words
