"""A tiny corpus, and a model and a run made of it once for all tests that only look at them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Invented letters to three bodies; the words of each theme are its own, so that little data is enough to learn from.
HEAT = (
    "家里暖气片冰凉，早上量了才十四度，孩子写作业都得穿棉袄。",
    "开栓半个月，楼上热楼下凉，供热公司来放了一次气就不见人了。",
    "老人住一楼，室温一直到不了十八度，盼供热站来人量一量温度。",
    "暖气漏水把地板泡了，打供热客服三天没人上门维修。",
    "热费已经全交了，屋里还是冷，请供热企业查查是不是管网堵了。",
    "整栋楼昨晚突然停热，没有通知，家里有刚出生的婴儿。",
    "去年报停供热的手续今年又要重办，热费也没退回来。",
    "换热站的水泵坏了，几百户暖气不热，请快些抢修。",
)
LAMP = (
    "小区门前那条街的路灯灭了一个月，晚上下班摸黑走。",
    "路灯白天亮晚上不亮，控制箱大概坏了，请来修一修。",
    "灯杆被车撞歪了，灯头耷拉着，走在下面心里发慌。",
    "胡同里一盏路灯也没有，老人起早买菜摔过跤，盼装几盏灯。",
    "公园步道的路灯忽明忽暗，晃得人眼睛疼。",
    "桥下路灯全黑，骑车看不见坑，希望照明早点恢复。",
    "新修的路通车半年了，灯杆立着就是不亮灯。",
    "路灯的电线露在外面，下雨天怕漏电，请尽快处理。",
)
WATER = (
    "自来水一开是黄的，放十分钟也不清，洗衣服都染上色。",
    "高层水压太低，六楼以上洗澡要等到半夜才有水。",
    "昨天开始停水，没贴通知，全楼拎着桶去隔壁小区接水。",
    "水表走得飞快，两口人一个月三十吨，要求校一校水表。",
    "下水道返水，厨房地面全是脏水，疏通了两次又堵。",
    "主管道漏水，马路边哗哗淌了三天，看着心疼。",
    "二次供水的水箱多久没清洗了，水里有一股铁锈味。",
    "井盖下面的污水冒出来，冻成冰坡，行人直打滑。",
)
TOPICS = {"供热燃气": HEAT, "城市管理": LAMP, "供水排水": WATER}
KEYS = {"供热燃气": "heating_gas", "城市管理": "city_management", "供水排水": "water_supply"}
BODIES = {"供热燃气": "松北热力公司", "城市管理": "路灯管理所", "供水排水": "自来水公司"}

SAME_TEXT = "征仪路6号楼三单元暖气从昨晚九点起一点热气没有，屋里只剩十一度，家中有刚满月的婴儿，请抓紧抢修。"
FORMULA = '=HYPERLINK("http://example.invalid","点我")'

LETTERS_HEADER = ["工单编号", "诉求标题", "诉求内容", "来电时间", "来电人", "受理渠道", "属地"]
LETTERS = [
    ["202601130018851", "征仪路停热", SAME_TEXT, "2026-01-13 08:00", "王先生", "热线", "南岗区征仪路"],
    ["202601130018852", "道里路灯不亮", LAMP[0], "2026-01-12 09:00", "李女士", "热线", "道里区"],
    ["202601130018853", "征仪路停热", SAME_TEXT, "2026-01-12 22:10", "赵女士", "网站", "南岗区征仪路"],
    ["202601130018854", FORMULA, FORMULA, "2026-01-13 11:00", "", "网站", ""],
    ["202601130018855", "", "", "2026-01-13 12:00", "孙先生", "热线", "香坊区"],
]
REGISTER_HEADER = ["编号", "标题", "内容", "留言时间"]
REGISTERED = [
    ["x-1", "水发黄", WATER[0], "2026-01-14"],
    ["x-2", "", WATER[2], "2026-01-15"],
    ["x-3", "只有标题：水压太低", "", ""],
]


def write_csv(path: Path, header: list[str], rows: list[list[str]], *, encoding: str = "utf-8-sig") -> Path:
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_office_files(folder: Path) -> Path:
    """What an office sends: a CSV in GB18030, a workbook with a title row, a Word file, and a workbook cut short."""
    from docx import Document
    from openpyxl import Workbook

    write_csv(folder / "1热线.csv", LETTERS_HEADER, LETTERS, encoding="gb18030")
    book = Workbook()
    for row in (["一月网上留言登记表"], [], REGISTER_HEADER, *REGISTERED):
        book.active.append(row)
    book.save(folder / "2登记.xlsx")
    letter = Document()
    letter.add_paragraph("关于换热站水泵抢修的意见")
    letter.add_paragraph(HEAT[7])
    letter.save(folder / "3意见.docx")
    (folder / "4损坏.xlsx").write_bytes((folder / "2登记.xlsx").read_bytes()[:900])
    return folder


def labelled_rows(column: str = "topic", labels: dict[str, str] | None = None) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the tiny corpus; `labels` maps a Chinese topic name to what stands in the label's column."""
    rows = [
        [f"{name}{number}", text, (labels or {}).get(name, name)]
        for number in range(len(HEAT))
        for name, texts in TOPICS.items()
        for text in [texts[number]]
    ]
    return ["编号", "内容", column], rows


