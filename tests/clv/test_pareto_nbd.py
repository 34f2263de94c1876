"""ParetoNBD: likelihood, P(alive) and expected orders by the formulas of its literature."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import gammaln, hyp2f1

from segkit.clv import ParetoNBD
from segkit.clv._pareto_nbd import ParetoLikelihood
from segkit.clv._purchase_histories import PurchaseHistories

# (r, alpha, s, beta): near the published one, alpha above and below beta, both equal, s at 1.
PARAMETERS = [
    (0.553, 74.0, 0.606, 81.7),
    (0.8, 200.0, 0.4, 15.0),
    (1.7, 30.0, 2.5, 30.0),
    (2.0, 5.0, 1.0, 300.0),
    (0.3, 12.0, 1.0 + 1e-9, 40.0),
]
HISTORIES = np.array(
    # recency_days, order_days, tenure_days
    [[272, 1, 272], [59, 3, 272], [0, 2, 90], [90, 4, 90], [13.5, 11, 200.25], [1, 21, 365]],
    dtype=float,
)
EXTREMES = np.array(
    [
        [0, 5_001, 10_000],
        [10_000, 5_001, 10_000],
        [10_000, 1, 10_000],
        [0, 1, 0],
        [9_999, 2, 10_000],
    ],
    dtype=float,
)


def terms(values):
    recency, order_days, tenure = values.T
    x = order_days - 1
    return x, np.where(x > 0, tenure - recency, 0.0), tenure


def dropped_out(parameters, x, t_x, T):
    """Return s / (r + s + x) times Fader & Hardie's (2005) A_0, in both its cases."""
    r, alpha, s, beta = parameters
    power, larger = r + s + x, max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def part(t):
        z = abs(alpha - beta) / (larger + t)
        return hyp2f1(power, second, power + 1, z) / (larger + t) ** power

    return s / power * (part(t_x) - part(T))


def naive_log_likelihood(parameters, values):
    """Return Fader & Hardie (2005), (18) and (19), with hypergeometric functions."""
    r, alpha, s, beta = parameters
    x, t_x, T = terms(values)
    active = (alpha + T) ** -(r + x) * (beta + T) ** -s
    both = np.log(active + dropped_out(parameters, x, t_x, T))
    return (gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both).sum()


def integrated_log_likelihood(parameters, x, t_x, T):
    """Return the logarithm of Fader & Hardie's (2005) integral over the moment of dropout."""
    r, alpha, s, beta = parameters

    def relative(tau):
        """Return the likelihood of purchases up to tau, as a share of that up to t_x."""
        logs = (r + x) * np.log((alpha + t_x) / (alpha + tau))
        return np.exp(logs + s * np.log((beta + t_x) / (beta + tau)))

    scale = (alpha + t_x) / (r + x + 1)
    edges = [t_x, *(t_x + scale * np.array([1, 3, 10, 30, 100, 1_000])), T]
    pieces = pairwise([min(edge, T) for edge in edges])
    gone = sum(
        quad(lambda tau: s / (beta + tau) * relative(tau), *piece, epsabs=0, limit=200)[0]
        for piece in pieces
        if piece[0] < piece[1]
    )
    known = -(r + x) * np.log(alpha + t_x) - s * np.log(beta + t_x)
    known += gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return known + np.log(relative(T) + gone)


# -- likelihood --------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_the_log_likelihood_is_the_published_one(parameters):
    values = np.concatenate([HISTORIES, HISTORIES[:2]])
    value, gradient, _ = ParetoLikelihood(PurchaseHistories.of(values))(np.array(parameters))
    assert value == pytest.approx(naive_log_likelihood(parameters, values), rel=1e-9)
    steps = approx_fprime(
        np.log(parameters), lambda logs: naive_log_likelihood(np.exp(logs), values), 1e-6
    )
    np.testing.assert_allclose(gradient * parameters, steps, rtol=2e-4, atol=2e-4)


