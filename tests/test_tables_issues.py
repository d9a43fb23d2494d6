"""What the workbook tells of issues: why two texts stand together, who posts in masses, what came up again."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_tables import HOSTILE, issues_of, routed_rows
from test_tables_workbook import HEATING, HOUSING, column, make, records

from pipeline.errors import TableError
from pipeline.schema import LINKS, typed
from pipeline.tables import layout
from pipeline.tables.details import detail_rows, mass_posted, within_limit
from pipeline.tables.evidence import link_sentences, telling_words

LEAK = "河松街供热管网漏水，路面结冰，老人不敢出门。"


def links_of(*links):
    """The table LINKS of tuples in the order of its columns."""
    return typed(pd.DataFrame(links, columns=LINKS.names), LINKS)


def headers(sheet):
    return [cell.value for cell in sheet[1]]


@pytest.fixture
def leak():
    """One leak reported four times: by two people, once more by the first of them, once copied; and a lone lamp."""
    return routed_rows(
        {"title": "路灯不亮", "submission_id": "p-0"},
        {"submission_id": "p-3", "submitter": "赵先生", "submitted_at": pd.Timestamp("2025-01-09 10:00")},
        {"submission_id": "p-1", "submitter": "赵先生", "submitted_at": pd.Timestamp("2025-01-05 10:00")},
        {"submission_id": "p-2", "submitter": "孙女士", "submitted_at": pd.Timestamp("2025-01-07 10:00")},
        {"submission_id": "p-4", "submitter": "", "submitted_at": pd.NaT, "duplicate_of": "p-2"},
    ).assign(
        title=["路灯不亮", *["供热漏水"] * 4],
        text=["灯杆坏了。", *[LEAK] * 4],
        issue_id=["lamp", *["leak"] * 4],
        decision=["auto", "review", "auto", "auto", "check"],
    )


LEAK_LINKS = (
    ("p-3", "p-1", "same issue", 0.934, ["河松街", "路面", "老人", "管网", "漏水", "供热"]),
    ("p-1", "p-3", "same issue", 0.934, ["河松街", "管网"]),
    ("p-2", "p-4", "edited", 0.966, ["河松街"]),
    ("p-4", "p-2", "exact", 1.0, []),
)


# Evidence


def test_each_kind_of_link_has_its_sentence_wherever_the_submission_stands(tmp_path, leak):
    book, _ = make(tmp_path, leak, links=links_of(*LEAK_LINKS))
    told = {
        "p-0": None,
        "p-1": "与 p-3 同一事项（把握 93%），共同词语：河松街、管网",
        "p-2": "与 p-4 文字基本相同（相似度 96%）",
        "p-3": "与 p-1 同一事项（把握 93%），共同词语：漏水、供热、河松街",
        "p-4": "与 p-2 文字相同",
    }
    for name, shown in (("总表", 5), (HOUSING, 5), ("待人工复核", 1), ("事项明细", 4)):
        rows = records(book[name])
        assert {row["编号"]: row["并案依据"] for row in rows} == {row["编号"]: told[row["编号"]] for row in rows}
        assert len(rows) == shown


def test_a_run_of_lone_submissions_has_no_column_for_evidence(tmp_path):
    book, _ = make(tmp_path, routed_rows({}, {}))
    assert not any("并案依据" in headers(book[name]) for name in book.sheetnames[1:])


def test_only_the_same_wording_is_certain():
    links = links_of(("a", "b", "same issue", 1.0, []), ("b", "a", "edited", 0.999, []), ("c", "a", "edited", 0.29, []))
    assert list(link_sentences({"a": "", "b": "", "c": ""}, links).values()) == [
        "与 b 同一事项（把握 99%）",
        "与 a 文字基本相同（相似度 99%）",
        "与 a 文字基本相同（相似度 29%）",
    ]


def test_a_link_may_lead_to_a_submission_of_an_earlier_run():
    links = links_of(("a", "旧-7", "same issue", 0.8, ["换热站"]), ("z", "a", "exact", 1.0, []))
    assert link_sentences({"a": "换热站停了"}, links) == {"a": "与 旧-7 同一事项（把握 80%），共同词语：换热站"}


def test_a_kind_of_link_that_has_no_sentence_is_named(tmp_path, leak):
    with pytest.raises(TableError, match=r"kind hearsay .*Add one"):
        make(tmp_path, leak, links=links_of(("p-1", "p-2", "hearsay", 0.5, [])))


def test_words_that_say_nothing_are_left_out():
    assert telling_words(["水", "2019", "三条", "十一月", "第二次", "可是", "去年", "换热站"], "") == ["换热站"]


def test_of_overlapping_words_the_whole_one_is_shown():
    assert telling_words(["平盛街", "平盛", "供热"], "") == ["平盛街", "供热"]
    assert telling_words(["区凯旋", "凯旋", "电梯"], "") == ["凯旋", "电梯"]


def test_words_of_the_titles_come_first_and_others_only_where_these_are_few():
    words = ["瞒报", "井盖", "塌陷", "民航路", "夜里", "积水"]
    assert telling_words(words, "民航路井盖塌陷") == ["井盖", "塌陷", "民航路"]
    assert telling_words(words, "井盖没了") == ["井盖", "瞒报", "塌陷"]
    assert telling_words(list("甲乙") + [f"地名{n}号" for n in "甲乙丙丁戊己"], "地名甲号乙号") == [
        *("地名甲号", "地名乙号", "地名丙号"),
    ]


@given(st.lists(HOSTILE, max_size=8), HOSTILE)
def test_shown_words_are_given_words_and_at_most_five(words, titles):
    shown = telling_words(words, titles)
    assert len(shown) <= 5
    assert set(shown) <= set(words)


# 事项明细


def test_the_submissions_of_an_issue_stand_side_by_side_earliest_first(tmp_path, leak):
    book, _ = make(tmp_path, leak, links=links_of(*LEAK_LINKS))
    rows = records(book["事项明细"])
    assert [row["编号"] for row in rows] == ["p-1", "p-2", "p-3", "p-4"]
    assert {(row["事项编号"], row["事项"], row["事项件数"]) for row in rows} == {("leak", "兆麟小区电梯停用", 4)}
    assert [row["本人再次提交"] for row in rows] == [None, None, "是", None]
    assert [row["重复于"] for row in rows] == [None, None, None, "p-2"]
    assert [row["提交人"] for row in rows] == ["赵先生", "孙女士", "赵先生", None]
    assert rows[3]["提交时间"] is None
    assert {row["内容摘录"] for row in rows} == {LEAK}


def test_a_clerk_says_there_what_is_another_matter(tmp_path, leak):
    sheet = make(tmp_path, leak)[0]["事项明细"]
    for header in ("不是一件事", "应并入"):
        assert [cell.value for cell in column(sheet, header)] == [None] * 4
    assert sheet.auto_filter.ref == "A1:L5"
    assert sheet.print_title_rows == "$1:$1"


def test_the_hottest_issue_comes_first_and_a_line_parts_it_from_the_next(tmp_path):
    rows = routed_rows(*[{"issue_id": name} for name in ("甲", "乙", "丙", "乙", "甲", "乙")])
    sheet = make(tmp_path, rows)[0]["事项明细"]
    assert [cell.value for cell in column(sheet, "事项编号")] == ["乙", "乙", "乙", "甲", "甲"]
    rules = [rule.formula for area in sheet.conditional_formatting for rule in area.rules]
    assert ["$A2<>$A1"] in rules


def test_a_long_text_is_cut_to_200_characters(tmp_path):
    rows = routed_rows({"text": "停\n水 " + "冷" * 300}, {"text": "短"}, issue_id="一")
    shown = [row["内容摘录"] for row in records(make(tmp_path, rows)[0]["事项明细"])]
    assert shown == ["停 水 " + "冷" * 196 + "…", "短"]


def test_an_issue_known_from_the_register_shows_its_new_submissions(tmp_path):
    rows = routed_rows({"submission_id": "new", "issue_id": "old-issue", "duplicate_of": "old-1"})
    issues = issues_of(rows).assign(size=5, people=4, representative="old-1")
    book, _ = make(tmp_path, rows, issues=issues, links=links_of(("new", "old-1", "exact", 1.0, [])))
    (row,) = records(book["事项明细"])
    assert (row["编号"], row["事项件数"], row["并案依据"]) == ("new", 5, "与 old-1 文字相同")
    assert records(book["热点问题"])[0]["代表件内容"] is None


@given(
    st.lists(st.tuples(st.sampled_from("甲乙丙丁"), st.none() | st.integers(0, 5)), max_size=20),
    st.integers(1, 12),
)
def test_issues_are_never_torn_and_never_pass_the_limit(given_rows, limit):
    ranking = pd.DataFrame(
        {
            "issue_id": pd.Series([issue for issue, _ in given_rows], dtype="str"),
            "submitted_at": pd.to_datetime([None if day is None else f"2025-01-{day + 1}" for _, day in given_rows]),
        }
    )
    counts = ranking["issue_id"].value_counts()
    issues = pd.DataFrame({"issue_id": counts.index, "size": counts.to_numpy()})
    rows = detail_rows(ranking, issues)
    ids = ranking["issue_id"].iloc[rows]
    assert sorted(ids.tolist()) == sorted(name for name, _ in given_rows if counts[name] > 1)
    assert ids.drop_duplicates().tolist() == issues.loc[issues["size"] > 1, "issue_id"].tolist()
    kept = within_limit(ids, limit)
    assert kept.sum() <= limit
    assert kept.all() or limit < 40


def test_in_a_large_run_one_giant_issue_leaves_room_for_others(tmp_path):
    rows = routed_rows(*[{"issue_id": "giant" if n < 60 else f"pair-{n // 2}"} for n in range(100)])
    book, files = make(tmp_path, rows, workbook_rows=200)
    assert "routed.csv" in files
    shown = pd.Series([row["事项编号"] for row in records(book["事项明细"])]).value_counts()
    assert shown.to_dict() == {"giant": 2, **{f"pair-{n}": 2 for n in range(30, 49)}}
    about = {row[0]: row[2] for row in book["目录"].iter_rows(values_only=True)}["事项明细"]
    assert about.endswith("列出 20 个事项的 40 件，共有 21 个、100 件")


# 热点问题


def figures(**changed):
    """What describing one issue tells beyond the table ISSUES."""
    numbers = {"copies": 6, "mass_posted": 5, "voices": 9, "resubmitted": 2, "recent_people": 4, "earlier_people": 1}
    return numbers | {"spread": 3, "urgent": 7, "reopened": True} | changed


def test_a_hot_issue_reads_from_what_and_where_to_how_many_and_who_acts(tmp_path):
    rows = routed_rows({"issue_id": "一", "township": "兆麟街道"}, {"issue_id": "一", "township": "兆麟街道"})
    sheet = make(tmp_path, rows, issues=issues_of(rows).assign(**figures()))[0]["热点问题"]
    assert headers(sheet) == [
        *("事项编号", "事项", "主题", "区县", "街道乡镇", "人数", "件数", "近期新增人数", "此前人数", "涉及地点数"),
        *("紧急件", "再次反映", "热度", "承办单位", "代表件内容", "最早", "最近"),
        *("不同说法", "重复件", "群发件", "本人再次提交", "代表件", "编号列表"),
    ]
    (row,) = records(sheet)
    numbers = ("重复件", "群发件", "不同说法", "本人再次提交", "近期新增人数", "此前人数", "涉及地点数", "紧急件")
    assert [row[name] for name in numbers] == [6, 5, 9, 2, 4, 1, 3, 7]
    assert row["再次反映"] == "是"
    assert row["最早"] == dt.datetime(2025, 1, 6, 8, 30)


def test_what_is_not_told_of_issues_has_no_column(tmp_path):
    rows = routed_rows({"issue_id": "一"}, {"issue_id": "一"})
    assert not {"群发件", "再次反映", "涉及地点数"} & set(headers(make(tmp_path, rows)[0]["热点问题"]))
    calm = issues_of(rows).assign(**figures(reopened=False))
    shown = headers(make(tmp_path, rows, issues=calm)[0]["热点问题"])
    assert "再次反映" not in shown
    assert "群发件" in shown


def test_the_issues_of_a_large_run_tell_the_same(tmp_path):
    rows = routed_rows(*[{"issue_id": f"S{n // 2}"} for n in range(20)])
    book, _ = make(tmp_path, rows, issues=issues_of(rows).assign(**figures()), workbook_rows=40)
    assert {row["群发件"] for row in records(book["总表"])} == {5}


@pytest.mark.parametrize("name", [name for name in vars(layout) if isinstance(getattr(layout, name), layout.Layout)])
def test_a_printed_page_is_not_shrunk_beyond_reading(name):
    shown = getattr(layout, name)
    pixels = sum(7 * column.width + 5 for column in shown.columns[: shown.printed])
    paper = 96 * (297 / 25.4 - 0.8)  # A4 across, less the margins, at Excel's 96 pixels an inch
    assert 10 * paper / pixels >= 6.5, "points, where the workbook is written in 10"


# 群发来件


def petition(*parents, **shared):
    """Rows m-0, m-1 … where each repeats the row of the id given, or none."""
    ids = [f"m-{number}" for number in range(len(parents))]
    return routed_rows(
        *[{"submission_id": name, "duplicate_of": of} for name, of in zip(ids, parents, strict=True)],
        **{"issue_id": "petition", "text": "要求公开物业账目。" * 30} | shared,
    )


def test_a_wording_of_five_submissions_is_listed_once_with_who_and_when(tmp_path):
    rows = petition(None, "m-0", "m-1", "m-0", "m-3", None).assign(
        submitter=["甲", "乙", "乙", "", "丙", "丁"],
        submitted_at=pd.to_datetime(
            [f"2025-01-{day} 09:00" for day in ("03", "04", "05", "06")] + [None, "2025-01-01 09:00"], format="mixed"
        ),
    )
    book, _ = make(tmp_path, rows)
    assert book.sheetnames[3:6] == ["热点问题", "事项明细", "群发来件"]
    (row,) = records(book["群发来件"])
    assert row == {
        "事项编号": "petition",
        "内容摘录": ("要求公开物业账目。" * 30)[:200] + "…",
        "件数": 5,
        "署名人数": 3,
        "最早": dt.datetime(2025, 1, 3, 9),
        "最近": dt.datetime(2025, 1, 6, 9),
        "首件": "m-0",
        "编号列表": "m-0、m-1、m-2、m-3、m-4",
    }
    counts = {row[0]: row[1] for row in book["目录"].iter_rows(max_row=18, values_only=True)}
    assert (counts["重复件"], counts["群发来件"], counts["再次反映"]) == (4, 5, 0)


def test_four_of_one_wording_are_no_mass(tmp_path):
    book, _ = make(tmp_path, petition(None, "m-0", "m-0", "m-0", None, "m-4", "m-4", "m-4"))
    assert "群发来件" not in book.sheetnames


def test_copies_of_a_wording_of_an_earlier_run_are_listed_under_its_number(tmp_path):
    rows = petition(*["old-9"] * 3, "m-2", "m-3").assign(text=[f"第{n}份：公开账目" for n in "三一二四五"])
    rows["submitted_at"] = pd.to_datetime([f"2025-01-0{day}" for day in (3, 1, 2, 4, 5)])
    (row,) = records(make(tmp_path, rows)[0]["群发来件"])
    assert (row["首件"], row["内容摘录"], row["件数"]) == ("old-9", "第一份：公开账目", 5)
    assert row["编号列表"] == "m-1、m-2、m-0、m-3、m-4"


def test_the_most_frequent_wording_comes_first():
    rows = petition(None, *["m-0"] * 4, None, *["m-5"] * 5)
    found = mass_posted(rows, least=5)
    assert found["first"].tolist() == ["m-5", "m-0"]
    assert found["submissions"].tolist() == [6, 5]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(1, 4))
def test_every_copy_stands_under_the_row_that_its_chain_ends_in(steps, least):
    # Row n repeats the row that `steps` leads back to, or none where it leads to itself.
    of = [max(0, number - step) for number, step in enumerate(steps)]
    rows = petition(*[None if to == number else f"m-{to}" for number, to in enumerate(of)])
    ends = []
    for number, to in enumerate(of):
        ends.append(number if to == number else ends[to])
    expected = {f"m-{end}": ends.count(end) for end in set(ends) if ends.count(end) >= least}
    found = mass_posted(rows, least=least)
    assert dict(zip(found["first"], found["submissions"], strict=True)) == expected
    assert found["members"].map(len).tolist() == found["submissions"].tolist()


def test_rows_that_repeat_each_other_in_a_circle_do_not_hang():
    assert mass_posted(petition("m-1", "m-2", "m-0"), least=1)["submissions"].sum() == 3


# 再次反映


def test_what_comes_after_an_issue_was_closed_is_marked_red_and_keeps_its_place(tmp_path):
    rows = routed_rows(
        {"title": "先来的"}, {"title": "又来的", "reopened": True}, decision="review", department=HEATING
    )
    book, _ = make(tmp_path, rows)
    for name in ("总表", HEATING, "待人工复核"):
        calm, again = column(book[name], "再次反映")
        assert (calm.value, again.value, again.font.color.rgb, again.font.b) == (None, "是", "FFC00000", True)
        assert [cell.value for cell in column(book[name], "标题")] == ["先来的", "又来的"]
    counts = {row[0]: row[1] for row in book["目录"].iter_rows(values_only=True)}
    assert counts["再次反映"] == 1


# Hostile texts


@pytest.mark.parametrize("text", ["=1+1", "+86 451", "@SUM(A1)", "\t=1", "－1", "<r>x</r>"])
def test_what_the_new_sheets_show_is_text_and_never_a_formula(tmp_path, text):
    rows = petition(None, *["m-0"] * 5).assign(issue_id=text, title=text, text=text, submitter=text)
    links = links_of(*[(name, text, "same issue", 0.7, [text, text]) for name in rows["submission_id"]])
    book, _ = make(tmp_path, rows, issues=issues_of(rows).assign(title=text, **figures()), links=links)
    for name in ("热点问题", "事项明细", "群发来件"):
        assert all(cell.data_type != "f" for line in book[name] for cell in line)
    cell = column(book["事项明细"], "标题")[0]
    assert (cell.value.strip(), cell.data_type) == (text.strip(), "s")
    assert cell.quotePrefix is (not text.startswith("<"))
