"""Maximum likelihood of positive parameters: the optimum, and how well the data determine it.

The search takes Newton steps on the logarithms of the parameters, damped where a plain one leads
astray (Levenberg 1944, Marquardt 1963), with analytic first and second derivatives. Minus the
second derivative at the optimum is the observed information; its inverse is the covariance of the
estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

Floats: TypeAlias = NDArray[np.float64]
#: Log-likelihood, gradient and second derivatives, given the parameters.
LogLikelihood: TypeAlias = Callable[[Floats], tuple[float, Floats, Floats]]

# Gradients per customer, with respect to the logarithm of a parameter: where the search ends, and
# where its end is taken for an optimum.
_SEARCH_TOLERANCE = 1e-8
_TOLERANCE = 1e-6
_MOST_STEPS = 200
# Of the logarithms: a factor of e^2 at a time.
_LONGEST_STEP = 2.0
# What is added to the curvature, tenfold at a time, until a step leads higher.
_LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e8
# Share of the value that is lost in rounding.
_ROUNDING = 1e-14
_NORMAL_QUANTILE = float(norm.ppf(0.975))
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
            factor = np.exp(_NORMAL_QUANTILE * errors / self.parameters)
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
    n_evaluations = 0

    def at(logs: Floats) -> _Point:
        nonlocal n_evaluations
        n_evaluations += 1
        parameters = np.exp(logs)
        value, gradient, hessian = log_likelihood(parameters)
        slope = gradient * parameters
        curvature = -hessian * np.outer(parameters, parameters) - np.diag(slope)
        return _Point(logs, value / n_customers, slope / n_customers, curvature / n_customers)

    best: _Point | None = None
    # Where the search probes, numbers may overflow.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for start in starts:
            found = _climb(at, np.clip(np.log(start), low, high), low, high)
            if best is None or found.value > best.value:
                best = found
            if found.is_top(low, high, _TOLERANCE):
                break
        assert best is not None
        return _maximum(best, low, high, n_customers, n_evaluations)


@dataclass(frozen=True)
class _Point:
    """A point on the scale of logarithms: the value there, per customer, and its derivatives.

    `curvature` is minus the second derivative.
    """

    logs: Floats
    value: float
    slope: Floats
    curvature: Floats

    @property
    def is_finite(self) -> bool:
        return bool(
            np.isfinite(self.value)
            and np.isfinite(self.slope).all()
            and np.isfinite(self.curvature).all()
        )

    def free(self, low: Floats, high: Floats) -> NDArray[np.bool_]:
        """Return which parameters are not held by a bound that the value rises toward."""
        held: NDArray[np.bool_] = ((self.logs <= low) & (self.slope < 0)) | (
            (self.logs >= high) & (self.slope > 0)
        )
        return ~held

    def is_top(self, low: Floats, high: Floats, tolerance: float) -> bool:
        """Tell whether the value rises in no direction that is open."""
        rising = np.abs(self.slope[self.free(low, high)])
        return bool(rising.max(initial=0.0) < tolerance)


def _climb(at: Callable[[Floats], _Point], start: Floats, low: Floats, high: Floats) -> _Point:
    """Climb by damped Newton steps until the gradient vanishes or no step leads higher.

    Where the curvature has another sign than at a maximum, its size is taken, so that the step
    still leads upward.
    """
    point, damping = at(start), 0.0
    for _ in range(_MOST_STEPS):
        if not point.is_finite or point.is_top(low, high, _SEARCH_TOLERANCE):
            return point
        free = point.free(low, high)
        values, vectors = np.linalg.eigh(point.curvature[np.ix_(free, free)])
        slope = vectors.T @ point.slope[free]
        while True:
            step = np.zeros(start.size)
            step[free] = vectors @ (slope / np.maximum(np.abs(values) + damping, 1e-12))
            step *= min(1.0, _LONGEST_STEP / np.abs(step).max())
            further = at(np.clip(point.logs + step, low, high))
            if further.is_finite and further.value >= point.value - _ROUNDING * abs(point.value):
                point, damping = further, damping / 10 if damping > _LEAST_DAMPING else 0.0
                break
            damping = max(10 * damping, _LEAST_DAMPING)
            if damping > _MOST_DAMPING:
                return point
    return point


def _maximum(
    point: _Point, low: Floats, high: Floats, n_customers: float, n_evaluations: int
) -> Maximum:
    parameters = np.exp(point.logs)
    lowest, highest = np.abs(point.logs - low) < _NEAR, np.abs(point.logs - high) < _NEAR
    on_bound = lowest | highest
    covariance = np.full(point.curvature.shape, np.nan)
    flat = np.zeros(parameters.size, dtype=bool)
    if point.is_finite:
        # With those on a bound: others may be tied to them, as two that go to infinity together.
        values, vectors = np.linalg.eigh(point.curvature * n_customers)
        known = values > _LEAST_INFORMATION
        flat = (np.abs(vectors[:, ~known]) > _PART).any(axis=1)
        covariance = (vectors[:, known] / values[known]) @ vectors[:, known].T
        covariance[flat | on_bound] = covariance[:, flat | on_bound] = np.nan
    return Maximum(
        parameters=parameters,
        log_likelihood=point.value * n_customers,
        covariance=covariance * np.outer(parameters, parameters),
        lowest=lowest,
        highest=highest,
        flat=flat & ~on_bound,
        converged=point.is_finite and point.is_top(low, high, _TOLERANCE),
        n_evaluations=n_evaluations,
    )


def symmetric(matrix: Floats) -> Floats:
    """Return a symmetric matrix, given its upper half; the lower one is not looked at."""
    return np.triu(matrix) + np.triu(matrix, 1).T
