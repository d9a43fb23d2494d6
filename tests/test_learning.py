"""What learning promises: nothing that a row is scored by has seen that row, its issue, or a text like it."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.classify import classify_labels
from pipeline.errors import InputError, TableError
from pipeline.learning import (
    Learned,
    learn_labels,
    stratified_folds,
    text_groups,
    training_rows,
    unheard_words,
)
from pipeline.schema import CLASSIFIED, LABELLED, empty_table
from pipeline.settings import Settings
from pipeline.vectorize import Lexicon, lexicon_scores, load_lexicon

SETTINGS = Settings()
PLACES = ["道里区 爱建", "南岗区 哈西", "松北区 世茂", "香坊区 通乡", "平房区 友协", "呼兰区 利民"]
WORDS = {
    "heating_gas": ["供暖", "暖气片", "换热站", "开栓", "室温", "冰凉", "供热公司", "不热"],
    "traffic": ["红绿灯", "堵车", "公交车站", "坑洼", "修路", "路口", "停车", "绕行"],
    "environment": ["黑烟", "刺鼻", "噪音", "施工", "发黑", "排污口", "工厂", "气味"],
}
MATTERS = {topic: [" ".join(three) for three in combinations(words, 3)][::6] for topic, words in WORDS.items()}
KINDS = {"heating_gas": "供热燃气企业", "traffic": "交通运输局", "environment": "生态环境局"}


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """LABELLED from a few columns; what is not given is empty."""
    blank = {name: [] for name in ("other_topics", "department_kind", "co_kinds", "returned_by", "tokens")}
    texts = {name: "" for name in LABELLED.names if name not in blank} | {"learn_only": False}
    filled = [{**texts, **blank, "submission_id": f"s{row}", **given} for row, given in enumerate(rows)]
    return pd.DataFrame(filled, columns=LABELLED.names) if rows else empty_table(LABELLED)


def cut(labelled: pd.DataFrame) -> pd.DataFrame:
    """SEGMENTED from texts whose tokens are parted by blanks."""
    return pd.DataFrame(
        {
            "submission_id": labelled["submission_id"],
            "title_tokens": pd.Series([title.split() for title in labelled["title"]], dtype="object"),
            "text_tokens": pd.Series([text.split() for text in labelled["text"]], dtype="object"),
        }
    )


CORPUS = table(
    [
        {
            "text": f"{PLACES[number % 6]} {matter} 希望 领导 解决 {number}",
            "topic": topic,
            "department_kind": [KINDS[topic], "其他"],
            "other_topics": ["environment"] if "修路" in matter else [],
        }
        for topic, matters in MATTERS.items()
        for number, matter in enumerate(matters)
    ]
    + [{"text": "某地 请问 你们 几点 上班", "topic": "other"}]
)


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory) -> Lexicon:
    path: Path = tmp_path_factory.mktemp("lexicon") / "lexicon.csv"
    words = [
        "供暖,heating_gas,3",
        "暖气片,heating_gas,3",
        "红绿灯,traffic,3",
        "公交车站,traffic,2",
        "噪音,environment,2",
    ]
    path.write_text("\n".join(["word,topic,weight", *words]), encoding="utf-8")
    return load_lexicon(path)


@pytest.fixture(scope="module")
def learned(lexicon) -> Learned:
    return learn_labels(cut(CORPUS), CORPUS, lexicon=lexicon, settings=SETTINGS)


def test_every_target_with_labels_is_learned_and_scored(learned):
    assert set(learned.models) == {"topic", "kind"}
    assert learned.scores["topic"]["rows"] == len(CORPUS)
    assert learned.scores["topic"]["accuracy"] > 0.8
    assert 0 <= learned.scores["kind"]["calibration_error"] <= 1


def test_of_several_acceptable_kinds_the_first_is_learned(learned):
    assert set(learned.models["kind"].labels) == set(KINDS.values())


def test_a_label_with_one_example_is_kept(learned, lexicon):
    assert "other" in learned.models["topic"].labels
    rows = cut(table([{"text": "某地 请问 你们 几点 上班"}, {"text": "道里区 堵车 路口"}]))
    model = learned.models["topic"]
    spoken = lexicon_scores(rows, lexicon, settings=SETTINGS.vectorize)
    logits = model.logits(learned.vectorizer.transform(rows), None, spoken, lexicon)
    logits = logits[:, list(model.labels).index("other")]
    assert logits[0] > logits[1]


def test_the_out_of_fold_table_has_the_rows_that_have_a_text(learned):
    assert list(learned.out_of_fold.columns) == CLASSIFIED.names
    assert learned.out_of_fold["submission_id"].tolist() == CORPUS["submission_id"].tolist()


def test_learning_twice_gives_the_same(learned, lexicon):
    again = learn_labels(cut(CORPUS), CORPUS, lexicon=lexicon, settings=SETTINGS)
    pd.testing.assert_frame_equal(again.out_of_fold, learned.out_of_fold)
    for target, model in learned.models.items():
        for name, part in model.to_parts().items():
            np.testing.assert_array_equal(again.models[target].to_parts()[name], part)


def classify_rows(rows, learned, lexicon):
    vectorizer = learned.vectorizer
    known = {"lexicon": lexicon, "models": learned.models, "tuning": learned.tuning}
    return classify_labels(rows, vectorizer.transform(rows), vectorizer=vectorizer, **known)


def test_what_is_learned_finds_new_texts(learned, lexicon):
    rows = cut(table([{"text": "阿城区 暖气片 冰凉 室温 低"}, {"text": "方正县 路口 红绿灯 坏"}]))
    found = classify_rows(rows, learned, lexicon)
    assert found["topic"].tolist() == ["heating_gas", "traffic"]
    assert [names[0] for names in found["kind_labels"]] == ["供热燃气企业", "交通运输局"]


TEXT = "阿城区 金都街 换热站 夜里 停机 老人 感冒 住院 楼道 结冰 水管 冻裂 投诉 无人 理睬"
PAIRS = {
    "the same text": (TEXT, TEXT),
    "the order changed": (TEXT, " ".join(reversed(TEXT.split()))),
    "stop words removed": (f"我们 {TEXT} 的 了 吧 希望 能够 可以 给予", TEXT),
    "a sentence added": (TEXT, f"{TEXT} 盼 回复"),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_texts_that_are_one_stay_together(pair):
    others = [f"{place} {matter}" for place in PLACES for matter in MATTERS["traffic"]]
    groups = text_groups(cut(table([{"text": text} for text in [*pair, *others]])))
    assert groups[0] == groups[1]
    assert len(set(groups)) == len(others) + 1


def test_rows_of_one_issue_stay_together_and_rows_without_are_alone():
    rows = table(
        [
            {"text": "停水", "issue": "a"},
            {"text": "路灯", "issue": ""},
            {"text": "井盖", "issue": "a"},
            {"text": "堵车"},
        ]
    )
    groups = text_groups(cut(rows), rows["issue"])
    assert groups[0] == groups[2]
    assert len(set(groups)) == 3


def test_folds_keep_groups_whole_and_spread_labels():
    groups = np.repeat(np.arange(50), 2)
    truth = np.repeat(np.array(["traffic", "power"] * 25), 2)
    folds = stratified_folds(groups, truth, settings=SETTINGS.classify)
    assert all(len(set(folds[groups == group])) == 1 for group in range(50))
    assert [int((folds[truth == "power"] == fold).sum()) for fold in range(5)] == [10] * 5


def test_a_text_is_never_scored_by_its_copy(lexicon):
    # Topics by lot: only a copy on the other side of a fold could tell them.
    generator = np.random.default_rng(1)
    texts = [" ".join(chr(0x4E00 + code) * 2 for code in generator.integers(0, 6_000, size=15)) for _ in range(60)]
    topics = generator.choice(["power", "traffic"], size=60)
    rows = table([{"text": text, "topic": topic} for text, topic in zip(texts, topics, strict=True) for _ in range(2)])
    learned = learn_labels(cut(rows), rows, lexicon=lexicon, settings=SETTINGS)
    assert learned.scores["topic"]["accuracy"] < 0.75


def test_rows_that_bring_tokens_teach_but_are_not_scored(lexicon):
    given = table(
        [{"tokens": f"{row['text']} Ａ3-区".split(), "topic": row["topic"]} for row in CORPUS.to_dict("records")]
    )
    texts = table([{"text": f"{place} 暖气片 冰凉 {place}", "topic": "heating_gas"} for place in PLACES])
    both = pd.concat([given, texts.assign(submission_id=[f"t{row}" for row in range(len(texts))])], ignore_index=True)
    learned = learn_labels(cut(both), both, lexicon=lexicon, settings=SETTINGS)
    assert learned.out_of_fold["submission_id"].tolist() == [f"t{row}" for row in range(len(texts))]
    assert learned.out_of_fold.index.tolist() == list(range(len(given), len(both)))
    assert learned.scores["topic"]["rows"] == len(texts)
    assert training_rows(cut(both), both)["text_tokens"][0][-2:] == ["A3", "区"]


def test_rows_to_learn_from_only_teach_but_are_not_scored(lexicon):
    hints = table([{"title": f"{row['text']} 旧", "topic": row["topic"]} for row in CORPUS.to_dict("records")])
    texts = table([{"text": f"{place} 暖气片 冰凉 {place}", "topic": "heating_gas"} for place in PLACES])
    texts["submission_id"] = [f"t{row}" for row in range(len(texts))]
    both = pd.concat([hints.assign(learn_only=True), texts], ignore_index=True)
    learned = learn_labels(cut(both), both, lexicon=lexicon, settings=SETTINGS)
    assert learned.out_of_fold["submission_id"].tolist() == texts["submission_id"].tolist()
    assert learned.scores["topic"]["rows"] == len(texts)
    assert "traffic" in learned.models["topic"].labels


def test_a_copy_that_is_only_to_learn_from_stays_out_of_the_fold_that_scores_its_text(lexicon):
    generator = np.random.default_rng(2)
    texts = [" ".join(chr(0x4E00 + code) * 2 for code in generator.integers(0, 6_000, size=15)) for _ in range(60)]
    topics = generator.choice(["power", "traffic"], size=60)
    rows = table([{"text": text, "topic": topic} for text, topic in zip(texts, topics, strict=True)])
    copies = rows.assign(submission_id=[f"c{row}" for row in range(60)], learn_only=True)
    both = pd.concat([rows, copies], ignore_index=True)
    learned = learn_labels(cut(both), both, lexicon=lexicon, settings=SETTINGS)
    assert learned.scores["topic"]["accuracy"] < 0.75


LAMP_ROWS = table(
    [
        {
            "title": f"路灯 不亮 {number}" if lamp else f"红绿灯 失灵 {number}",
            "text": f"路口 红绿灯 堵车 路灯 {place} {number}",
            "topic": "power" if lamp else "traffic",
        }
        for number in range(30)
        for place in PLACES[:2]
        for lamp in (True, False)
    ]
)


def test_titles_are_heard_in_training_and_after_it(lexicon):
    settings = dataclasses.replace(SETTINGS, classify=dataclasses.replace(SETTINGS.classify, title_say=0.8))
    learned = learn_labels(cut(LAMP_ROWS), LAMP_ROWS, lexicon=lexicon, settings=settings)
    deaf = learn_labels(cut(LAMP_ROWS), LAMP_ROWS, lexicon=lexicon, settings=SETTINGS)
    assert len(learned.models["topic"].titles.weights)
    assert not len(deaf.models["topic"].titles.weights)
    vectors = learned.vectorizer.transform(cut(table([{"title": "路灯 不亮", "text": "红绿灯 堵车"}])))
    spoken = np.zeros((1, len(lexicon.topics)), dtype=np.float32)
    model = learned.models["topic"]
    with_title = model.logits(vectors, vectors, spoken, lexicon)[0]
    without = model.logits(vectors, None, spoken, lexicon)[0]
    power = list(model.labels).index("power")
    assert with_title[power] - with_title[1 - power] > without[power] - without[1 - power]


def test_one_row_with_a_label_of_ones_own_leaves_the_lexicon_as_it_is_in_every_fold(lexicon):
    own = pd.concat([CORPUS, table([{"text": "某地 自定 事项", "topic": "自定"}])], ignore_index=True)
    own["submission_id"] = [f"o{row}" for row in range(len(own))]
    assert not len(learn_labels(cut(own), own, lexicon=lexicon, settings=SETTINGS).tuning.words)
    assert len(learn_labels(cut(CORPUS), CORPUS, lexicon=lexicon, settings=SETTINGS).tuning.words)


def test_stop_words_are_found_where_rows_without_them_came_as_words():
    running = [["路灯", "的", "坏", "了"], ["井盖", "的", "没", "了"]] * 50
    stripped = [["路灯", "坏"], ["井盖", "没"]] * 50
    rows = pd.DataFrame({"title_tokens": [[] for _ in range(200)], "text_tokens": running + stripped})
    given = np.arange(200) >= 100
    assert unheard_words(rows, given) == ["了", "的"]
    few = np.r_[0:100, 100:110]  # too few to tell what they lack
    assert unheard_words(rows.iloc[few], given[few]) == []
    assert unheard_words(rows[:100], given[:100]) == unheard_words(rows[100:], given[100:]) == []


def test_only_tokens_are_enough(lexicon):
    given = table([{"tokens": row["text"].split(), "topic": row["topic"]} for row in CORPUS.to_dict("records")])
    learned = learn_labels(cut(given), given, lexicon=lexicon, settings=SETTINGS)
    assert "traffic" in learned.models["topic"].labels


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_a_handful_of_rows_is_learned_without_complaint(rows, lexicon):
    few = CORPUS.iloc[: rows * 3 : 3].reset_index(drop=True)
    learned = learn_labels(cut(few), few, lexicon=lexicon, settings=SETTINGS)
    found = classify_rows(cut(few), learned, lexicon)
    assert found["topic"].isin(few["topic"]).all()


def test_labels_of_ones_own_are_learned_too(lexicon):
    own = table([{"text": row["text"], "department": f"{row['topic']}处"} for row in CORPUS.to_dict("records")])
    learned = learn_labels(cut(own), own, lexicon=lexicon, settings=SETTINGS)
    assert set(learned.models) == {"department"}
    assert (learned.out_of_fold["topic"] == "").all()
    assert learned.scores["department"]["accuracy"] > 0.8


def test_no_label_at_all_is_refused(lexicon):
    rows = table([{"text": "路灯 坏"}])
    with pytest.raises(InputError, match="--topic-column"):
        learn_labels(cut(rows), rows, lexicon=lexicon, settings=SETTINGS)


def test_a_missing_column_is_named(lexicon):
    with pytest.raises(TableError, match="tokens"):
        learn_labels(cut(CORPUS), CORPUS.drop(columns="tokens"), lexicon=lexicon, settings=SETTINGS)
