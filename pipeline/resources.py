"""Where the shipped model, lexicon, directory and dictionaries are: in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError

_PACKAGE = Path(__file__).resolve().parent
# name in the wheel (pipeline/shipped/...) -> place in a checkout
_CHECKOUT = {
    "models/default": "models/default",
    "directory": "corpus/directory",
    "dictionaries": "corpus/dictionaries",
    "lexicon.csv": "corpus/lexicon.csv",
}


def shipped(name: str) -> Path:
    """Path of a shipped resource: models/default, directory, dictionaries or lexicon.csv.

    Raises
    ------
    PipelineError : it is neither in the installed package nor in the checkout
    """
    places = [_PACKAGE / "shipped" / name, _PACKAGE.parent / _CHECKOUT[name]]
    for place in places:
        if place.exists():
            return place
    raise PipelineError(
        f"{name} is missing (looked at {' and '.join(map(str, places))}). Install fenban anew, or check out all files."
    )
