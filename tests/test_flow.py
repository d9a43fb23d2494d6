"""The whole job on a small set of files, and the same job a second time."""

import json
from dataclasses import replace

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import FORMULA, HEAT, LAMP, LETTERS, LETTERS_HEADER, ROOT, SAME_TEXT, write_csv

from pipeline.errors import BundleError, InputError, OutputError
from pipeline.flow import open_memory, route_batch
from pipeline.reading import ReadOptions, read_submissions
from pipeline.schema import DECISIONS, ISSUES, LINKS, ROUTED

# The contract, written out here once more: a change of schema.py must not change it unnoticed.
ROUTED_TYPES = """
submission_id string, title string, text string, topic string, topic_probability double, other_topics list,
department_kind string, department string, department_probability double, department_candidates list,
co_departments list, reason string, district string?, township string?, spot string?, urgency string, decision string,
issue_id string, duplicate_of string?, submitter string, submitted_at timestamp?, channel string, place string,
source_file string, source_sheet string, source_row int64, deadline date32?, reopened bool
"""
ISSUES_TYPES = """
issue_id string, title string, size int64, people int64, first_at timestamp?, last_at timestamp?, topic string,
department string, district string?, township string?, heat double, representative string, members list
"""
LINKS_TYPES = "submission_id string, linked_to string, kind string, probability double, shared_words list"


def promised(text):
    return [tuple(item.split()) for item in text.split(",")]


def found_types(path):
    return [(field.name, str(field.type).split("[")[0].split("<")[0]) for field in pq.read_schema(path)]


@pytest.fixture(scope="module")
def routed(finished):
    return pd.read_parquet(finished.out / "routed.parquet")


@pytest.fixture(scope="module")
def run(finished):
    return json.loads((finished.out / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "types"), [("routed", ROUTED_TYPES), ("issues", ISSUES_TYPES), ("links", LINKS_TYPES)]
)
def test_a_table_has_the_columns_of_the_contract_in_order(finished, name, types):
    path = finished.out / f"{name}.parquet"
    assert found_types(path) == [(column, kind.rstrip("?")) for column, kind in promised(types)]
    table = pq.read_table(path)
    for column, kind in promised(types):
        assert kind.endswith("?") or table.column(column).null_count == 0, column
        if kind == "list":
            assert all(None not in items for items in table.column(column).to_pylist())


def test_schema_and_contract_name_the_same_columns():
    for table, types in ((ROUTED, ROUTED_TYPES), (ISSUES, ISSUES_TYPES), (LINKS, LINKS_TYPES)):
        assert table.names == [column for column, _ in promised(types)]


def test_the_rows_are_those_read_in_the_order_read(routed):
    assert routed["submission_id"].tolist()[:7] == [*(row[0] for row in LETTERS[:4]), "x-1", "x-2", "x-3"]
    assert len(routed) == 8
    assert routed["source_file"].tolist() == ["1热线.csv"] * 4 + ["2登记.xlsx"] * 3 + ["3意见.docx"]
    assert routed["source_row"].tolist()[:7] == [2, 3, 4, 5, 4, 5, 6]
    assert routed["text"].tolist()[:3] == [SAME_TEXT, LAMP[0], SAME_TEXT]
    assert HEAT[7] in routed["text"].tolist()[7]


def test_what_was_read_comes_out_as_it_was(routed):
    first = routed.iloc[0]
    assert (first["submitter"], first["channel"], first["place"]) == ("王先生", "热线", "南岗区征仪路")
    assert first["submitted_at"] == pd.Timestamp("2026-01-13 08:00")
    assert pd.isna(routed.iloc[6]["submitted_at"])


def test_every_value_is_within_its_bounds(routed):
    assert routed["submission_id"].is_unique
    assert routed["topic_probability"].between(0, 1).all()
    assert routed["department_probability"].between(0, 1).all()
    assert set(routed["decision"]) <= set(DECISIONS)
    assert set(routed["urgency"]) <= {"urgent", "normal"}
    assert (routed["reason"] != "").all()
    assert (routed["issue_id"] != "").all()
    assert (routed["deadline"].dropna() > routed["submitted_at"].dt.date[routed["deadline"].notna()]).all()
    assert routed.loc[routed["submitted_at"].isna(), "deadline"].isna().all()
    assert not routed["reopened"].any()


def test_the_candidates_begin_with_the_department(routed):
    for row in routed.itertuples():
        candidates = list(row.department_candidates)
        assert len(candidates) <= 3
        assert len(set(candidates)) == len(candidates)
        # Where no department leads, some may still be offered to the clerk who decides.
        assert row.decision == "review" if not row.department else candidates[0] == row.department


