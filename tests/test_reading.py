"""Text files, encodings, ids, notes, and what becomes of rows and files that cannot be used."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.errors import InputError, SettingsError
from pipeline.reading import ReadOptions, list_inputs, parse_columns, read_batches, read_submissions
from pipeline.reading.cells import cell_text, clean_text, parse_times
from pipeline.reading.identity import IdRegister
from pipeline.schema import LABELLED, SUBMISSIONS, check_table
from pipeline.settings import ReadingSettings

HEATING = "道里区新阳路某小区暖气不热，室温只有十五度。"
NOISE = "南岗区夜市烧烤摊半夜还在放音响，吵得睡不着。"


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def reasons(reading):
    return list(zip(reading.rejected.source_row, reading.rejected.reason, strict=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_of_any_encoding_and_delimiter_is_read(tmp_path, encoding, delimiter):
    rows = [["编号", "标题", "内容"], ["A1", "暖气不热", HEATING], ["A2", "夜市噪音", NOISE]]
    path = write(tmp_path, "留言.csv", "\r\n".join(delimiter.join(row) for row in rows) + "\r\n", encoding)
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == ["A1", "A2"]
    assert list(reading.submissions.text) == [HEATING, NOISE]
    assert list(reading.submissions.source_row) == [2, 3]
    assert reading.rejected.empty
    check_table(reading.submissions, SUBMISSIONS, where="test")


def test_title_rows_stand_above_the_header_and_rows_count_as_in_excel(tmp_path):
    path = write(
        tmp_path,
        "a.csv",
        f'哈尔滨市留言汇总,,\n\n2024年1月,,\n编号,标题,内容\n1,暖气,"{HEATING}\n第二行"\n2,夜市,{NOISE}\n',
    )
    rows = read_submissions(path).submissions
    assert list(rows.source_row) == [5, 6]
    assert rows.text[0] == HEATING + "\n第二行"


def test_the_wrong_encoding_is_one_line_that_says_what_to_try(tmp_path):
    bad = write(tmp_path, "2020.csv", f"编号,内容\n1,{HEATING}\n", "gb18030")
    good = write(tmp_path, "2021.csv", f"编号,内容\n1,{NOISE}\n")
    reading = read_submissions([bad, good], options=ReadOptions(encoding="utf-8"))
    assert list(reading.submissions.text) == [NOISE]
    [(row, reason)] = reasons(reading)
    assert row == 0
    assert "2020.csv 不是 UTF-8 编码（第 1 行有字节 0xb1）" in reason
    assert "--encoding gb18030" in reason


def test_an_encoding_that_does_not_exist_is_refused_at_once(tmp_path):
    path = write(tmp_path, "a.csv", "内容\n暖气不热\n")
    with pytest.raises(SettingsError, match="there is no encoding 'uft8'"):
        read_submissions(path, options=ReadOptions(encoding="uft8"))


def test_a_broken_byte_costs_its_row(tmp_path):
    lines = [f"{n},{HEATING}" for n in range(1, 40)]
    content = ("编号,内容\n" + "\n".join(lines)).encode().replace("10,道".encode(), b"10,\xff\xfe", 1)
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    reading = read_submissions(path)
    assert len(reading.submissions) == 38
    assert [row for row, reason in reasons(reading) if "无法识别的字节" in reason] == [11]


def test_a_row_with_too_many_fields_is_rejected_and_one_with_too_few_is_filled(tmp_path):
    path = write(
        tmp_path,
        "a.csv",
        f"编号,标题,内容,时间\n1,暖气,{HEATING},2024-01-02,多,余\n2,夜市,{NOISE}\n3,灯,路灯不亮,2024-01-03,,\n",
    )
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == ["2", "3"]
    [(row, reason)] = reasons(reading)
    assert row == 2
    assert "第 2 行有 6 列，表头只有 4 列" in reason


def test_marks_in_the_texts_of_a_single_column_are_no_delimiters(tmp_path):
    path = write(tmp_path, "a.csv", "内容\n暖气不热;很冷\n路灯不亮;很黑\n")
    assert list(read_submissions(path).submissions.text) == ["暖气不热;很冷", "路灯不亮;很黑"]


def test_half_a_character_at_the_end_of_utf16_costs_the_last_row_only(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(f"编号,内容\n1,{HEATING}\n2,{NOISE}\n3,灯".encode("utf-16") + b"\xff")
    reading = read_submissions(path)
    assert list(reading.submissions.text) == [HEATING, NOISE]
    assert len(reading.rejected) == 1


def test_an_unclosed_quote_costs_one_row_and_not_the_rest(tmp_path):
    rows = "".join(f"{n},标题{n},路灯第{n}盏不亮\n" for n in range(4, 3000))
    path = write(
        tmp_path, "a.csv", f'编号,标题,内容\n1,暖气,{HEATING}\n2,夜市,"吵得睡不着\n3,井盖,"井盖丢了, 很危险"\n' + rows
    )
    reading = read_submissions(path)
    assert [row for row, _ in reasons(reading)] == [3]
    assert len(reading.submissions) == 2998
    assert list(reading.submissions.submission_id[:3]) == ["1", "3", "4"]


def test_an_unclosed_quote_before_plain_rows_costs_one_row(tmp_path):
    rows = "".join(f"{n},路灯第{n}盏不亮\n" for n in range(2, 5000))
    reading = read_submissions(write(tmp_path, "a.csv", '编号,内容\n1,"吵得睡不着\n' + rows))
    assert [row for row, _ in reasons(reading)] == [2]
    assert len(reading.submissions) == 4998


def test_stray_quotes_nul_bytes_and_zero_width_characters_do_no_harm(tmp_path):
    path = write(tmp_path, "a.csv", '编号,标题,内容\n1,"暖气"不热,楼下5"水管\x00漏水\u200b很久\n')
    [row] = read_submissions(path).submissions.itertuples()
    assert row.title == "暖气不热"
    assert row.text == '楼下5"水管漏水很久'


def test_traps_between_the_rows_are_reported_and_blank_rows_are_not(tmp_path):
    path = write(
        tmp_path,
        "a.csv",
        f"编号,标题,内容\n1,暖气,{HEATING}\n,,\n编号,标题,内容\n2,,\n3,——,……\n合计,,3\n4,夜市,{NOISE}\n",
    )
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == ["1", "4"]
    assert reasons(reading) == [
        (4, "重复的表头，不是诉求"),
        (5, "标题和内容都是空的"),
        (6, "标题和内容里没有文字"),
        (7, "合计行，不是诉求"),
    ]


def test_a_title_alone_is_enough(tmp_path):
    reading = read_submissions(write(tmp_path, "a.csv", "编号,标题,内容\n1,新阳路路灯不亮,\n"))
    assert list(reading.submissions.title) == ["新阳路路灯不亮"]


def test_a_header_that_is_not_known_is_told_with_what_was_found(tmp_path):
    path = write(tmp_path, "a.csv", f"甲,乙\n1,{HEATING}\n")
    [(row, reason)] = reasons(read_submissions(path))
    assert row == 0
    assert "找到的表头：甲、乙" in reason
    named = read_submissions(path, options=ReadOptions(columns=parse_columns("正文=乙, 编号=甲")))
    assert list(named.submissions.submission_id) == ["1"]
    assert list(named.submissions.text) == [HEATING]


def test_a_named_column_that_a_file_lacks_is_told_for_that_file(tmp_path):
    options = ReadOptions(columns=parse_columns("正文=诉求经过"))
    write(tmp_path, "a.csv", f"编号,内容\n1,{HEATING}\n")
    write(tmp_path, "b.csv", f"编号,内容,诉求经过\n2,见右,{NOISE}\n")
    lines = [{"id": "3", "内容": HEATING}, {"id": "4", "内容": NOISE, "标题": "夜市"}]
    write(tmp_path, "c.jsonl", "\n".join(json.dumps(line) for line in lines))
    reading = read_submissions(tmp_path, options=options)
    assert list(reading.submissions.text) == [HEATING, NOISE, HEATING, NOISE]
    assert [note for note in reading.notes if "--columns" in note] == [
        f"{name}：没有“诉求经过”列，--columns 对它不起作用" for name in ("a.csv", "c.jsonl")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("正文", "is not a pair"),
        ("正闻=乙", "no field"),
        ("正文=乙,text=丙", "given twice"),
        ("正文=", "is not a pair"),
    ],
)
def test_nonsense_in_columns_is_refused(text, message):
    with pytest.raises(SettingsError, match=message):
        parse_columns(text)


def test_absent_ids_are_made_of_hash_and_row(tmp_path):
    path = write(tmp_path, "a.csv", f"标题,内容\n暖气,{HEATING}\n")
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == [f"{reading.files[0].sha256[:8]}-2"]


def test_repeated_ids_never_meet_a_real_one(tmp_path):
    first = write(tmp_path, "a.csv", "编号,内容\nA,暖气不热\nA,路灯不亮\nA-2,井盖丢失\n")
    second = write(tmp_path, "b.csv", "编号,内容\nA,夜市噪音\nA-3,公交太少\n")
    reading = read_submissions([first, second])
    assert list(reading.submissions.submission_id) == ["A", "A-2", "A-2-2", "A-3", "A-3-2"]
    assert reading.notes == (
        "a.csv：2 个编号与前面的重复，已加 -2、-3 等后缀",
        "b.csv：2 个编号与前面的重复，已加 -2、-3 等后缀",
    )


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["A", "A-2", "A-2-2", "A-3", "B", "B-2"]), max_size=12), max_size=8))
def test_ids_are_unique_however_they_are_cut_into_blocks(blocks):
    whole, _ = IdRegister().unique([name for block in blocks for name in block])
    register = IdRegister()
    parts = [name for block in blocks for name in register.unique(block)[0]]
    assert parts == whole
    assert len(set(whole)) == len(whole)


def test_ids_protected_from_excel_lose_their_armour_and_keep_their_zeros(tmp_path):
    path = write(
        tmp_path, "a.csv", '工单号,内容\n"=""0012""",暖气不热\n\'230103199001011234,路灯不亮\n1.88E+05,井盖丢失\n'
    )
    reading = read_submissions(path)
    assert list(reading.submissions.submission_id) == ["0012", "230103199001011234", "1.88E+05"]
    assert "1 个编号已被 Excel 改成科学计数法" in reading.notes[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2019/1/2 9:05", "2019-01-02 09:05"),
        ("2019-01-02 09:05:06.123", "2019-01-02 09:05:06"),
        ("2019-01-02T09:05:06", "2019-01-02 09:05:06"),
        ("2019-01-02T01:05:06Z", "2019-01-02 09:05:06"),
        ("2019年1月2日", "2019-01-02"),
        ("2019年1月2日 下午3点20分", "2019-01-02 15:20"),
        ("2019年1月2日 星期三 9时5分6秒", "2019-01-02 09:05:06"),
        ("2019.1.2", "2019-01-02"),
        ("20190102", "2019-01-02"),
        ("20190102090506", "2019-01-02 09:05:06"),
        ("20190102 0905", "2019-01-02 09:05"),
        ("２０１９－０１－０２ ９：０５", "2019-01-02 09:05"),
        ("2019/1/2 9:05:06 PM", "2019-01-02 21:05:06"),
        (43467.5, "2019-01-02 12:00"),
        ("1546391106", "2019-01-02 09:05:06"),
        (1546391106000, "2019-01-02 09:05:06"),
    ],
)
def test_times_are_read_in_the_forms_offices_write(written, meant):
    assert parse_times([written]) == ([pd.Timestamp(meant).to_pydatetime()], 0)


