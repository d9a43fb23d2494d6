"""Which partner a row repeats, where it has several; the bands are all the same here, so every pair is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from pipeline.cluster.duplicates import Duplicates, find_duplicates
from pipeline.cluster.sketches import BANDS, code
from pipeline.cluster.wordings import wording
from pipeline.settings import ClusterSettings

LETTER = (
    "昨天夜里楼上的水管爆了，水顺着墙一直淌到一楼，电表箱也泡了，全楼停电到现在，"
    "给物业打电话说要等配件，老人上下楼摸黑，请尽快派人来修好水管和电表箱。"
)
EDITED = [LETTER, *(LETTER.replace(word, word + "呢") for word in ("昨天", "一楼", "物业", "配件", "派人", "摸黑"))]
OTHER = "学校门口早晚高峰堵得厉害，家长的车停了两排，孩子只能从车缝里穿过去，希望交警来疏导，也请划出临时停车的位置。"


def found_in(texts: list[str], places: list[int], asked: list[int] | None = None) -> Duplicates:
    """Repetitions among texts in order of time; a place is the number of a township, 0 where unknown."""
    worded = [wording(text) for text in texts]
    sketches = pd.DataFrame(
        {
            "wording": np.array([code(each) for each in worded], dtype=np.int64),
            "characters": [len(each) for each in worded],
            "numerals": 0,
            "bands": [bytes(4 * BANDS)] * len(texts),
            "names": [b""] * len(texts),
        }
    )

    def read(rows: np.ndarray) -> list[str]:
        if asked is not None:
            asked.extend(rows.tolist())
        return [texts[row] for row in rows]

    known = np.zeros((len(texts), 3), dtype=np.int64)
    known[:, 1] = places
    answer: Callable[..., Duplicates] = find_duplicates
    return answer(sketches, known, read, settings=ClusterSettings())


def test_a_row_that_the_place_of_its_first_partner_shuts_out_repeats_the_next():
    # The first knows no place; the second brings it to 群力 (1); the fourth is from 新春 (2), like the third.
    found = found_in([EDITED[0], EDITED[1], EDITED[2], EDITED[3]], [0, 1, 2, 2])
    assert found.root.tolist() == [0, 0, 2, 2]
    assert found.places[:, 1].tolist() == [1, 1, 2, 2]


def test_a_row_unlike_its_first_partner_repeats_the_next():
    found = found_in([OTHER, EDITED[0], EDITED[1]], [0, 0, 0])
    assert found.of.tolist() == [-1, -1, 1]
    assert 0.8 <= found.similarity[2] < 1
    assert not found.exact[2]


def test_the_texts_of_later_partners_are_not_read_where_the_first_holds():
    asked: list[int] = []
    assert found_in(EDITED, [0] * len(EDITED), asked).root.tolist() == [0] * len(EDITED)
    assert sorted(asked) == list(range(len(EDITED)))


@run_settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*EDITED, OTHER, OTHER + "谢谢"]), st.integers(0, 3)), min_size=1, max_size=7)
)
def test_the_answer_is_that_of_weighing_every_pair_in_turn(rows):
    texts, places = [text for text, _ in rows], [place for _, place in rows]
    sets = [{wording(text)[i : i + 3] for i in range(len(wording(text)) - 2)} for text in texts]
    # The same wording at the same place stands for its first; what each group knows of its place grows as rows join.
    root, known = list(range(len(rows))), list(places)
    for late in range(len(rows)):
        same = [early for early in range(late) if rows[early] == rows[late]]
        if same:
            root[late] = root[same[0]]
            continue
        for early in (early for early in range(late) if rows[early] not in rows[:early]):
            alike = len(sets[early] & sets[late]) / len(sets[early] | sets[late]) >= 0.8
            fits = all(
                not (place and places[late] and place != places[late]) for place in (places[early], known[root[early]])
            )
            if alike and fits:
                root[late] = root[early]
                known[root[early]] = known[root[early]] or places[late]
                break
    found = found_in(texts, places)
    assert found.root.tolist() == root
    assert all(found.root[of] == found.root[row] and of < row for row, of in enumerate(found.of.tolist()) if of >= 0)
