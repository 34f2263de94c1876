"""Claims about the drawn transaction logs.

The expected values come from the papers' closed forms: Fader, Hardie & Lee (2005) for the
number of orders, Fader & Hardie (2013) for order values.
"""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import hyp2f1

from segkit.datasets import make_transactions
from segkit.datasets._make_transactions import _opening_hours
from segkit.exceptions import SegkitTypeError, SegkitValueError

PURE = {"price_points": False, "same_day_rate": 0, "return_rate": 0}
# Tests of a mean allow four standard errors: about one in 16,000 correct draws fails, and the
# seeds are fixed.
N_STANDARD_ERRORS = 4


def assert_mean_is_zero(deviations):
    standard_error = np.std(deviations) / np.sqrt(len(deviations))
    assert abs(np.mean(deviations)) < N_STANDARD_ERRORS * standard_error


def repeat_orders(log, n_customers):
    return np.bincount(log["customer_id"], minlength=n_customers + 1)[1:] - 1


def cents(log):
    return np.rint(log["amount"] * 100).astype("int64")


@pytest.fixture(scope="module")
def pure():
    """100,000 customers of the two pure processes with many repeat orders and dropouts."""
    return make_transactions(
        100_000,
        **PURE,
        r=0.8,
        alpha=25.0,
        a=0.9,
        b=2.5,
        random_state=1,
        return_parameters=True,
    )


@pytest.fixture(scope="module")
def default_log():
    return make_transactions(20_000, random_state=2)


# --- the BG/NBD process


def test_mean_number_of_repeat_orders_is_the_bgnbd_expectation(pure):
    # E[X(t)] of Fader, Hardie & Lee (2005) at each customer's own T.
    log, truth = pure
    r, alpha, a, b, t = 0.8, 25.0, 0.9, 2.5, truth["tenure_days"].to_numpy()
    expected = (
        (a + b - 1)
        / (a - 1)
        * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
    )
    assert expected.mean() > 2
    assert_mean_is_zero(repeat_orders(log, len(truth)) - expected)


def test_share_without_repeat_orders_is_that_of_the_negative_binomial(pure):
    # Nobody drops out before the first repeat order, so P(X(t) = 0) = (alpha / (alpha + t))^r.
    log, truth = pure
    expected = (25.0 / (25.0 + truth["tenure_days"])) ** 0.8
    assert_mean_is_zero((repeat_orders(log, len(truth)) == 0) - expected)


def test_repeat_orders_given_rate_and_dropout_follow_the_customers_own_parameters(pure):
    # E[X(t) | lambda, p] = (1 - exp(-lambda p t)) / p in the same paper.
    log, truth = pure
    rate, dropout = truth["purchase_rate"], truth["dropout_probability"]
    deviation = repeat_orders(log, len(truth)) - (
        -np.expm1(-rate * dropout * truth["tenure_days"]) / dropout
    )
    for group in (dropout < dropout.median(), rate < rate.median(), rate > rate.quantile(0.9)):
        assert_mean_is_zero(deviation[group])


def test_orders_before_the_dropout_are_the_first_ones(pure):
    # The same expectation at t = 60 days, long before the end of these customers' histories.
    log, truth = pure
    first = log.groupby("customer_id")["timestamp"].transform("min")
    within = log[log["timestamp"].dt.normalize() - first.dt.normalize() < pd.Timedelta(days=60)]
    # A day counts from opening to closing time, so whole days from the first order's day to the
    # 60th one are 60 days less the part of the first day that had passed.
    since_opening = truth["tenure_days"].to_numpy() % 1
    time = 59 + since_opening
    rate, dropout = truth["purchase_rate"], truth["dropout_probability"]
    deviation = repeat_orders(within, len(truth)) + np.expm1(-rate * dropout * time) / dropout
    assert_mean_is_zero(deviation[truth["tenure_days"] > 300])


def test_share_alive_at_the_end_is_that_of_the_dropout_process(pure):
    # P(tau > t | lambda, p) = exp(-lambda p t) in the same paper.
    _, truth = pure
    alive = np.exp(-truth["purchase_rate"] * truth["dropout_probability"] * truth["tenure_days"])
    assert_mean_is_zero(truth["alive_at_end"] - alive)


def test_customers_without_repeat_orders_are_alive(pure):
    log, truth = pure
    assert truth["alive_at_end"][repeat_orders(log, len(truth)) == 0].all()


