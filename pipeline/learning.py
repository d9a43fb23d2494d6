"""Labelled rows -> vectorizer and label models, with honest out-of-fold probabilities.

Owns the fold discipline: what a score is measured on was seen in no form by what gives the score. Sits above the stages
segment, vectorize and classify, below flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.classify import (
    NO_FURTHER,
    UNTUNED,
    Doubles,
    Floats,
    LabelModel,
    Names,
    Stack,
    Titles,
    Tuning,
    beside_lexicon,
    classify_labels,
    fit_bridge,
    fit_further,
    fit_linear,
    fit_stack,
    fit_titles,
    fit_tuning,
    lexicon_prior,
    linear_scores,
    softmax,
    speaks_by_name,
    tabulate,
)
from pipeline.errors import InputError
from pipeline.evaluate import score_labels
from pipeline.schema import LABELS, SEGMENTED, check_table, typed
from pipeline.segment import normalize
from pipeline.settings import ClassifySettings, Settings
from pipeline.vectorize import Lexicon, Vectorizer, fit_vectorizer, lexicon_counts, titles_only

Ints = NDArray[np.int64]

ALWAYS_TRAINING = -1

_EXPECTED_ROWS = 50  # rows that should have a word, before its absence can tell anything
_UNHEARD = 0.1  # share of the rows expected, 0 to 1, under which a word was taken out of the rows that came as words

_RARE_ROWS = 30  # a word in more rows than this is too common to tell that two texts are one
_FEWEST_SHARED = 3  # rare words that two texts must share to be taken for one
_SHARED = 0.85  # share of the rare words of the shorter text, 0 to 1, from which two texts are one


@dataclass(frozen=True)
class Learned:
    """What training gives.

    Attributes
    ----------
    vectorizer, tuning : fitted on all rows
    models : by target (topic, kind, department), for the targets that have labels
    out_of_fold : table CLASSIFIED of the rows that are scored, index as in the labelled table; each row's
        probabilities come from models and calibration that never saw it, nor its issue, nor a text like it
    vectors : of all rows, by the vectorizer
    folds : int, shape (n_rows,), the part that each labelled row is in; ALWAYS_TRAINING is in every training side
    scores : by target that was scored: rows, labels, accuracy, macro_f1, calibration_error,
        per_label (label -> rows, precision, recall, f1)
    """

    vectorizer: Vectorizer
    tuning: Tuning
    models: Mapping[str, LabelModel]
    out_of_fold: pd.DataFrame
    vectors: sparse.csr_matrix
    folds: Ints
    scores: Mapping[str, Mapping[str, Any]]


def learn_labels(segmented: pd.DataFrame, labelled: pd.DataFrame, *, lexicon: Lexicon, settings: Settings) -> Learned:
    """Learn every target that has labels.

    Parameters
    ----------
    segmented : table SEGMENTED, one row for each of `labelled`, same order; tokens of `labelled` go before
    labelled : has the columns of LABELS; rows that bring tokens, or say that they are only to be learned from, are
        never scored. Of several acceptable kinds the first is learned.
    lexicon : whose scores are the second view

    Raises
    ------
    TableError : a column is missing
    InputError : no row has a label of any target
    """
    check_table(segmented, SEGMENTED, where="learn_labels")
    check_table(labelled, LABELS, where="learn_labels")
    rows = training_rows(segmented, labelled)
    truths = _truths(labelled)
    if not truths:
        raise InputError(
            "No row has a label: the columns topic, department and department_kind are all empty. "
            "Fill one of them, or name it with --topic-column or --department-column."
        )
    given = np.array([len(tokens) > 0 for tokens in labelled["tokens"]], dtype=bool)
    scored = ~(given | labelled["learn_only"].to_numpy(dtype=bool))
    if not scored.any():
        scored = np.ones(len(rows), dtype=bool)
    groups = text_groups(rows, labelled["issue"])
    folds = stratified_folds(groups, next(iter(truths.values())), settings=settings.classify)
    # Rows that are never scored are on the training side of every fold, but for those that have a scored row's text.
    folds[~np.isin(groups, groups[scored])] = ALWAYS_TRAINING
    found = lexicon_counts(rows, lexicon, settings=settings.vectorize)
    labels = {target: np.unique(truth[truth != ""]) for target, truth in truths.items()}
    views = _out_of_fold(rows, truths, labels, folds, scored, given, found, lexicon, settings)

    vectorizer = fit_vectorizer(rows, settings=settings.vectorize, unheard=unheard_words(rows, given))
    vectors, titles = vectorizer.transform(rows), _title_vectors(rows, vectorizer, settings)
    tuning = _fit_tuning(found, truths, np.ones(len(rows), dtype=bool), labels, lexicon, settings.classify)
    spoken = _spoken(found, tuning, lexicon)
    models, logits, scores = {}, {}, {}
    for target, truth in truths.items():
        usable = scored & (truth != "")
        trust = 1.0
        if speaks_by_name(labels[target], lexicon.topics):
            taught = int((truth != "").sum())
            trust = max(0.5, taught / (taught + settings.classify.half_trusted_rows))
        stack, logits[target] = _calibrated(*views[target], truth, labels[target], folds, usable, trust)
        further = NO_FURTHER
        if target == "topic":
            others = [list(names) for names in labelled["other_topics"][usable]]
            further = fit_further(logits[target][usable], others, labels[target])
        own = titles if target == "topic" else None
        slopes, bias, title_model, bridge = _fit_views(
            vectors, own, spoken, truth, labels[target], target, lexicon, settings.classify
        )
        models[target] = LabelModel(labels[target], slopes, bias, title_model, lexicon.topics, bridge, stack, further)
        if usable.any():
            probabilities = softmax(logits[target][usable])
            guess = labels[target][probabilities.argmax(axis=1)]
            scores[target] = score_labels(truth[usable], guess, probabilities.max(axis=1))
    said = np.array(
        [bool(t) or bool(x) for t, x in zip(rows["title_tokens"], rows["text_tokens"], strict=True)], dtype=bool
    )
    kept = {target: values[scored] for target, values in logits.items()}
    out_of_fold = tabulate(rows["submission_id"][scored], said[scored], kept, models)
    return Learned(vectorizer, tuning, models, out_of_fold, vectors, folds, scores)


def classify_unseen(segmented: pd.DataFrame, learned: Learned, *, lexicon: Lexicon) -> pd.DataFrame:
    """Table CLASSIFIED of some rows of a training: scored ones out of fold, the others by the finished models.

    Parameters
    ----------
    segmented : table SEGMENTED of the rows, index as in the labelled table
    """
    others = segmented[~segmented.index.isin(learned.out_of_fold.index)]
    vectorizer = learned.vectorizer
    further = classify_labels(
        others,
        vectorizer.transform(others),
        vectorizer=vectorizer,
        lexicon=lexicon,
        models=learned.models,
        tuning=learned.tuning,
    )
    return pd.concat([learned.out_of_fold, further.set_axis(others.index, axis=0)]).loc[segmented.index]


def training_rows(segmented: pd.DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    """Table SEGMENTED in which rows that bring tokens have those as text, in the form that the segmenter gives."""
    own = [
        [part for token in tokens for part in normalize(str(token)).split() if part.isalnum()]
        for tokens in labelled["tokens"]
    ]
    title = [[] if given else list(tokens) for given, tokens in zip(own, segmented["title_tokens"], strict=True)]
    text = [given or list(tokens) for given, tokens in zip(own, segmented["text_tokens"], strict=True)]
    columns = {
        "submission_id": segmented["submission_id"],
        "title_tokens": pd.Series(title, index=segmented.index, dtype="object"),
        "text_tokens": pd.Series(text, index=segmented.index, dtype="object"),
    }
    return typed(pd.DataFrame(columns, index=segmented.index), SEGMENTED)


def unheard_words(rows: pd.DataFrame, given: NDArray[np.bool_]) -> list[str]:
    """Words that running text has and the rows that came as words lack: their stop words, found in the rows themselves.

    Left in, such words would make up a large part of every running text, and nearly nothing of the other rows.

    Parameters
    ----------
    rows : table SEGMENTED, as `training_rows` gives it
    given : shape (n_rows,), True where a row came as words
    """
    if given.all() or not given.any():
        return []
    words = rows["title_tokens"] + rows["text_tokens"]
    shares = [words[chosen].map(set).explode().value_counts() / chosen.sum() for chosen in (~given, given)]
    expected = shares[0] * given.sum()
    found = shares[1].reindex(expected.index, fill_value=0.0) * given.sum()
    return sorted(expected.index[(expected >= _EXPECTED_ROWS) & (found < _UNHEARD * expected)])


def text_groups(rows: pd.DataFrame, issues: pd.Series[str] | None = None) -> Ints:
    """Rows that must not be on both sides of a fold have the same number.

    Two rows are one where they name the same issue, have the same tokens, or share most of their rare words: that finds
    a text again that was pasted with changes, or that another segmenter cut and stripped of its stop words.

    Parameters
    ----------
    rows : table SEGMENTED
    issues : issue of each row, "" where there is none
    """
    from scipy.sparse.csgraph import connected_components

    tokens = [[*title, *text] for title, text in zip(rows["title_tokens"], rows["text_tokens"], strict=True)]
    codes, _ = pd.factorize(np.array(["\n".join(sorted(set(words))) for words in tokens], dtype=object))
    links = [_same(codes, np.ones(len(rows), dtype=bool))]
    if issues is not None:
        named = issues.to_numpy(dtype=object)
        links.append(_same(pd.factorize(named)[0], named != ""))
    links.append(_near(tokens))
    _, groups = connected_components(sum(links[1:], start=links[0]), directed=False)
    return np.asarray(groups, dtype=np.int64)


def _same(codes: NDArray[Any], counts: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Links each row to the first one of its code."""
    first = pd.Series(np.arange(len(codes))).groupby(codes).transform("first").to_numpy()
    places = np.flatnonzero(counts)
    firsts = pd.Series(first)[places].to_numpy()
    return sparse.csr_matrix((np.ones(len(places)), (places, firsts)), shape=(len(codes), len(codes)))


