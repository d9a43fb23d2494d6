"""The order of the stages. The only file that knows them all.

submissions -> segmented -> classified -> placed -> matched --+--> routed -> tables
                   |                                          |
                   +-------------> sketches -> issues --------+
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import gc
import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import __version__
from pipeline.bundle import Bundle, load_bundle, load_scorer, load_training, refuse_existing, save_bundle, settings_of
from pipeline.card import write_card
from pipeline.classify import classify_labels
from pipeline.cluster import SKETCHES, content_words, describe_issues, group_submissions, sketch_submissions
from pipeline.directory import Directory
from pipeline.engines import Engine
from pipeline.evaluate import score_leads, score_routed
from pipeline.issue_learning import is_marked, is_taught, learn_issues
from pipeline.labelling import prepare_labels, rare_labels, read_ids, split_held_out
from pipeline.learning import classify_unseen, learn_labels
from pipeline.match import fit_matcher, match_departments
from pipeline.measure import MemoryWatch, Stopwatch
from pipeline.parts import Parts
from pipeline.places import locate
from pipeline.reading import ReadOptions, list_inputs, read_batches, read_submissions
from pipeline.register import Register, find_neighbourhood, keep_run, open_register, settle_issues
from pipeline.runs import (
    ReadingLog,
    RouteReport,
    TrainReport,
    count_results,
    issue_rows,
    routed_pieces,
    run_key,
    texts_of,
)
from pipeline.schema import SUBMISSIONS
from pipeline.segment import segment_submissions
from pipeline.settings import Settings
from pipeline.tables import write_issues, write_links, write_routed, write_workbook
from pipeline.tools import Knowledge, Tools, doubts_about_directory, open_directory, open_tools
from pipeline.workspace import Workspace, finish_workspace, finished_run, open_workspace, release_workspace

Progress = Callable[[str, int, float | None], None]
"""Called with the name of a stage, the rows done in it, and the share of it that is done (None: not known)."""

_WORDS = "words"  # content words of a row, parted by blanks: the evidence of a link is taken from them
_SKETCH = "sketch."  # before the sketches' column names in a part, where places would stand twice


def route_batch(submissions: pd.DataFrame, *, tools: Tools, bundle: Bundle, settings: Settings) -> pd.DataFrame:
    """All map stages on one batch: each row alone, so that the batch size never changes a result.

    Parameters
    ----------
    submissions : table SUBMISSIONS

    Returns
    -------
    the columns of SUBMISSIONS, CLASSIFIED, PLACED, MATCHED and, with "sketch." before their names, SKETCHES side by
    side, and the content words; same rows and order; ``attrs["seconds"]`` has the seconds of each stage
    """
    watch = Stopwatch()
    with watch.stage("segment"):
        segmented = segment_submissions(submissions, segmenter=tools.segmenter)
    with watch.stage("classify"):
        classified = classify_labels(
            segmented,
            vectorizer=bundle.vectorizer,
            lexicon=tools.lexicon,
            models=bundle.models,
            tuning=bundle.tuning,
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
        sketches = sketch_submissions(submissions, segmented, classified, placed, settings=settings.cluster)
        words = content_words(segmented).rename(_WORDS)
    sketches = sketches.set_axis(submissions.index, axis=0).add_prefix(_SKETCH)
    together = pd.concat([submissions, classified, placed, matched, sketches, words], axis=1)
    together = together.loc[:, ~together.columns.duplicated()]
    together.attrs["seconds"] = watch.seconds
    return together


@dataclass(frozen=True)
class RouteStage:
    """`route_batch` with its tools by name, so that worker processes open them themselves.

    Attributes
    ----------
    knowledge, settings : of the run
    digest : for the cache: a folder that changes under the same name is opened anew
    on : day of the run, for the duties in force
    """

    knowledge: Knowledge
    settings: Settings
    digest: str
    on: dt.date

    def __call__(self, submissions: pd.DataFrame) -> pd.DataFrame:
        """See `route_batch`."""
        tools, bundle = _opened(self)
        return route_batch(submissions, tools=tools, bundle=bundle, settings=self.settings)


@functools.lru_cache(maxsize=1)
def _opened(stage: RouteStage) -> tuple[Tools, Bundle]:
    # Once for each worker process: opening takes as long as some thousand rows do.
    opened = open_tools(stage.knowledge, stage.settings, on=stage.on), load_bundle(stage.knowledge.bundle)
    # What was opened stays, so the garbage collector need not look through it again and again: 8 % of all time.
    gc.freeze()
    return opened


def route(
    inputs: Sequence[Path],
    out: Path,
    *,
    knowledge: Knowledge,
    engine: Engine,
    options: ReadOptions | None = None,
    settings: Settings | None = None,
    register: Path | None = None,
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
    register : the office's DuckDB file of earlier submissions; issues go on under the ids they have there
    overwrite : rename a folder that stands at `out`

    Raises
    ------
    PipelineError : see pipeline/errors.py; a bad row or file is reported in the run, not raised
    """
    options, settings = options or ReadOptions(), settings or Settings()
    watch = Stopwatch()
    with watch.stage("hash"):
        files = list_inputs(inputs, leave_out=out)
        today = dt.date.today()
        directory = open_directory(knowledge, on=today)
        known = knowledge.digest(directory)
        key = run_key(files, known, options, settings, register=register)
    if (done := finished_run(out, key=key)) is not None:
        return RouteReport(out, done, finished_before=True)
    workspace = open_workspace(out, key=key, part_key=str(settings.engine.batch_rows), overwrite=overwrite)
    try:
        with MemoryWatch() as memory, open_register(register) if register is not None else nullcontext() as opened:
            log = ReadingLog(files)
            log.notes += doubts_about_directory(knowledge, on=today)
            stage = RouteStage(knowledge, settings, known, today)
            parts = _map_parts(log, stage, workspace, engine, options, settings, watch, progress)
            counts = _write_results(log, parts, stage, directory, workspace, opened, watch, progress)
        run = {
            "key": key,
            "inputs": log.inputs(),
            "rejected": log.rejected().to_dict("records"),
            "notes": log.notes,
            "model": knowledge.model(),
            "directory": knowledge.directory.name if knowledge.directory is not None else "none",
            "lexicon": knowledge.lexicon.name,
            "knowledge_sha256": known,
            "register": register.name if register is not None else "none",
            "engine": type(engine).__name__,
            "settings": dataclasses.asdict(settings),
            "counts": {"read": parts.rows, "rejected": len(log.rejected()), **counts},
            "seconds": {name: round(seconds, 3) for name, seconds in watch.seconds.items()},
            "peak_memory_bytes": memory.peak_bytes,
            "memory_measure": memory.measure,
        }
        finish_workspace(workspace, run)
    finally:
        release_workspace(workspace)
    return RouteReport(out, run, finished_before=False)


