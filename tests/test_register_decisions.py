"""What clerks decide takes effect at once, holds in later runs, and the latest decision wins."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from registering import BUS, HEATING, HEATING_TOO, MARKET, MARKET_TOO, Office, letter, small_office

from pipeline.errors import InputError, OutputError
from pipeline.register import (
    close_issues,
    issue_details,
    issue_history,
    list_issues,
    merge_issues,
    pin_issue,
    pin_submissions,
    reopen_issues,
    split_issue,
    unpin_issue,
)

DAY = dt.date(2026, 2, 3)


@pytest.fixture
def office(tmp_path):
    return small_office(tmp_path)


def test_merged_issues_are_one_at_once_and_new_letters_to_either_come_to_it(office):
    assert office.decide(merge_issues, "i-m1", ["i-b1", "i-a1"]) == 3
    assert set(office.issue_of().values()) == {"i-m1"}
    assert office.issues()["i-b1"] == ["并入", "i-m1"]
    office.receive(letter("b2", BUS + "盼复", 8), letter("m2", MARKET_TOO, 9), letter("a3", HEATING + "盼复", 9))
    assert set(office.issue_of().values()) == {"i-m1"}


def test_what_was_split_off_is_a_new_issue_and_never_comes_back_by_itself(office):
    assert office.decide(split_issue, "i-a1", ["a2"]) == "i-a2"
    assert office.issue_of() == {"a1": "i-a1", "m1": "i-m1", "b1": "i-b1", "a2": "i-a2"}
    # A letter of the words of both would bring them together.
    office.receive(letter("a3", HEATING + HEATING_TOO, 8), letter("a4", HEATING_TOO + "谢谢", 9))
    issue = office.issue_of()
    assert (issue["a1"], issue["a2"], issue["a4"]) == ("i-a1", "i-a2", "i-a2")


def test_a_repetition_that_was_split_off_stays_off(office):
    office.receive(letter("a9", HEATING, 5))
    assert office.issue_of()["a9"] == "i-a1"
    assert office.decide(split_issue, "i-a1", ["a9"]) == "i-a9"
    office.receive(letter("a9", HEATING, 5))  # the export holds it again
    office.receive(letter("a10", HEATING, 6))
    issue = office.issue_of()
    assert (issue["a1"], issue["a9"]) == ("i-a1", "i-a9")
    assert issue["a10"] == "i-a1"  # it repeats the first


def test_the_latest_decision_wins(office):
    office.decide(split_issue, "i-a1", ["a2"])
    office.decide(merge_issues, "i-a1", ["i-a2"])
    office.receive(letter("a3", HEATING_TOO + "谢谢", 8))
    assert {office.issue_of()[name] for name in ("a1", "a2", "a3")} == {"i-a1"}
    assert office.decide(split_issue, "i-a1", ["a2"]) == "i-a2+"  # the first i-a2 leads to i-a1 for good
    office.receive(letter("a4", HEATING_TOO + "盼复", 9))
    issue = office.issue_of()
    assert issue["a1"] != issue["a2"]


def test_a_pinned_issue_lets_new_letters_in_and_no_registered_issue(tmp_path):
    office = Office(tmp_path)
    noise = "中央大街东侧夜市每晚摆摊到后半夜，音响声音很大，老人孩子睡不着，住户不敢开窗。"
    garbage = "中央大街东侧的烧烤摊收摊以后垃圾没人清扫，油烟把楼道熏黑了，污水流到门口。"
    office.receive(letter("n1", noise, 1), letter("g1", garbage, 2))
    office.decide(pin_issue, "i-g1")
    office.receive(
        letter("x9", noise + garbage, 3), letter("x8", garbage + noise, 3), letter("g2", garbage + "盼复", 4)
    )
    issue = office.issue_of()
    assert (issue["n1"], issue["g1"], issue["g2"]) == ("i-n1", "i-g1", "i-g1")
    office.decide(unpin_issue, "i-g1")
    office.receive(letter("x7", noise + garbage + "谢谢", 3))
    issue = office.issue_of()
    assert issue["n1"] == issue["g1"]


def test_pinned_submissions_belong_to_the_issue_for_good_wherever_they_were(office):
    office.receive(letter("a3", HEATING + "谢谢", 5))
    assert office.decide(pin_submissions, "i-m1", ["a3"]) == 1
    assert office.issue_of()["a3"] == "i-m1"
    office.receive(letter("a4", HEATING + HEATING_TOO, 8), letter("m2", MARKET_TOO, 8))
    issue = office.issue_of()
    assert (issue["a1"], issue["a3"], issue["m2"]) == ("i-a1", "i-m1", "i-m1")


def test_an_issue_whose_last_letter_is_pinned_elsewhere_leads_there(office):
    office.decide(pin_submissions, "i-a1", ["b1"])
    assert office.issues()["i-b1"] == ["并入", "i-a1"]


def test_pinning_to_an_issue_keeps_what_an_earlier_decision_tied(office):
    office.decide(merge_issues, "i-a1", ["i-m1"])
    office.decide(pin_submissions, "i-b1", ["m1"])
    office.decide(pin_submissions, "i-a1", ["b1"])  # b1 and m1 are tied, so b1 alone is moved, and the tie is a1's too
    office.receive(letter("m2", MARKET_TOO, 9))
    assert office.issue_of()["b1"] == "i-a1"


def test_unpinning_frees_what_was_merged_and_not_what_was_split(office):
    office.decide(merge_issues, "i-m1", ["i-b1"])
    office.decide(split_issue, "i-a1", ["a2"])
    office.decide(unpin_issue, "i-m1")
    office.receive(letter("b2", BUS + "盼复", 8), letter("a3", HEATING + HEATING_TOO, 9))
    issue = office.issue_of()
    assert issue["b1"] == issue["b2"] != issue["m1"]
    assert issue["a1"] != issue["a2"]


def test_closed_issues_are_reopened_by_a_clerk_or_by_a_new_letter(office):
    office.decide(close_issues, ["i-a1", "i-m1"], on=DAY)
    assert office.ask("SELECT issue_id, closed_at FROM issues WHERE status = '已办结' ORDER BY issue_id") == [
        ("i-a1", DAY),
        ("i-m1", DAY),
    ]
    office.receive(letter("a3", HEATING_TOO + "又停了", 9))
    office.decide(reopen_issues, ["i-m1"])
    assert [office.issues()[name][0] for name in ("i-a1", "i-m1", "i-b1")] == ["再次反映", "在办", "在办"]
    with pytest.raises(InputError, match="i-b1 没有办结"):
        office.decide(reopen_issues, ["i-b1"])


def test_every_decision_stands_in_the_history_with_name_and_reason(office):
    office.decide(merge_issues, "i-a1", ["i-m1"])
    office.decide(split_issue, "i-a1", ["m1"])
    office.decide(pin_issue, "i-a1")
    office.decide(pin_submissions, "i-a1", ["b1"])
    office.decide(unpin_issue, "i-a1")
    office.decide(close_issues, ["i-a1"], on=DAY)
    office.decide(reopen_issues, ["i-a1"])
    told = office.ask(
        "SELECT issue_id, event, other_issue, submissions FROM history WHERE \"by\" = '周敏' ORDER BY rowid"
    )
    assert told == [
        ("i-m1", "人工合并", "i-a1", 1),
        ("i-a1", "人工合并", "i-m1", 1),
        ("i-a1", "人工拆分", "i-m1+", 1),
        ("i-m1+", "人工拆分", "i-a1", 1),
        ("i-a1", "固定", None, 2),
        ("i-b1", "分出", "i-a1", 1),
        ("i-a1", "固定", None, 1),
        ("i-a1", "解除固定", None, 3),
        ("i-a1", "办结", None, 3),
        ("i-a1", "重开", None, 3),
    ]
    assert office.ask("SELECT DISTINCT reason FROM history WHERE \"by\" = '周敏'") == [("现场看过",)]


@pytest.mark.parametrize(
    ("decision", "args", "told"),
    [
        (merge_issues, ("i-a1", ["i-a3"]), "没有事项 i-a3。相近的有 i-a1、"),
        (merge_issues, ("i-a1", ["i-a1"]), "写了两次"),
        (split_issue, ("i-a1", ["a7"]), "没有编号 a7。相近的有 a"),
        (split_issue, ("i-a1", ["m1"]), "m1 不在事项 i-a1 里"),
        (split_issue, ("i-a1", ["a1", "a2"]), "等于没有拆"),
        (pin_issue, ("a1",), "fenban issues list"),
        (pin_submissions, ("i-a1", ["i-m1"]), "没有编号 i-m1"),
        (unpin_issue, ("i-x",), "没有事项 i-x"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_near_or_what_to_do_and_changes_nothing(office, decision, args, told):
    before = office.issue_of(), office.issues(), office.events()
    with pytest.raises(InputError, match=told) as caught:
        office.decide(decision, *args)
    assert "\n" not in str(caught.value)
    assert (office.issue_of(), office.issues(), office.events()) == before


def test_an_issue_that_was_merged_away_is_answered_with_where_to(office):
    office.decide(merge_issues, "i-a1", ["i-m1"])
    with pytest.raises(InputError, match="i-m1 已并入 i-a1。请改用 i-a1"):
        office.decide(close_issues, ["i-m1"], on=DAY)


def test_a_decision_that_fails_half_way_changes_nothing(office, monkeypatch):
    before = office.issue_of(), office.issues(), office.events()
    monkeypatch.setattr("pipeline.register.decisions._tell", lambda *args: 1 / 0)
    for decision, args in ((merge_issues, ("i-a1", ["i-m1"])), (split_issue, ("i-a1", ["a2"]))):
        with pytest.raises(ZeroDivisionError):
            office.decide(decision, *args)
    assert (office.issue_of(), office.issues(), office.events()) == before


def test_the_list_begins_with_the_newest_letter_and_leaves_out_what_was_merged_away(office):
    office.decide(merge_issues, "i-m1", ["i-b1"])
    with office.open() as register:
        found = list_issues(register, status=None, limit=10)
        assert found["issue_id"].tolist() == ["i-a1", "i-m1"]
        assert found["size"].tolist() == [2, 2]
        assert list_issues(register, status=None, limit=1)["issue_id"].tolist() == ["i-a1"]
        assert list_issues(register, status="并入", limit=9)["merged_into"].tolist() == ["i-m1"]
        with pytest.raises(InputError, match="可用的有 在办、已办结"):
            list_issues(register, status="结案", limit=1)


def test_an_issue_shows_its_letters_and_history_even_after_it_was_merged_away(office):
    office.decide(merge_issues, "i-m1", ["i-b1"])
    with office.open() as register:
        shown = issue_details(register, "i-m1")
        assert shown["submissions"]["submission_id"].tolist() == ["m1", "b1"]
        assert shown["submissions"]["tied"].all()
        gone = issue_details(register, "i-b1")
        assert (gone["status"], gone["merged_into"], len(gone["submissions"])) == ("并入", "i-m1", 0)
        assert issue_history(register, "i-b1")["event"].tolist() == ["新立", "人工合并", "人工合并"]
        assert len(issue_history(register, limit=2)) == 2


def test_a_file_that_is_not_there_is_not_begun_by_a_decision(tmp_path):
    office = Office(tmp_path)
    with pytest.raises(InputError, match="没有登记库"):
        office.decide(pin_issue, "i-1")
    assert not office.file.exists()


def test_a_register_of_another_format_is_refused(office):
    with office.open() as register:
        register.run("UPDATE meta SET format = 99")
    with pytest.raises(OutputError, match="format 99"):
        office.decide(pin_issue, "i-a1")


DECISIONS = st.lists(
    st.tuples(st.sampled_from(["merge", "split", "pin", "move"]), st.integers(0, 5), st.integers(0, 5))
)
NAMES = ["a1", "a2", "m1", "m2", "b1", "b2"]


@run_settings(max_examples=12, deadline=None)
@given(decisions=DECISIONS)
def test_whatever_clerks_decide_the_next_run_leaves_every_registered_letter_where_they_put_it(
    tmp_path_factory, decisions
):
    office = Office(tmp_path_factory.mktemp("office"))
    texts = [HEATING, HEATING_TOO, MARKET, MARKET_TOO, BUS, BUS + "盼复"]
    office.receive(*(letter(name, text, day) for day, (name, text) in enumerate(zip(NAMES, texts, strict=True))))
    decided = {}
    for what, left, right in decisions:
        issue = office.issue_of()
        one, other = issue[NAMES[left]], issue[NAMES[right]]
        if what == "merge" and one != other:
            office.decide(merge_issues, one, [other])
        elif what == "split" and len([name for name in issue if issue[name] == one]) > 1:
            office.decide(split_issue, one, [NAMES[left]])
        elif what == "move":
            office.decide(pin_submissions, other, [NAMES[left]])
        elif what == "pin":
            office.decide(pin_issue, one)
        decided = office.issue_of()
    for issue in set(decided.values()):
        office.decide(pin_issue, issue)
    office.receive(letter("x1", HEATING + MARKET + BUS, 8), letter("x2", HEATING_TOO + MARKET_TOO, 9))
    after = office.issue_of()
    assert {name: after[name] for name in decided} == decided
