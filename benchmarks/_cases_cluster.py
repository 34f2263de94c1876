"""What is measured of clusters. The targets are stated for 50,000 customers, of 10,000,000 rows."""

from typing import Any

from ._case import SLOW_REPEATS, Case, Contestant
from ._targets import Target, faster

_SHARE = 200  # rows of the command to a customer here
_SEARCH = {"n_clusters": 8, "gamma": 0.5, "max_iter": 100, "random_state": 0}


def mixed_customers(n_rows: int) -> dict[str, dict[str, Any]]:
    """Return the arguments of ``write_mixed`` for the data of these cases."""
    return {"mixed_customers": {"n_customers": max(n_rows // _SHARE, 100)}}


def cluster_cases() -> list[Case]:
    """Return the cases of clusters."""
    data = {"customers": "mixed_customers"}
    return [
        Case(
            "k-prototypes",
            "Four numbers and four categories to eight clusters by k-prototypes, one start",
            [
                Contestant("segkit", "_jobs_cluster.k_prototypes", data, _SEARCH),
                Contestant(
                    "kmodes",
                    "_jobs_kmodes.k_prototypes",
                    data,
                    _SEARCH,
                    environment="kmodes",
                    most_repeats=SLOW_REPEATS,
                ),
            ],
            [faster("kmodes", 80), _cost_above("kmodes", 0.5)],
            [
                "Columns standardised beforehand, gamma 0.5, Cao's initialisation, one start with "
                "the same seed; kmodes gets an array of objects. A start of segkit tries five on "
                "4,096 rows first.",
                "Costs are sums of distances from the nearest prototype. Both find local minima, "
                "which may differ by 5 %.",
                f"kmodes runs at most {SLOW_REPEATS} times.",
            ],
            tolerances={"cost": 0.05},
        )
    ]


def _cost_above(peer: str, per_mille: float) -> Target:
    """Our cost is at most so much above the peer's."""
    return Target(
        f"cost of segkit above that of {peer}",
        ("segkit", peer),
        lambda results: 1e3 * (results["segkit"].sums["cost"] / results[peer].sums["cost"] - 1),
        per_mille,
        unit=" ‰",
    )
