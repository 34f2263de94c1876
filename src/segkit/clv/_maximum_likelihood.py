"""Maximum likelihood of positive parameters: the optimum, and how well the data determine it.

The search runs over the logarithms of the parameters with analytic gradients (L-BFGS-B, Byrd, Lu,
Nocedal & Zhu 1995), and ends with Newton steps. The observed information is the second derivative
of the log-likelihood, by differences of the gradient; its inverse is the covariance of the
estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm
from threadpoolctl import ThreadpoolController

Floats: TypeAlias = NDArray[np.float64]
#: Log-likelihood and its gradient, given the parameters.
LogLikelihood: TypeAlias = Callable[[Floats], tuple[float, Floats]]

# Gradients per customer, with respect to the logarithm of a parameter: where the search ends, and
# where its end is taken for an optimum.
_SEARCH_TOLERANCE = 1e-5
_TOLERANCE = 1e-6
_MOST_ITERATIONS = 500
_MOST_NEWTON_ROUNDS = 4
_MOST_NEWTON_STEPS = 5
_LARGEST_NEWTON_STEP = 0.5
# Less curvature than this share of the largest does not lengthen a Newton step.
_LEAST_CURVATURE = 1e-4
# Of the logarithm, for second derivatives.
_STEP = 1e-4
# A parameter this near to a bound, on the scale of logarithms, lies on it.
_NEAR = 0.01
# Information of all customers on a direction: less leaves a standard error of a factor of e^10,
# which is nothing. Parameters with such a part in the direction are not determined.
_LEAST_INFORMATION = 0.01
_PART = 0.1


@dataclass(frozen=True)
class Maximum:
    """Where the log-likelihood is highest.

    `lowest` and `highest` say which parameters lie on the bounds of the search: there, the
    likelihood has no maximum but goes on rising. `flat` says along which others it hardly changes.
    """

    parameters: Floats
    log_likelihood: float
    covariance: Floats
    lowest: NDArray[np.bool_]
    highest: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    converged: bool
    n_evaluations: int

    @property
    def is_inside(self) -> bool:
        """Whether the maximum is a point: no parameter on a bound, and none undetermined."""
        return not (self.lowest.any() or self.highest.any() or self.flat.any())

    @property
    def standard_errors(self) -> Floats:
        """Standard errors of the parameters; NaN where the data do not determine them."""
        return np.sqrt(np.diag(self.covariance))

    def summary(self, names: Sequence[str]) -> pd.DataFrame:
        """Return a row a parameter: estimate, standard error and 95 % interval.

        The intervals are symmetric for the logarithm, so that they hold positive numbers only.
        """
        errors = self.standard_errors
        with np.errstate(over="ignore"):
            factor = np.exp(norm.ppf(0.975) * errors / self.parameters)
            return pd.DataFrame(
                {
                    "estimate": self.parameters,
                    "standard_error": errors,
                    "ci_low": self.parameters / factor,
                    "ci_high": self.parameters * factor,
                },
                index=pd.Index(names, name="parameter"),
            )

    def correlation(self, names: Sequence[str]) -> pd.DataFrame:
        """Return the correlations of the estimates."""
        errors = self.standard_errors
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            correlation = self.covariance / np.outer(errors, errors)
        return pd.DataFrame(correlation, index=list(names), columns=list(names))


def maximize(
    log_likelihood: LogLikelihood,
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    n_customers: float,
) -> Maximum:
    """Maximize a log-likelihood, from further starts only where the first does not converge."""
    low, high = np.log(np.array(bounds)).T
    best: Maximum | None = None
    n_evaluations = 0

    def loss(logs: Floats) -> tuple[float, Floats]:
        nonlocal n_evaluations
        n_evaluations += 1
        parameters = np.exp(logs)
        value, gradient = log_likelihood(parameters)
        return -value / n_customers, -gradient * parameters / n_customers

    for start in starts:
        begin = np.clip(np.log(start), low + _NEAR, high - _NEAR)
        # Threads wait for each other longer than these small products take; and where the search
        # probes, numbers may overflow.
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        with _threadpools().limit(limits=1), quiet:
            logs, slope = _search(loss, begin, low, high)
            logs, slope, curvature = _newton(loss, logs, slope, low, high)
            found = _maximum(loss, logs, slope, curvature, low, high, n_customers)
        if best is None or found.log_likelihood > best.log_likelihood:
            best = found
        if found.converged:
            break
    assert best is not None
    return replace(best, n_evaluations=n_evaluations)


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()


def _search(
    loss: Callable[[Floats], tuple[float, Floats]], begin: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    found = minimize(
        loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={
            "maxiter": _MOST_ITERATIONS,
            "maxfun": 2 * _MOST_ITERATIONS,
            "ftol": 1e-13,
            "gtol": _SEARCH_TOLERANCE,
            "maxcor": 20,
        },
    )
    return found.x, loss(found.x)[1]


def _curvature(loss: Callable[[Floats], tuple[float, Floats]], logs: Floats) -> Floats:
    """Return the second derivatives by the logarithms, by central differences of the gradient."""
    steps = np.eye(logs.size) * _STEP
    rows = [(loss(logs + step)[1] - loss(logs - step)[1]) / (2 * _STEP) for step in steps]
    return (np.array(rows) + np.array(rows).T) / 2


def _newton(
    loss: Callable[[Floats], tuple[float, Floats]],
    logs: Floats,
    slope: Floats,
    low: Floats,
    high: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Take Newton steps from near the optimum, as long as they make the gradient smaller.

    Returns the curvature at their end beside the point and its gradient.
    """
    curvature = _curvature(loss, logs)
    free = ~(_on(logs, low) | _on(logs, high))
    if not free.any() or not np.isfinite(curvature).all():
        return logs, slope, curvature
    for _ in range(_MOST_NEWTON_ROUNDS):
        begin, values, vectors = logs, *np.linalg.eigh(curvature[np.ix_(free, free)])
        # Where the likelihood is flat, the plain step is long and leads nowhere.
        values = np.maximum(values, _LEAST_CURVATURE * max(values.max(), 1e-300))
        for _ in range(_MOST_NEWTON_STEPS):
            step = np.zeros(logs.size)
            step[free] = vectors @ ((vectors.T @ slope[free]) / values)
            if not np.abs(step).max() < _LARGEST_NEWTON_STEP or not np.abs(slope[free]).max() > 0:
                break
            further = np.clip(logs - step, low, high)
            slope_further = loss(further)[1]
            if not np.abs(slope_further[free]).max() < np.abs(slope[free]).max():
                break
            logs, slope = further, slope_further
        if logs is begin:
            break
        curvature = _curvature(loss, logs)
        if np.abs(slope[free]).max() < _TOLERANCE:
            break
    return logs, slope, curvature


