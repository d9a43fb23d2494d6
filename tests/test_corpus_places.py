"""Submissions with district and township marked: whether the files are in order, and how many places are found."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from pipeline.directory import load_directory
from pipeline.places import find_places, open_gazetteer, place_names
from pipeline.schema import SUBMISSIONS, typed
from pipeline.segment import open_segmenter, segment_submissions
from pipeline.settings import Settings

CORPUS = Path(__file__).parent.parent / "corpus"
FIELDS = ["submission_id", "title", "text", "district", "township", "trap"]


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


FILES = [CORPUS / "places" / "places_dev.csv", CORPUS / "places" / "places_test.csv"]
DEV, TEST = map(read, FILES)
DIRECTORY = load_directory(CORPUS / "directory")


def plain(row):
    return "".join(filter(str.isalnum, row["title"] + row["text"]))


def test_the_files_open_in_excel_and_have_the_fields_of_their_readme():
    for path in FILES:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), f"{path.name} needs a byte order mark"
        assert list(read(path)[0]) == FIELDS
    readme = (CORPUS / "places" / "README.md").read_text(encoding="utf-8")
    assert not [row["trap"] for row in DEV + TEST if f"`{row['trap']}`" not in readme]


def test_every_mark_is_an_official_name_of_the_directory_and_the_township_lies_in_the_district():
    districts = {place.name for place in DIRECTORY.places if place.level == "district"} | {""}
    townships = {(place.district, place.name) for place in DIRECTORY.places if place.level == "township"}
    rows = DEV + TEST
    assert not [row["submission_id"] for row in rows if row["district"] not in districts]
    assert not [r["submission_id"] for r in rows if r["township"] and (r["district"], r["township"]) not in townships]


def test_there_is_enough_of_every_kind():
    assert len(TEST) >= 300
    assert len(DEV) >= 200
    counts = Counter(row["trap"] for row in TEST)
    assert counts["none"] >= 50
    assert min(counts.values()) >= 5, counts
    assert {row["district"] for row in TEST} >= {place.name for place in DIRECTORY.places if place.level == "district"}


def test_no_text_stands_twice_or_in_the_rows_that_are_learned_from():
    texts = [plain(row) for row in DEV + TEST]
    assert len(set(texts)) == len(texts)
    learned = {plain(row) for path in sorted((CORPUS / "submissions").glob("*.csv")) for row in read(path)}
    assert not set(texts) & learned


def f1(truth, guess):
    hits = sum(right == said != "" for right, said in zip(truth, guess, strict=True))
    return 2 * hits / (sum(map(bool, truth)) + sum(map(bool, guess)))


@pytest.mark.parametrize(("rows", "floor"), [(DEV, 0.97), (TEST, 0.97)], ids=["dev", "test"])
def test_district_and_township_are_found_as_a_careful_clerk_would(rows, floor):
    texts = pd.DataFrame([{name: row[name] for name in FIELDS[:3]} for row in rows])
    empty = dict.fromkeys(("submitter", "channel", "place", "source_file", "source_sheet"), "")
    nobody = pd.Series([[] for _ in rows], dtype="object")
    submissions = typed(texts.assign(**empty, submitted_at=pd.NaT, returned_by=nobody, source_row=1), SUBMISSIONS)
    segmenter = open_segmenter(
        sorted((CORPUS / "dictionaries").glob("*.txt")), words=place_names(DIRECTORY), settings=Settings().segment
    )
    segmented = segment_submissions(submissions, segmenter=segmenter)
    placed = find_places(submissions, segmented, gazetteer=open_gazetteer(DIRECTORY, settings=Settings().places))

    for level in ("district", "township"):
        assert f1([row[level] for row in rows], placed[level].fillna("").tolist()) >= floor, level