@pytest.mark.parametrize("written", ["昨天", "2019-13-45", "1900/1/0", "2019", "1/2/2019", "12345", "20190102112"])
def test_a_time_that_is_not_understood_is_left_blank(written):
    assert parse_times([written]) == ([None], 1)


def test_a_bad_time_is_a_note_and_not_a_lost_row(tmp_path):
    reading = read_submissions(write(tmp_path, "a.csv", "编号,内容,时间\n1,暖气不热,上周\n2,路灯不亮,2024年1月2日\n"))
    assert reading.submissions.submitted_at.isna().tolist() == [True, False]
    assert reading.notes == ("a.csv：1 个时间看不懂，已留空（如第 2 行“上周”）",)


def test_long_texts_are_cut_and_reported(tmp_path):
    path = write(tmp_path, "a.csv", "编号,内容\n1," + "冷" * 250_000 + "\n")
    reading = read_submissions(path)
    assert list(reading.submissions.text) == ["冷" * 200_000]
    assert reading.notes == ("a.csv：1 件超过 200000 字，已截断",)


def test_jsonl_costs_only_its_bad_lines(tmp_path):
    lines = [
        json.dumps({"id": 188006, "content": HEATING, "time": "2024-01-02"}, ensure_ascii=False),
        '{"id": 2, "content": ',
        "[1, 2]",
        json.dumps({"content": NOISE, "likes": [1]}),
        "",
    ]
    reading = read_submissions(write(tmp_path, "a.jsonl", "\n".join(lines)))
    assert list(reading.submissions.text) == [HEATING, NOISE]
    assert reading.submissions.submission_id[0] == "188006"
    assert [row for row, _ in reasons(reading)] == [2, 3]


