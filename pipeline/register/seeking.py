"""The search for the registered rows that new rows may belong with: joins over words, bands, places and writers.

DuckDB does all of it, in columns: nothing here loops over registered rows. Equals are told apart by their
position, so that the same run finds the same rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.cluster import SKETCHES, PairScorer, weigh_pairs
from pipeline.cluster.known import Numbers
from pipeline.cluster.views import PRIOR_ROWS
from pipeline.register.codes import band_entries, counts_of, word_entries
from pipeline.register.store import Register
from pipeline.settings import ClusterSettings

SKETCH = [f"sketch.{name}" for name in SKETCHES.names]

NEAREST = 30  # registered rows weighed for one new row by its rare words; some more than `neighbours`
NEXT_IN_TIME = 6  # those weighed for one word of middling frequency, one spot, or one township with one topic
WRITERS_ROWS = 100  # the latest rows of a prolific writer: enough to tell his stock phrases
MIDDLING = 20  # times `common_rows`: words in more rows find nothing
WHOLE_COMPONENT = 30  # rows; larger ones are not fetched whole, or the cost of a run would grow with the register
MOST_PROBABLE = 5  # linked rows of one new row whose issues are fetched
NEARLY = 0.8  # times `issue_probability`: words weigh a little otherwise once all rows at hand are there

# A row that was renamed, since another took its id, is the same submission when its file comes again.
_AGAIN = """
CREATE OR REPLACE TEMP TABLE again AS
SELECT a.row, s.position FROM submissions s
JOIN arrived a ON a.submission_id = regexp_replace(s.submission_id, '~' || s.position || '$', '')
WHERE s."sketch.wording" = a.wording
QUALIFY row_number() OVER (PARTITION BY a.row ORDER BY s.submission_id <> a.submission_id, s.position) = 1
"""
_RENAMED = """
CREATE OR REPLACE TEMP TABLE renamed AS
SELECT s.position, s.submission_id || '~' || s.position AS name FROM submissions s JOIN arrived a USING (submission_id)
WHERE s."sketch.wording" <> a.wording
"""
_FRESH = "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM arrived WHERE row NOT IN (SELECT row FROM again)"
# How many rows hold each word of the new rows, those among them.
_FREQUENCY = """
CREATE OR REPLACE TEMP TABLE frequency AS
SELECT code, sum(rows) AS rows FROM (
    SELECT code, count(*) AS rows FROM entries GROUP BY code
    UNION ALL SELECT code, rows FROM counts WHERE kind = 'word'
) WHERE code IN (SELECT code FROM entries) GROUP BY code
"""
_WORDS = f"""
CREATE OR REPLACE TEMP TABLE sought AS
SELECT row, code, rows, w / sqrt(sum(w * w) OVER (PARTITION BY row)) AS weight FROM (
    SELECT e.row, e.code, f.rows, e.weight * ln(({PRIOR_ROWS} + $rows) / (1 + f.rows)) AS w
    FROM entries e JOIN frequency f USING (code)
) QUALIFY rows <= $common * {MIDDLING} AND w > 0
"""
_TIME = "coalesce(abs(epoch(s.submitted_at) - epoch(n.submitted_at)), 1e12)"


def _next_in_time(rows: str, group: str) -> str:
    nearest = f"unnest(arg_min(s.position, ({_TIME}, s.position), {NEXT_IN_TIME}))"
    return f"SELECT n.row, {nearest} AS position {rows} GROUP BY {group}"


# Pairs of a new row and a registered one that are worth a score.
_NEAR = (
    f"""
