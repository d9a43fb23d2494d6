"""The directory: topics, departments, duties and places, read from CSV files that an office edits in Excel."""

from pipeline.directory.loading import check_directory, load_directory
from pipeline.directory.model import NOBODY, Department, Directory, Duty, Overlap, Place, Topic
from pipeline.directory.rows import Finding

__all__ = [
    "NOBODY",
    "Department",
    "Directory",
    "Duty",
    "Finding",
    "Overlap",
    "Place",
    "Topic",
    "check_directory",
    "load_directory",
]