def test_true_rates_and_dropout_probabilities_are_gamma_and_beta(pure):
    _, truth = pure
    rate = stats.kstest(truth["purchase_rate"], stats.gamma(0.8, scale=1 / 25.0).cdf)
    dropout = stats.kstest(truth["dropout_probability"], stats.beta(0.9, 2.5).cdf)
    assert rate.pvalue > 0.001
    assert dropout.pvalue > 0.001


def test_draw_agrees_with_a_walk_through_one_customer_after_another():
    parameters = {"r": 2.0, "alpha": 20.0, "a": 2.0, "b": 3.0}
    n_customers, n_days = 20_000, 120
    log = make_transactions(
        n_customers, start="2025-01-01", end="2025-04-30", **PURE, **parameters, random_state=3
    )
    rng = np.random.default_rng(4)
    walked = np.zeros(n_customers, dtype=int)
    for customer in range(n_customers):
        time = rng.uniform(0, n_days)
        rate, dropout = rng.gamma(2.0, 1 / 20.0), rng.beta(2.0, 3.0)
        while (time := time + rng.exponential(1 / rate)) < n_days:
            walked[customer] += 1
            if rng.uniform() < dropout:
                break
    drawn = repeat_orders(log, n_customers)
    counts = [np.bincount(np.minimum(x, 8), minlength=9) for x in (drawn, walked)]
    assert stats.chi2_contingency(counts).pvalue > 0.001


def test_probabilities_that_round_to_zero_or_one_are_drawn():
    never = make_transactions(500, a=1e-300, b=5.0, random_state=0, return_parameters=True)[1]
    always, truth = make_transactions(
        500, a=5.0, b=1e-300, **PURE, random_state=0, return_parameters=True
    )
    assert never["alive_at_end"].all()
    assert (truth["dropout_probability"] == 1).all()
    assert repeat_orders(always, 500).max() == 1


# --- the period


def test_first_orders_are_uniform_over_the_period(pure):
    log, truth = pure
    first_day = log.groupby("customer_id")["timestamp"].min().dt.normalize()
    assert (first_day.to_numpy() == truth["first_purchase_date"].to_numpy()).all()
    n_by_day = first_day.value_counts()
    assert len(n_by_day) == 731
    assert stats.chisquare(n_by_day).pvalue > 0.001


def test_tenure_ends_with_the_last_day(pure):
    _, truth = pure
    whole_days = (pd.Timestamp("2025-12-31") - truth["first_purchase_date"]).dt.days
    assert (np.floor(truth["tenure_days"]) == whole_days).all()


@pytest.mark.parametrize("end", ["2025-02-03", datetime.date(2025, 2, 3), pd.Timestamp(2025, 2, 3)])
def test_the_last_day_is_part_of_the_period(end):
    log = make_transactions(2_000, start="2025-02-01", end=end, random_state=0)
    assert log["timestamp"].min() >= pd.Timestamp("2025-02-01 08:00")
    assert pd.Timestamp("2025-02-03") < log["timestamp"].max() < pd.Timestamp("2025-02-03 22:00")


def test_a_period_may_be_a_single_day():
    log = make_transactions(50, start="2024-02-29", end="2024-02-29", random_state=0)
    assert (log["timestamp"].dt.normalize() == pd.Timestamp("2024-02-29")).all()
    assert log["customer_id"].nunique() == 50


def test_time_that_rounds_up_to_the_end_is_the_last_minute_before_closing():
    # Too rare to be drawn: the sum of two floats that rounds up to the end of a 3-day period.
    minute = _opening_hours(np.array([0.0, 2.0, 3.0]), n_days=3)
    assert minute.tolist() == [8 * 60, 2 * 1440 + 8 * 60, 2 * 1440 + 22 * 60 - 1]


def test_orders_are_placed_at_whole_minutes_in_opening_hours(default_log):
    time = default_log["timestamp"]
    assert time.dt.hour.between(8, 21).all()
    assert (time == time.dt.floor("min")).all()
    assert time.dt.minute.nunique() == 60


# --- the Gamma-Gamma process


def test_mean_order_value_is_that_of_the_gamma_gamma_process(pure):
    # E[Z] = p v / (q - 1); one order per customer, as orders of one customer are correlated.
    log, _ = pure
    first_orders = log.drop_duplicates("customer_id")
    assert_mean_is_zero(first_orders["amount"] - 4.0 * 45.0 / (4.0 - 1))


def test_order_values_scatter_around_the_customers_own_mean_as_a_gamma(pure):
    # Z p / E[Z | nu] ~ Gamma(p, 1), tested where rounding to cents does not show.
    log, truth = pure
    orders = log.merge(truth, on="customer_id")
    orders = orders[orders["mean_spend"] > 40].head(20_000)
    standardised = orders["amount"] * 4.0 / orders["mean_spend"]
    assert stats.kstest(standardised, stats.gamma(4.0).cdf).pvalue > 0.001


