"""Matching: what words weigh, and what fit_matcher promises about thresholds, calibration and the bundle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_match import DIRECTORY, SETTINGS, duty, row, tables

from pipeline.directory import Directory, Topic
from pipeline.errors import BundleError, InputError
from pipeline.match import Matcher, fit_matcher, match_departments
from pipeline.match.claims import find_claims
from pipeline.match.thresholds import NEVER, lowest_threshold, set_thresholds
from pipeline.match.weights import fit_weights
from pipeline.schema import LABELS

SCHOOLS = Directory(
    topics=(Topic("education", "教育", "", ""), Topic("traffic", "交通出行", "", "")),
    departments=(),
    duties=(
        duty("nursery", "教育局监管幼儿园", "education", "教育局", "district", ["幼儿园", "保育费"]),
        duty("jam", "交警疏导交通", "traffic", "交警", "district", ["堵车"]),
    ),
    places=(),
)


def test_a_bare_noun_says_little_unless_in_the_title_or_with_a_second_word():
    def share(text, title=""):
        frame = tables([row(text, title, topics=[("education", 0.5), ("traffic", 0.5)])])
        claims = find_claims([title], [text], frame, directory=SCHOOLS, settings=SETTINGS)
        return claims.share[claims.kind == claims.kinds.index("教育局")][0]

    assert share("幼儿园门口天天堵车") < 0.4
    assert share("门口天天堵车", "幼儿园") > 0.5
    assert share("幼儿园的保育费太高，门口还堵车") > 0.5


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


def fit(frame, truth, **kwargs):
    return fit_matcher(frame, frame, frame, frame, truth, **kwargs)


def test_thresholds_keep_the_accuracy_asked_for_on_rows_not_seen():
    frame, truth = labelled(600, right_share=0.85)
    matcher = fit(frame, truth, directory=DIRECTORY, settings=SETTINGS)
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
    matcher = fit(frame, truth, directory=DIRECTORY, settings=SETTINGS)

    assert matcher.informed.thresholds[0] == NEVER


def test_a_threshold_is_the_lowest_cut_that_is_surely_good_enough():
    probabilities = np.array([0.9] * 100 + [0.6] * 100 + [0.3] * 100)
    right = np.array([True] * 100 + [True] * 92 + [False] * 8 + [False] * 100)

    assert lowest_threshold(probabilities, right, 0.95, 0.8) == 0.9, "192 of 200 is 96 %, but not surely 95 %"
    assert lowest_threshold(probabilities, right, 0.95, 0.5) == 0.6
    assert lowest_threshold(probabilities, ~right, 0.95, 0.8) == NEVER
    assert lowest_threshold(np.array([]), np.array([], dtype=bool), 0.95, 0.8) == NEVER


def test_rows_decided_check_are_good_enough_by_themselves():
    probabilities = np.repeat([0.9, 0.6, 0.5], [300, 100, 100])
    right = np.concatenate([np.ones(300), np.arange(100) < 80, np.arange(100) < 40]).astype(bool)

    assert lowest_threshold(probabilities, right, SETTINGS.check_accuracy, SETTINGS.confidence) == 0.5, "420 of 500"
    assert set_thresholds(probabilities, right, SETTINGS).tolist() == [0.9, 0.6]
    assert set_thresholds(probabilities[:300], right[:300], SETTINGS).tolist() == [0.9, NEVER], "no row is left"


def test_no_label_to_learn_from_is_an_error_that_says_what_to_add():
    frame, truth = labelled(5, right_share=0.5)
    with pytest.raises(InputError, match="No labelled row has a kind .* Add rows"):
        fit(frame, truth.assign(department_kind=[[]] * 5), directory=None, settings=SETTINGS)


def test_a_matcher_survives_the_bundle_and_a_damaged_one_is_refused(tmp_path):
    frame, truth = labelled(60, right_share=0.85)
    matcher = fit(frame, truth, directory=None, settings=SETTINGS)
    np.savez_compressed(tmp_path / "matcher.npz", **matcher.to_parts())
    with np.load(tmp_path / "matcher.npz", allow_pickle=False) as parts:
        again = Matcher.from_parts(dict(parts))

    assert again.target == matcher.target
    np.testing.assert_array_equal(again.plain.thresholds, matcher.plain.thresholds)
    with pytest.raises(BundleError, match="Train the model anew"):
        Matcher.from_parts({"target": np.array(["kind"])})


def test_a_reason_that_tells_who_is_right_gets_more_weight_and_one_that_misleads_none():
    random = np.random.default_rng(1)
    rows = np.repeat(np.arange(200), 2)
    right = np.tile([True, False], 200)
    telling = right + random.normal(0, 0.5, 400)
    misleading = ~right + random.normal(0, 0.5, 400)
    nothing = np.full(400, -4.6) + random.normal(0, 1e-15, 400)
    weights = fit_weights(np.column_stack([telling, misleading, nothing]), rows, right, np.array([0.5, 0.5, 0.7]))

    assert weights[0] > 2
    assert weights[1] == 0, "a reason never speaks against a candidate"
    assert weights[2] == pytest.approx(0.7), "what no row has keeps its usual weight"


def test_few_rows_change_the_usual_weights_little():
    features = np.array([[1.0], [0.0], [0.0], [1.0]])
    weights = fit_weights(features, np.array([0, 0, 1, 1]), np.array([True, False, True, False]), np.array([0.5]))

    assert 0.2 < weights[0] < 0.6
