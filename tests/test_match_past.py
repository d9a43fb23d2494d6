"""Matching by what was before: like past matters, clauses that read alike, and bodies that sent matters back."""

from __future__ import annotations

import numpy as np
import pytest
from test_match import DIRECTORY, MARKET, OPEN, matched, routed, row

from pipeline.match.naming import Naming
from pipeline.match.ranking import View
from pipeline.match.thresholds import NEVER
from pipeline.match.weights import usual_weights
from pipeline.phrases import Phrases

# As a training with few rows leaves it.
USUAL = View(usual_weights("kind"), OPEN.calibration, OPEN.thresholds)
HERE = {"place": ("道里区",), "place_words": ["道里区"]}
TWO = {"kinds": [("城管局", 0.6), ("交警", 0.4)], "topics": [("city_management", 0.9)]}


def past(*matters):
    """Columns of RECALLED: (id, lead, co-handlers, likeness)."""
    names = ("past_ids", "past_leads", "past_partners", "past_likeness")
    return dict(zip(names, map(list, zip(*matters, strict=True)), strict=True))


def sent_back(*matters):
    """Columns of RECALLED: (id, bodies, likeness)."""
    names = ("returned_ids", "returned_bodies", "returned_likeness")
    return dict(zip(names, map(list, zip(*matters, strict=True)), strict=True))


def test_like_matters_that_one_department_handled_are_named_in_the_reason():
    result = routed("夜里太吵", **MARKET, **HERE, **past(*[(f"b{i}", "城管局", "", 0.5) for i in range(4)]))
    assert "，类似件 4 件（b0、b1、b2等）均由城管局承办，" in f"，{result['reason']}"

    mixed = past(("b0", "城管局", "", 0.6), ("b1", "城管局", "", 0.5), ("b2", "交警", "", 0.4))
    assert "类似件 3 件中 2 件（b0、b1）由城管局承办" in routed("夜里太吵", **MARKET, **HERE, **mixed)["reason"]


def test_matters_hardly_like_it_or_made_up_or_of_others_are_not_named():
    for told in (past(("b0", "城管局", "", 0.2)), past(("", "城管局", "", 0.9)), past(("b0", "交警", "", 0.5))):
        assert "类似件" not in routed("夜里太吵", **MARKET, **HERE, **told)["reason"]


def test_past_matters_outweigh_a_slight_preference_of_the_model_and_bring_in_who_handled_them():
    unsure = {"kinds": [("城管局", 0.5), ("交警", 0.4)], "topics": [("city_management", 0.9)]}
    handled = past(*[(f"b{i}", "公积金中心", "", 0.9) for i in range(5)])

    assert routed("说不清的事", **unsure, **HERE)["department_kind"] == "城管局"
    of_police = past(*[(f"b{i}", "交警", "", 0.9) for i in range(5)])
    result = routed("说不清的事", **unsure, **HERE, **of_police, view=USUAL)
    assert result["department_kind"] == "交警"
    assert "哈尔滨住房公积金管理中心" in routed("说不清的事", **unsure, **HERE, **handled)["department_candidates"]


def test_who_helped_in_most_like_matters_helps_again():
    two = past(("b0", "城管局", "交警;公积金中心", 0.6), ("b1", "城管局", "交警", 0.5))
    assert routed("夜里太吵", **MARKET, **HERE, **two)["co_departments"] == ["哈尔滨市公安局交通警察支队"]
    assert routed("夜里太吵", **MARKET, **HERE, **past(("b0", "城管局", "交警", 0.9)))["co_departments"] == [], "once"


def test_a_clause_that_reads_alike_is_quoted_where_none_of_its_words_was_found():
    result = routed("一到晚上就摆到路中间", **MARKET, **HERE, clauses=[0], clause_likeness=[0.4])
    assert result["reason"].startswith("说的事与职责“城管局负责治理占道经营和油烟”相近，")
    assert result["co_departments"] == [], "none of its words was found, so it does not say who helps"

    far = routed("一到晚上就摆到路中间", **MARKET, **HERE, clauses=[0], clause_likeness=[0.1])
    assert "相近" not in far["reason"]


def test_the_clause_that_reads_most_alike_tells_two_bodies_of_one_kind_apart():
    gas = {"topics": [("heating_gas", 0.9)], "kinds": [("供热燃气企业", 0.9)], **HERE}
    assert routed("换了俩阀门还不行", **gas)["department"] == "供热燃气企业"
    told = routed("换了俩阀门还不行", **gas, clauses=[2, 3], clause_likeness=[0.06, 0.05])
    assert told["department"] == "道里区属地供热企业", "供热企业负责室温"
    assert "相近" not in told["reason"], "too little alike to be quoted"


def test_a_body_that_sent_the_row_back_is_no_candidate_any_more():
    result = routed("夜里占道经营", **TWO, **HERE, returned_by=["道里区城管局"])

    assert result["department"] == "哈尔滨市公安局交通警察支队"
    assert "道里区城市管理局" not in result["department_candidates"]
    assert "，本件已被道里区城管局退回，" in result["reason"]
    assert result["decision"] != "auto"


