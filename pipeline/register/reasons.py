"""Why an issue was joined with another or came apart, in words that a clerk can check."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

WORDS_SHOWN = 4
Names = npt.NDArray[np.object_]


class Reasons:
    """The links of a grouping, asked for what lies between two issues."""

    def __init__(self, links: pd.DataFrame, ids: Names, before: Names, after: Names, cohesion: float) -> None:
        """Take the links of rows that were grouped.

        Parameters
        ----------
        links : table LINKS
        ids, before, after : shape (n,), of each row its id, its issue in the register ("" for a new row) and its issue
        now
        cohesion : mean probability under which an issue comes apart
        """
        place = pd.Series(np.arange(len(ids)), index=ids)
        self._links = links.assign(
            own=before[place.loc[links["submission_id"]].to_numpy()],
            other=before[place.loc[links["linked_to"]].to_numpy()],
            issue=after[place.loc[links["submission_id"]].to_numpy()],
        )
        self._new = pd.Series(ids[before == ""]).groupby(after[before == ""]).agg(list)
        self._cohesion = cohesion

    def merged(self, issue: str, into: str) -> str:
        """Why `issue` is now a part of `into`."""
        inside = self._links[self._links["issue"] == into]
        direct = inside[_between(inside, issue, into)]
        # A new row that is linked on both sides says most; its own link is one side, a link to it the other.
        mine, theirs = inside[_between(inside, issue, "")], inside[_between(inside, into, "")]
        bridges = set(_new_ends(mine)) & set(_new_ends(theirs))
        if bridges:
            bridge = min(bridges, key=lambda each: (-_strongest(mine, each), each))
            return f"新来件 {bridge} 与两边都相近：{_told(mine, bridge)}；{_told(theirs, bridge)}"
        if len(direct):
            return _told(direct)
        between = pd.concat([mine, theirs])
        told = f"新来件 {'、'.join(self._new.get(into, [])[:3])} 到后，" if into in self._new.index else ""
        return f"{told}两边的平均把握达到 {self._cohesion:.0%}" + (f"；{_told(between)}" if len(between) else "")

    def parted(self, issue: str, into: str) -> str:
        """Why rows of `issue` are now in `into`."""
        inside = self._links[self._links["issue"] == into]
        nearer = inside[(inside["own"] == issue) ^ (inside["other"] == issue)]
        told = f"与原事项其余各件的平均把握不到 {self._cohesion:.0%}"
        return f"{told}，{_told(nearer)}" if len(nearer) else told


def _between(links: pd.DataFrame, one: str, other: str) -> pd.Series:
    return ((links["own"] == one) & (links["other"] == other)) | ((links["own"] == other) & (links["other"] == one))


def _new_ends(links: pd.DataFrame) -> list[str]:
    return [*links.loc[links["own"] == "", "submission_id"], *links.loc[links["other"] == "", "linked_to"]]


def _of(links: pd.DataFrame, row: str) -> pd.DataFrame:
    return links[(links["submission_id"] == row) | (links["linked_to"] == row)]


def _strongest(links: pd.DataFrame, row: str) -> float:
    return float(_of(links, row)["probability"].max())


def _told(links: pd.DataFrame, row: str | None = None) -> str:
    """The strongest of the links, of one row's where it is given."""
    links = _of(links, row) if row is not None else links
    link = links.iloc[int(links["probability"].to_numpy().argmax())]
    words = "、".join(link["shared_words"][:WORDS_SHOWN])
    shared = f"，共同词语：{words}" if words else ""
    return f"{link['submission_id']} 与 {link['linked_to']} 相近（把握 {link['probability']:.0%}{shared}）"
