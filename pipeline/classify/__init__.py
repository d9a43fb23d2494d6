"""Vectors -> labels with calibrated probabilities: topics, kinds of department, departments.

One linear score a label from the vectors, with what a sure title adds, and one from the lexicon are added with weights
that were fitted out of fold, so that much labelled text outvotes the lexicon and little leans on it.
"""

from pipeline.classify.further import NO_FURTHER, Further, fit_further
from pipeline.classify.linear import fit_linear, linear_scores
from pipeline.classify.model import LabelModel, classify_labels, tabulate
from pipeline.classify.prior import align, beside_lexicon, fit_bridge, lexicon_prior, speaks_by_name
from pipeline.classify.stack import Doubles, Floats, Names, Stack, fit_stack, softmax
from pipeline.classify.titles import Titles, fit_titles, no_titles
from pipeline.classify.tuning import UNTUNED, Tuning, fit_tuning

__all__ = [
    "NO_FURTHER",
    "UNTUNED",
    "Doubles",
    "Floats",
    "Further",
    "LabelModel",
    "Names",
    "Stack",
    "Titles",
    "Tuning",
    "align",
    "beside_lexicon",
    "classify_labels",
    "fit_bridge",
    "fit_further",
    "fit_linear",
    "fit_stack",
    "fit_titles",
    "fit_tuning",
    "lexicon_prior",
    "linear_scores",
    "no_titles",
    "softmax",
    "speaks_by_name",
    "tabulate",
]
