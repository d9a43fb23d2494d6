"""Topic, words and place become a department, with the reason and a calibrated probability that it is right."""

from pipeline.match.leads import match_departments
from pipeline.match.matcher import Matcher, fit_matcher

__all__ = ["Matcher", "fit_matcher", "match_departments"]
