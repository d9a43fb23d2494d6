"""Rows a second of finding places, recalling what is alike and matching departments, on all cores of the machine.

    python ../shared/bench/make_backlog.py 100000 backlog.csv
    python benchmarks/matching_speed.py --backlog backlog.csv [--model NAME|DIR]

Routes the backlog with route.py and reads the seconds that each map stage took in the workers, as run.json tells them.
Rows a second are rows divided by the seconds of a stage, times the number of workers. Opening the tools is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

STAGES = ("segment", "classify", "places", "recall", "match", "sketch")
MATCHING = (("places", "match"), ("places", "recall", "match"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backlog", type=Path, required=True)
    parser.add_argument("--model", default="default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [sys.executable, "route.py", str(given.backlog), "--out", str(out), "--model", given.model, "--quiet"]
        subprocess.run(command, check=True)
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    rows, seconds, workers = run["counts"]["read"], run["seconds"], os.cpu_count() or 1
    print(f"{rows} rows, {workers} workers\n| stage | microseconds a row | rows a second |\n|---|---|---|")
    for names in (*((name,) for name in STAGES), *MATCHING):
        spent = sum(seconds[f"map.{name}"] for name in names)
        print(f"| {' + '.join(names)} | {1e6 * spent / rows:.0f} | {workers * rows / spent:,.0f} |")


if __name__ == "__main__":
    main()
