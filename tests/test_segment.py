"""What segmentation promises: jieba's tokens, at rjieba's speed, whatever people type."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, SettingsError, TableError
from pipeline.schema import SEGMENTED, SUBMISSIONS, empty_table
from pipeline.segment import Segmenter, normalize, open_segmenter, segment_submissions
from pipeline.settings import SegmentSettings

WORDS = ["爱建滨江", "群力新区", "A3区", "T恤", "一匡街", "供暖不热"]
DICTIONARY = Path(__file__).parents[1] / "corpus" / "dictionaries" / "words.txt"
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return open_segmenter([DICTIONARY], settings=SegmentSettings(), words=WORDS)


@pytest.fixture(scope="module")
def reference() -> Segmenter:
    return open_segmenter([DICTIONARY], settings=SegmentSettings(engine="jieba"), words=WORDS)


def submissions(*rows: tuple[str, str]) -> pd.DataFrame:
    table = empty_table(SUBMISSIONS).reindex(range(len(rows)))
    return table.assign(
        submission_id=[f"s{row}" for row in range(len(rows))],
        title=[title for title, _ in rows],
        text=[text for _, text in rows],
    )


def test_a_sentence_becomes_words(segmenter):
    assert segmenter.cut("小区噪音扰民") == ["小区", "噪音", "扰民"]


def test_words_of_the_user_and_names_of_places_stay_whole(segmenter):
    assert segmenter.cut("群力新区和爱建滨江的业委会说供暖不热") == [
        "群力新区", "和", "爱建滨江", "的", "业委会", "说", "供暖不热",
    ]  # fmt: skip


def test_blanks_punctuation_and_emoji_are_dropped_and_numbers_kept(segmenter):
    assert segmenter.cut("  室温才14.5℃！！😀\n ３号楼，2019-12-01起。") == [
        "室温", "才", "14", "5", "C", "3", "号楼", "2019", "12", "01", "起",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "80-90元",
        "见4.2.3条",
        "www.harbin.gov.cn",
        "B-1208业主",
        "50%的人",
        "C++和A&B",
        "㐀䶮村",
        "A3区大道",
        "穿T恤",
        "豈有此理",
        "①②㎡",
    ],
)
def test_text_that_the_engines_read_differently_is_cut_alike(text, segmenter, reference):
    assert segmenter.cut(text) == reference.cut(text)


CHINESE = st.sampled_from(
    "的一是不了人我在有他这小区噪音扰民供暖停水物业群力新爱建滨江匡街㐀䶮\u9fd6\u9fff𠀀龥鿕豈々〇"
)
SIGNS = st.sampled_from("abzAZT019%.-_+#& ，。!\n\t\r😀éЖかア①㎡²％ａ\u200b\ufeff~@/\\'\"$^*()")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(CHINESE, CHINESE, CHINESE, SIGNS), max_size=30).map("".join))
def test_rjieba_and_jieba_give_the_same_tokens(segmenter, reference, text):
    # Of 一噪噪噪人 two readings are exactly as likely, and the last bit of a sum decides: babble.
    assume(max(Counter(filter(str.isalpha, text)).values(), default=0) < 3)
    assert segmenter.cut(text) == reference.cut(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_tokens_hold_letters_and_digits_only_and_every_one_of_them(segmenter, text):
    tokens = segmenter.cut(text)
    assert all(token.isalnum() for token in tokens)
    assert "".join(tokens) == "".join(filter(str.isalnum, normalize(text)))


@pytest.mark.parametrize("word", ["噪音扰民投诉", "哈西万达", "道里菜市场", "供暖不达标", "松北大道延长线"])
def test_a_word_without_frequency_gets_the_one_that_jieba_suggests(word, reference):
    import jieba
    import rjieba

    assert rjieba.Jieba().suggest_freq(word) == jieba.suggest_freq(word)


def test_guessing_of_unknown_words_can_be_turned_off():
    plain = open_segmenter([], settings=SegmentSettings(hmm=False))
    assert plain.cut("他来到了网易杭研大厦") == ["他", "来到", "了", "网易", "杭", "研", "大厦"]


def test_a_table_keeps_rows_order_and_index_and_a_blank_row_is_empty(segmenter):
    table = submissions(("路灯坏了", "一匡街路灯坏了。"), ("", " \n"), ("停水", ""))
    table.index = pd.Index([7, 3, 5])
    segmented = segment_submissions(table, segmenter=segmenter)
    assert list(segmented.columns) == SEGMENTED.names
    assert list(segmented.index) == [7, 3, 5]
    assert segmented["title_tokens"].tolist() == [["路灯", "坏", "了"], [], ["停水"]]
    assert segmented["text_tokens"].tolist() == [["一匡街", "路灯", "坏", "了"], [], []]


def test_batches_of_one_give_the_same_as_all_at_once(segmenter):
    table = submissions(("路灯不亮", "一匡街路灯不亮"), ("", "暖气不热"), ("停水", ""))
    one_by_one = pd.concat([segment_submissions(table.iloc[[row]], segmenter=segmenter) for row in range(3)])
    pd.testing.assert_frame_equal(one_by_one, segment_submissions(table, segmenter=segmenter))


def test_no_rows_give_no_rows(segmenter):
    assert len(segment_submissions(empty_table(SUBMISSIONS), segmenter=segmenter)) == 0


def test_a_missing_column_is_named(segmenter):
    with pytest.raises(TableError, match="text"):
        segment_submissions(pd.DataFrame({"title": ["停水"]}), segmenter=segmenter)


def test_an_unknown_engine_is_refused():
    with pytest.raises(SettingsError, match="engine = 'rjieba'"):
        open_segmenter([], settings=SegmentSettings(engine="hanlp"))


@pytest.mark.parametrize("line", ["A-1栋 5 n", "供暖 0", "， 3"])
def test_a_line_that_cannot_be_a_word_is_named(tmp_path, line):
    path = tmp_path / "words.txt"
    path.write_text(f"路灯 5 n\n\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.txt line 3"):
        open_segmenter([path], settings=SegmentSettings())


def test_a_dictionary_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("路灯 5 n".encode("gb18030"))
    with pytest.raises(InputError, match="Save it as UTF-8"):
        open_segmenter([path], settings=SegmentSettings())


def test_an_absent_dictionary_is_named(tmp_path):
    with pytest.raises(InputError, match="Check its path"):
        open_segmenter([tmp_path / "none.txt"], settings=SegmentSettings())


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif(not DATA.exists(), reason="data kept outside the project is absent")
@pytest.mark.parametrize("name", ["board_hot", "board_replies", "topics_dev"])
def test_no_real_text_is_cut_differently(name, segmenter, reference):
    table = pd.read_csv(DATA / f"{name}.csv", dtype=str).fillna("")
    differing = [text for text in table["title"] + "\n" + table["text"] if segmenter.cut(text) != reference.cut(text)]
    assert differing == []
