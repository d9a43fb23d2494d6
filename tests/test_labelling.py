"""Training: whatever labels there are, corrected rows, contradictions, and twice the same."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest
from conftest import BODIES, HEAT, KEYS, LAMP, WATER, labelled_rows, write_csv

from pipeline.bundle import load_bundle, load_training, settings_of
from pipeline.errors import BundleError, InputError
from pipeline.labelling import join_training, name_topics, prepare_labels, rare_labels, read_ids, split_held_out
from pipeline.schema import LABELLED, REJECTED, empty_table, typed
from pipeline.settings import Settings


def labelled(*rows):
    """Table LABELLED of (id, text, labels) triples."""
    if not rows:
        return empty_table(LABELLED)
    empty = {"list": [], "bool": False}
    blank = {column.name: empty.get(column.kind, "") for column in LABELLED.columns}
    records = [
        {
            **blank,
            "submission_id": name,
            "text": text,
            "submitted_at": None,
            "source_file": "库.csv",
            "source_row": n + 2,
        }
        | labels
        for n, (name, text, labels) in enumerate(rows)
    ]
    return typed(pd.DataFrame(records), LABELLED)


def topic_key(name):
    return KEYS.get(name, name)


def test_chinese_topic_names_become_keys_and_own_labels_stay():
    rows = labelled(
        ("1", HEAT[0], {"topic": "供热燃气", "other_topics": ["供水排水", "物业催费"]}),
        ("2", LAMP[0], {"topic": "city_management"}),
        ("3", WATER[0], {"topic": "本市自定"}),
    )
    named = name_topics(rows, topic_key)
    assert named["topic"].tolist() == ["heating_gas", "city_management", "本市自定"]
    assert named["other_topics"].tolist() == [["water_supply", "物业催费"], [], []]
    assert rows["topic"].tolist()[0] == "供热燃气"  # the input is untouched


def test_a_corrected_row_takes_the_place_of_the_one_it_corrects():
    base = labelled(("1", HEAT[0], {"topic": "供水排水"}), ("2", LAMP[0], {"topic": "城市管理"}))
    joined, replaced = join_training(base, labelled(("9", f" {HEAT[0]}\n", {"topic": "供热燃气"})))
    assert replaced == 1
    assert joined[["submission_id", "topic"]].values.tolist() == [["2", "城市管理"], ["9", "供热燃气"]]
    assert joined.columns.tolist() == LABELLED.names


def test_an_id_that_comes_again_with_another_text_is_another_submission():
    joined, replaced = join_training(labelled(("1", HEAT[0], {})), labelled(("1", LAMP[0], {})))
    assert replaced == 0
    assert joined["submission_id"].tolist() == ["base-1", "1"]


def test_ids_stay_unique_when_a_base_is_learned_again_and_again():
    first, _ = join_training(labelled(("1", HEAT[0], {})), labelled(("1", LAMP[0], {})))
    second, _ = join_training(first, labelled(("1", WATER[0], {})))
    third, _ = join_training(second, labelled(("1", WATER[1], {}), ("base-1", WATER[2], {})))
    assert third["submission_id"].is_unique


def test_rows_of_tokens_are_told_apart_by_their_tokens():
    base = labelled(("1", "", {"tokens": ["路灯", "不亮"]}), ("2", "", {"tokens": ["停水"]}))
    joined, replaced = join_training(base, labelled(("3", "", {"tokens": ["停水"]})))
    assert (replaced, len(joined)) == (1, 2)


def notes_about(rows):
    """What training remarks about some rows that are no clerk's corrections."""
    given = rows.assign(corrected=False)
    return prepare_labels(given, empty_table(REJECTED), directory=None, base=None, strict=False)[1]


def test_one_text_with_two_labels_is_one_line_that_says_where():
    rows = labelled(
        ("1", HEAT[0], {"topic": "heating_gas", "department": "松北热力公司"}),
        ("2", LAMP[0], {"topic": "city_management"}),
        ("3", HEAT[0].replace("，", "， "), {"topic": "housing", "department": "松北热力公司"}),
    )
    assert notes_about(rows) == ["同一内容标了不同的主题（heating_gas / housing）：库.csv 第 2 行、库.csv 第 4 行"]


def test_a_label_that_is_not_given_contradicts_nothing():
    assert notes_about(labelled(("1", HEAT[0], {"topic": "a"}), ("2", HEAT[0], {}))) == []


