"""One candidate of one row, with what speaks for it: what a reason is written from."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.directory import NOBODY, Duty


class Likes(NamedTuple):
    """Past matters like a row, of those that may be named.

    Attributes
    ----------
    own : submission_ids of those that the candidate handled, most like first
    others : how many others handled
    """

    own: tuple[str, ...] = ()
    others: int = 0


class Lead(NamedTuple):
    """A kind of department, or a department that training learned.

    Attributes
    ----------
    name : the label as learned, or the kind
    kind : "" where the directory does not know the label
    learned : probability by training, 0 to 1; None where nothing of the sort was learned
    duty : the clause that says most for it; None without one
    found_by : words, meaning or topic: what the clause was found by; "" without one
    nearest : the clause of its kind that reads most like the row, however little; None where none does
    words : of the clause, as written in the title or text, in order; of the first candidate alone
    likes : past matters
    """

    name: str
    kind: str
    learned: float | None
    duty: Duty | None
    found_by: str
    nearest: Duty | None = None
    words: tuple[str, ...] = ()
    likes: Likes = Likes()

    @property
    def nobody(self) -> bool:
        """Whether it says that no kind fits: a hotline or a committee must not become the usual department by it."""
        return self.kind == NOBODY
