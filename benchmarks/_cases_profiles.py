"""What is measured of the profiles of segments.

The target is stated for 1,000,000 rows: a tenth of the 10,000,000 of the command.
"""

from ._case import SLOW_REPEATS, Case, Contestant
from ._targets import faster

_LEAST = 10_000


def profile_cases(n_rows: int) -> list[Case]:
    """Return the cases of profiles."""
    options = {"n_rows": max(n_rows // 10, _LEAST)}
    return [
        Case(
            "profile",
            f"Profile of {options['n_rows']:,} customers in eight segments: twelve numbers, eight "
            "categories",
            [
                Contestant("segkit", "_jobs_profiles.profile", options=options, data={}),
                Contestant(
                    "pandas + scipy",
                    "_jobs_profiles.profile_plainly",
                    options=options,
                    data={},
                    most_repeats=SLOW_REPEATS,
                ),
            ],
            [faster("pandas + scipy", 7)],
            [
                "pandas + scipy is `groupby.agg`, `groupby.quantile`, `value_counts`, `crosstab`, "
                "and `kruskal`, `f_oneway` and `chi2_contingency` of each column. segkit's time "
                "includes effect sizes, intervals, adjusted p-values, typical customers and "
                "personas.",
                "Statistics of Kruskal-Wallis and of χ², means, standard deviations and quantiles "
                "must agree to 1e-9 of their size.",
            ],
        )
    ]
