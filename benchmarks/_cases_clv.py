"""What is measured of the models of customer lifetime value.

The targets are stated for 1,000,000 customers, a tenth of 10,000,000 rows, and for 2,400.
"""

from typing import Any

from ._case import SLOW_REPEATS, Case, Contestant
from ._targets import faster, seconds_at_most

_FEW = 2_400
_SHARE = 10  # rows of the command to a customer here
_ROUNDS = 15  # where a fit takes milliseconds
_LOOPS = 10

# Parameters are as exact as where a search ends; the log-likelihood there is flat.
_PARAMETERS = dict.fromkeys(("r", "alpha", "a", "b", "p", "q", "v"), 1e-4)
# Nelder and Mead's search, which lifetimes uses here, ends earlier.
_PARETO = {"log_likelihood": 1e-7, **dict.fromkeys(("r", "alpha", "s", "beta"), 1e-3)}
_SAME = (
    "The log-likelihoods must agree to 1e-9 of their size (lifetimes' converted to days) and the "
    "parameters to 1e-4."
)
_MEAN_OF_LOOP = f"Times of segkit are the mean of {_LOOPS} fits in a row."


def buyers(n_rows: int) -> dict[str, dict[str, Any]]:
    """Return the arguments of ``write_buyers`` for the data of these cases."""
    return {
        "buyers": {"n_customers": max(n_rows // _SHARE, 1)},
        "few_buyers": {"n_customers": min(n_rows, _FEW)},
    }


def clv_cases() -> list[Case]:
    """Return the cases of customer lifetime value."""
    return [_bg_nbd(), _bg_nbd_small(), *_gamma_gamma(), *_pareto_nbd(), _clv_predict()]


def _ours(data: str, model: str, name: str = "segkit") -> Contestant:
    options = {"model": model, "loops": _LOOPS if data == "few_buyers" else 1}
    return Contestant(name, "_jobs_clv.fit", {"customers": data}, options)


def _theirs(data: str, job: str, name: str = "lifetimes", **options: Any) -> Contestant:
    return Contestant(
        name,
        f"_jobs_lifetimes.{job}",
        {"customers": data},
        options,
        environment="lifetimes",
        most_repeats=SLOW_REPEATS if data == "buyers" else None,
    )


def _pymc_marketing(data: str) -> Contestant:
    return Contestant(
        "pymc-marketing, MAP",
        "_jobs_packages.pymc_marketing_bg_nbd",
        {"customers": data},
        environment="pymc-marketing",
        most_repeats=SLOW_REPEATS,
        compared=False,
    )


def _bg_nbd() -> Case:
    return Case(
        "bg-nbd",
        "Customer table to a fitted BG/NBD model",
        [
            _ours("buyers", "BetaGeoNBD"),
            _theirs("buyers", "bg_nbd"),
            _theirs("buyers", "bg_nbd", "lifetimes, counted", counted=True),
            _pymc_marketing("buyers"),
        ],
        [faster("lifetimes", 100)],
        [
            "segkit's fit is from the customer table: it includes the fit of a model without "
            "dropout, which tells whether dropout is identified, and standard errors. lifetimes "
            "is given frequency, recency and T; its fit includes standard errors, too.",
            "lifetimes, counted, counts equal histories first and passes the counts as `weights`, "
            "as segkit does inside; the counting is timed.",
            'pymc-marketing, MAP, is `BetaGeoModel` with its default priors and `method="map"`, '
            "in weeks. Priors move the estimates, so that they are not compared.",
            "No penalizer; times in days, which lifetimes divides by the longest, so that weeks "
            "end at the same place.",
            _SAME,
            f"lifetimes and pymc-marketing run at most {SLOW_REPEATS} times.",
        ],
        tolerances=_PARAMETERS,
    )


def _bg_nbd_small() -> Case:
    return Case(
        "bg-nbd-small",
        f"{_FEW:,} customers to a fitted BG/NBD model",
        [
            _ours("few_buyers", "BetaGeoNBD"),
            _theirs("few_buyers", "bg_nbd"),
            _theirs("few_buyers", "bg_nbd", "lifetimes, counted", counted=True),
            _pymc_marketing("few_buyers"),
        ],
        [faster("lifetimes", 30)],
        ["What the contestants do is said under bg-nbd.", _MEAN_OF_LOOP],
        least_rounds=_ROUNDS,
        tolerances=_PARAMETERS,
    )


def _gamma_gamma() -> list[Case]:
    what = (
        "segkit's fit is from the customer table, of which it takes the customers with a repeat "
        "order, and includes standard errors and the correlation of spend with orders. "
        "lifetimes is given frequency and mean repeat spend of these customers; its fit includes "
        "standard errors."
    )
    return [
        Case(
            "gamma-gamma",
            "Customer table to a fitted Gamma-Gamma model",
            [_ours("buyers", "GammaGamma"), _theirs("buyers", "gamma_gamma")],
            [faster("lifetimes", 25)],
            [what, _SAME, f"lifetimes runs at most {SLOW_REPEATS} times."],
            tolerances=_PARAMETERS,
        ),
        Case(
            "gamma-gamma-small",
            f"{_FEW:,} customers to a fitted Gamma-Gamma model",
            [_ours("few_buyers", "GammaGamma"), _theirs("few_buyers", "gamma_gamma")],
            [faster("lifetimes", 25)],
            ["What the contestants do is said under gamma-gamma.", _MEAN_OF_LOOP],
            least_rounds=_ROUNDS,
            tolerances=_PARAMETERS,
        ),
    ]


def _pareto_nbd() -> list[Case]:
    return [
        Case(
            "pareto-nbd",
            "Customer table to a fitted Pareto/NBD model, and to one of lifetime value",
            [
                _ours("buyers", "ParetoNBD", "ParetoNBD"),
                _ours("buyers", "CustomerLifetimeValue", "CustomerLifetimeValue"),
            ],
            notes=["CustomerLifetimeValue fits ParetoNBD and GammaGamma."],
        ),
        Case(
            "pareto-nbd-small",
            f"{_FEW:,} customers to a fitted Pareto/NBD model",
            [_ours("few_buyers", "ParetoNBD"), _theirs("few_buyers", "pareto_nbd")],
            notes=[
                "segkit's fit includes a model without dropout and standard errors, of which "
                "lifetimes gives none here. Log-likelihoods must agree to 1e-7 of their size, "
                "parameters to 1e-3: lifetimes searches without a gradient.",
                _MEAN_OF_LOOP,
            ],
            least_rounds=_ROUNDS,
            tolerances=_PARETO,
        ),
    ]


def _clv_predict() -> Case:
    asked = {
        "BetaGeoNBD": "predict",
        "ParetoNBD": "predict",
        "GammaGamma": "expected_order_value",
        "CustomerLifetimeValue": "predict",
    }
    contestants = [
        Contestant(
            f"{model}.{method}",
            "_jobs_clv.predict",
            {"customers": "buyers"},
            {"model": model, "method": method},
        )
        for model, method in asked.items()
    ]
    return Case(
        "clv-predict",
        "Customer table to a prediction for each customer",
        contestants,
        [seconds_at_most(one.name, 1.0) for one in contestants],
        [
            "segkit alone, a year ahead, whole days. CustomerLifetimeValue asks ParetoNBD at 11 "
            "horizons, to discount.",
        ],
    )
