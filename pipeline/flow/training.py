"""Labelled files to a bundle."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

from pipeline import __version__
from pipeline.bundle import Bundle, load_training, refuse_existing, save_bundle, settings_of
from pipeline.card import write_card
from pipeline.cluster import sketch_submissions
from pipeline.evaluate import score_leads, score_routed
from pipeline.flow.batch import route_batch
from pipeline.flow.memory import open_clauses, open_memory
from pipeline.flow.progress import Progress
from pipeline.issue_learning import is_marked, is_taught, learn_issues
from pipeline.labelling import prepare_labels, rare_labels, read_ids, split_held_out
from pipeline.lead_learning import learn_past
from pipeline.learning import classify_unseen, learn_labels
from pipeline.match import fit_matcher, match_departments, target_of
from pipeline.places import locate
from pipeline.reading import ReadOptions, read_submissions
from pipeline.runs import TrainReport
from pipeline.schema import SUBMISSIONS
from pipeline.segment import segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Knowledge, open_tools


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
        reading.submissions.assign(example=not settings.recall.own_matters),
        reading.rejected,
        directory=directory,
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
    placed, target = locate(rows, cut, gazetteer=tools.gazetteer), target_of(learned.out_of_fold)
    past, recalled = learn_past(
        rows,
        labelled[taught],
        learned.vectors,
        learned.folds,
        target=target,
        clauses=open_clauses(tools, learned.vectorizer),
        settings=settings.recall,
    )
    matcher = fit_matcher(
        rows, learned.out_of_fold, placed, recalled, rows, directory=directory, settings=settings.match
    )
    matched = match_departments(
        rows,
        learned.out_of_fold,
        placed,
        recalled,
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
    bundle = Bundle(learned.vectorizer, learned.tuning, learned.models, matcher, past, scorer, manifest)
    if len(held):
        # Without their labels, which would stand in the place of what is predicted.
        memory = open_memory(tools, bundle, None, settings)
        routed = route_batch(held[SUBMISSIONS.names], tools=tools, bundle=bundle, memory=memory, settings=settings)
        manifest["held_out"] = score_routed(held, routed, target=matcher.target)
    card = write_card(manifest, topic_names=directory.topic_names if directory is not None else {})
    save_bundle(bundle, out, training=labelled, card=card, overwrite=overwrite)
    failed = reading.rejected.loc[reading.rejected["source_row"] == 0, "source_file"]
    return TrainReport(out, manifest, notes, sorted(set(failed)))
