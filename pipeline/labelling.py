"""Labelled rows made ready to learn from: topic names become keys, a base's rows join, contradictions are found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pandas as pd

from pipeline.errors import InputError
from pipeline.schema import LABELLED, check_table

FEW_EXAMPLES = 5  # rows of a label below which out-of-fold probabilities say little
LABELS_TOLD = 10
_LABEL_NAMES = {"topic": "主题", "department": "承办单位"}


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


def contradictions(labelled: pd.DataFrame) -> list[str]:
    """One Chinese line for each wording that carries two different labels."""
    check_table(labelled, LABELLED, where="contradictions")
    lines = []
    wording = pd.Series(_wordings(labelled), index=labelled.index)
    for column, name in _LABEL_NAMES.items():
        given = labelled[labelled[column] != ""]
        for _, rows in given.groupby(wording[given.index], sort=False):
            labels = list(dict.fromkeys(rows[column]))
            if len(labels) > 1:
                places = zip(rows["source_file"], rows["source_sheet"], rows["source_row"], strict=True)
                where = "、".join(f"{file} {sheet} 第 {row} 行".replace("  ", " ") for file, sheet, row in places)
                lines.append(f"同一内容标了不同的{name}（{' / '.join(labels)}）：{where}")
    return lines


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


def _wordings(labelled: pd.DataFrame) -> list[str]:
    columns = (labelled["title"], labelled["text"], labelled["tokens"])
    texts = ("".join((*title.split(), *text.split(), *words)) for title, text, words in zip(*columns, strict=True))
    return [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