def test_parquet_gives_text_of_numbers_and_lists(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame({"编号": [1.0, 2.0], "内容": [HEATING, NOISE], "时间": pd.to_datetime(["2024-01-02", None])})
    frame.assign(渠道=[["热线", "网站"], []]).to_parquet(path)
    rows = read_submissions(path).submissions
    assert list(rows.submission_id) == ["1", "2"]
    assert list(rows.channel) == ["热线;网站", ""]
    assert rows.submitted_at[0] == pd.Timestamp("2024-01-02")


def test_labels_are_read_for_training_only(tmp_path):
    path = write(
        tmp_path,
        "a.csv",
        "编号,标题,内容,一级标签,其他主题,承办单位,leads,协办单位,分词\n"
        f"1,暖气,{HEATING},供热,能源；民生,道里区住建局,住建局;供热企业,,\n2,,,噪音,,,,,夜市 噪音 扰民\n",
    )
    labelled = read_submissions(path, options=ReadOptions(labels=True))
    check_table(labelled.submissions, LABELLED, where="test")
    assert list(labelled.submissions.topic) == ["供热", "噪音"]
    assert list(labelled.submissions.other_topics) == [["能源", "民生"], []]
    assert list(labelled.submissions.department_kind) == [["住建局", "供热企业"], []]
    assert list(labelled.submissions.tokens) == [[], ["夜市", "噪音", "扰民"]]
    routed = read_submissions(path)
    assert list(routed.submissions.columns) == SUBMISSIONS.names
    assert reasons(routed) == [(3, "标题和内容都是空的")]


def test_a_label_column_that_was_named_must_be_there(tmp_path):
    path = write(tmp_path, "a.csv", f"编号,内容\n1,{HEATING}\n")
    reading = read_submissions(path, options=ReadOptions(labels=True, topic_column="大类"))
    assert reasons(reading) == [(0, "没有“大类”列（找到的表头：编号、内容），请补上这一列，或改正选项里的列名")]


def test_batches_have_their_size_and_do_not_change_what_is_read(tmp_path):
    for name in "ab":
        write(tmp_path, f"{name}.csv", "编号,内容\n" + "".join(f"{n},路灯第{n}盏不亮\n" for n in range(7)) + "x,\n")
    files = list_inputs([tmp_path])
    by_size = {}
    for size in (1, 4, 100):
        batches = list(read_batches(files, options=ReadOptions(), settings=ReadingSettings(), batch_rows=size))
        full = [len(batch.submissions) for batch in batches if len(batch.submissions)]
        assert all(rows == size for rows in full[:-1])
        by_size[size] = pd.concat([batch.submissions for batch in batches], ignore_index=True)
        assert sum(len(batch.rejected) for batch in batches) == 2
    pd.testing.assert_frame_equal(by_size[1], by_size[100])
    pd.testing.assert_frame_equal(by_size[4], by_size[100])


def test_a_folder_is_read_in_order_of_names_and_nothing_is_silent(tmp_path):
    (tmp_path / "二月").mkdir()
    write(tmp_path / "二月", "b.csv", f"内容\n{NOISE}\n")
    write(tmp_path, "a.csv", f"内容\n{HEATING}\n")
    write(tmp_path, "旧.doc", "x")
    write(tmp_path, "照片.jpg", "x")
    write(tmp_path, "空.csv", "")
    write(tmp_path, ".hidden.csv", "x")
    write(tmp_path, "~$a.xlsx", "x")
    reading = read_submissions(tmp_path)
    assert [file.name for file in reading.files] == ["a.csv", "二月/b.csv", "旧.doc", "照片.jpg", "空.csv"]
    assert list(reading.submissions.source_file) == ["a.csv", "二月/b.csv"]
    told = dict(zip(reading.rejected.source_file, reading.rejected.reason, strict=True))
    assert "另存为 .docx" in told["旧.doc"]
    assert "图片" in told["照片.jpg"]
    assert "空的" in told["空.csv"]


def test_two_files_of_one_name_are_told_apart_and_one_file_is_read_once(tmp_path):
    for folder in ("甲", "乙"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "a.csv", f"内容\n{folder}\n")
    files = list_inputs([tmp_path / "甲" / "a.csv", tmp_path / "乙" / "a.csv", tmp_path / "甲"])
    assert [file.name for file in files] == ["甲/a.csv", "乙/a.csv"]


def test_a_path_that_does_not_exist_is_an_error_that_names_it(tmp_path):
    with pytest.raises(InputError, match="no file or folder .*nowhere"):
        list_inputs([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="Nothing to read"):
        list_inputs([tmp_path])


def test_numbers_become_plain_text():
    assert [cell_text(cell) for cell in (188006.0, 1.5, 230103199001011234, True, None, float("nan"))] == [
        "188006",
        "1.5",
        "230103199001011234",
        "是",
        "",
        "",
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_what_is_written_as_csv_is_read_back(tmp_path, texts, encoding, delimiter):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(["编号", "标题", "内容"])
    writer.writerows([f"n{n}", "标题", "路灯" + text] for n, text in enumerate(texts))
    path = tmp_path / "a.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    reading = read_submissions(path)
    assert list(reading.submissions.text) == [clean_text("路灯" + text) for text in texts]
    assert list(reading.submissions.submission_id) == [f"n{n}" for n in range(len(texts))]


def test_a_label_column_that_training_was_told_to_use_is_never_replaced_by_another(tmp_path):
    path = write(tmp_path, "标注.csv", f"标题,内容,主题分类\n暖气不热,{HEATING},供热燃气\n")
    reading = read_submissions(path, options=ReadOptions(labels=True, topic_column="归口"))
    assert reading.submissions.empty
    assert "没有“归口”列" in reading.rejected.reason[0]


def test_the_output_of_this_run_and_of_earlier_ones_in_an_input_folder_is_not_read(tmp_path):
    write(tmp_path, "来信.csv", f"标题,内容\n暖气不热,{HEATING}\n")
    for folder in ("结果", "结果.partial", "结果.old-1", "上周"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "routed.csv", f"标题,内容\n暖气不热,{HEATING}\n")
    for name in ("run.json", "routed.parquet"):
        write(tmp_path / "上周", name, "{}")
    assert [file.name for file in list_inputs([tmp_path], leave_out=tmp_path / "结果")] == ["来信.csv"]
