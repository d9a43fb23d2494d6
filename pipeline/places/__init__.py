"""Words become places: district, township and named spot of the matter, as far as the words settle it.

Three steps: a search for the first characters of every name in the running text (phrases.py), spaCy's PhraseMatcher
on those pieces alone (a Doc of every word would cost more than all other steps together), and rules on what a name
means where it stands (mentions.py) and which of several places is the matter's (settling.py).
"""

from pipeline.places.finding import find_places, locate
from pipeline.places.gazetteer import Gazetteer, open_gazetteer, place_names

__all__ = ["Gazetteer", "find_places", "locate", "open_gazetteer", "place_names"]
