"""Matching: what match_departments and fit_matcher promise about leads, bodies, reasons, urgency and decisions."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.directory import Department, Directory, Duty, Place, Topic
from pipeline.errors import BundleError, InputError, TableError
from pipeline.match import Matcher, fit_matcher, match_departments
from pipeline.match.matcher import NEVER, View, lowest_threshold
from pipeline.schema import LABELS, MATCHED
from pipeline.settings import MatchSettings

CITY, SETTINGS = "哈尔滨市", MatchSettings()


def duty(name, clause, topic, lead, level, words, co=(), urgency="normal"):
    return Duty(name, clause, topic, lead, tuple(co), level, urgency, 5, None, None, tuple(words))


DIRECTORY = Directory(
    topics=(
        Topic("traffic", "交通出行", "", ""),
        Topic("city_management", "城市管理", "", ""),
        Topic("heating_gas", "供热燃气", "", ""),
        Topic("agriculture", "农业农村", "", ""),
        Topic("housing", "住房物业", "", ""),
        Topic("other", "其他", "", ""),
    ),
    departments=(
        Department("哈尔滨市公安局交通警察支队", "交警", CITY, "city", ()),
        Department("哈尔滨市城市管理局", "城管局", CITY, "city", ()),
        Department("道里区城市管理局", "城管局", "道里区", "district", ("道里区城管局",)),
        Department("五常市城市管理局", "城管局", "五常市", "district", ()),
        Department("哈尔滨住房公积金管理中心", "公积金中心", CITY, "city", ()),
        Department("道里区属地供热企业", "供热燃气企业", "道里区", "district", ("道里热力公司",)),
        Department("道里区属地燃气企业", "供热燃气企业", "道里区", "district", ("道里天然气公司",)),
        Department("香坊区向阳镇人民政府", "街道乡镇", "向阳镇", "township", ()),
        Department("五常市向阳镇人民政府", "街道乡镇", "向阳镇", "township", ()),
    ),
    duties=(
        duty(
            "stall",
            "城管局负责治理占道经营和油烟",
            "city_management",
            "城管局",
            "district",
            ["占道经营", "油烟"],
            co=["交警"],
        ),
        duty("signal", "交警负责信号灯", "traffic", "交警", "city", ["红绿灯", "信号灯"]),
        duty("heat", "供热企业负责室温", "heating_gas", "供热燃气企业", "district", ["暖气", "室温"]),
        duty(
            "gas",
            "燃气企业处置泄漏",
            "heating_gas",
            "供热燃气企业",
            "district",
            ["燃气表", "燃气抢修"],
            urgency="urgent",
        ),
        duty("village", "乡镇管理村务", "agriculture", "街道乡镇", "township", ["村务公开", "村里账目"]),
        duty("fund", "公积金中心办理提取", "housing", "公积金中心", "city", ["公积金"]),
    ),
    places=(Place(CITY, "city", "", "", (), ()),),
)

# Wide open, so that a test sees what is decided and not what is withheld.
OPEN = View(np.array([1.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), np.array([0.5, 0.1]))


def row(text="", title="", *, topics=(), kinds=(), departments=(), place=(), place_words=(), column=""):
    """One submission with what the stages before have said of it."""
    return {
        "title": title,
        "text": text,
        "place": column,
        "topic": topics[0][0] if topics else "",
        "topic_probability": topics[0][1] if topics else 0.0,
        "topic_labels": [name for name, _ in topics],
        "topic_probabilities": [p for _, p in topics],
        "kind_labels": [name for name, _ in kinds],
        "kind_probabilities": [p for _, p in kinds],
        "department_labels": [name for name, _ in departments],
        "department_probabilities": [p for _, p in departments],
        "district": place[0] if place else None,
        "township": place[1] if len(place) > 1 else None,
        "spot": None,
        "place_words": list(place_words),
    }


def tables(rows):
    frame = pd.DataFrame(rows)
    frame["submission_id"] = [str(i) for i in range(len(rows))]
    for name in ("submitter", "channel", "source_file", "source_sheet"):
        frame[name] = ""
    frame["submitted_at"], frame["source_row"] = pd.NaT, 2
    for name in ("other_topics", "title_tokens", "text_tokens"):
        frame[name] = [[] for _ in rows]
    return frame


def matched(*rows, target="kind", directory=DIRECTORY, view=OPEN):
    frame = tables(rows)
    matcher = Matcher(target, view, view)
    return match_departments(frame, frame, frame, frame, directory=directory, matcher=matcher, settings=SETTINGS)


def routed(*args, target="kind", directory=DIRECTORY, view=OPEN, **kwargs):
    return matched(row(*args, **kwargs), target=target, directory=directory, view=view).iloc[0]


MARKET = {"topics": [("city_management", 0.9)], "kinds": [("城管局", 0.9), ("交警", 0.1)]}


def test_a_row_goes_to_the_body_of_its_kind_and_place_with_a_reason_to_check():
    result = routed(
        "道里区新阳路街道夜里占道经营，油烟呛人",
        **MARKET,
        place=("道里区", "新阳路街道"),
        place_words=["道里区", "新阳路街道"],
    )

    assert list(result.index) == MATCHED.names
    assert (result["department_kind"], result["department"]) == ("城管局", "道里区城市管理局")
    assert result["reason"] == (
        "依据职责“城管局负责治理占道经营和油烟”，文中“占道经营、油烟”，与学过的同类件一致，"
        "地点“道里区新阳路街道”，由道里区城市管理局承办。"
    )
    assert result["department_candidates"][0] == result["department"]
    assert result["co_departments"] == ["哈尔滨市公安局交通警察支队"], "which has no body below the city"
    assert (result["decision"], result["urgency"]) == ("auto", "normal")


def test_without_a_place_a_districts_duty_gives_the_kind_and_says_so():
    result = routed("夜里占道经营", **MARKET)

    assert result["department"] == "城管局"
    assert "文中未写明地点" in result["reason"]


def test_the_citys_body_needs_the_city_to_be_named():
    fund = {"topics": [("housing", 0.9)], "kinds": [("公积金中心", 0.9)]}

    assert routed("哈尔滨市公积金怎么提", **fund, place_words=["哈尔滨市"])["department"] == "哈尔滨住房公积金管理中心"
    assert routed("公积金怎么提", **fund)["department"] == "公积金中心"


def test_a_township_of_two_districts_gets_its_own_government():
    village = {"topics": [("agriculture", 0.9)], "kinds": [("街道乡镇", 0.9)]}
    words = {"place_words": ["五常市", "向阳镇"]}

    assert (
        routed("五常市向阳镇村务公开", **village, place=("五常市", "向阳镇"), **words)["department"]
        == "五常市向阳镇人民政府"
    )
    assert routed("五常市村务公开", **village, place=("五常市",), place_words=["五常市"])["department"] == "街道乡镇"


def test_two_bodies_of_one_kind_are_told_apart_by_the_words_or_not_at_all():
    gas = {"topics": [("heating_gas", 0.9)], "kinds": [("供热燃气企业", 0.9)]}
    here = {"place": ("道里区",), "place_words": ["道里区"]}

    assert routed("道里区燃气表坏了", **gas, **here)["department"] == "道里区属地燃气企业"
    assert routed("道里区暖气不热，供热单位不管", **gas, **here)["department"] == "道里区属地供热企业"
    assert routed("道里区室温太低", **gas, **here)["department"] == "道里区属地供热企业", "its clause speaks of 供热"
    assert routed("道里区这家公司服务差", **gas, **here)["department"] == "供热燃气企业"


def test_words_overrule_a_topic_that_is_unsure():
    result = routed("路口红绿灯坏了", topics=[("city_management", 0.4), ("traffic", 0.35)], target="topic")

    assert result["department_kind"] == "交警"


def test_a_blank_row_is_for_a_person():
    result = routed(" ", "", **MARKET)

    assert (result["department"], result["department_kind"], result["decision"]) == ("", "", "review")
    assert result["department_candidates"] == []
    assert "均为空" in result["reason"]


def test_nothing_that_fits_is_review_and_never_a_default_department():
    stranger = routed("请问几点下班", topics=[("something", 0.9)])
    assert (stranger["department"], stranger["decision"]) == ("", "review")
    assert stranger["department_probability"] == 0
    assert "没有相符的职责" in stranger["reason"]

    other = routed("谢谢", topics=[("other", 0.99)], kinds=[("城管局", 0.9)])
    assert other["decision"] == "review"
    assert "主题不明确" in other["reason"]


def test_without_a_directory_the_learned_kind_is_the_department():
    result = routed("夜里占道经营", **MARKET, directory=None)

    assert (result["department"], result["department_kind"]) == ("城管局", "城管局")
    assert result["department_candidates"] == ["城管局", "交警"]
    assert result["co_departments"] == []
    assert result["reason"] == "依据学过的同类件多由“城管局”承办，文中未写明地点，由城管局承办。"


def test_topics_of_the_users_own_are_decided_by_topic_without_any_department():
    sure = View(np.array([1.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.5]))
    own = matched(
        row("修路", topics=[("城乡建设", 0.97)]),
        row("修路", topics=[("城乡建设", 0.7)]),
        row("修路", topics=[("城乡建设", 0.3)]),
        target="topic",
        directory=None,
        view=sure,
    )

    assert own["decision"].tolist() == ["auto", "check", "review"]
    assert own["department"].tolist() == ["", "", ""]


def test_learned_departments_stay_labels_and_the_directory_adds_the_kind():
    labels = {"departments": [("道里区城管局", 0.8), ("客运集团", 0.2)], "topics": [("city_management", 0.9)]}
    result = routed("占道经营", **labels, target="department")

    assert (result["department"], result["department_kind"]) == ("道里区城管局", "城管局")
    assert result["department_candidates"] == ["道里区城管局", "客运集团"]

    stranger = routed("线路太少", departments=[("客运集团", 0.9), ("路政局", 0.1)], target="department")
    assert (stranger["department"], stranger["department_kind"]) == ("客运集团", "")
    assert "学过的同类件多由“客运集团”承办" in stranger["reason"]


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("楼道里有煤气味，请快来", "urgent"),
        ("有工友被困电梯", "urgent"),
        ("道里区燃气抢修一直没来", "urgent"),
        ("电线乱拉，一旦着火后果严重", "normal"),
        ("并没有触电", "normal"),
        ("没有人来管，楼下着火了", "urgent"),
        ("希望多做火灾演练", "normal"),
        ("燃气卡怎么办理", "normal"),
    ],
)
def test_urgent_is_danger_that_is_there(text, urgency):
    assert routed(text, topics=[("heating_gas", 0.9)], kinds=[("供热燃气企业", 0.9)])["urgency"] == urgency


def test_a_missing_column_is_named():
    frame = tables([row("占道经营", **MARKET)])
    with pytest.raises(TableError, match="kind_labels"):
        match_departments(
            frame,
            frame,
            frame.drop(columns="kind_labels"),
            frame,
            directory=None,
            matcher=Matcher("kind", OPEN, OPEN),
            settings=SETTINGS,
        )


PIECES = ["道里区", "占道经营", "油烟", "红绿灯", "公积金", "煤气味", "村务公开", "没有", "，", "的", "ａｂ"]
TOPICS = ["traffic", "city_management", "heating_gas", "other", "自定"]


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(PIECES), max_size=6),
            st.sampled_from(TOPICS),
            st.sampled_from(["城管局", "交警", "街道乡镇", "不认识的局"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["kind", "topic", "department"]),
    st.booleans(),
)
def test_whatever_comes_rows_stand_alone_and_reasons_quote_only_what_is_there(drawn, target, with_directory):
    rows = [
        row(
            "".join(pieces),
            topics=[(topic, 0.6)],
            kinds=[(kind, 0.7)] if target == "kind" else [],
            departments=[(kind, 0.7)] if target == "department" else [],
            place=("道里区",) if near and "道里区" in pieces else (),
            place_words=["道里区"] if near and "道里区" in pieces else [],
        )
        for pieces, topic, kind, near in drawn
    ]
    directory = DIRECTORY if with_directory else None
    together = matched(*rows, target=target, directory=directory)

    for i, (given_row, result) in enumerate(zip(rows, together.to_dict("records"), strict=True)):
        alone = matched(given_row, target=target, directory=directory).to_dict("records")[0]
        assert {**alone, "submission_id": str(i)} == result
        assert result["department_candidates"][:1] == ([result["department"]] if result["department"] else [])
        assert 0 <= result["department_probability"] <= 1
        assert result["reason"].endswith("。")
        assert result["reason"].count("。") == 1
        for quoted in re.findall(r"(?:文中|地点)“(.+?)”", result["reason"]):
            assert all(word in given_row["text"] for word in quoted.split("、"))


def labelled(n, *, right_share, seed=1):
    """Rows whose learned kind is right more often the surer it is."""
    random = np.random.default_rng(seed)
    rows, labels = [], []
    for _ in range(n):
        sure = float(random.uniform(0.4, 0.99))
        rows.append(
            row(
                "占道经营" if sure > 0.7 else "事情",
                topics=[("city_management", sure)],
                kinds=[("城管局", sure), ("交警", 1 - sure)],
            )
        )
        right = random.random() < min(1.0, right_share + (sure - 0.7))
        labels.append(["城管局", "住建局"] if right else ["司法局"])
    frame = tables(rows)
    truth = pd.DataFrame({name: [""] * n for name in LABELS.names}).assign(department_kind=labels)
    return frame, truth


def test_thresholds_keep_the_accuracy_asked_for_on_rows_not_seen():
    frame, truth = labelled(600, right_share=0.85)
    matcher = fit_matcher(frame, frame, truth, directory=DIRECTORY, settings=SETTINGS)
    fresh, fresh_truth = labelled(600, right_share=0.85, seed=2)
    result = match_departments(fresh, fresh, fresh, fresh, directory=DIRECTORY, matcher=matcher, settings=SETTINGS)
    right = np.array(
        [kind in kinds for kind, kinds in zip(result["department_kind"], fresh_truth["department_kind"], strict=True)]
    )
    auto = (result["decision"] == "auto").to_numpy()

    assert matcher.target == "kind"
    assert auto.mean() > 0.3
    assert right[auto].mean() > 0.93
    assert abs(result["department_probability"].mean() - right.mean()) < 0.05


def test_a_handful_of_rows_never_earns_auto():
    frame, truth = labelled(8, right_share=2.0)
    matcher = fit_matcher(frame, frame, truth, directory=DIRECTORY, settings=SETTINGS)

    assert matcher.informed.thresholds[0] == NEVER


def test_a_threshold_is_the_lowest_cut_that_is_surely_good_enough():
    probabilities = np.array([0.9] * 100 + [0.6] * 100 + [0.3] * 100)
    right = np.array([True] * 100 + [True] * 92 + [False] * 8 + [False] * 100)

    assert lowest_threshold(probabilities, right, 0.95, 0.8) == 0.9, "192 of 200 is 96 %, but not surely 95 %"
    assert lowest_threshold(probabilities, right, 0.95, 0.5) == 0.6
    assert lowest_threshold(probabilities, ~right, 0.95, 0.8) == NEVER
    assert lowest_threshold(np.array([]), np.array([], dtype=bool), 0.95, 0.8) == NEVER


def test_no_label_to_learn_from_is_an_error_that_says_what_to_add():
    frame, truth = labelled(5, right_share=0.5)
    with pytest.raises(InputError, match="No labelled row has a kind .* Add rows"):
        fit_matcher(frame, frame, truth.assign(department_kind=[[]] * 5), directory=None, settings=SETTINGS)


def test_a_matcher_survives_the_bundle_and_a_damaged_one_is_refused(tmp_path):
    frame, truth = labelled(60, right_share=0.85)
    matcher = fit_matcher(frame, frame, truth, directory=None, settings=SETTINGS)
    np.savez_compressed(tmp_path / "matcher.npz", **matcher.to_parts())
    with np.load(tmp_path / "matcher.npz", allow_pickle=False) as parts:
        again = Matcher.from_parts(dict(parts))

    assert again.target == matcher.target
    np.testing.assert_array_equal(again.plain.thresholds, matcher.plain.thresholds)
    with pytest.raises(BundleError, match="Train the model anew"):
        Matcher.from_parts({"target": np.array(["kind"])})
