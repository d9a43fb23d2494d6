"""Near-duplicates and issues: what stands together, what stays apart, and the evidence for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rjieba
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from scorers import SCORER

from pipeline.cluster import SKETCHES, Grouping, describe_issues, group_submissions, sketch_submissions
from pipeline.cluster.wordings import wording
from pipeline.cluster.words import word_code
from pipeline.errors import TableError
from pipeline.schema import CLASSIFIED, LINKS
from pipeline.settings import ClusterSettings

SETTINGS = ClusterSettings()
HEATING = (
    "道里区群力家园供热不达标",
    "我家住群力家园12号楼3单元，供热开始已经半个月，室内温度一直只有十四度，老人孩子在屋里都穿着棉袄。"
    "给热力公司打过四次电话，每次都说派人来测温，到今天也没有人上门，请有关部门督促尽快解决。",
)
HEATING_IN_OTHER_WORDS = (
    "群力家园屋里太冷没人管",
    "群力家园的暖气一直不热，测温只有十四度，热力公司电话打了就推脱，说好上门测温也不来。"
    "供热费一分没少交，小区里的老人冻得受不了，盼着督促热力公司。",
)
MARKET = (
    "中央大街夜市油烟扰民",
    "中央大街东侧的夜市每晚摆摊到后半夜，烧烤油烟直接往居民楼里灌，垃圾也没人清扫，附近住户不敢开窗，希望城管管一管。",
)
BUS = (
    "建议增加松北方向的公交车",
    "早高峰在世茂大道等车常常要等四十分钟，车来了又挤不上去，上班的人天天迟到，建议给这条线路多配几台车并公布发车时间。",
)


def submissions(
    *rows: tuple[str, str],
    submitters: list[str] | None = None,
    times: list[str | None] | None = None,
) -> pd.DataFrame:
    n = len(rows)
    return pd.DataFrame(
        {
            "submission_id": [f"s{i}" for i in range(n)],
            "title": [title for title, _ in rows],
            "text": [text for _, text in rows],
            "submitter": submitters or [f"居民{i}" for i in range(n)],
            "submitted_at": pd.to_datetime(pd.Series(times or [f"2025-11-{i % 28 + 1:02}" for i in range(n)])),
            "channel": "",
            "place": "",
            "returned_by": [[] for _ in rows],
            "source_file": "来信.csv",
            "source_sheet": "",
            "source_row": range(n),
        }
    )


def sketched(
    rows: pd.DataFrame,
    places: list[dict[str, str]] | None = None,
    batch: int = 1000,
    topics: list[str] | None = None,
) -> pd.DataFrame:
    segmented = pd.DataFrame(
        {
            "submission_id": rows["submission_id"],
            "title_tokens": [rjieba.cut(title) for title in rows["title"]],
            "text_tokens": [rjieba.cut(text) for text in rows["text"]],
        }
    )
    known = places or [{}] * len(rows)
    placed = pd.DataFrame(
        {
            "submission_id": rows["submission_id"],
            **{level: [place.get(level) for place in known] for level in ("district", "township", "spot")},
            "place_words": [[] for _ in known],
        }
    )
    lists = [column.name for column in CLASSIFIED.columns if column.kind in ("list", "floats")]
    classified = pd.DataFrame(
        {
            "submission_id": rows["submission_id"],
            "topic": topics or [""] * len(rows),
            "topic_probability": 1.0,
            **{name: [[] for _ in known] for name in lists},
        }
    )
    parts = [slice(start, start + batch) for start in range(0, len(rows), batch)]
    made = [sketch_submissions(rows[p], segmented[p], classified[p], placed[p], settings=SETTINGS) for p in parts]
    return pd.concat(made, ignore_index=True)


def grouped(
    rows: pd.DataFrame,
    places: list[dict[str, str]] | None = None,
    batch: int = 1000,
    settings: ClusterSettings = SETTINGS,
    topics: list[str] | None = None,
) -> Grouping:
    return group_submissions(
        sketched(rows, places, batch, topics),
        texts=lambda asked: [f"{rows['title'][i]}\n{rows['text'][i]}" for i in asked],
        scorer=SCORER,
        words=lambda asked: [rjieba.cut(rows["title"][i]) + rjieba.cut(rows["text"][i]) for i in asked],
        settings=settings,
    )


def issues_of(grouping: Grouping) -> list[str]:
    return grouping.members["issue_id"].tolist()


def repeats_of(grouping: Grouping) -> list[str | None]:
    return [each if isinstance(each, str) else None for each in grouping.members["duplicate_of"]]


def test_the_same_wording_sent_again_repeats_the_earliest_however_it_is_punctuated():
    again = (HEATING[0] + "！！", HEATING[1].replace("，", ", "))
    rows = submissions(again, MARKET, HEATING, times=["2025-11-09", "2025-11-01", "2025-11-02"])
    assert repeats_of(grouped(rows)) == ["s2", None, None]


def test_a_wording_edited_in_a_few_characters_repeats_the_first_and_stands_in_its_issue():
    edited = (HEATING[0], HEATING[1].replace("半个月", "二十天").replace("四次", "五次"))
    grouping = grouped(submissions(HEATING, MARKET, edited))
    assert repeats_of(grouping) == [None, None, "s0"]
    assert issues_of(grouping) == ["i-s0", "i-s1", "i-s0"]
    link = grouping.links.set_index("submission_id").loc["s2"]
    assert link["kind"] == "edited"
    assert 0.8 <= link["probability"] < 1


def test_without_times_the_earliest_is_the_first_in_the_input_and_a_known_time_goes_before():
    rows = submissions(HEATING, HEATING, HEATING, times=[None, "2025-11-05", None])
    assert repeats_of(grouped(rows)) == ["s1", None, "s1"]
    assert repeats_of(grouped(submissions(HEATING, HEATING, times=[None, None]))) == [None, "s0"]


def test_very_short_wordings_are_duplicates_only_if_they_are_the_same():
    rows = submissions(("", "道里停电了"), ("", "道外停电了"), ("", "道里停电了"), ("", "停水了"), ("", "停气了"))
    assert repeats_of(grouped(rows)) == [None, None, "s0", None, None]


def test_short_wordings_that_differ_in_a_number_are_two_matters():
    third, fifth = (("", f"{number}号楼下水道堵了三天没有人来修，污水都流到了单元门口") for number in (3, 5))
    assert repeats_of(grouped(submissions(third, fifth))) == [None, None]


def test_rows_of_signs_alone_repeat_nothing_and_rows_with_a_title_alone_can():
    rows = submissions(
        ("", "？？？"), ("", "！！"), (MARKET[0] + "没有人管已经三年", ""), (MARKET[0] + "没有人管已经三年", "")
    )
    assert repeats_of(grouped(rows)) == [None, None, None, "s2"]


def test_a_form_letter_from_two_townships_is_two_matters():
    places = [{"township": "群力街道"}, {"township": "新春街道"}, {}, {"township": "新春街道"}]
    grouping = grouped(submissions(HEATING, HEATING, HEATING, HEATING), places)
    assert repeats_of(grouping) == [None, None, "s0", "s1"]
    assert issues_of(grouping) == ["i-s0", "i-s1", "i-s0", "i-s1"]


def test_one_matter_in_other_words_is_one_issue_and_no_duplicate():
    grouping = grouped(submissions(HEATING, MARKET, BUS, HEATING_IN_OTHER_WORDS))
    assert issues_of(grouping) == ["i-s0", "i-s1", "i-s2", "i-s0"]
    assert repeats_of(grouping) == [None] * 4


@pytest.mark.parametrize("level", ["district", "township", "spot"])
def test_the_same_words_at_two_known_places_stay_apart(level):
    places = [{level: "此处"}, {level: "彼处"}, {}, {}]
    assert issues_of(grouped(submissions(HEATING, HEATING_IN_OTHER_WORDS, MARKET, BUS), places))[:2] == ["i-s0", "i-s1"]


def test_a_row_without_a_place_does_not_bring_two_places_together():
    third = ("群力家园供热不热温度只有十四度", HEATING[1][:60] + HEATING_IN_OTHER_WORDS[1][:50])
    rows = submissions(HEATING, third, HEATING_IN_OTHER_WORDS, MARKET, BUS)
    assert len(set(issues_of(grouped(rows))[:3])) == 1
    issues = issues_of(grouped(rows, [{"district": "道里区"}, {}, {"district": "松北区"}, {}, {}]))
    assert issues[0] != issues[2]


def test_the_same_complaint_of_two_estates_is_two_issues():
    texts = "{}的地下车库天天积水，车都没法停，物业说等开发商，开发商说等物业，业主两头跑没有结果，请来人看看。"
    rows = submissions(
        *((f"{name}小区地下车库积水", texts.format(name + "小区")) for name in ("松江", "柳岸")), MARKET, BUS
    )
    issues = issues_of(grouped(rows.assign(submitted_at=pd.to_datetime(["2025-01-01", "2025-11-01"] * 2))))
    assert issues[0] != issues[1]


def test_a_chain_of_weak_links_does_not_grow_into_one_issue():
    vocabulary = [chr(0x4E00 + 37 * i) + chr(0x4E00 + 53 * i + 7) for i in range(200)]
    # Each row shares half its words with the next one only.
    chain = [" ".join(vocabulary[8 * i : 8 * i + 16]) for i in range(20)]
    sketches = sketched(submissions(*(("", text) for text in chain)))
    sketches["words"] = [np.array([word_code(w) << 4 | 1 for w in text.split()], "<u4").tobytes() for text in chain]
    grouping = group_submissions(
        sketches.assign(names=b"", submitter=0, submitted_at=pd.Timestamp("2025-11-01")),
        texts=lambda asked: [chain[i] for i in asked],
        scorer=SCORER,
        words=lambda asked: [chain[i].split() for i in asked],
        settings=ClusterSettings(short_characters=1000),
    )
    sizes = grouping.members["issue_id"].value_counts()
    assert 1 < sizes.max() <= 10


def test_forty_requests_of_one_prolific_writer_in_the_same_phrases_are_not_one_issue():
    wishes = [
        "修补路面",
        "增设路灯",
        "清运垃圾",
        "治理飞线",
        "补种树木",
        "开放图书馆",
        "增加公厕",
        "检修电梯",
        "疏通河道",
    ]
    wishes.append("更换水管")
    streets = ["安国街", "安丰街", "经纬街", "霞曼街"]
    requests = [
        (
            f"关于{street}{wish}的建议",
            f"尊敬的领导您好，本人长期关心城市建设，现就{wish}一事提出建议，恳请在百忙之中予以研究，"
            f"望将{street}列入明年的计划，以改善民生，提升市民的幸福感，此致敬礼，盼复。",
        )
        for street in streets
        for wish in wishes
    ]
    others = [
        (f"{name}的事", f"{name}这件事已经反映过了，请给个答复。")
        for name in ["暖气", "学区", "医保", "噪声", "停车", "补贴", "户口", "社保"]
    ]
    rows = submissions(*requests, *others, submitters=["热心市民"] * 40 + [f"居民{i}" for i in range(8)])
    sizes = grouped(rows).members["issue_id"][:40].value_counts()
    assert sizes.max() <= 10


def test_masked_districts_that_differ_keep_issues_apart():
    rows = submissions(
        *(
            (f"{mask}{HEATING[0][3:]}", text)
            for mask, text in (("A3区", HEATING[1]), ("A7县", HEATING_IN_OTHER_WORDS[1]))
        ),
        MARKET,
        BUS,
    )
    assert issues_of(grouped(rows))[:2] == ["i-s0", "i-s1"]


def test_each_member_of_an_issue_has_its_strongest_link_with_shared_words():
    grouping = grouped(submissions(HEATING, MARKET, BUS, HEATING_IN_OTHER_WORDS, HEATING))
    links = grouping.links.set_index("submission_id")
    assert list(grouping.links.columns) == LINKS.names
    assert list(links.index) == ["s0", "s3", "s4"]
    assert links["linked_to"].tolist() == ["s3", "s0", "s0"]
    assert links["kind"].tolist() == ["same issue", "same issue", "exact"]
    assert links["probability"].between(0.5, 1).all()
    for words, other in zip(links["shared_words"], (HEATING, HEATING_IN_OTHER_WORDS, HEATING), strict=True):
        assert 0 < len(words) <= 8
        assert all(len(word) > 1 and word in other[0] + other[1] for word in words)


def test_every_link_joins_two_rows_of_one_issue_and_every_repetition_points_to_an_earlier_row():
    edited = [(HEATING[0], HEATING[1].replace("十四", number)) for number in ("十三", "十五", "十二")]
    grouping = grouped(submissions(HEATING, *edited, HEATING_IN_OTHER_WORDS, MARKET, MARKET, BUS))
    issue = grouping.members.set_index("submission_id")["issue_id"]
    assert (issue[grouping.links["submission_id"]].values == issue[grouping.links["linked_to"]].values).all()
    assert set(grouping.links["submission_id"]) == set(issue.index[issue.map(issue.value_counts()) > 1])
    assert all(int(of[1:]) < i for i, of in enumerate(repeats_of(grouping)) if of)


def test_one_row_is_its_own_issue_and_no_row_is_no_issue():
    grouping = grouped(submissions(HEATING))
    assert (issues_of(grouping), repeats_of(grouping), len(grouping.links)) == (["i-s0"], [None], 0)
    nothing = sketched(submissions(HEATING))[:0]
    empty = group_submissions(nothing, texts=lambda _: [], words=lambda _: [], scorer=SCORER, settings=SETTINGS)
    assert (len(empty.members), len(empty.links)) == (0, 0)


def test_the_batch_size_never_changes_a_sketch():
    rows = submissions(HEATING, MARKET, BUS, HEATING_IN_OTHER_WORDS, HEATING, ("", "停电"), (MARKET[0], ""))
    pd.testing.assert_frame_equal(sketched(rows), sketched(rows, batch=1))


@run_settings(max_examples=15, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_the_input_changes_nothing_where_times_are_unique(order):
    rows = submissions(HEATING, MARKET, BUS, HEATING_IN_OTHER_WORDS, HEATING, (MARKET[0], MARKET[1] + "谢谢"))
    turned = rows.iloc[list(order)].reset_index(drop=True)
    expected = grouped(rows).members.set_index("submission_id").sort_index()
    pd.testing.assert_frame_equal(grouped(turned).members.set_index("submission_id").sort_index(), expected)


@run_settings(max_examples=50)
@given(st.text())
def test_a_wording_is_the_same_after_it_was_normalized(text):
    assert wording(wording(text)) == wording(text)


def test_a_component_too_large_to_weigh_is_split_by_a_higher_threshold_and_said_so():
    rows = submissions(HEATING, HEATING_IN_OTHER_WORDS, MARKET, BUS, (HEATING_IN_OTHER_WORDS[0], HEATING[1][:50]))
    assert grouped(rows).tightened == 0
    assert grouped(rows, settings=ClusterSettings(largest_component=2)).tightened == 1


def test_a_sketch_is_small_and_holds_no_text():
    sketches = sketched(submissions(*[HEATING] * 10))
    assert list(sketches.columns) == SKETCHES.names
    packed = sum(sketches[name].map(len).sum() for name in ("bands", "words", "names"))
    assert packed / len(sketches) < 600


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="words"):
        group_submissions(
            sketched(submissions(HEATING)).drop(columns="words"),
            texts=lambda _: [],
            scorer=SCORER,
            words=lambda _: [],
            settings=SETTINGS,
        )
    with pytest.raises(TableError, match="urgency"):
        describe_issues(submissions(HEATING), settings=SETTINGS)


def test_the_same_spot_and_topic_bring_unlike_words_together_and_another_topic_does_not():
    rows = submissions(
        ("通乡街停电", "通乡街8号院又跳闸停电了，冰箱里的东西全坏了。"),
        ("没电", "住在通乡街，晚上一开空调就跳闸，孩子热得睡不着。"),
    )
    spot = {"district": "香坊区", "spot": "通乡街"}
    together = issues_of(grouped(rows, [spot, spot], topics=["power", "power"]))
    apart = issues_of(grouped(rows, [spot, spot], topics=["power", "sanitation"]))
    nowhere = issues_of(grouped(rows, [{}, {}], topics=["power", "power"]))
    assert len(set(together)) == 1
    assert len(set(apart)) == 2
    assert len(set(nowhere)) == 2