@given(
    logs=st.tuples(st.floats(-2, 1.5), st.floats(0, 3), st.floats(-2, 1.5), st.floats(0, 3)),
    x=st.integers(0, 200),
    T=st.floats(1, 2_000),
    share=st.floats(0, 1),
)
def test_the_log_likelihood_is_that_of_the_integral(logs, x, T, share):
    parameters = np.array([10**log for log in logs])
    t_x = share * T if x else 0.0
    values = np.array([[T - t_x, x + 1, T]])
    value, *_ = ParetoLikelihood(PurchaseHistories.of(values))(parameters)
    expected = integrated_log_likelihood(parameters, x, T - (T - t_x), T)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-7)


@given(
    logs=st.tuples(st.floats(-2, 2), st.floats(-1, 4), st.floats(-2, 2), st.floats(-1, 4)),
)
def test_the_gradient_is_that_of_the_log_likelihood(logs):
    likelihood = ParetoLikelihood(PurchaseHistories.of(np.concatenate([HISTORIES, EXTREMES])))
    logs = np.array(logs) * np.log(10)
    _, gradient, _ = likelihood(np.exp(logs))
    step = 1e-5
    steps = [
        (likelihood(np.exp(logs + one))[0] - likelihood(np.exp(logs - one))[0]) / (2 * step)
        for one in np.eye(4) * step
    ]
    np.testing.assert_allclose(gradient * np.exp(logs), steps, rtol=1e-4, atol=0.05)


# -- P(alive) and expected orders --------------------------------------------------------------


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_p_alive_is_the_published_formula(at, parameters):
    # Fader & Hardie (2005), (36) and (37).
    r, alpha, s, beta = parameters
    x, t_x, T = terms(HISTORIES)
    odds = (alpha + T) ** (r + x) * (beta + T) ** s * dropped_out(parameters, x, t_x, T)
    found = at(ParetoNBD(), parameters).predict_alive(HISTORIES)
    np.testing.assert_allclose(found, 1 / (1 + odds), rtol=1e-6)


def test_who_bought_today_is_active(at):
    model = at(ParetoNBD(), PARAMETERS[0])
    assert model.predict_alive([[0.0, 3.0, 90.0], [0.0, 1.0, 0.0]]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("days", [0.5, 30.0, 3_650.0])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_expected_orders_are_rate_times_days_active(at, parameters, days):
    # Fader & Hardie (2005), (41), before the last integral is solved: of a customer active at T,
    # the chance to be so t days later is ((beta + T) / (beta + T + t))^s.
    r, alpha, s, beta = parameters
    model = at(ParetoNBD(), parameters)
    x, _, T = terms(HISTORIES)
    active = [quad(lambda t, b=beta + one: (b / (b + t)) ** s, 0, days)[0] for one in T]
    expected = (r + x) / (alpha + T) * active * model.predict_alive(HISTORIES)
    np.testing.assert_allclose(model.predict(HISTORIES, horizon_days=days), expected, rtol=1e-8)
    new = r / alpha * quad(lambda t: (beta / (beta + t)) ** s, 0, days)[0]
    assert model.expected_repeat_orders(days) == pytest.approx(new, rel=1e-8)


# -- known answers -----------------------------------------------------------------------------


@pytest.mark.realdata
def test_cdnow_has_the_published_parameters(cdnow):
    # Fader, Hardie & Lee (2005), table 2; time in weeks.
    model = ParetoNBD().fit(cdnow)
    assert model.r_ == pytest.approx(0.553, abs=5e-4)
    assert model.alpha_ / 7 == pytest.approx(10.578, abs=5e-4)
    assert model.s_ == pytest.approx(0.606, abs=5e-4)
    assert model.beta_ / 7 == pytest.approx(11.669, abs=5e-4)
    in_weeks = model.log_likelihood_ + (cdnow["order_days"] - 1).sum() * np.log(7)
    assert in_weeks == pytest.approx(-9595.0, abs=0.05)
    assert model.dropout_identified_
    assert model.converged_
