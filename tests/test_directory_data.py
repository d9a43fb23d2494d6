"""The shipped directory keeps its own promises: keys, lists, bodies, places."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "corpus" / "directory"
COLUMNS = {
    "topics": ["topic", "name", "covers", "boundary"],
    "departments": ["department", "kind", "jurisdiction", "level", "aliases"],
    "duties": [
        *("duty_id", "clause", "topic", "lead_kind", "co_kinds", "level", "urgency"),
        *("working_days", "valid_from", "valid_until", "words"),
    ],
    "places": ["place", "level", "district", "township", "aliases", "traps"],
    "overlaps": ["zone", "district", "places", "kinds", "body", "role", "note"],
}
LISTS = {
    "departments": ["aliases"],
    "duties": ["co_kinds", "words"],
    "places": ["aliases", "traps"],
    "overlaps": ["places", "kinds"],
}


def several(text: str) -> list[str]:
    return text.split()


TOPICS = several(
    "traffic power sanitation flood_relief water_supply heating_gas housing city_management environment education "
    "health social_security employment agriculture business market culture_tourism public_safety governance veterans "
    "communications other"
)
KINDS = set(
    several(
        "公安局 交警 交通运输局 住建局 城管局 生态环境局 水务局 应急管理局 供电公司 供热燃气企业 供水企业 教育局 "
        "卫健委 医保局 人社局 民政局 残联 退役军人局 农业农村局 自然资源局 林草局 市场监管局 发改委 工信局 商务局 "
        "税务局 金融局 财政局 文旅局 体育局 民宗局 妇联 司法局 法院 检察院 信访局 政务服务局 纪委监委 组织人事部门 "
        "通信邮政管理部门 消防救援 公积金中心 公交公司 轨道交通公司 铁路部门 街道乡镇 其他"
    )
)
DISTRICTS = set(
    several(
        "道里区 南岗区 道外区 平房区 松北区 香坊区 呼兰区 阿城区 双城区 尚志市 五常市 "
        "依兰县 方正县 宾县 巴彦县 木兰县 通河县 延寿县"
    )
)
# Names of streets and townships that are everyday words, so that alone they say nothing about a place.
COMMON_WORDS = set(
    several(
        "花园 和平 新华 红旗 建设 民主 前进 工农 太平 团结 胜利 幸福 向阳 朝阳 文化 建国 平房 安静 工程 革新 "
        "跃进 新春 奋斗 先锋 健康 民生 建筑 化工 水泥 火车头 联盟 黎明 兴隆 兴盛 永和 永胜 公正 交界 利民 长寿 "
        "元宝 红星 红光 万宝 乐业 金城 万隆 同心 临江 三站 二八 五家 中和 新民 庆阳 青川 新农 新发 新兴 松花江 "
        "大用 大贵 凤山 清河 龙泉 安家 山河 民意 民乐 卫国 长山 会发 天门 摆渡 常安 石人 舍利 周家"
    )
)
EVERYWHERE = set(several("问题 反映 希望 建议 情况 严重 没人管 你好 谢谢 感谢 领导 政府 市民 来电 投诉 解决"))


@cache
def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def items(cell: str) -> list[str]:
    return cell.split(";") if cell else []


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_its_columns_and_opens_in_excel(name):
    content = (FOLDER / f"{name}.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").splitlines()[0] == ",".join(COLUMNS[name])
    for row in rows(name):
        assert None not in row, f"{row} has more cells than the header"
        assert None not in row.values(), f"{row} has fewer cells than the header"
        assert all(cell == cell.strip() for cell in row.values()), row


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_no_blank_or_repeated_item(name):
    for row in rows(name):
        for column in LISTS[name]:
            found = items(row[column])
            assert all(item and item == item.strip() for item in found), row
            assert len(found) == len(set(found)), row


def test_topics_are_the_default_taxonomy():
    found = rows("topics")
    assert [row["topic"] for row in found] == TOPICS
    assert len({row["name"] for row in found}) == len(found)
    assert all(row["covers"] and row["boundary"] for row in found)


def test_kinds_are_exactly_the_known_ones_and_each_leads_somewhere():
    assert {row["kind"] for row in rows("departments")} == KINDS
    assert {row["lead_kind"] for row in rows("duties")} == KINDS
    assert {kind for row in rows("duties") for kind in items(row["co_kinds"])} <= KINDS


def test_a_body_has_one_name_and_an_alias_means_one_body():
    found = rows("departments")
    names = [row["department"] for row in found]
    assert len(set(names)) == len(names)
    aliases = Counter(alias for row in found for alias in items(row["aliases"]))
    assert not [alias for alias, count in aliases.items() if count > 1]
    assert not set(aliases) & set(names)


def test_a_body_serves_a_place_of_its_level():
    townships = Counter(row["place"] for row in rows("places") if row["level"] == "township")
    for row in rows("departments"):
        if row["level"] == "city":
            assert row["jurisdiction"] == "哈尔滨市", row
        elif row["level"] == "district":
            assert row["jurisdiction"] in DISTRICTS, row
        else:
            district, _, township = row["jurisdiction"].rpartition("/")
            assert townships[township] == 1 or district in DISTRICTS, row
            assert township in townships, row


def test_every_kind_answers_for_the_city_and_every_township_has_its_body():
    bodies = {(row["kind"], row["level"]) for row in rows("departments")}
    assert {kind for kind in KINDS if (kind, "city") not in bodies} == {"街道乡镇"}
    served = Counter(row["jurisdiction"].split("/")[-1] for row in rows("departments") if row["level"] == "township")
    assert served == Counter(row["place"] for row in rows("places") if row["level"] == "township")


def test_every_district_has_a_government_for_townships_that_are_not_named():
    found = [row for row in rows("departments") if (row["kind"], row["level"]) == ("街道乡镇", "district")]
    assert {row["jurisdiction"]: row["department"] for row in found} == {name: f"{name}人民政府" for name in DISTRICTS}


def test_a_zone_is_led_by_a_committee_on_what_committees_do():
    bodies = {row["department"] for row in rows("departments") if row["department"].endswith("管理委员会")}
    for row in rows("overlaps"):
        assert row["body"] in bodies, row
        assert row["kinds"], row


def test_a_kind_that_leads_in_districts_has_a_body_in_every_district():
    where = defaultdict(set)
    for row in rows("departments"):
        if row["level"] == "district":
            where[row["kind"]].add(row["jurisdiction"])
    for row in rows("duties"):
        if row["level"] == "district":
            assert not DISTRICTS - where[row["lead_kind"]], row["duty_id"]
        if row["level"] == "township":
            assert row["lead_kind"] == "街道乡镇", row["duty_id"]


def test_duty_clauses_are_short_unlike_and_complete():
    found = rows("duties")
    assert len(found) >= 220
    assert all(re.fullmatch(r"[a-z]+(?:-[a-z0-9]+)+", row["duty_id"]) for row in found)
    for column in ("duty_id", "clause"):
        assert len({row[column] for row in found}) == len(found), column
    for row in found:
        assert len(row["clause"]) <= 45, row["clause"]
        assert row["topic"] in TOPICS, row
        assert row["lead_kind"] not in items(row["co_kinds"]), row
        assert row["urgency"] in ("urgent", "normal"), row
        assert 1 <= int(row["working_days"]) <= 15, row
        assert row["urgency"] == "normal" or int(row["working_days"]) <= 5, row
        assert date.fromisoformat(row["valid_from"]) == date(2025, 1, 1), row
        assert row["valid_until"] == "", row


def test_every_topic_has_clauses_with_words_and_one_to_fall_back_on():
    clauses = defaultdict(list)
    for row in rows("duties"):
        clauses[row["topic"]].append(row)
    assert set(clauses) == set(TOPICS)
    for topic, found in clauses.items():
        assert [row["duty_id"] for row in found if not row["words"]] == [found[-1]["duty_id"]], topic
        assert len(found) >= 5, topic


def test_words_betray_one_duty():
    holders = defaultdict(list)
    for row in rows("duties"):
        words = items(row["words"])
        assert not words or 6 <= len(words) <= 20, row["duty_id"]
        for word in words:
            assert 2 <= len(word) <= 12, (row["duty_id"], word)
            holders[word].append(row["duty_id"])
    shared = {word: duties for word, duties in holders.items() if len(duties) > 2}
    assert not shared
    assert sum(len(duties) > 1 for duties in holders.values()) <= len(holders) // 100
    assert not EVERYWHERE & set(holders)


def test_dangers_are_urgent():
    words = {word: row["urgency"] for row in rows("duties") for word in items(row["words"])}
    for word in ("燃气泄漏", "着火", "被困", "决堤", "停暖", "食物中毒", "持刀", "触电", "滑坡", "冰溜子"):
        assert words[word] == "urgent", word
    for word in ("物业费", "摆摊", "公交线路", "小广告", "图书馆"):
        assert words[word] == "normal", word


def test_places_are_one_city_its_districts_townships_and_many_spots():
    levels = Counter(row["level"] for row in rows("places"))
    assert set(levels) == {"city", "district", "township", "spot"}
    assert levels["city"] == 1
    assert {row["place"] for row in rows("places") if row["level"] == "district"} == DISTRICTS
    assert levels["township"] == 320
    assert levels["spot"] >= 500


def test_a_place_lies_in_a_known_district_and_township():
    found = rows("places")
    townships = [(row["district"], row["place"]) for row in found if row["level"] == "township"]
    assert len(set(townships)) == len(townships)
    for row in found:
        if row["level"] == "township":
            assert row["district"] in DISTRICTS, row
            assert row["township"] == row["place"], row
        if row["level"] == "spot":
            assert row["district"] in DISTRICTS, row
            assert not row["township"] or (row["district"], row["township"]) in townships, row
        if row["level"] in ("city", "district"):
            assert not row["district"] or row["district"] == row["place"], row


def test_only_townships_of_two_districts_share_a_name():
    found = rows("places")
    shared = {name for name, count in Counter(row["place"] for row in found).items() if count > 1}
    assert shared == {"红旗满族乡", "向阳镇"}
    aliases = Counter(alias for row in found for alias in items(row["aliases"]))
    assert not [alias for alias, count in aliases.items() if count > 1]
    assert not set(aliases) & {row["place"] for row in found}


def test_no_place_is_called_by_an_everyday_word():
    for row in rows("places"):
        spellings = {row["place"], *items(row["aliases"])}
        assert not spellings & COMMON_WORDS, row
        assert all(len(spelling) >= 2 for spelling in spellings), row


def test_traps_hold_a_name_of_their_place_and_are_no_place_themselves():
    found = rows("places")
    spellings = {spelling for row in found for spelling in (row["place"], *items(row["aliases"]))}
    for row in found:
        for trap in items(row["traps"]):
            assert any(name in trap and name != trap for name in (row["place"], *items(row["aliases"]))), (row, trap)
            assert trap not in spellings, (row, trap)


def test_known_traps_are_listed():
    traps = {row["place"]: items(row["traps"]) for row in rows("places") if row["level"] == "district"}
    for district, trap in {"道外区": "人行道外", "道里区": "楼道里", "通河县": "疏通河", "双城区": "双城记"}.items():
        assert trap in traps[district]
    assert "平房" not in [alias for row in rows("places") for alias in items(row["aliases"])]
