"""From a grouping to issues that go on: ids are kept, and every change has a reason that can be checked."""

import numpy as np
import pandas as pd
import pytest
from registering import BUS, HEATING, HEATING_TOO, MARKET, MARKET_TOO, Office, letter
from test_cluster_holds import known

from pipeline.register import keep_issue_ids
from pipeline.register.reasons import Reasons
from pipeline.register.settling import _components

# i-2 was seen before i-1, i-9 last of all.
SEEN = {name: pd.Timestamp(f"2026-01-{day}") for name, day in (("i-2", 2), ("i-1", 3), ("i-9", 9))}


def kept(issues, before, **told):
    return keep_issue_ids(issues, known(len(issues), issue=before, **told), SEEN)


def test_where_two_registered_issues_become_one_the_larger_gives_its_id():
    assert kept(["a", "a", "a", "a"], ["i-1", "i-2", "i-2", ""]) == ["i-2"] * 4
    assert kept(["a", "a", "a", "a"], ["i-1", "i-2", "i-1", ""]) == ["i-1"] * 4


def test_of_two_issues_of_one_size_the_older_gives_its_id():
    assert kept(["a", "a"], ["i-1", "i-2"]) == ["i-2"] * 2


def test_rows_that_a_clerk_tied_or_pinned_decide_before_the_others():
    assert kept(["a", "a", "a"], ["i-1", "i-2", "i-2"], tied=[4, 0, 0]) == ["i-1"] * 3
    assert kept(["a", "a", "a"], ["i-1", "i-2", "i-2"], pinned=[True, False, False]) == ["i-1"] * 3


def test_where_a_registered_issue_comes_apart_the_larger_part_keeps_the_id():
    assert kept(["a", "b", "b"], ["i-1", "i-1", "i-1"]) == ["a", "i-1", "i-1"]


def test_a_new_issue_never_takes_the_id_of_an_old_one_by_chance():
    assert kept(["i-2", "i-9"], ["i-9", ""]) == ["i-9", "i-9+"]


def test_a_new_issue_never_takes_the_id_of_one_that_is_not_at_hand(tmp_path):
    office = Office(tmp_path)
    office.receive(letter("1", HEATING, 1))
    office.receive(letter("1", BUS, 31))  # February's list begins with 1 again
    assert office.fetched == 0
    assert office.issue_of() == {"1~1": "i-1", "1": "i-1+"}


def test_a_component_keeps_its_smallest_number_and_new_ones_get_fresh_numbers():
    labels = np.array([0, 0, 1, 2, 2, 3])
    before = np.array([5, 3, 0, 0, 4, 3])
    assert _components(labels, before, 9).tolist() == [3, 3, 9, 4, 4, 10]


def test_every_batch_tells_what_is_new_and_what_has_grown(tmp_path):
    office = Office(tmp_path)
    office.receive(letter("a1", HEATING, 1), letter("m1", MARKET, 2))
    office.receive(letter("a2", HEATING_TOO, 3), letter("b1", BUS, 4), letter("a3", HEATING + "谢谢", 5))
    assert office.events() == [
        ("i-a1", "新立", None, 1),
        ("i-m1", "新立", None, 1),
        ("i-a1", "增加", None, 2),
        ("i-b1", "新立", None, 1),
    ]


def links(*rows):
    return pd.DataFrame(
        [(left, right, "same issue", value, words) for left, right, value, words in rows],
        columns=["submission_id", "linked_to", "kind", "probability", "shared_words"],
    )


def reasons(before, after, *rows):
    ids = np.array(list(before), dtype=object)
    arrays = (np.array(list(each.values()), dtype=object) for each in (before, after))
    return Reasons(links(*rows), ids, *arrays, 0.1)


def test_the_reason_of_a_merger_is_the_new_row_that_is_like_both():
    before = {"s1": "i-1", "s2": "i-2", "s9": ""}
    told = reasons(
        before,
        dict.fromkeys(before, "i-1"),
        ("s1", "s9", 0.93, ["群力家园", "暖气"]),
        ("s2", "s9", 0.71, ["测温"]),
        ("s9", "s1", 0.93, ["群力家园", "暖气"]),
    )
    assert told.merged("i-2", "i-1") == (
        "新来件 s9 与两边都相近：s2 与 s9 相近（把握 71%，共同词语：测温）；"
        "s1 与 s9 相近（把握 93%，共同词语：群力家园、暖气）"
    )


