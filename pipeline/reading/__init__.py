"""Files of every kind that offices send -> table SUBMISSIONS.

The only place that knows a header spelling, a sheet or an encoding.

files       which files, and what they really contain
encodings, delimited, workbooks, documents, records   one reader for each kind of file; all hand on blocks of raw cells
spellings, headers   which column is the title, which the text
cells, rows, identity   raw cells to clean text, times and unique ids
batches     the stream over all files
returned    the rows that bodies sent back, ahead of the stream
"""

from pipeline.reading.batches import ReadBatch, Reading, read_batches, read_submissions
from pipeline.reading.files import InputFile, list_inputs
from pipeline.reading.options import ReadOptions, parse_columns
from pipeline.reading.returned import read_returned

__all__ = [
    "InputFile",
    "ReadBatch",
    "ReadOptions",
    "Reading",
    "list_inputs",
    "parse_columns",
    "read_batches",
    "read_returned",
    "read_submissions",
]
