"""What classification promises: calibrated probabilities, further topics, an answer for a text that says nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from pipeline.classify import (
    NO_FURTHER,
    UNTUNED,
    Further,
    LabelModel,
    Stack,
    Titles,
    Tuning,
    align,
    classify_labels,
    fit_bridge,
    fit_further,
    fit_linear,
    fit_stack,
    fit_titles,
    fit_tuning,
    lexicon_prior,
    no_titles,
    softmax,
)
from pipeline.errors import TableError
from pipeline.schema import CLASSIFIED
from pipeline.settings import ClassifySettings, VectorizeSettings
from pipeline.vectorize import Lexicon, Vectorizer, fit_vectorizer, lexicon_counts, lexicon_scores, titles_only

TOPICS = np.array(["environment", "heating_gas", "traffic"])
LABELS = np.array(["environment", "heating_gas", "other", "traffic"])
LEXICON = Lexicon(
    topics=TOPICS,
    words=np.array(["供暖", "噪音", "红绿灯"]),
    weights=np.array([[0, 3, 0], [3, 0, 0], [0, 0, 3]], dtype=np.float32),
)
SETTINGS = ClassifySettings()
# What training may have made of the lexicon: the lights say less than their author thought.
TUNING = Tuning(np.array(["红绿灯"]), np.array(["traffic"]), np.array([0.5], dtype=np.float32))
TRUTH = np.array(["heating_gas", "environment", "traffic"] * 4)


def segmented(*texts: str) -> pd.DataFrame:
    columns = {
        "submission_id": [f"s{row}" for row in range(len(texts))],
        "title_tokens": [[] for _ in texts],
        "text_tokens": [text.split() for text in texts],
    }
    return pd.DataFrame(columns, index=range(10, 10 + len(texts)))


ROWS = segmented(*["小区 供暖 不热", "烧烤 噪音 扰民", "路口 红绿灯 坏"] * 4)


@pytest.fixture(scope="module")
def vectorizer() -> Vectorizer:
    return fit_vectorizer(ROWS, settings=VectorizeSettings())


@pytest.fixture(scope="module")
def model(vectorizer) -> LabelModel:
    spoken = lexicon_scores(ROWS, LEXICON, settings=vectorizer.settings)
    weights, bias = fit_linear(vectorizer.transform(ROWS), TRUTH, LABELS, settings=SETTINGS)
    bridge = fit_bridge(spoken, TRUTH, LABELS, TOPICS)
    further = Further(weights=np.array([0.0, 1.0, 2.5]), threshold=0.5)
    return LabelModel(LABELS, weights, bias, no_titles(LABELS), TOPICS, bridge, Stack(3.0, 1.0, np.zeros(4)), further)


def classify_rows(rows, *, vectorizer, **options):
    return classify_labels(rows, vectorizer.transform(rows), vectorizer=vectorizer, **options)


def classify(model: LabelModel, vectorizer: Vectorizer, *texts: str) -> pd.DataFrame:
    return classify_rows(
        segmented(*texts), vectorizer=vectorizer, lexicon=LEXICON, models={"topic": model}, tuning=UNTUNED
    )


def test_a_row_gets_its_topic_and_at_most_three_labels_best_first(model, vectorizer):
    found = classify(model, vectorizer, "供暖 不热", "路口 红绿灯")
    assert list(found.columns) == CLASSIFIED.names
    assert list(found.index) == [10, 11]
    assert found["topic"].tolist() == ["heating_gas", "traffic"]
    for names, values, top in zip(
        found["topic_labels"], found["topic_probabilities"], found["topic_probability"], strict=True
    ):
        assert len(names) == len(values) == 3
        assert values == sorted(values, reverse=True)
        assert values[0] == top
        assert sum(values) <= 1 + 1e-9


def test_targets_that_were_not_learned_stay_empty(model, vectorizer):
    found = classify(model, vectorizer, "供暖 不热")
    assert found["kind_labels"].tolist() == [[]]
    assert found["department_probabilities"].tolist() == [[]]
    nothing = classify_rows(segmented("供暖 不热"), vectorizer=vectorizer, lexicon=LEXICON, models={}, tuning=UNTUNED)
    assert (nothing["topic"].tolist(), nothing["topic_probability"].tolist()) == ([""], [0.0])


def test_a_text_without_a_token_says_nothing(model, vectorizer):
    found = classify(model, vectorizer, "")
    assert found.iloc[0][["topic", "topic_probability"]].tolist() == ["other", 0.0]
    assert found["topic_labels"].tolist() == [[]]
    without = dataclasses.replace(model, labels=np.array(["环保", "供热", "其它", "交通"]))
    assert classify(without, vectorizer, "")["topic"].tolist() == [""]


def test_a_text_of_two_matters_gets_a_further_topic_and_other_is_never_one(model, vectorizer):
    found = classify(model, vectorizer, "小区 供暖 不热 烧烤 噪音 扰民", "小区 供暖 不热")
    assert {found["topic"].iloc[0], *found["other_topics"].iloc[0]} == {"environment", "heating_gas"}
    assert found["other_topics"].iloc[1] == []


def test_a_tuned_lexicon_says_less(model, vectorizer):
    rows = segmented("红绿灯 旁边")
    models = {"topic": model}
    sure, unsure = (
        classify_rows(rows, vectorizer=vectorizer, lexicon=LEXICON, models=models, tuning=tuning)["topic_probability"]
        for tuning in (UNTUNED, TUNING)
    )
    assert unsure.iloc[0] < sure.iloc[0]


@pytest.fixture(scope="module")
def hearing(model, vectorizer) -> LabelModel:
    """The model with a say of titles, as the shipped one has."""
    return dataclasses.replace(model, titles=Titles(model.weights, model.bias, 0.8))


def test_a_title_is_heard_when_a_row_is_classified(model, hearing, vectorizer):
    rows = segmented("红绿灯 堵车").assign(title_tokens=pd.Series([["供暖", "不热"]], index=[10], dtype="object"))
    heat = [
        dict(zip(found["topic_labels"].iloc[0], found["topic_probabilities"].iloc[0], strict=True)).get(
            "heating_gas", 0
        )
        for which in (model, hearing)
        for found in [
            classify_rows(rows, vectorizer=vectorizer, lexicon=LEXICON, models={"topic": which}, tuning=UNTUNED)
        ]
    ]
    assert heat[1] > heat[0]


def test_batches_of_one_give_the_same_as_all_at_once(hearing, vectorizer):
    model = hearing
    texts = ["供暖 不热", "", "烧烤 噪音", "路口 红绿灯 坏 供暖"]
    table = segmented(*texts)
    models = {"topic": model, "kind": model}
    whole = classify_rows(table, vectorizer=vectorizer, lexicon=LEXICON, models=models, tuning=TUNING)
    parts = [
        classify_rows(table.iloc[[row]], vectorizer=vectorizer, lexicon=LEXICON, models=models, tuning=TUNING)
        for row in range(len(table))
    ]
    pd.testing.assert_frame_equal(pd.concat(parts), whole, check_exact=True)


def test_no_rows_give_no_rows(model, vectorizer):
    assert len(classify(model, vectorizer)) == 0


def test_parts_give_the_same_model(hearing, vectorizer):
    model = hearing
    parts = model.to_parts()
    assert all(part.dtype.kind in "uifbU" for part in parts.values())
    again = LabelModel.from_parts(parts)
    texts = ("供暖 不热", "烧烤 噪音 供暖")
    pd.testing.assert_frame_equal(
        classify(again, vectorizer, *texts), classify(model, vectorizer, *texts), check_exact=True
    )


def test_another_lexicon_is_aligned_by_the_names_of_its_topics():
    other = Lexicon(
        topics=np.array(["traffic", "veterans"]), words=np.array([], dtype=str), weights=np.zeros((0, 2), np.float32)
    )
    spoken = np.array([[5, 1]], dtype=np.float32)
    assert align(spoken, other, TOPICS).tolist() == [[0, 0, 5]]


def test_the_lexicon_speaks_by_name_for_its_own_topics_and_its_silence_as_rows_do_where_it_is_silent():
    spoken = np.array([[0, 9, 0], [0, 0, 0]] * 10, dtype=np.float32)
    bridge = fit_bridge(spoken, np.array(["traffic", "other"] * 10), LABELS, TOPICS)
    prior = lexicon_prior(spoken[:2], bridge)
    assert LABELS[prior.argmax(axis=1)].tolist() == ["heating_gas", "other"]


def test_the_lexicon_speaks_by_counting_for_labels_of_ones_own():
    spoken = np.array([[9, 0, 0], [0, 9, 0]] * 10, dtype=np.float32)
    own = np.array(["环保处", "供热办"])
    bridge = fit_bridge(spoken, np.array(["环保处", "供热办"] * 10), own, TOPICS)
    np.testing.assert_allclose(bridge.sum(axis=1), 1, atol=1e-5)
    assert own[lexicon_prior(spoken[:2], bridge).argmax(axis=1)].tolist() == ["环保处", "供热办"]


def test_a_label_without_an_example_has_the_same_low_score_everywhere():
    vectors = sparse.csr_matrix(np.eye(3, dtype=np.float32))
    weights, bias = fit_linear(vectors, TRUTH[:3], LABELS, settings=SETTINGS)
    assert (weights[:, 2].tolist(), bias[2]) == ([0, 0, 0], -1)


def test_the_stack_makes_overconfident_scores_as_sure_as_they_are_right():
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 4, size=4_000)
    seen = np.where(generator.random(4_000) < 0.7, truth, generator.integers(0, 4, size=4_000))
    scores = (np.eye(4)[seen] * 20 - 1).astype(np.float32)
    stack = fit_stack(scores, np.zeros_like(scores), LABELS[truth], LABELS)
    sure = softmax(stack.logits(scores, np.zeros_like(scores))).max(axis=1).mean()
    assert sure == pytest.approx((seen == truth).mean(), abs=0.02)


def test_the_stack_leans_on_the_view_that_is_right():
    right = np.eye(4, dtype=np.float32)[np.arange(200) % 4]
    wrong = np.eye(4, dtype=np.float32)[np.arange(200) // 4 % 4]
    by_scores = fit_stack(right, wrong, LABELS[np.arange(200) % 4], LABELS)
    by_lexicon = fit_stack(wrong, right, LABELS[np.arange(200) % 4], LABELS)
    assert by_scores.linear > by_scores.lexicon
    assert by_lexicon.lexicon > by_lexicon.linear


def test_further_topics_need_examples_of_further_topics():
    assert fit_further(np.zeros((2, 4)), [[], []], LABELS) == NO_FURTHER


def test_further_topics_are_those_close_to_the_first():
    logits = np.array([[5.0, 4.5, 0, 0], [5, -3, 0, 0], [0, 0, 4, 3.8], [0, 0, 4, -2]] * 10)
    others = [["heating_gas"], [], ["traffic"], []] * 10
    further = fit_further(logits, others, LABELS)
    given = further.probabilities(logits) >= further.threshold
    assert given[:, 1].tolist() == [True, False, False, False] * 10


@given(st.lists(st.lists(st.floats(-500, 500), min_size=4, max_size=4), min_size=1, max_size=5))
def test_probabilities_sum_to_one(logits):
    values = softmax(np.array(logits))
    assert np.all((values >= 0) & (values <= 1))
    np.testing.assert_allclose(values.sum(axis=1), 1)


def test_a_missing_column_is_named(model, vectorizer):
    with pytest.raises(TableError, match="text_tokens"):
        classify_rows(
            segmented("停水").drop(columns="text_tokens"),
            vectorizer=vectorizer,
            lexicon=LEXICON,
            models={"topic": model},
            tuning=UNTUNED,
        )


# Titles


def titled(*rows: tuple[str, str]) -> pd.DataFrame:
    """Titles and texts whose tokens are parted by blanks."""
    columns = [[part.split() for part in column] for column in zip(*rows, strict=True)] if rows else [[], []]
    names = ("title_tokens", "text_tokens")
    table = {name: pd.Series(column, dtype="object") for name, column in zip(names, columns, strict=True)}
    return pd.DataFrame({"submission_id": [f"t{row}" for row in range(len(rows))], **table})


LAMPS = titled(
    *[(f"路灯 不亮 {n}", f"路口 红绿灯 堵车 路灯 {n}") for n in range(6)],
    *[(f"红绿灯 坏 {n}", f"路口 红绿灯 堵车 路灯 {n}") for n in range(6)],
)
LAMP_LABELS = np.array(["lamps", "traffic"])
LAMP_TRUTH = np.array(["lamps"] * 6 + ["traffic"] * 6)


@pytest.fixture(scope="module")
def titles():
    """A vectorizer and what titles alone say, learned where only the title tells the two labels apart."""
    vectorizer = fit_vectorizer(LAMPS, settings=VectorizeSettings())
    vectors = vectorizer.transform(titles_only(LAMPS))
    settings = dataclasses.replace(SETTINGS, title_say=0.8)
    return vectorizer, fit_titles(vectors, LAMP_TRUTH, LAMP_LABELS, settings=settings)


def test_a_title_speaks_for_its_label_whatever_the_text_says(titles):
    vectorizer, learned = titles
    scores = learned.scores(vectorizer.transform(titles_only(titled(("路灯 不亮", "红绿灯 红绿灯 堵车")))))
    assert scores[0, 0] > 0 > scores[0, 1]


def test_a_row_without_a_title_is_left_as_it_is(titles):
    vectorizer, learned = titles
    scores = learned.scores(vectorizer.transform(titles_only(titled(("", "路灯 不亮"), ("路灯 不亮", "")))))
    assert not scores[0].any()
    assert scores[1].any()


def test_an_unsure_title_says_less_than_a_sure_one(titles):
    vectorizer, learned = titles
    sure, unsure = learned.scores(vectorizer.transform(titles_only(titled(("路灯 不亮", ""), ("路灯 红绿灯", "")))))
    assert np.ptp(sure) > np.ptp(unsure)


def test_titles_have_no_say_unless_asked():
    assert SETTINGS.title_say == 0
    assert no_titles(LAMP_LABELS).scores(sparse.csr_matrix((3, 0))) == 0.0
    assert fit_titles(None, LAMP_TRUTH, LAMP_LABELS, settings=SETTINGS).say == 0


# The lexicon's weights


def tuned(*rows: tuple[str, str]) -> dict[tuple[str, str], float]:
    """Word and topic -> weight of the lexicon, learned from pairs of text and topic."""
    table = segmented(*(text for text, _ in rows))
    found = lexicon_counts(table, LEXICON, settings=VectorizeSettings())
    weights = fit_tuning(found, np.array([topic for _, topic in rows]), LEXICON, settings=SETTINGS).weights(LEXICON)
    return {(word, topic): weights[i, j] for i, word in enumerate(LEXICON.words) for j, topic in enumerate(TOPICS)}


def test_a_word_that_misleads_loses_weight_and_one_that_no_row_has_keeps_it():
    weights = tuned(*[("红绿灯 供暖", "heating_gas")] * 30)
    assert weights["红绿灯", "traffic"] < 1.5
    assert weights["供暖", "heating_gas"] > 3
    assert weights["噪音", "environment"] == pytest.approx(3, abs=0.01)


def test_tuning_never_gives_a_word_a_topic_that_its_author_did_not():
    assert tuned(*[("红绿灯", "heating_gas")] * 30)["红绿灯", "heating_gas"] == 0


def test_labels_that_the_lexicon_does_not_know_leave_it_as_it_is():
    assert tuned(("红绿灯", "交通处"), ("供暖", "供热处"))["红绿灯", "traffic"] == 3


def test_another_lexicon_keeps_its_own_weights_where_training_had_no_entry():
    found = lexicon_counts(segmented(*["红绿灯 供暖"] * 30), LEXICON, settings=VectorizeSettings())
    learned = fit_tuning(found, np.array(["heating_gas"] * 30), LEXICON, settings=SETTINGS)
    other = Lexicon(
        topics=np.array(["traffic", "veterans"]),
        words=np.array(["优抚", "红绿灯"]),
        weights=np.array([[0, 2], [3, 0]], dtype=np.float32),
    )
    weights = learned.weights(other)
    assert weights[0, 1] == 2
    assert weights[1, 0] < 3
    assert other.weights[1, 0] == 3, "the lexicon itself is untouched"


def test_a_lexicon_without_a_word_is_left_without_one():
    found = lexicon_counts(segmented("红绿灯"), LEXICON, settings=VectorizeSettings())
    learned = fit_tuning(found, np.array(["traffic"]), LEXICON, settings=SETTINGS)
    empty = Lexicon(topics=np.array([], dtype=str), words=np.array([], dtype=str), weights=np.zeros((0, 0), np.float32))
    assert learned.weights(empty).shape == (0, 0)