def test_a_text_sent_twice_is_a_duplicate_of_the_earliest_and_one_issue(routed):
    # The third row was written the evening before the first.
    assert routed.loc[0, "duplicate_of"] == LETTERS[2][0]
    assert pd.isna(routed.loc[2, "duplicate_of"])
    assert routed.loc[0, "issue_id"] == routed.loc[2, "issue_id"]
    assert routed["duplicate_of"].notna().sum() == 1


def test_issues_and_links_speak_of_the_rows_that_are_there(finished, routed):
    issues = pd.read_parquet(finished.out / "issues.parquet").set_index("issue_id")
    assert set(issues.index) == set(routed["issue_id"])
    for name, rows in routed.groupby("issue_id"):
        assert sorted(issues.loc[name, "members"]) == sorted(rows["submission_id"])
        assert issues.loc[name, "size"] == len(rows)
        assert issues.loc[name, "representative"] in rows["submission_id"].tolist()
    links = pd.read_parquet(finished.out / "links.parquet")
    exact = links[links["submission_id"] == LETTERS[0][0]].iloc[0]
    assert (exact["linked_to"], exact["kind"]) == (LETTERS[2][0], "exact")


def test_run_json_tells_what_was_read_and_how(run, model):
    by_name = {entry["file"]: entry for entry in run["inputs"]}
    assert {name: (entry["rows"], entry["rejected"]) for name, entry in by_name.items()} == {
        "1热线.csv": (4, 1),
        "2登记.xlsx": (3, 0),
        "3意见.docx": (1, 0),
        "4损坏.xlsx": (0, 1),
    }
    assert all(len(entry["sha256"]) == 64 and entry["bytes"] > 0 for entry in run["inputs"])
    assert run["model"]["folder"] == model.name
    assert len(run["model"]["sha256"]) == 64
    assert run["settings"]["classify"]["folds"] == 2
    assert {"hash", "map", "map.segment", "map.classify", "map.match", "issues", "tables", "workbook"} <= set(
        run["seconds"]
    )
    assert 10_000_000 < run["peak_memory_bytes"] < 4_000_000_000
    counts = run["counts"]
    assert (counts["read"], counts["rejected"], counts["duplicates"]) == (8, 2, 1)
    assert counts["auto"] + counts["check"] + counts["review"] == 8


def test_what_was_rejected_stands_in_run_json_and_in_the_workbook(run, finished):
    rejected = {(row["source_file"], row["source_row"]): row["reason"] for row in run["rejected"]}
    assert set(rejected) == {("1热线.csv", 6), ("4损坏.xlsx", 0)}
    assert all(rejected.values())
    book = openpyxl.load_workbook(finished.out / "routing_tables.xlsx", read_only=True)
    cells = [str(cell) for row in book["未处理"].iter_rows(values_only=True) for cell in row if cell is not None]
    book.close()
    for (name, _), reason in rejected.items():
        assert name in cells
        assert reason in cells


def test_a_planted_formula_stays_text(routed, finished):
    assert routed.loc[3, "text"] == FORMULA
    book = openpyxl.load_workbook(finished.out / "routing_tables.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    book.close()
    planted = [cell for cell in cells if "HYPERLINK" in str(cell.value)]
    assert planted
    assert all(cell.data_type == "s" for cell in planted)
    assert all(cell.hyperlink is None for cell in planted)


def test_nothing_is_left_beside_the_finished_folder(finished):
    assert [path.name for path in finished.out.parent.iterdir()] == ["out"]


def test_the_batch_size_leaves_no_mark(finished, office, model, send, tmp_path):
    send([office], tmp_path / "ones", model, batch_rows=1)
    for name in ("routed.parquet", "issues.parquet", "links.parquet"):
        assert (tmp_path / "ones" / name).read_bytes() == (finished.out / name).read_bytes(), name


def test_one_stage_runs_on_a_few_rows_in_a_notebook(office, model, quick):
    from pipeline.bundle import load_bundle
    from pipeline.tools import Knowledge, open_tools

    submissions = read_submissions([office]).submissions
    tools = open_tools(Knowledge.shipped(model), quick, on=pd.Timestamp("2026-01-20").date())
    bundle = load_bundle(model)
    memory = open_memory(tools, bundle, None, quick)
    whole = route_batch(submissions, tools=tools, bundle=bundle, memory=memory, settings=quick)
    part = route_batch(submissions.iloc[2:4], tools=tools, bundle=bundle, memory=memory, settings=quick)
    pd.testing.assert_frame_equal(part, whole.iloc[2:4], check_column_type=False)
    nothing = route_batch(submissions.iloc[:0], tools=tools, bundle=bundle, memory=memory, settings=quick)
    assert nothing.columns.tolist() == whole.columns.tolist()


# A second run


@pytest.fixture
def letters(tmp_path):
    """Two letters in a folder of their own."""
    (tmp_path / "in").mkdir()
    return write_csv(tmp_path / "in" / "来信.csv", LETTERS_HEADER, LETTERS[:2])


def everything_in(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_the_same_run_again_leaves_a_finished_folder_as_it_is(letters, model, send, tmp_path):
    first = send([letters], tmp_path / "out", model)
    before = everything_in(tmp_path / "out")
    again = send([letters], tmp_path / "out", model, overwrite=True, batch_rows=1)
    assert (first.finished_before, again.finished_before) == (False, True)
    assert everything_in(tmp_path / "out") == before
    assert again.run == json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))


