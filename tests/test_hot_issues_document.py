"""The worked example of docs/hot-issues.md is what the program computes."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from issue_rows import routed

from pipeline.cluster import describe_issues
from pipeline.schema import ISSUE_FIGURES, ROUTED, URGENCIES
from pipeline.settings import ClusterSettings

DOCUMENT = (ROOT / "docs" / "hot-issues.md").read_text(encoding="utf-8")
SETTINGS = ClusterSettings()


def table_below(heading: str) -> pd.DataFrame:
    lines = DOCUMENT.partition(heading)[2].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    end = next((i for i, row in enumerate(cells[2:], 2) if len(row) != len(cells[0])), len(cells))
    return pd.DataFrame(cells[2:end], columns=cells[0])


def described(rows: pd.DataFrame, now: str) -> pd.Series:
    newest = routed(submission_id=["now"], submitter=["钟"], issue_id=["i-now"], submitted_at=[now])
    issues = describe_issues(pd.concat([rows, newest], ignore_index=True), settings=SETTINGS)
    return issues.set_index("issue_id").loc["i-s0"]


@pytest.fixture
def example() -> pd.Series:
    names = {header: name for name, header in ROUTED.headers().items()}
    rows = table_below("### 一个例子").rename(columns=names).replace("", None)
    urgencies = {header: name for name, header in URGENCIES.items()}
    columns = {name: rows[name].tolist() for name in rows.columns} | {
        "urgency": rows["urgency"].map(urgencies).tolist()
    }
    return described(routed(**columns), "2026-03-31")


def test_the_figures_of_the_example_are_those_of_the_program(example):
    said = (
        "件数 {size}，人数 {people}：甲的第二件不再算。重复件 {copies}，不同说法 {voices}，本人再次提交 {resubmitted}，"
        "近期新增 {recent_people} 人，此前 {earlier_people} 人，涉及地点 {spread} 处，紧急件 {urgent}。"
    )
    assert said.format(**example) in DOCUMENT
    assert f"**{example['heat']:.2f}**" in DOCUMENT


def test_the_steps_of_the_example_lead_to_its_heat(example):
    together = np.log2(3)
    slow, fast = 0.5 ** (7 / SETTINGS.freshness_days), 0.5 ** (30 / SETTINGS.growth_days)
    fresh = together + 2 * slow + 0.5
    recent = together + 2 * 0.5 + fast
    growth = recent / (fresh + 2)
    assert np.log2(1 + fresh * (1 + growth) * 2**0.5) == pytest.approx(example["heat"])
    steps = DOCUMENT.partition("- 甲和丁是")[2].partition("比一比")[0]
    figures = [f"{each:.2f}" for each in (together, slow, 2 * slow, 0.5, fresh, fast, recent, growth, 1 + growth)]
    assert set(figures) <= set(re.findall(r"\d\.\d\d", steps))


@pytest.mark.parametrize(
    ("case", "rows"),
    [
        ("一个人，写了一件或四十件", routed(submitter=["甲"] * 40)),
        ("一个人，写了一件或四十件", routed(submitter=["甲"])),
        ("一个人，紧急", routed(submitter=["甲"], urgency=["urgent"])),
        ("五个人，各说各的", routed(title=["路灯不亮"] * 5)),
        ("二十个账号，同一段文字", routed(duplicate_of=[None, *["s0"] * 19])),
        ("二十个人，各说各的", routed(title=["路灯不亮"] * 20)),
        ("二十个人，各说各的，都是 60 天前", routed(submitted_at=["2025-09-02"] * 20)),
    ],
)
def test_the_comparisons_are_those_of_the_program(case, rows):
    told = table_below("比一比").set_index("情形")["热度"]
    assert told[case] == f"{described(rows, '2025-11-01')['heat']:.2f}"


def test_the_windows_that_the_document_names_are_the_settings():
    assert f"最近 {SETTINGS.growth_days:.0f} 天" in DOCUMENT
    assert f"每过 {SETTINGS.freshness_days:.0f} 天，分量减半" in DOCUMENT
    assert f"有 {SETTINGS.mass_posted_rows} 件以上" in DOCUMENT


def test_every_column_is_explained():
    explained = "、".join(table_below("## 各列是什么意思")["列"])
    assert [header for header in ISSUE_FIGURES.headers().values() if header not in explained] == []
