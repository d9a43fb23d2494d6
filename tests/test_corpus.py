"""Our own corpus: fields, labels, and that nobody wrote by template."""

import csv
from collections import Counter
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent.parent / "corpus"
FIELDS = [
    *("submission_id", "title", "text", "submitted_at", "submitter", "channel", "topic", "other_topics"),
    *("department_kind", "co_kinds", "place", "urgency", "issue"),
]


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


FILES = sorted((CORPUS / "submissions").glob("*.csv"))
ROWS = [row for path in FILES for row in read(path)]
TOPICS = {row["topic"] for row in read(CORPUS / "directory" / "topics.csv")}
KINDS = {row["kind"] for row in read(CORPUS / "directory" / "departments.csv")}


def shingles(text):
    plain = "".join(filter(str.isalnum, text))
    return {plain[i : i + 5] for i in range(len(plain) - 4)}


def test_every_file_has_the_same_fields_and_opens_in_excel():
    for path in FILES:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), (
            f"{path.name} needs a byte order mark, or Excel shows mojibake"
        )
        assert list(read(path)[0]) == FIELDS


def test_ids_are_unique_and_every_row_says_something():
    assert len({row["submission_id"] for row in ROWS}) == len(ROWS)
    assert all(row["title"].strip() or row["text"].strip() for row in ROWS)


def test_there_are_at_least_400_submissions_and_20_of_every_topic():
    counts = Counter(row["topic"] for row in ROWS)
    assert len(ROWS) >= 400
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 20, counts


@pytest.mark.parametrize("field", ["topic", "other_topics", "department_kind", "co_kinds", "urgency"])
def test_labels_are_known(field):
    known = {
        "topic": TOPICS,
        "other_topics": TOPICS,
        "department_kind": KINDS,
        "co_kinds": KINDS,
        "urgency": {"urgent", "normal"},
    }[field]
    unknown = {
        (row["submission_id"], name) for row in ROWS for name in row[field].split(";") if name and name not in known
    }
    assert not unknown


def test_the_primary_topic_is_not_among_the_further_ones():
    assert not [row["submission_id"] for row in ROWS if row["topic"] in row["other_topics"].split(";")]


def test_no_two_texts_share_half_of_their_five_character_shingles():
    holders = {}
    sets = [shingles(row["title"] + row["text"]) for row in ROWS]
    for number, own in enumerate(sets):
        for shingle in own:
            holders.setdefault(shingle, []).append(number)
    shared = Counter()
    for numbers in holders.values():
        # What many share is a phrase of every letter (望解决为盼) and says nothing of templates.
        if 2 <= len(numbers) <= 30:
            shared.update((a, b) for i, a in enumerate(numbers) for b in numbers[i + 1 :])
    alike = [
        (ROWS[a]["submission_id"], ROWS[b]["submission_id"])
        for (a, b), count in shared.items()
        if count > 0.5 * min(len(sets[a]), len(sets[b]))
    ]
    assert not alike
