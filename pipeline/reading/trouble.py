"""What a reader raises when a whole file, or the rest of it, cannot be read."""

from __future__ import annotations


class UnreadableError(Exception):
    """Costs the file (or its rest), never the run; becomes one line in 未处理.

    Attributes
    ----------
    reason : Chinese, for the clerk; ends with what to do
    sheet : the sheet it happened in, or ""
    row : 1-based row, or 0 for the whole file
    """

    def __init__(self, reason: str, *, sheet: str = "", row: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sheet = sheet
        self.row = row
