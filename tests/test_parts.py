"""A table in parts: each written whole or not at all, read back in order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.parts import Parts, part_path, write_part

LETTERS = pd.DataFrame(
    {
        "submission_id": [f"s{n}" for n in range(7)],
        "words": [["路灯"], [], ["暖气", "不热"], ["停水"], [], ["井盖"], ["噪音"]],
    }
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    cuts = [LETTERS.iloc[:3], LETTERS.iloc[3:3], LETTERS.iloc[3:4], LETTERS.iloc[4:]]
    for number, cut in enumerate(cuts):
        write_part(cut, part_path(folder, number))
    return Parts(tuple(part_path(folder, number) for number in range(len(cuts))))


def test_parts_sort_by_name_as_they_were_numbered(tmp_path):
    names = [part_path(tmp_path, number) for number in (0, 2, 10, 100_000)]
    assert names == sorted(names)


def test_the_parts_together_are_the_table(parts):
    assert parts.rows == 7
    assert parts.read(["submission_id"])["submission_id"].tolist() == LETTERS["submission_id"].tolist()
    assert [len(piece) for piece in parts.pieces()] == [3, 0, 1, 3]
    assert [list(words) for words in parts.read(["words"])["words"]] == LETTERS["words"].tolist()


@given(rows=st.lists(st.integers(0, 6), max_size=12))
def test_rows_are_taken_in_the_order_asked_for_and_may_repeat(parts, rows):
    taken = parts.take(np.array(rows, dtype=np.int64), ["submission_id"])
    assert taken["submission_id"].tolist() == [f"s{row}" for row in rows]


def test_no_parts_are_no_rows():
    assert Parts(()).rows == 0
    assert list(Parts(()).pieces()) == []


def test_a_part_that_fails_while_it_is_written_is_not_there(tmp_path, monkeypatch):
    def fail(table, where, **options):
        where.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("pipeline.parts.pq.write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        write_part(LETTERS, part_path(tmp_path, 0))
    assert not part_path(tmp_path, 0).exists()


def test_a_part_takes_the_place_of_what_a_killed_run_left(tmp_path):
    path = part_path(tmp_path, 0)
    path.write_bytes(b"half")
    write_part(LETTERS, path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    pd.testing.assert_frame_equal(pd.read_parquet(path), LETTERS)
