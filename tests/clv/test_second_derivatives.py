"""Second derivatives of the likelihoods: the differences of their gradients."""

import numpy as np
import pytest

from segkit.clv._bg_nbd import BetaGeoLikelihood
from segkit.clv._gamma_gamma import SpendLikelihood
from segkit.clv._pareto_nbd import ParetoLikelihood
from segkit.clv._purchase_histories import PurchaseHistories

# Recency, order days, tenure; with the end of a block of rows among the many, and extremes.
RNG = np.random.default_rng(0)
TENURE = RNG.integers(1, 400, 9_000)
SILENT = np.floor(TENURE * RNG.uniform(size=9_000))
ORDERS = np.where(SILENT == TENURE, 1, RNG.geometric(0.3, 9_000) + 1)
HISTORIES = PurchaseHistories.of(
    np.concatenate(
        [
            np.column_stack([SILENT, ORDERS, TENURE]),
            [[0, 1, 0], [0, 5_001, 10_000], [9_000, 1, 9_000], [0, 40, 365]],
        ]
    )
)
SPEND = ORDERS[ORDERS > 1] - 1.0, RNG.gamma(2.0, 20.0, (ORDERS > 1).sum())

LIKELIHOODS = {
    "BG/NBD": (BetaGeoLikelihood(HISTORIES), (0.3, 40.0, 0.7, 2.5)),
    "MBG/NBD": (BetaGeoLikelihood(HISTORIES, from_first=True), (0.6, 50.0, 0.8, 1.2)),
    "Pareto/NBD": (ParetoLikelihood(HISTORIES), (0.6, 70.0, 0.6, 80.0)),
    "Pareto/NBD, beta below alpha": (ParetoLikelihood(HISTORIES), (1.4, 90.0, 2.0, 3.0)),
    "Gamma-Gamma": (SpendLikelihood(*SPEND), (6.25, 3.74, 15.44)),
}


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_second_derivatives_are_differences_of_gradients(name):
    likelihood, parameters = LIKELIHOODS[name]
    parameters = np.array(parameters)
    _, _, hessian = likelihood(parameters)
    rows = []
    for step in np.diag(1e-5 * parameters):
        above, below = likelihood(parameters + step)[1], likelihood(parameters - step)[1]
        rows.append((above - below) / (2 * step.sum()))
    scale = np.sqrt(np.outer(np.abs(np.diag(hessian)), np.abs(np.diag(hessian))))
    np.testing.assert_allclose(hessian / scale, np.array(rows) / scale, atol=2e-7)
    np.testing.assert_array_equal(hessian, hessian.T)
