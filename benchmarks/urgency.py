#!/usr/bin/env python3
"""Measures alarms: which of the urgent letters are found, and which of the calm ones are taken for urgent.

    urgency.py [--set test|dev] [--model MODEL] [--wrong]

Without --model the words alone are judged, as `find_alarms` does. With it the letters go through all map stages, so
that urgent clauses have their say. --wrong lists the letters that were judged wrongly: only to be used with the
development set, or the test measures what was looked up. A second table does the same for corpus/submissions, whose
writers marked what is urgent by their clerks' judgement and not by these kinds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.bundle import load_bundle
from pipeline.flow import open_memory, route_batch
from pipeline.match.signs import KINDS
from pipeline.match.urgency import find_alarms
from pipeline.reading import ReadOptions, read_submissions
from pipeline.settings import MatchSettings, Settings
from pipeline.tools import Knowledge, open_tools

ROOT = Path(__file__).resolve().parent.parent


def letters_of(name: str) -> pd.DataFrame:
    """The letters of one set, with submitted_at as times."""
    path = ROOT / "corpus" / "urgency" / f"urgency_{name}.csv"
    letters = pd.read_csv(path, dtype=str, keep_default_na=False)
    return letters.assign(submitted_at=pd.to_datetime(letters["submitted_at"]))


def share(found: pd.Series, wanted: pd.Series) -> str:
    """Recall and precision with their counts."""
    both = int((found & wanted).sum())
    return (
        f"{both / max(1, wanted.sum()):.3f} ({both}/{wanted.sum()}) | "
        f"{both / max(1, found.sum()):.3f} ({both}/{found.sum()})"
    )


def judged(letters: pd.DataFrame) -> tuple[pd.Series, float]:
    """The kind of each letter's alarm, "" for none, and the seconds it took."""
    began = time.perf_counter()
    texts = [f"{title}\n{text}" for title, text in zip(letters["title"], letters["text"], strict=True)]
    alarms = find_alarms(texts, letters["submitted_at"], settings=MatchSettings())
    seconds = time.perf_counter() - began
    return pd.Series([alarm.kind if alarm else "" for alarm in alarms], index=letters.index), seconds


def routed(path: Path, model: Path) -> pd.DataFrame:
    """The letters of a file as the map stages leave them."""
    settings, bundle = Settings(), load_bundle(model)
    tools = open_tools(Knowledge.shipped(model), settings, on=pd.Timestamp.today().date())
    memory = open_memory(tools, bundle, None, settings)
    rows = read_submissions([path], options=ReadOptions(), settings=settings.reading).submissions
    return route_batch(rows, tools=tools, bundle=bundle, memory=memory, settings=settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("test", "dev"), default="test")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--wrong", action="store_true")
    options = parser.parse_args()
    letters = letters_of(options.set)
    kinds, _ = judged(letters)
    urgent, wanted = kinds != "", letters["urgency"] == "urgent"
    print(f"{len(letters)} letters ({options.set}), {wanted.sum()} urgent\n\n| | recall | precision |\n|---|---|---|")
    print(f"| urgent, by words | {share(urgent, wanted)} |")
    for kind in KINDS:
        print(f"| {kind} | {share(kinds == kind, letters['alarm'] == kind)} |")
    if options.model:
        rows = routed(ROOT / "corpus" / "urgency" / f"urgency_{options.set}.csv", options.model)
        found = rows["urgency"].eq("urgent").set_axis(letters.index)
        print(f"| urgent, routed | {share(found, wanted)} |")
        endangered = rows["endangered"].set_axis(letters.index)
        print(f"| endangered, routed | {share(endangered, letters['endangered'] == 'yes')} |")
    if options.wrong:
        for index in letters.index[kinds != letters["alarm"]]:
            row = letters.loc[index]
            print(
                f"{row['submission_id']} {row['alarm'] or '-'} -> {kinds[index] or '-'}: {row['title']} {row['text']}"
            )
    files = sorted((ROOT / "corpus" / "submissions").glob("*.csv"))
    corpus = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in files], ignore_index=True)
    corpus = corpus.assign(submitted_at=pd.to_datetime(corpus["submitted_at"], errors="coerce"))
    kinds, seconds = judged(corpus)
    print(f"\ncorpus/submissions, {len(corpus)} letters, {len(corpus) / seconds:,.0f} a second")
    print(f"| urgent, by words | {share(kinds != '', corpus['urgency'] == 'urgent')} |")
    print("kinds:", kinds[kinds != ""].value_counts().to_dict())


if __name__ == "__main__":
    main()
