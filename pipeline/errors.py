"""Everything that fenban raises on purpose.

PipelineError
├── InputError      a file, sheet, row or column that cannot be used
├── TableError      a table crossing a stage border lacks a column or has a wrong one
├── SettingsError   an unknown or impossible setting or option
├── BundleError     a model folder that is absent, damaged or of another version
├── DirectoryError  a row of the directory (topics, departments, duties, places) that contradicts itself
├── OutputError     an output folder that is in use, finished by another run, or cannot be written
└── EngineError     an engine that is not installed or has failed

Every message says what is wrong with which value, and ends with what to do.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Base of all errors that a user can do something about."""


class InputError(PipelineError):
    """An input file, sheet, row or column cannot be used."""


class TableError(PipelineError):
    """A table does not have the columns that its name promises."""


class SettingsError(PipelineError):
    """A setting or option is unknown or out of range."""


class BundleError(PipelineError):
    """A model folder is absent, damaged, or written by another version."""


class DirectoryError(PipelineError):
    """The directory of topics, departments, duties and places contradicts itself."""


class OutputError(PipelineError):
    """The output folder cannot be used as it is."""


class EngineError(PipelineError):
    """An engine is not installed, or a worker of it died."""
