"""How hot an issue is: people with their own words, weighed by how lately they began, how urgently, from where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.cluster.people import People, Rows
from pipeline.settings import ClusterSettings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROWTH_PRIOR = 2.0  # voices without growth that every issue is taken to have, so that 2 after 0 is no sensation
SPREAD_POWER = 0.5  # of the number of places: four places count as twice one


def heat_of(
    people: People,
    wording: Rows,
    urgent: Flags,
    spread: Rows,
    *,
    settings: ClusterSettings,
) -> Floats:
    """Heat of each issue.

    Parameters
    ----------
    people : the people of all issues
    wording : shape (n_people,), people with one number in one issue said the same words
    urgent : shape (n_people,), whether the person's first post is urgent
    spread : shape (n_issues,), distinct places, 1 at least
    settings : `freshness_days`, `growth_days`

    Returns
    -------
    heat : shape (n_issues,), above 0; one person that spoke just now is log2(1 + 4/3), about 1.2

    Notes
    -----
    heat = log2(1 + voices * (1 + growth) * min(spread, all) ** 0.5)

    - People, not posts. A person enters by the first post alone. n people with the same words weigh log2(1 + n)
      together (the freshest 1, the next 0.58, ...): form letters tell of a campaign and are weighed apart from letters
      of one's own (Shulman 2009; Balla, Beck, Meehan and Prasad 2020).
    - Urgency. A person whose first post is urgent counts twice: occurrence times severity, as in FMEA (IEC 60812).
    - Freshness. `voices` is the sum of these weights, each halved with every `freshness_days` since the person's first
      post, measured from the newest row of the run. With the logarithm outside, this is the ranking of Reddit (log of
      votes plus time): twice the people make up for one half-life.
    - Growth = recent / (voices + 2), where `recent` is the same sum with `growth_days` for a half-life: a fast against
      a slow average, shrunken by a prior as the rates of few events are (DuMouchel 1999). A ratio of two windows would
      jump at their edges, and an issue could become hotter by growing older.
    - Spread counts places as ecology counts species (Hill 1973, number of order 0), and no more of them than there are
      voices: `all` is the sum of the weights without any halving.

    From these: a further post of a person who has spoken never raises the heat (it changes nothing unless it is older
    than the first); a further person never lowers it, one with own words raises it; older first posts never raise it;
    an urgent first post raises it.
    """
    age = people.age
    voices, recent, everything = np.zeros(len(spread)), np.zeros(len(spread)), np.zeros(len(spread))
    # An urgent person stands among all, and once more among the urgent of the same words.
    for chosen in (np.arange(len(age)), np.flatnonzero(urgent)):
        issue = people.issue[chosen]
        weight = _shares(issue, wording[chosen], age[chosen])
        # Floats are added in one order whatever the order of the rows, or it would show in the last digits.
        order = np.lexsort((weight, age[chosen], issue))
        issue, weight, days = issue[order], weight[order], age[chosen][order]
        for total, days_to_half in ((voices, settings.freshness_days), (recent, settings.growth_days)):
            total += np.bincount(issue, weights=weight * 0.5 ** (days / days_to_half), minlength=len(spread))
        everything += np.bincount(issue, weights=weight, minlength=len(spread))
    growth = recent / (voices + GROWTH_PRIOR)
    mass = voices * (1.0 + growth) * np.minimum(spread, everything).clip(min=1.0) ** SPREAD_POWER
    return np.asarray(np.log2(1.0 + mass), dtype=np.float64)


def _shares(issue: Rows, wording: Rows, age: Floats) -> Floats:
    """Of log2(1 + n), which n people of one wording weigh, what each adds when the freshest come first."""
    order = np.lexsort((age, wording, issue))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (np.diff(issue[order]) != 0) | (np.diff(wording[order]) != 0)
    places = np.arange(len(order))
    rank = np.empty(len(order))
    rank[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return np.asarray(np.log2((rank + 2.0) / (rank + 1.0)))