def _near(tokens: list[list[str]]) -> sparse.csr_matrix:
    """Links rows that share at least `_SHARED` of the shorter one's rare words."""
    places = [(row, word) for row, words in enumerate(tokens) for word in dict.fromkeys(words) if len(word) > 1]
    if not places:
        return sparse.csr_matrix((len(tokens), len(tokens)))
    row_of = np.array([row for row, _ in places])
    codes, _ = pd.factorize(np.array([word for _, word in places], dtype=object))
    common = np.bincount(codes)
    rare = (common[codes] > 1) & (common[codes] <= _RARE_ROWS)
    shape = (len(tokens), len(common))
    held = sparse.csr_matrix((np.ones(rare.sum(), dtype=np.float32), (row_of[rare], codes[rare])), shape=shape)
    # Words of one row only count as rare too: without them two short texts with few shared words would look like one.
    sizes = np.bincount(row_of[common[codes] <= _RARE_ROWS], minlength=len(tokens))
    shared = sparse.coo_matrix(held @ held.T)
    least = np.maximum(_FEWEST_SHARED, _SHARED * np.minimum(sizes[shared.row], sizes[shared.col]))
    chosen = shared.data >= least
    links = (np.ones(chosen.sum()), (shared.row[chosen], shared.col[chosen]))
    return sparse.csr_matrix(links, shape=(len(tokens), len(tokens)))


