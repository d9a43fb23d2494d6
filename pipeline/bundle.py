"""Fitted objects <-> a folder under models/.

manifest.json     format, versions, settings, hashes of the other files, scores
vectorizer.npz    plain arrays of each fitted object; loading runs no code
lexicon.npz       what training made of the lexicon's weights
topic.npz kind.npz department.npz   the label models that there were labels for
matcher.npz
past.npz          labelled matters by which like ones are known, with who handled them
issues.npz        weights of the pair scorer, and the words that are no names
training.parquet  the rows learned from, so that retraining needs nothing else
card.md           what it was trained on, its scores, where it fails; Chinese and English
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.classify import LabelModel, Tuning
from pipeline.cluster import PairScorer
from pipeline.errors import BundleError, PipelineError
from pipeline.match import Matcher
from pipeline.parts import write_part
from pipeline.recall import Past
from pipeline.resources import shipped
from pipeline.schema import RETURNED, empty_table
from pipeline.settings import Settings, merge_settings
from pipeline.vectorize import Vectorizer

FORMAT = 4
TARGETS = ("topic", "kind", "department")
_TRAINING = "training.parquet"
_ISSUES = "issues.npz"
_CARD = "card.md"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Bundle:
    """All that training has learned.

    Attributes
    ----------
    vectorizer : tokens -> vectors
    tuning : the lexicon's weights as training left them
    models : label model by target; only the targets that there were labels for
    matcher : weights, calibration and thresholds of the lead
    past : the labelled matters with their leads
    scorer : the probability that two rows are one issue
    manifest : what manifest.json holds
    """

    vectorizer: Vectorizer
    tuning: Tuning
    models: Mapping[str, LabelModel]
    matcher: Matcher
    past: Past
    scorer: PairScorer
    manifest: Mapping[str, Any]


def save_bundle(bundle: Bundle, folder: Path, *, training: pd.DataFrame, card: str, overwrite: bool = False) -> None:
    """Write a bundle so that the folder is there completely or not at all.

    Parameters
    ----------
    bundle : what was learned; "files" of its manifest is filled in here
    folder : models/NAME
    training : LABELLED rows that it was learned from
    card : model card, Markdown
    overwrite : replace a bundle that is there

    Raises
    ------
    BundleError : the folder exists and `overwrite` is not set, or it is no bundle
    """
    refuse_existing(folder, overwrite=overwrite)
    unfinished = folder.with_name(folder.name + ".partial")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    fitted: dict[str, Vectorizer | Tuning | LabelModel | Matcher | Past | PairScorer] = {
        "vectorizer": bundle.vectorizer,
        "lexicon": bundle.tuning,
        **bundle.models,
        "matcher": bundle.matcher,
        "past": bundle.past,
        "issues": bundle.scorer,
    }
    for name, item in fitted.items():
        np.savez_compressed(unfinished / f"{name}.npz", allow_pickle=False, **item.to_parts())
    write_part(training, unfinished / _TRAINING)
    (unfinished / _CARD).write_text(card, encoding="utf-8", newline="\n")
    files = {path.name: _sha256(path) for path in sorted(unfinished.iterdir())}
    manifest = {"format": FORMAT, **bundle.manifest, "files": files}
    (unfinished / _MANIFEST).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    # The old model goes only when the new one stands in its place.
    old = folder.with_name(folder.name + ".replaced")
    if old.exists():
        shutil.rmtree(old)
    if folder.exists():
        os.replace(folder, old)
    os.replace(unfinished, folder)
    shutil.rmtree(old, ignore_errors=True)


def refuse_existing(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that stands in the way of a new bundle, before the long work begins.

    Raises
    ------
    BundleError : it exists and `overwrite` is not set, or it is no bundle
    """
    if folder.exists() and not (overwrite and (folder / _MANIFEST).exists()):
        raise BundleError(f"{folder} exists already. Choose another --out, or pass --overwrite to replace a bundle.")


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check that no file of it is damaged. Runs nothing that the folder brings.

    Raises
    ------
    BundleError : the folder is no bundle, is of another format, or a file is missing or damaged
    """
    manifest = load_manifest(folder)
    for name in manifest["files"]:
        _check_file(folder, name, manifest)
    with _readable(folder):
        return Bundle(
            vectorizer=Vectorizer.from_parts(_arrays(folder / "vectorizer.npz")),
            tuning=Tuning.from_parts(_arrays(folder / "lexicon.npz")),
            models={
                target: LabelModel.from_parts(_arrays(folder / f"{target}.npz"))
                for target in TARGETS
                if f"{target}.npz" in manifest["files"]
            },
            matcher=Matcher.from_parts(_arrays(folder / "matcher.npz")),
            past=Past.from_parts(_arrays(folder / "past.npz")),
            scorer=PairScorer.from_parts(_arrays(folder / _ISSUES)),
            manifest=manifest,
        )


def load_scorer(folder: Path) -> PairScorer:
    """Read only the pair scorer of a bundle: grouping needs nothing else of it.

    Raises
    ------
    BundleError : as `load_bundle`
    """
    _check_file(folder, _ISSUES, load_manifest(folder))
    with _readable(folder):
        return PairScorer.from_parts(_arrays(folder / _ISSUES))


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (LookupError, ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"The bundle {folder} cannot be read ({error}). Train it anew with this version.") from error


def load_manifest(folder: Path) -> dict[str, Any]:
    """Read manifest.json of a bundle.

    Raises
    ------
    BundleError : there is none, it is no JSON, or of another format
    """
    path = folder / _MANIFEST
    if not path.exists():
        raise BundleError(f"{folder} is no model folder: it has no {_MANIFEST}. Pass --model with a folder that has.")
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is damaged ({error}). Copy the whole folder again, or train anew.") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleError(f"{path} has format {found}, this fenban reads {FORMAT}. Train it anew with this version.")
    if not isinstance(manifest.get("files"), dict):
        raise BundleError(f"{path} lists no files. Copy the whole folder again, or train anew.")
    return dict(manifest)


def load_training(folder: Path) -> pd.DataFrame:
    """The LABELLED rows that a bundle was learned from.

    Raises
    ------
    BundleError : the folder is no bundle, or the file of its rows is missing or damaged
    """
    _check_file(folder, _TRAINING, load_manifest(folder))
    return pd.read_parquet(folder / _TRAINING)


def load_returns(folder: Path) -> pd.DataFrame:
    """Table RETURNED of the rows that a bundle was learned from.

    Raises
    ------
    BundleError : as `load_training`
    """
    _check_file(folder, _TRAINING, load_manifest(folder))
    senders = pd.read_parquet(folder / _TRAINING, columns=["returned_by"])["returned_by"]
    if not (senders.map(len) > 0).any():
        return empty_table(RETURNED)
    rows = pd.read_parquet(folder / _TRAINING, columns=[*RETURNED.names, "department", "department_kind"])
    # Who handled it in the end is no body to keep such matters from.
    others = [
        [name for name in names if name != lead and name not in kinds]
        for names, lead, kinds in zip(rows["returned_by"], rows["department"], rows["department_kind"], strict=True)
    ]
    rows["returned_by"] = pd.Series(others, index=rows.index, dtype="object")
    return rows.loc[rows["returned_by"].map(len) > 0, RETURNED.names]


def settings_of(folder: Path | None) -> Settings:
    """The settings by which a bundle's rows became vectors and labels; the defaults for no bundle."""
    if folder is None:
        return Settings()
    kept = load_manifest(folder).get("settings", {})
    learned = {section: dict(kept[section]) for section in ("vectorize", "classify") if section in kept}
    return merge_settings(learned, where=str(folder / _MANIFEST))


