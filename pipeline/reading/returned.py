"""Matters that bodies sent back, read ahead of a run: they count for all its rows, whatever the order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pandas as pd

from pipeline.reading.batches import blocks_of, read_batches
from pipeline.reading.encodings import check_encoding_name
from pipeline.reading.files import InputFile, content_kind
from pipeline.reading.options import ReadOptions
from pipeline.reading.trouble import UnreadableError
from pipeline.schema import RETURNED, empty_table
from pipeline.settings import ReadingSettings

_ROWS_AT_ONCE = 10_000  # bounds memory, never changes a result


def read_returned(files: Sequence[InputFile], *, options: ReadOptions, settings: ReadingSettings) -> pd.DataFrame:
    """Table RETURNED of the rows in which somebody is named who sent them back.

    Without a file that has such a column none is read beyond its header or, of a workbook, those of its sheets.
    Nothing is reported: what is wrong with a file or row is told when the run itself reads it.

    Parameters
    ----------
    files : as `list_inputs` gives them

    Raises
    ------
    SettingsError : the encoding named in `options` does not exist
    """
    check_encoding_name(options.encoding)
    last = max((place for place, file in enumerate(files, start=1) if _tells(file, options, settings)), default=0)
    found = [empty_table(RETURNED)]
    # An id that stood in a file before gets a suffix, so those files are read too: a reason names matters by their ids.
    for batch in read_batches(files[:last], options=options, settings=settings, batch_rows=_ROWS_AT_ONCE):
        rows = batch.submissions
        found.append(rows.loc[rows["returned_by"].map(len) > 0, RETURNED.names])
    return pd.concat(found, ignore_index=True)


def _tells(file: InputFile, options: ReadOptions, settings: ReadingSettings) -> bool:
    try:
        blocks = blocks_of(file, options, settings)
        # Only a workbook has sheets with columns of their own.
        first = blocks if content_kind(file) == "workbook" else islice(blocks, 1)
        return any("returned_by" in block.cells for block in first)
    except (UnreadableError, OSError, UnicodeDecodeError):
        return False