def stratified_folds(groups: Ints, truth: Names, *, settings: ClassifySettings) -> Ints:
    """A fold for each row: groups stay whole, labels are spread evenly; the same every time for one seed."""
    generator = np.random.default_rng(settings.seed)
    names, label_of = np.unique(truth, return_inverse=True)
    _, group_of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of)
    first = np.full(len(sizes), -1)
    first[group_of[::-1]] = np.arange(len(groups))[::-1]
    held = np.zeros((settings.folds, len(names)))
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    order = generator.permutation(len(sizes))
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        label = label_of[first[group]]
        fold_of[group] = np.lexsort([held.sum(axis=1), held[:, label]])[0]
        held[fold_of[group], label] += sizes[group]
    return fold_of[group_of]


def _truths(labelled: pd.DataFrame) -> dict[str, Names]:
    """Label of each row by target, "" where there is none; only targets with a label."""
    kinds = [names[0] if len(names) else "" for names in labelled["department_kind"]]
    columns = {"topic": labelled["topic"].tolist(), "kind": kinds, "department": labelled["department"].tolist()}
    truths = {target: np.array(values, dtype=np.str_) for target, values in columns.items()}
    return {target: truth for target, truth in truths.items() if (truth != "").any()}


def _out_of_fold(
    rows: pd.DataFrame,
    truths: dict[str, Names],
    labels: dict[str, Names],
    folds: Ints,
    scored: NDArray[np.bool_],
    given: NDArray[np.bool_],
    found: sparse.csr_matrix,
    lexicon: Lexicon,
    settings: Settings,
) -> dict[str, tuple[Floats, Floats]]:
    """Linear scores and lexicon log-probabilities of each row, from models that its fold had no part in."""
    shapes = {target: (len(rows), len(names)) for target, names in labels.items()}
    views = {target: (np.zeros(s, dtype=np.float32), np.zeros(s, dtype=np.float32)) for target, s in shapes.items()}
    for fold in np.unique(folds[scored]):
        test, train = scored & (folds == fold), folds != fold
        unheard = unheard_words(rows[train], given[train])
        vectorizer = fit_vectorizer(rows[train], settings=settings.vectorize, unheard=unheard)
        vectors, unseen = vectorizer.transform(rows[train]), vectorizer.transform(rows[test])
        titles, unseen_titles = (_title_vectors(rows[part], vectorizer, settings) for part in (train, test))
        spoken = _spoken(found, _fit_tuning(found, truths, train, labels, lexicon, settings.classify), lexicon)
        for target, truth in truths.items():
            own = titles if target == "topic" else None
            slopes, bias, title_model, bridge = _fit_views(
                vectors, own, spoken[train], truth[train], labels[target], target, lexicon, settings.classify
            )
            read = beside_lexicon(unseen, spoken[test], len(slopes))
            views[target][0][test] = linear_scores(read, slopes, bias) + title_model.scores(unseen_titles)
            views[target][1][test] = lexicon_prior(spoken[test], bridge)
    return views


