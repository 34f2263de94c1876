"""The Pareto/NBD model of repeat buying (Schmittlein, Morrison & Colombo 1987).

Fader & Hardie (2005) write the likelihood with two Gaussian hypergeometric functions, which
overflow for frequent buyers and have no simple derivatives by the parameters. Here it stays what
they come from, an integral over the moment of dropout, by Gauss-Legendre quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, exprel, roots_legendre

from segkit._blocks import row_blocks
from segkit.clv._maximum_likelihood import LogLikelihood, symmetric
from segkit.clv._nbd import PurchaseCounts, parameter_bounds
from segkit.clv._purchase_histories import PurchaseHistories
from segkit.clv._purchase_model import PurchaseModel

Floats: TypeAlias = NDArray[np.float64]

# With so many nodes the logarithm of the integral is exact to 2e-9, in most cases to 1e-13.
_NODES, _NODE_WEIGHTS = roots_legendre(24)
# So many histories at a time that what is computed of them stays in the processor's cache.
_ROWS = 1 << 8
# Where the chance of still being active has fallen to e^-42, the rest adds nothing to a float.
_NEGLIGIBLE = 42.0


class ParetoNBD(PurchaseModel):
    r"""Repeat buying with dropout at any time: the Pareto/NBD model.

    While active, a customer buys as a Poisson process with a rate of their own; rates are gamma
    distributed (shape `r_`, scale 1 / `alpha_`). Each stays active for an exponentially
    distributed time, with a dropout rate of their own; these are gamma distributed, too (shape
    `s_`, scale 1 / `beta_`). A customer who bought once may have dropped out.

    Parameters
    ----------
    columns : sequence of str or of int, default=("recency_days", "order_days", "tenure_days")
        The columns that hold days since the last order, days with an order, and days since the
        first order. Integers are positions.
    horizon_days : float, default=365
        Days that ``predict`` looks ahead, unless it is told otherwise.

    Attributes
    ----------
    r_, alpha_ : float
        Shape and inverse scale (in days) of the purchase rates; the mean rate is
        ``r_ / alpha_`` orders a day. In weeks, ``alpha_ / 7``.
    s_, beta_ : float
        The same for the dropout rates.
    log_likelihood_ : float
        Of the customers seen in ``fit``, for time in days. For time in weeks, as publications
        have it, add ln 7 for each repeat purchase.
    nbd_log_likelihood_ : float
        The same of a model in which nobody drops out (NBD).
    dropout_identified_ : bool
        Whether the data tell dropout from slow buying: the log-likelihood is at least 2 above
        that of the NBD, and its maximum neither on the boundary nor on a flat stretch.
    converged_ : bool
        Whether the search ended where the gradient is zero.
    standard_errors_ : Series of shape (4,)
        From the observed information; NaN where the data do not determine a parameter.
    correlation_ : DataFrame of shape (4, 4)
        Correlation of the estimates.
    summary_ : DataFrame of shape (4, 4)
        A row a parameter: ``estimate``, ``standard_error``, ``ci_low``, ``ci_high`` (95 %).
    n_features_in_ : int
        Number of columns used of a frame, or the width of the array seen in ``fit``.
    feature_names_in_ : ndarray of shape (3,), dtype object
        Names of the columns used; only after fitting on a frame.

    Warns
    -----
    NotIdentifiedWarning
        In ``fit``, where the data do not tell dropout from slow buying.
    NotConvergedWarning
        In ``fit``, where the search found no maximum.

    See Also
    --------
    BetaGeoNBD : Dropout only right after a purchase; faster.
    CustomerLifetimeValue : Expected value, with a model of spend.

    Notes
    -----
    An order is a day with an order: several on one day are one purchase occasion. In the words of
    the literature, x = order_days - 1 is the frequency, t_x = tenure_days - recency_days the
    recency and T = tenure_days. The likelihood of a customer (Fader & Hardie 2005, before they
    solve the integral) is

    .. math:: \frac{\Gamma(r+x)}{\Gamma(r)} \alpha^r \beta^s \left[
        \frac{1}{(\alpha+T)^{r+x} (\beta+T)^s} + \int_{t_x}^{T}
        \frac{s\, d\tau}{(\alpha+\tau)^{r+x} (\beta+\tau)^{s+1}} \right]

    where the first term is that of an active customer. Its share of the sum is P(alive).

    References
    ----------
    Schmittlein, D. C., Morrison, D. G. & Colombo, R. (1987). Counting your customers: Who are they
    and what will they do next? *Management Science*, 33(1), 1-24.

    Fader, P. S. & Hardie, B. G. S. (2005). A note on deriving the Pareto/NBD model and related
    expressions. https://www.brucehardie.com/notes/009/

    Examples
    --------
    >>> from segkit import summarize_transactions
    >>> from segkit.clv import ParetoNBD
    >>> from segkit.datasets import make_transactions
    >>> customers = summarize_transactions(make_transactions(2_000, random_state=0))
    >>> model = ParetoNBD().fit(customers)
    >>> model.predict(customers, horizon_days=90)[:3].round(2)
    array([1.79, 1.13, 0.38])
    >>> model.predict_alive(customers)[:3].round(2)
    array([0.95, 0.98, 0.93])
    """

    _parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    _dropout_parameters: ClassVar[tuple[str, ...]] = ("s", "beta")

    r_: float
    alpha_: float
    s_: float
    beta_: float

    def _likelihood(self, histories: PurchaseHistories) -> LogLikelihood:
        return ParetoLikelihood(histories)

    def _bounds(self, histories: PurchaseHistories) -> list[tuple[float, float]]:
        return [*parameter_bounds(histories), *parameter_bounds(histories)]

    def _starts(self, histories: PurchaseHistories, nbd: Floats) -> list[tuple[float, ...]]:
        r, alpha = nbd
        typical = max(float(np.average(histories.T, weights=histories.weights)), 1.0)
        return [
            (r, alpha, shape, scale * typical) for shape, scale in ((0.5, 0.5), (1, 5), (0.1, 0.1))
        ]

    def _alive(self, histories: PurchaseHistories) -> Floats:
        parameters = np.array([self.r_, self.alpha_, self.s_, self.beta_])
        alive = np.empty(len(histories.x))
        for rows in row_blocks(len(histories.x), _ROWS):
            dropout = Dropout.of(histories, rows, parameters)
            alive[rows] = expit(-dropout.log_odds)
        return alive

    def _expected_while_active(
        self, histories: PurchaseHistories, days: Floats, weights: Floats
    ) -> Floats:
        # Fader & Hardie (2005), (41).
        rate = (self.r_ + histories.x) / (self.alpha_ + histories.T)
        active = np.zeros(len(histories.x))
        for day, weight in zip(days, weights, strict=True):
            active += weight * self._active_days(self.beta_ + histories.T, day)
        return rate * active

    def _expected_of_new(self, days: Floats) -> Floats:
        return self.r_ / self.alpha_ * self._active_days(self.beta_, days)

    def _active_days(self, beta: Any, days: Any) -> Floats:
        """Return how many of the next days a customer who is active now stays so, on average.

        It is beta / (s - 1) [1 - (beta / (beta + days))^(s - 1)], without 0 / 0 where s = 1.
        """
        log_growth = np.log1p(days / beta)
        active: Floats = beta * log_growth * exprel((1 - self.s_) * log_growth)
        return active

    def _draw(
        self, rng: np.random.RandomState, tenure: Floats
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
        rate = rng.gamma(self.r_, 1 / self.alpha_, tenure.size)
        dropout_rate = rng.gamma(self.s_, 1 / self.beta_, tenure.size)
        with np.errstate(divide="ignore", over="ignore"):
            lifetime = rng.exponential(size=tenure.size) / dropout_rate
        active = np.minimum(lifetime, tenure)
        x = rng.poisson(rate * active)
        # The latest of x moments in the time of activity.
        t_x = np.where(x > 0, active * rng.beta(np.maximum(x, 1), 1), 0.0)
        return x, t_x, lifetime > tenure


class ParetoLikelihood:
    """Log-likelihood and derivatives of r, alpha, s and beta, over distinct purchase histories."""

    def __init__(self, histories: PurchaseHistories) -> None:
        self._histories = histories
        self._counts = PurchaseCounts(histories)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood and its first and second derivatives.

        A customer's likelihood is a sum over moments of dropout, with the end of the observation,
        for staying, as the last. The first derivative of its logarithm is the mean, over these
        moments, of the derivatives of the logarithms of the terms (the score of each moment); the
        second one is the mean of theirs, plus the covariance of the scores.
        """
        r, alpha, s, beta = parameters
        histories, n = self._histories, self._histories.n_customers
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        value, gradient[0], hessian[0, 0] = self._counts.log_rising(r)
        value += n * (r * np.log(alpha) + s * np.log(beta))
        gradient += n * np.array([np.log(alpha), r / alpha, np.log(beta), s / beta])
        hessian[0, 1], hessian[1, 1] = n / alpha, -n * r / alpha**2
        hessian[2, 3], hessian[3, 3] = n / beta, -n * s / beta**2
        # The power of beta + tau, and what s adds to the score by s: not so at the end.
        power = np.append(np.full(_NODES.size, s + 1), s)
        by_s = np.append(np.full(_NODES.size, 1 / s), 0.0)
        for rows in row_blocks(len(histories.x), _ROWS):
            weights, rate, T = histories.weights[rows], r + histories.x[rows], histories.T[rows]
            dropout = Dropout.of(histories, rows, parameters)
            log_alive = -rate * np.log(alpha + T) - s * np.log(beta + T)
            value += weights @ (log_alive + np.logaddexp(0.0, dropout.log_odds))
            gone = weights * expit(dropout.log_odds)
            chances = np.column_stack([gone[:, None] * dropout.density, weights - gone])
            log_alpha = np.column_stack([dropout.log_alpha, np.log(alpha + T)])
            log_beta = np.column_stack([dropout.log_beta, np.log(beta + T)])
            score_alpha = -rate[:, None] * np.exp(-log_alpha)
            score_beta = -power * np.exp(-log_beta)
            scores = np.stack([-log_alpha, score_alpha, by_s - log_beta, score_beta])
            sums = np.einsum("kij,ij->ki", scores, chances)
            gradient += sums.sum(axis=1)
            flat = scores.reshape(4, -1)
            hessian += (flat * chances.ravel()) @ flat.T - (sums / weights) @ sums.T
            hessian[0, 1] += (sums[1] / rate).sum()
            hessian[1, 1] += np.einsum("ij,ij,i->", chances, score_alpha**2, 1 / rate)
            hessian[2, 2] -= gone.sum() / s**2
            by_power = chances / power
            hessian[2, 3] += np.einsum("ij,ij->", by_power, score_beta)
            hessian[3, 3] += np.einsum("ij,ij->", by_power, score_beta**2)
        return float(value), gradient, symmetric(hessian)


