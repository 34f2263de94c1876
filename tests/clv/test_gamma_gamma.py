"""GammaGamma: likelihood and expected values by the formulas of its authors."""

import pickle
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import gammaln
from scipy.stats import gamma, pearsonr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from frames import as_kind
from segkit.clv import GammaGamma
from segkit.clv._gamma_gamma import SpendLikelihood
from segkit.exceptions import (
    ColumnError,
    CorrelatedSpendWarning,
    LazyFrameError,
    MissingValuesError,
    NotIdentifiedWarning,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.testing._scikit_learn_checks import _is_for_width

COLUMNS = ["order_days", "monetary", "first_day_amount"]
PUBLISHED = (6.25, 3.74, 15.44)
# Checks of scikit-learn whose random data hold no customer with spend on a repeat order.
NO_REPEATS = {"check_fit_score_takes_y", "check_dtype_object", "check_estimators_nan_inf"}

positive = st.floats(-1, 2).map(lambda exponent: 10**exponent)


def naive_log_likelihood(parameters, x, mean):
    """Return Fader & Hardie (2013), (1a)."""
    p, q, v = parameters
    return (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(v)
        + (p * x - 1) * np.log(mean)
        + p * x * np.log(x)
        - (p * x + q) * np.log(v + x * mean)
    ).sum()


def integrated_density(p, q, v, x, mean):
    """Return the density of the mean of x gamma amounts over the customers' scales."""

    def joint(scale):
        return gamma.pdf(mean, p * x, scale=1 / (x * scale)) * gamma.pdf(scale, q, scale=1 / v)

    middle = (p * x + q) / (v + x * mean)
    parts = [0, middle / 4, middle, 4 * middle, 40 * middle]
    return sum(quad(joint, *part, limit=200)[0] for part in pairwise(parts))


def parameters_of(model):
    return model.summary_["estimate"].to_numpy()


@pytest.fixture(scope="module")
def fitted(customers):
    """The model of the drawn customers."""
    return GammaGamma().fit(customers)


@pytest.fixture(scope="module")
def drawn(at):
    """Customers of the published model, and how many orders they place."""
    orders = np.random.default_rng(0).integers(1, 12, 20_000)
    return at(GammaGamma(), PUBLISHED).simulate(20_000, order_days=orders, random_state=0)


# -- likelihood --------------------------------------------------------------------------------


@given(
    p=positive,
    q=positive,
    v=positive,
    rows=st.lists(st.tuples(st.integers(1, 50), st.floats(0.01, 1_000)), min_size=1, max_size=8),
)
def test_the_log_likelihood_is_the_published_one(p, q, v, rows):
    x, mean = np.array(rows, dtype=float).T
    value, gradient, _ = SpendLikelihood(x, mean)(np.array([p, q, v]))
    assert value == pytest.approx(naive_log_likelihood((p, q, v), x, mean), rel=1e-9, abs=1e-8)
    logs = np.log([p, q, v])
    steps = approx_fprime(logs, lambda one: naive_log_likelihood(np.exp(one), x, mean), 1e-6)
    scale = 1 + np.abs(steps).max()
    np.testing.assert_allclose(gradient * [p, q, v], steps, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.parametrize(("x", "mean"), [(1, 20.0), (3, 55.0), (12, 4.0)])
def test_the_likelihood_is_that_of_gamma_amounts_at_gamma_scales(x, mean):
    value, *_ = SpendLikelihood(np.array([float(x)]), np.array([mean]))(np.array(PUBLISHED))
    assert np.exp(value) == pytest.approx(integrated_density(*PUBLISHED, x, mean), rel=1e-7)


# -- expected values ---------------------------------------------------------------------------


def test_the_expected_value_is_a_weighted_mean_of_own_and_all(at):
    # Fader & Hardie (2013), (5): the weight of one's own mean is p x / (p x + q - 1).
    p, q, v = PUBLISHED
    model = at(GammaGamma(), PUBLISHED)
    table = pd.DataFrame(
        {"order_days": [1, 2, 5, 101], "monetary": [20.0, 70, 250, 9_030], "first_day_amount": 30.0}
    )
    x = table["order_days"] - 1
    own = np.array([0, 40, 55, 90.0])
    weight = p * x / (p * x + q - 1)
    expected = (1 - weight) * p * v / (q - 1) + weight * own
    np.testing.assert_allclose(model.expected_order_value(table), expected, rtol=1e-12)
    assert model.predict(table).tolist() == model.expected_order_value(table).tolist()


def test_who_spent_nothing_or_less_on_repeat_orders_counts_with_nothing(at):
    model = at(GammaGamma(), PUBLISHED)
    found = model.predict([[3, 30, 30], [3, 10, 30]])
    p, q, v = PUBLISHED
    assert found.tolist() == pytest.approx([p * v / (2 * p + q - 1)] * 2)


def test_the_expected_value_of_drawn_customers_is_their_true_one(at, drawn):
    found = at(GammaGamma(), PUBLISHED).predict(drawn)
    error = found - drawn["true_order_value"]
    assert error.mean() == pytest.approx(0, abs=4 * error.std() / np.sqrt(len(error)))
    many = drawn["order_days"] > 8
    assert np.corrcoef(found[many], drawn.loc[many, "true_order_value"])[0, 1] > 0.95


# -- fit ---------------------------------------------------------------------------------------


def test_a_fit_to_drawn_customers_finds_the_parameters_again(drawn):
    found = GammaGamma().fit(drawn)
    distance = (parameters_of(found) - PUBLISHED) / found.standard_errors_
    assert distance.abs().max() < 3.5
    assert found.converged_
    assert found.standard_errors_.notna().all()


def test_cents_for_dollars_scale_v_alone(fitted, customers):
    in_cents = customers.assign(
        monetary=customers["monetary"] * 100, first_day_amount=customers["first_day_amount"] * 100
    )
    found = GammaGamma().fit(in_cents)
    np.testing.assert_allclose(parameters_of(found), parameters_of(fitted) * [1, 1, 100], rtol=1e-6)
    np.testing.assert_allclose(found.predict(in_cents), fitted.predict(customers) * 100, rtol=1e-6)


def test_the_order_of_rows_does_not_matter(fitted, customers):
    shuffled = GammaGamma().fit(customers.sample(frac=1, random_state=0))
    np.testing.assert_allclose(parameters_of(shuffled), parameters_of(fitted), rtol=1e-8)


def test_twice_the_customers_double_the_log_likelihood_and_halve_the_variances(fitted, customers):
    doubled = GammaGamma().fit(pd.concat([customers, customers]))
    np.testing.assert_allclose(parameters_of(doubled), parameters_of(fitted), rtol=1e-6)
    assert doubled.log_likelihood_ == pytest.approx(2 * fitted.log_likelihood_, rel=1e-12)
    errors = fitted.standard_errors_ / np.sqrt(2)
    np.testing.assert_allclose(doubled.standard_errors_, errors, rtol=1e-5)


def test_customers_without_spend_on_repeat_orders_are_left_out_and_counted(drawn):
    without = pd.DataFrame(
        {
            "order_days": [1, 1, 3, 3, 2],
            "monetary": [20.0, 0, 50, 40, 1e-9],
            "first_day_amount": [20.0, 0, 50, 60, 0],
        }
    )
    both = GammaGamma().fit(pd.concat([drawn, without.head(4)]))
    repeats = int((drawn["order_days"] > 1).sum())
    assert both.n_customers_ == repeats
    assert both.n_without_repeat_ == len(drawn) - repeats + 2
    assert both.n_without_spend_ == 2
    used = GammaGamma().fit(drawn[drawn["order_days"] > 1])
    np.testing.assert_allclose(parameters_of(both), parameters_of(used), rtol=1e-9)


def test_nobody_with_spend_on_a_repeat_order_is_an_error(customers):
    model = GammaGamma().fit(customers)
    with pytest.raises(SegkitValueError, match=r"none of the 3 customers has spend on a repeat"):
        model.fit([[1, 90, 90], [3, 30, 30], [4, 20, 30]])
    # What was learned before is gone.
    with pytest.raises(NotFittedError):
        model.predict(customers)
    with pytest.raises(NotFittedError):
        model.simulate(3, order_days=2)


# -- warnings ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::segkit.exceptions.NotIdentifiedWarning")
@pytest.mark.parametrize(("sign", "word"), [(1, "more"), (-1, "less")])
def test_spend_that_goes_with_the_number_of_orders_is_said(drawn, sign, word):
    x = drawn["order_days"] - 1
    by_x = (drawn["monetary"] - drawn["first_day_amount"]) * np.maximum(x, 1.0) ** (0.5 * sign)
    bent = drawn.assign(monetary=drawn["first_day_amount"] + by_x)
    with pytest.warns(CorrelatedSpendWarning, match=f"order more often spend {word}") as caught:
        model = GammaGamma().fit(bent)
    assert {one.filename for one in caught} == {__file__}
    some = x > 0
    expected = pearsonr(np.log(x[some]), np.log(by_x[some] / x[some])).statistic
    assert model.spend_correlation_ == pytest.approx(expected)
    assert abs(expected) > 0.15


def test_spend_that_does_not_go_with_it_is_not_said(drawn):
    assert abs(GammaGamma().fit(drawn).spend_correlation_) < 0.1


def test_a_correlation_of_a_few_customers_is_not_said():
    # Their mean spend is 20 times the number of repeat orders.
    rows = [[x + 1, 20 + x * 20 * x, 20] for x in range(1, 9)]
    for n, categories in ((3, []), (8, [CorrelatedSpendWarning])):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = GammaGamma().fit(rows[:n])
        assert model.spend_correlation_ == pytest.approx(1.0)
        found = [one.category for one in caught if one.category is not NotIdentifiedWarning]
        assert found == categories


SPEND = {
    "all equal": np.tile([3.0, 90, 30], (40, 1)),
    "equal means": np.column_stack([np.arange(2, 42), 30.0 * np.arange(2, 42), np.full(40, 30)]),
    "one customer": np.array([[3.0, 90, 30]]),
}


@pytest.mark.parametrize("rows", SPEND.values(), ids=SPEND)
def test_spend_that_says_nothing_gives_one_warning_and_finite_values(rows):
    with pytest.warns(NotIdentifiedWarning, match="maximum on the boundary") as caught:
        model = GammaGamma().fit(rows)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    # Everybody spends 30 an order.
    assert model.predict([[1, 50, 50], [3, 90, 30]]) == pytest.approx([30, 30], rel=1e-3)


def test_an_infinite_mean_is_said_and_is_what_new_customers_get():
    rng = np.random.default_rng(0)
    n = rng.integers(2, 6, 2_000)
    scale = 1 / rng.gamma(0.7, 1, n.size)
    spend = rng.gamma(2.0 * (n - 1)) * scale
    with pytest.warns(NotIdentifiedWarning, match=r"q_ is 0\.\d+, and from 1 down the mean"):
        model = GammaGamma().fit(np.column_stack([n, 5 + spend, np.full(n.size, 5.0)]))
    assert model.q_ < 1
    found = model.predict([[1, 5, 5], [3, 25, 5]])
    assert found[0] == np.inf
    assert np.isfinite(found[1])


# -- known answers -----------------------------------------------------------------------------


@pytest.mark.realdata
def test_cdnow_has_the_published_parameters(cdnow):
    # Fader & Hardie (2013), section 5. Of all orders, the first included, they would be
    # 14.34, 3.95 and 7.29.
    with pytest.warns(CorrelatedSpendWarning, match=r"logarithms 0\.19"):
        model = GammaGamma().fit(cdnow)
    assert model.p_ == pytest.approx(6.25, abs=5e-3)
    assert model.q_ == pytest.approx(3.74, abs=5e-3)
    assert model.v_ == pytest.approx(15.44, abs=5e-3)
    assert model.n_customers_ == 946
    assert model.n_without_repeat_ == len(cdnow) - 946


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore::segkit.exceptions.CorrelatedSpendWarning")
def test_cdnow_has_the_expected_values_of_another_implementation(cdnow):
    # lifetimes 0.11, Quickstart, customers 1 to 10 (its v is 15.45).
    expected = [24.658619, 18.911489, 35.170981, 71.462843, 27.282408]
    found = GammaGamma().fit(cdnow).predict(cdnow)
    for value in expected:
        assert np.abs(found - value).min() < 5e-3


# -- simulation --------------------------------------------------------------------------------


def test_the_same_random_state_draws_the_same_customers(fitted):
    first, second = (fitted.simulate(50, order_days=3, random_state=5) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(fitted.simulate(50, order_days=3, random_state=6))


def test_drawn_amounts_have_the_mean_of_the_model(drawn):
    p, q, v = PUBLISHED
    mean = drawn["first_day_amount"].mean()
    margin = 4 * drawn["first_day_amount"].std() / np.sqrt(len(drawn))
    assert mean == pytest.approx(p * v / (q - 1), abs=margin)
    once = drawn["order_days"] == 1
    assert (drawn["monetary"] == drawn["first_day_amount"])[once].all()


@pytest.mark.parametrize("orders", [0, 2.7, np.nan, np.inf, "two", [1, 2], -1], ids=repr)
def test_impossible_numbers_of_orders_are_refused(fitted, orders):
    with pytest.raises(SegkitValueError, match="order_days must be"):
        fitted.simulate(3, order_days=orders)


# -- frames and errors -------------------------------------------------------------------------


def test_every_kind_of_frame_gives_the_same_fit(fitted, customers, kind):
    found = GammaGamma().fit(as_kind(customers, kind))
    np.testing.assert_allclose(parameters_of(found), parameters_of(fitted), rtol=1e-8)
    assert found.feature_names_in_.tolist() == COLUMNS


def test_every_eager_kind_of_frame_gives_the_same_values(fitted, customers, eager_kind):
    found = fitted.predict(as_kind(customers, eager_kind))
    assert found.tolist() == fitted.predict(customers).tolist()


@pytest.mark.parametrize("verb", ["predict", "expected_order_value"])
def test_a_lazy_frame_is_said_to_be_collected(fitted, customers, lazy_kind, verb):
    with pytest.raises(LazyFrameError, match=rf"{verb} needs the values.*Collect the frame first"):
        getattr(fitted, verb)(as_kind(customers, lazy_kind))


def test_columns_are_picked_by_name_and_of_arrays_by_position(fitted, customers):
    expected = fitted.predict(customers).tolist()
    assert fitted.predict(customers[customers.columns[::-1]].assign(extra="text")).tolist() == (
        expected
    )
    X = customers[COLUMNS].to_numpy(dtype=float)
    assert GammaGamma().fit(X).predict(X).tolist() == pytest.approx(expected)
    turned = GammaGamma(columns=[2, 1, 0]).fit(X[:, ::-1])
    assert turned.predict(X[:, ::-1]).tolist() == pytest.approx(expected)
    renamed = customers.rename(columns={"monetary": "spent"})
    found = GammaGamma(columns=["order_days", "spent", "first_day_amount"]).fit(renamed)
    assert found.predict(renamed).tolist() == expected


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"monetary": [np.nan, 1, 2]}, MissingValuesError, "'monetary' contains NaN"),
        ({"first_day_amount": [np.inf, 1, 2]}, SegkitValueError, "'first_day_amount' contains inf"),
        ({"order_days": [-1, 2, 3]}, SegkitValueError, "'order_days' is negative"),
        ({"monetary": ["1", "2", "Ann"]}, SegkitTypeError, "'monetary' must hold numbers"),
    ],
)
def test_wrong_values_are_refused_by_the_name_of_their_column(change, error, said):
    few = pd.DataFrame({"order_days": [2, 3, 4], "monetary": [9.0, 8, 7], "first_day_amount": 1.0})
    with pytest.raises(error, match=said) as caught:
        GammaGamma().fit(few.assign(**change))
    assert "Ann" not in str(caught.value)


