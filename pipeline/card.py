"""The model card of a bundle, in Chinese and English: what it was trained on, its scores, where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "topic": ("主题", "topic"),
    "kind": ("部门类别", "kind of department"),
    "department": ("承办单位", "department"),
}
_WEAKEST = 5


def write_card(manifest: Mapping[str, Any], *, topic_names: Mapping[str, str]) -> str:
    """Markdown from what the manifest holds.

    Parameters
    ----------
    manifest : rows, learn_only_rows, sources, settings, scores (by target), lead (coverage and accuracy out of fold),
        issues (scores of the grouping, empty where few are marked), and held_out where rows were kept for a test
    topic_names : key -> Chinese name
    """
    return _card(manifest, topic_names, chinese=True) + "\n---\n\n" + _card(manifest, topic_names, chinese=False)


def _card(manifest: Mapping[str, Any], topic_names: Mapping[str, str], *, chinese: bool) -> str:
    lines = [f"# {'模型说明' if chinese else 'Model card'}: {manifest['name']}", ""]
    lines.append(
        f"由 {manifest['rows']:,} 件带标签的来信训练，其中 {manifest['learn_only_rows']:,} 件只学不考。"
        f"来源：{'、'.join(manifest['sources'])}。"
        if chinese
        else f"Trained on {manifest['rows']:,} labelled submissions, {manifest['learn_only_rows']:,} of them never "
        f"scored, from {', '.join(manifest['sources'])}."
    )
    lines += ["", "## 成绩" if chinese else "## Scores", ""]
    folds = manifest["settings"]["classify"]["folds"]
    lines.append(
        f"{folds} 折交叉验证；同一事项、同一文字不分在两边；括号内是 95% 区间。"
        if chinese
        else f"{folds}-fold cross-validation, no issue and no text on both sides; in brackets 95 % intervals over rows."
    )
    head = (
        "| 标签 | 件数 | 准确率 | 宏平均 F1 | 校准误差 |" if chinese else "| label | rows | accuracy | macro-F1 | ECE |"
    )
    lines += ["", head, "|---|---|---|---|---|"]
    for target, score in manifest["scores"].items():
        low, high = score["accuracy_interval"]
        lines.append(
            f"| {_NAMES[target][0 if chinese else 1]} | {score['rows']:,} | {score['accuracy']:.3f} "
            f"({low:.3f}–{high:.3f}) | {score['macro_f1']:.3f} | {score['calibration_error']:.3f} |"
        )
    accuracy = manifest["settings"]["match"]["accuracy"]
    lines += ["", _decisions(manifest["lead"], accuracy, chinese=chinese)]
    if manifest["issues"]:
        lines += ["", _issues(manifest["issues"], chinese=chinese)]
    if "held_out" in manifest:
        lines += _held_out(manifest["held_out"], topic_names, chinese=chinese)
    lines += ["", "## 薄弱之处" if chinese else "## Where it fails", ""]
    for target, score in manifest["scores"].items():
        weakest = sorted(score["per_label"].items(), key=lambda item: (item[1]["f1"], item[0]))[:_WEAKEST]
        told = [
            f"{topic_names.get(label, label) if chinese else label} {row['f1']:.2f} ({row['rows']})"
            for label, row in weakest
        ]
        lines.append(
            f"- {_NAMES[target][0]} F1 最低（件数）：{'，'.join(told)}"
            if chinese
            else f"- lowest F1 by {_NAMES[target][1]} (rows): {', '.join(told)}"
        )
    lines.append(
        "- 成绩来自与训练数据同一来源的文字；别处的来信用词不同，把握会偏高。请用本单位的数据再训练。"
        if chinese
        else "- The scores are on text of the same origin as the training data; elsewhere people use other words and "
        "the probabilities are too high. Retrain with your own data."
    )
    return "\n".join(lines) + "\n"


def _held_out(scores: Mapping[str, Any], topic_names: Mapping[str, str], *, chinese: bool) -> list[str]:
    """The rows that were kept for a test: in no fold and no threshold."""
    lines = ["", "## 留出的件" if chinese else "## Held-out rows", ""]
    if "topic" in scores:
        topic = scores["topic"]
        low, high = topic["accuracy_interval"]
        lines.append(
            f"{topic['rows']:,} 件从未学过：主题准确率 {topic['accuracy']:.3f} ({low:.3f}–{high:.3f})，"
            f"宏平均 F1 {topic['macro_f1']:.3f}，校准误差 {topic['calibration_error']:.3f}。"
            if chinese
            else f"{topic['rows']:,} rows that were never learned from: topic accuracy {topic['accuracy']:.3f} "
            f"({low:.3f}–{high:.3f}), macro-F1 {topic['macro_f1']:.3f}, ECE {topic['calibration_error']:.3f}."
        )
    if "lead" in scores:
        lead = scores["lead"]
        lines.append(
            f"主办正确率 {lead['accuracy']:.1%}；{lead['auto_coverage']:.1%} 可自动，"
            f"其中 {lead['auto_accuracy']:.1%} 正确。"
            if chinese
            else f"The lead is right for {lead['accuracy']:.1%}; {lead['auto_coverage']:.1%} are auto and "
            f"{lead['auto_accuracy']:.1%} of those are right."
        )
    if "topic" in scores:
        head = "| 主题 | 件数 | 准确 | 找全 | F1 |" if chinese else "| topic | rows | precision | recall | F1 |"
        lines += ["", head, "|---|---|---|---|---|"]
        lines += [
            f"| {topic_names.get(label, label) if chinese else label} | {row['rows']} | {row['precision']:.2f} | "
            f"{row['recall']:.2f} | {row['f1']:.2f} |"
            for label, row in scores["topic"]["per_label"].items()
        ]
    return lines


def _issues(scores: Mapping[str, Any], *, chinese: bool) -> str:
    """How well rows stand together, by scorers that never saw their issues."""
    if chinese:
        return (
            f"归并事项：{scores['rows']:,} 件、{scores['issues']:,} 个多件事项，五折，打分的没学过被考的事项："
            f"B-cubed F1 {scores['bcubed_f1']:.3f}（准 {scores['bcubed_precision']:.3f}，"
            f"全 {scores['bcubed_recall']:.3f}），"
            f"成对 F1 {scores['pair_f1']:.3f}（准 {scores['pair_precision']:.3f}，全 {scores['pair_recall']:.3f}）。"
        )
    return (
        f"Issues: {scores['rows']:,} rows, {scores['issues']:,} issues of several, five-fold by scorers that never saw "
        f"the issues scored: B-cubed F1 {scores['bcubed_f1']:.3f} (precision {scores['bcubed_precision']:.3f}, recall "
        f"{scores['bcubed_recall']:.3f}), pair F1 {scores['pair_f1']:.3f} (precision {scores['pair_precision']:.3f}, "
        f"recall {scores['pair_recall']:.3f})."
    )


def _decisions(lead: Mapping[str, Any], accuracy: float, *, chinese: bool) -> str:
    if chinese:
        return (
            f"自动分派要求 {accuracy:.1%} 正确：训练外的行里 {lead['auto_coverage']:.1%} 可自动，"
            f"其中 {lead['auto_accuracy']:.1%} 正确；全部行的主办正确率 {lead['accuracy']:.1%}。"
        )
    return (
        f"Auto asks for {accuracy:.1%} right: out of fold {lead['auto_coverage']:.1%} of rows are auto and "
        f"{lead['auto_accuracy']:.1%} of those are right; the lead is right for {lead['accuracy']:.1%} of all rows."
    )
