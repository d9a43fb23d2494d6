"""Scores: numbers that a reader can work out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluate import calibration_error, score_issues, score_labels, score_leads


def arrays(truth, guess):
    return np.array(truth), np.array(guess)


def test_accuracy_and_macro_f1_of_a_small_case():
    truth, guess = arrays(["供热", "供热", "供热", "路灯"], ["供热", "供热", "路灯", "路灯"])
    scores = score_labels(truth, guess, np.array([0.9, 0.8, 0.6, 0.7]))
    assert scores["rows"] == 4
    assert scores["labels"] == 2
    assert scores["accuracy"] == 0.75
    # 供热: precision 1, recall 2/3; 路灯: precision 1/2, recall 1
    assert scores["per_label"]["供热"] == {"rows": 3, "precision": 1.0, "recall": pytest.approx(2 / 3), "f1": 0.8}
    assert scores["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)


def test_a_label_that_was_only_guessed_does_not_count_in_macro_f1():
    truth, guess = arrays(["供热", "供热"], ["供热", "路灯"])
    assert set(score_labels(truth, guess, np.array([1.0, 1.0]))["per_label"]) == {"供热"}


def test_the_interval_holds_the_accuracy_and_narrows_with_rows():
    def width(rows):
        truth, guess = arrays(["甲"] * rows, ["甲", "乙"] * (rows // 2))
        low, high = score_labels(truth, guess, np.ones(rows))["accuracy_interval"]
        assert low < 0.5 < high
        return high - low

    assert width(400) < width(40)


def test_the_same_rows_give_the_same_scores():
    truth, guess = arrays(["甲", "乙"] * 10, ["甲"] * 20)
    assert score_labels(truth, guess, np.full(20, 0.5)) == score_labels(truth, guess, np.full(20, 0.5))


@pytest.mark.parametrize(
    ("probability", "right", "error"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.5, 0.5], [True, False], 0.0),
        ([0.0, 1.0], [True, True], 0.5),
        ([], [], 0.0),
    ],
)
def test_calibration_error_is_the_gap_between_sureness_and_success(probability, right, error):
    assert calibration_error(np.array(probability), np.array(right, dtype=bool)) == pytest.approx(error)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_calibration_error_is_between_0_and_1_and_no_less_than_the_mean_gap(pairs):
    probability, right = np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])
    error = calibration_error(probability, right)
    assert -1e-9 <= error <= 1 + 1e-9
    assert error >= abs(probability.mean() - right.mean()) - 1e-9


def leads(target_labels, classified_topic, kinds, bodies, decisions):
    labels = pd.DataFrame(target_labels)
    classified = pd.DataFrame({"topic": classified_topic})
    matched = pd.DataFrame({"department_kind": kinds, "department": bodies, "decision": decisions})
    return labels, classified, matched


CASE = leads(
    {
        "topic": ["heating_gas", "traffic", "", "traffic"],
        "department": ["热力公司", "", "路灯所", "交警"],
        "department_kind": [["供热燃气企业", "住建局"], ["交警"], [], ["交警"]],
    },
    ["heating_gas", "heating_gas", "traffic", "traffic"],
    ["住建局", "供水企业", "城管局", "交警"],
    ["热力公司", "供水集团", "路灯所", "城管局"],
    ["auto", "auto", "check", "review"],
)


@pytest.mark.parametrize(
    ("target", "rows", "accuracy", "auto_coverage", "auto_accuracy"),
    [
        ("topic", 3, 2 / 3, 2 / 3, 0.5),
        ("department", 3, 2 / 3, 1 / 3, 1.0),
        ("kind", 3, 2 / 3, 2 / 3, 0.5),  # either of two acceptable kinds is right
    ],
)
def test_leads_are_scored_over_the_rows_that_have_the_label(target, rows, accuracy, auto_coverage, auto_accuracy):
    scores = score_leads(*CASE, target=target)
    assert scores["rows"] == rows
    assert scores["accuracy"] == pytest.approx(accuracy)
    assert scores["auto_coverage"] == pytest.approx(auto_coverage)
    assert scores["auto_accuracy"] == pytest.approx(auto_accuracy)


def test_issues_that_were_joined_wrongly_lose_precision_and_split_ones_recall():
    joined = score_issues(["a", "a", "b", "b"], ["x", "x", "x", "x"])
    assert (joined["bcubed_precision"], joined["bcubed_recall"]) == (0.5, 1.0)
    assert (joined["pair_precision"], joined["pair_recall"]) == (pytest.approx(2 / 6), 1.0)
    split = score_issues(["a", "a", "b", "b"], ["1", "2", "3", "4"])
    assert (split["bcubed_precision"], split["bcubed_recall"]) == (1.0, 0.5)
    assert (split["pair_precision"], split["pair_recall"]) == (1.0, 0.0)


GROUPINGS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), min_size=1, max_size=25)


@settings(max_examples=40)
@given(GROUPINGS)
def test_bcubed_is_the_mean_over_rows_of_what_the_definition_says(pairs):
    truth, guess = [t for t, _ in pairs], [g for _, g in pairs]
    shared = [sum(t == u and g == h for u, h in pairs) for t, g in pairs]
    precision = np.mean([s / guess.count(g) for s, g in zip(shared, guess, strict=True)])
    recall = np.mean([s / truth.count(t) for s, t in zip(shared, truth, strict=True)])
    scores = score_issues(truth, guess)
    assert scores["bcubed_precision"] == pytest.approx(precision)
    assert scores["bcubed_recall"] == pytest.approx(recall)


@settings(max_examples=40)
@given(GROUPINGS)
def test_the_names_of_groups_do_not_matter_and_the_truth_scores_1(pairs):
    truth = [t for t, _ in pairs]
    assert set(score_issues(truth, [f"issue {t}" for t in truth]).values()) == {1.0}
