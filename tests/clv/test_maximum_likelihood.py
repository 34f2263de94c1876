"""maximize: the optimum and its information, held against textbook results."""

import numpy as np
import pytest
from scipy.special import polygamma
from scipy.stats import gamma, norm

from segkit.clv._maximum_likelihood import maximize

DRAWN = np.random.default_rng(0).gamma(2.5, 3.0, 4_000)
BOUNDS = [(1e-3, 1e3)] * 2


def gamma_likelihood(parameters):
    """Return the log-likelihood of shape and scale of a gamma distribution, and derivatives."""
    shape, scale = parameters
    n, total, logs = DRAWN.size, DRAWN.sum(), np.log(DRAWN).sum()
    value = gamma.logpdf(DRAWN, shape, scale=scale).sum()
    by_shape = logs - n * np.log(scale) - n * polygamma(0, shape)
    by_scale = total / scale**2 - n * shape / scale
    by_scale_twice = n * shape / scale**2 - 2 * total / scale**3
    hessian = [[-n * polygamma(1, shape), -n / scale], [-n / scale, by_scale_twice]]
    return value, np.array([by_shape, by_scale]), np.array(hessian)


@pytest.fixture(scope="module")
def gamma_maximum():
    return maximize(gamma_likelihood, [(1.0, 1.0)], BOUNDS, DRAWN.size)


def test_the_maximum_is_that_of_scipy(gamma_maximum):
    shape, _, scale = gamma.fit(DRAWN, floc=0)
    np.testing.assert_allclose(gamma_maximum.parameters, [shape, scale], rtol=1e-6)
    assert gamma_maximum.log_likelihood == pytest.approx(gamma_likelihood((shape, scale))[0])
    assert gamma_maximum.converged
    assert gamma_maximum.is_inside


def test_standard_errors_are_those_of_the_information_of_a_gamma_distribution(gamma_maximum):
    # Fisher information of shape k and scale s: [[psi'(k), 1/s], [1/s, k/s^2]] per observation.
    shape, scale = gamma_maximum.parameters
    information = [[polygamma(1, shape), 1 / scale], [1 / scale, shape / scale**2]]
    covariance = np.linalg.inv(np.array(information) * DRAWN.size)
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(gamma_maximum.standard_errors, errors, rtol=1e-4)
    correlation = gamma_maximum.correlation(["k", "s"]).loc["k", "s"]
    assert correlation == pytest.approx(covariance[0, 1] / errors.prod(), abs=1e-4)


def test_intervals_are_symmetric_for_the_logarithm(gamma_maximum):
    summary = gamma_maximum.summary(["k", "s"])
    relative = summary["standard_error"] / summary["estimate"]
    half = norm.ppf(0.975) * relative
    np.testing.assert_allclose(np.log(summary["ci_high"] / summary["estimate"]), half)
    np.testing.assert_allclose(np.log(summary["estimate"] / summary["ci_low"]), half)


def visited_starts(likelihood, starts):
    """Return which starts the search came by, and what it found."""
    visited = []

    def recorded(parameters):
        visited.append(parameters.copy())
        return likelihood(parameters)

    found = maximize(recorded, starts, [(1e-4, 1e4)], 1)
    came_by = [any(np.allclose(one, start) for one in visited) for start in starts]
    return came_by, found, len(visited)


def hill(parameters):
    """Rise to a maximum of 0 at 2."""
    return log_square(parameters, 2)


def log_square(parameters, top):
    """Fall with the square of the logarithm's distance from the top."""
    log = np.log(parameters / top)
    return -(log @ log), -2 * log / parameters, np.diag(2 * (log - 1) / parameters**2)


def ridge_and_hill(parameters):
    """Rise to a ridge at 1, where no gradient is 0, and from 10 on to a higher hill at 100."""
    if parameters[0] < 10:
        log = np.log(parameters)
        side = np.where(log >= 0, 1.0, -1.0)
        return -1 - np.abs(log).sum(), -side / parameters, np.diag(side / parameters**2)
    return log_square(parameters, 100)


def test_the_second_start_is_left_alone_where_the_first_converges():
    came_by, found, n_visited = visited_starts(hill, [(1.0,), (30.0,)])
    assert came_by == [True, False]
    assert found.parameters == pytest.approx([2.0])
    assert found.n_evaluations == n_visited


def test_the_second_start_is_tried_where_the_first_does_not_converge():
    came_by, found, n_visited = visited_starts(ridge_and_hill, [(2.0,), (50.0,)])
    assert came_by == [True, True]
    assert found.parameters == pytest.approx([100.0])
    assert found.converged
    assert found.n_evaluations == n_visited


