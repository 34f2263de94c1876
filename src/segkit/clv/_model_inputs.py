"""What is passed to the models: columns, horizons, numbers of customers to draw; and its checks."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from segkit._warn import warn
from segkit.base._customers import Customers
from segkit.clv._maximum_likelihood import Maximum
from segkit.clv._purchase_histories import MOST_DAYS
from segkit.exceptions import (
    ColumnError,
    NotConvergedWarning,
    SegkitTypeError,
    SegkitValueError,
)

Floats: TypeAlias = NDArray[np.float64]


def model_input(model: Any, values: Floats) -> Any:
    """Return columns in the form in which a model, perhaps a fitted one, was given them."""
    names = getattr(model, "feature_names_in_", None)
    return values if names is None else pd.DataFrame(values, columns=list(names))


def warn_not_converged(model: BaseEstimator, found: Maximum) -> None:
    """Warn that a search ended elsewhere than at a maximum."""
    warn(
        f"{type(model).__name__}: the search for the maximum of the likelihood did not converge in "
        f"{found.n_evaluations} evaluations; the parameters are its best. Look at summary_, and "
        "whether the columns are what the model expects.",
        NotConvergedWarning,
    )


def check_number_of_columns(model: Any, customers: Customers) -> None:
    """Raise unless the parameter `columns` names as many columns as the model takes."""
    expected = model._min_columns
    if len(customers.columns) != expected:
        raise ColumnError(
            f"{type(model).__name__}: columns must name {expected} columns, got "
            f"{len(customers.columns)}: {list(customers.columns)}."
        )


def check_shape(model: Any, name: str, values: NDArray[Any], n_customers: int) -> None:
    """Raise unless there is one value, or one for each customer to draw."""
    if values.shape not in ((), (n_customers,)):
        raise SegkitValueError(
            f"{type(model).__name__}: {name} must be one number, or one for each of the "
            f"{n_customers:,} customers, got an array of shape {values.shape}."
        )


def checked_horizon(model: Any, horizon_days: float | None) -> float:
    """Return the days to look ahead: as given, or the model's own."""
    days = model.horizon_days if horizon_days is None else horizon_days
    owner = type(model).__name__
    if isinstance(days, bool) or not isinstance(days, int | float | np.integer | np.floating):
        raise SegkitTypeError(
            f"{owner}: horizon_days must be a number of days, got {type(days).__name__}."
        )
    if not 0 <= days <= MOST_DAYS:
        raise SegkitValueError(
            f"{owner}: horizon_days must be a finite number of days from 0 to {MOST_DAYS:,}, got "
            f"{days}."
        )
    return float(days)


def checked_count(model: Any, n_customers: int) -> int:
    """Return a number of customers to draw."""
    owner = type(model).__name__
    if isinstance(n_customers, bool) or not isinstance(n_customers, int | np.integer):
        raise SegkitTypeError(
            f"{owner}: n_customers must be an integer, got {type(n_customers).__name__}."
        )
    if n_customers < 1:
        raise SegkitValueError(f"{owner}: n_customers must be at least 1, got {n_customers}.")
    return int(n_customers)


def numbers_of(values: ArrayLike) -> Floats | None:
    """Return finite numbers as an array of floats; None where they are anything else."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return numbers if np.isfinite(numbers).all() else None
