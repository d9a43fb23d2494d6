"""The office's register: one DuckDB file of all submissions so far, in which issues keep their ids, history and status.

A run asks it for the rows that its new ones may belong with (`find_neighbourhood`), groups those and the new ones,
names the issues as they were named before (`settle_issues`) and gives everything back (`keep_run`). What clerks decide
(`merge_issues` and the others) takes effect in the file at once and is heeded by every later run.
"""

from pipeline.register.decisions import (
    Signature,
    close_issues,
    merge_issues,
    pin_issue,
    pin_submissions,
    reopen_issues,
    split_issue,
    unpin_issue,
)
from pipeline.register.keeping import keep_run
from pipeline.register.listing import issue_details, issue_history, list_issues
from pipeline.register.neighbours import Neighbourhood, find_neighbourhood
from pipeline.register.returned import registered_returns
from pipeline.register.settling import Outcome, keep_issue_ids, settle_issues
from pipeline.register.store import Register, open_register

__all__ = [
    "Neighbourhood",
    "Outcome",
    "Register",
    "Signature",
    "close_issues",
    "find_neighbourhood",
    "issue_details",
    "issue_history",
    "keep_issue_ids",
    "keep_run",
    "list_issues",
    "merge_issues",
    "open_register",
    "pin_issue",
    "pin_submissions",
    "registered_returns",
    "reopen_issues",
    "settle_issues",
    "split_issue",
    "unpin_issue",
]
