"""Topic, words, place and past matters become a department, with the reason and a calibrated probability."""

from pipeline.match.leads import match_departments
from pipeline.match.ranking import Matcher, fit_matcher, target_of

__all__ = ["Matcher", "fit_matcher", "match_departments", "target_of"]
