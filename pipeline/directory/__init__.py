"""The directory: topics, departments, duties, places, working days, out of CSV files that an office edits in Excel."""

from pipeline.directory.loading import check_directory, load_directory
from pipeline.directory.model import NOBODY, Department, Directory, Duty, Overlap, Place, Topic
from pipeline.directory.rows import Finding
from pipeline.directory.workdays import SpecialDay, WorkingCalendar

__all__ = [
    "NOBODY",
    "Department",
    "Directory",
    "Duty",
    "Finding",
    "Overlap",
    "Place",
    "SpecialDay",
    "Topic",
    "WorkingCalendar",
    "check_directory",
    "load_directory",
]
