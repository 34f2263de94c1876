"""CustomerLifetimeValue: the composition, held against a loop over days."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.estimator_checks import check_estimator

from frames import as_kind
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    NotIdentifiedWarning,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.testing._scikit_learn_checks import _is_for_width

COLUMNS = ["recency_days", "order_days", "tenure_days", "monetary", "first_day_amount"]
# Checks of scikit-learn whose random data hold no customer with spend on a repeat order.
NO_REPEATS = {"check_dtype_object"}

FEW = pd.DataFrame(
    {
        "recency_days": [5.0, 20, 3, 8],
        "order_days": [1.0, 2, 4, 3],
        "tenure_days": [5.0, 40, 90, 60],
        "monetary": [20.0, 55, 130, 70],
        "first_day_amount": [20.0, 25, 30, 20],
    }
)


class Steady(BaseEstimator):
    """Every customer orders `rate` times a day for ever."""

    def __init__(self, rate=0.1):
        self.rate = rate

    def fit(self, X, y=None):
        self.shape_ = np.shape(X)
        self.first_ = np.asarray(X)[0].tolist()
        return self

    def predict(self, X, horizon_days):
        return np.full(len(X), self.rate * horizon_days)

    def predict_alive(self, X):
        return np.ones(len(X))


class Spend(BaseEstimator):
    """Every customer spends what stands in the column of first days."""

    def fit(self, X, y=None):
        self.first_ = np.asarray(X)[0].tolist()
        return self

    def expected_order_value(self, X):
        return np.asarray(X)[:, 2]


@pytest.fixture(scope="module", params=[ParetoNBD, BetaGeoNBD])
def fitted(request, customers):
    """The composite with either model of repeat buying."""
    return CustomerLifetimeValue(purchases=request.param()).fit(customers)


# -- value -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "days"), [(0.1, 365), (1.0, 365), (0.5, 1_500), (0.5, 30)])
def test_the_value_is_a_sum_over_days(fitted, customers, rate, days):
    some = customers.head(40)
    model = clone(fitted).set_params(annual_discount_rate=rate, margin=0.3).fit(customers)
    orders = np.array(
        [
            model.purchases_.predict(some[COLUMNS[:3]].to_numpy(float), day)
            for day in range(days + 1)
        ]
    )
    middle_of_day = np.arange(days) + 0.5
    discount = (1 + rate) ** (-middle_of_day / 365.25)
    amounts = model.spend_.expected_order_value(some[["order_days", *COLUMNS[3:]]].to_numpy(float))
    expected = 0.3 * amounts * (discount @ np.diff(orders, axis=0))
    np.testing.assert_allclose(model.predict(some, horizon_days=days), expected, rtol=2e-6)


@pytest.mark.parametrize("days", [1.0, 365.0, 3_650.0])
@pytest.mark.parametrize("rate", [0.01, 0.1, 2.0])
def test_a_steady_stream_is_worth_its_annuity(rate, days):
    # The integral of c e^(-d t) from 0 to h is c (1 - e^(-d h)) / d, by hand.
    model = CustomerLifetimeValue(purchases=Steady(), spend=Spend(), annual_discount_rate=rate)
    daily = np.log1p(rate) / 365.25
    expected = 0.1 * FEW["first_day_amount"] * -np.expm1(-daily * days) / daily
    found = model.fit(FEW).predict(FEW, horizon_days=days)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_without_discount_the_value_is_orders_times_amount_times_margin(fitted, customers):
    model = clone(fitted).set_params(annual_discount_rate=0, margin=0.25).fit(customers)
    expected = 0.25 * model.expected_orders(customers) * model.expected_order_value(customers)
    np.testing.assert_allclose(model.predict(customers), expected, rtol=1e-12)


def test_a_discount_makes_values_less_and_a_horizon_of_nothing_makes_them_nothing(
    fitted, customers
):
    undiscounted = fitted.expected_orders(customers) * fitted.expected_order_value(customers)
    value = fitted.predict(customers)
    assert (value < undiscounted).all()
    # A year ahead a tenth less: the mean order comes at about half of it.
    assert value.sum() / undiscounted.sum() == pytest.approx(1.1**-0.5, abs=0.01)
    assert fitted.predict(customers, horizon_days=0).tolist() == [0.0] * len(customers)
    assert (fitted.predict(customers, horizon_days=90) < value).all()


def test_a_horizon_of_nothing_is_worth_nothing_even_where_amounts_are_infinite(
    quiet_fit, customers
):
    skewed = np.random.default_rng(0).pareto(0.6, len(customers)) * (customers["order_days"] - 1)
    table = customers.assign(monetary=customers["first_day_amount"] + skewed)
    with pytest.warns(NotIdentifiedWarning, match="the mean over all customers is infinite"):
        model = CustomerLifetimeValue().fit(table)
    assert model.predict(table, horizon_days=0).tolist() == [0.0] * len(table)
    once = table["order_days"] == 1
    assert np.isinf(model.predict(table)[once]).all()


def test_the_verbs_are_those_of_the_models(fitted, customers):
    X = customers[COLUMNS].to_numpy(dtype=float)
    alive = fitted.purchases_.predict_alive(X[:, :3])
    assert fitted.predict_alive(customers).tolist() == alive.tolist()
    orders = fitted.purchases_.predict(X[:, :3], horizon_days=30)
    assert fitted.expected_orders(customers, horizon_days=30).tolist() == orders.tolist()
    amounts = fitted.spend_.predict(X[:, [1, 3, 4]])
    assert fitted.expected_order_value(customers).tolist() == amounts.tolist()


# -- models ------------------------------------------------------------------------------------


def test_the_models_learn_what_they_would_learn_alone(fitted, customers):
    alone = clone(fitted.purchases).fit(customers)
    pd.testing.assert_frame_equal(fitted.purchases_.summary_, alone.summary_)
    spend = GammaGamma().fit(customers)
    pd.testing.assert_frame_equal(fitted.summary_.loc["spend"], spend.summary_)
    assert fitted.summary_.loc["purchases"].index.tolist() == list(alone.summary_.index)
    assert not hasattr(fitted.purchases, "r_")


def test_without_models_pareto_nbd_and_gamma_gamma_are_composed(customers):
    model = CustomerLifetimeValue().fit(customers)
    assert isinstance(model.purchases_, ParetoNBD)
    assert isinstance(model.spend_, GammaGamma)
    assert model.purchases is None


@pytest.mark.parametrize("by_name", [True, False])
def test_fitted_models_are_taken_as_they_are(fitted, customers, by_name):
    half = customers.head(1_000)
    X = half[COLUMNS].to_numpy(dtype=float)
    purchases = clone(fitted.purchases).fit(half if by_name else X[:, :3])
    spend = GammaGamma().fit(half if by_name else X[:, [1, 3, 4]])
    model = CustomerLifetimeValue(
        purchases=FrozenEstimator(purchases), spend=FrozenEstimator(spend)
    ).fit(customers)
    expected = clone(fitted).fit(half).predict(customers)
    np.testing.assert_allclose(model.predict(customers), expected, rtol=1e-12)
    assert model.summary_.loc["purchases"].equals(purchases.summary_)


def test_models_of_ones_own_get_their_columns_in_order():
    model = CustomerLifetimeValue(purchases=Steady(), spend=Spend()).fit(FEW)
    assert model.purchases_.first_ == FEW.iloc[0][COLUMNS[:3]].tolist()
    assert model.spend_.first_ == FEW.iloc[0][["order_days", *COLUMNS[3:]]].tolist()
    assert model.summary_.empty
    assert model.predict_alive(FEW).tolist() == [1.0] * 4


def test_a_model_with_predictions_of_its_own_is_asked_for_them(customers):
    class Doubled(BetaGeoNBD):
        def predict(self, X, horizon_days=None):
            return 2 * super().predict(X, horizon_days)

    expected = 2 * CustomerLifetimeValue(purchases=BetaGeoNBD()).fit(customers).predict(customers)
    found = CustomerLifetimeValue(purchases=Doubled()).fit(customers).predict(customers)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_parameters_of_the_models_are_set_through_the_composite(customers):
    model = CustomerLifetimeValue(purchases=Steady(), spend=GammaGamma())
    model.set_params(purchases__rate=0.5)
    assert model.get_params()["purchases__rate"] == 0.5
    orders = model.fit(customers).expected_orders(customers, horizon_days=10)
    assert orders.tolist() == [5.0] * len(customers)
    model.set_params(purchases=BetaGeoNBD(), purchases__horizon_days=30)
    assert model.fit(customers).purchases_.horizon_days == 30
    # The horizon of the composite is its own.
    whole = model.expected_orders(customers).sum()
    assert whole > model.purchases_.predict(customers[COLUMNS[:3]].to_numpy(float)).sum()


@pytest.mark.filterwarnings("ignore::segkit.exceptions.NotIdentifiedWarning")
@pytest.mark.parametrize(
    "parameters",
    [
        {"annual_discount_rate": -0.1},
        {"annual_discount_rate": np.inf},
        {"margin": 0},
        {"horizon_days": -1},
        {"purchases": "pareto"},
        {"spend": GammaGamma},
        {"columns": "monetary"},
    ],
    ids=repr,
)
def test_impossible_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of CustomerLifetimeValue"):
        CustomerLifetimeValue(**parameters).fit(FEW)


def test_a_warning_of_a_model_points_at_the_line_of_the_user():
    equal = FEW.assign(monetary=20.0 * FEW["order_days"], first_day_amount=20.0)
    table = pd.concat([equal] * 10)
    with pytest.warns(NotIdentifiedWarning) as caught:
        CustomerLifetimeValue().fit(table)
    assert {one.filename for one in caught} == {__file__}
    owners = [str(one.message).partition(":")[0] for one in caught]
    assert owners == ["ParetoNBD", "GammaGamma"]


# -- frames and errors -------------------------------------------------------------------------


def test_every_kind_of_frame_gives_the_same_fit(customers, kind):
    expected = CustomerLifetimeValue().fit(customers)
    found = CustomerLifetimeValue().fit(as_kind(customers, kind))
    pd.testing.assert_frame_equal(found.summary_, expected.summary_, rtol=1e-7)
    assert found.feature_names_in_.tolist() == COLUMNS
    assert found.n_features_in_ == 5


def test_every_eager_kind_of_frame_gives_the_same_values(fitted, customers, eager_kind):
    found = fitted.predict(as_kind(customers, eager_kind))
    assert found.tolist() == fitted.predict(customers).tolist()


@pytest.mark.parametrize(
    "verb", ["predict", "predict_alive", "expected_orders", "expected_order_value"]
)
def test_a_lazy_frame_is_said_to_be_collected(fitted, customers, lazy_kind, verb):
    with pytest.raises(LazyFrameError, match=rf"{verb} needs the values.*Collect the frame first"):
        getattr(fitted, verb)(as_kind(customers, lazy_kind))


def test_columns_are_picked_by_name_and_of_arrays_by_position(fitted, customers):
    expected = fitted.predict(customers).tolist()
    mixed = customers[customers.columns[::-1]].assign(extra="text")
    assert fitted.predict(mixed).tolist() == expected
    X = customers[COLUMNS].to_numpy(dtype=float)
    assert clone(fitted).fit(X).predict(X).tolist() == pytest.approx(expected)
    turned = clone(fitted).set_params(columns=(4, 3, 2, 1, 0)).fit(X[:, ::-1])
    assert turned.predict(X[:, ::-1]).tolist() == pytest.approx(expected)
    names = ["silent", "visits", "known", "spent", "at_first"]
    renamed = customers[COLUMNS].set_axis(names, axis="columns")
    found = clone(fitted).set_params(columns=names).fit(renamed)
    assert found.predict(renamed).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"order_days": [0, 2, 4, 3]}, SegkitValueError, "'order_days' is below 1 in 1 of 4"),
        ({"order_days": [1, 2, 4.5, 3]}, SegkitValueError, "'order_days' is no whole number in 1"),
        ({"recency_days": [6, 2, 4, 3]}, SegkitValueError, "'recency_days' exceeds 'tenure_days'"),
        ({"tenure_days": [-1, 40, 90, 60]}, SegkitValueError, "'tenure_days' is negative in 1"),
        ({"monetary": [np.nan, 1, 2, 3]}, MissingValuesError, "'monetary' contains NaN"),
        ({"first_day_amount": [np.inf, 1, 2, 3]}, SegkitValueError, "'first_day_amount' contains"),
        ({"monetary": ["1", "2", "3", "Ann"]}, SegkitTypeError, "'monetary' must hold numbers"),
    ],
)
def test_wrong_values_are_refused_by_the_name_of_their_column(fitted, change, error, said):
    wrong = FEW.assign(**change)
    for verb in (clone(fitted).fit, fitted.predict):
        with pytest.raises(error, match=said) as caught:
            verb(wrong)
        assert str(caught.value).startswith("CustomerLifetimeValue")
        assert "Ann" not in str(caught.value)


def test_a_missing_column_is_named(customers):
    with pytest.raises(ColumnError, match="column 'first_day_amount' is missing"):
        CustomerLifetimeValue().fit(customers.drop(columns="first_day_amount"))


def test_more_columns_than_five_are_refused(customers):
    with pytest.raises(ColumnError, match="columns must name 5 columns, got 6"):
        CustomerLifetimeValue(columns=[*COLUMNS, "frequency"]).fit(customers)


def test_after_a_fit_that_failed_there_is_nothing_to_predict(fitted, customers):
    model = clone(fitted)
    with pytest.raises(NotFittedError):
        model.predict(customers)
    model.fit(customers)
    with pytest.raises(SegkitValueError, match="has spend on a repeat order"):
        model.fit(customers.assign(monetary=customers["first_day_amount"]))
    for verb in (model.predict, model.predict_alive, model.expected_order_value):
        with pytest.raises(NotFittedError):
            verb(customers)


def test_nothing_is_changed_in_the_input(fitted, customers):
    before = customers.copy(deep=True)
    clone(fitted).fit(customers).predict(customers)
    pd.testing.assert_frame_equal(customers, before, check_exact=True)


def test_no_rows_get_no_values(fitted, customers):
    assert fitted.predict(customers.head(0)).shape == (0,)


# -- scikit-learn ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_checks_pass_but_where_their_arrays_are_too_narrow():
    outcomes = check_estimator(CustomerLifetimeValue(), on_fail=None, on_skip=None)
    failed = {
        outcome["check_name"]: str(outcome["exception"])
        for outcome in outcomes
        if outcome["status"] == "failed" and not _is_for_width(outcome["exception"])
    }
    assert set(failed) <= NO_REPEATS
    assert all("has spend on a repeat order" in said for said in failed.values())
    assert sum(outcome["status"] == "passed" for outcome in outcomes) >= 20


def test_a_model_survives_pickling_and_cloning(fitted, customers):
    found = pickle.loads(pickle.dumps(fitted)).predict(customers)
    assert found.tolist() == fitted.predict(customers).tolist()
    copied = clone(fitted)
    assert not hasattr(copied, "purchases_")
    assert copied.get_params().keys() == fitted.get_params().keys()


def test_parts_that_cannot_do_their_part_are_refused(customers):
    with pytest.raises(SegkitTypeError, match=r"spend must have .* ParetoNBD lacks"):
        CustomerLifetimeValue(spend=ParetoNBD()).fit(customers)
    with pytest.raises(SegkitTypeError, match=r"purchases must have .* GammaGamma lacks"):
        CustomerLifetimeValue(purchases=GammaGamma()).fit(customers)
