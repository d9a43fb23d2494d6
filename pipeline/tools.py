"""What a run knows beside its inputs: model, directory, lexicon and dictionaries, by name and opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.bundle import bundle_hash, load_manifest
from pipeline.directory import Directory, check_directory, load_directory
from pipeline.errors import InputError
from pipeline.places import Gazetteer, open_gazetteer, place_names
from pipeline.resources import shipped
from pipeline.runs import digest
from pipeline.segment import Segmenter, open_segmenter
from pipeline.settings import Settings
from pipeline.vectorize import Lexicon, load_lexicon


@dataclass(frozen=True)
class Knowledge:
    """What a run knows beside its inputs: where each piece lies. Small, so that workers get it cheaply.

    Attributes
    ----------
    bundle : folder of the model
    directory : folder of topics, departments, duties and places; None routes by what the bundle learned alone
    lexicon : words with topic weights
    dictionaries : folder of user dictionaries for the segmenter
    """

    bundle: Path
    directory: Path | None
    lexicon: Path
    dictionaries: Path

    @staticmethod
    def shipped(bundle: Path) -> Knowledge:
        """The shipped directory, lexicon and dictionaries with a model of one's own."""
        return Knowledge(bundle, shipped("directory"), shipped("lexicon.csv"), shipped("dictionaries"))

    def model(self) -> dict[str, str]:
        """What a run tells of its model: the folder's name and the hash of what it holds."""
        return {"folder": self.bundle.name, "sha256": bundle_hash(self.bundle)}

    def digest(self, directory: Directory | None) -> str:
        """SHA-256 of everything that these places hold, and of which duties are in force in the opened directory."""
        if not self.lexicon.is_file():
            raise InputError(f"There is no lexicon {self.lexicon}. Pass --lexicon with a CSV of word,topic,weight.")
        files = [self.lexicon, *sorted(self.dictionaries.glob("*.txt"))]
        if self.directory is not None:
            files += sorted(self.directory.glob("*.csv"))
        in_force = [duty.duty_id for duty in directory.duties] if directory is not None else None
        # With a newer chinesecalendar the same command gives deadlines that it could not give before.
        known_until = directory.working_calendar.last_year if directory is not None else None
        hashes = [bundle_hash(self.bundle)] + [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        return digest([*hashes, in_force, known_until])


@dataclass(frozen=True)
class Tools:
    """The opened pieces that a batch needs beside the model; gazetteer and directory are None without a directory."""

    segmenter: Segmenter
    lexicon: Lexicon
    gazetteer: Gazetteer | None
    directory: Directory | None


def open_directory(knowledge: Knowledge, *, on: date) -> Directory | None:
    """The directory with the duties in force on a day; None where the run has none."""
    return load_directory(knowledge.directory).valid_on(on) if knowledge.directory is not None else None


def bodies_to_choose(knowledge: Knowledge, directory: Directory | None) -> list[str]:
    """Names that a clerk may choose as the right lead: departments that the model learned, then the directory's."""
    learned = load_manifest(knowledge.bundle)["scores"].get("department", {}).get("per_label", {})
    return [*learned, *(body.name for body in directory.departments)] if directory is not None else list(learned)


def doubts_about_directory(knowledge: Knowledge, *, on: date) -> list[str]:
    """One Chinese remark where the directory can be used but wants a look."""
    findings = check_directory(knowledge.directory, on=on) if knowledge.directory is not None else []
    if not findings:
        return []
    command = f"fenban check --directory {knowledge.directory}"
    return [f"职责目录有 {len(findings)} 处要核对（{command} 看全部），第一处：{findings[0]}"]


def open_tools(knowledge: Knowledge, settings: Settings, *, on: date) -> Tools:
    """Load directory, lexicon and dictionaries.

    Parameters
    ----------
    on : day of the run; duties that are not in force then do not count
    """
    directory = open_directory(knowledge, on=on)
    return Tools(
        segmenter=open_segmenter(
            sorted(knowledge.dictionaries.glob("*.txt")),
            # Names of places are words of the segmenter too, or it would cut them apart.
            words=place_names(directory) if directory is not None else (),
            settings=settings.segment,
        ),
        lexicon=load_lexicon(knowledge.lexicon),
        gazetteer=open_gazetteer(directory, settings=settings.places) if directory is not None else None,
        directory=directory,
    )
