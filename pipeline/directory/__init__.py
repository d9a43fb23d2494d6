"""The directory: topics, departments, duties and places, read from four CSV files that an office edits in Excel."""

from pipeline.directory.loading import load_directory
from pipeline.directory.model import Department, Directory, Duty, Place, Topic

__all__ = ["Department", "Directory", "Duty", "Place", "Topic", "load_directory"]
