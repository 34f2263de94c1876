"""Models of repeat buying and spend, and clusterers, called with hostile customers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hostile_cases import Case
from hostile_frames import GOOD_CUSTOMERS
from hostile_judge import check_no_silent_nan, judged, learned_numbers
from hostile_segmenters import rows_in
from segkit.cluster import KPrototypes
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD
from segkit.exceptions import LazyFrameError

DAYS = ("recency_days", "order_days", "tenure_days")
SPEND = ("order_days", "monetary", "first_day_amount")

Limits = tuple[float, float]
_FROM_ZERO: Limits = (0.0, np.inf)
_SHARE: Limits = (0.0, 1.0)


@dataclass(frozen=True)
class Model:
    """How an estimator is made, what it reads, and what its verbs may answer."""

    build: Callable[[], Any]
    columns: tuple[str, ...]
    verbs: Mapping[str, Limits]
    parts: tuple[str, ...] = ()


MODELS: dict[str, dict[str, Model]] = {
    "clv.BetaGeoNBD": {
        "plain": Model(BetaGeoNBD, DAYS, {"predict": _FROM_ZERO, "predict_alive": _SHARE})
    },
    "clv.ParetoNBD": {
        "plain": Model(ParetoNBD, DAYS, {"predict": _FROM_ZERO, "predict_alive": _SHARE})
    },
    "clv.GammaGamma": {
        "plain": Model(
            GammaGamma, SPEND, {"predict": _FROM_ZERO, "expected_order_value": _FROM_ZERO}
        )
    },
    "clv.CustomerLifetimeValue": {
        "plain": Model(
            CustomerLifetimeValue,
            (*DAYS, "monetary", "first_day_amount"),
            {
                "predict": _FROM_ZERO,
                "predict_alive": _SHARE,
                "expected_orders": _FROM_ZERO,
                "expected_order_value": _FROM_ZERO,
            },
            parts=("ParetoNBD", "GammaGamma"),
        ),
        "BG/NBD": Model(
            lambda: CustomerLifetimeValue(purchases=BetaGeoNBD()),
            (*DAYS, "monetary", "first_day_amount"),
            {"predict": _FROM_ZERO, "predict_alive": _SHARE},
            parts=("BetaGeoNBD", "GammaGamma"),
        ),
    },
    "cluster.KPrototypes": {
        "mixed": Model(
            lambda: KPrototypes(n_clusters=3, n_init=2, random_state=0),
            ("monetary", "frequency", "country"),
            {"predict": (0, 2), "transform": _FROM_ZERO},
        ),
        "named": Model(
            lambda: KPrototypes(
                n_clusters=3, n_init=2, categorical=["country", "frequency"], random_state=0
            ),
            ("monetary", "frequency", "country"),
            {"predict": (0, 2), "transform": _FROM_ZERO},
        ),
    },
}


@cache
def fitted_on_good(entry: str, variant: str) -> Any:
    """Return a model that has learned from good customers."""
    model = MODELS[entry][variant]
    return model.build().fit(_columns(model, GOOD_CUSTOMERS[-1]))


def _columns(model: Model, customers: Any) -> Any:
    return customers[list(model.columns)]


def check_model_calls(entry: str, variant: str, case: Case) -> None:
    """Fit to the case, and call every verb of this model and of one that is fitted well."""
    model = MODELS[entry][variant]
    fresh = model.build()
    culprits = (type(fresh).__name__, *model.parts, *model.columns)

    def fit() -> Any:
        return fresh.fit(case.given)

    if judged(f"{entry}.fit", fit, given=[case.given], culprits=culprits).answered:
        for name, numbers in learned_numbers(fresh).items():
            check_no_silent_nan(f"{entry}.{name}", numbers)
        _check_verbs(entry, model, fresh, case.given, culprits, must_answer=True)
    _check_verbs(entry, model, fitted_on_good(entry, variant), case.given, culprits)


def _check_verbs(
    entry: str,
    model: Model,
    fitted: Any,
    given: Any,
    culprits: tuple[str, ...],
    *,
    must_answer: bool = False,
) -> None:
    spend = getattr(fitted, "spend_", fitted)
    mean_is_infinite = getattr(spend, "q_", 2.0) <= 1
    for verb, (low, high) in model.verbs.items():
        call = getattr(fitted, verb)
        outcome = judged(
            f"{entry}.{verb}",
            lambda call=call: call(given),
            given=[given],
            culprits=culprits,
        )
        if not outcome.answered:
            assert not must_answer or isinstance(outcome.error, LazyFrameError), outcome.error
            continue
        values = np.asarray(outcome.value)
        assert len(values) == rows_in(given)
        assert not np.isnan(values).any(), f"{entry}.{verb} gives NaN"
        if not mean_is_infinite:
            check_no_silent_nan(f"{entry}.{verb}", values)
        assert (values >= low).all(), f"{entry}.{verb} gives values below {low}"
        assert (values <= high).all(), f"{entry}.{verb} gives values above {high}"