def test_what_a_clerk_corrected_in_the_workbook_survives_the_same_run(letters, model, send, tmp_path):
    send([letters], tmp_path / "out", model)
    (tmp_path / "out" / "routing_tables.xlsx").write_bytes(b"corrected")
    send([letters], tmp_path / "out", model)
    assert (tmp_path / "out" / "routing_tables.xlsx").read_bytes() == b"corrected"


def test_a_finished_folder_of_other_letters_model_directory_or_settings_is_refused(
    letters, model, send, tmp_path, quick
):
    send([letters], tmp_path / "out", model)
    before = everything_in(tmp_path / "out")
    other_settings = replace(quick, match=replace(quick.match, candidates=2))
    other_letters = write_csv(tmp_path / "别的.csv", LETTERS_HEADER, LETTERS[1:2])
    for inputs, options in (
        ([other_letters], {}),
        ([letters, other_letters], {}),
        ([letters], {"settings": other_settings}),
        ([letters], {"directory": False}),
        ([letters], {"options": ReadOptions(columns={"title": "来电人"})}),
    ):
        with pytest.raises(OutputError, match=r"other inputs, model or settings.*--overwrite.*out\.old-1"):
            send(inputs, tmp_path / "out", model, **options)
    with pytest.raises(OutputError):
        send([letters], tmp_path / "out", ROOT / "models" / "default")
    assert everything_in(tmp_path / "out") == before


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_folder_whose_run_json_is_none_of_ours_is_refused(letters, model, send, tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match="--overwrite"):
        send([letters], tmp_path / "out", model)


def test_overwrite_renames_the_old_folder(letters, model, send, tmp_path):
    send([letters], tmp_path / "out", model)
    before = everything_in(tmp_path / "out")
    write_csv(letters, LETTERS_HEADER, LETTERS[1:2])
    send([letters], tmp_path / "out", model, overwrite=True)
    assert everything_in(tmp_path / "out.old-1") == before
    assert len(pd.read_parquet(tmp_path / "out" / "routed.parquet")) == 1


def test_without_a_directory_the_model_alone_decides(letters, model, send, tmp_path):
    report = send([letters], tmp_path / "out", model, directory=False)
    routed = pd.read_parquet(tmp_path / "out" / "routed.parquet")
    assert report.run["directory"] == "none"
    assert routed[["district", "township", "spot"]].isna().all().all()
    assert (routed["topic"] != "").all()
    assert (tmp_path / "out" / "routing_tables.xlsx").exists()


def test_a_header_that_nobody_knows_can_be_named(tmp_path, model, send):
    letters = write_csv(tmp_path / "来信.csv", ["甲", "乙"], [["q1", SAME_TEXT], ["q2", LAMP[1]]])
    columns = ReadOptions(columns={"submission_id": "甲", "text": "乙"})
    send([letters], tmp_path / "out", model, options=columns)
    routed = pd.read_parquet(tmp_path / "out" / "routed.parquet")
    assert routed["submission_id"].tolist() == ["q1", "q2"]
    assert routed["text"].tolist() == [SAME_TEXT, LAMP[1]]


def test_files_without_one_good_row_leave_nothing_behind(tmp_path, model, send):
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match="No submission could be read from 1 file"):
        send([tmp_path / "坏.xlsx"], tmp_path / "out", model)
    assert [path.name for path in tmp_path.iterdir()] == ["坏.xlsx"]


def test_a_model_that_is_no_model_is_told_before_anything_is_written(letters, tmp_path, send):
    with pytest.raises(BundleError, match="is no model folder"):
        send([letters], tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
