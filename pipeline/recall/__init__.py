"""What is like a submission: past matters with who handled them, duty clauses by meaning, and returned matters."""

from pipeline.recall.clauses import Clauses
from pipeline.recall.nearest import Index
from pipeline.recall.past import Past, fit_past
from pipeline.recall.returned import Returned, open_returned
from pipeline.recall.stage import recall_matters

__all__ = [
    "Clauses",
    "Index",
    "Past",
    "Returned",
    "fit_past",
    "open_returned",
    "recall_matters",
]
