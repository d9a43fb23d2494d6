"""The pair scorer: weights that keep their signs, few marks that teach nothing, large issues that stay one."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from scorers import NO_PAIRS, SCORER
from test_cluster import grouped, issues_of, repeats_of, submissions

from pipeline.cluster.fitting import MarkedPairs, fit_pair_scorer, issue_folds
from pipeline.cluster.scorer import FEATURES, PRIOR, PRIOR_BIAS, PairScorer
from pipeline.settings import ClusterSettings

NONE = np.zeros(0, dtype=np.int64)
PLANT = [
    "夜里轰鸣",
    "粉尘呛人",
    "窗户不敢开",
    "孩子咳嗽",
    "罐车堵路",
    "环评没公示",
    "污水乱排",
    "早上五点开工",
    "绿化带全是灰",
]


def pairs_of(n: int, seed: int) -> MarkedPairs:
    """Pairs whose titles' troubles speak against one issue, as contrived near misses make them."""
    rng = np.random.default_rng(seed)
    same = rng.random(n) < 0.3
    features = rng.random((n, len(FEATURES)))
    features[:, FEATURES.index("title's trouble")] = np.where(same, 0.1, 0.9) + rng.normal(0, 0.2, n)
    features[:, FEATURES.index("names shared")] = np.where(same, 3.0, 0.5) + rng.normal(0, 1.0, n)
    return MarkedPairs(features, same, np.zeros((n, 2), dtype=np.int64))


def test_without_marked_issues_the_usual_weights_stand():
    scorer = fit_pair_scorer(NO_PAIRS, everyday=NONE)
    assert scorer.weights.tolist() == list(PRIOR.values())
    assert scorer.bias == PRIOR_BIAS


def test_a_reason_for_one_issue_never_becomes_one_against_it():
    weights = dict(zip(FEATURES, fit_pair_scorer(pairs_of(4_000, 1), everyday=NONE).weights, strict=True))
    assert weights["title's trouble"] == 0.0
    assert weights["names shared"] > PRIOR["names shared"]
    for name, prior in PRIOR.items():
        assert weights[name] * prior >= 0.0, name


def test_two_marked_pairs_move_the_bias_little():
    few = pairs_of(4_000, 2)
    chosen = np.r_[np.flatnonzero(few.same)[:1], np.flatnonzero(~few.same)[:1]]
    two = MarkedPairs(few.features[chosen], few.same[chosen], few.rows[chosen])
    assert fit_pair_scorer(two, everyday=NONE).bias == pytest.approx(PRIOR_BIAS, abs=1.0)


def test_a_scorer_is_read_back_as_it_was_written_and_other_reasons_are_refused():
    again = PairScorer.from_parts(SCORER.to_parts())
    assert (again.weights.tolist(), again.bias) == (SCORER.weights.tolist(), SCORER.bias)
    with pytest.raises(ValueError, match="other features"):
        PairScorer.from_parts(SCORER.to_parts() | {"features": np.array(["words"])})


def test_rows_of_one_issue_are_in_one_fold_and_unmarked_rows_in_none():
    folds = issue_folds(np.array(["a", "", None, "a", "b", "", "b"], dtype=object))
    assert folds[2] == -1
    assert folds[0] == folds[3]
    assert folds[4] == folds[6]
    assert set(np.delete(folds, 2)) <= set(range(5))


def test_four_hundred_reports_of_one_plant_stay_one_issue():
    chance = random.Random(1)
    titles = ["丽景新城旁搅拌站", "投诉丽景新城搅拌站", "丽景新城附近建搅拌站"]
    letters = [
        (
            chance.choice(titles) + chance.choice(PLANT),
            f"丽景新城旁边的搅拌站{'，'.join(chance.sample(PLANT, 4))}，第{i}户。",
        )
        for i in range(400)
    ]
    sizes = pd.Series(issues_of(grouped(submissions(*letters)))).value_counts()
    assert sizes.iloc[0] >= 0.95 * 400


@pytest.mark.parametrize(("one", "other"), [("十三号线", "十四号线"), ("二十三号线", "十三号线"), ("3号线", "4号线")])
def test_the_same_letter_about_two_lines_repeats_nothing(one, other):
    text = "{}早高峰进站要排二十分钟的队，安检口只开一个，赶时间的人急得不行，请多开几个安检口，再加几趟车。"
    found = grouped(submissions(*((f"{line}进站排队太久", text.format(line)) for line in (one, other))))
    assert repeats_of(found) == [None, None]


def test_short_wordings_that_count_houses_in_characters_are_two_matters():
    text = "{}楼的声控灯坏了一个多月，晚上上楼看不见台阶，老人摔了一跤，请物业来修一修。"
    found = grouped(submissions(*(("楼道灯坏了", text.format(house)) for house in ("三号", "五号"))))
    assert repeats_of(found) == [None, None]


def test_how_many_pairs_are_scored_at_a_time_changes_nothing():
    chance = random.Random(2)
    letters = [(f"丽景新城搅拌站{chance.choice(PLANT)}", "，".join(chance.sample(PLANT, 5))) for _ in range(60)]
    rows = submissions(*letters)
    links = [grouped(rows, settings=ClusterSettings(pairs_at_once=size)).links for size in (1, 7, 6_000)]
    for other in links[1:]:
        pd.testing.assert_frame_equal(links[0], other, check_exact=True)