def _map_parts(
    log: ReadingLog,
    stage: RouteStage,
    workspace: Workspace,
    engine: Engine,
    options: ReadOptions,
    settings: Settings,
    watch: Stopwatch,
    progress: Progress,
) -> Parts:
    batches = read_batches(log.files, options=options, settings=settings.reading, batch_rows=settings.engine.batch_rows)
    paths, rows = [], 0
    with watch.stage("map"):
        for part in engine.map_batches(log.submissions(batches, watch), stage, folder=workspace.parts):
            paths.append(part.path)
            rows += part.rows
            for name, seconds in part.seconds.items():
                watch.add(f"map.{name}", seconds)
            # What is read is ahead of what is done: the share that is read is scaled down to what is done.
            progress("map", rows, log.share * rows / log.total if log.total else None)
    log.refuse_nothing()
    return Parts(tuple(paths))


def _write_results(
    log: ReadingLog,
    new: Parts,
    stage: RouteStage,
    directory: Directory | None,
    workspace: Workspace,
    register: Register | None,
    watch: Stopwatch,
    progress: Progress,
) -> dict[str, Any]:
    """Group all rows into issues, with their neighbours in the register, and write every table."""
    settings, result = stage.settings, workspace.result
    scorer = load_scorer(stage.knowledge.bundle)
    neighbourhood = None
    with watch.stage("register"):
        if register is not None:
            target = workspace.folder / "known.parquet"
            neighbourhood = find_neighbourhood(register, new, target, scorer=scorer, settings=settings.cluster)
    everything = neighbourhood.everything if neighbourhood is not None else new
    progress("issues", everything.rows, None)
    with watch.stage("issues"):
        grouping = group_submissions(
            everything.read([_SKETCH + name for name in SKETCHES.names]).set_axis(SKETCHES.names, axis=1),
            texts=lambda rows: texts_of(everything, rows),
            words=lambda rows: [kept.split() for kept in everything.take(rows, [_WORDS])[_WORDS]],
            scorer=scorer,
            settings=settings.cluster,
            known=neighbourhood.known if neighbourhood is not None else None,
        )
        members = grouping.members.assign(reopened=False)
        if grouping.tightened:
            log.notes.append(f"{grouping.tightened} 组相似件过大，归并时提高了要求")
        if neighbourhood is not None:
            outcome = settle_issues(neighbourhood, grouping, at=dt.datetime.now(), cohesion=settings.cluster.cohesion)
            members = outcome.members
            log.notes += outcome.notes
        own = members.iloc[everything.rows - new.rows :]
        if directory is not None:
            log.notes += directory.working_calendar.remarks(new.read(["submitted_at", "working_days", "deadline"]))
    progress("tables", new.rows, None)
    with watch.stage("tables"):
        routed_path = result / "routed.parquet"
        write_routed(routed_path, routed_pieces(new, own))
        issues = describe_issues(issue_rows(everything, members, set(own["issue_id"])), settings=settings.cluster)
        write_issues(result / "issues.parquet", issues)
        links = grouping.links[grouping.links["submission_id"].isin(own["submission_id"])]
        write_links(result / "links.parquet", links)
    progress("workbook", new.rows, None)
    with watch.stage("workbook"):
        write_workbook(
            result / "routing_tables.xlsx",
            routed_path,
            issues=issues,
            links=links,
            marks=new.read(["endangered"]).assign(repeats=own["duplicate_of"].to_numpy()),
            rejected=log.rejected(),
            notes=log.notes,
            topic_names=directory.topic_names if directory is not None else {},
            departments=[body.name for body in directory.departments] if directory is not None else (),
            made_at=dt.datetime.now(),
            mass_posted_rows=settings.cluster.mass_posted_rows,
            settings=settings.tables,
        )
    with watch.stage("register"):
        if neighbourhood is not None:
            keep_run(neighbourhood, outcome, settings=settings.cluster)
    return count_results(routed_path, issues)


