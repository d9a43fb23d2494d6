"""Places: what find_places promises about the words of a Harbin text."""

from __future__ import annotations

import pickle
import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.directory import Directory, Place
from pipeline.errors import TableError
from pipeline.phrases import Phrases, fold
from pipeline.places import find_places, open_gazetteer
from pipeline.schema import PLACED
from pipeline.settings import PlaceSettings


def place(name, level, district="", township="", aliases=(), traps=()):
    return Place(name, level, district, township, tuple(aliases), tuple(traps))


PLACES = (
    place("哈尔滨市", "city", aliases=["哈尔滨", "哈市"]),
    place("道里区", "district", "道里区", aliases=["道里"], traps=["车道里"]),
    place("南岗区", "district", "南岗区", aliases=["南岗"]),
    place("香坊区", "district", "香坊区", aliases=["香坊"]),
    place("五常市", "district", "五常市", aliases=["五常"], traps=["五常大米"]),
    place("依兰县", "district", "依兰县", aliases=["依兰"]),
    place("延寿县", "district", "延寿县", aliases=["延寿"]),
    place("宾县", "district", "宾县"),
    place("新阳路街道", "township", "道里区", "新阳路街道", aliases=["新阳路", "新阳路街道办"]),
    place("安和街道", "township", "道里区", "安和街道"),
    place("花园街道", "township", "南岗区", "花园街道"),
    place("红旗街道", "township", "香坊区", "红旗街道"),
    place("向阳镇", "township", "香坊区", "向阳镇"),
    place("向阳镇", "township", "五常市", "向阳镇"),
    place("哈西街道", "township", "南岗区", "哈西街道", aliases=["哈西"]),
    place("中央大街", "spot", "道里区"),
    place("哈西万达", "spot", "南岗区", "哈西街道"),
)


@pytest.fixture(scope="module")
def gazetteer():
    return open_gazetteer(Directory((), (), (), PLACES), settings=PlaceSettings())


def tables(*rows):
    """Rows are (text as tokens parted by |, title likewise, place column)."""
    cells = [(*row, "", "")[:3] for row in rows]
    segmented = pd.DataFrame(
        {
            "submission_id": [str(i) for i in range(len(cells))],
            "title_tokens": [title.split("|") if title else [] for _, title, _ in cells],
            "text_tokens": [text.split("|") if text else [] for text, _, _ in cells],
        }
    )
    submissions = pd.DataFrame(
        {
            "submission_id": segmented["submission_id"],
            "title": [title.replace("|", "") for _, title, _ in cells],
            "text": [text.replace("|", "") for text, _, _ in cells],
            "submitter": "",
            "submitted_at": pd.NaT,
            "channel": "",
            "place": [column for _, _, column in cells],
            "returned_by": [[] for _ in cells],
            "source_file": "",
            "source_sheet": "",
            "source_row": 2,
        }
    )
    return submissions, segmented


def found(gazetteer, *row):
    submissions, segmented = tables(row)
    placed = find_places(submissions, segmented, gazetteer=gazetteer).iloc[0]
    return tuple(None if pd.isna(placed[name]) else placed[name] for name in ("district", "township", "spot"))


NOWHERE = (None, None, None)


def test_district_and_township_are_found_as_written(gazetteer):
    submissions, segmented = tables(("哈尔滨市|道里区|新阳路街道|占道|经营",))
    placed = find_places(submissions, segmented, gazetteer=gazetteer)

    assert list(placed.columns) == PLACED.names
    assert placed.loc[0, ["district", "township"]].tolist() == ["道里区", "新阳路街道"]
    assert placed.loc[0, "place_words"] == ["道里区", "新阳路街道"]


def test_a_unique_township_settles_its_district(gazetteer):
    assert found(gazetteer, "新阳路街道办|不|作为") == ("道里区", "新阳路街道", None)


def test_a_spot_settles_township_and_district(gazetteer):
    assert found(gazetteer, "哈西万达|门口|堵车") == ("南岗区", "哈西街道", "哈西万达")


def test_a_road_settles_less_than_the_township_named_after_it(gazetteer):
    assert found(gazetteer, "新阳路|夜市|油烟|大") == ("道里区", None, None)


def test_a_township_of_two_districts_waits_for_the_district(gazetteer):
    assert found(gazetteer, "向阳镇|停电") == NOWHERE
    assert found(gazetteer, "五常|的|向阳镇|停电") == ("五常市", "向阳镇", None)
    assert found(gazetteer, "向阳镇|停电", "", "香坊区") == ("香坊区", "向阳镇", None)


