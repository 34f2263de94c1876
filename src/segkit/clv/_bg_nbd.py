"""The BG/NBD model of repeat buying (Fader, Hardie & Lee 2005)."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, expit, log_expit

from segkit._blocks import row_blocks
from segkit.clv._maximum_likelihood import LogLikelihood, symmetric
from segkit.clv._nbd import PurchaseCounts, parameter_bounds, trigamma
from segkit.clv._purchase_histories import PurchaseHistories
from segkit.clv._purchase_model import PurchaseModel

Floats: TypeAlias = NDArray[np.float64]

# So few rows at a time that what is computed of them stays in the processor's cache.
_ROWS = 1 << 13
# So many time spans at a time, each with about a hundred nodes.
_SPANS = 1 << 10
# Of the integral over the chance of dropout: the distance of its nodes on the scale of logits, also
# in standard deviations, and the exponent below which the rest adds nothing.
_STEP = 0.4
_STEP_DEVIATIONS = 0.5
_NEGLIGIBLE = 28.0


class BetaGeoNBD(PurchaseModel):
    r"""Repeat buying with dropout right after a purchase: the BG/NBD model.

    While active, a customer buys as a Poisson process with a rate of their own; rates are gamma
    distributed (shape `r_`, scale 1 / `alpha_`). After each repeat purchase a customer drops out
    with a probability of their own; these are beta distributed (`a_`, `b_`). So a customer who
    bought once cannot have dropped out: ``predict_alive`` is 1 for them, however long ago it was.

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
    a_, b_ : float
        Parameters of the beta distribution of dropout; the mean probability is
        ``a_ / (a_ + b_)``.
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
    ParetoNBD : Dropout at any time, so that customers who bought once may be gone.
    CustomerLifetimeValue : Expected value, with a model of spend.

    Notes
    -----
    An order is a day with an order: several on one day are one purchase occasion. In the words of
    the literature, x = order_days - 1 is the frequency, t_x = tenure_days - recency_days the
    recency and T = tenure_days.

    Expected orders are the integral from which Fader, Hardie & Lee derive their (10), over the
    customer's chance p to drop out after a purchase:

    .. math:: P(\text{alive}) \int_0^1 \frac{1}{p} \left[ 1 - \left(
        \frac{\alpha + T}{\alpha + T + p t} \right)^{r+x} \right]
        \frac{p^{a-1} (1-p)^{b+x-1}}{B(a,\, b+x)}\, dp

    The hypergeometric function that solves it overflows or loses its digits for some parameters,
    and has no value where a = 1; the trapezoidal rule on the scale of logits does neither.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005). "Counting your customers" the easy way: An
    alternative to the Pareto/NBD model. *Marketing Science*, 24(2), 275-284.

    Examples
    --------
    >>> from segkit import summarize_transactions
    >>> from segkit.clv import BetaGeoNBD
    >>> from segkit.datasets import make_transactions
    >>> customers = summarize_transactions(make_transactions(2_000, random_state=0))
    >>> model = BetaGeoNBD().fit(customers)
    >>> model.predict(customers, horizon_days=90)[:3].round(2)
    array([1.76, 1.07, 0.33])
    >>> model.predict_alive(customers)[:3].round(2)
    array([0.9 , 0.9 , 0.86])
    """

    _parameter_names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _dropout_parameters: ClassVar[tuple[str, ...]] = ("a", "b")

    r_: float
    alpha_: float
    a_: float
    b_: float

    def _likelihood(self, histories: PurchaseHistories) -> LogLikelihood:
        return BetaGeoLikelihood(histories)

    def _bounds(self, histories: PurchaseHistories) -> list[tuple[float, float]]:
        return [*parameter_bounds(histories), (1e-4, 1e4), (1e-4, 1e4)]

    def _starts(self, histories: PurchaseHistories, nbd: Floats) -> list[tuple[float, ...]]:
        r, alpha = nbd
        return [(r, alpha, a, b) for a, b in ((0.5, 2.0), (1.0, 10.0), (0.1, 0.5))]

    def _alive(self, histories: PurchaseHistories) -> Floats:
        x = np.maximum(histories.x, 1.0)
        waited = np.log1p((histories.T - histories.t_x) / (self.alpha_ + histories.t_x))
        log_odds = (self.r_ + x) * waited + np.log(self.a_) - np.log(self.b_ + x - 1)
        alive: Floats = np.where(histories.x > 0, expit(-log_odds), 1.0)
        return alive

    def _expected_while_active(
        self, histories: PurchaseHistories, days: Floats, weights: Floats
    ) -> Floats:
        expected = np.empty(len(histories.x))
        order = np.argsort(histories.x, kind="stable")
        distinct, starts = np.unique(histories.x[order], return_index=True)
        for x, customers in zip(distinct, np.split(order, starts[1:]), strict=False):
            # It hangs on x and T alone, which many histories share.
            T, place = np.unique(histories.T[customers], return_inverse=True)
            orders = np.zeros(T.size)
            for rows in row_blocks(T.size, _SPANS):
                for day, weight in zip(days, weights, strict=True):
                    spans = day / (self.alpha_ + T[rows])
                    orders[rows] += weight * _expected(
                        spans, self.r_ + x, self.a_, self.b_ + x, longest=day / self.alpha_
                    )
            expected[customers] = orders[place]
        return expected

    def _expected_of_new(self, days: Floats) -> Floats:
        spans = np.ravel(days / self.alpha_)
        expected = np.empty(spans.size)
        for rows in row_blocks(spans.size, _SPANS):
            longest = spans.max()
            expected[rows] = _expected(spans[rows], self.r_, self.a_, self.b_, longest=longest)
        shaped: Floats = expected.reshape(np.shape(days))
        return shaped

    def _draw(
        self, rng: np.random.RandomState, tenure: Floats
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
        rate = rng.gamma(self.r_, 1 / self.alpha_, tenure.size)
        dropout = np.maximum(rng.beta(self.a_, self.b_, tenure.size), 1e-15)
        if_active = rng.poisson(rate * tenure)
        until_dropout = rng.geometric(dropout)
        x = np.minimum(if_active, until_dropout)
        # The x-th of as many moments as there would have been purchases.
        share = rng.beta(np.maximum(x, 1), if_active - x + 1)
        return x, np.where(x > 0, tenure * share, 0.0), if_active < until_dropout


def _expected(span: Floats, rate: float, a: float, b: float, *, longest: float) -> Floats:
    """Return the mean of g(p) = [1 - (1 + p span)^-rate] / p, for p beta distributed (a, b).

    In logits, the density of p falls as e^(a y) to the left and as e^(-b y) to the right. Where
    a or b is below 1, that is slow, and g(0) (1 - p) or g(1) p is taken out, whose mean is known.
    The nodes hang on the longest span that may come, so that no customer's value hangs on others.
    """
    slow_left, slow_right = a < 1, b < 1
    left_rate, right_rate = a + slow_left, b + slow_right
    mode = np.log(left_rate / right_rate)
    deviation = np.sqrt(1 / left_rate + 1 / right_rate)
    around = np.sqrt(2 * _NEGLIGIBLE) * deviation
    # Above 1 / (rate span), g falls as 1 / p, so that the product may be level down to there.
    turn = -np.log(max(rate * longest, 1e-300))
    left = max(mode - turn, 0.0) + _NEGLIGIBLE / left_rate
    if a > 1:
        left = min(left, _NEGLIGIBLE / (a - 1))
    right = _NEGLIGIBLE / right_rate
    step = min(_STEP, _STEP_DEVIATIONS * deviation)
    y = np.arange(mode - around - left, mode + around + right + step, step)
    p, log_p, stay, log_stay = expit(y), log_expit(y), expit(-y), log_expit(-y)
    weights = step * np.exp(a * log_p + b * log_stay - betaln(a, b))
    g = np.log1p(span[:, None] * p)
    g *= -rate
    np.expm1(g, out=g)
    expected = np.einsum("ij,j->i", g, -weights / p)
    if slow_left:
        expected += rate * span * (b / (a + b) - weights @ stay)
    if slow_right:
        expected -= np.expm1(-rate * np.log1p(span)) * (a / (a + b) - weights @ p)
    positive: Floats = np.maximum(expected, 0.0)
    return positive


class BetaGeoLikelihood:
    """Log-likelihood and derivatives of r, alpha, a and b, over distinct purchase histories.

    A customer may drop out right after each repeat purchase; with `from_first`, right after the
    first purchase, too (the MBG/NBD model of Batislam, Denizel & Filiztekin 2007).

    Customers who had no chance to drop out count by T alone; for the others, logarithms of times
    are looked up by distinct time and gamma functions by distinct x.
    """

    def __init__(self, histories: PurchaseHistories, *, from_first: bool = False) -> None:
        self._counts = PurchaseCounts(histories)
        self._chances = self._counts.x + from_first
        self._n_customers = histories.n_customers
        may = (histories.x > 0) | from_first
        self._weights = histories.weights[may]
        self._x = histories.x[may]
        self._x_place = self._counts.place[may]
        times = np.concatenate([histories.T, histories.t_x[may]])
        self._times, place = np.unique(times, return_inverse=True)
        by_T, n_times = place[: len(histories.T)], len(self._times)
        self._T, self._t_x = by_T[may], place[len(histories.T) :]
        self._customers = np.bincount(by_T, weights=histories.weights, minlength=n_times)
        self._purchases = np.bincount(
            by_T, weights=histories.weights * histories.x, minlength=n_times
        )

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood and its first and second derivatives."""
        r, alpha, a, b = parameters
        n, chances, n_x = self._n_customers, self._chances, self._counts.weights
        exposed, share = np.log(alpha + self._times), 1 / (alpha + self._times)
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        value, gradient[0], hessian[0, 0] = self._counts.log_rising(r)
        terms = r * self._customers + self._purchases
        value += n * r * np.log(alpha) - terms @ exposed
        gradient[0] += n * np.log(alpha) - self._customers @ exposed
        gradient[1] = n * r / alpha - terms @ share
        hessian[0, 1] = n / alpha - self._customers @ share
        hessian[1, 1] = terms @ share**2 - n * r / alpha**2
        # Having stayed at each of the chances to drop out.
        value += n_x @ (betaln(a, b + chances) - betaln(a, b))
        stays = digamma(a + b) - digamma(a + b + chances)
        gradient[2] = n_x @ stays
        gradient[3] = n_x @ (stays + digamma(b + chances) - digamma(b))
        stays = trigamma(a + b) - trigamma(a + b + chances)
        hessian[2, 2:] = n_x @ stays
        hessian[3, 3] = n_x @ (stays + trigamma(b + chances) - trigamma(b))
        # The odds of having dropped out at the last of them. With g the gradient of their logarithm
        # and p the probability, the second derivatives are p (1 - p) g g' and p times those of g.
        some = chances > 0
        by_b = np.zeros(len(chances))
        by_b[some] = -1 / (b + chances[some] - 1)
        at_once = np.full(len(chances), -np.inf)
        at_once[some] = np.log(-a * by_b[some])
        gone_by_x, spread_by_x, by_r_by_x, by_alpha_by_x = np.zeros((4, len(chances)))
        for rows in row_blocks(len(self._x), _ROWS):
            T, t_x, x_place = self._T[rows], self._t_x[rows], self._x_place[rows]
            weights, rates = self._weights[rows], r + self._x[rows]
            waited = exposed[T] - exposed[t_x]
            nearer = share[T] - share[t_x]
            log_odds = rates * waited + at_once[x_place]
            small = np.exp(-np.abs(log_odds))
            chance = np.where(log_odds > 0, 1.0, small) / (1 + small)
            gone = weights * chance
            spread = gone * (1 - chance)
            by_alpha = rates * nearer
            value += weights @ (np.log1p(small) + np.maximum(log_odds, 0))
            gradient[0] += gone @ waited
            gradient[1] += gone @ by_alpha
            spread_r, spread_alpha = spread * waited, spread * by_alpha
            hessian[0, 0] += spread_r @ waited
            hessian[0, 1] += spread_r @ by_alpha + gone @ nearer
            hessian[1, 1] += spread_alpha @ by_alpha - (gone * by_alpha) @ (share[T] + share[t_x])
            gone_by_x += np.bincount(x_place, gone, len(chances))
            spread_by_x += np.bincount(x_place, spread, len(chances))
            by_r_by_x += np.bincount(x_place, spread_r, len(chances))
            by_alpha_by_x += np.bincount(x_place, spread_alpha, len(chances))
        gradient[2] += gone_by_x.sum() / a
        gradient[3] += gone_by_x @ by_b
        hessian[0, 2:] += by_r_by_x.sum() / a, by_r_by_x @ by_b
        hessian[1, 2:] += by_alpha_by_x.sum() / a, by_alpha_by_x @ by_b
        hessian[2, 2] += (spread_by_x - gone_by_x).sum() / a**2
        hessian[2, 3] += spread_by_x @ by_b / a
        hessian[3, 3] += (spread_by_x + gone_by_x) @ by_b**2
        return float(value), gradient, symmetric(hessian)