def test_the_reason_of_a_merger_without_a_new_row_between_is_the_link_itself():
    before = {"s1": "i-1", "s2": "i-2"}
    told = reasons(before, dict.fromkeys(before, "i-1"), ("s2", "s1", 0.58, ["暖气"]))
    assert told.merged("i-2", "i-1") == "s2 与 s1 相近（把握 58%，共同词语：暖气）"


def test_the_reason_of_a_part_is_what_it_is_nearer_to():
    before = {"s1": "i-1", "s2": "i-1", "s9": ""}
    told = reasons(before, {"s1": "i-1", "s2": "i-9", "s9": "i-9"}, ("s2", "s9", 0.88, ["夜市"]))
    assert told.parted("i-1", "i-9") == "与原事项其余各件的平均把握不到 10%，s2 与 s9 相近（把握 88%，共同词语：夜市）"


# Two matters of one evening that only a third letter tells to be one.
NOISE = "中央大街东侧夜市每晚摆摊到后半夜，音响声音很大，老人孩子睡不着，住户不敢开窗。"
GARBAGE = "中央大街东侧的烧烤摊收摊以后垃圾没人清扫，油烟把楼道熏黑了，污水流到门口。"


def test_a_merger_is_told_on_both_sides_and_the_old_id_leads_to_the_new_one(tmp_path):
    office = Office(tmp_path)
    office.receive(letter("n1", NOISE, 1), letter("n2", NOISE + "请管一管", 1), letter("g1", GARBAGE, 2))
    assert set(office.issue_of().values()) == {"i-n1", "i-g1"}
    office.receive(letter("x9", NOISE + GARBAGE, 3), letter("x8", GARBAGE + NOISE, 3))
    assert set(office.issue_of().values()) == {"i-n1"}
    assert office.issues()["i-g1"] == ["并入", "i-n1"]
    assert ("i-g1", "并入", "i-n1", 1) in office.events()
    [(reason,)] = office.ask("SELECT reason FROM history WHERE event = '并入'")
    assert "新来件 x" in reason
    assert "把握" in reason


@pytest.mark.parametrize("text", [HEATING_TOO, HEATING])
def test_a_new_letter_reopens_a_closed_issue_once_and_the_same_letter_again_does_not(tmp_path, text):
    office = Office(tmp_path)
    first = letter("a1", HEATING, 1)
    office.receive(first, letter("m1", MARKET_TOO, 1))
    with office.open() as register:
        register.run("UPDATE issues SET status = '已办结' WHERE issue_id = 'i-a1'")
    again = office.receive(first)
    assert not again["reopened"].any()
    assert office.issues()["i-a1"] == ["已办结", None]
    assert office.receive(letter("a2", text, 5))["reopened"].tolist() == [True]
    assert office.issues()["i-a1"] == ["再次反映", None]
    assert office.events("i-a1")[-2:] == [("i-a1", "增加", None, 1), ("i-a1", "再次反映", None, 1)]
    assert office.receive(letter("a3", text + "谢谢", 6))["reopened"].tolist() == [False]


def test_a_new_issue_never_takes_the_id_of_one_that_ends_in_the_same_run():
    assert kept(["i-1", "i-1", "i-1", "i-2"], ["i-1", "i-1", "i-2", ""])[3] == "i-2+"


def test_the_files_of_two_months_numbered_alike_come_again_and_change_nothing(tmp_path):
    office = Office(tmp_path)
    january, february = letter("1", HEATING, 1), letter("1", MARKET, 32)
    for month in (january, february, january, february, january):
        office.receive(month)
    with office.open() as register:
        assert register.run("SELECT count(*) FROM submissions") == [(2,)]
        assert register.run("SELECT count(*) FROM history WHERE event = '增加'") == [(0,)]