@pytest.mark.parametrize(
    "text",
    [
        "陕西南路|怎么|走",
        "车道|里|积水",
        "街道|里面|没有|灯",
        "五常大米|涨价",
        "依兰街|路灯|坏|了",
        "依兰|大街|路灯|坏|了",
        "安和|街|道路|破损",
        "大庆市|红旗街道|的|事",
        "大庆市|红岗区|红旗街道|的|事",
        "哈西|小学|招生",
        "没有|写|地点",
    ],
)
def test_a_name_in_another_word_or_another_city_is_no_place(gazetteer, text):
    assert found(gazetteer, text) == NOWHERE


def test_words_before_our_own_city_do_not_make_it_foreign(gazetteer):
    assert found(gazetteer, "本市|红旗街道|停水") == ("香坊区", "红旗街道", None)
    assert found(gazetteer, "黑龙江省|五常市|停水") == ("五常市", None, None)


@pytest.mark.parametrize(
    ("row", "district"),
    [
        (("南岗区|上班|，|南岗区|堵车", "", "道里区"), "道里区"),
        (("南岗区|上班|堵车", "道里区|停车|难"), "道里区"),
        (("家住|南岗区|，|香坊区|红旗街道|办厂",), "香坊区"),
        (("不如|香坊区|，|南岗区|太|堵",), "南岗区"),
        (("从|道里区|到|香坊区|公交|少",), "道里区"),
        (("户口|在|香坊区|红旗街道|，|南岗|上学|没|名额",), "南岗区"),
        (("我|从|依兰县|带|父亲|到|南岗|看病",), "南岗区"),
        (("我们|都|是|五常市|来|的|，|在|道里|干活|没|给|工钱",), "道里区"),
        (("从|香坊区|搬到|道里|，|燃气|没|通",), "道里区"),
        (("从|五常市|到|南岗|打工|，|没有|公租房",), "南岗区"),
        (("依兰县|牌照|的|车|，|在|香坊|撒|土",), "香坊区"),
        (("五常|卖|不|动|的|货|，|我们|依兰|也|有",), "依兰县"),
        (("在|道里|上班|，|家在|南岗|，|天天|堵",), "南岗区"),
        (("五常|到|宾县|的|船|停|了",), "五常市"),
    ],
    ids=[
        *("column first", "title before text", "district with its township", "comparison", "first named"),
        *("registered elsewhere", "came for treatment", "came for work", "moved", "went to work", "number plate"),
        *("the writers' own", "home", "a name that has no shorter form"),
    ],
)
def test_of_two_districts_the_one_of_the_matter_wins(gazetteer, row, district):
    assert found(gazetteer, *row)[0] == district


def test_a_district_right_before_a_spot_of_another_district_wins(gazetteer):
    assert found(gazetteer, "呼兰|的|事|，|南岗|中央大街|积水|，|中央大街|没|人|管") == ("南岗区", None, None)
    assert found(gazetteer, "南岗区|中央大街|积水") == ("南岗区", None, None)
    assert found(gazetteer, "道里|中央大街|积水") == ("道里区", None, "中央大街")
    assert found(gazetteer, "中央大街|积水") == ("道里区", None, "中央大街")


@pytest.mark.parametrize(
    "text",
    ["物业|经理|王|延寿|态度|差", "村医|赵|五常|很|好", "他|叫|李|延寿", "李|延寿|老爷子|独居"],
)
def test_a_person_named_like_a_district_is_no_place(gazetteer, text):
    assert found(gazetteer, text) == NOWHERE


def test_people_beside_a_district_do_not_hide_it(gazetteer):
    assert found(gazetteer, "负责人|在|延寿|躲|着") == ("延寿县", None, None)
    assert found(gazetteer, "延寿|老师|工资|没|发") == ("延寿县", None, None)


def test_a_shop_or_product_named_like_a_district_is_no_place(gazetteer):
    assert found(gazetteer, "延寿|大药房|卖|过期|药") == NOWHERE
    assert found(gazetteer, "五常|红肠|涨价") == NOWHERE
    assert found(gazetteer, "延寿县|大药房|卖|过期|药") == ("延寿县", None, None)