def test_held_out_rows_are_set_apart():
    rows = labelled(("1", HEAT[0], {}), ("2", LAMP[0], {}), ("3", WATER[0], {}))
    learned, held = split_held_out(rows, ["2"])
    assert learned["submission_id"].tolist() == ["1", "3"]
    assert held["submission_id"].tolist() == ["2"]
    assert split_held_out(rows, [])[0]["submission_id"].tolist() == ["1", "2", "3"]


def test_an_issue_or_a_text_on_both_sides_is_no_test():
    rows = labelled(("1", HEAT[0], {"issue": "i"}), ("2", LAMP[0], {"issue": "i"}), ("3", f"{HEAT[0]} ", {}))
    with pytest.raises(InputError, match=r"1 held-out rows have the issue .* the first 2\. Hold out all rows"):
        split_held_out(rows, ["2"])
    with pytest.raises(InputError, match=r"1 held-out rows have the text .* the first 3\."):
        split_held_out(rows, ["3"])


def test_holding_everything_out_is_refused():
    with pytest.raises(InputError, match="none is left to learn from"):
        split_held_out(labelled(("1", HEAT[0], {})), ["1"])


def test_a_base_is_learned_again_by_its_own_settings(topic_model, tmp_path):
    kept = settings_of(topic_model.out)
    assert kept.classify == Settings().classify.__class__(**topic_model.manifest["settings"]["classify"])
    assert settings_of(None) == Settings()


def test_a_held_out_id_that_no_row_has_is_named():
    with pytest.raises(InputError, match=r"1 ids of the held-out file are in no row, the first 9\."):
        split_held_out(labelled(("1", HEAT[0], {})), ["9"])


def test_a_held_out_file_without_ids_is_refused(tmp_path):
    write_csv(tmp_path / "ids.csv", ["编号"], [["1"]])
    with pytest.raises(InputError, match="has no column submission_id"):
        read_ids(tmp_path / "ids.csv")
    write_csv(tmp_path / "blank.csv", ["submission_id", "备注"], [["", "空"]])
    with pytest.raises(InputError, match="no column submission_id with an id in it"):
        read_ids(tmp_path / "blank.csv")
    write_csv(tmp_path / "loose.csv", ["备注", "submission_id"], [["甲", " 1 "], ["乙"]])
    assert read_ids(tmp_path / "loose.csv") == ["1"]
    with pytest.raises(InputError, match="Cannot read the held-out file"):
        read_ids(tmp_path / "absent.csv")
    (tmp_path / "open.csv").write_text('submission_id\n"' + "1" * 140_000, encoding="utf-8")
    with pytest.raises(InputError, match="is no table .* a quote that is not closed"):
        read_ids(tmp_path / "open.csv")


# Training on files


@pytest.fixture(scope="module")
def topic_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("topics") / "主题.csv", *labelled_rows("主题分类"))


@pytest.fixture(scope="module")
def topic_model(topic_file, tmp_path_factory, teach):
    return teach([topic_file], tmp_path_factory.mktemp("models") / "主题")


def test_topics_alone_are_learned_under_their_keys(topic_model):
    assert set(topic_model.manifest["scores"]) == {"topic"}
    assert set(topic_model.manifest["scores"]["topic"]["per_label"]) == set(KEYS.values())
    assert load_bundle(topic_model.out).models["topic"].labels.tolist() == sorted(KEYS.values())
    assert topic_model.manifest["rows"] == 24


def test_a_bundle_has_a_card_in_chinese_and_english(topic_model):
    card = (topic_model.out / "card.md").read_text(encoding="utf-8")
    for told in ("模型说明", "主题.csv", "薄弱之处", "供热燃气", "Model card", "Where it fails", "heating_gas", "24"):
        assert told in card


