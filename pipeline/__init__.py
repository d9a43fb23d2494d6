"""fenban (分办): sorts public opinion in Chinese into topics, departments, places and issues.

    from pipeline import load_bundle, open_engine, read_submissions, route, train

The names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.bundle import load_bundle
    from pipeline.engines import open_engine
    from pipeline.flow import route, train
    from pipeline.reading import read_submissions

__version__ = "0.1.0"
__all__ = ["load_bundle", "open_engine", "read_submissions", "route", "train"]

_HOME = {
    "load_bundle": "pipeline.bundle",
    "open_engine": "pipeline.engines",
    "read_submissions": "pipeline.reading",
    "route": "pipeline.flow",
    "train": "pipeline.flow",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'; it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
