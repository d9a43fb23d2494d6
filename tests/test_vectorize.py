"""What vectors promise: the same whatever the batch, of unit length, and phrases found wherever they stand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DirectoryError, InputError, TableError
from pipeline.resources import shipped
from pipeline.settings import VectorizeSettings
from pipeline.vectorize import Lexicon, Vectorizer, fit_vectorizer, lexicon_scores, load_lexicon

SETTINGS = VectorizeSettings()


def segmented(*rows: tuple[str, str]) -> pd.DataFrame:
    """Titles and texts whose tokens are parted by blanks."""
    return pd.DataFrame(
        {
            "submission_id": [f"s{row}" for row in range(len(rows))],
            "title_tokens": pd.Series([title.split() for title, _ in rows], dtype="object"),
            "text_tokens": pd.Series([text.split() for _, text in rows], dtype="object"),
        }
    )


ROWS = segmented(
    ("供暖 不热", "道里区 爱建 小区 供暖 不热 室温 14 度"),
    ("噪音 扰民", "烧烤 摊 噪音 扰民 到 半夜"),
    ("", "供暖 不热 噪音 扰民 室温 低"),
    ("", ""),
    ("KTV 噪音", "楼下 KTV 噪音 扰民 小区 居民"),
)


@pytest.fixture(scope="module")
def vectorizer() -> Vectorizer:
    return fit_vectorizer(ROWS, settings=SETTINGS)


@pytest.fixture
def lexicon(tmp_path) -> Lexicon:
    path = tmp_path / "lexicon.csv"
    rows = [
        "word,topic,weight",
        "供暖,heating_gas,3",
        "噪音扰民,environment,3",
        "噪音,environment,2",
        "ＫＴＶ,environment,1",
    ]
    path.write_text("\n".join([*rows, "小区,housing,1", "供暖,housing,1"]), encoding="utf-8-sig")
    return load_lexicon(path)


def score(lexicon: Lexicon, *rows: tuple[str, str]) -> dict[str, float]:
    return dict(zip(lexicon.topics, lexicon_scores(segmented(*rows), lexicon, settings=SETTINGS)[0], strict=True))


def test_rows_have_unit_length_and_a_blank_row_is_zero(vectorizer):
    vectors = vectorizer.transform(ROWS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, len(vectorizer.keys))
    lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1))
    np.testing.assert_allclose(np.asarray(lengths).ravel(), [1, 1, 1, 0, 1], atol=1e-5)


def test_only_what_two_rows_have_is_a_feature():
    words = fit_vectorizer(segmented(("", "路灯 坏"), ("", "路灯 亮")), settings=SETTINGS)
    # The word 路灯, and as characters 路, 灯 and 路灯; nothing else stands in both rows.
    assert (words.word_features, len(words.keys)) == (1, 4)


def test_characters_do_not_run_from_one_word_into_the_next():
    rows = segmented(("", "路 灯"), ("", "路 灯"))
    words = fit_vectorizer(rows, settings=SETTINGS)
    assert (words.word_features, len(words.keys)) == (2, 4)


def test_words_not_to_be_heard_leave_no_trace():
    vectorizer = fit_vectorizer(ROWS, settings=SETTINGS, unheard=["小区", "ktv"])
    with_them = vectorizer.transform(segmented(("小区 噪音", "小区 KTV 噪音 扰民"), ("", "小区 KTV")))
    without = vectorizer.transform(segmented(("噪音", "噪音 扰民"), ("", "")))
    assert without.nnz > 0
    assert (with_them != without).nnz == 0


def test_of_too_many_features_the_commonest_stay():
    rows = segmented(("", "路灯"), ("", "路灯 井盖"), ("", "路灯 井盖"), ("", "井盖 路灯"))
    few = fit_vectorizer(rows, settings=VectorizeSettings(block_features=1))
    assert (few.word_features, len(few.keys)) == (1, 2)
    assert few.transform(segmented(("", "路灯"))).nnz == 2
    assert few.transform(segmented(("", "井盖"))).nnz == 0


def test_case_does_not_matter(vectorizer):
    upper, lower = (vectorizer.transform(segmented(("", f"{word} 噪音"))) for word in ("KTV", "ktv"))
    assert (upper != lower).nnz == 0


def test_a_word_in_the_title_is_another_feature_than_in_the_text(vectorizer):
    title, text = (vectorizer.transform(segmented(row)) for row in (("噪音 扰民", ""), ("", "噪音 扰民")))
    assert title.nnz > text.nnz > 0


TOKENS = st.lists(
    st.sampled_from(["供暖", "不热", "噪音", "扰民", "室温", "14", "KTV", "小区", "İ", "𠀀", "x" * 70]), max_size=12
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(TOKENS, TOKENS), max_size=8))
def test_a_batch_gives_the_same_as_row_by_row(vectorizer, rows):
    table = segmented(*((" ".join(title), " ".join(text)) for title, text in rows))
    whole = vectorizer.transform(table)
    for row in range(len(table)):
        assert (vectorizer.transform(table.iloc[[row]]) != whole[row]).nnz == 0


def test_many_grams_are_all_found_again():
    rows = segmented(*(("", f"词{number} 语{number % 7}") for number in range(3_000) for _ in range(2)))
    vectorizer = fit_vectorizer(rows, settings=VectorizeSettings(titles=False))
    vectors = vectorizer.transform(rows)
    # Every feature stands in a row: none is lost where two fall on one place of the table.
    assert np.all(np.bincount(vectors.indices, minlength=len(vectorizer.keys)) >= 2)


def test_parts_give_the_same_vectorizer(vectorizer):
    parts = vectorizer.to_parts()
    assert all(part.dtype.kind in "uifbU" for part in parts.values())
    again = Vectorizer.from_parts(parts)
    assert (again.transform(ROWS) != vectorizer.transform(ROWS)).nnz == 0
    assert again.settings.title_weight == SETTINGS.title_weight


def test_no_rows_give_no_vectors(vectorizer):
    assert vectorizer.transform(ROWS.iloc[:0]).shape == (0, len(vectorizer.keys))
    assert len(fit_vectorizer(ROWS.iloc[:0], settings=SETTINGS).keys) == 0


def test_a_missing_column_is_named(vectorizer):
    with pytest.raises(TableError, match="title_tokens"):
        vectorizer.transform(ROWS.drop(columns="title_tokens"))


def test_the_lexicon_adds_the_weights_of_what_stands_in_the_text(lexicon):
    assert score(lexicon, ("", "供暖 不热")) == {"environment": 0, "heating_gas": 3, "housing": 1}


def test_a_phrase_is_found_across_tokens_and_each_time_counts(lexicon):
    assert score(lexicon, ("", "噪音 扰民 噪 音"))["environment"] == 3 + 2 + 2


def test_the_title_counts_more(lexicon):
    assert score(lexicon, ("供暖", ""))["heating_gas"] == 3 * SETTINGS.title_weight


def test_width_and_case_of_a_lexicon_word_do_not_matter(lexicon):
    assert score(lexicon, ("", "ktv"))["environment"] == 1


def test_a_phrase_does_not_run_from_one_row_into_the_next(lexicon):
    assert lexicon_scores(segmented(("", "供"), ("", "暖")), lexicon, settings=SETTINGS).sum() == 0


def test_every_word_of_the_shipped_lexicon_is_found():
    lexicon = load_lexicon(shipped("lexicon.csv"))
    found = lexicon_scores(segmented(*(("", str(word)) for word in lexicon.words)), lexicon, settings=SETTINGS)
    assert np.all(found >= lexicon.weights)
    again = Lexicon.from_parts(lexicon.to_parts())
    np.testing.assert_array_equal(
        lexicon_scores(ROWS, again, settings=SETTINGS), lexicon_scores(ROWS, lexicon, settings=SETTINGS)
    )


@pytest.mark.parametrize("row", ["供暖,,3", "，,traffic,3", "供暖,heating_gas,viel", "供暖,heating_gas,0", "供暖"])
def test_a_row_that_is_no_entry_is_named(tmp_path, row):
    path = tmp_path / "lexicon.csv"
    path.write_text(f"word,topic,weight\n路灯,city_management,3\n{row}\n", encoding="utf-8")
    with pytest.raises(DirectoryError, match=r"lexicon\.csv row 3"):
        load_lexicon(path)


def test_a_lexicon_that_is_absent_or_in_another_encoding_is_refused(tmp_path):
    with pytest.raises(InputError, match="Check its path"):
        load_lexicon(tmp_path / "none.csv")
    path = tmp_path / "gbk.csv"
    path.write_bytes("word,topic,weight\n供暖,heating_gas,3\n".encode("gb18030"))
    with pytest.raises(InputError, match="CSV UTF-8"):
        load_lexicon(path)


def test_character_pairs_run_across_words_only_where_that_is_asked_for():
    rows = segmented(("", "路灯 坏"), ("", "路灯 坏"))
    inside, across = (
        fit_vectorizer(rows, settings=VectorizeSettings(across_words=asked)).transform(segmented(("", "某灯坏某")))
        for asked in (False, True)
    )
    assert across.nnz == 1, "灯坏 is found inside another word"
    assert inside.nnz == 2, "only 灯 and 坏 as single characters"


def test_a_vectorizer_keeps_how_it_reads_characters():
    rows = segmented(("", "路灯 坏"), ("", "路灯 坏"))
    fitted = fit_vectorizer(rows, settings=VectorizeSettings(across_words=True))
    assert Vectorizer.from_parts(fitted.to_parts()).settings.across_words
