"""The map stages on one batch, each row alone: the part of the flow that worker processes and Spark run."""

from __future__ import annotations

import datetime as dt
import functools
import gc
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.bundle import Bundle, load_bundle
from pipeline.classify import classify_labels
from pipeline.cluster import content_words, sketch_submissions
from pipeline.flow.memory import Memory, open_memory
from pipeline.match import match_departments
from pipeline.measure import Stopwatch
from pipeline.places import locate
from pipeline.recall import recall_matters
from pipeline.segment import segment_submissions
from pipeline.settings import Settings
from pipeline.tools import Knowledge, Tools, open_tools

WORDS = "words"  # content words of a row, parted by blanks: the evidence of a link is taken from them
SKETCH = "sketch."  # before the sketches' column names in a part, where places would stand twice


def route_batch(
    submissions: pd.DataFrame, *, tools: Tools, bundle: Bundle, memory: Memory, settings: Settings
) -> pd.DataFrame:
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
        vectors = bundle.vectorizer.transform(segmented)
        classified = classify_labels(
            segmented,
            vectors,
            vectorizer=bundle.vectorizer,
            lexicon=tools.lexicon,
            models=bundle.models,
            tuning=bundle.tuning,
        )
    with watch.stage("places"):
        placed = locate(submissions, segmented, gazetteer=tools.gazetteer)
    with watch.stage("recall"):
        recalled = recall_matters(
            submissions,
            vectors,
            past=memory.past,
            meanings=memory.meanings,
            returned=memory.returned,
            settings=settings.recall,
        )
    with watch.stage("match"):
        matched = match_departments(
            submissions,
            classified,
            placed,
            recalled,
            directory=tools.directory,
            matcher=bundle.matcher,
            settings=settings.match,
        )
    with watch.stage("sketch"):
        sketches = sketch_submissions(submissions, segmented, classified, placed, settings=settings.cluster)
        words = content_words(segmented).rename(WORDS)
    sketches = sketches.set_axis(submissions.index, axis=0).add_prefix(SKETCH)
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
    returned : file of the matters that bodies sent back, see `keep_beside`; None where there are none
    """

    knowledge: Knowledge
    settings: Settings
    digest: str
    on: dt.date
    returned: Path | None = None

    def __call__(self, submissions: pd.DataFrame) -> pd.DataFrame:
        """See `route_batch`."""
        tools, bundle, memory = _opened(self)
        return route_batch(submissions, tools=tools, bundle=bundle, memory=memory, settings=self.settings)


@functools.lru_cache(maxsize=1)
def _opened(stage: RouteStage) -> tuple[Tools, Bundle, Memory]:
    # Once for each worker process: opening takes as long as some thousand rows do.
    tools, bundle = open_tools(stage.knowledge, stage.settings, on=stage.on), load_bundle(stage.knowledge.bundle)
    returned = pd.read_parquet(stage.returned) if stage.returned is not None else None
    opened = tools, bundle, open_memory(tools, bundle, returned, stage.settings)
    if multiprocessing.current_process().name != "MainProcess":
        # What was opened stays, so the garbage collector need not look through it again and again: 8 % of all time.
        # And a batch makes hundreds of thousands of small lists and drops them all, none of them a circle: 6 %.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
    return opened