CREATE OR REPLACE TEMP TABLE near AS SELECT DISTINCT row, position FROM (
    SELECT row, unnest(arg_max(position, (round(score, 6), position), {NEAREST})) AS position FROM (
        SELECT w.row, a.position, sum(a.weight * w.weight) AS score
        FROM anchors a JOIN sought w USING (code) WHERE w.rows <= $common GROUP BY ALL
    ) WHERE score >= $least GROUP BY row
"""
    + "".join(
        f" UNION ALL {_next_in_time(rows, group)}"
        for rows, group in (
            (
                "FROM anchors a JOIN sought w USING (code) JOIN submissions s USING (position) "
                "JOIN fresh n ON n.row = w.row WHERE w.rows > $common AND w.weight >= $heavy AND a.weight >= $heavy",
                "n.row, w.code",
            ),
            ('FROM submissions s JOIN fresh n ON s."sketch.spot" = n.spot WHERE n.spot <> 0', "n.row"),
            (
                'FROM submissions s JOIN fresh n ON s."sketch.township" = n.township AND s."sketch.topic" = n.topic '
                "WHERE n.township <> 0 AND n.topic <> 0",
                "n.row",
            ),
        )
    )
    + ")"
)
# Registered rows that a run needs whatever their score: of like wording, and what a prolific writer has written.
_SURE = f"""
CREATE OR REPLACE TEMP TABLE sure AS SELECT DISTINCT position FROM (
    SELECT position FROM again
    UNION ALL
    SELECT s.position FROM submissions s JOIN fresh n ON s."sketch.wording" = n.wording AND n.characters > 0
    UNION ALL
    SELECT b.position FROM bands b JOIN sought_bands USING (key)
    UNION ALL
    SELECT unnest(arg_max(s.position, s.position, {WRITERS_ROWS})) AS position FROM submissions s
    JOIN (SELECT DISTINCT writer FROM fresh) n ON s."sketch.submitter" = n.writer
    JOIN counts c ON c.kind = 'writer' AND c.code = n.writer WHERE c.rows >= $prolific GROUP BY n.writer
)
"""
# All that may change with the linked rows. A component beyond WHOLE_COMPONENT rows hangs together by chains of
# single links; of it the issues that are touched are enough. Rows of one tie are always rows of one issue.
_AT_HAND = f"""
CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT component, issue_id FROM submissions
WHERE position IN (SELECT position FROM sure UNION ALL SELECT position FROM linked);
CREATE OR REPLACE TEMP TABLE at_hand AS
SELECT position FROM submissions WHERE issue_id IN (SELECT issue_id FROM touched) OR component IN (
    SELECT component FROM submissions WHERE component IN (SELECT component FROM touched)
    GROUP BY component HAVING count(*) <= {WHOLE_COMPONENT}
)
"""


def seek(register: Register, sketches: pd.DataFrame, *, scorer: PairScorer, settings: ClusterSettings) -> None:
    """Leave three temporary tables in the register's connection.

    ``again`` (row, position): rows of the run that are registered already; ``renamed`` (position, name): registered
    rows whose id a new row has taken; ``at_hand`` (position): the registered rows that the run must group.

    Parameters
    ----------
    register : of the office
    sketches : the run's rows, columns SKETCH
    scorer : tells which registered rows are probably one issue with a new one
    settings : what makes a word rare, a weight heavy and a writer prolific
    """
    arrived = {
        "row": np.arange(len(sketches)),
        "submission_id": pa.array(sketches["sketch.submission_id"].tolist(), pa.string()),
        "submitted_at": pa.array(sketches["sketch.submitted_at"].astype("datetime64[us]"), pa.timestamp("us")),
    }
    for name in ("wording", "characters", "spot", "township", "topic"):
        arrived[name] = sketches[f"sketch.{name}"].to_numpy()
    arrived["writer"] = sketches["sketch.submitter"].to_numpy()
    register.show("arrived", pa.table(arrived))
    for query in (_AGAIN, _RENAMED, _FRESH):
        register.run(query)
    fresh = np.array([row for (row,) in register.run("SELECT row FROM fresh ORDER BY row")], dtype=np.int64)
    register.show("entries", word_entries(sketches["sketch.words"].iloc[fresh], fresh))
    # Short wordings repeat only exactly, so their bands would find what is never compared.
    banded = fresh[sketches["sketch.characters"].to_numpy()[fresh] >= settings.short_characters]
    register.show("sought_bands", band_entries(sketches["sketch.bands"].iloc[banded], banded))
    registered = register.run("SELECT coalesce(sum(rows), 0) FROM counts WHERE kind = 'row'")[0][0]
    register.run(_FREQUENCY)
    register.run(_WORDS, {"rows": int(registered) + len(fresh), "common": settings.common_rows})
    rare = {"common": settings.common_rows, "least": settings.least_rare_cosine, "heavy": settings.heavy_weight}
    register.run(_NEAR, rare)
    register.run(_SURE, {"prolific": settings.prolific_rows})
    register.show("linked", pa.table({"position": _linked(register, sketches, scorer, settings)}))
    register.run(_AT_HAND)


def _linked(register: Register, sketches: pd.DataFrame, scorer: PairScorer, settings: ClusterSettings) -> Numbers:
    """Positions of the near rows that are probably one issue with a new row, or almost."""
    pairs = register.frame("SELECT row, position FROM near ORDER BY ALL").to_numpy(dtype=np.int64)
    if not len(pairs):
        return pairs[:, 1]
    columns = ", ".join(f'"{name}"' for name in SKETCH)
    # A prolific writer's other rows are among them, because they tell which words are his manner.
    old = register.frame(
        f"SELECT position, {columns} FROM submissions "
        "WHERE position IN (SELECT position FROM near UNION ALL SELECT position FROM sure) ORDER BY position"
    )
    rows, place = np.unique(pairs[:, 0], return_inverse=True)
    together = pd.concat([old[SKETCH], sketches[SKETCH].iloc[rows]], ignore_index=True)
    numbered = np.column_stack([np.searchsorted(old["position"].to_numpy(), pairs[:, 1]), len(old) + place])
    probability = weigh_pairs(
        together.set_axis(SKETCHES.names, axis=1),
        numbered,
        counts=counts_of(register, [together]),
        fresh=np.arange(len(together)) >= len(old),
        scorer=scorer,
        settings=settings,
    )
    # Best first within each new row.
    order = np.lexsort((pairs[:, 1], -probability, pairs[:, 0]))
    ahead = np.arange(len(order)) - np.searchsorted(pairs[order, 0], pairs[order, 0])
    kept = order[(ahead < MOST_PROBABLE) & (probability[order] >= NEARLY * settings.issue_probability)]
    return np.unique(pairs[kept, 1])
