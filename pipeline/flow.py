"""The order of the stages. The only file that knows them all.

submissions -> segmented -> classified -> placed -> matched --+--> routed -> tables
                   |                                          |
                   +-------------> sketches -> issues --------+
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import __version__
from pipeline.bundle import Bundle, bundle_hash, load_bundle, load_training, refuse_existing, save_bundle
from pipeline.card import write_card
from pipeline.classify import classify_labels
from pipeline.cluster import SKETCHES, describe_issues, group_submissions, sketch_submissions
from pipeline.engines import Engine
from pipeline.errors import InputError
from pipeline.evaluate import score_leads
from pipeline.labelling import contradictions, join_training, name_topics
from pipeline.learning import learn_labels
from pipeline.match import fit_matcher, match_departments
from pipeline.measure import MemoryWatch, Stopwatch
from pipeline.parts import Parts
from pipeline.places import Gazetteer, find_places
from pipeline.reading import ReadOptions, list_inputs, read_batches, read_submissions
from pipeline.runs import ReadingLog, count_results, run_key
from pipeline.schema import PLACED, ROUTED, SUBMISSIONS, typed
from pipeline.segment import segment_submissions
from pipeline.settings import Settings
from pipeline.tables import write_issues, write_links, write_routed, write_workbook
from pipeline.tools import Knowledge, Tools, open_tools
from pipeline.workspace import Workspace, finish_workspace, finished_run, open_workspace, release_workspace

Progress = Callable[[str, int, float | None], None]
"""Called with the name of a stage, the rows done in it, and the share of it that is done (None: not known)."""

_SKETCH = "sketch."  # before the sketches' column names in a part, where places would stand twice


def route_batch(submissions: pd.DataFrame, *, tools: Tools, bundle: Bundle, settings: Settings) -> pd.DataFrame:
    """All map stages on one batch: each row alone, so that the batch size never changes a result.

    Parameters
    ----------
    submissions : table SUBMISSIONS

    Returns
    -------
    the columns of SUBMISSIONS, CLASSIFIED, PLACED, MATCHED and, with "sketch." before their names, SKETCHES side by
    side, same rows and order; ``attrs["seconds"]`` has the seconds of each stage
    """
    watch = Stopwatch()
    with watch.stage("segment"):
        segmented = segment_submissions(submissions, segmenter=tools.segmenter)
    with watch.stage("classify"):
        classified = classify_labels(
            segmented, vectorizer=bundle.vectorizer, lexicon=tools.lexicon, models=bundle.models
        )
    with watch.stage("places"):
        placed = locate(submissions, segmented, gazetteer=tools.gazetteer)
    with watch.stage("match"):
        matched = match_departments(
            submissions,
            segmented,
            classified,
            placed,
            directory=tools.directory,
            matcher=bundle.matcher,
            settings=settings.match,
        )
    with watch.stage("sketch"):
        sketches = sketch_submissions(submissions, segmented, placed, settings=settings.cluster)
    together = pd.concat([submissions, classified, placed, matched, sketches.add_prefix(_SKETCH)], axis=1)
    together = together.loc[:, ~together.columns.duplicated()]
    together.attrs["seconds"] = watch.seconds
    return together


def locate(submissions: pd.DataFrame, segmented: pd.DataFrame, *, gazetteer: Gazetteer | None) -> pd.DataFrame:
    """Table PLACED; without a directory no place is known."""
    if gazetteer is not None:
        return find_places(submissions, segmented, gazetteer=gazetteer)
    nowhere = pd.DataFrame(
        {"submission_id": submissions["submission_id"], "district": None, "township": None, "spot": None},
        index=submissions.index,
    )
    no_words: pd.Series[Any] = pd.Series([[]] * len(nowhere), index=nowhere.index, dtype="object")
    return typed(nowhere.assign(place_words=no_words), PLACED)


@dataclass(frozen=True)
class RouteStage:
    """`route_batch` with its tools by name, so that worker processes open them themselves.

    ``digest`` is there for the cache: a folder that changes under the same name is opened anew.
    """

    knowledge: Knowledge
    settings: Settings
    digest: str

    def __call__(self, submissions: pd.DataFrame) -> pd.DataFrame:
        """See `route_batch`."""
        tools, bundle = _opened(self)
        return route_batch(submissions, tools=tools, bundle=bundle, settings=self.settings)


@functools.lru_cache(maxsize=1)
def _opened(stage: RouteStage) -> tuple[Tools, Bundle]:
    # Once for each worker process: opening takes as long as some thousand rows do.
    return open_tools(stage.knowledge, stage.settings), load_bundle(stage.knowledge.bundle)


@dataclass(frozen=True)
class RouteReport:
    """What a run did.

    Attributes
    ----------
    out : the finished folder
    run : what run.json holds
    finished_before : the folder was there already, of the same inputs, model, directory and settings
    """

    out: Path
    run: Mapping[str, Any]
    finished_before: bool


def route(
    inputs: Sequence[Path],
    out: Path,
    *,
    knowledge: Knowledge,
    engine: Engine,
    options: ReadOptions | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    progress: Progress = lambda stage, rows, share: None,
) -> RouteReport:
    """Read files of submissions and leave routing tables, issues and the workbook in a folder.

    Parameters
    ----------
    inputs : files, or folders of files
    out : folder of the results; complete or not there
    knowledge : model, directory, lexicon and dictionaries
    engine : where batches are worked on
    options : how the files are to be read
    overwrite : rename a folder that stands at `out`

    Raises
    ------
    PipelineError : see pipeline/errors.py; a bad row or file is reported in the run, not raised
    """
    options, settings = options or ReadOptions(), settings or Settings()
    watch = Stopwatch()
    with watch.stage("hash"):
        files = list_inputs(inputs)
        knowledge_digest = knowledge.digest()
        key = run_key(files, knowledge_digest, options, settings)
    done = finished_run(out, key=key)
    if done is not None:
        return RouteReport(out, done, finished_before=True)
    workspace = open_workspace(out, key=key, part_key=str(settings.engine.batch_rows), overwrite=overwrite)
    try:
        with MemoryWatch() as memory:
            reading = ReadingLog(files)
            stage = RouteStage(knowledge, settings, knowledge_digest)
            parts = _map_parts(reading, stage, workspace, engine, options, settings, watch, progress)
            counts = _write_results(reading, parts, stage, workspace, watch, progress)
        run = {
            "key": key,
            "inputs": reading.inputs(),
            "rejected": reading.rejected().to_dict("records"),
            "notes": reading.notes,
            "model": {"folder": knowledge.bundle.name, "sha256": bundle_hash(knowledge.bundle)},
            "directory": knowledge.directory.name if knowledge.directory is not None else "none",
            "settings": dataclasses.asdict(settings),
            "counts": {"read": parts.rows, "rejected": len(reading.rejected()), **counts},
            "seconds": {name: round(seconds, 3) for name, seconds in watch.seconds.items()},
            "peak_memory_bytes": memory.peak_bytes,
            "memory_measure": memory.measure,
        }
        finish_workspace(workspace, run)
    finally:
        release_workspace(workspace)
    return RouteReport(out, run, finished_before=False)


def _map_parts(
    reading: ReadingLog,
    stage: RouteStage,
    workspace: Workspace,
    engine: Engine,
    options: ReadOptions,
    settings: Settings,
    watch: Stopwatch,
    progress: Progress,
) -> Parts:
    batches = read_batches(
        reading.files, options=options, settings=settings.reading, batch_rows=settings.engine.batch_rows
    )
    paths, rows = [], 0
    with watch.stage("map"):
        for part in engine.map_batches(reading.submissions(batches), stage, folder=workspace.parts):
            paths.append(part.path)
            rows += part.rows
            for name, seconds in part.seconds.items():
                watch.add(f"map.{name}", seconds)
            # What is read is ahead of what is done: the share that is read is scaled down to what is done.
            share = reading.share * rows / reading.total if reading.total else None
            progress("map", rows, share)
    if not paths:
        reasons = reading.rejected()["reason"]
        first = f"; the first: {reasons.iloc[0]}" if len(reasons) else ""
        raise InputError(
            f"No submission could be read from {len(reading.files)} files{first}. Mend them and run again."
        )
    return Parts(tuple(paths))


def _write_results(
    reading: ReadingLog, parts: Parts, stage: RouteStage, workspace: Workspace, watch: Stopwatch, progress: Progress
) -> dict[str, Any]:
    settings, result = stage.settings, workspace.result
    progress("issues", 0, None)
    with watch.stage("issues"):
        grouping = group_submissions(
            parts.read([_SKETCH + name for name in SKETCHES.names]).set_axis(SKETCHES.names, axis=1),
            texts=lambda rows: _texts(parts, rows),
            words=lambda rows: _words(parts, rows, stage),
            settings=settings.cluster,
        )
    progress("tables", 0, None)
    with watch.stage("tables"):
        routed_path = result / "routed.parquet"
        write_routed(routed_path, _routed_pieces(parts, grouping.members))
        issues = describe_issues(
            pd.read_parquet(routed_path, columns=_ISSUE_COLUMNS), links=grouping.links, settings=settings.cluster
        )
        write_issues(result / "issues.parquet", issues)
        write_links(result / "links.parquet", grouping.links)
    with watch.stage("workbook"):
        directory = _opened(stage)[0].directory
        write_workbook(
            result / "routing_tables.xlsx",
            routed_path,
            issues=issues,
            rejected=reading.rejected(),
            notes=reading.notes,
            topic_names=directory.topic_names if directory is not None else {},
            departments=[body.name for body in directory.departments] if directory is not None else (),
            made_at=dt.datetime.now(),
            settings=settings.tables,
        )
    return count_results(routed_path, issues)


_ISSUE_COLUMNS = [
    *("submission_id", "title", "text", "topic", "department", "district", "township", "spot"),
    *("urgency", "issue_id", "submitter", "submitted_at"),
]


def _routed_pieces(parts: Parts, members: pd.DataFrame) -> Iterator[pd.DataFrame]:
    start = 0
    columns = [name for name in ROUTED.names if name not in ("issue_id", "duplicate_of", "deadline", "reopened")]
    for piece in parts.pieces(columns):
        own = members.iloc[start : start + len(piece)].reset_index(drop=True)
        yield typed(
            piece.assign(issue_id=own["issue_id"], duplicate_of=own["duplicate_of"], deadline=None, reopened=False),
            ROUTED,
        )
        start += len(piece)


def _texts(parts: Parts, rows: np.ndarray) -> list[str]:
    found = parts.take(rows, ["title", "text"])
    return [f"{title}\n{text}" for title, text in zip(found["title"], found["text"], strict=True)]


def _words(parts: Parts, rows: np.ndarray, stage: RouteStage) -> list[list[str]]:
    found = segment_submissions(parts.take(rows, SUBMISSIONS.names), segmenter=_opened(stage)[0].segmenter)
    return [list(title) + list(text) for title, text in zip(found["title_tokens"], found["text_tokens"], strict=True)]


@dataclass(frozen=True)
class TrainReport:
    """What a training did.

    Attributes
    ----------
    out : folder of the bundle
    manifest : what its manifest.json holds, scores among it
    notes : Chinese remarks: rejected rows, contradicting labels, replaced rows
    failed_files : names of the inputs that could not be read
    """

    out: Path
    manifest: Mapping[str, Any]
    notes: Sequence[str]
    failed_files: Sequence[str]


def train(
    inputs: Sequence[Path],
    out: Path,
    *,
    knowledge: Knowledge,
    options: ReadOptions | None = None,
    settings: Settings | None = None,
    base: Path | None = None,
    strict: bool = False,
    overwrite: bool = False,
    progress: Progress = lambda stage, rows, share: None,
) -> TrainReport:
    """Learn topics, kinds and departments, whichever the files have labels for, and save a bundle.

    Parameters
    ----------
    inputs : labelled files, or folders of them
    out : folder of the new bundle, models/NAME
    knowledge : directory, lexicon and dictionaries; its bundle is not looked at
    options : how the files are to be read; `labels` must be set
    base : a bundle whose rows are learned again together with the new ones
    strict : stop where a row is rejected or labels contradict each other
    overwrite : replace a bundle that stands at `out`

    Raises
    ------
    InputError : nothing to learn from, or `strict` and something is wrong with the rows
    BundleError : a folder stands at `out` already
    """
    options, settings = options or ReadOptions(labels=True), settings or Settings()
    refuse_existing(out, overwrite=overwrite)
    tools = open_tools(knowledge, settings)
    directory = tools.directory
    progress("read", 0, None)
    reading = read_submissions(inputs, options=options, settings=settings.reading)
    labelled, notes = reading.submissions, list(reading.notes)
    if directory is not None:
        labelled = name_topics(labelled, directory.topic_key)
    contradicting = contradictions(labelled)
    rejected = [f"{row.source_file} 第 {row.source_row} 行未用：{row.reason}" for row in reading.rejected.itertuples()]
    notes += rejected + contradicting
    if strict and (rejected or contradicting):
        raise InputError(
            f"{len(rejected)} rows cannot be read and {len(contradicting)} texts have contradicting labels; the first: "
            f"{(rejected + contradicting)[0]} Mend them, or train without --strict."
        )
    if base is not None:
        labelled, replaced = join_training(load_training(base), labelled)
        notes.append(f"与模型 {base.name} 的数据合并，其中 {replaced} 件由新标签代替。")
    if labelled.empty:
        raise InputError(f"No labelled row could be read from {', '.join(map(str, inputs))}. Check the files.")

    progress("segment", 0, None)
    segmented = segment_submissions(labelled, segmenter=tools.segmenter)
    progress("learn", len(labelled), None)
    learned = learn_labels(segmented, labelled, lexicon=tools.lexicon, settings=settings)

    progress("match", len(labelled), None)
    # From here on only the rows that have a text of their own, each as a model saw it that never learned from it.
    rows, cut = (frame.loc[learned.out_of_fold.index] for frame in (labelled, segmented))
    matcher = fit_matcher(rows, learned.out_of_fold, rows, directory=directory, settings=settings.match)
    matched = match_departments(
        rows,
        cut,
        learned.out_of_fold,
        locate(rows, cut, gazetteer=tools.gazetteer),
        directory=directory,
        matcher=matcher,
        settings=settings.match,
    )
    progress("save", len(labelled), None)
    manifest = {
        "name": out.name,
        "fenban": __version__,
        "rows": len(labelled),
        "sources": sorted(labelled["source_file"].unique()),
        "lexicon_sha256": hashlib.sha256(knowledge.lexicon.read_bytes()).hexdigest(),
        "settings": dataclasses.asdict(settings),
        "scores": learned.scores,
        "lead": score_leads(rows, learned.out_of_fold, matched, target=matcher.target),
    }
    bundle = Bundle(learned.vectorizer, learned.models, matcher, manifest)
    card = write_card(manifest, topic_names=directory.topic_names if directory is not None else {})
    save_bundle(bundle, out, training=labelled, card=card, overwrite=overwrite)
    failed = reading.rejected.loc[reading.rejected["source_row"] == 0, "source_file"]
    return TrainReport(out, manifest, notes, sorted(set(failed)))
