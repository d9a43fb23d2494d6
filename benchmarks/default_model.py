"""The shipped model on real messages kept outside the project: topics, leads, decisions, domains of a board.

    python benchmarks/default_model.py --data ../shared/data

Routes topics_dev.csv and leaders_board_dev.csv with models/default and prints one figure a line. Nothing shipped is
trained on these messages. Intervals are 95 % percentile bootstrap over rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from sklearn.metrics import f1_score

from pipeline.evaluate import share_interval

# The writer's own choice among fourteen domains; only those that mean one topic.
DOMAINS = {
    "环保": "environment",
    "交通": "traffic",
    "教育": "education",
    "医疗": "health",
    "就业": "employment",
    "三农": "agriculture",
    "治安": "public_safety",
}


def route(path: Path) -> pd.DataFrame:
    """Routed rows of a file by their id, labels of the file beside them with the ending _gold."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        subprocess.run([sys.executable, "route.py", str(path), "--out", str(out), "--quiet"], check=True)
        routed = pd.read_parquet(out / "routed.parquet").set_index("submission_id")
    gold = pd.read_csv(path, dtype="str", keep_default_na=False).set_index("submission_id").add_suffix("_gold")
    return gold.join(routed)


def interval(right: pd.Series) -> str:
    """Mean with its interval."""
    low, high = share_interval(right.to_numpy())
    return f"{right.mean():.3f} ({low:.3f}-{high:.3f}, {len(right)} rows)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of topics_dev.csv and leaders_board_dev.csv")
    data = parser.parse_args().data

    rows = route(data / "topics_dev.csv")
    right = rows["topic"] == rows["primary_gold"]
    listed = pd.Series(
        [topic in others.split(";") for topic, others in zip(rows["topic"], rows["others_gold"], strict=True)],
        index=rows.index,
    )
    lead = pd.Series(
        [kind in kinds.split(";") for kind, kinds in zip(rows["department_kind"], rows["leads_gold"], strict=True)],
        index=rows.index,
    )
    auto = rows["decision"] == "auto"
    names = sorted(set(rows["primary_gold"]))
    print(f"topic_accuracy: {interval(right)}")
    print(f"topic_accuracy_sure: {interval(right[rows['sure_gold'] == 'True'])}")
    print(f"topic_accuracy_or_further_topic: {interval(right | listed)}")
    macro = f1_score(rows["primary_gold"], rows["topic"], average="macro", labels=names, zero_division=0)
    print(f"topic_macro_f1: {macro:.3f}")
    print(f"lead_accuracy: {interval(lead)}")
    print(f"auto_coverage: {auto.mean():.3f}")
    print(f"auto_accuracy: {interval(lead[auto])}")
    for topic in ("traffic", "power", "sanitation", "flood_relief"):
        f1 = f1_score(rows["primary_gold"] == topic, rows["topic"] == topic)
        print(f"f1_{topic}: {f1:.3f} ({(rows['primary_gold'] == topic).sum()} rows)")

    board = route(data / "leaders_board_dev.csv")
    for domain, topic in DOMAINS.items():
        chosen = board[board["domain_gold"] == domain]
        hit = chosen["topic"] == topic
        further = pd.Series([topic in others for others in chosen["other_topics"]], index=chosen.index)
        print(f"board {topic}: {interval(hit)}; or as further topic {(hit | further).mean():.3f}")


if __name__ == "__main__":
    main()
