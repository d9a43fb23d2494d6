"""sketches -> candidate pairs -> issues, with the evidence kept.

`sketch_submissions` is a map and runs in worker processes; `group_submissions` sees the sketches of all rows at once
and asks for texts and words only of the rows it needs; `describe_issues` sums up the finished rows. `mark_pairs` and
`fit_pair_scorer` learn from rows whose issues are known.
"""

from pipeline.cluster.describe import describe_issues
from pipeline.cluster.fitting import everyday_words, fit_pair_scorer, group_unseen, mark_pairs
from pipeline.cluster.groups import Grouping, group_submissions
from pipeline.cluster.scorer import PairScorer
from pipeline.cluster.sketches import SKETCHES, content_words, sketch_submissions

__all__ = [
    "SKETCHES",
    "Grouping",
    "PairScorer",
    "content_words",
    "describe_issues",
    "everyday_words",
    "fit_pair_scorer",
    "group_submissions",
    "group_unseen",
    "mark_pairs",
    "sketch_submissions",
]