def test_the_scores_of_the_card_are_those_of_the_manifest(topic_model):
    manifest = json.loads((topic_model.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scores"] == topic_model.manifest["scores"]
    assert f"{manifest['scores']['topic']['accuracy']:.3f}" in (topic_model.out / "card.md").read_text(encoding="utf-8")


def test_the_card_names_the_folds_that_were_used(topic_model):
    card = (topic_model.out / "card.md").read_text(encoding="utf-8")
    assert topic_model.manifest["settings"]["classify"]["folds"] == 2
    assert "2 折交叉验证" in card
    assert "2-fold cross-validation" in card


def test_trained_twice_the_arrays_are_the_same_to_the_byte(topic_file, topic_model, tmp_path, teach):
    again = teach([topic_file], tmp_path / "again")
    for path in sorted(topic_model.out.glob("*.npz")):
        assert (again.out / path.name).read_bytes() == path.read_bytes(), path.name
    assert again.manifest["scores"] == topic_model.manifest["scores"]
    assert again.manifest["lead"] == topic_model.manifest["lead"]


@pytest.fixture(scope="module")
def body_model(tmp_path_factory, teach):
    """Letters of another city: its bodies are labels that no directory knows."""
    folder = tmp_path_factory.mktemp("bodies")
    write_csv(folder / "办结.csv", *labelled_rows("承办单位", BODIES))
    return teach([folder / "办结.csv"], folder / "别的城市", directory=False)


def test_departments_alone_are_learned_as_labels(body_model, tmp_path, send):
    assert set(body_model.manifest["scores"]) == {"department"}
    letters = write_csv(tmp_path / "来信.csv", ["编号", "内容"], [["1", HEAT[7]], ["2", LAMP[3]]])
    for directory in (False, True):
        out = tmp_path / f"directory-{directory}"
        send([letters], out, body_model.out, directory=directory)
        routed = pd.read_parquet(out / "routed.parquet")
        assert routed["department"].isin(BODIES.values()).all()
        assert routed["topic"].tolist() == ["", ""]
        assert routed["topic_probability"].tolist() == [0.0, 0.0]
        assert all(set(names) <= set(BODIES.values()) for names in routed["department_candidates"])


def test_rows_of_tokens_are_learned_from_and_never_scored(tmp_path, teach):
    header, rows = labelled_rows("topic")
    tokens = [[f"t{n}", "", "供热燃气", "暖气 不 热 供热站 阀门"] for n in range(3)]
    write_csv(tmp_path / "混合.csv", [*header, "分词"], [*([*row, ""] for row in rows), *tokens])
    report = teach([tmp_path / "混合.csv"], tmp_path / "model")
    assert report.manifest["rows"] == 27
    assert report.manifest["scores"]["topic"]["rows"] == 24
    assert load_training(report.out)["tokens"].map(list).tolist()[-1] == ["暖气", "不", "热", "供热站", "阀门"]


def test_rows_marked_only_to_learn_from_are_never_scored(tmp_path, teach):
    header, rows = labelled_rows("topic")
    hints = [[f"h{n}", f"暖气片第{n}组不热", "供热燃气", "是"] for n in range(3)]
    write_csv(tmp_path / "混合.csv", [*header, "只学不考"], [*([*row, ""] for row in rows), *hints])
    report = teach([tmp_path / "混合.csv"], tmp_path / "model")
    assert (report.manifest["rows"], report.manifest["learn_only_rows"]) == (27, 3)
    assert report.manifest["scores"]["topic"]["rows"] == 24
    assert load_training(report.out)["learn_only"].sum() == 3
    assert "其中 3 件只学不考" in (report.out / "card.md").read_text(encoding="utf-8")


def test_held_out_rows_are_not_learned_from_and_scored_at_the_end(tmp_path, teach):
    header, rows = labelled_rows("topic")
    rows = [*rows, ["w7", "路灯坏了半个月，晚上漆黑一片", "供热燃气"]]
    held = [row[0] for row in rows if row[0].endswith("7")]
    topic_file = write_csv(tmp_path / "主题.csv", header, rows)
    report = teach(
        [topic_file],
        tmp_path / "model",
        held_out=write_csv(tmp_path / "留出.csv", ["submission_id"], [[i] for i in held]),
    )
    assert report.manifest["rows"] == len(rows) - len(held)
    assert not set(load_training(report.out)["submission_id"]) & set(held)
    assert report.manifest["held_out"]["topic"]["rows"] == len(held)
    assert report.manifest["held_out"]["topic"]["accuracy"] < 1, "the row with a wrong label was predicted, not read"
    card = (report.out / "card.md").read_text(encoding="utf-8")
    assert "留出的件" in card
    assert f"topic accuracy {report.manifest['held_out']['topic']['accuracy']:.3f}" in card


def test_a_base_is_learned_again_with_its_corrections(topic_model, tmp_path, teach):
    write_csv(
        tmp_path / "更正.csv",
        ["编号", "内容", "主题分类"],
        [["c1", HEAT[7], "供水排水"], ["c2", "新来的件：灯灭了", "城市管理"]],
    )
    report = teach([tmp_path / "更正.csv"], tmp_path / "model", base=topic_model.out)
    training = load_training(report.out)
    assert len(training) == 25
    assert training.loc[training["text"] == HEAT[7], "topic"].tolist() == ["water_supply"]
    assert any("1 件由新标签代替" in note for note in report.notes)
    assert "主题.csv" in report.manifest["sources"]


def test_a_base_with_topics_can_be_joined_with_departments(topic_model, tmp_path, teach):
    header, rows = labelled_rows("承办单位", BODIES)
    write_csv(tmp_path / "办结.csv", header, [[name, f"另一封：{text}", body] for name, text, body in rows])
    report = teach([tmp_path / "办结.csv"], tmp_path / "model", base=topic_model.out)
    assert {name: scores["rows"] for name, scores in report.manifest["scores"].items()} == {
        "topic": 24,
        "department": 24,
    }


@pytest.fixture
def contradicting(tmp_path):
    header, rows = labelled_rows("topic")
    return write_csv(tmp_path / "矛盾.csv", header, [*rows, ["x", HEAT[0], "供水排水"]])


def test_strict_stops_on_a_contradiction_and_says_where(contradicting, tmp_path, teach):
    with pytest.raises(InputError, match=r"矛盾\.csv 第 2 行、矛盾\.csv 第 26 行") as caught:
        teach([contradicting], tmp_path / "model", strict=True)
    assert "heating_gas / water_supply" in str(caught.value)
    assert not (tmp_path / "model").exists()


def test_without_strict_a_contradiction_is_a_remark(contradicting, tmp_path, teach):
    report = teach([contradicting], tmp_path / "model")
    assert any("同一内容标了不同的主题" in note for note in report.notes)


def test_strict_stops_on_a_row_that_cannot_be_read(tmp_path, teach):
    header, rows = labelled_rows("topic")
    write_csv(tmp_path / "缺.csv", header, [*rows, ["x", "", "供水排水"]])
    with pytest.raises(InputError, match=r"缺\.csv 第 26 行"):
        teach([tmp_path / "缺.csv"], tmp_path / "model", strict=True)


def test_an_existing_model_is_refused_before_the_work_begins(topic_file, topic_model, teach):
    with pytest.raises(BundleError, match="exists already. Choose another --out, or pass --overwrite"):
        teach([topic_file.with_name("absent.csv")], topic_model.out)


def test_overwrite_replaces_a_model(topic_file, topic_model, tmp_path, teach):
    shutil.copytree(topic_model.out, tmp_path / "model")
    (tmp_path / "model" / "card.md").write_text("旧", encoding="utf-8")
    teach([topic_file], tmp_path / "model", overwrite=True)
    assert "模型说明" in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")


def test_rows_without_any_label_say_which_columns_are_asked_for(tmp_path, teach):
    write_csv(tmp_path / "无.csv", ["编号", "内容"], [["1", HEAT[0]], ["2", LAMP[0]]])
    with pytest.raises(InputError, match="--topic-column"):
        teach([tmp_path / "无.csv"], tmp_path / "model")


def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_learned_from(topic_file, tmp_path, teach):
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 cut short")
    report = teach([topic_file, tmp_path / "坏.xlsx"], tmp_path / "model")
    assert report.failed_files == ["坏.xlsx"]
    assert report.manifest["rows"] == 24


def test_settings_are_kept_with_the_model(topic_model, quick):
    assert topic_model.manifest["settings"] == dataclasses.asdict(quick)


def test_a_label_with_few_examples_is_told_and_a_single_label_is_refused():
    rows = [(str(n), f"{HEAT[0]}{n}", {"topic": "heating_gas"}) for n in range(6)]
    assert rare_labels(labelled(*rows, ("7", LAMP[0], {"topic": "city_management"}))) == [
        "1 个主题不足 5 件，把握只能粗略估计，请补充：city_management（1 件）"
    ]
    with pytest.raises(InputError, match="All 6 rows have the topic heating_gas"):
        rare_labels(labelled(*rows))
