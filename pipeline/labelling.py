"""Labelled rows made ready to learn from: topic names become keys, a base's rows join, contradictions are found."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.directory import Directory
from pipeline.errors import InputError
from pipeline.schema import LABELLED, check_table, typed

FEW_EXAMPLES = 5  # rows of a label below which out-of-fold probabilities say little
LABELS_TOLD = 10
_LABEL_NAMES = {"topic": "主题", "department": "承办单位"}


def prepare_labels(
    labelled: pd.DataFrame,
    rejected: pd.DataFrame,
    *,
    directory: Directory | None,
    base: pd.DataFrame | None,
    strict: bool,
) -> tuple[pd.DataFrame, list[str]]:
    """The rows that a training learns from, and Chinese remarks about rows that it cannot, or should not, trust.

    Parameters
    ----------
    labelled, rejected : tables LABELLED (with `corrected`) and REJECTED, as read
    directory : knows topics by name, and the kinds of bodies
    base : LABELLED rows of the model to go on from
    strict : stop where a row is rejected, labels contradict each other or a correction cannot be learned

    Raises
    ------
    InputError : no row is left, or `strict` and something is wrong with the rows
    """
    named = name_topics(labelled, directory.topic_key if directory is not None else str)
    unfit: list[str] = []
    if base is not None:
        named, unfit = fit_corrections(named, base, directory)
    clashes = list(_clashes(named))
    contradicting = [line for line, _ in clashes]
    # Of two clerks one is wrong; rows that came labelled may differ for reasons of their own, and stay.
    clashing = named.index.isin([place for _, places in clashes for place in places])
    named = named[~(clashing & named["corrected"])]
    unread = [f"{_where(row)}未用：{row['reason']}" for row in rejected.to_dict("records")]
    notes = unread + unfit + contradicting
    if strict and notes:
        raise InputError(
            f"{len(unread)} rows cannot be read, {len(unfit)} corrections cannot be learned and {len(contradicting)} "
            f"texts have contradicting labels; the first: {notes[0]} Mend them, or train without --strict."
        )
    if named.empty:
        # With a base too: training it again as it was would take minutes and look like success.
        first = f"; the first: {notes[0]}" if notes else ""
        raise InputError(f"No labelled row could be read{first}. Mend the files.")
    if base is not None:
        named, replaced = join_training(base, named)
        notes.append(f"与原模型的数据合并，其中 {replaced} 件由新标签代替。")
    return named[LABELLED.names], notes


def fit_corrections(
    labelled: pd.DataFrame, base: pd.DataFrame, directory: Directory | None
) -> tuple[pd.DataFrame, list[str]]:
    """Labels of the sort that a base has learned.

    The base's leads are kinds or departments of their own. A body becomes its kind where the base has kinds only, be
    it a clerk's correction or a column of a list: a handful of bodies beside thousands of kinds would make a model of
    another sort that knows no other body. Without a directory nobody can tell the kind, and a list's bodies stay.
    What a clerk who corrected a row did not speak of stays as the base has it for the same text.

    Parameters
    ----------
    labelled : table LABELLED with `corrected`, topics by key
    base : LABELLED rows of the model to go on from

    Returns
    -------
    the rows without those of which nothing can be learned, and a Chinese line for each label that cannot
    """
    kinds = {kind for names in base["department_kind"] for kind in names}
    topics = set(base["topic"]) | set(directory.topic_names if directory is not None else ())
    own_departments = bool((base["department"] != "").any())

    def kind_of(name: str) -> str:
        if name in kinds:
            return name
        return directory.kind_of(name) if directory is not None else ""

    texts = _wordings(labelled)
    wanted = {text for text, ours in zip(texts, labelled["corrected"], strict=True) if ours}
    places = {text: place for place, text in enumerate(_wordings(base)) if text in wanted}
    rows, lines = [], []
    for row, text in zip(labelled.to_dict("records"), texts, strict=True):
        where = _where(row)
        topic, body = row["topic"], row["department"]
        if row["corrected"] and topic and topic not in topics:
            row["topic"] = ""
            lines.append(f"{where}：没有“{topic}”这个主题，没有学；请改用名单里的主题，或先加进 topics.csv")
        of_list = bool(body) and not len(row["department_kind"]) and bool(kinds) and directory is not None
        if not own_departments and (row["corrected"] or of_list):
            kind = kind_of(body) if kinds else ""
            row |= {"department": "", "department_kind": [kind] if kind else []}
            row["co_kinds"] = [kind_of(name) or name for name in row["co_kinds"]]
            if body and not kind:
                why = f"职责目录里没有“{body}”" if kinds else f"原模型没有学过承办单位，“{body}”用不上"
                lines.append(f"{where}：{why}，没有学；请改用名单里的单位，或先加进 departments.csv")
        if (row["corrected"] or of_list) and not any(row[name] for name in (*_CORRECTED, "issue")):
            continue
        if not row["corrected"]:
            rows.append(row)
            continue
        known = base.iloc[places[text]] if text in places else row
        for name in _CORRECTED:
            if not row[name] and len(known[name]):
                row[name] = known[name] if isinstance(known[name], str) else list(known[name])
        rows.append(row)
    frame = pd.DataFrame(rows, columns=labelled.columns)
    return typed(frame, LABELLED).assign(corrected=frame["corrected"].astype("bool")), lines


_CORRECTED = ("topic", "department", "department_kind", "co_kinds", "returned_by")


def read_ids(path: Path) -> list[str]:
    """The column submission_id of a CSV file.

    Raises
    ------
    InputError : the file cannot be read, is no table, has no such column, or no id
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            named = "submission_id" in (reader.fieldnames or ())
            ids = [(row.get("submission_id") or "").strip() for row in reader]
    except OSError as error:
        raise InputError(f"Cannot read the held-out file {path} ({error.strerror}). Check its path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The held-out file {path} is not UTF-8 ({error.reason}). Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise InputError(
            f"The held-out file {path} is no table ({error}). Look for a quote that is not closed."
        ) from error
    if not named or not any(ids):
        raise InputError(f"{path} has no column submission_id with an id in it. Write that header and one id a row.")
    return [name for name in ids if name]


