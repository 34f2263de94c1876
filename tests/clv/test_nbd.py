"""The NBD: against scipy's negative binomial distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import nbinom

from segkit.clv._nbd import fit_nbd, log_rising
from segkit.clv._purchase_histories import PurchaseHistories


def naive(parameters, x, T):
    """Return the likelihood of the moments of x purchases: that of x, by x! / T^x moments."""
    r, alpha = parameters
    count = nbinom.logpmf(x, r, alpha / (alpha + T))
    return (count + gammaln(x + 1) - x * np.log(T)).sum()


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    T = rng.integers(50, 300, n).astype(float)
    x = rng.poisson(rng.gamma(0.8, 1 / 40.0, n) * T)
    return x, T


def test_the_maximum_is_that_of_the_negative_binomial_likelihood():
    x, T = drawn(3_000)
    found = fit_nbd(PurchaseHistories.of(np.column_stack([T * 0, x + 1, T])))
    assert found.log_likelihood == pytest.approx(naive(found.parameters, x, T), rel=1e-12)
    best = minimize(
        lambda logs: -naive(np.exp(logs), x, T),
        np.zeros(2),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2_000},
    )
    np.testing.assert_allclose(found.parameters, np.exp(best.x), rtol=1e-4)
    assert found.log_likelihood >= -best.fun - 1e-6
    assert found.converged
    np.testing.assert_allclose(found.parameters, [0.8, 40], rtol=0.15)


@given(r=st.floats(1e-4, 1e4), x=st.integers(0, 60))
def test_a_ratio_of_gamma_functions_is_a_product(r, x):
    product = np.log(r + np.arange(x)).sum()
    assert log_rising(r, np.array([float(x)]))[0] == pytest.approx(product, rel=1e-9, abs=1e-9)
