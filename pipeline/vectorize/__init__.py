"""Tokens, characters and the lexicon -> sparse vectors, inside one batch."""

from pipeline.vectorize.lexicon import Lexicon, lexicon_counts, lexicon_scores, load_lexicon
from pipeline.vectorize.vectorizer import Vectorizer, fit_vectorizer, titles_only

__all__ = ["Lexicon", "Vectorizer", "fit_vectorizer", "lexicon_counts", "lexicon_scores", "load_lexicon", "titles_only"]
