"""The directory: topics, departments, duties and places, read from four CSV files that an office edits in Excel."""

from pipeline.directory.loading import check_directory, load_directory
from pipeline.directory.model import NOBODY, Department, Directory, Duty, Place, Topic
from pipeline.directory.rows import Finding

__all__ = [
    "NOBODY",
    "Department",
    "Directory",
    "Duty",
    "Finding",
    "Place",
    "Topic",
    "check_directory",
    "load_directory",
]
