"""sketches -> candidate pairs -> issues, with the evidence kept.

`sketch_submissions` is a map and runs in worker processes; `group_submissions` sees the sketches of all rows at once
and asks for texts and words only of the rows it needs; `describe_issues` sums up the finished rows.
"""

from pipeline.cluster.describe import describe_issues
from pipeline.cluster.groups import Grouping, group_submissions, weigh_pairs
from pipeline.cluster.sketches import SKETCHES, content_words, sketch_submissions

__all__ = [
    "SKETCHES",
    "Grouping",
    "content_words",
    "describe_issues",
    "group_submissions",
    "sketch_submissions",
    "weigh_pairs",
]
