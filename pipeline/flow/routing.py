"""Files to routing tables, issues and the workbook."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pipeline.bundle import load_returns, load_scorer
from pipeline.cluster import SKETCHES, describe_issues, group_submissions
from pipeline.directory import Directory
from pipeline.engines import Engine
from pipeline.flow.batch import SKETCH, WORDS, RouteStage
from pipeline.flow.memory import collect_returns, keep_beside
from pipeline.flow.progress import Progress
from pipeline.measure import MemoryWatch, Stopwatch
from pipeline.parts import Parts
from pipeline.reading import ReadOptions, list_inputs, read_batches, read_returned
from pipeline.register import Register, find_neighbourhood, keep_run, open_register, registered_returns, settle_issues
from pipeline.runs import (
    ReadingLog,
    RouteReport,
    count_results,
    issue_rows,
    routed_pieces,
    run_key,
    texts_of,
)
from pipeline.settings import Settings
from pipeline.tables import write_issues, write_links, write_routed, write_workbook
from pipeline.tools import Knowledge, bodies_to_choose, doubts_about_directory, open_directory
from pipeline.workspace import Workspace, finish_workspace, finished_run, open_workspace, release_workspace


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
    done = finished_run(out, key=key)
    if done is not None:
        return RouteReport(out, done, finished_before=True)
    workspace = open_workspace(out, key=key, part_key=str(settings.engine.batch_rows), overwrite=overwrite)
    try:
        with MemoryWatch() as memory, open_register(register) if register is not None else nullcontext() as opened:
            log = ReadingLog(files)
            log.notes += doubts_about_directory(knowledge, on=today)
            with watch.stage("returns"):
                earlier = [registered_returns(opened)] if opened is not None else []
                here = read_returned(files, options=options, settings=settings.reading)
                everything = collect_returns([load_returns(knowledge.bundle), *earlier, here])
                returned = keep_beside(workspace.folder, everything)
            stage = RouteStage(knowledge, settings, known, today, returned)
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
            share = log.share * rows / log.total if log.total else None
            progress("map", rows, share)
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
            everything.read([SKETCH + name for name in SKETCHES.names]).set_axis(SKETCHES.names, axis=1),
            texts=lambda rows: texts_of(everything, rows),
            words=lambda rows: [kept.split() for kept in everything.take(rows, [WORDS])[WORDS]],
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
            departments=bodies_to_choose(stage.knowledge, directory),
            made_at=dt.datetime.now(),
            mass_posted_rows=settings.cluster.mass_posted_rows,
            settings=settings.tables,
        )
    with watch.stage("register"):
        if neighbourhood is not None:
            keep_run(neighbourhood, outcome, settings=settings.cluster)
    return count_results(routed_path, issues)