def test_the_column_of_the_first_day_is_missed_by_name(customers):
    with pytest.raises(ColumnError, match="column 'first_day_amount' is missing"):
        GammaGamma().fit(customers.drop(columns="first_day_amount"))


def test_more_columns_than_three_are_refused(customers):
    with pytest.raises(ColumnError, match="columns must name 3 columns, got 4"):
        GammaGamma(columns=[*COLUMNS, "tenure_days"]).fit(customers)


def test_nothing_is_changed_in_the_input(customers):
    before = customers.copy(deep=True)
    GammaGamma().fit(customers).predict(customers)
    pd.testing.assert_frame_equal(customers, before, check_exact=True)


# -- scikit-learn ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_checks_pass_where_their_data_have_repeat_orders():
    outcomes = check_estimator(GammaGamma(), on_fail=None, on_skip=None)
    failed = {
        outcome["check_name"]: str(outcome["exception"])
        for outcome in outcomes
        if outcome["status"] == "failed" and not _is_for_width(outcome["exception"])
    }
    assert set(failed) <= NO_REPEATS
    assert all("has spend on a repeat order" in said for said in failed.values())
    assert sum(outcome["status"] == "passed" for outcome in outcomes) > 30


def test_a_model_survives_pickling_and_cloning(fitted, customers):
    found = pickle.loads(pickle.dumps(fitted)).predict(customers)
    assert found.tolist() == fitted.predict(customers).tolist()
    copied = clone(fitted.set_params(columns=COLUMNS))
    assert copied.get_params() == {"columns": COLUMNS}
    assert not hasattr(copied, "p_")


def test_amounts_whose_squares_overflow_are_refused():
    customers = pd.DataFrame(
        {"order_days": [2, 3], "monetary": [1e300, 20.0], "first_day_amount": [1.0, 5.0]}
    )
    with pytest.raises(SegkitValueError, match=r"column 'monetary' is beyond 1e\+100 in 1 of 2"):
        GammaGamma().fit(customers)
