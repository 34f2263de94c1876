"""The models of lifetimes, fitted as its documentation says, without a penalizer.

It divides times by the longest before it fits, so that their unit does not matter: days converge
as weeks do. Its log-likelihoods are converted to those of time in days.
"""

import numpy as np
import pandas as pd

from ._job import Job

_HISTORY = ["frequency", "recency", "T"]


def bg_nbd(customers: str, counted: bool = False) -> Job:
    """``BetaGeoFitter``; counted, of distinct histories with their number of customers as weight.

    Counting them is part of the work.
    """
    from lifetimes import BetaGeoFitter

    histories = _histories(customers)
    repeats, n_customers = histories["frequency"].sum(), len(histories)

    def run():
        if not counted:
            return BetaGeoFitter().fit(*(histories[name] for name in _HISTORY))
        distinct = histories.groupby(_HISTORY).size().reset_index(name="customers")
        columns = (distinct[name] for name in _HISTORY)
        return BetaGeoFitter().fit(*columns, weights=distinct["customers"])

    def sums(model):
        mean = -model._negative_log_likelihood_
        return _fitted(model, n_customers * mean + repeats * np.log(model._scale))

    return Job(run, sums)


def pareto_nbd(customers: str) -> Job:
    """``ParetoNBDFitter``."""
    from lifetimes import ParetoNBDFitter

    histories = _histories(customers)
    repeats = histories["frequency"].sum()

    def sums(model):
        # Of this model it gives the sum and not the mean.
        return _fitted(model, -model._negative_log_likelihood_ + repeats * np.log(model._scale))

    return Job(
        lambda: ParetoNBDFitter().fit(*(histories[name] for name in _HISTORY)),
        sums,
    )


def gamma_gamma(customers: str) -> Job:
    """``GammaGammaFitter`` of the customers with a repeat order."""
    from lifetimes import GammaGammaFitter

    frame = pd.read_parquet(customers)
    frame = frame[frame["order_days"] > 1]
    frequency = frame["order_days"] - 1
    mean = (frame["monetary"] - frame["first_day_amount"]) / frequency
    return Job(
        lambda: GammaGammaFitter().fit(frequency, mean),
        lambda model: _fitted(model, -model._negative_log_likelihood_ * len(frame)),
    )


def _histories(customers: str) -> pd.DataFrame:
    frame = pd.read_parquet(customers)
    return pd.DataFrame(
        {
            "frequency": frame["order_days"] - 1,
            "recency": frame["tenure_days"] - frame["recency_days"],
            "T": frame["tenure_days"],
        }
    )


def _fitted(model, log_likelihood: float) -> dict[str, float]:
    return {"log_likelihood": float(log_likelihood), **model.params_.astype(float).to_dict()}
