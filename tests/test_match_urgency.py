"""Alarms: what find_alarms promises about people in danger, floods, frost and crowds, and about what only sounds so."""

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.match.signs import SIGNS
from pipeline.match.urgency import Alarm, find_alarms, is_sign
from pipeline.settings import MatchSettings

SETTINGS = MatchSettings()
SUMMER, WINTER = "2026-07-10 09:00", "2026-01-15 09:00"
LETTERS = Path(__file__).parent.parent / "corpus" / "urgency"


def alarm_of(
    text: str, at: str | None = SUMMER, *, title: str = "", settings: MatchSettings = SETTINGS
) -> Alarm | None:
    return find_alarms([f"{title}\n{text}"], pd.to_datetime(pd.Series([at])), settings=settings)[0]


def kind_of(text: str, at: str | None = SUMMER, **known) -> str:
    alarm = alarm_of(text, at, **known)
    return alarm.kind if alarm else ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我们三个人被困在货梯里，没人理。", "people"),
        ("灶台边煤气味呛得很，不敢点火。", "people"),
        ("不还我钱我就喝农药。", "people"),
        ("隔壁男人天天殴打老婆。", "people"),
        ("一条沟里有老人掉进井，还没拉上来。", "people"),
        ("江水漫上堤，村里已经进水。", "flood"),
        ("下水道污水倒灌进一楼，还在涨。", "flood"),
        ("两百多名业主把路堵了，堵路一上午。", "group"),
        ("我们四十个工人的工钱一分没给，拖欠半年。", "group"),
    ],
)
def test_each_kind_of_alarm_has_its_name(text, kind):
    assert kind_of(text) == kind


@pytest.mark.parametrize("text", ["请把我救出来，家里煤气泄漏，有人昏迷", "把人救出来，煤气泄漏了"])
def test_a_plea_to_be_saved_does_not_say_that_anybody_is(text):
    assert kind_of(text) == "people"
    assert kind_of("煤气泄漏，人已经救出来了，没受伤") == ""


def test_a_text_without_any_full_stop_is_judged_in_time_that_grows_with_it():
    assert kind_of("漏气" * 20_000) == kind_of("漏气" * 20)


def test_a_day_at_least_is_left_for_what_is_urgent():
    with pytest.raises(SettingsError, match="urgent_days is 0 and must be 1 or more"):
        alarm_of("着火了", settings=replace(SETTINGS, urgent_days=0))


def test_people_come_before_water_and_water_before_crowds():
    assert kind_of("洪水进村了，还有老人被困房顶，八十多名村民堵路。") == "people"
    assert kind_of("洪水进村了，八十多名村民堵路要说法。") == "flood"


@pytest.mark.parametrize(
    "text",
    [
        "并没有触电，只是吓了一跳。",
        "堆着纸壳，万一着火怎么得了。",
        "在河边立牌子，防止孩子溺水。",
        "请问家里怎样防煤气中毒？",
        "社区搞了触电急救培训，很好。",
        "前年仓库失火，保险一直没有赔下来。",
        "昨天电梯困人，人已经救出来了，平安。",
        "商场跳楼价是骗人的。",
        "热水器打不着火。",
        "信息爆炸的年代，老人学不会手机。",
        "楼道漏煤气是谣传，没有这回事。",
        "建议小区多备沙袋，防止雨水倒灌。",
        "地下室前年进水的损失何时赔偿？",
    ],
)
def test_what_is_denied_supposed_taught_asked_or_over_is_no_alarm(text):
    assert alarm_of(text) is None


def test_a_denial_must_stand_close():
    assert kind_of("没有人来管，楼下着火了。") == "people"
    assert kind_of("物业没来，孩子被困在电梯里。") == "people"


@pytest.mark.parametrize(
    "text",
    [
        "煤气味很大，请问该打哪个电话，建议你们派人来。",
        "洗澡的时候煤气漏了，我妈晕倒在地上。",
        "只救出来一个，还有一个被埋在里面。",
        "上次修好了，又有人被困在电梯里。",
        "暂时没人受伤，楼下着火还在烧。",
        "住平安街的老人走失一夜。",
        "2026年7月9日夜里孩子走丢。",
        "差点被电死，漏电的灯杆就在校门口。",
    ],
)
def test_where_people_may_be_in_danger_a_doubt_is_an_alarm(text):
    assert kind_of(text) == "people"


def test_who_wants_to_die_may_say_so_at_the_end_of_a_long_letter():
    long = "小区的停车位越来越少，物业把绿地改成了收费车位，业主们意见很大。" * 6
    assert kind_of(long + "我不想活了。") == "people"


@pytest.mark.parametrize(
    "text",
    [
        "我不想活了，社区总说已经解决，根本没人管我。",
        "欠薪的事已经解决了一半，余下的拿不到，我就跳楼。",
        "煤气泄漏，物业说修好了，可是味道很大。",
    ],
)
def test_that_a_matter_is_settled_or_said_to_be_makes_nobody_safe(text):
    assert kind_of(text) == "people"
    assert kind_of("煤气泄漏，当天修好了。") == ""
    assert kind_of("跳楼的人已经救出来了。") == ""


def test_what_happened_before_does_not_hide_what_happens_now():
    assert alarm_of("去年三楼漏过煤气。") is None
    assert kind_of("去年三楼漏过煤气。今天又是满楼道煤气味。") == "people"


def test_a_date_far_from_the_day_of_the_letter_is_the_past():
    assert alarm_of("3月2日我家着火，至于赔偿的事没人理会。", "2026-07-10") is None
    assert kind_of("7月9日夜里我家着火，人在楼道里。", "2026-07-10") == "people"
    assert kind_of("十二月三十一日夜里家里着火。", "2026-01-01") == "people", "the last day of the year is yesterday"


