"""Letters of invented cities that teach which letters are one issue: marks, neighbours of a kind, nobody's template."""

from collections import defaultdict

from test_corpus import BY_ID, CORPUS, plain, read

FILES = sorted((CORPUS / "issues").glob("*.csv"))
LETTERS = [row for path in FILES for row in read(path)]
ISSUES = defaultdict(list)
for row in LETTERS:
    if row["issue"]:
        ISSUES[row["issue"]].append(row)


def test_every_file_has_the_same_fields_and_opens_in_excel():
    fields = ["submission_id", "title", "text", "submitted_at", "submitter", "place", "issue"]
    for path in FILES:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), path.name
        assert list(read(path)[0]) == fields


def test_ids_are_unique_beside_the_rest_of_the_corpus():
    ids = [row["submission_id"] for row in LETTERS]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & set(BY_ID)


def test_an_issue_has_two_letters_or_more_and_as_many_letters_stand_alone():
    assert len(ISSUES) >= 150
    assert min(map(len, ISSUES.values())) >= 2
    assert max(map(len, ISSUES.values())) >= 8
    alone = sum(not row["issue"] for row in LETTERS)
    assert 0.4 <= alone / len(LETTERS) <= 0.6


def test_no_text_stands_twice_in_the_whole_corpus():
    texts = [plain(row) for row in LETTERS]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {plain(row) for row in BY_ID.values()}


def test_people_write_again_and_some_write_about_everything():
    again = sum(len({row["submitter"] for row in rows}) < len(rows) for rows in ISSUES.values())
    assert again >= 0.25 * len(ISSUES)
    by_writer = defaultdict(list)
    for row in LETTERS:
        by_writer[row["submitter"]].append(row)
    prolific = [rows for rows in by_writer.values() if len(rows) >= 20]
    assert len(prolific) >= 3
    # Their letters are mostly about unlike matters: that is what the scorer has to learn of them.
    assert all(sum(not row["issue"] for row in rows) >= len(rows) / 2 for rows in prolific)
