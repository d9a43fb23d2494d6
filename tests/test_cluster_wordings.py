"""What batches of texts become in numpy is what each text becomes by itself in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from pipeline.cluster.similarity import text_similarity
from pipeline.cluster.wordings import numerals, shingles, wording, wordings
from pipeline.cluster.words import content_codes, packed_words, word_code

SOME_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("供热站ＡＢ９ab3，。 \n㎡①が")), max_size=12)
WORD = st.one_of(
    st.sampled_from(
        ["供热", "群力家园", "问题", "有关部门", "A3", "12", "３号楼", "热力公司营业厅", "热", "，", "", "ab"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=5),
)
ROWS = st.lists(st.tuples(st.lists(WORD, max_size=4), st.lists(WORD, max_size=12)), max_size=5)


@run_settings(max_examples=200)
@given(st.lists(SOME_TEXT, max_size=6))
@example(["", "Ａ３区，\n停电！", "50㎡的房", "한글", "\U0001f600楼\U00020000"])
def test_the_wordings_of_a_batch_are_those_of_its_texts(texts):
    assert wordings(texts) == [wording(text) for text in texts]


def test_a_wording_has_no_case_no_width_no_blanks_and_no_punctuation():
    assert wordings(["Ａ３ 区，\n“停_电”！", "½①", "……"]) == ["a3区停电", "121", ""]


def test_numerals_are_the_digits_of_each_wording_in_their_order():
    assert numerals(["12号楼3单元", "", "没有", "0a9"]) == ["123", "", "", "09"]


@pytest.mark.parametrize("width", [2, 3])
def test_shingles_never_reach_into_the_next_row(width):
    rows = ["", "供热不达标", "供", "供热", "供热不", "", "供热不达标"]
    hashes, offsets = shingles(rows, width)
    alone = [shingles([row], width)[0].tolist() for row in rows]
    assert [hashes[start:end].tolist() for start, end in zip(offsets[:-1], offsets[1:], strict=True)] == alone
    assert [len(each) for each in alone] == [max(0, len(row) - width + 1) for row in rows]


@run_settings(max_examples=200)
@given(st.lists(st.lists(WORD, max_size=8), max_size=5))
def test_the_codes_of_a_batch_are_those_of_its_words(rows):
    of, codes, lengths = content_codes(rows)
    expected = [(i, word_code(word), len(word)) for i, row in enumerate(rows) for word in row if word_code(word) >= 0]
    assert list(zip(of.tolist(), codes.tolist(), lengths.tolist(), strict=True)) == expected


@run_settings(max_examples=200)
@given(ROWS, st.integers(1, 6))
def test_of_a_row_with_too_many_words_titles_repeats_and_long_words_are_kept_first(rows, most):
    titles, texts = [title for title, _ in rows], [text for _, text in rows]
    packed = [np.frombuffer(each, "<u4").tolist() for each in packed_words(titles, texts, most)]
    for (title, text), kept in zip(rows, packed, strict=True):
        said: dict[int, tuple[bool, int, int]] = {}
        for word in (*title, *text):
            in_title, count, length = said.get(word_code(word), (False, 0, 0))
            said[word_code(word)] = (in_title, count + 1, max(length, len(word)))
        for word in title:
            _, count, length = said[word_code(word)]
            said[word_code(word)] = (True, count + 1, length)
        said.pop(-1, None)
        order = sorted(said, key=lambda code: (not said[code][0], -min(said[code][1], 7), -said[code][2], code))
        expected = [code << 4 | said[code][0] << 3 | min(said[code][1], 7) for code in sorted(order[:most])]
        assert kept == expected


def test_a_word_of_the_title_is_marked_and_counts_twice_more():
    (packed,) = packed_words([["供热"]], [["供热", "停电", "问题", "的"]], 80)
    assert set(np.frombuffer(packed, "<u4").tolist()) == {word_code("供热") << 4 | 8 | 3, word_code("停电") << 4 | 1}


@run_settings(max_examples=100)
@given(st.lists(st.text("供热站不", max_size=12), min_size=2, max_size=8), st.integers(1, 4))
def test_similarity_is_jaccard_over_the_sets_of_runs_of_three_characters(texts, pairs_at_once):
    pairs = np.array([(i, j) for j in range(len(texts)) for i in range(j)])
    found = text_similarity(pairs, lambda rows: [texts[row] for row in rows], pairs_at_once=pairs_at_once)
    sets = [{text[i : i + 3] for i in range(len(text) - 2)} for text in texts]
    for (i, j), value in zip(pairs.tolist(), found.tolist(), strict=True):
        if texts[i] == texts[j]:
            assert value == 1.0
        elif not sets[i] or not sets[j]:
            assert value == 0.0
        else:
            assert value == pytest.approx(min(0.999, len(sets[i] & sets[j]) / len(sets[i] | sets[j])))


def test_no_pair_asks_for_no_text():
    assert len(text_similarity(np.zeros((0, 2), dtype=np.int64), lambda rows: 1 / 0, pairs_at_once=10)) == 0
