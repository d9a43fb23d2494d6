"""A model folder: complete or refused, found by name, and nothing in it runs."""

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.bundle import bundle_hash, find_bundle, load_bundle, load_training, save_bundle
from pipeline.errors import BundleError
from pipeline.schema import LABELLED


@pytest.fixture
def copy(model, tmp_path):
    return shutil.copytree(model, tmp_path / "copy")


def rewrite_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def vouch_for(folder, name):
    """What somebody who tampers would do: make the manifest agree with the file."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    rewrite_manifest(folder, lambda manifest: manifest["files"].update({name: digest}))


def test_a_bundle_is_read_back_as_it_was_written(model, tmp_path):
    bundle = load_bundle(model)
    manifest = {name: value for name, value in bundle.manifest.items() if name not in ("format", "files")}
    again = dataclasses.replace(bundle, manifest=manifest)
    save_bundle(again, tmp_path / "again", training=load_training(model), card="卡片")
    for path in sorted(model.glob("*.npz")):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    assert (tmp_path / "again" / "card.md").read_text(encoding="utf-8") == "卡片"
    assert not (tmp_path / "again.partial").exists()


def test_no_file_of_a_bundle_needs_pickle(model):
    arrays = sorted(model.glob("*.npz"))
    assert {path.name for path in arrays} >= {"vectorizer.npz", "lexicon.npz", "topic.npz", "kind.npz", "matcher.npz"}
    for path in arrays:
        with np.load(path, allow_pickle=False) as archive:
            assert all(archive[name].dtype.kind in "biufU" for name in archive.files)
    assert {path.suffix for path in model.iterdir()} == {".npz", ".json", ".parquet", ".md"}


def test_a_bundle_keeps_the_rows_that_retraining_needs(model):
    training = load_training(model)
    assert training.columns.tolist() == LABELLED.names
    assert set(training["topic"]) >= {"heating_gas", "traffic"}


@pytest.mark.parametrize("name", ["vectorizer.npz", "topic.npz", "matcher.npz", "training.parquet", "card.md"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing. Copy the whole folder"):
        load_bundle(copy)


def test_a_file_cut_short_is_named(copy):
    path = copy / "topic.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BundleError, match="topic.npz is damaged"):
        load_bundle(copy)


def test_one_changed_byte_is_found(copy):
    content = bytearray((copy / "vectorizer.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "vectorizer.npz").write_bytes(content)
    with pytest.raises(BundleError, match="vectorizer.npz is damaged or was changed"):
        load_bundle(copy)


def test_an_array_cut_short_is_refused_even_where_the_manifest_agrees(copy):
    path = copy / "topic.npz"
    path.write_bytes(path.read_bytes()[:-100])
    vouch_for(copy, "topic.npz")
    with pytest.raises(BundleError, match="Train it anew"):
        load_bundle(copy)


def test_a_pickle_in_disguise_is_refused_and_not_run(copy, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.savez(copy / "matcher.npz", weights=np.array([Trap()], dtype=object))
    vouch_for(copy, "matcher.npz")
    with pytest.raises(BundleError, match="Train it anew"):
        load_bundle(copy)
    assert not (tmp_path / "sprung").exists()


def test_another_format_says_which_is_read(copy):
    rewrite_manifest(copy, lambda manifest: manifest.update(format=99))
    with pytest.raises(BundleError, match="format 99, this fenban reads 4. Train it anew"):
        load_bundle(copy)


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"format": 2}', '{"format": 2, "files": []}'])
def test_a_manifest_that_is_none_is_one_clear_error(copy, text):
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    for look in (load_bundle, bundle_hash, load_training):
        with pytest.raises(BundleError, match="manifest.json"):
            look(copy)


def test_a_file_that_the_manifest_does_not_list_is_missing_too(copy):
    (copy / "matcher.npz").unlink()
    rewrite_manifest(copy, lambda manifest: manifest["files"].pop("matcher.npz"))
    with pytest.raises(BundleError, match=r"matcher\.npz"):
        load_bundle(copy)


def test_damaged_training_rows_are_refused_before_they_are_learned_from(copy):
    (copy / "training.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(BundleError, match="training.parquet is damaged"):
        load_training(copy)


def test_a_folder_of_something_else_is_no_model(tmp_path):
    with pytest.raises(BundleError, match="is no model folder"):
        load_bundle(tmp_path)


def test_an_existing_folder_is_refused_and_something_else_is_never_replaced(copy, tmp_path):
    bundle, rows = load_bundle(copy), pd.DataFrame({"text": ["路灯不亮"]})
    with pytest.raises(BundleError, match="exists already"):
        save_bundle(bundle, copy, training=rows, card="")
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "来信.txt").write_text("路灯不亮", encoding="utf-8")
    with pytest.raises(BundleError, match="exists already"):
        save_bundle(bundle, letters, training=rows, card="", overwrite=True)
    assert (letters / "来信.txt").exists()


def test_the_hash_is_of_what_a_bundle_holds_and_not_of_where_it_lies(model, copy):
    assert bundle_hash(copy) == bundle_hash(model)
    rewrite_manifest(copy, lambda manifest: manifest["files"].update({"card.md": "0" * 64}))
    assert bundle_hash(copy) != bundle_hash(model)


def test_a_model_is_found_by_name_or_by_folder(model, tmp_path):
    shutil.copytree(model, tmp_path / "2026-12")
    assert find_bundle("2026-12", models=tmp_path) == tmp_path / "2026-12"
    assert find_bundle(str(model), models=tmp_path) == model


def test_without_a_name_the_file_current_is_followed(model, tmp_path):
    shutil.copytree(model, tmp_path / "冬季")
    (tmp_path / "current").write_text("冬季\n", encoding="utf-8-sig")
    assert find_bundle(None, models=tmp_path) == tmp_path / "冬季"


def test_without_current_it_is_the_default_and_an_empty_folder_has_the_shipped_one(model, tmp_path):
    assert (find_bundle(None, models=tmp_path) / "manifest.json").exists()
    shutil.copytree(model, tmp_path / "default")
    assert find_bundle(None, models=tmp_path) == tmp_path / "default"


def test_an_unknown_name_is_answered_with_the_known_ones(model, tmp_path):
    for name in ("2025", "2026"):
        shutil.copytree(model, tmp_path / name)
    with pytest.raises(BundleError, match=r"No model '2027' .*2025, 2026"):
        find_bundle("2027", models=tmp_path)


def test_current_that_names_no_model_says_so(tmp_path):
    (tmp_path / "current").write_text("gone", encoding="utf-8")
    with pytest.raises(BundleError, match="No model 'gone'"):
        find_bundle(None, models=tmp_path)