def test_the_best_is_kept_where_no_start_converges():
    _, found, _ = visited_starts(lambda p: ridge_and_hill(p), [(2.0,), (3.0,)])
    assert not found.converged
    assert found.parameters == pytest.approx([1.0], abs=1e-2)


def test_a_likelihood_that_goes_on_rising_ends_on_the_bound():
    def levelling(p):
        return -1 / p[0], 1 / p**2, np.diag(-2 / p**3)

    found = maximize(levelling, [(1.0,)], [(1e-4, 1e4)], 1)
    assert found.highest.tolist() == [True]
    assert not found.is_inside
    assert np.isnan(found.standard_errors).all()
    found = maximize(lambda p: (-p[0], -np.ones(1), np.zeros((1, 1))), [(1.0,)], [(1e-4, 1e4)], 1)
    assert found.lowest.tolist() == [True]


def test_a_maximum_within_a_hundredth_of_a_bound_lies_on_it():
    for end, on in ((2.01, True), (2.1, False)):
        found = maximize(hill, [(1.0,)], [(1e-4, end)], 1)
        assert found.highest.tolist() == [on]
        assert bool(found.is_inside) is not on


def product_likelihood(parameters):
    """Tell a product of two parameters and a third one, and nothing of the two apart."""
    first, second, third = parameters
    log, log_third = np.log(first * second / 6), np.log(third / 5)
    gradient = [-2 * log / first, -2 * log / second, -2 * log_third / third]
    hessian = np.diag(2 * (np.array([log, log, log_third]) - 1) / parameters**2)
    hessian[0, 1] = hessian[1, 0] = -2 / (first * second)
    return -1e3 * (log**2 + log_third**2), 1e3 * np.array(gradient), 1e3 * hessian


def test_parameters_of_which_only_the_product_is_known_have_no_standard_error():
    found = maximize(product_likelihood, [(1.0, 2.0, 1.0)], [(1e-4, 1e4)] * 3, 1_000)
    assert found.converged
    assert found.parameters[0] * found.parameters[1] == pytest.approx(6)
    assert found.flat.tolist() == [True, True, False]
    assert not found.is_inside
    # The second derivative by the third one's logarithm is -2,000.
    expected = [np.nan, np.nan, 5 / np.sqrt(2_000)]
    np.testing.assert_allclose(found.standard_errors, expected, rtol=1e-5)


def test_a_flat_direction_does_not_keep_the_others_from_their_optimum():
    # Along the first logarithm the value rises, hardly and ever; along the second it has a top.
    def nearly_level(parameters):
        value, gradient, hessian = log_square(parameters[1:], 3)
        gradient = np.array([1e-7 / parameters[0], *gradient])
        by_first_twice = -1e-7 / parameters[0] ** 2
        return (
            value + 1e-7 * np.log(parameters[0]),
            gradient,
            np.diag([by_first_twice, *hessian[0]]),
        )

    found = maximize(nearly_level, [(1.0, 3.1)], [(1e-4, 1e4)] * 2, 1)
    assert found.converged
    assert found.parameters[1] == pytest.approx(3, abs=1e-5)
    assert np.isnan(found.standard_errors[0])
    assert found.standard_errors[1] == pytest.approx(3 / np.sqrt(2), rel=1e-4)


def test_a_start_where_the_curvature_is_that_of_a_minimum_leads_to_the_maximum():
    # A normal density: beyond one standard deviation from its top it curves upward.
    def bell(parameters):
        log = np.log(parameters[0])
        value = np.exp(-(log**2) / 2)
        by_log, by_log_twice = -log * value, (log**2 - 1) * value
        by_parameter = by_log / parameters[0]
        twice = (by_log_twice - by_log) / parameters[0] ** 2
        return value, np.array([by_parameter]), np.array([[twice]])

    found = maximize(bell, [(20.0,)], [(1e-4, 1e4)], 1)
    assert found.converged
    assert found.parameters == pytest.approx([1.0])


def test_numbers_that_overflow_on_the_way_give_no_warning():
    def steep(parameters):
        value = np.exp(parameters[0] ** 2)
        slope = 1 - 2 * parameters[0] * value
        curvature = -2 * value - 4 * parameters[0] ** 2 * value
        return -value + parameters[0], np.array([slope]), np.array([[curvature]])

    found = maximize(steep, [(100.0,), (0.1,)], [(1e-4, 1e4)], 1)
    assert np.isfinite(found.log_likelihood)
