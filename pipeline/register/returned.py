"""Matters that bodies sent back: kept with the register, so that they count in every later run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.parts import Parts
from pipeline.register.store import Register
from pipeline.schema import RETURNED, empty_table, typed

# A register of before has no such table, and needs none until something is sent back.
_TABLE = "CREATE TABLE IF NOT EXISTS returned (submission_id VARCHAR, title VARCHAR, text VARCHAR, body VARCHAR)"


def registered_returns(register: Register) -> pd.DataFrame:
    """Table RETURNED of all that earlier runs brought, one row for each body that sent a matter back.

    Raises
    ------
    OutputError : the register cannot be read
    """
    if not register.run("SELECT 1 FROM information_schema.tables WHERE table_name = 'returned'"):
        return empty_table(RETURNED)
    rows = register.frame("SELECT submission_id, title, text, body FROM returned ORDER BY ALL")
    senders = pd.Series([[body] for body in rows["body"]], index=rows.index, dtype="object")
    return typed(rows.assign(returned_by=senders), RETURNED)


def keep_returns(register: Register, new: Parts) -> None:
    """Keep the returned ones of a run's rows, in place of what was kept of all its rows, inside its transaction.

    A run without any says nothing about who sent what back: its lists have no such column.
    """
    # Texts of those rows alone: of a million rows they would fill the memory.
    chosen = np.flatnonzero(new.read(["returned_by"])["returned_by"].map(len) > 0)
    if not len(chosen):
        return
    rows = new.take(chosen, RETURNED.names).explode("returned_by")
    names = ("submission_id", "title", "text", "returned_by")
    register.show(
        "run_ids", pa.table({"submission_id": pa.array(new.read(["submission_id"])["submission_id"].tolist())})
    )
    register.show("sent_back", pa.table({name: pa.array(rows[name].tolist(), pa.string()) for name in names}))
    register.run(_TABLE)
    register.run("DELETE FROM returned WHERE submission_id IN (SELECT submission_id FROM run_ids)")
    register.run("INSERT INTO returned SELECT * FROM sent_back")