def _title_vectors(rows: pd.DataFrame, vectorizer: Vectorizer, settings: Settings) -> sparse.csr_matrix | None:
    return vectorizer.transform(titles_only(rows)) if settings.classify.title_say > 0 else None


def _fit_tuning(
    found: sparse.csr_matrix,
    truths: Mapping[str, Names],
    train: NDArray[np.bool_],
    labels: Mapping[str, Names],
    lexicon: Lexicon,
    settings: ClassifySettings,
) -> Tuning:
    """The lexicon's weights learned from topics; labels of one's own, in any row, say nothing about them."""
    if "topic" not in truths or not speaks_by_name(labels["topic"], lexicon.topics):
        return UNTUNED
    return fit_tuning(found[train], truths["topic"][train], lexicon, settings=settings)


def _spoken(found: sparse.csr_matrix, tuning: Tuning, lexicon: Lexicon) -> Floats:
    return np.asarray(found @ tuning.weights(lexicon), dtype=np.float32)


def _calibrated(
    scores: Floats,
    prior: Floats,
    truth: Names,
    labels: Names,
    folds: Ints,
    usable: NDArray[np.bool_],
    trust: float,
) -> tuple[Stack, Doubles]:
    """The stack for all, and logits of each row by a stack that its fold had no part in."""
    whole = fit_stack(scores[usable], prior[usable], truth[usable], labels, trust=trust)
    logits = np.zeros(scores.shape, dtype=np.float64)
    for fold in np.unique(folds[usable]):
        test, train = folds == fold, usable & (folds != fold)
        stack = fit_stack(scores[train], prior[train], truth[train], labels, trust=trust)
        logits[test] = stack.logits(scores[test], prior[test])
    return whole, logits


def _fit_views(
    vectors: sparse.csr_matrix,
    titles: sparse.csr_matrix | None,
    spoken: Floats,
    truth: Names,
    labels: Names,
    target: str,
    lexicon: Lexicon,
    settings: ClassifySettings,
) -> tuple[Floats, Floats, Titles, Floats]:
    """Weights and bias of the linear scores, what titles add, and the lexicon's bridge, from the rows with a label."""
    usable = truth != ""
    seen = truth[usable]
    # Most departments have few rows, topics have many: the lexicon's topics carry what few rows cannot tell.
    few = target != "topic"
    width = vectors.shape[1] + (len(lexicon.topics) + 1 if few else 0)
    read = beside_lexicon(vectors[usable], spoken[usable], width)
    slopes, bias = fit_linear(read, seen, labels, settings=settings, balanced=few)
    title_model = fit_titles(titles[usable] if titles is not None else None, seen, labels, settings=settings)
    return slopes, bias, title_model, fit_bridge(spoken[usable], seen, labels, lexicon.topics)