@pytest.mark.parametrize(
    "text",
    [
        "周三三月初楼道着火。",
        "1月一三五号楼道着火。",
        "初十十月份楼道着火。",
        "五六月份楼道着火。",
        "99月99号楼道着火。",
    ],
)
def test_figures_that_are_no_date_cost_nothing(text):
    assert kind_of(text) in ("people", "")


@pytest.mark.parametrize("text", ["2019年交房的小区，三号楼着火了。", "这楼建于2008年，电梯困住两个人。"])
def test_the_age_of_a_house_is_not_the_day_of_its_fire(text):
    assert kind_of(text) == "people"


def test_a_long_letter_that_mentions_danger_in_passing_is_no_alarm():
    long = "小区的停车位越来越少，物业把绿地改成了收费车位，业主们意见很大。" * 6
    assert alarm_of(long + "电梯里也困过人，有人触电。") is None
    assert kind_of(long + "现在电梯里就困着一个孩子。") == "people"


@pytest.mark.parametrize("cut", ["停暖了没人管", "从昨天起停电", "全楼停水", "家里没有燃气"])
def test_what_fails_in_the_heating_season_needs_no_word_of_frost(cut):
    assert kind_of(cut, WINTER) == "frost"
    assert kind_of(cut, SUMMER) == ""
    assert kind_of(cut, None) == "", "of an unknown day nothing is known"
    assert alarm_of(f"{cut}，零下二十度。", None) is not None


@pytest.mark.parametrize(("day", "kind"), [("10-19", ""), ("10-20", "frost"), ("04-20", "frost"), ("04-21", "")])
def test_the_heating_season_has_a_first_and_a_last_day(day, kind):
    assert kind_of("整栋楼停电。", f"2026-{day}") == kind


def test_a_season_within_one_year_can_be_set():
    southern = replace(SETTINGS, heating_from="06-01", heating_until="08-31")
    assert kind_of("整栋楼停电。", SUMMER, settings=southern) == "frost"
    assert kind_of("整栋楼停电。", WINTER, settings=southern) == ""


@pytest.mark.parametrize("day", ["20-10", "02-30", "1-5", ""])
def test_a_season_that_is_no_day_of_the_year_is_refused(day):
    with pytest.raises(
        SettingsError, match=rf"heating_from = '{day}' in \[match\] is no day of a year\. Write it like"
    ):
        alarm_of("停电", settings=replace(SETTINGS, heating_from=day))


@pytest.mark.parametrize(
    "text", ["停暖手续去哪里办？", "基础热费为什么收？没停供。", "看到通知下周停水四小时。", "室温十八度，暖气不热。"]
)
def test_fees_notices_and_lukewarm_radiators_are_no_outage(text):
    assert alarm_of(text, WINTER) is None


@pytest.mark.parametrize("text", ["一天用8度电，今天停电了。", "屋里20.5度，暖气停了。", "以前只有8度电，今天停电了。"])
def test_units_of_power_and_warm_rooms_are_no_frost(text):
    assert kind_of(text) == ""
    assert kind_of("屋里8度，暖气停了。") == "frost"


def test_radiators_that_are_not_warm_are_an_alarm_where_somebody_freezes():
    assert kind_of("暖气不热，孩子冻感冒了。", WINTER) == "frost"


def test_a_crowd_has_ten_people():
    assert kind_of("八个工人的工钱没给。") == ""
    assert kind_of("十二个工人的工钱没给。") == "group"
    assert kind_of("广场上三百人跳舞太吵。") == ""


def test_the_words_are_quoted_as_written():
    assert alarm_of("孩子掉进化粪池了！") == Alarm("people", ("掉进化粪池",))
    assert alarm_of("停电一天，零下三十度。", WINTER) == Alarm("frost", ("停电", "零下三十度"))


def test_a_word_that_is_judged_where_it_stands_is_told_from_another():
    assert is_sign("着火")
    assert is_sign("停暖了")
    assert not is_sign("燃气抢修")


def test_every_sign_has_a_word_that_can_raise_it():
    assert all(sign.words for sign in SIGNS)


WORDS = st.sampled_from(
    ["被困", "没有", "着火", "，", "。", "去年", "停电", "一百名工人", "堵路", "洪水", "\n", "今天", "零下"]
)


@given(st.lists(st.lists(WORDS, max_size=12).map("".join), min_size=1, max_size=6), st.booleans())
def test_a_letter_is_judged_alone_and_its_words_stand_in_it(texts, dated):
    times = pd.to_datetime(pd.Series([WINTER if dated else None] * len(texts)))
    together = find_alarms(texts, times, settings=SETTINGS)
    alone = [find_alarms([text], times.iloc[:1], settings=SETTINGS)[0] for text in texts]
    assert together == alone
    for text, alarm in zip(texts, together, strict=True):
        assert alarm is None or all(word in text for word in alarm.words)


@pytest.mark.parametrize("name", ["urgency_test", "urgency_dev"])
def test_nineteen_in_twenty_of_our_own_letters_are_judged_rightly(name):
    with open(LETTERS / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [f"{row['title']}\n{row['text']}" for row in rows]
    alarms = find_alarms(texts, pd.to_datetime(pd.Series([row["submitted_at"] for row in rows])), settings=SETTINGS)
    urgent = [row["urgency"] == "urgent" for row in rows]
    found = [alarm is not None for alarm in alarms]
    right = sum(one and other for one, other in zip(urgent, found, strict=True))
    assert right / sum(urgent) >= 0.95
    assert right / sum(found) >= 0.95
    danger = [
        alarm is not None and alarm.endangers
        for alarm, row in zip(alarms, rows, strict=True)
        if row["endangered"] == "yes"
    ]
    assert sum(danger) / len(danger) >= 0.95