def test_true_mean_order_values_are_inverse_gamma(pure):
    _, truth = pure
    expected = stats.invgamma(4.0, scale=4.0 * 45.0)
    assert stats.kstest(truth["mean_spend"], expected.cdf).pvalue > 0.001


def test_price_points_change_no_customers_mean_order_value():
    log, truth = make_transactions(
        50_000, same_day_rate=0, return_rate=0, random_state=5, return_parameters=True
    )
    first_orders = log.drop_duplicates("customer_id").sort_values("customer_id")
    assert_mean_is_zero(first_orders["amount"].to_numpy() - truth["mean_spend"])


def test_three_in_four_order_values_are_at_price_points(default_log):
    price = cents(default_log[default_log["amount"] > 0])
    at_point = (price % 50 == 0) | (price % 100 == 99)
    # Of the quarter drawn to the cent, 3 in 100 are at a point by chance.
    assert_mean_is_zero(at_point - (0.75 + 0.25 * 0.03))


def test_price_points_tie_the_spends_of_customers_and_exact_values_tie_fewer():
    def share_of_tied_customers(**kwargs):
        # One order each.
        log = make_transactions(2_000, alpha=1e9, return_rate=0, same_day_rate=0, **kwargs)
        return cents(log).duplicated(keep=False).mean()

    assert share_of_tied_customers(random_state=0) > 0.5
    assert share_of_tied_customers(random_state=0, price_points=False) < 0.5


def test_amounts_are_whole_cents(default_log):
    assert (default_log["amount"] == cents(default_log) / 100).all()


@pytest.mark.parametrize("price_points", [True, False])
def test_no_order_is_free(price_points):
    log = make_transactions(2_000, v=0.01, price_points=price_points, return_rate=0, random_state=0)
    assert log["amount"].min() >= 0.01


# --- same-day orders


def test_same_day_orders_follow_on_the_day_of_an_order():
    # One order per customer, three in ten of which are followed by a second one.
    log = make_transactions(
        10_000, alpha=1e9, same_day_rate=0.3, return_rate=0, random_state=6
    ).groupby("customer_id")["timestamp"]
    assert (log.min().dt.normalize() == log.max().dt.normalize()).all()
    assert (log.max() > log.min()).any()
    assert_mean_is_zero((log.size() == 2) - 0.3)


def test_same_day_rate_one_doubles_each_order():
    log = make_transactions(200, alpha=1e9, same_day_rate=1, return_rate=0, random_state=0)
    assert (repeat_orders(log, 200) == 1).all()


# --- returns


@pytest.fixture(scope="module")
def returned_orders():
    """One order per customer, on the first of a hundred days, each returned."""
    log = make_transactions(
        20_000,
        start="2025-01-01",
        end="2025-04-10",
        alpha=1e9,
        same_day_rate=0,
        return_rate=1,
        random_state=7,
    )
    paid, refund = log[log["amount"] > 0], log[log["amount"] < 0]
    return paid.merge(refund, on="customer_id", suffixes=("", "_refund"), validate="1:1")


def test_refund_is_never_more_than_was_paid(returned_orders):
    assert (-returned_orders["amount_refund"] <= returned_orders["amount"]).all()


def test_orders_are_returned_fully_and_partly(returned_orders):
    full = -returned_orders["amount_refund"] == returned_orders["amount"]
    # Parts round up to a cent, so a few in a thousand parts are the whole.
    assert 0.68 < full.mean() < 0.72


def test_returns_come_on_a_later_day(returned_orders):
    days = (
        returned_orders["timestamp_refund"].dt.normalize()
        - returned_orders["timestamp"].dt.normalize()
    ).dt.days
    assert days.min() == 1
    # Away from the end of the period, which cuts late returns off, 10 days on average.
    early = returned_orders["timestamp"] < pd.Timestamp("2025-01-05")
    assert_mean_is_zero(days[early] - 10.0)


def test_return_rate_is_the_share_of_orders_returned():
    log = make_transactions(
        20_000, start="2000-01-01", alpha=1e9, same_day_rate=0, return_rate=0.2, random_state=8
    )
    # 26 years: hardly any return falls after the end.
    assert (log["amount"] < 0).sum() / 20_000 == pytest.approx(0.2, abs=0.012)


def test_no_customer_is_ever_refunded_more_than_was_paid_so_far():
    log = make_transactions(2_000, return_rate=0.9, same_day_rate=0.3, random_state=9)
    net = cents(log).groupby(log["customer_id"]).cumsum()
    assert net.min() >= 0


