"""All names of the directory's places, and where they stand in a batch of texts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from pipeline.directory import Directory, Place
from pipeline.phrases import Phrases, fold
from pipeline.settings import PlaceSettings

# A name that ends like this is official wording and names the place wherever it stands.
_OFFICIAL = re.compile(r"(?:[区县市镇乡]|街道|办事处|街道办|管委会|农场|林业局)$")


@dataclass(frozen=True, eq=False)
class Name:
    """One spelling and every place that it may mean; no sense at all makes it a trap."""

    senses: tuple[Place, ...]
    official: bool

    # Each is asked for in thousands of rows, and there are few names.
    @cached_property
    def districts(self) -> tuple[str, ...]:
        """Official names of the districts that it may mean."""
        return tuple(place.name for place in self.senses if place.level == "district")

    @cached_property
    def townships(self) -> tuple[Place, ...]:
        """The townships that it may mean."""
        return tuple(place for place in self.senses if place.level == "township")

    @cached_property
    def spots(self) -> tuple[Place, ...]:
        """The spots that it may mean."""
        return tuple(place for place in self.senses if place.level == "spot")

    @cached_property
    def is_spot(self) -> bool:
        """Whether it means nothing but spots."""
        return len(self.spots) == len(self.senses)

    @cached_property
    def without_townships(self) -> Name:
        """The same spelling where a township cannot be meant."""
        return Name(tuple(place for place in self.senses if place.level != "township"), self.official)

    @cached_property
    def behind_a_city(self) -> Name:
        """The same spelling behind the name of another city, where only full names of districts are believed."""
        believed = ("city", "district") if self.official else ("city",)
        return Name(tuple(place for place in self.senses if place.level in believed), self.official)


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """All names of the directory's places, ready to be looked for; it travels to workers as the directory alone.

    Attributes
    ----------
    directory, settings : what it was opened with
    words : names and aliases, for the segmenter's dictionary, so that no name is cut apart
    """

    directory: Directory
    settings: PlaceSettings
    words: tuple[str, ...]
    names: dict[str, Name]
    _heads: Phrases
    _reach: tuple[int, ...]
    _vocab: Any
    _matcher: Any
    _keys: dict[int, str]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.directory, self.settings)


def place_names(directory: Directory) -> tuple[str, ...]:
    """Names and aliases of all places, each once; needs no spaCy."""
    return tuple(dict.fromkeys(name for place in directory.places for name in (place.name, *place.aliases)))


def open_gazetteer(directory: Directory, *, settings: PlaceSettings) -> Gazetteer:
    """Prepare the names of all places of a directory (0.1 s, after a second or two for importing spaCy)."""
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

    names = _names(directory)
    reach: dict[str, int] = {}
    for spelling in names:
        head = spelling[:3]
        reach[head] = max(reach.get(head, 0), len(spelling))
    vocab = Vocab()
    matcher = PhraseMatcher(vocab)
    for spelling in names:
        matcher.add(spelling, [Doc(vocab, words=list(spelling))])
    return Gazetteer(
        directory,
        settings,
        place_names(directory),
        names,
        Phrases.of(reach),
        tuple(reach.values()),
        vocab,
        matcher,
        {vocab.strings[spelling]: spelling for spelling in names},
    )


def _reopen(directory: Directory, settings: PlaceSettings) -> Gazetteer:
    return open_gazetteer(directory, settings=settings)


def _names(directory: Directory) -> dict[str, Name]:
    senses: dict[str, dict[Place, None]] = {}
    for place in directory.places:
        for spelling in (place.name, *place.aliases):
            senses.setdefault(fold(spelling), {})[place] = None
    official = {fold(place.name) for place in directory.places if place.level != "spot" or len(place.name) > 3}
    names = {
        spelling: Name(tuple(meant), spelling in official or bool(_OFFICIAL.search(spelling) and len(spelling) > 2))
        for spelling, meant in senses.items()
    }
    for place in directory.places:
        for trap in place.traps:
            names.setdefault(fold(trap), Name((), official=True))
    return names


def find_spellings(texts: Sequence[str], gazetteer: Gazetteer) -> list[list[tuple[int, int, str]]]:
    """Names in each text: (start, end, folded spelling), the longest of those that overlap, in order."""
    found: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    pieces: list[str] = []
    origin: list[tuple[int, int]] = []  # row and start in its text, of each piece
    for row, heads in enumerate(gazetteer._heads.find(texts)):
        stop = 0
        for first, _, head in heads:
            reach = first + gazetteer._reach[head]
            if first >= stop:
                pieces.append(texts[row][first:reach])
                origin.append((row, first))
            elif reach > stop:
                pieces[-1] += texts[row][stop:reach]
            stop = max(stop, reach)
    if pieces:
        from spacy.tokens import Doc

        # Pieces are parted by a line break, which is in no name.
        begins = list(accumulate((len(piece) + 1 for piece in pieces), initial=0))
        doc = Doc(gazetteer._vocab, words=list(fold("\n".join(pieces))))
        for key, first, last in gazetteer._matcher(doc):
            piece = bisect_right(begins, first) - 1
            row, start = origin[piece]
            start += first - begins[piece]
            found[row].append((start, start + last - first, gazetteer._keys[key]))
    return [_longest(spans) if len(spans) > 1 else spans for spans in found]


def _longest(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The rule of spaCy's filter_spans: longest first, then leftmost, none over another."""
    kept: list[tuple[int, int, str]] = []
    taken: set[int] = set()
    for start, end, spelling in sorted(set(spans), key=lambda span: (span[0] - span[1], span[0])):
        if taken.isdisjoint(range(start, end)):
            kept.append((start, end, spelling))
            taken.update(range(start, end))
    return sorted(kept)
