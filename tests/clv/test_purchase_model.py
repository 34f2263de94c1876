"""BetaGeoNBD and ParetoNBD: what both models of repeat buying keep to."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from frames import as_kind
from segkit import summarize_transactions
from segkit.clv import BetaGeoNBD, ParetoNBD
from segkit.datasets import load_online_retail, make_transactions
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    NotConvergedWarning,
    NotIdentifiedWarning,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.testing._scikit_learn_checks import _is_for_width

MODELS = [BetaGeoNBD, ParetoNBD]
PUBLISHED = {BetaGeoNBD: (0.243, 30.9, 0.793, 2.426), ParetoNBD: (0.553, 74.0, 0.606, 81.7)}
COLUMNS = ["recency_days", "order_days", "tenure_days"]
EXTREMES = pd.DataFrame(
    [
        [0, 5_001, 10_000],
        [10_000, 5_001, 10_000],
        [10_000, 1, 10_000],
        [0, 2, 10_000],
        [9_999, 3, 10_000],
        [0, 1, 0],
        [0, 3, 20],
        [300, 8, 300],
    ],
    columns=COLUMNS,
)

any_model = pytest.mark.parametrize("model", MODELS)


def parameters_of(model):
    return model.summary_["estimate"].to_numpy()


@pytest.fixture(scope="module", params=MODELS)
def fitted(request, customers):
    """Each model, fitted to the drawn customers."""
    return request.param().fit(customers)


# -- simulation --------------------------------------------------------------------------------


@any_model
def test_a_fit_to_drawn_customers_finds_the_parameters_again(at, model):
    true = at(model(), PUBLISHED[model])
    tenure = np.random.default_rng(0).uniform(100, 400, 20_000)
    drawn = true.simulate(20_000, tenure_days=tenure, random_state=0)
    found = model().fit(drawn)
    distance = (parameters_of(found) - PUBLISHED[model]) / found.standard_errors_
    assert distance.abs().max() < 3.5
    assert found.dropout_identified_


@any_model
def test_the_share_of_drawn_customers_who_are_active_is_that_predicted(at, model):
    true = at(model(), PUBLISHED[model])
    drawn = true.simulate(40_000, tenure_days=273, random_state=1)
    predicted = true.predict_alive(drawn)
    # Four standard errors of a mean of as many customers.
    margin = 4 * np.sqrt((predicted * (1 - predicted)).mean() / len(drawn))
    assert drawn["is_alive"].mean() == pytest.approx(predicted.mean(), abs=margin)
    sure = predicted > 0.9
    assert drawn.loc[sure, "is_alive"].mean() == pytest.approx(predicted[sure].mean(), abs=0.02)


@any_model
@pytest.mark.parametrize("days", [20.0, 400.0])
def test_drawn_customers_place_as_many_repeat_orders_as_expected(at, model, days):
    true = at(model(), PUBLISHED[model])
    repeats = true.simulate(40_000, tenure_days=days, random_state=2)["order_days"] - 1
    margin = 4 * repeats.std() / np.sqrt(len(repeats))
    assert repeats.mean() == pytest.approx(true.expected_repeat_orders(days), abs=margin)


@any_model
def test_what_drawn_customers_order_later_is_what_is_predicted_of_them(at, model):
    # Two draws of other customers, seen for 100 and for 300 days: their means are compared.
    true = at(model(), PUBLISHED[model])
    early = true.simulate(40_000, tenure_days=100, random_state=3)
    late = true.simulate(40_000, tenure_days=300, random_state=4)["order_days"]
    expected = (early["order_days"] + true.predict(early, horizon_days=200)).mean()
    assert late.mean() == pytest.approx(expected, abs=4 * late.std() / np.sqrt(20_000))


@any_model
def test_the_same_random_state_draws_the_same_customers(at, model):
    true = at(model(), PUBLISHED[model])
    first, second = (true.simulate(50, tenure_days=90, random_state=5) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    other = true.simulate(50, tenure_days=90, random_state=6)
    assert not first.equals(other)


@any_model
def test_drawn_customers_have_the_tenure_asked_for(at, model):
    tenure = np.array([0.0, 10.0, 1_000.0])
    drawn = at(model(), PUBLISHED[model]).simulate(3, tenure_days=tenure, random_state=0)
    assert drawn["tenure_days"].tolist() == tenure.tolist()
    assert drawn["recency_days"].between(0, tenure).all()
    assert drawn["order_days"].iloc[0] == 1
    assert drawn["is_alive"].iloc[0]
    once = drawn["order_days"] == 1
    assert (drawn["recency_days"] == drawn["tenure_days"])[once].all()


@pytest.mark.parametrize("tenure", [np.inf, np.nan, -1, "a year", [1, 2], [[1, 2, 3]]], ids=repr)
def test_impossible_tenures_are_refused(fitted, tenure):
    with pytest.raises(SegkitValueError, match="tenure_days must be"):
        fitted.simulate(3, tenure_days=tenure)


def test_impossible_numbers_of_customers_are_refused(fitted):
    with pytest.raises(SegkitValueError, match="at least 1, got 0"):
        fitted.simulate(0, tenure_days=1)
    with pytest.raises(SegkitTypeError, match="an integer, got float"):
        fitted.simulate(2.0, tenure_days=1)


@pytest.mark.parametrize("days", [-1, np.nan, [1, np.inf], "ten"], ids=repr)
def test_impossible_days_since_the_first_order_are_refused(fitted, days):
    with pytest.raises(SegkitValueError, match="days must be finite numbers from 0"):
        fitted.expected_repeat_orders(days)


# -- what a fit does not hang on ---------------------------------------------------------------


def test_the_order_of_rows_does_not_matter(fitted, customers):
    shuffled = clone(fitted).fit(customers.sample(frac=1, random_state=0))
    np.testing.assert_allclose(parameters_of(shuffled), parameters_of(fitted), rtol=1e-9)


def test_twice_the_customers_double_the_log_likelihood_and_halve_the_variances(fitted, customers):
    doubled = clone(fitted).fit(pd.concat([customers, customers]))
    np.testing.assert_allclose(parameters_of(doubled), parameters_of(fitted), rtol=1e-6)
    assert doubled.log_likelihood_ == pytest.approx(2 * fitted.log_likelihood_, rel=1e-12)
    errors = fitted.standard_errors_ / np.sqrt(2)
    np.testing.assert_allclose(doubled.standard_errors_, errors, rtol=1e-5)


@pytest.mark.parametrize("unit", [7, 1 / 7, 24])
def test_days_in_another_unit_scale_what_is_counted_in_days(fitted, customers, unit):
    days = ["recency_days", "tenure_days"]
    other = customers.assign(**{name: customers[name] * unit for name in days})
    scaled = clone(fitted).fit(other)
    factor = [unit if name in ("alpha", "beta") else 1 for name in fitted._parameter_names]
    np.testing.assert_allclose(parameters_of(scaled), parameters_of(fitted) * factor, rtol=1e-6)
    repeats = (customers["order_days"] - 1).sum()
    assert scaled.log_likelihood_ + repeats * np.log(unit) == pytest.approx(
        fitted.log_likelihood_, rel=1e-10
    )
    np.testing.assert_allclose(
        scaled.predict(other, horizon_days=90 * unit),
        fitted.predict(customers, horizon_days=90),
        rtol=1e-5,
    )


def test_parts_of_days_hardly_change_the_fit(fitted, customers):
    later = customers.assign(
        recency_days=customers["recency_days"] + 1e-9, tenure_days=customers["tenure_days"] + 1e-9
    )
    np.testing.assert_allclose(
        parameters_of(clone(fitted).fit(later)), parameters_of(fitted), rtol=1e-6
    )


def test_a_customer_alone_is_predicted_as_in_the_batch(fitted, customers):
    some = customers.head(30)
    for verb in (fitted.predict, fitted.predict_alive):
        alone = [verb(some.iloc[[row]])[0] for row in range(len(some))]
        np.testing.assert_allclose(verb(customers)[:30], alone, rtol=1e-13)


def test_customers_with_the_same_history_are_predicted_the_same(fitted, customers):
    twice = pd.concat([customers, customers.iloc[::-1]])
    found = fitted.predict(twice)
    assert found[: len(customers)].tolist() == found[len(customers) :][::-1].tolist()


# -- predictions -------------------------------------------------------------------------------


@any_model
@given(
    recency=st.floats(0, 1),
    order_days=st.integers(1, 30) | st.just(5_001),
    tenure=st.integers(0, 2_000),
    shorter=st.floats(0, 4_000),
    further=st.floats(0, 4_000),
)
def test_predictions_keep_their_ranges(at, model, recency, order_days, tenure, shorter, further):
    fitted = at(model(), PUBLISHED[model])
    customer = [[recency * tenure if order_days > 1 else tenure, order_days, tenure]]
    assert 0 <= fitted.predict_alive(customer)[0] <= 1
    few = fitted.predict(customer, horizon_days=shorter)[0]
    more = fitted.predict(customer, horizon_days=shorter + further)[0]
    assert 0 <= few <= more * (1 + 1e-9)
    assert np.isfinite(more)
    assert fitted.predict(customer, horizon_days=0).tolist() == [0.0]


@any_model
@pytest.mark.parametrize("days", [1, 365, 3_650])
def test_extreme_customers_have_finite_predictions(at, model, days):
    fitted = at(model(), PUBLISHED[model])
    alive, orders = fitted.predict_alive(EXTREMES), fitted.predict(EXTREMES, horizon_days=days)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert np.isfinite(orders).all()
    assert (orders >= 0).all()
    # Of 5,001 orders in 10,000 days, none since the first day; or one just now.
    assert alive[1] < 1e-12
    assert alive[0] > 0.99
    assert orders[0] == pytest.approx(days / 2, rel=0.35)


@any_model
def test_a_fit_to_extreme_customers_gives_finite_predictions(quiet_fit, model):
    fitted = quiet_fit(model(), EXTREMES)
    assert np.isfinite(parameters_of(fitted)).all()
    assert np.isfinite(fitted.predict(EXTREMES, horizon_days=3_650)).all()
    assert np.isfinite(fitted.predict_alive(EXTREMES)).all()


@any_model
@pytest.mark.parametrize("order_days", [[1, 1.5, 1.7, 2], [2, 3, 2, 1e200]])
def test_an_array_of_odd_numbers_gives_no_warning_of_numpy(quiet_fit, model, order_days):
    # numpy's RuntimeWarning would be an error here.
    X = np.column_stack([[1, 2, 1, 2], order_days, [3, 7, 9, 30]])
    assert not np.isnan(quiet_fit(model(), X).predict(X[:3])).any()


def test_the_horizon_is_the_parameter_unless_it_is_said(fitted, customers):
    default = clone(fitted).set_params(horizon_days=90).fit(customers)
    expected = fitted.predict(customers, horizon_days=90)
    assert default.predict(customers).tolist() == expected.tolist()
    assert default.predict(customers, 30).sum() < expected.sum()


@pytest.mark.parametrize("horizon", [-1, np.inf, np.nan])
def test_horizons_that_cannot_be_are_refused(fitted, customers, horizon):
    with pytest.raises(SegkitValueError, match="horizon_days must be a finite number"):
        fitted.predict(customers, horizon_days=horizon)


@pytest.mark.parametrize("horizon", ["a year", True, [30], 1j, np.complex128(1)], ids=repr)
def test_horizons_that_are_no_numbers_are_refused(fitted, customers, horizon):
    with pytest.raises(SegkitTypeError, match="horizon_days must be a number of days"):
        fitted.predict(customers, horizon_days=horizon)


# -- what the data cannot say ------------------------------------------------------------------

NOTHING_SAID = {
    "bought once": np.column_stack([np.arange(5, 55), np.ones(50), np.arange(5, 55)]),
    "one customer": [[10, 4, 100]],
    "one customer who bought once": [[100, 1, 100]],
    "one customer of today": [[0, 1, 0]],
    "all of today": [[0, 1, 0]] * 20,
    "all alike": [[10, 4, 100]] * 30,
    "last order at the first": [[100, 4, 100]] * 30,
    "bought on the day of the table": [[0, 4, 100], [0, 2, 50], [0, 7, 130]] * 10,
}


@any_model
@pytest.mark.parametrize("rows", NOTHING_SAID.values(), ids=NOTHING_SAID)
def test_data_that_say_nothing_of_dropout_give_one_warning_and_finite_numbers(model, rows):
    table = pd.DataFrame(rows, columns=COLUMNS)
    with pytest.warns(NotIdentifiedWarning, match="are not identified") as caught:
        fitted = model().fit(table)
    assert len(caught) == 1
    assert not fitted.dropout_identified_
    assert np.isfinite(parameters_of(fitted)).all()
    for frame in (table, EXTREMES):
        alive, orders = fitted.predict_alive(frame), fitted.predict(frame, horizon_days=3_650)
        assert ((alive >= 0) & (alive <= 1)).all()
        assert np.isfinite(orders).all()
        assert (orders >= 0).all()
    assert np.isfinite(fitted.expected_repeat_orders([0, 1, 3_650])).all()
    assert len(fitted.simulate(20, tenure_days=100, random_state=0)) == 20


@any_model
def test_customers_none_of_whom_drop_out_are_said_not_to_be_told_from_slow_ones(model):
    rng = np.random.default_rng(0)
    T = rng.integers(50, 400, 2_000)
    x = rng.poisson(rng.gamma(0.9, 1 / 60, T.size) * T)
    last = np.where(x > 0, np.floor(T * rng.beta(np.maximum(x, 1), 1)), 0)
    table = pd.DataFrame({"recency_days": T - last, "order_days": x + 1, "tenure_days": T})
    with pytest.warns(
        NotIdentifiedWarning,
        match=r"do not tell dropout from slow buying: the log-likelihood is [01]\.\d\d above",
    ):
        fitted = model().fit(table)
    assert fitted.log_likelihood_ - fitted.nbd_log_likelihood_ < 2
    assert not fitted.dropout_identified_


@pytest.mark.parametrize(
    ("model", "n_customers", "seed", "identified"),
    [
        (BetaGeoNBD, 40, 5, True),
        (BetaGeoNBD, 40, 12, False),
        (ParetoNBD, 40, 18, True),
        (ParetoNBD, 80, 19, False),
    ],
)
def test_a_gain_of_2_in_the_log_likelihood_makes_dropout_identified(
    at, quiet_fit, model, n_customers, seed, identified
):
    like = at(model(), PUBLISHED[model])
    drawn = like.simulate(n_customers, tenure_days=273, random_state=seed)
    fitted = quiet_fit(model(), drawn)
    gain = fitted.log_likelihood_ - fitted.nbd_log_likelihood_
    assert 2 < gain < 3 if identified else 1.5 < gain < 2
    assert fitted.standard_errors_.notna().all()
    assert fitted.dropout_identified_ is identified


def test_a_warning_says_what_p_alive_then_is():
    table = pd.DataFrame(NOTHING_SAID["all alike"], columns=COLUMNS)
    with pytest.warns(NotIdentifiedWarning, match=r"1\.00 for all of these customers"):
        BetaGeoNBD().fit(table)
    table = pd.DataFrame(NOTHING_SAID["bought once"], columns=COLUMNS)
    with pytest.warns(NotIdentifiedWarning, match=r"it: 0\.\d\d to 0\.\d\d for these customers"):
        ParetoNBD().fit(table)


@pytest.mark.parametrize(
    ("model", "like", "seed", "said"),
    [
        (BetaGeoNBD, (0.6, 30, 3_000, 9_000), 5, r"on the boundary \(b → ∞\)"),
        (BetaGeoNBD, (0.6, 30, 3_000, 9_000), 2, r"on the boundary \(b → ∞\)"),
        (ParetoNBD, (0.7, 60, 5_000, 900_000), 1, r"on the boundary \(s → ∞\)"),
    ],
)
def test_dropout_alike_for_all_is_said_and_not_taken_for_slow_buying(at, model, like, seed, said):
    # Both parameters go to infinity together: the data tell their ratio only.
    drawn = at(model(), like).simulate(1_500, tenure_days=300, random_state=seed)
    with pytest.warns(NotIdentifiedWarning, match=said) as caught:
        fitted = model().fit(drawn)
    assert len(caught) == 1
    assert "do not seem to differ in how they drop out" in str(caught[0].message)
    assert fitted.converged_
    assert fitted.log_likelihood_ - fitted.nbd_log_likelihood_ > 10
    assert fitted.standard_errors_[2:].isna().any()
    assert fitted.standard_errors_[:2].notna().all()
    expected = at(model(), like).predict(drawn, horizon_days=90)
    assert fitted.predict(drawn, horizon_days=90).mean() == pytest.approx(expected.mean(), rel=0.1)


def test_dropout_that_seems_alike_is_no_failure_to_converge():
    # The likelihood goes on rising, hardly, with s and beta.
    log = make_transactions(500, random_state=0)
    table = summarize_transactions(log, order_id="order_id")
    with pytest.warns(NotIdentifiedWarning, match="not seem to differ in how they drop") as caught:
        fitted = ParetoNBD().fit(table)
    assert len(caught) == 1
    assert fitted.converged_
    assert fitted.standard_errors_.isna().tolist() == [False, False, True, True]


@any_model
def test_a_fit_that_tells_dropout_gives_no_warning(model, customers):
    fitted = model().fit(customers)
    assert fitted.dropout_identified_
    assert fitted.converged_
    assert fitted.standard_errors_.notna().all()
    gain = fitted.log_likelihood_ - fitted.nbd_log_likelihood_
    assert gain > 2
    np.testing.assert_allclose(np.diag(fitted.correlation_), 1.0)
    assert fitted.summary_.index.tolist() == list(model._parameter_names)


@any_model
def test_a_search_without_an_end_is_said(model, customers, monkeypatch):
    monkeypatch.setattr("segkit.clv._maximum_likelihood._TOLERANCE", 0.0)
    with pytest.warns(NotConvergedWarning, match=r"did not converge in \d+ evaluations"):
        fitted = model().fit(customers)
    assert not fitted.converged_


@any_model
def test_a_warning_points_at_the_line_of_the_user(model):
    table = pd.DataFrame(NOTHING_SAID["all alike"], columns=COLUMNS)
    for estimator in (model(), make_pipeline(model())):
        with pytest.warns(NotIdentifiedWarning) as caught:
            estimator.fit(table)
        assert caught[0].filename == __file__


@pytest.mark.realdata
@any_model
@pytest.mark.parametrize("as_of", ["2011-06-30", "2011-12-10"])
def test_online_retail_does_not_tell_dropout_from_slow_buying(data_folder, model, as_of):
    log = load_online_retail(data_folder / "online_retail.csv.gz")
    table = summarize_transactions(log, order_id="order_id", as_of=as_of, missing="drop")
    with pytest.warns(NotIdentifiedWarning, match=r"0\.\d\d above"):
        fitted = model().fit(table)
    assert fitted.log_likelihood_ - fitted.nbd_log_likelihood_ < 0.2
    if as_of == "2011-06-30":
        assert fitted.predict_alive(table).min() > 0.99


# -- frames ------------------------------------------------------------------------------------


def test_every_kind_of_frame_gives_the_same_fit(fitted, customers, kind):
    found = clone(fitted).fit(as_kind(customers, kind))
    np.testing.assert_allclose(parameters_of(found), parameters_of(fitted), rtol=1e-9)
    assert found.feature_names_in_.tolist() == COLUMNS


def test_every_eager_kind_of_frame_gives_the_same_predictions(fitted, customers, eager_kind):
    frame = as_kind(customers, eager_kind)
    assert fitted.predict(frame).tolist() == fitted.predict(customers).tolist()
    assert fitted.predict_alive(frame).tolist() == fitted.predict_alive(customers).tolist()


@pytest.mark.parametrize("verb", ["predict", "predict_alive"])
def test_a_lazy_frame_is_not_predicted_but_said_to_be_collected(fitted, customers, lazy_kind, verb):
    with pytest.raises(LazyFrameError, match=rf"{verb} needs the values.*Collect the frame first"):
        getattr(fitted, verb)(as_kind(customers, lazy_kind))


def test_columns_are_picked_by_name(fitted, customers):
    mixed = customers[customers.columns[::-1]].assign(extra="text")
    assert fitted.predict(mixed).tolist() == fitted.predict(customers).tolist()
    renamed = customers.rename(columns={"order_days": "visits"})
    model = clone(fitted).set_params(columns=["recency_days", "visits", "tenure_days"])
    found = model.fit(renamed)
    assert parameters_of(found).tolist() == parameters_of(fitted).tolist()
    assert found.predict(renamed).tolist() == fitted.predict(customers).tolist()


def test_arrays_are_read_by_position(fitted, customers):
    X = customers[COLUMNS].to_numpy(dtype=float)
    found = clone(fitted).fit(X)
    assert parameters_of(found).tolist() == parameters_of(fitted).tolist()
    assert found.predict(X).tolist() == fitted.predict(customers).tolist()
    wide = np.column_stack([X[:, 2], X[:, 0], np.zeros(len(X)), X[:, 1]])
    by_position = clone(fitted).set_params(columns=(1, 3, 0)).fit(wide)
    assert by_position.predict(wide).tolist() == fitted.predict(customers).tolist()


def test_nothing_is_changed_in_the_input(fitted, customers):
    before = customers.copy(deep=True)
    clone(fitted).fit(customers).predict(customers)
    pd.testing.assert_frame_equal(customers, before, check_exact=True)
    X = customers[COLUMNS].to_numpy(dtype=float)
    kept = X.copy()
    clone(fitted).fit(X).predict(X)
    np.testing.assert_array_equal(X, kept)


def test_no_rows_get_no_predictions(fitted, customers):
    assert fitted.predict(customers.head(0)).shape == (0,)
    assert fitted.predict_alive(customers.head(0)).shape == (0,)


# -- errors ------------------------------------------------------------------------------------

FEW = pd.DataFrame(
    {"recency_days": [5.0, 20, 3], "order_days": [1.0, 2, 4], "tenure_days": [5.0, 40, 90]}
)
WRONG = {
    "missing": ({"order_days": [1, np.nan, 4]}, MissingValuesError, "'order_days' contains NaN"),
    "infinite": ({"tenure_days": [5, np.inf, 90]}, SegkitValueError, "'tenure_days' contains inf"),
    "negative": ({"recency_days": [5, -2, 3]}, SegkitValueError, "'recency_days' is negative"),
    "text": ({"order_days": ["1", "2", "Ann"]}, SegkitTypeError, "'order_days' must hold numbers"),
    "swapped": ({"recency_days": [5, 41, 3]}, SegkitValueError, "exceeds 'tenure_days' in 1 of 3"),
    "no order": ({"order_days": [0, 2, 4]}, SegkitValueError, "'order_days' is below 1 in 1 of 3"),
    "half": ({"order_days": [1, 2.5, 4]}, SegkitValueError, "'order_days' is no whole number in 1"),
}


@any_model
@pytest.mark.parametrize(("change", "error", "said"), WRONG.values(), ids=WRONG)
def test_what_no_customer_can_have_is_refused_by_the_name_of_its_column(
    quiet_fit, model, change, error, said
):
    wrong = FEW.assign(**change)
    with pytest.raises(error, match=said) as caught:
        model().fit(wrong)
    assert str(caught.value).startswith(model.__name__)
    assert "Ann" not in str(caught.value)
    with pytest.raises(error, match=said):
        quiet_fit(model(), FEW).predict(wrong)


@any_model
@pytest.mark.parametrize("case", ["negative", "swapped", "no order", "half"])
def test_columns_of_other_names_are_held_to_the_same(model, case):
    change, error, said = WRONG[case]
    names = {"recency_days": "silent", "order_days": "visits", "tenure_days": "known"}
    for name, other in names.items():
        said = said.replace(name, other)
    renamed = FEW.assign(**change).rename(columns=names)
    with pytest.raises(error, match=said):
        model(columns=list(names.values())).fit(renamed)


@any_model
def test_a_missing_column_is_named(model, customers):
    with pytest.raises(ColumnError, match="column 'order_days' is missing"):
        model().fit(customers.drop(columns="order_days"))
    with pytest.raises(ColumnError, match="Did you mean 'order_day'"):
        model().fit(customers.rename(columns={"order_days": "order_day"}))


@any_model
def test_an_empty_frame_is_refused(model, customers):
    with pytest.raises(SegkitValueError, match="has no rows"):
        model().fit(customers.head(0))


@any_model
@pytest.mark.parametrize("columns", [COLUMNS[:2], [*COLUMNS, "monetary"]])
def test_more_or_fewer_columns_than_three_are_refused(model, customers, columns):
    with pytest.raises(ColumnError, match=r"columns must name (at least )?3 columns, got"):
        model(columns=columns).fit(customers)


def test_before_fit_and_after_a_fit_that_failed_there_is_nothing_to_predict(fitted, customers):
    model = clone(fitted)
    for verb in (model.predict, model.predict_alive):
        with pytest.raises(NotFittedError):
            verb(customers)
    with pytest.raises(NotFittedError):
        model.simulate(3, tenure_days=1)
    model.fit(customers)
    with pytest.raises(SegkitValueError):
        model.fit(FEW.assign(order_days=0))
    with pytest.raises(NotFittedError):
        model.predict(customers)
    with pytest.raises(NotFittedError):
        model.expected_repeat_orders(1)


# -- scikit-learn ------------------------------------------------------------------------------


@any_model
@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_checks_pass_but_where_their_arrays_are_too_narrow(model):
    outcomes = check_estimator(model(), on_fail=None, on_skip=None)
    failed = {
        outcome["check_name"]: outcome["exception"]
        for outcome in outcomes
        if outcome["status"] == "failed" and not _is_for_width(outcome["exception"])
    }
    assert failed == {}
    assert sum(outcome["status"] == "passed" for outcome in outcomes) > 30


def test_a_model_survives_pickling(fitted, customers):
    found = pickle.loads(pickle.dumps(fitted)).predict(customers)
    assert found.tolist() == fitted.predict(customers).tolist()


def test_a_clone_has_the_parameters_and_nothing_learned(fitted):
    copied = clone(fitted.set_params(horizon_days=30))
    assert copied.get_params() == fitted.get_params()
    assert not hasattr(copied, "summary_")
    fitted.set_params(horizon_days=365)


@any_model
def test_a_fit_does_not_look_at_the_global_random_state(model, customers):
    np.random.seed(0)  # noqa: NPY002
    first = parameters_of(model().fit(customers))
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert parameters_of(model().fit(customers)).tolist() == first.tolist()
    assert np.random.get_state()[1].tolist() == state.tolist()  # noqa: NPY002


def test_every_warning_is_of_the_family():
    assert issubclass(NotIdentifiedWarning, SegkitWarning)
    assert issubclass(NotConvergedWarning, SegkitWarning)


@any_model
@pytest.mark.parametrize("column", ["order_days", "tenure_days"])
def test_days_beyond_the_calendar_are_refused(model, column):
    customers = pd.DataFrame({"recency_days": 1.0, "order_days": 2.0, "tenure_days": [9.0, 30.0]})
    customers.loc[1, column] = 1e300
    with pytest.raises(SegkitValueError, match=rf"'{column}' exceeds 3,652,059 days, 10,000 years"):
        model().fit(customers)


@any_model
def test_arrays_of_the_largest_numbers_give_no_warning_of_numpy(quiet_fit, model):
    X = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 1.7e308], [1.0, 3.0, 9.0]])
    assert not np.isnan(quiet_fit(model(), X).predict(X)).any()
