"""Settings: one frozen dataclass for each stage, every default visible here.

A TOML file changes them by section, and a typo is answered with the nearest key:

    [cluster]
    threshold = 0.6
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError


@dataclass(frozen=True)
class ReadingSettings:
    """How files become submissions."""

    header_search_rows: int = 15  # rows looked at for the header below title rows
    longest_text: int = 200_000  # characters; longer texts are cut there and reported


@dataclass(frozen=True)
class SegmentSettings:
    """How text becomes tokens."""

    engine: str = "rjieba"  # rjieba, or jieba: the reference, 16 times slower
    hmm: bool = True  # let jieba guess words that its dictionary lacks


@dataclass(frozen=True)
class VectorizeSettings:
    """How tokens, characters and the lexicon become sparse vectors."""

    # Pairs of characters wherever they stand in running text, instead of single ones and pairs inside words. The latter
    # fit the training rows' own writers better; the former carry further, for a 路 in a street's name says nothing.
    across_words: bool = False
    titles: bool = True  # words and characters of the title are features of their own, beside those of the whole
    min_rows: int = 2  # rows of the training corpus that must have a word or character sequence
    block_features: int = 60_000  # features kept of words, and as many of characters, the commonest
    title_weight: float = 2.5  # times that the lexicon counts a word in the title


@dataclass(frozen=True)
class ClassifySettings:
    """How vectors become labels with calibrated probabilities."""

    folds: int = 5  # parts for out-of-fold scores; no text and no issue is in two of them
    cost: float = 0.5  # C of the support vectors; higher trusts the training rows more
    # Up to so many labelled rows their words have half the say beside the lexicon that out-of-fold scores would give:
    # real messages differ more from a corpus than the corpus from itself.
    half_trusted_rows: int = 1_000
    # What a sure title adds to the topics' scores, against 1 for title and text together; 0 reads both alike.
    title_say: float = 0.0
    # Labelled rows that must speak against a weight of the lexicon before training changes it much.
    lexicon_faith: float = 3.0
    seed: int = 1  # of the shuffling into folds


@dataclass(frozen=True)
class PlaceSettings:
    """How words become places."""

    column_weight: int = 100  # say of a place that stands in the place column, against 1 for one in the text
    title_weight: int = 8  # say of a place that stands in the title, against 1 for one in the text


@dataclass(frozen=True)
class RecallSettings:
    """How past matters, duty clauses and returned matters that are like a row are found."""

    own_matters: bool = True  # what is learned from are matters of the office, so a reason may name them
    past_rows: int = 50_000  # labelled matters kept in a bundle, the newest
    past_features: int = 60  # heaviest features kept of each
    common_rows: int = 60  # past matters; a feature of more finds none, which bounds the cost of a row
    like_matters: int = 7  # past matters recalled of a row
    clause_matters: int = 15  # past matters of its department by which a clause's meaning is widened
    clause_features: int = 60  # heaviest features kept of a clause, or of a returned matter
    like_clauses: int = 8  # clauses recalled of a row
    returned_likeness: float = 0.4  # 0 to 1; a returned matter that is less like a row says nothing about it


@dataclass(frozen=True)
class MatchSettings:
    """How topic, words and place become a department, and when a person must look."""

    accuracy: float = 0.95  # share of rows decided auto that must have the right lead
    check_accuracy: float = 0.70  # share of rows decided check that should have the right lead; below is review
    confidence: float = 0.80  # 0.5 to 1: how surely a share measured in training is no luck; more needs more rows
    candidates: int = 3  # departments offered to a clerk
    reason_words: int = 4  # words of the text quoted in a reason
    title_weight: float = 2.0  # a duty's word in the title, against 1 in the text
    fallback_weight: float = 0.25  # a topic's general clause, against about 0.7 for one word of a clause found
    clause_likeness: float = 0.15  # 0 to 1; a clause none of whose words was found is quoted if it reads so alike
    cited_likeness: float = 0.35  # 0 to 1; a past matter that is so alike is named in the reason
    returned_weight: float = 6.0  # log-odds taken off a body that sent a matter back which is the same
    heating_from: str = "10-20"  # MM-DD; from this day heat, power, water or gas that fails is urgent (Harbin's season)
    heating_until: str = "04-20"  # MM-DD; the last such day
    urgent_days: int = 1  # 1 or more; working days that a row with an alarm has at most, whatever its clause gives
    topic_floor: float = 0.02  # probability lent to every topic, so that plain words can overrule a wrong topic


@dataclass(frozen=True)
class ClusterSettings:
    """When two submissions are one wording, and when they are one issue."""

    words: int = 80  # distinct content words kept of a row in its sketch
    short_characters: int = 20  # letters and digits; shorter wordings are duplicates only if they are the same
    duplicate_similarity: float = 0.8  # Jaccard over character shingles, 0 to 1; pairs at or above are one wording
    issue_probability: float = 0.75  # 0 to 1; pairs at or above bring two rows into one component
    cohesion: float = 0.25  # 0 to 1; mean probability across two parts of a component, below which they are two issues
    common_rows: int = 100  # rows; a word in more rows finds no candidates
    neighbours: int = 12  # candidates kept of a row, nearest first
    least_rare_cosine: float = 0.1  # 0 to 1; candidates share at least this much through their rare words
    heavy_weight: float = 0.15  # 0 to 1; share of a row's vector from which a word of middling frequency links it
    prolific_rows: int = 20  # rows of one writer from which his stock phrases count little
    largest_component: int = 2_000  # rows; beyond, the threshold rises until the parts are smaller
    pairs_at_once: int = 6_000  # pairs scored at a time; bounds memory, never changes a result
    freshness_days: float = 30.0  # days after which a person weighs half as much in an issue's heat
    growth_days: float = 7.0  # days that count as recent, and after which a person counts half as much as growth
    mass_posted_rows: int = 5  # rows of one issue with one wording, from which the wording is mass-posted


@dataclass(frozen=True)
class TablesSettings:
    """How the workbook is laid out."""

    sheets: int = 40  # lead bodies that get a sheet of their own
    workbook_rows: int = 20_000  # rows in the whole workbook, all sheets together; beyond, it lists issues
    workbook_issues: int = 10_000  # rows in the whole workbook then, hottest issues first; all are in issues.parquet


@dataclass(frozen=True)
class EngineSettings:
    """How the work is cut and spread."""

    batch_rows: int = 1_000  # rows worked on at once; never changes a result
    workers: int = 0  # processes; 0 means one for each core


@dataclass(frozen=True)
class Settings:
    """All settings of a run."""

    reading: ReadingSettings = field(default_factory=ReadingSettings)
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    vectorize: VectorizeSettings = field(default_factory=VectorizeSettings)
    classify: ClassifySettings = field(default_factory=ClassifySettings)
    places: PlaceSettings = field(default_factory=PlaceSettings)
    recall: RecallSettings = field(default_factory=RecallSettings)
    match: MatchSettings = field(default_factory=MatchSettings)
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    tables: TablesSettings = field(default_factory=TablesSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)


def load_settings(path: Path | None) -> Settings:
    """Read a TOML file of settings; `None` gives the defaults.

    Raises
    ------
    SettingsError : the file is not TOML, or names a section, key or type that does not exist
    """
    if path is None:
        return Settings()
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {path} ({error.strerror}). Check its path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}. Mend that line; values look like threshold = 0.7") from error
    return merge_settings(given, where=str(path))


def merge_settings(given: dict[str, Any], *, where: str) -> Settings:
    """Lay a nested dict over the defaults.

    Raises
    ------
    SettingsError : an unknown section or key (the nearest is named), or a value of another type
    """
    sections = {section.name: section for section in dataclasses.fields(Settings)}
    changed = {}
    for name, values in given.items():
        if name not in sections:
            raise SettingsError(f"No section [{name}] in {where}; {_nearest(name, sections)}")
        if not isinstance(values, dict):
            raise SettingsError(f"{name} in {where} must be a section: write [{name}] on a line of its own.")
        default = getattr(Settings(), name)
        known = {key.name: getattr(default, key.name) for key in dataclasses.fields(default)}
        for key, value in values.items():
            if key not in known:
                raise SettingsError(f"No setting '{key}' in [{name}] of {where}; {_nearest(key, known)}")
            wanted = type(known[key])
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                value = values[key] = float(value)
            if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
                raise SettingsError(
                    f"{key} = {value!r} in [{name}] of {where} must be {wanted.__name__}, "
                    f"like {known[key]!r}. Change it."
                )
        changed[name] = dataclasses.replace(default, **values)
    return Settings(**changed)


def _nearest(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}. Use one of these."