def test_rate_zero_means_no_returns(pure):
    assert (pure[0]["amount"] > 0).all()


# --- the log as a whole


@settings(max_examples=60, deadline=None)
@given(
    n_customers=st.integers(1, 40),
    start=st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 1, 1)),
    n_days=st.integers(1, 400),
    r=st.floats(0.05, 3),
    alpha=st.floats(5, 500),
    a=st.floats(0.05, 5),
    b=st.floats(0.05, 5),
    price_points=st.booleans(),
    same_day_rate=st.floats(0, 1),
    return_rate=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_log_is_sorted_complete_and_inside_the_period(
    n_customers, start, n_days, seed, **parameters
):
    end = start + datetime.timedelta(days=n_days - 1)
    log = make_transactions(n_customers, start=start, end=end, random_state=seed, **parameters)
    assert log.dtypes.astype("str").to_dict() == {
        "customer_id": "int64",
        "timestamp": "datetime64[us]",
        "amount": "float64",
        "order_id": "int64",
    }
    assert log["timestamp"].is_monotonic_increasing
    assert log["timestamp"].dt.date.between(start, end).all()
    assert log["order_id"].is_unique
    assert set(log.loc[log["amount"] > 0, "customer_id"]) == set(range(1, n_customers + 1))
    assert (cents(log).groupby(log["customer_id"]).cumsum() >= 0).all()


def test_default_log_fits_a_shop_with_five_distinct_frequency_scores(default_log):
    orders = default_log[default_log["amount"] > 0].groupby("customer_id").size()
    assert 0.35 <= (orders == 1).mean() <= 0.6
    assert 0.02 < (default_log["amount"] < 0).mean() < 0.08
    edges = orders.quantile([0.2, 0.4, 0.6, 0.8])
    assert edges.is_unique
    assert (orders > edges.max()).any()


def test_same_seed_gives_the_same_bytes():
    first, first_truth = make_transactions(300, random_state=11, return_parameters=True)
    again, again_truth = make_transactions(
        300, random_state=np.random.RandomState(11), return_parameters=True
    )
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    pd.testing.assert_frame_equal(first_truth, again_truth, check_exact=True)
    pd.testing.assert_frame_equal(first, make_transactions(300, random_state=11), check_exact=True)


def test_another_seed_gives_another_log():
    first, other = (make_transactions(300, random_state=seed) for seed in (0, 1))
    assert not first.equals(other)


@pytest.mark.parametrize("random_state", [None, 0])
def test_numpys_global_generator_is_left_alone(random_state):
    before = np.random.get_state()  # noqa: NPY002
    make_transactions(20, random_state=random_state)
    after = np.random.get_state()  # noqa: NPY002
    assert before[2:] == after[2:]
    assert (before[1] == after[1]).all()


# --- mistakes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_customers", 0),
        ("n_customers", -3),
        ("end", "2023-12-31"),
        ("start", "2026-01-01"),
        ("start", "no day"),
        ("start", pd.NaT),
        ("end", "2025-12-31 12:00"),
        ("end", datetime.datetime(2025, 12, 31, 12)),
        ("end", pd.Timestamp("2025-12-31", tz="UTC")),
        ("r", 0),
        ("alpha", -1.0),
        ("alpha", 1e-9),
        ("a", float("nan")),
        ("b", float("inf")),
        ("p", -0.5),
        ("q", 1.0),
        ("v", 0.0),
        ("same_day_rate", 1.01),
        ("return_rate", -0.1),
        ("return_rate", float("nan")),
        ("random_state", -1),
        ("random_state", "seed"),
    ],
)
def test_value_out_of_range_is_an_error_that_names_parameter_and_value(name, value):
    named = "end" if name == "start" and value == "2026-01-01" else name
    with pytest.raises(SegkitValueError, match=rf"make_transactions: parameter '{named}' must be"):
        make_transactions(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_customers", 10.0),
        ("n_customers", True),
        ("n_customers", "10"),
        ("start", 20240101),
        ("end", None),
        ("r", "0.5"),
        ("q", None),
        ("return_rate", True),
        ("price_points", "no"),
        ("return_parameters", 1),
    ],
)
def test_value_of_the_wrong_kind_is_a_type_error_that_names_parameter_and_kind(name, value):
    claim = rf"make_transactions: parameter '{name}' .* of type {type(value).__name__}\."
    with pytest.raises(SegkitTypeError, match=claim):
        make_transactions(**{name: value})


def test_process_parameters_are_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        make_transactions(10, "2024-01-01")
