"""Tokens, characters and the lexicon -> sparse vectors, inside one batch."""

from pipeline.vectorize.lexicon import Lexicon, lexicon_scores, load_lexicon
from pipeline.vectorize.vectorizer import Vectorizer, fit_vectorizer

__all__ = ["Lexicon", "Vectorizer", "fit_vectorizer", "lexicon_scores", "load_lexicon"]
