"""The office that an official reply names, against the kind of office that the shipped model chose for the message.

    python benchmarks/board_replies.py --data ../shared/data

Routes the messages of board_replies.csv with models/default, which sees no reply, reads from each reply the kind of
office that handled the matter, and prints the agreement. Nothing shipped is trained on these messages. Intervals are
95 % percentile bootstrap over rows.

A reply shows its office in several ways (WAYS), and the most telling one counts. Government and party as a whole, the
desk that only passes messages on, schools, and firms without a public task are no office: such a reply names none.
The patterns were written on 200 replies, then frozen and checked by eye on 200 others (docs/benchmarks.md).
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
from default_model import interval, route

from pipeline.directory import load_directory
from pipeline.resources import shipped

# How offices of each kind are called: what takes an ending like 局, and whole names. Where two fit at one place, the
# earlier kind counts.
NAMES = {
    "街道乡镇": (
        "",
        r"(?:街道|[镇乡])?办事处|(?:街道|[镇乡])(?:党工委|党委|人民政府|政府|办)|街道(?![两上边路])|(?<![城乡集村各建])(?:镇(?![村居企区])|乡(?![村镇道亲土下]))",
    ),
    "交警": ("交警|交通警察|公安交通|公安交管|交管|车辆管理", "交警|车管所"),
    "消防救援": ("消防", ""),
    "林草局": ("林业|森林|森林公安", ""),
    "公安局": ("公安|出入境|治安|刑侦|巡特警|禁毒|户政", "派出所"),
    "城管局": (
        "城管|城市管理|城市综合|城乡建设行政|行政执法|综合执法|环卫|环境卫生|园林|市容|路灯|渣土|燃气热力|照明",
        "执法局",
    ),
    "交通运输局": ("交通|公路|道路运输|运输|运管|客运管理|公共客运|公共交通管理", "公交所|运管所"),
    "公交公司": ("", "(?:公交|公共交通|公共汽车)FIRM|公(?:交|共交通)(?=事业|工作|的[关支])"),
    "轨道交通公司": ("", "(?:轨道交通|地铁)FIRM"),
    "铁路部门": ("铁路", "铁路FIRM"),
    "公积金中心": ("公积金", ""),
    "住建局": (
        "住建|住房|住保|房产|房地产|房屋|房管|城乡建设|规划建设|规建|城建|建设|建筑|质安|市政|棚改|工务",
        "建委|物业(?:管理)?[办科股]|(?<=我局)物业管理(?:中心|所)",
    ),
    "生态环境局": ("环保|环境|生态环境", ""),
    "供水企业": ("", "自来水厂|水司|(?:自来水|供水|水业|水务)FIRM"),
    "供电公司": ("供电|电力", "电业局|(?:供电|电力)FIRM"),
    "供热燃气企业": ("", "(?:燃气|热力|天然气)FIRM"),
    "水务局": ("水务|水利|防汛|河长|水政|水库", ""),
    "应急管理局": ("应急|安监|安全生产|安全监管", ""),
    "医保局": ("医保|医疗保障|医疗保险|农合|合管", ""),
    "卫健委": ("卫健|卫计|(?<!社区)卫生|疾病|疾控|计生|计划生育|人口", ""),
    "人社局": ("人社|人力|社保|社会保险|养老保险|劳动|人事|人才|就业|职称", "仲裁院"),
    "市场监管局": (
        "市场监管|市场监督|市场管理|市场质量|市监|工商|食品|食药|质监|质量技术",
        "消费者委员会|消委会?|消协",
    ),
    "教育局": ("教育|教体|招生", "教委|教育考试院"),
    "民政局": ("民政|救助|殡葬|婚姻登记|低保", ""),
    "残联": ("", "残联|残疾人联合会"),
    "退役军人局": ("退役军人", ""),
    "农业农村局": ("农业|农村经营|畜牧|农机|扶贫", "农委"),
    "自然资源局": ("自然资源|国土|规划|城市规划|城乡规划|不动产|征地|征拆|征收|土地|拆迁", ""),
    "发改委": ("发改|发展改革|发展和改革|物价|价格|价监|粮食", ""),
    "工信局": ("工信|经信|经济和信息化|工业和信息化|科技和工业|科工|科经|经科", ""),
    "商务局": ("商务|商粮", ""),
    "税务局": ("国税|地税|税务|国家税务|地方税务", ""),
    "金融局": ("金融|银监|银保监", "人民银行"),
    "财政局": ("财政", ""),
    "文旅局": ("文化|文旅|旅游|文体|文广|广播电视|文物|新闻出版", ""),
    "体育局": ("体育", ""),
    "民宗局": ("民族|民宗|宗教", ""),
    "妇联": ("", "妇联|妇女联合会"),
    "司法局": ("司法|法律援助", ""),
    "法院": ("", "法院"),
    "检察院": ("", "检察院"),
    "政务服务局": ("政务服务|行政审批", "政务中心"),
    "纪委监委": ("监察", "纪委|监委"),
    "组织人事部门": ("编制|机构编制", "组织部|编办|编委办"),
    "通信邮政管理部门": ("通信|邮政|电信", "(?:移动|电信|联通|铁塔)(?:通信)?FIRM"),
    "信访局": ("信访", ""),
}
UNIT = (
    "总局|分局|局(?!面)|委员会|委(?!托)|部门|机关|办公室|办(?![理结复好事公证])|总队|支队|大队|中队|中心|总站|"
    "站(?![点台])|处(?![理置罚于在])|所(?![在有反述说以需])"
)
FIRM = "(?:通信)?(?:集团)?(?:股份|责任)?(?:有限)?(?:责任)?(?:总|分)?(?:公司|集团)"
# What may stand between the matter of an office and its ending.
FILL = (
    "管理|监督|监管|主管|服务|事务|事业|工作|综合|行政|执法|市场|质量|安全|工程|和|与|及|保障|交易|交流|登记|征收|征缴|补偿|安置|"
    "储备|资源|水产|水电|兽医|城乡|规划|建设|保护|养护|监察|监测|发展|生育|计划|健康|控制|预防|卫生|绿化|设施|公用|信息化?|"
    "乡村|农村|住房|房产|房地产|权益|维权|改革|招生|考试|培训|社会|保险|资源|力|居民|基金|生产|旅游|体育|新闻|出版|广电|广播|"
    "电视|稽查|审批|开发|产权|救援|治安|运输|技术|集中|城市|粮食|照明|民警"
)
# Units of the last kind lead on their own matters although they belong to a body of another kind.
OWN = ("交警", "消防救援", "医保局", "公积金中心", "供水企业", "供电公司", "供热燃气企业", "公交公司")
KINDS = list(NAMES)
# One character of the private use area stands for an office, so that the ways below are short patterns.
MARKS = [chr(0xE000 + number) for number in range(len(KINDS))]
ANY = f"[{MARKS[0]}-{MARKS[-1]}]"
IN = "[^，。；：！？,;!?]"  # a character inside a clause
SOME = f"{ANY}(?:[、和与及]?{IN}{{0,6}}?{ANY})*"
PLACE = r"(?:[A-M]\d{0,2} ?[市县区]{1,2}|西地省|[市县区])"
DIGIT = r"[\d〇○零一二三四五六七八九十]"
DATE = rf"[2二]{DIGIT}{{3}}[年./-]{DIGIT}{{1,3}}[月./-]?{DIGIT}{{0,3}}日?(?:$|[网尊您“U])"
CHECKS = "调查|核实|核查|核查|了解|查|勘|研究|介绍|提供|反馈|答复|回复|解释|告知|走访|沟通|办理|核处|处理"
ACTS = (
    "高度|非常|十分|立即|已|将|迅速|积极|第一时间|组织|安排|派|会同|联合|要求|表示|多次|一直|正在|工作人员|执法|民警|答复|"
    "回复|牵头|负责|进行|领导|决定|下达|责令|调度|召开|约谈|分别|根据"
)
# How a reply shows its office, most telling first.
WAYS = {
    "signed": f"{ANY}[一-龥]{{0,7}}(?:$|{DATE})",
    "referred": f"(?<![公提上递移])(?:转交?|交办?|交由|批转|责成|发函)(?:办|给|至|到|由)*{IN}{{0,8}}?{SOME}"
    f"{IN}{{0,6}}?(?:$|[。，办核调处回复答关阅])",
    "checked": f"(?<![须可应需请议])(?:经|据|由|向|从){IN}{{0,6}}?{SOME}{IN}{{0,12}}?(?:{CHECKS})",
    "ourselves": f"我(?:[局委司会]|中心|单位|[支大]队)[^已与将向和经要，。]{{0,3}}{ANY}|我{ANY}",
    "thanked": f"对{IN}{{0,8}}?{ANY}(?:事业|工作|的)",
    "acted": rf"(?:^|[，。；：！？,;!?、\d]){IN}{{0,6}}?{SOME}{IN}{{0,6}}?(?:{ACTS})",
    "to be asked": f"(?:联系|咨询|致电|拨打){IN}{{0,8}}?{ANY}|[与向到]{IN}{{0,6}}?{ANY}{IN}{{0,8}}?(?:联系|咨询|反映)",
}


def offices_pattern(ending: str) -> re.Pattern[str]:
    """Finds an office; the number of the group that matched, less one, is the position of its kind in KINDS."""
    groups = []
    for matters, names in NAMES.values():
        wholes = [names.replace("FIRM", FIRM)] if names else []
        stems = [f"(?:{matters})(?:{FILL})*(?:{ending})"] if matters else []
        groups.append("(" + "|".join([*stems, *wholes]) + ")")
    return re.compile("|".join(groups))


OFFICES = offices_pattern(UNIT)
# 感谢您对城市管理工作的关心 names the office of a writer who says 我局.
THANKS = offices_pattern("(?=事业|工作|的[关支理监])")
PATTERNS = {way: re.compile(pattern) for way, pattern in WAYS.items()}


def letter(found: re.Match[str]) -> str:
    """The character that stands for the kind of a found office."""
    return MARKS[(found.lastindex or 0) - 1]


def mark(reply: str) -> str:
    """The reply without blanks, titles of rules and quotations, with one character for each office."""
    text = re.sub("《[^》]*》|“[^”]*”", "", "".join(reply.split()))
    text = OFFICES.sub(letter, text)
    if re.search("我[局委司会]|我(?:中心|公司)", text):
        text = re.sub("谢[^。]{0,8}对[^。]{0,20}", lambda thanks: THANKS.sub(letter, thanks.group()), text)
    text = re.sub(f"{PLACE}+(?={ANY})", "", text)
    return re.sub(f"{ANY}{{2,}}", lambda found: innermost(found.group()), text)


def innermost(marks: str) -> str:
    """Of offices named in one breath, 公安局交警大队 or 镇民政办, the one that leads."""
    return marks[-1] if KINDS[MARKS.index(marks[-1])] in OWN and marks[0] != MARKS[0] else marks[0]


def read_offices(reply: str) -> dict[str, list[str]]:
    """Way -> kinds of the offices that the reply shows in that way, most telling way and most frequent kind first."""
    text = mark(reply)
    shown = {}
    for way, pattern in PATTERNS.items():
        found = "".join(match.group() for match in pattern.finditer(text))
        kinds = Counter(KINDS[MARKS.index(character)] for character in found if character in MARKS)
        if kinds:
            shown[way] = [kind for kind, _ in kinds.most_common()]
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of board_replies.csv")
    messages = pd.read_csv(parser.parse_args().data / "board_replies.csv", dtype="str", keep_default_na=False)
    shown = messages["reply"].map(read_offices)
    with tempfile.TemporaryDirectory() as folder:
        unanswered = Path(folder) / "messages.csv"
        messages.drop(columns=["reply", "replied_at"]).to_csv(unanswered, index=False, encoding="utf-8")
        routed = route(unanswered)
    routed = routed.loc[messages["submission_id"]].reset_index()
    named = shown.map(bool)
    print(f"replies: {len(messages)}; that name an office: {named.sum()}")

    rows = routed[named].assign(
        way=shown[named].map(lambda ways: next(iter(ways))),
        replied=shown[named].map(lambda ways: next(iter(ways.values()))[0]),
        any_replied=shown[named].map(lambda ways: {kind for kinds in ways.values() for kind in kinds}),
    )
    directory = load_directory(shipped("directory"))
    candidates = rows["department_candidates"].map(lambda names: {directory.kind_of(name) for name in names})
    right = rows["department_kind"] == rows["replied"]
    any_right = pd.Series(
        [kind in kinds for kind, kinds in zip(rows["department_kind"], rows["any_replied"], strict=True)], rows.index
    )
    offered = pd.Series([kind in found for kind, found in zip(rows["replied"], candidates, strict=True)], rows.index)
    auto, general = rows["decision"] == "auto", rows["replied"] == "街道乡镇"
    print(f"agreement: {interval(right)}")
    print(f"with any office of the reply: {interval(any_right)}")
    print(f"among the candidates: {interval(offered)}")
    print(f"auto: {auto.mean():.3f} of the rows; agreement {interval(right[auto])}; any {interval(any_right[auto])}")
    print(f"without replies of townships: {interval(right[~general])}; any {interval(any_right[~general])}")
    print(f"  among the candidates {interval(offered[~general])}; auto {interval(right[~general & auto])}")
    for way in WAYS:
        print(f"way {way}: {interval(right[rows['way'] == way])}; township {general[rows['way'] == way].mean():.2f}")
    for kind in rows["replied"].value_counts().index:
        replies, chosen = rows["replied"] == kind, rows["department_kind"] == kind
        print(f"{kind}: {replies.sum()} replies, {chosen.sum()} chosen, {(replies & chosen).sum()} both")
    pairs = Counter(zip(rows["department_kind"][~right], rows["replied"][~right], strict=True))
    for (kind, replied), count in pairs.most_common(25):
        print(f"chosen {kind or 'none'}, replied {replied}: {count}")


if __name__ == "__main__":
    main()