def bundle_hash(folder: Path) -> str:
    """SHA-256 of what a bundle holds, the same for the same files wherever they lie."""
    files = load_manifest(folder)["files"]
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode("utf-8")).hexdigest()


def find_bundle(name: str | None, *, models: Path = Path("models")) -> Path:
    """The folder of a model given by name or path.

    Parameters
    ----------
    name : a folder, or a name below `models`; None takes the name in models/current, else default
    models : folder of bundles; where it has no `default`, the shipped one serves

    Raises
    ------
    BundleError : there is no such model
    """
    if name is None:
        current = models / "current"
        name = current.read_text(encoding="utf-8-sig").strip() if current.exists() else "default"
    for folder in (Path(name), models / name):
        if (folder / _MANIFEST).exists():
            return folder
    if name == "default":
        try:
            return shipped("models/default")
        except PipelineError as error:
            raise BundleError(f"There is no default model: {error}") from error
    known = sorted(path.parent.name for path in models.glob(f"*/{_MANIFEST}"))
    raise BundleError(f"No model '{name}' (in {models}: {', '.join(known) or 'none'}). Train it, or pass --model.")


def _check_file(folder: Path, name: str, manifest: Mapping[str, Any]) -> None:
    path = folder / name
    if not path.exists():
        raise BundleError(f"{path} is missing. Copy the whole folder {folder.name} again, or train anew.")
    if _sha256(path) != manifest["files"].get(name):
        raise BundleError(f"{path} is damaged or was changed. Copy the whole folder again, or train anew.")


def _arrays(path: Path) -> dict[str, np.ndarray]:
    # Opened here, not by numpy, which leaves the file open when it is damaged.
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
