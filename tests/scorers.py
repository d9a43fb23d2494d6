"""The pair scorer of the tests: the usual weights, as an office has them that marked no issues."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.cluster.fitting import MarkedPairs, everyday_words, fit_pair_scorer
from pipeline.cluster.scorer import FEATURES

LEXICON = Path(__file__).parent.parent / "corpus" / "lexicon.csv"
NO_PAIRS = MarkedPairs(np.zeros((0, len(FEATURES))), np.zeros(0, dtype=bool), np.zeros((0, 2), dtype=np.int64))
SCORER = fit_pair_scorer(NO_PAIRS, everyday=everyday_words([], pd.read_csv(LEXICON)["word"]))