def name_topics(labelled: pd.DataFrame, topic_key: Callable[[str], str]) -> pd.DataFrame:
    """Chinese topic names that the directory knows become their keys; other labels stay as they are.

    Parameters
    ----------
    labelled : table LABELLED
    topic_key : a name or key -> the key, or the same text where it is not known
    """
    check_table(labelled, LABELLED, where="name_topics")
    others = [[topic_key(name) for name in names] for names in labelled["other_topics"]]
    return labelled.assign(
        topic=[topic_key(name) for name in labelled["topic"]],
        other_topics=pd.Series(others, index=labelled.index, dtype="object"),
    )


def join_training(base: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows of a base model and new ones together; a new row takes the place of a base row with the same text.

    Returns
    -------
    table LABELLED, and how many rows of the base were replaced
    """
    check_table(base, LABELLED, where="join_training (base)")
    check_table(new, LABELLED, where="join_training (new)")
    corrected = set(_wordings(new))
    kept = base[[wording not in corrected for wording in _wordings(base)]]
    ids = set(new["submission_id"])
    renamed = []
    for name in kept["submission_id"]:
        # An id of the base may come again with another text: it is another submission, so it gets another name.
        while name in ids:
            name = f"base-{name}"
        ids.add(name)
        renamed.append(name)
    joined = pd.concat([kept.assign(submission_id=renamed), new], ignore_index=True)
    return joined[LABELLED.names], len(base) - len(kept)


def split_held_out(labelled: pd.DataFrame, held_out: Collection[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to learn from, and those that are kept for a test.

    Parameters
    ----------
    labelled : table LABELLED
    held_out : submission_ids of the test

    Raises
    ------
    InputError : an id is in no row, no row is left to learn from, or a row of the test repeats the text (blanks
        aside), or belongs to the issue, of a row learned from: then the test would be no test
    """
    check_table(labelled, LABELLED, where="split_held_out")
    held = labelled["submission_id"].isin(held_out).to_numpy()
    if missing := sorted(set(held_out) - set(labelled["submission_id"])):
        raise InputError(
            f"{len(missing)} ids of the held-out file are in no row, the first {missing[0]}. Pass the files that they "
            "come from, or take them out."
        )
    if held.all():
        raise InputError("Every row is held out and none is left to learn from. Hold out fewer.")
    for name, values in (("issue", labelled["issue"]), ("text", pd.Series(_wordings(labelled), index=labelled.index))):
        on_both = held & values.isin(set(values[~held]) - {""}).to_numpy()
        if on_both.any():
            first = labelled["submission_id"][on_both].iloc[0]
            raise InputError(
                f"{on_both.sum()} held-out rows have the {name} of a row to learn from, the first {first}. Hold out "
                f"all rows of that {name}, or none."
            )
    return labelled[~held].reset_index(drop=True), labelled[held].reset_index(drop=True)


def _clashes(labelled: pd.DataFrame) -> Iterator[tuple[str, pd.Index]]:
    """For each wording that carries two different labels, a Chinese line and the rows."""
    wording = pd.Series(_wordings(labelled), index=labelled.index)
    said = {name: labelled[column] for column, name in _LABEL_NAMES.items()}
    if "corrected" in labelled:
        kinds = labelled["department_kind"].map(lambda names: names[0] if len(names) else "")
        said["承办部门类别"] = kinds.where(labelled["corrected"], "")
    for name, values in said.items():
        for _, same in values[values != ""].groupby(wording, sort=False):
            labels = list(dict.fromkeys(same))
            if len(labels) > 1:
                where = "、".join(map(_where, labelled.loc[same.index].to_dict("records")))
                yield f"同一内容标了不同的{name}（{' / '.join(labels)}）：{where}", same.index


def rare_labels(labelled: pd.DataFrame) -> list[str]:
    """One Chinese line for each kind of label with few examples: they are learned, but their probability is rough.

    Raises
    ------
    InputError : a kind of label has only one value, so that there is nothing to tell apart
    """
    check_table(labelled, LABELLED, where="rare_labels")
    lines = []
    for column, name in _LABEL_NAMES.items():
        counts = labelled.loc[labelled[column] != "", column].value_counts()
        if len(counts) == 1:
            raise InputError(
                f"All {counts.iloc[0]} rows have the {column} {counts.index[0]}: there is nothing to tell apart. "
                "Add rows of others."
            )
        rare = counts[counts < FEW_EXAMPLES]
        if len(rare):
            told = "、".join(f"{label}（{count} 件）" for label, count in rare.head(LABELS_TOLD).items())
            lines.append(f"{len(rare)} 个{name}不足 {FEW_EXAMPLES} 件，把握只能粗略估计，请补充：{told}")
    return lines


def _where(row: Mapping[Hashable, Any]) -> str:
    """Where a row of SUBMISSIONS or REJECTED stands; row 0 is the whole sheet or file."""
    named = " ".join(filter(None, (row["source_file"], row["source_sheet"])))
    return f"{named} 第 {row['source_row']} 行" if row["source_row"] else named


def _wordings(labelled: pd.DataFrame) -> list[str]:
    columns = (labelled["title"], labelled["text"], labelled["tokens"])
    texts = ("".join((*title.split(), *text.split(), *words)) for title, text, words in zip(*columns, strict=True))
    return [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