def test_a_short_name_right_behind_another_district_is_a_namesake_there(gazetteer):
    assert found(gazetteer, "香坊区|五常|肉铺|缺|斤|，|五常|肉铺|老板|骂人") == ("香坊区", None, None)
    assert found(gazetteer, "香坊区|五常市|都|有") == ("香坊区", None, None)


def test_a_short_name_behind_another_city_is_none_of_ours(gazetteer):
    assert found(gazetteer, "深圳市|龙岗区|南岗|那|片") == NOWHERE
    assert found(gazetteer, "哈尔滨市|南岗|那|片") == ("南岗区", None, None)


def test_a_place_put_aside_is_believed_where_no_other_is_named(gazetteer):
    assert found(gazetteer, "户口|在|香坊区|，|怎么|办|退休") == ("香坊区", None, None)


def test_the_place_column_may_name_district_and_township_with_a_stroke(gazetteer):
    assert found(gazetteer, "大棚|塌|了", "", "五常市/向阳镇") == ("五常市", "向阳镇", None)


def test_a_title_and_a_text_settle_a_township_of_two_districts_together(gazetteer):
    assert found(gazetteer, "我们|五常|的|大棚|塌|了", "向阳镇|大棚") == ("五常市", "向阳镇", None)


def test_the_city_alone_settles_nothing_but_is_kept_as_evidence(gazetteer):
    submissions, segmented = tables(("哈尔滨市|公积金|怎么|提",))
    placed = find_places(submissions, segmented, gazetteer=gazetteer)

    assert placed["district"].isna().all()
    assert placed.loc[0, "place_words"] == ["哈尔滨市"]


def test_a_blank_row_and_an_empty_table_have_no_place(gazetteer):
    assert found(gazetteer, "") == NOWHERE
    submissions, segmented = tables()
    assert len(find_places(submissions, segmented, gazetteer=gazetteer)) == 0


def test_a_text_that_names_a_place_thousands_of_times_takes_no_longer_for_each(gazetteer):
    def seconds(times):
        submissions, segmented = tables(("|".join(["道里区", "，"] * times),))
        began = time.perf_counter()
        assert find_places(submissions, segmented, gazetteer=gazetteer)["district"].tolist() == ["道里区"]
        return time.perf_counter() - began

    # Ten times the text: about ten times as long, where a hundred times would be quadratic.
    assert seconds(20_000) < 40 * seconds(2_000)


def test_a_missing_column_is_named(gazetteer):
    submissions, segmented = tables(("道里区",))
    with pytest.raises(TableError, match="place"):
        find_places(submissions.drop(columns="place"), segmented, gazetteer=gazetteer)


PIECES = [
    "道里区",
    "新阳路街道",
    "向阳镇",
    "五常",
    "街道",
    "里",
    "路",
    "的",
    "香坊",
    "花园街道",
    "哈西",
    "小学",
    "，",
    "𠮷",
    "ｅ",
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8), max_size=5))
def test_batch_size_never_changes_a_place_and_words_stand_in_the_text(gazetteer, rows):
    submissions, segmented = tables(*(("|".join(pieces),) for pieces in rows))
    together = find_places(submissions, segmented, gazetteer=gazetteer)
    alone = [
        find_places(submissions.iloc[[i]], segmented.iloc[[i]], gazetteer=gazetteer) for i in range(len(submissions))
    ]

    for i, single in enumerate(alone):
        pd.testing.assert_frame_equal(single, together.iloc[[i]])
    for text, words in zip(submissions["text"], together["place_words"], strict=True):
        assert all(word in text for word in words)


def test_a_gazetteer_travels_to_a_worker_and_offers_its_names_to_the_segmenter(gazetteer):
    again = pickle.loads(pickle.dumps(gazetteer))

    assert found(again, "道里区|停水") == ("道里区", None, None)
    assert {"新阳路街道", "哈西万达", "道里"} <= set(again.words)
    assert "车道里" not in again.words, "a trap is no word: the segmenter would learn to cut wrongly"


@given(st.text(alphabet="道里区ａAｚz𠮷\ud800\n ", max_size=30))
def test_phrases_find_what_a_plain_search_finds(text):
    words = ["道里", "道里区", "里区", "AZ", "𠮷道"]
    plain = fold(text)
    expected = sorted(
        (start, start + len(word), index)
        for index, word in enumerate(words)
        for start in range(len(plain))
        if plain.startswith(word, start)
    )

    assert len(plain) == len(text)
    assert sorted(Phrases.of(words).find(["前", text, "后"])[1]) == expected