def _maximum(
    loss: Callable[[Floats], tuple[float, Floats]],
    logs: Floats,
    slope: Floats,
    curvature: Floats,
    low: Floats,
    high: Floats,
    n_customers: float,
) -> Maximum:
    parameters = np.exp(logs)
    lowest, highest = _on(logs, low), _on(logs, high)
    free = ~(lowest | highest)
    covariance = np.full(curvature.shape, np.nan)
    flat = np.zeros(logs.size, dtype=bool)
    if free.any() and np.isfinite(curvature).all():
        values, vectors = np.linalg.eigh(curvature[np.ix_(free, free)] * n_customers)
        known = values > _LEAST_INFORMATION
        flat[free] = (np.abs(vectors[:, ~known]) > _PART).any(axis=1)
        inverse = (vectors[:, known] / values[known]) @ vectors[:, known].T
        covariance[np.ix_(free, free)] = inverse
        covariance[flat] = covariance[:, flat] = np.nan
    return Maximum(
        parameters=parameters,
        log_likelihood=-loss(logs)[0] * n_customers,
        covariance=covariance * np.outer(parameters, parameters),
        lowest=lowest,
        highest=highest,
        flat=flat,
        converged=bool(np.abs(slope[free]).max(initial=0.0) < _TOLERANCE),
        n_evaluations=0,
    )


def _on(logs: Floats, bound: Floats) -> NDArray[np.bool_]:
    on: NDArray[np.bool_] = np.abs(logs - bound) < _NEAR
    return on
