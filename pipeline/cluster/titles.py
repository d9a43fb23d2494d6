"""The title of an issue: where, what, and what is wrong, in the words of its members."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.cluster.phrasing import SHORTEST, names_problem, own_words, says_nothing

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Members = npt.NDArray[np.int32]
Pairs = npt.NDArray[np.uint32]  # two characters of the basic plane, the first above

TITLE_CHARACTERS = 40
_EVIDENCE = 60  # first characters of a text that tell what its row has in common with others
_STEADY = 8.0  # characters added to a length, or a single shared word would beat a whole title
_PROBLEM_SAY = 1.3  # of words that name a problem, against 1 for others
_TEXT_SAY = 0.7  # of words from the text of a row whose title is only a form's
_SHORT_SAY = 0.6  # of words under six characters
_CLAUSE_END = re.compile(r"[，,。；;！!？?、\s]")
# Behind a place's name these go on with a name or a phrase: 安埠街道, 安埠街3号, 安埠街的, 安埠街附近.
_GOES_ON = re.compile(
    r"[的上下里内外中边旁附门口前后与和及至到、\-—0-9a-zA-Z一二三四五六七八九十东南西北道办号那这边段路街巷区社村屯站桥镇乡县市某]|小区"
)
_PLACE_END = re.compile(r"(?:街道|社区|镇|乡|区|县|市)$")
_PARTING = "：:，,、 "
_LITTLE_WORD = re.compile(r"[的了着和与及或被将把]")


def choose_words(
    titles: Sequence[str],
    texts: Sequence[str],
    submitters: Sequence[str],
    issue: Rows,
) -> tuple[list[str], Rows]:
    """What each issue is called by one of its members, and by which.

    Parameters
    ----------
    titles, texts, submitters : n_rows str each
    issue : shape (n_rows,), number of each row's issue, 0 to n_issues - 1, none left out

    Returns
    -------
    words : n_issues str, each a piece of the title or the text of one member; "" only where all are blank
    rows : shape (n_issues,), that member; the first of equals

    Notes
    -----
    A member's words are its title without what is said beside the matter, or where that says nothing a clause of its
    text (`own_words`). Those with the highest score win: the sum over their pairs of characters of log(1 + issues /
    issues with the pair) * (share of the other members that have the pair in their words or the first characters of
    their text), divided by their length plus a constant. So what most members say and other issues do not weighs, and
    what one member says alone weighs nothing. Words that name a problem count 1.3 times, those of a form's member 0.7
    times, very short ones 0.6 times. The method is that of centroids in summaries (Radev, Jing, Styś and Tam 2004)
    with pairs of characters for terms, which need no segmenter.
    """
    sizes = np.bincount(issue)
    words = [own_words(*row) for row in zip(titles, texts, submitters, strict=True)]
    rows = np.zeros(len(sizes), dtype=np.int64)
    lone = sizes[issue] == 1
    rows[issue[lone]] = np.flatnonzero(lone)
    # Members of an issue side by side, or every look into its pairs would be one into cold memory.
    several = np.flatnonzero(~lone)
    several = several[np.argsort(issue[several], kind="stable")]
    if len(several):
        candidates = [words[row] for row in several.tolist()]
        heads = [texts[row][:_EVIDENCE] for row in several.tolist()]
        score = _common_share(candidates, heads, issue[several], sizes) * [
            (_PROBLEM_SAY if names_problem(each) else 1.0)
            * (_TEXT_SAY if says_nothing(titles[row]) else 1.0)
            * (_SHORT_SAY if len(each) < 6 else 1.0)
            for each, row in zip(candidates, several.tolist(), strict=True)
        ]
        order = np.lexsort((several, -score, issue[several]))
        best = several[order[np.unique(issue[several][order], return_index=True)[1]]]
        rows[issue[best]] = best
    return [words[row] for row in rows.tolist()], rows


def _common_share(candidates: Sequence[str], texts: Sequence[str], issue: Rows, sizes: Rows) -> Floats:
    """Shape (n,), at least 0: how much of what sets its issue apart a candidate says, by its length.

    Candidates and texts are of the same members, those of one issue side by side.
    """
    owner, pair = _pairs(candidates)
    said = issue[owner] << 32 | pair
    keys = _distinct(said)
    place = np.searchsorted(keys, said)
    told = _members_with(keys, place, owner, texts, issue)
    # Where two pairs share a hash, they seem a little commoner.
    hashed = _hashed((keys & 0xFFFFFFFF).astype(np.uint32), np.zeros(1, dtype=np.uint32), _bits(keys))
    rarity = np.log1p(len(_distinct(issue)) / np.bincount(hashed)[hashed])
    # A candidate's own member has its pairs: only the others count.
    weight = rarity * (told - 1) / (sizes[keys >> 32] - 1)
    length = np.fromiter(map(len, candidates), dtype=np.float64, count=len(candidates))
    common = np.bincount(owner, weights=weight[place], minlength=len(candidates))
    # The small sum tells between candidates that share nothing: the longer wins there.
    return np.asarray((common + 0.01 * np.sqrt(length)) / (length + _STEADY), dtype=np.float64)


def _members_with(keys: Rows, place: Rows, owner: Members, texts: Sequence[str], issue: Rows) -> Rows:
    """In how many members of its issue, in their candidates or their texts, each of `keys` stands.

    Parameters
    ----------
    keys : issue << 32 | pair, sorted, each once
    place, owner : of each pair of the candidates, its place among the keys and its member
    """
    written_by, pair = _pairs(texts)
    # Most pairs of a text are in no candidate; a look at a hash saves the search for them.
    marked = np.zeros(1 << _bits(keys), dtype=bool)
    marked[_hashed((keys & 0xFFFFFFFF).astype(np.uint32), (keys >> 32).astype(np.uint32), _bits(keys))] = True
    kept = np.flatnonzero(marked[_hashed(pair, issue.astype(np.uint32)[written_by], _bits(keys))])
    written_by, written = written_by[kept], issue[written_by[kept]] << 32 | pair[kept]
    at = np.searchsorted(keys, written).clip(max=len(keys) - 1)
    same = keys[at] == written
    n = len(issue)
    once = _distinct(np.concatenate([place * n + owner, at[same] * n + written_by[same]]))
    return np.bincount(once // n, minlength=len(keys))


def _distinct(values: Rows) -> Rows:
    """Sorted, each once; np.unique finds them by hashing, which takes ten times as long for so many."""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))]


def _bits(keys: Rows) -> int:
    """Of hashes: some eight places a key, but no more than the processor keeps at hand."""
    return min(len(keys).bit_length() + 3, 22)


def _hashed(pair: Pairs, issue: Pairs, bits: int) -> npt.NDArray[np.uint32]:
    return (pair * np.uint32(0x9E3779B1) ^ issue * np.uint32(0x85EBCA77)) >> np.uint32(32 - bits)


def _pairs(texts: Sequence[str]) -> tuple[Members, Pairs]:
    """Each pair of neighbouring letters or digits: number of the text it stands in, and its code."""
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    letters = _letters().take(codes, mode="clip")
    here = np.flatnonzero(letters[:-1] & letters[1:])
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)[here]
    return owner, codes[here] << np.uint32(16) | codes[here + 1]


@cache
def _letters() -> npt.NDArray[np.bool_]:
    # The last entry stands for all beyond: rare characters of names and emoji pair with nothing.
    return np.array([chr(code).isalnum() for code in range((1 << 16) - 1)] + [False])


def place_title(words: str, district: str, place: str) -> str:
    """Words with the place before them, unless they hold it already; at most `TITLE_CHARACTERS`.

    Parameters
    ----------
    words : see `choose_words`
    district : "" where it is not known
    place : spot or township, "" where none is known

    Returns
    -------
    香坊区安埠街：供热管道漏水; words that begin with the place are parted from it; the place alone where there are no
    words
    """
    if not district and not place:
        return cut(words, TITLE_CHARACTERS)
    rest = words
    if place and district:
        if place.startswith(_stem(district)):
            district = ""
        elif words.startswith(district) and not _GOES_ON.match(words, len(district)):
            rest = words[len(district) :].lstrip(_PARTING)
    own = place or district
    after = rest.removeprefix(own).lstrip(_PARTING)
    if rest.startswith(own) and len(after) >= SHORTEST and not _GOES_ON.match(after):
        rest = after
    elif own and (own in rest or _stem(own) in rest):
        own = ""
    # 道里 inside the words says as much as 道里区 before them.
    where = own if not district or not place or (rest == words and _stem(district) in words) else district + own
    if not where or not rest:
        return where or cut(rest, TITLE_CHARACTERS)
    room = TITLE_CHARACTERS - len(where) - 1
    return f"{where}：{cut(rest, room)}" if room >= SHORTEST * 2 else cut(f"{where}：{rest}", TITLE_CHARACTERS)


def cut(words: str, longest: int) -> str:
    """Words of at most `longest` characters: cut behind a clause, else before a little word, with … behind.

    Never inside a number or a Latin word, unless it fills half of the space.
    """
    if len(words) <= longest:
        return words
    ends = [match.start() for match in _CLAUSE_END.finditer(words, 0, longest + 1)]
    if ends and ends[-1] >= longest // 3:
        return words[: ends[-1]]
    end = longest - 1
    while end > longest // 2 and _is_ascii_word(words[end - 1]) and _is_ascii_word(words[end]):
        end -= 1
    little = [match.start() for match in _LITTLE_WORD.finditer(words, longest // 2, end + 1)]
    return words[: little[-1] if little else end] + "…"


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in ".-%")


@cache
def _stem(place: str) -> str:
    """道里 of 道里区: it says as much."""
    stem = _PLACE_END.sub("", place)
    return stem if len(stem) > 1 else place
