"""Repeat buying without dropout: the NBD (Ehrenberg 1959), each customer seen for their own time.

Customers buy as Poisson processes whose rates are gamma distributed over customers. It is what
both models with dropout come down to where nobody drops out, and so what they are measured by.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln, zeta

from segkit.clv._maximum_likelihood import Maximum, maximize
from segkit.clv._purchase_histories import PurchaseHistories

Floats: TypeAlias = NDArray[np.float64]


class PurchaseCounts:
    """How many customers made x repeat purchases, for the part of a likelihood that hangs on r.

    All models share it: Γ(r + x) / Γ(r).
    """

    def __init__(self, histories: PurchaseHistories) -> None:
        self.x, self.place = np.unique(histories.x, return_inverse=True)
        self.weights = np.bincount(self.place, weights=histories.weights)

    def log_rising(self, r: float) -> tuple[float, float, float]:
        """Return the sum of ln Γ(r + x) - ln Γ(r) over customers, and its two derivatives by r."""
        x, weights = self.x, self.weights
        return (
            float(weights @ log_rising(r, x)),
            float(weights @ (digamma(r + x) - digamma(r))),
            float(weights @ (trigamma(r + x) - trigamma(r))),
        )


def log_rising(r: float, x: Floats) -> Floats:
    """Return ln Γ(r + x) - ln Γ(r), which keeps its digits where r is large."""
    with np.errstate(invalid="ignore"):
        rising: Floats = np.where(x > 0, gammaln(x) - betaln(r, x), 0.0)
    return rising


def trigamma(x: Any) -> Any:
    """Return the second derivative of ln Γ(x): Hurwitz's zeta function of 2."""
    return zeta(2.0, x)


def parameter_bounds(histories: PurchaseHistories) -> tuple[tuple[float, float], ...]:
    """Return the ranges of the shape and of the scale (in days) of gamma distributed rates."""
    longest = max(float(histories.T.max()), 1.0)
    return (1e-4, 1e4), (1e-4 * longest, 1e4 * longest)


def fit_nbd(histories: PurchaseHistories) -> Maximum:
    """Fit r and alpha (days)."""
    counts = PurchaseCounts(histories)
    T, place = np.unique(histories.T, return_inverse=True)
    customers = np.bincount(place, weights=histories.weights)
    purchases = np.bincount(place, weights=histories.weights * histories.x)
    n_customers, n_purchases = histories.n_customers, float(purchases.sum())

    def log_likelihood(parameters: Floats) -> tuple[float, Floats, Floats]:
        r, alpha = parameters
        exposed, share = np.log(alpha + T), 1 / (alpha + T)
        rising, rising_by_r, rising_by_r_twice = counts.log_rising(r)
        terms = r * customers + purchases
        value = rising + n_customers * r * np.log(alpha) - terms @ exposed
        by_r = rising_by_r + n_customers * np.log(alpha) - customers @ exposed
        by_alpha = n_customers * r / alpha - terms @ share
        by_both = n_customers / alpha - customers @ share
        by_alpha_twice = terms @ share**2 - n_customers * r / alpha**2
        hessian = np.array([[rising_by_r_twice, by_both], [by_both, by_alpha_twice]])
        return float(value), np.array([by_r, by_alpha]), hessian

    rate = max(n_purchases, 1.0) / max(float(customers @ T), 1.0)
    starts = [(shape, shape / rate) for shape in (0.5, 2.0, 0.1)]
    return maximize(log_likelihood, starts, parameter_bounds(histories), n_customers)
