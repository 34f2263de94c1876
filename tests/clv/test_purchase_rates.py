"""fit_purchase_rates: how often customers buy while they are active."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from segkit.clv._nbd import fit_nbd
from segkit.clv._purchase_histories import PurchaseHistories
from segkit.clv._purchase_rates import fit_purchase_rates


def drawn(n, r, alpha, a, b, seed=0):
    """Draw customers who may drop out right after any order, the first included."""
    rng = np.random.default_rng(seed)
    rows = []
    for rate, dropout, T in zip(
        rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.uniform(100, 400, n), strict=True
    ):
        x, t_x = 0, 0.0
        while rng.random() >= dropout:
            t = t_x + rng.exponential() / rate
            if t > T:
                break
            x, t_x = x + 1, t
        rows.append([T - t_x, x + 1, T])
    return np.array(rows)


def naive(parameters, values):
    """Return minus the log-likelihood of Batislam, Denizel & Filiztekin (2007)."""
    r, alpha, a, b = np.exp(parameters)
    x, t_x, T = values[:, 1] - 1, values[:, 2] - values[:, 0], values[:, 2]
    alive = betaln(a, b + x + 1) - (r + x) * np.log(alpha + T)
    gone = betaln(a + 1, b + x) - (r + x) * np.log(alpha + t_x)
    logs = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    return -(logs + np.logaddexp(alive, gone)).sum()


@pytest.fixture(scope="module")
def values():
    return drawn(3_000, 0.9, 20.0, 0.8, 3.0)


def test_the_rates_are_those_of_the_best_likelihood(values):
    found = fit_purchase_rates(values)
    best = minimize(
        naive,
        np.log([1.0, 10, 1, 1]),
        args=(values,),
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-6, "maxiter": 5_000, "maxfev": 5_000},
    )
    np.testing.assert_allclose(found[:2], np.exp(best.x[:2]), rtol=1e-2)
    assert found.is_known


def test_the_rates_of_drawn_customers_are_found_where_the_nbd_takes_the_gone_for_slow(values):
    found = fit_purchase_rates(values)
    assert found.r / found.alpha == pytest.approx(0.9 / 20, rel=0.1)
    r, alpha = fit_nbd(PurchaseHistories.of(values)).parameters
    assert r / alpha < 0.6 * 0.9 / 20


@pytest.mark.realdata
def test_on_cdnow_the_rate_of_the_nbd_is_a_third_of_this_one(cdnow):
    values = cdnow[["recency_days", "order_days", "tenure_days"]].to_numpy(dtype=float)
    found = fit_purchase_rates(values)
    r, alpha = fit_nbd(PurchaseHistories.of(values)).parameters
    assert (r / alpha) / (found.r / found.alpha) == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize(
    "rows", [np.empty((0, 3)), [[5, 1, 5], [90, 1, 90]], [[0, 1, 0]]], ids=["none", "once", "today"]
)
def test_of_customers_who_never_bought_again_no_rate_is_known(rows):
    found = fit_purchase_rates(np.array(rows, dtype=float))
    assert not found.is_known
    # Nearly none: of a thousand customers, not one order in ten years.
    assert found.r / found.alpha * 3_650 * 1_000 < 1e-1
    assert np.isfinite(found[:2]).all()