@pytest.fixture(scope="session")
def quick():
    """Settings for little data: two folds, one worker."""
    from pipeline.settings import merge_settings

    return merge_settings({"classify": {"folds": 2}, "engine": {"workers": 1}}, where="the tests")


@pytest.fixture(scope="session")
def quick_toml(tmp_path_factory):
    path = tmp_path_factory.mktemp("settings") / "quick.toml"
    path.write_text("[classify]\nfolds = 2\n[engine]\nworkers = 1\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def teach(quick):
    """A function that trains on files and gives the report."""
    from pipeline.flow import train
    from pipeline.reading import ReadOptions
    from pipeline.tools import Knowledge

    def run(inputs, out, *, directory=True, **options):
        knowledge = Knowledge.shipped(out)
        if not directory:
            knowledge = Knowledge(out, None, knowledge.lexicon, knowledge.dictionaries)
        return train(inputs, out, knowledge=knowledge, options=ReadOptions(labels=True), settings=quick, **options)

    return run


@pytest.fixture(scope="session")
def send(quick):
    """A function that routes files with a model and gives the report."""
    from dataclasses import replace

    from pipeline.engines import open_engine
    from pipeline.flow import route
    from pipeline.tools import Knowledge

    def run(inputs, out, model, *, directory=True, batch_rows=2_000, engine=None, settings=quick, **options):
        knowledge = Knowledge.shipped(model)
        if not directory:
            knowledge = replace(knowledge, directory=None)
        settings = replace(settings, engine=replace(settings.engine, batch_rows=batch_rows))
        engine = engine or open_engine("local", settings=settings.engine)
        return route(inputs, out, knowledge=knowledge, engine=engine, settings=settings, **options)

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory, teach):
    """A model learned from some rows of the corpus, sixteen of each of six topics. To be looked at only."""
    import pandas as pd

    files = sorted((ROOT / "corpus" / "submissions").glob("*.csv"))
    rows = pd.concat([pd.read_csv(file, encoding="utf-8-sig", dtype="str", keep_default_na=False) for file in files])
    wanted = ["heating_gas", "water_supply", "city_management", "traffic", "education", "other"]
    rows = rows[rows["topic"].isin(wanted)].groupby("topic").head(16)
    folder = tmp_path_factory.mktemp("model")
    rows.to_csv(folder / "labelled.csv", index=False, encoding="utf-8-sig")
    teach([folder / "labelled.csv"], folder / "small")
    return folder / "small"


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    """The folder of `write_office_files`. To be looked at only."""
    return write_office_files(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory, office, model, send):
    """The report of one run over `office`. To be looked at only."""
    return send([office], tmp_path_factory.mktemp("finished") / "out", model)
