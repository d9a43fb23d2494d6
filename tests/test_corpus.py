"""Our own corpus: fields, labels, how much of what there is, and that nobody wrote by template."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from statistics import median

import pytest

CORPUS = Path(__file__).parent.parent / "corpus"
FIELDS = [
    *("submission_id", "title", "text", "submitted_at", "submitter", "channel", "topic", "other_topics"),
    *("department_kind", "co_kinds", "place", "urgency", "issue", "near_miss", "copies"),
]


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


FILES = sorted((CORPUS / "submissions").glob("*.csv"))
ROWS = [row for path in FILES for row in read(path)]
BY_ID = {row["submission_id"]: row for row in ROWS}
MATTERS = read(CORPUS / "matters.csv")
HELD_OUT = {row["submission_id"] for row in read(CORPUS / "heldout.csv")}
TOPICS = {row["topic"] for row in read(CORPUS / "directory" / "topics.csv")}
KINDS = {row["kind"] for row in read(CORPUS / "directory" / "departments.csv")}
PLACES = {row["place"] for row in read(CORPUS / "directory" / "places.csv")}
ISSUES = defaultdict(list)
for row in ROWS:
    if row["issue"]:
        ISSUES[row["issue"]].append(row)


def plain(row):
    return "".join(filter(str.isalnum, row["title"] + row.get("text", "")))


def test_every_file_has_the_same_fields_and_opens_in_excel():
    for path in FILES:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), (
            f"{path.name} needs a byte order mark, or Excel shows mojibake"
        )
        assert list(read(path)[0]) == FIELDS


def test_ids_are_unique_and_every_row_says_something():
    assert len(BY_ID) == len(ROWS)
    assert not [row["submission_id"] for row in ROWS if not plain(row)]


def test_there_is_enough_of_every_topic():
    counts = Counter(row["topic"] for row in ROWS)
    assert len(ROWS) >= 5_000
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 150, counts
    for topic in ("traffic", "power", "sanitation", "flood_relief"):
        assert counts[topic] >= 400, counts


def test_texts_are_as_long_and_as_short_as_people_write():
    lengths = [len(row["text"]) for row in ROWS]
    assert median(lengths) >= 90
    assert sum(length > 300 for length in lengths) >= len(ROWS) / 10
    assert sum(length < 25 for length in lengths) >= len(ROWS) / 10


def test_a_tenth_raises_two_or_more_topics():
    assert sum(row["other_topics"] != "" for row in ROWS) >= len(ROWS) / 10


def test_issues_are_many_and_reported_by_different_people_in_time():
    assert len(ISSUES) >= 500
    for issue, rows in ISSUES.items():
        assert 2 <= len(rows) <= 30, issue
        assert len({row["submitter"] for row in rows}) >= 2, issue
        assert len({row["submitted_at"] for row in rows}) >= 2, issue


def test_there_are_as_many_near_misses_and_each_misses_an_issue_that_is_not_its_own():
    near = [row for row in ROWS if row["near_miss"]]
    assert len({row["issue"] or row["submission_id"] for row in near}) >= 500
    for row in near:
        assert row["near_miss"] in ISSUES, row["submission_id"]
        assert row["near_miss"] != row["issue"], row["submission_id"]


@pytest.mark.parametrize("field", ["topic", "other_topics", "department_kind", "co_kinds", "urgency", "place"])
def test_labels_are_known(field):
    known = {
        "topic": TOPICS,
        "other_topics": TOPICS,
        "department_kind": KINDS,
        "co_kinds": KINDS,
        "urgency": {"urgent", "normal"},
        "place": PLACES,
    }[field]
    unknown = {
        (row["submission_id"], name) for row in ROWS for name in row[field].split(";") if name and name not in known
    }
    assert not unknown


def test_every_row_has_a_topic_a_kind_a_time_a_writer_and_a_channel():
    for row in ROWS:
        assert row["topic"], row["submission_id"]
        assert row["department_kind"], row["submission_id"]
        assert row["channel"] in {"热线", "网站", "微信", "信箱", "委员", "接待日"}, row["submission_id"]
        assert row["submitter"].startswith("u"), row["submission_id"]
        assert datetime.fromisoformat(row["submitted_at"]).year in (2024, 2025, 2026), row["submission_id"]


def test_the_primary_topic_is_not_among_the_further_ones():
    assert not [row["submission_id"] for row in ROWS if row["topic"] in row["other_topics"].split(";")]


def shingles(row):
    text = plain(row)
    return {text[i : i + 5] for i in range(len(text) - 4)}


def too_like(rows, share):
    """Pairs of positions whose shorter text has more than `share` of its five-character shingles in the other."""
    holders = defaultdict(list)
    sets = [shingles(row) for row in rows]
    for number, own in enumerate(sets):
        for shingle in own:
            holders[shingle].append(number)
    shared = Counter()
    for numbers in holders.values():
        # What many share is a phrase of every letter (望解决为盼) and says nothing of templates.
        if 2 <= len(numbers) <= 30:
            shared.update((a, b) for i, a in enumerate(numbers) for b in numbers[i + 1 :])
    return [(a, b) for (a, b), count in shared.items() if count > share * min(len(sets[a]), len(sets[b]))]


def original(row):
    while row["copies"]:
        row = BY_ID[row["copies"]]
    return row["submission_id"]


def test_no_two_texts_share_half_of_their_five_character_shingles_unless_one_is_marked_as_a_copy():
    alike = [(ROWS[a], ROWS[b]) for a, b in too_like(ROWS, 0.5)]
    assert not [(a["submission_id"], b["submission_id"]) for a, b in alike if original(a) != original(b)]


def test_copies_are_few_and_name_a_row_that_they_resemble():
    copies = [row for row in ROWS if row["copies"]]
    assert len(copies) < len(ROWS) / 20
    for row in copies:
        assert shingles(row) & shingles(BY_ID[row["copies"]]), row["submission_id"]


def test_about_a_tenth_is_held_out_of_every_topic():
    assert set(BY_ID) >= HELD_OUT
    for topic in TOPICS:
        rows = [row for row in ROWS if row["topic"] == topic]
        held = sum(row["submission_id"] in HELD_OUT for row in rows)
        assert 0.07 <= held / len(rows) <= 0.13, topic


def test_no_issue_near_miss_or_copy_is_on_both_sides():
    for issue, rows in ISSUES.items():
        assert len({row["submission_id"] in HELD_OUT for row in rows}) == 1, issue
    for row in ROWS:
        held = row["submission_id"] in HELD_OUT
        if row["near_miss"]:
            assert (ISSUES[row["near_miss"]][0]["submission_id"] in HELD_OUT) == held, row["submission_id"]
        if row["copies"]:
            assert (row["copies"] in HELD_OUT) == held, row["submission_id"]


def test_matters_are_short_labelled_different_and_never_scored():
    assert len(MATTERS) >= 10_000
    assert len({plain(row) for row in MATTERS}) == len(MATTERS)
    for row in MATTERS:
        assert row["topic"] in TOPICS, row
        assert set(filter(None, row["other_topics"].split(";"))) <= TOPICS - {row["topic"]}, row
        assert set(row["department_kind"].split(";")) <= KINDS, row
        assert 1 <= len(row["title"]) <= 45, row
        assert row["learn_only"] == "1", row


def test_no_matter_is_a_held_out_text():
    held = {plain(BY_ID[name]) for name in HELD_OUT} | {
        "".join(filter(str.isalnum, BY_ID[name]["title"])) for name in HELD_OUT
    }
    # Six characters or fewer are a heading, such as 停水了, and nobody's text.
    assert not [row["title"] for row in MATTERS if plain(row) in held and len(plain(row)) > 6]