def test_whoever_sent_the_row_back_a_person_looks_at_it():
    result = routed("夜里占道经营", **MARKET, **HERE, returned_by=["错别字局"])
    assert result["department"] == "道里区城市管理局"
    assert "，本件已被错别字局退回，" in result["reason"]
    assert result["decision"] == "check"


def test_a_body_that_sent_a_like_matter_back_ranks_lower_and_a_person_looks():
    surely = {"kinds": [("城管局", 0.8), ("交警", 0.2)], "topics": [("city_management", 0.9)]}
    assert routed("夜里太吵", **surely, **HERE)["department"] == "道里区城市管理局"

    like = sent_back(("r1", ("道里区城市管理局",), 0.9))
    result = routed("夜里太吵", **surely, **HERE, **like, view=USUAL)
    assert result["department"] == "哈尔滨市公安局交通警察支队"
    assert "，类似件 r1 曾被道里区城市管理局退回，" in result["reason"]
    assert result["decision"] != "auto"


def test_what_would_be_sure_but_was_sent_back_is_to_be_checked_though_nothing_else_ever_is():
    never_check = View(OPEN.ranking, OPEN.calibration, np.array([0.5, NEVER]))
    like = sent_back(("r1", ("道里区城市管理局",), 0.4))
    result = routed("夜里占道经营", **MARKET, **HERE, **like, view=never_check)
    assert (result["department"], result["decision"]) == ("道里区城市管理局", "check")
    assert "把握不足" not in result["reason"]


def test_a_row_that_is_known_as_sent_back_itself_is_not_told_as_its_own_like():
    result = routed("夜里占道经营", **TWO, **HERE, **sent_back(("0", ("道里区城市管理局",), 0.9)))
    assert "，本件已被道里区城市管理局退回，" in result["reason"], "0 is its own id"


def test_only_the_body_that_sent_it_back_is_meant():
    elsewhere = sent_back(("r1", ("五常市城市管理局",), 0.9))
    result = routed("夜里占道经营", **TWO, **HERE, **elsewhere)
    assert (result["department"], result["decision"]) == ("道里区城市管理局", "auto")
    assert "退回" not in result["reason"]

    by_kind = routed("夜里占道经营", **TWO, **HERE, returned_by=["区城管局"])
    assert by_kind["department_kind"] == "交警", "a body that the directory does not know is any of its kind"


def test_with_every_candidate_sent_back_a_person_decides():
    only = {"kinds": [("城管局", 1.0)], "topics": [("city_management", 0.9)]}
    result = routed("夜里占道经营", **only, **HERE, returned_by=["道里区城市管理局", "交警"])
    assert result["department"] != "道里区城市管理局"
    assert result["decision"] == "review" or result["department"] == ""


def test_returned_departments_of_ones_own_need_no_directory():
    own = {"departments": [("客运集团", 0.7), ("路政局", 0.3)]}
    result = routed("线路太少", **own, target="department", directory=None, returned_by=["客运集团"])
    assert (result["department"], result["department_candidates"]) == ("路政局", ["路政局"])


def test_a_learned_department_is_known_by_all_its_names_when_it_sends_a_matter_back():
    own = {"departments": [("道里区城管局", 0.7), ("交警支队", 0.3)]}
    result = routed("夜里太吵", **own, target="department", returned_by=["道里区城市管理局"])
    assert result["department_candidates"] == ["交警支队"]


def test_who_sent_back_many_matters_is_looked_up_once(monkeypatch):
    looked_up, find = [], Phrases.find
    monkeypatch.setattr(Phrases, "find", lambda self, texts: looked_up.append(list(texts)) or find(self, texts))
    told = sent_back(*((f"r{i}", ("某区城管局",), 0.9) for i in range(3)))
    matched(*[row("夜里太吵", **TWO, **HERE, **told, returned_by=["某区城管局"])] * 5)
    assert looked_up.count(["某区城管局"]) == 1


def test_rows_beside_a_returned_one_are_as_they_were():
    given = row("夜里占道经营", **TWO, **HERE)
    both = matched(given, row("夜里占道经营", **TWO, **HERE, returned_by=["道里区城市管理局"]))
    assert both.iloc[0].drop("submission_id").to_dict() == matched(given).iloc[0].drop("submission_id").to_dict()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("找过医保局，没人管", ["市医保局"]),
        ("医保不给报", ["市医保局"]),
        ("公交晚点", ["公交集团公司"]),
        ("丰台区说不归他们", ["丰台区"]),
        ("没人管", []),
    ],
)
def test_departments_of_ones_own_are_known_by_what_people_call_them(text, named):
    labels = ["市医保局", "公交集团公司", "丰台区", "市公安局"]
    naming = Naming.of_labels(labels)
    counts = naming.count([text], np.zeros(len(labels), dtype=np.int64), np.arange(len(labels)), labels)
    assert [label for label, count in zip(labels, counts, strict=True) if count] == named


def test_a_kind_is_known_by_the_names_of_its_bodies():
    naming = Naming.of_kinds(DIRECTORY)
    count = naming.count(
        ["城管局和道里热力公司都不管，城管局推给热力"],
        np.zeros(3, dtype=np.int64),
        np.arange(3),
        ["城管局", "供热燃气企业", "交警"],
    )
    assert (count > 0).tolist() == [True, True, False]
    assert count[0] > 0
    assert OPEN.ranking[4] > 0, "and being named counts"