def train(
    inputs: Sequence[Path],
    out: Path,
    *,
    knowledge: Knowledge,
    options: ReadOptions | None = None,
    settings: Settings | None = None,
    base: Path | None = None,
    held_out: Path | None = None,
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
    settings : None learns as the base was learned, or as a fresh model is
    base : a bundle whose rows are learned again together with the new ones
    held_out : file with the column submission_id of the rows that are not learned from, but scored at the end
    strict : stop where a row is rejected or labels contradict each other
    overwrite : replace a bundle that stands at `out`

    Raises
    ------
    InputError : nothing to learn from, or `strict` and something is wrong with the rows
    BundleError : a folder stands at `out` already
    """
    options, settings = options or ReadOptions(labels=True), settings or settings_of(base)
    refuse_existing(out, overwrite=overwrite)
    tools = open_tools(knowledge, settings, on=dt.date.today())
    directory = tools.directory
    progress("read", 0, None)
    reading = read_submissions(inputs, options=options, settings=settings.reading)
    labelled, notes = prepare_labels(
        reading.submissions,
        reading.rejected,
        topic_key=directory.topic_key if directory is not None else str,
        base=load_training(base) if base is not None else None,
        strict=strict,
    )
    labelled, held = split_held_out(labelled, read_ids(held_out) if held_out is not None else ())
    notes = [*reading.notes, *notes, *rare_labels(labelled)]

    progress("segment", 0, None)
    segmented = segment_submissions(labelled, segmenter=tools.segmenter)
    progress("learn", len(labelled), None)
    taught = is_taught(labelled)
    learned = learn_labels(segmented[taught], labelled[taught], lexicon=tools.lexicon, settings=settings)

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
    progress("issues", len(labelled), None)
    marked, marked_cut = (frame[is_marked(labelled)] for frame in (labelled, segmented))
    sketches = sketch_submissions(
        marked,
        marked_cut,
        classify_unseen(marked_cut, learned, lexicon=tools.lexicon),
        locate(marked, marked_cut, gazetteer=tools.gazetteer),
        settings=settings.cluster,
    )
    scorer, issue_scores = learn_issues(labelled, segmented, sketches, lexicon=tools.lexicon, settings=settings.cluster)
    progress("save", len(labelled), None)
    manifest = {
        "name": out.name,
        "fenban": __version__,
        "rows": len(labelled),
        "learn_only_rows": int(labelled["learn_only"].sum()),
        "sources": sorted(labelled["source_file"].unique()),
        "lexicon_sha256": hashlib.sha256(knowledge.lexicon.read_bytes()).hexdigest(),
        "settings": dataclasses.asdict(settings),
        "scores": learned.scores,
        "lead": score_leads(rows, learned.out_of_fold, matched, target=matcher.target),
        "issues": issue_scores,
    }
    bundle = Bundle(learned.vectorizer, learned.tuning, learned.models, matcher, scorer, manifest)
    if len(held):
        # Without their labels, which would stand in the place of what is predicted.
        routed = route_batch(held[SUBMISSIONS.names], tools=tools, bundle=bundle, settings=settings)
        manifest["held_out"] = score_routed(held, routed, target=matcher.target)
    card = write_card(manifest, topic_names=directory.topic_names if directory is not None else {})
    save_bundle(bundle, out, training=labelled, card=card, overwrite=overwrite)
    failed = reading.rejected.loc[reading.rejected["source_row"] == 0, "source_file"]
    return TrainReport(out, manifest, notes, sorted(set(failed)))
