"""What is drawn: tables without segments, and tables with clearly planted ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.study_number_of_clusters._clouds import CLOUDS
from benchmarks.study_number_of_clusters._planted import FAMILIES, Floats, Plan, plant

#: How many segments are asked of the clusterer, and planted.
NUMBERS = (2, 3, 4, 5)

#: Standard deviations between the nearest centres of what is clearly planted.
SEPARATION = 6.0

_ROWS = (300, 1000, 3000)

#: Kinds of tables without segments, and the clouds (of the study of the number of clusters) that
#: are drawn in turn for each.
WITHOUT = {
    "Gaussian": ["Gaussian, 2 columns", "Gaussian, 5 columns", "Gaussian, correlated .7"],
    "elongated": ["Gaussian, elongated"],
    "uniform": ["uniform, 2 columns", "uniform, 4 columns", "uniform, 6 columns"],
    "skewed": ["exponential", "lognormal", "lognormal, correlated .6"],
    "counts": ["Poisson", "negative binomial", "negative binomial, correlated"],
}


def without_segments(kind: str, draw: int, seed: int) -> tuple[Floats, int]:
    """Return a table without segments, and how many a clusterer is asked for."""
    number = NUMBERS[draw % len(NUMBERS)]
    rng = np.random.default_rng([seed, [*WITHOUT].index(kind), draw])
    n_rows = _ROWS[(draw // len(NUMBERS)) % len(_ROWS)]
    if kind == "elongated" and draw % 8 >= 4:
        # Half of them in two columns: a long ellipse along the diagonal, which scaling leaves long,
        # and k-means halves in the same place.
        length = rng.uniform(3, 6)
        return rng.standard_normal((n_rows, 2)) @ [[1, 1], [length, -length]], number
    clouds = [cloud for cloud in CLOUDS if cloud.name in WITHOUT[kind]]
    return clouds[draw % len(clouds)].draw(n_rows, rng), number


def planted(draws: int, seed: int) -> Iterator[tuple[str, Floats, int]]:
    """Yield the family, the table and the number of segments of each planted table."""
    for place, family in enumerate(FAMILIES):
        for number in NUMBERS:
            for draw in range(draws):
                rng = np.random.default_rng([seed, 100 + place, number, draw])
                plan = Plan(family, number, SEPARATION, int(rng.choice(_ROWS)))
                yield family, plant(plan, rng), number