@dataclass(frozen=True)
class Dropout:
    """When customers may have dropped out, if they did, at the nodes of a quadrature.

    Attributes
    ----------
    log_odds : ndarray of shape (n_histories,)
        Logarithm of the odds of having dropped out.
    log_alpha, log_beta : ndarray of shape (n_histories, n_nodes)
        ln(alpha + tau) and ln(beta + tau), for the moments tau of the nodes.
    density : ndarray of shape (n_histories, n_nodes)
        Weights of the nodes; they add up to 1.
    """

    log_odds: Floats
    log_alpha: Floats
    log_beta: Floats
    density: Floats

    @classmethod
    def of(cls, histories: PurchaseHistories, rows: slice, parameters: Floats) -> Dropout:
        """Integrate over the moment of dropout, from the last purchase on.

        The integrand falls as a power, first over about `scale` days. With tau = t_x + scale
        (e^y - 1) it is analytic for all y with an imaginary part between -pi and pi, so that few
        nodes do.
        """
        r, alpha, s, beta = parameters
        x, t_x, T = histories.x[rows], histories.t_x[rows], histories.T[rows]
        alpha_x, beta_x, rate = alpha + t_x, beta + t_x, r + x
        scale = 1 / ((rate + 1) / alpha_x + (s + 1) / beta_x)
        with np.errstate(over="ignore"):
            span = np.minimum(T - t_x, alpha_x * np.expm1(np.minimum(_NEGLIGIBLE / rate, 500)))
        length = np.log1p(span / scale)
        y = length[:, None] * ((_NODES + 1) / 2)
        since = scale[:, None] * np.expm1(y)
        log_alpha, log_beta = np.log1p(since / alpha_x[:, None]), np.log1p(since / beta_x[:, None])
        log_density = y - rate[:, None] * log_alpha - (s + 1) * log_beta
        highest = log_density.max(axis=1, keepdims=True)
        density = np.exp(log_density - highest) * _NODE_WEIGHTS
        total = density.sum(axis=1)
        with np.errstate(divide="ignore"):
            log_odds = (
                np.log(s * scale * length / 2 * total)
                + highest[:, 0]
                + rate * np.log((alpha + T) / alpha_x)
                + s * np.log((beta + T) / beta_x)
                - np.log(beta_x)
            )
        density /= total[:, None]
        log_alpha += np.log(alpha_x)[:, None]
        log_beta += np.log(beta_x)[:, None]
        return cls(log_odds, log_alpha, log_beta, density)
