"""What the lexicon says of each label."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from pipeline.classify.stack import Floats, Names
from pipeline.vectorize import Lexicon

OTHER = "other"  # the topic of a text that says nothing, where the bundle learned such a topic
UNSAID = 0.2  # lexicon strength that every topic has unsaid
_SILENT = 0.2  # share of silence from which a row counts as one that the lexicon says little of
_SILENCE = 2.0  # lexicon strength of saying nothing: one likely word has as much


def align(spoken: Floats, lexicon: Lexicon, topics: Names) -> Floats:
    """The columns of lexicon scores in the order of `topics`; 0 for a topic that this lexicon lacks."""
    if np.array_equal(lexicon.topics, topics):
        return spoken
    aligned = np.zeros((len(spoken), len(topics)), dtype=np.float32)
    place = {topic: column for column, topic in enumerate(lexicon.topics)}
    for column, topic in enumerate(topics):
        if topic in place:
            aligned[:, column] = spoken[:, place[topic]]
    return aligned


def lexicon_shares(spoken: Floats) -> Floats:
    """Each topic's share in what the lexicon says, and as last column the share of saying nothing."""
    silence = np.full((len(spoken), 1), _SILENCE)
    strength = np.hstack([spoken.astype(np.float64) + UNSAID, silence])
    return np.asarray(strength / strength.sum(axis=1, keepdims=True), dtype=np.float32)


def beside_lexicon(vectors: sparse.csr_matrix, spoken: Floats, width: int) -> sparse.csr_matrix:
    """Vectors as a label model of `width` features reads them: with the lexicon's shares as last columns, or alone."""
    if width == vectors.shape[1]:
        return vectors
    return sparse.csr_matrix(sparse.hstack([vectors, sparse.csr_matrix(lexicon_shares(spoken))], format="csr"))


def lexicon_prior(spoken: Floats, bridge: Floats) -> Floats:
    """Log-probability of each label by the lexicon alone, shape (n_rows, n_labels)."""
    # Sparse on purpose: a dense product sums in another order for another number of rows, and the batch would matter.
    shares = sparse.csr_matrix(lexicon_shares(spoken))
    return np.asarray(np.log(shares @ bridge + np.float32(1e-4)), dtype=np.float32)


def fit_bridge(spoken: Floats, truth: Names, labels: Names, topics: Names) -> Floats:
    """How the lexicon's topics, and its silence, speak for labels: topics by name where possible, else by counting.

    Parameters
    ----------
    spoken : lexicon scores of the training rows, columns as `topics`
    truth : label of each training row

    Returns
    -------
    float32 of shape (n_topics + 1, n_labels), the last row for silence; a row sums to 1 unless its topic is no label
    """
    shares = lexicon_shares(spoken)
    # What silence tells is learned where it is loud: a lexicon that speaks for most rows is silent for few.
    shares[:, -1] *= shares[:, -1] >= _SILENT
    counts = shares.T @ (truth[:, None] == labels[None, :]).astype(np.float32)
    # As if one row more stood for each topic, spread as the labels are.
    counts += (counts.sum(axis=0) + 1 / len(labels)) / (len(truth) + 1)
    bridge = np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float32)
    if speaks_by_name(labels, topics):
        bridge[:-1] = topics[:, None] == labels[None, :]
    return bridge


def speaks_by_name(labels: Names, topics: Names) -> bool:
    """Whether the labels are topics of the lexicon (other apart): it speaks for those without being taught."""
    return bool(np.isin(labels, [*topics, OTHER]).all())
