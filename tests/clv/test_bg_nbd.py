"""BetaGeoNBD: likelihood, P(alive) and expected orders by the formulas of its authors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import beta, nbinom

from segkit.clv import BetaGeoNBD
from segkit.clv._bg_nbd import BetaGeoLikelihood, _expected
from segkit.clv._purchase_histories import PurchaseHistories

# (r, alpha, a, b): near the published one, a near and at 1, a + b = 1, and far from everything.
PARAMETERS = [
    (0.243, 30.9, 0.793, 2.426),
    (2.0, 5.0, 1.0, 3.0),
    (0.5, 10.0, 1.0 + 1e-7, 0.4),
    (0.6, 20.0, 0.3, 0.7),
    (30.0, 900.0, 4.0, 60.0),
    (1e-3, 0.5, 20.0, 0.05),
]
HISTORIES = np.array(
    # recency_days, order_days, tenure_days
    [[272, 1, 272], [59, 3, 272], [0, 2, 90], [90, 4, 90], [13.5, 11, 200.25], [1, 40, 365]],
    dtype=float,
)


def terms(values):
    recency, order_days, tenure = values.T
    x = order_days - 1
    return x, np.where(x > 0, tenure - recency, 0.0), tenure


def naive_log_likelihood(parameters, values):
    """Return Fader, Hardie & Lee (2005), (6), as their note on Excel writes it."""
    r, alpha, a, b = parameters
    x, t_x, T = terms(values)
    first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    second = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    third = -(r + x) * np.log(alpha + T)
    some = np.maximum(x, 1)
    fourth = np.log(a) - np.log(b + some - 1) - (r + x) * np.log(alpha + t_x)
    return (first + second + np.logaddexp(third, np.where(x > 0, fourth, -np.inf))).sum()


def naive_log_likelihood_from_first(parameters, values):
    """Return Batislam, Denizel & Filiztekin (2007), (4): x + 1 chances to drop out."""
    r, alpha, a, b = parameters
    x, t_x, T = terms(values)
    alive = betaln(a, b + x + 1) - betaln(a, b) - (r + x) * np.log(alpha + T)
    gone = betaln(a + 1, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return (gammaln(r + x) - gammaln(r) + r * np.log(alpha) + np.logaddexp(alive, gone)).sum()


def hypergeometric_orders(parameters, values, t):
    """Return Fader, Hardie & Lee (2005), (10)."""
    r, alpha, a, b = parameters
    x, t_x, T = terms(values)
    function = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    orders = (a + b + x - 1) / (a - 1)
    orders = orders * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * function)
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    return orders / (1 + np.where(x > 0, odds, 0.0))


def integrated_orders(rate, a, b, span):
    """Return the mean over dropout p of what a customer buys before dropping out."""

    def orders(p):
        return -np.expm1(-rate * np.log1p(p * span)) / p

    # The quantile of p makes the density flat; p itself is 0 where it underflows.
    value, _ = quad(lambda q: orders(max(beta.ppf(q, a, b), 1e-290)), 0, 1, limit=500)
    return value


def summed_orders(rate, a, b, span):
    """Return the sum over n of the chance to buy n times if active, and to stay till then."""
    most = int(nbinom.isf(1e-15, rate, 1 / (1 + span))) + 50
    n = np.arange(1, most)
    stays = np.exp(betaln(a, b + n - 1) - betaln(a, b))
    return nbinom.sf(n - 1, rate, 1 / (1 + span)) @ stays


# -- likelihood --------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize(
    ("from_first", "naive"),
    [(False, naive_log_likelihood), (True, naive_log_likelihood_from_first)],
)
def test_the_log_likelihood_is_the_published_one(parameters, from_first, naive):
    values = np.concatenate([HISTORIES, HISTORIES[:2]])
    likelihood = BetaGeoLikelihood(PurchaseHistories.of(values), from_first=from_first)
    value, gradient, _ = likelihood(np.array(parameters))
    assert value == pytest.approx(naive(parameters, values), rel=1e-11)
    steps = approx_fprime(np.log(parameters), lambda logs: naive(np.exp(logs), values), 1e-6)
    np.testing.assert_allclose(gradient * parameters, steps, rtol=1e-4, atol=1e-4)


def test_the_log_likelihood_of_extreme_customers_is_finite():
    values = np.array(
        [[0, 5_001, 10_000], [10_000, 5_001, 10_000], [10_000, 1, 10_000], [0, 1, 0], [1e6, 2, 1e6]]
    )
    value, gradient, _ = BetaGeoLikelihood(PurchaseHistories.of(values))(np.array(PARAMETERS[0]))
    assert value == pytest.approx(naive_log_likelihood(PARAMETERS[0], values), rel=1e-10)
    assert np.isfinite(gradient).all()


# -- P(alive) and expected orders --------------------------------------------------------------


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_p_alive_is_the_published_formula(at, parameters):
    # Fader, Hardie & Lee (2008), "Computing P(alive) using the BG/NBD model".
    r, alpha, a, b = parameters
    x, t_x, T = terms(HISTORIES)
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    expected = np.where(x > 0, 1 / (1 + odds), 1.0)
    found = at(BetaGeoNBD(), parameters).predict_alive(HISTORIES)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_who_bought_once_counts_as_active_however_long_ago(at):
    model = at(BetaGeoNBD(), PARAMETERS[0])
    assert model.predict_alive([[10_000.0, 1.0, 10_000.0]]).tolist() == [1.0]


@pytest.mark.parametrize("days", [1.0, 30.0, 273.0])
@pytest.mark.parametrize("parameters", [PARAMETERS[0], (0.243, 30.9, 1.9, 2.4), PARAMETERS[4]])
def test_expected_orders_are_formula_10_where_that_can_be_computed(at, parameters, days):
    found = at(BetaGeoNBD(), parameters).predict(HISTORIES, horizon_days=days)
    expected = hypergeometric_orders(parameters, HISTORIES, days)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("days", [0.5, 365.0, 3_650.0])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_expected_orders_are_the_integral_over_dropout(at, parameters, days):
    r, alpha, a, b = parameters
    model = at(BetaGeoNBD(), parameters)
    x, _, T = terms(HISTORIES)
    expected = [
        integrated_orders(r + one, a, b + one, days / (alpha + tenure))
        for one, tenure in zip(x, T, strict=True)
    ]
    found = model.predict(HISTORIES, horizon_days=days) / model.predict_alive(HISTORIES)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


wide = st.floats(-3, 4).map(lambda exponent: 10**exponent)


@given(
    r=wide,
    a=st.floats(-4, 4).map(lambda exponent: 10**exponent),
    b=wide,
    x=st.integers(0, 20) | st.sampled_from([100, 5_000]),
    span=st.floats(-3, 2).map(lambda exponent: 10**exponent),
)
def test_expected_orders_are_the_sum_over_orders_for_all_parameters(r, a, b, x, span):
    found = _expected(np.array([span]), r + x, a, b + x, longest=span)[0]
    assert found == pytest.approx(summed_orders(r + x, a, b + x, span), rel=1e-7)


def test_parameters_for_which_the_hypergeometric_function_fails_give_finite_orders(at):
    # By (10), -inf: scipy's hyp2f1 overflows although all terms are moderate.
    parameters = (1.647, 0.1563, 1.0893, 174.257)
    model = at(BetaGeoNBD(), parameters)
    found = model.predict([[0.0, 2.0, 0.0]], horizon_days=705.3)
    rate, alive = parameters[0] + 1, model.predict_alive([[0.0, 2.0, 0.0]])[0]
    expected = summed_orders(rate, parameters[2], parameters[3] + 1, 705.3 / parameters[1])
    assert found[0] == pytest.approx(expected * alive, rel=1e-8)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_new_customer_is_expected_to_buy_as_one_seen_for_no_time(at, parameters):
    model = at(BetaGeoNBD(), parameters)
    days = [[0.0, 1.0], [30.0, 365.0]]
    found = model.expected_repeat_orders(days)
    for row, expected in zip(days, found, strict=True):
        for day, orders in zip(row, expected, strict=True):
            alone = model.predict([[0.0, 1.0, 0.0]], horizon_days=day)[0]
            assert orders == pytest.approx(alone, rel=1e-9)
    assert model.expected_repeat_orders(365.0).shape == ()


# -- known answers -----------------------------------------------------------------------------


@pytest.mark.realdata
def test_cdnow_has_the_published_parameters(cdnow):
    # Fader, Hardie & Lee (2005), table 2; time in weeks.
    model = BetaGeoNBD().fit(cdnow)
    assert model.r_ == pytest.approx(0.243, abs=5e-4)
    assert model.alpha_ / 7 == pytest.approx(4.414, abs=5e-4)
    assert model.a_ == pytest.approx(0.793, abs=5e-4)
    assert model.b_ == pytest.approx(2.426, abs=5e-4)
    in_weeks = model.log_likelihood_ + (cdnow["order_days"] - 1).sum() * np.log(7)
    assert in_weeks == pytest.approx(-9582.4, abs=0.05)
    assert model.dropout_identified_
    assert model.converged_


@pytest.mark.realdata
def test_cdnow_has_the_standard_errors_of_another_implementation(cdnow):
    # lifetimes 0.11, Quickstart, bgf.summary (its own optimum differs in the fifth digit).
    errors = BetaGeoNBD().fit(cdnow).standard_errors_ / [1, 7, 1, 1]
    np.testing.assert_allclose(errors, [0.012557, 0.378221, 0.185719, 0.705345], rtol=3e-4)


@pytest.mark.realdata
def test_a_customer_of_cdnow_is_expected_to_buy_as_published(cdnow):
    # Fader, Hardie & Lee (2005), "implementing the BG/NBD model in Excel": x = 2, t_x = 30.43,
    # T = 38.86; 1.226 orders in the next 39 weeks.
    model = BetaGeoNBD().fit(cdnow)
    customer = cdnow.iloc[[0]]
    assert customer[["recency_days", "order_days", "tenure_days"]].to_numpy().tolist() == [
        [59, 3, 272]
    ]
    assert model.predict(customer, horizon_days=273)[0] == pytest.approx(1.226, abs=5e-4)
