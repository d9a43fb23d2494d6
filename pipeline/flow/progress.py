"""How a run tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, float | None], None]
"""Called with the name of a stage, the rows done in it, and the share of it that is done (None: not known)."""
