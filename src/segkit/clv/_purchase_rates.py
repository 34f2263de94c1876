"""How often customers buy while they are active, without a word on who still is.

The rates of the MBG/NBD model (Batislam, Denizel & Filiztekin 2007), in which customers may drop
out right after any order, the first included. The NBD, in which nobody drops out, takes those who
left for slow: on CDNOW its mean rate is a third of this one's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segkit.clv._bg_nbd import BetaGeoLikelihood
from segkit.clv._maximum_likelihood import maximize
from segkit.clv._nbd import fit_nbd, parameter_bounds
from segkit.clv._purchase_histories import PurchaseHistories

_STARTS = ((0.5, 2.0), (1.0, 10.0), (0.1, 0.5))


class PurchaseRates(NamedTuple):
    """Gamma distributed rates of orders: shape `r`, inverse scale `alpha` in days."""

    r: float
    alpha: float
    #: Whether any customer has bought again, without which nothing is known of rates.
    is_known: bool


def fit_purchase_rates(
    values: NDArray[np.float64], counts: NDArray[np.int64] | None = None
) -> PurchaseRates:
    """Fit to rows of recency_days, order_days (at least 1) and tenure_days.

    `counts` has the number of customers of each row; None: one.
    """
    if not len(values) or not (values[:, 1] > 1).any():
        longest = max(float(values[:, 2].max(initial=0.0)), 1.0)
        return PurchaseRates(r=1e-4, alpha=1e4 * longest, is_known=False)
    histories = PurchaseHistories.of(values, counts)
    nbd = fit_nbd(histories)
    r, alpha = nbd.parameters
    rates = parameter_bounds(histories)
    found = maximize(
        BetaGeoLikelihood(histories, from_first=True),
        [(r, alpha, a, b) for a, b in _STARTS],
        [*rates, (1e-4, 1e4), (1e-4, 1e4)],
        histories.n_customers,
    )
    if found.log_likelihood > nbd.log_likelihood:
        r, alpha = found.parameters[:2]
    return PurchaseRates(float(r), float(alpha), is_known=True)
