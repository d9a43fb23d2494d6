"""Ten daily batches give the issues of one batch, and a batch costs the same in a register of any size."""

import pytest
from registering import BUS, HEATING, HEATING_TOO, MARKET, MARKET_TOO, Office, group, letter, make_part

ESTATES = ["群力家园", "恒大绿洲", "松江新苑", "柳岸花园", "盛和天下", "金域蓝湾", "学府名城", "玉泉山庄"]
# Four matters, each told three ways; the words of one are its own.
MATTERS = [
    (
        "{}的暖气一直不热，屋里测温只有十四度，热力公司说好上门也没有来。",
        "住在{}，供热半个月了暖气冰凉，测温才十四度，热力公司推脱不上门。",
        "{}供热不达标，暖气片不热，热力公司一直没有上门测温。",
    ),
    (
        "{}的地下车库天天积水，水泵坏了没人修，车都没法停。",
        "{}地下车库又积水了，车泡在水里，水泵坏了物业不修。",
        "地下车库积水严重，{}的业主没法停车，盼着快修水泵。",
    ),
    (
        "{}门口的烧烤摊半夜还在营业，油烟呛人，音响吵得睡不着。",
        "{}外面烧烤油烟太大，音响吵到半夜，老人睡不着。",
        "烧烤摊占着{}门口，油烟和音响到半夜，影响睡觉。",
    ),
    (
        "{}的电梯三天两头停运，老人爬十二楼，维保单位不来人。",
        "{}电梯又停运了，维保单位电话没人接，老人上不去楼。",
        "电梯停运一个星期，{}的老人下不了楼，维保单位推脱。",
    ),
]


def letters_of(estates):
    """One letter of each wording about each matter of each estate, four a day, mixed."""
    told = [
        (f"{estate}{number}", matter[turn].format(estate))
        for turn in range(3)
        for number, matter in enumerate(MATTERS)
        for estate in estates
    ]
    return [letter(f"s{k:03}", text, k // 4, spot=spot) for k, (spot, text) in enumerate(told)]


def sets_of(issue_ids):
    issues = {}
    for name, issue in issue_ids.items():
        issues.setdefault(issue, set()).add(name)
    return {frozenset(members) for members in issues.values()}


def test_ten_daily_batches_with_a_register_give_the_same_issues_as_one_batch(tmp_path):
    letters = letters_of(ESTATES)
    # Matters without a place, far apart in the list: only their words bring them together.
    for k, text in enumerate([HEATING, MARKET, BUS, HEATING_TOO, MARKET_TOO, BUS + "盼复", HEATING + "请尽快"]):
        letters.insert(1 + 14 * k, letter(f"w{k}", text, 3 * k))
    members = group(make_part(letters, tmp_path / "all.parquet")).members
    whole = sets_of(dict(zip(members["submission_id"], members["issue_id"], strict=True)))
    office = Office(tmp_path)
    size = -(-len(letters) // 10)
    for start in range(0, len(letters), size):
        office.receive(*letters[start : start + size])
    assert len([issue for issue in whole if len(issue) > 1]) >= 10
    assert sets_of(office.issue_of()) == whole


def backlog(rows):
    """Letters about as many matters: two letters each, whose rare words no other has."""
    signs = [chr(0x4E00 + 7 * number) for number in range(2_000)]
    for number in range(rows):
        matter = number // 2
        names = [signs[matter % 1_900 + k] + signs[(matter * 31 + k) % 1_900] for k in range(12)]
        yield letter(f"b{number:05}", "，".join([*names, "请尽快处理", str(number % 2)]), number % 28)


@pytest.mark.parametrize("rows", [200, 2_000])
def test_a_batch_fetches_as_many_rows_from_a_register_ten_times_as_large(tmp_path, rows):
    office = Office(tmp_path)
    office.receive(*backlog(rows), *letters_of(ESTATES)[:64])
    office.receive(*letters_of(ESTATES)[64:])
    assert 20 <= office.fetched <= 100


def test_what_the_register_counts_is_what_its_rows_hold_that_repeat_nothing(tmp_path):
    office = Office(tmp_path)
    letters = letters_of(ESTATES[:2])
    office.receive(*letters[:12])
    # An earlier letter of the same wording comes late: the registered one is the repetition from now on.
    office.receive(letter("early", letters[3]["text"], -5), *letters[12:], letters[0])
    once = Office(tmp_path / "once")
    once.folder.mkdir()
    once.receive(*letters[:12], letter("early", letters[3]["text"], -5), *letters[12:])
    counts = "SELECT kind, code, rows FROM counts WHERE rows > 0 ORDER BY ALL"
    assert office.ask(counts) == once.ask(counts)
