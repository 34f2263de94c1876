"""LifecycleStager: stages by their definition, on every kind of frame and alone."""

import itertools
import pickle
import warnings

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import betaln, gammaln
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from frames import as_kind, columns_of, rows_of
from segkit import LifecycleStager, summarize_transactions
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, ParetoNBD
from segkit.datasets import make_transactions
from segkit.exceptions import (
    AlwaysAliveWarning,
    ColumnError,
    LazyFrameError,
    NotIdentifiedWarning,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from strategies import journeys

JOURNEY = ["prospect", "new", "active", "at_risk", "churned"]
WITH_REACTIVATED = ["prospect", "new", "active", "reactivated", "at_risk", "churned"]


@pytest.fixture(scope="module")
def customers():
    """A drawn customer table, with two of a CRM who have not ordered yet."""
    log = make_transactions(600, random_state=3)
    table = summarize_transactions(log, extras="last_gap")[
        ["customer_id", "recency_days", "order_days", "tenure_days", "last_gap_days"]
    ].astype(float)
    prospects = pd.DataFrame({"customer_id": [9001.0, 9002.0], "order_days": [0.0, np.nan]})
    return pd.concat([table, prospects], ignore_index=True)


def quiet_fit(stager, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return stager.fit(X)


def stage_by_hand(row, silence, new_days, at_risk, churned):
    """The stage of one customer, as the docstring defines it, in plain Python."""
    recency, orders, tenure = row["recency_days"], row["order_days"], row["tenure_days"]
    if recency != recency or orders < 1:
        return "prospect"
    if orders != orders or tenure != tenure:
        return "unassigned"
    if tenure <= new_days:
        return "new"
    now = silence(recency, orders, tenure - recency)
    if now > churned:
        return "churned"
    if now > at_risk:
        return "at_risk"
    gap = row.get("last_gap_days", float("nan"))
    if (
        recency <= new_days
        and gap >= 0
        and orders > 1
        and silence(gap, orders - 1, tenure - recency - gap) > churned
    ):
        return "reactivated"
    return "active"


def in_days(recency, orders, active_days):
    return recency


def in_gaps(r, alpha):
    return lambda recency, orders, active_days: recency / ((alpha + active_days) / (r + orders + 1))


# Stages by days: every boundary by hand.

BY_HAND = pd.DataFrame(
    [
        # recency, order days, tenure, last gap
        (np.nan, np.nan, np.nan, np.nan, "prospect"),
        (np.nan, 3, 90, 10, "prospect"),
        (0, 0, 0, np.nan, "prospect"),
        (30, 1, 30, np.nan, "new"),
        (2, 5, 30, 4, "new"),
        (31, 1, 31, np.nan, "active"),
        (60, 2, 100, 40, "active"),
        (61, 2, 100, 39, "at_risk"),
        (180, 2, 200, 20, "at_risk"),
        (181, 2, 200, 19, "churned"),
        (5, 2, 186, 181, "reactivated"),
        (30, 2, 211, 181, "reactivated"),
        (31, 2, 212, 181, "active"),
        (5, 2, 185, 180, "active"),
        (61, 2, 300, 200, "at_risk"),
        (5, 2, 400, np.nan, "active"),
        (5, np.nan, 400, 3, "unassigned"),
        (5, 2, np.nan, 3, "unassigned"),
    ],
    columns=["recency_days", "order_days", "tenure_days", "last_gap_days", "stage"],
)


def test_stages_by_days_at_every_boundary():
    stager = LifecycleStager(method="fixed").fit(BY_HAND)
    assert stager.predict_segments(BY_HAND).tolist() == BY_HAND["stage"].tolist()
    assert [stager.predict_one(row) for row in BY_HAND.to_dict("records")] == [*BY_HAND["stage"]]


def test_stages_by_days_in_every_frame(kind):
    frame = as_kind(BY_HAND.reset_index(names="row"), kind)
    stager = LifecycleStager(method="fixed").fit(BY_HAND)
    staged = rows_of(stager.assign(frame), "row")
    assert [row["lifecycle_stage"] for row in staged] == BY_HAND["stage"].tolist()


def test_without_the_last_gap_nobody_is_reactivated():
    table = BY_HAND.drop(columns="last_gap_days")
    stager = LifecycleStager(method="fixed").fit(table)
    assert stager.segments_.tolist() == JOURNEY
    expected = BY_HAND["stage"].replace("reactivated", "active").tolist()
    assert stager.predict_segments(table).tolist() == expected


def test_the_last_gap_is_used_where_the_frame_of_fit_has_it():
    stager = LifecycleStager(method="fixed").fit(BY_HAND)
    assert stager.segments_.tolist() == WITH_REACTIVATED
    with pytest.raises(ColumnError, match=r"'last_gap_days' is missing.*extras='last_gap'"):
        stager.predict(BY_HAND.drop(columns="last_gap_days"))
    without = LifecycleStager(method="fixed").fit(BY_HAND.drop(columns="last_gap_days"))
    assert without.predict_segments(BY_HAND).tolist()[10] == "active"


def test_the_last_gap_may_have_another_name_or_be_a_position():
    renamed = BY_HAND.rename(columns={"last_gap_days": "pause"})
    columns = ["recency_days", "order_days", "tenure_days", "pause"]
    by_name = LifecycleStager(method="fixed", columns=columns).fit(renamed)
    by_position = LifecycleStager(method="fixed", columns=(0, 1, 2, 3)).fit(renamed)
    array = renamed[columns].to_numpy()
    of_array = LifecycleStager(method="fixed", columns=columns).fit(array)
    for stager, X in ((by_name, renamed), (by_position, renamed), (of_array, array)):
        assert stager.predict_segments(X).tolist() == BY_HAND["stage"].tolist()


def test_names_can_be_replaced():
    stager = LifecycleStager(method="fixed", stages={"at_risk": "lapsed", "churned": "dormant"})
    stager.fit(BY_HAND)
    expected = BY_HAND["stage"].replace({"at_risk": "lapsed", "churned": "dormant"}).tolist()
    assert stager.predict_segments(BY_HAND).tolist() == expected
    assert "dormant" in stager.describe().set_index("segment").loc["reactivated", "rule"]


def test_stages_are_categories_in_the_order_of_the_journey():
    staged = LifecycleStager(method="fixed").fit(BY_HAND).assign(BY_HAND)["lifecycle_stage"]
    assert staged.cat.categories.tolist() == [*WITH_REACTIVATED, "unassigned"]
    assert staged.cat.ordered


# Stages by a customer's own rhythm.


@given(table=journeys(), new_days=st.integers(0, 60) | st.none())
def test_stages_by_rhythm_follow_the_definition(table, new_days):
    stager = quiet_fit(LifecycleStager(new_days=new_days), table)
    prior, limits = stager.prior_, stager.thresholds_
    expected = [
        stage_by_hand(row, in_gaps(prior["r"], prior["alpha_days"]), *limits.values())
        for row in table.to_dict("records")
    ]
    assert stager.predict_segments(table).tolist() == expected
    assert [stager.predict_one(row) for row in table.to_dict("records")] == expected


def test_stages_by_rhythm_are_alike_in_every_frame(customers, kind):
    expected = LifecycleStager().fit(customers).assign(customers)
    frame = as_kind(customers, kind)
    staged = LifecycleStager().fit(frame).assign(frame)
    expected_rows = rows_of(expected, "customer_id")
    for row, other in zip(rows_of(staged, "customer_id"), expected_rows, strict=True):
        assert row["lifecycle_stage"] == other["lifecycle_stage"]
        for name in ("expected_gap_days", "silent_gaps"):
            assert row[name] == (None if pd.isna(other[name]) else other[name])


def test_the_prior_is_that_of_the_mbg_nbd(customers):
    # Batislam, Denizel & Filiztekin (2007), (4), written out; Nelder-Mead knows no gradient.
    known = customers[customers["order_days"] >= 1]
    x = known["order_days"].to_numpy() - 1
    t_x, T = (known["tenure_days"] - known["recency_days"]).to_numpy(), known["tenure_days"]

    def loss(logs):
        r, alpha, a, b = np.exp(logs)
        rates = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        active = betaln(a, b + x + 1) - betaln(a, b) - (r + x) * np.log(alpha + T)
        gone = betaln(a + 1, b + x) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        return -(rates + np.logaddexp(active, gone)).sum()

    start = np.log([1.0, 50.0, 0.5, 2.0])
    options = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 20_000, "maxfev": 20_000}
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    r, alpha = np.exp(found.x[:2])
    prior = LifecycleStager().fit(customers).prior_
    assert prior["r"] == pytest.approx(r, rel=1e-4)
    assert prior["alpha_days"] == pytest.approx(alpha, rel=1e-4)
    assert prior["gap_days"] == pytest.approx(alpha / (r + 2), rel=1e-4)


def test_thresholds_are_natural_breaks_of_all_silences(customers):
    # Jenks: of all ways to cut the sorted values into three groups, the one with the least
    # squared deviations from the groups' means, by trying them all.
    few = customers.iloc[::8]
    stager = LifecycleStager().fit(few)
    silences = np.log1p(np.sort(stager.transform(few)[:, 1])[: int(few["order_days"].ge(1).sum())])

    def spread(group):
        return ((group - group.mean()) ** 2).sum()

    cuts = min(
        itertools.combinations(range(1, len(silences)), 2),
        key=lambda cut: sum(spread(group) for group in np.split(silences, cut)),
    )
    groups = np.split(silences, cuts)
    centres = [group.mean() for group in groups]
    first, second = (np.expm1((a + b) / 2) for a, b in itertools.pairwise(centres))
    assert first > 1
    assert stager.thresholds_["at_risk_gaps"] == pytest.approx(first, rel=1e-9)
    assert stager.thresholds_["churned_gaps"] == pytest.approx(second, rel=1e-9)


def test_three_silences_are_enough_to_learn_from():
    # Four orders in 30 days each, and silences of 1, 30 and 900 days: three groups of one value,
    # cut halfway between them.
    table = pd.DataFrame({"recency_days": [1.0, 30, 900] * 5, "order_days": 4})
    table["tenure_days"] = table["recency_days"] + 30
    stager = LifecycleStager(new_days=0).fit(table)
    assert stager.predict_segments(table).tolist()[:3] == ["active", "at_risk", "churned"]
    logs = np.log1p(np.unique(stager.transform(table)[:, 1]))
    limits = [stager.thresholds_[f"{stage}_gaps"] for stage in ("at_risk", "churned")]
    assert limits[1] == pytest.approx(np.expm1((logs[1] + logs[2]) / 2))
    two = table[table["recency_days"] < 100]
    assert LifecycleStager().fit(two).thresholds_["churned_gaps"] == 3


def test_prospects_teach_nothing(customers):
    nothing = {"recency_days": 0.0, "order_days": 0, "tenure_days": 0.0, "last_gap_days": np.nan}
    zeros = customers.assign(**nothing).head(100)
    with_them = LifecycleStager().fit(pd.concat([customers, zeros]))
    assert with_them.thresholds_ == LifecycleStager().fit(customers).thresholds_


def test_customers_are_new_until_one_order_is_a_risk(customers):
    stager = LifecycleStager().fit(customers)
    limits = stager.thresholds_
    assert limits["new_days"] == limits["at_risk_gaps"] * stager.prior_["gap_days"]


def test_each_customer_alone_is_staged_as_in_the_batch(customers):
    stager = LifecycleStager().fit(customers)
    names = stager.predict_segments(customers).tolist()
    assert set(names) == set(WITH_REACTIVATED)
    assert [stager.predict_one(row) for row in customers.to_dict("records")] == names


def test_equal_silence_means_more_for_whoever_buys_often(customers):
    stager = LifecycleStager().fit(customers)
    weekly = {"recency_days": 60, "order_days": 40, "tenure_days": 340, "last_gap_days": 7}
    yearly = {"recency_days": 60, "order_days": 3, "tenure_days": 700, "last_gap_days": 320}
    assert stager.predict_one(weekly) in {"at_risk", "churned"}
    assert stager.predict_one(yearly) in {"active", "reactivated"}


def test_the_expected_gap_nears_the_customers_own_with_every_order(customers):
    stager = LifecycleStager().fit(customers)
    rows = pd.DataFrame(
        {
            "recency_days": 0.0,
            "order_days": [1.0, 11, 101, 1001],
            "tenure_days": [0.0, 100, 1000, 10_000],
            "last_gap_days": [np.nan, 10, 10, 10],
        }
    )
    gaps = stager.transform(rows)[:, 0]
    assert gaps[0] == stager.prior_["gap_days"]
    assert np.all(np.diff(np.abs(gaps - 10)) < 0)
    assert gaps[-1] == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("unit", [24, 1 / 7])
def test_the_unit_of_time_changes_no_stage(customers, unit):
    times = ["recency_days", "tenure_days", "last_gap_days"]
    stretched = customers.assign(**{name: customers[name] * unit for name in times})
    expected = LifecycleStager().fit(customers).labels_
    assert LifecycleStager().fit(stretched).labels_.tolist() == expected.tolist()


def test_given_thresholds_are_kept(customers):
    stager = LifecycleStager(at_risk_gaps=2, churned_gaps=5, new_days=10).fit(customers)
    assert stager.thresholds_ == {"new_days": 10, "at_risk_gaps": 2, "churned_gaps": 5}


def test_a_learned_threshold_gives_way_to_a_given_one(customers):
    learned = LifecycleStager().fit(customers).thresholds_
    higher, lower = 2 * learned["churned_gaps"], learned["at_risk_gaps"] / 2
    above = LifecycleStager(at_risk_gaps=higher).fit(customers).thresholds_
    assert above["churned_gaps"] == 3 * higher
    below = LifecycleStager(churned_gaps=lower).fit(customers).thresholds_
    assert below["at_risk_gaps"] == pytest.approx(lower / 3)
    kept = LifecycleStager(churned_gaps=higher).fit(customers).thresholds_
    assert kept["at_risk_gaps"] == learned["at_risk_gaps"]


def test_where_nobody_bought_twice_there_is_no_rhythm():
    once = pd.DataFrame(
        {"recency_days": [3.0, 90, 300], "order_days": [1, 1, 1], "tenure_days": [3.0, 90, 300]}
    )
    with pytest.warns(
        NotIdentifiedWarning, match=r"two days \(3 have ordered\), .* no rhythm to learn"
    ):
        stager = LifecycleStager().fit(once)
    assert stager.predict_segments(once).tolist() == ["new"] * 3


def test_where_nobody_has_ordered_all_are_prospects():
    nobody = pd.DataFrame(
        {"recency_days": [np.nan, np.nan], "order_days": [0, 0], "tenure_days": [np.nan, np.nan]}
    )
    for method in ("cadence", "alive"):
        with pytest.warns(NotIdentifiedWarning):
            stager = LifecycleStager(method=method).fit(nobody)
        assert stager.predict_segments(nobody).tolist() == ["prospect"] * 2
    buyer = {"recency_days": 40, "order_days": 3, "tenure_days": 300}
    assert stager.predict_one(buyer) == "unassigned"


@pytest.mark.parametrize("method", ["cadence", "fixed", "alive"])
@pytest.mark.parametrize("n_customers", [1, 50])
def test_customers_who_are_all_equal_share_a_stage(method, n_customers):
    alike = pd.DataFrame({"recency_days": [20] * n_customers, "order_days": 4, "tenure_days": 200})
    stager = quiet_fit(LifecycleStager(method=method), alike)
    assert set(stager.predict_segments(alike)) == {"active"}


# Stages by the chance of being active.


def test_stages_by_chance_follow_the_model(customers):
    stager = LifecycleStager(method="alive").fit(customers)
    known = customers[customers["order_days"] >= 1]
    model = ParetoNBD().fit(known)

    def gone(recency, orders, active_days):
        alive = model.predict_alive(np.array([[recency, orders, recency + active_days]]))
        return 1 - alive[0]

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        expected = [
            stage_by_hand(row, gone, 30, 1 - 0.8, 1 - 0.5) for row in customers.to_dict("records")
        ]
    assert stager.predict_segments(customers).tolist() == expected
    assert set(expected) == set(WITH_REACTIVATED)
    some = customers.iloc[::40]
    alone = [stager.predict_one(row) for row in some.to_dict("records")]
    assert alone == stager.predict_segments(some).tolist()


def test_the_chance_is_a_feature(customers):
    stager = LifecycleStager(method="alive").fit(customers)
    known = customers["order_days"] >= 1
    expected = ParetoNBD().fit(customers[known]).predict_alive(customers[known])
    assigned = stager.assign(customers)
    np.testing.assert_allclose(assigned.loc[known, "p_alive"], expected, rtol=1e-9)
    assert assigned.loc[~known, "p_alive"].isna().all()


def test_a_fitted_model_is_taken_as_it_is(customers):
    known = customers[customers["order_days"] >= 1]
    model = ParetoNBD().fit(known.iloc[:300])
    stager = LifecycleStager(method="alive", model=FrozenEstimator(model)).fit(customers)
    np.testing.assert_allclose(
        stager.assign(known)["p_alive"], model.predict_alive(known), atol=1e-15
    )


def test_a_model_by_which_one_time_buyers_never_leave_is_warned_of(customers):
    share = (customers["order_days"] == 1).sum() / (customers["order_days"] >= 1).sum()
    with pytest.warns(AlwaysAliveWarning, match=f"BetaGeoNBD, .* {share:.0%} of the customers"):
        stager = LifecycleStager(method="alive", model=BetaGeoNBD()).fit(customers)
    once = customers[customers["order_days"] == 1]
    assert set(stager.predict_segments(once)) <= {"new", "active"}


def test_a_model_without_the_chance_is_refused(customers):
    class NoModel(BaseEstimator):
        def fit(self, X, y=None):
            return self

    with pytest.raises(SegkitValueError, match=r"predict_alive\(X\), as .*; NoModel has none"):
        LifecycleStager(method="alive", model=NoModel()).fit(customers)


# What every method has in common.


@pytest.mark.parametrize("method", ["cadence", "fixed", "alive"])
def test_a_stager_survives_clone_and_pickle(customers, method):
    stager = LifecycleStager(method=method).fit(customers)
    again = pickle.loads(pickle.dumps(stager))
    assert again.predict(customers).tolist() == stager.labels_.tolist()
    assert clone(stager).fit(customers).labels_.tolist() == stager.labels_.tolist()


def test_a_lazy_frame_stays_lazy_and_is_not_asked_for_a_chance(customers, lazy_kind):
    frame = as_kind(customers, lazy_kind)
    staged = LifecycleStager().fit(customers).assign(frame)
    assert isinstance(nw.from_native(staged), nw.LazyFrame)
    with pytest.raises(LazyFrameError, match=r"method='alive' asks a model.* Collect"):
        LifecycleStager(method="alive").fit(customers).assign(frame)


def test_features_have_names(customers):
    for method, names in (
        ("cadence", ["expected_gap_days", "silent_gaps", "lifecycle_stage_code"]),
        ("fixed", ["lifecycle_stage_code"]),
        ("alive", ["p_alive", "lifecycle_stage_code"]),
    ):
        stager = LifecycleStager(method=method).set_output(transform="pandas").fit(customers)
        features = stager.transform(customers)
        assert list(features.columns) == names
        assert features["lifecycle_stage_code"].tolist() == stager.labels_.tolist()


def test_rules_say_what_was_learned(customers):
    stager = LifecycleStager().fit(customers)
    rules = stager.describe().set_index("segment")["rule"]
    assert rules["churned"] == (
        f"silent for more than {stager.thresholds_['churned_gaps']:.4g} of their own gaps"
    )
    fixed = LifecycleStager(method="fixed").fit(customers).describe().set_index("segment")["rule"]
    assert fixed["at_risk"] == "silent for more than 60 days"
    assert fixed["new"] == "first order at most 30 days ago"


def test_ids_and_order_of_rows_change_no_stage(customers):
    expected = LifecycleStager().fit(customers).labels_
    shuffled = customers.sample(frac=1, random_state=0)
    stager = LifecycleStager().fit(shuffled)
    assert stager.predict(customers).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "fixed", "at_risk_days": 90, "churned_days": 30}, "at_risk_days=90"),
        ({"at_risk_gaps": 3, "churned_gaps": 2}, "at_risk_gaps=3 and churned_gaps=2"),
        ({"method": "alive", "at_risk_alive": 0.2}, "at_risk_alive=0.2 and churned_alive=0.5"),
        ({"at_risk_days": 30}, "at_risk_days is for method='fixed', and method is 'cadence'"),
        ({"method": "fixed", "at_risk_days": 200}, "latter is the default: set churned_days, too"),
        ({"method": "fixed", "churned_days": 30}, "former is the default: set at_risk_days, too"),
        ({"model": ParetoNBD()}, "model is for method='alive'"),
        ({"method": "fixed", "churned_gaps": 3}, "Set churned_days instead"),
        ({"method": "fixed", "at_risk_alive": 0.9}, "at_risk_alive is for method='alive'"),
        ({"stages": {"lost": "gone"}}, r"stages names \['lost'\]"),
        ({"stages": {"churn": "gone"}}, "Did you mean 'churned'"),
        ({"stages": {"active": "churned"}}, "two stages would have one name"),
        ({"stages": {"active": "unassigned"}}, "that of unassigned customers"),
        ({"stages": {"active": 3}}, "must be text"),
        ({"new_days": -1}, "new_days"),
        ({"method": "days"}, "method"),
    ],
)
def test_what_cannot_be_is_said(customers, parameters, message):
    with pytest.raises(ValueError, match=message):
        LifecycleStager(**parameters).fit(customers)


def test_five_columns_are_one_too_many(customers):
    columns = ["recency_days", "order_days", "tenure_days", "last_gap_days", "customer_id"]
    with pytest.raises(ColumnError, match="three or four"):
        LifecycleStager(columns=columns).fit(customers)


def test_mistakes_in_the_table_are_named(customers):
    stager = LifecycleStager().fit(customers)
    with pytest.raises(ColumnError, match="'order_days' is missing"):
        stager.predict(customers.drop(columns="order_days"))
    with pytest.raises(SegkitTypeError, match="'tenure_days' must hold numbers"):
        stager.predict(customers.assign(tenure_days="long"))
    with pytest.raises(SegkitValueError, match="'recency_days' exceeds 'tenure_days'"):
        stager.predict(customers.assign(recency_days=10_000))
    with pytest.raises(SegkitValueError, match="infinity"):
        stager.predict(customers.assign(recency_days=np.inf))
    with pytest.raises(SegkitValueError, match="no rows"):
        LifecycleStager().fit(customers.head(0))
    with pytest.raises(NotFittedError):
        LifecycleStager().predict(customers)
    assert stager.predict(customers.head(0)).tolist() == []


def test_the_table_is_left_as_it_was(customers, eager_kind):
    frame = as_kind(customers, eager_kind)
    before = columns_of(frame)
    LifecycleStager().fit(frame).assign(frame)
    assert columns_of(frame) == before


def test_a_method_set_after_fit_waits_for_the_next_fit(customers):
    stager = LifecycleStager(method="fixed").fit(customers)
    rules, names = stager.describe(), stager.get_feature_names_out().tolist()
    for method in ("alive", "cadence"):
        stager.set_params(method=method)
        pd.testing.assert_frame_equal(stager.describe(), rules)
        assert stager.get_feature_names_out().tolist() == names
        assert stager.transform(customers).shape == (len(customers), 1)
        assert "p_alive" not in stager.assign(customers)


@pytest.mark.parametrize("method", ["cadence", "fixed"])
def test_an_infinite_recency_in_a_lazy_frame_is_a_mistake_and_no_prospect(method, lazy_kind):
    rows = pd.DataFrame(
        {
            "recency_days": [np.inf, -np.inf, 40.0, 40.0, np.nan],
            "order_days": [3.0, 3, 3, np.inf, 0],
            "tenure_days": [250.0, 250, 250, 250, np.nan],
            "row": range(5),
        }
    )
    fitted = LifecycleStager(method=method).fit(BY_HAND.drop(columns="last_gap_days"))
    staged = rows_of(fitted.assign(as_kind(rows, lazy_kind)), "row")
    stages = [row["lifecycle_stage"] for row in staged]
    assert stages[:2] == ["unassigned"] * 2
    assert stages[2] in JOURNEY[1:]
    assert stages[3:] == ["unassigned", "prospect"]


def test_columns_are_checked_by_the_part_they_play(customers):
    columns = ["r", "o", "t", "g"]
    renamed = customers.set_axis(["customer_id", *columns], axis="columns")
    stager = LifecycleStager(columns=columns).fit(renamed)
    row = {"r": 40.0, "o": 3.0, "t": 250.0, "g": 30.0}
    assert stager.predict_one(row) == stager.predict_segments(pd.DataFrame([row]))[0]
    for wrong, message in (
        ({"r": -1.0}, "column 'r' is negative in 1 of 1 rows"),
        ({"r": 300.0}, "'r' exceeds 't' in 1 of 1 rows"),
        ({"g": -1.0}, "column 'g' is negative"),
        ({"g": 251.0}, "'g' exceeds 't' in 1 of 1 rows"),
    ):
        with pytest.raises(SegkitValueError, match=message):
            stager.predict(pd.DataFrame([row | wrong]))
    for wrong in ({"r": -1.0}, {"r": 300.0}, {"g": -1.0}, {"g": 251.0}):
        with pytest.raises(SegkitValueError):
            stager.predict_one(row | wrong)


def test_a_fourth_column_of_ones_own_stands_for_the_last_gap(customers):
    own = customers.assign(pause=customers["last_gap_days"])
    columns = ["recency_days", "order_days", "tenure_days", "pause"]
    stager = LifecycleStager(columns=columns).fit(own)
    assert stager.feature_names_in_.tolist() == columns
    assert stager.labels_.tolist() == LifecycleStager().fit(customers).labels_.tolist()


def test_given_thresholds_are_told_as_they_are(customers):
    stager = LifecycleStager(
        method="fixed", new_days=1095.5, at_risk_days=1460.5, churned_days=10_950
    )
    rules = stager.fit(customers).describe().set_index("segment")["rule"]
    assert rules["new"] == "first order at most 1,095.5 days ago"
    assert rules["at_risk"] == "silent for more than 1,460.5 days"
    assert rules["churned"] == "silent for more than 10,950 days"


def test_warnings_name_the_line_of_the_user(customers):
    model = FrozenEstimator(BetaGeoNBD().fit(customers.dropna(subset="recency_days")))
    with pytest.warns(AlwaysAliveWarning, match="by BetaGeoNBD") as caught:
        LifecycleStager(method="alive", model=model).fit_predict(customers)
    assert caught[0].filename == __file__


def test_a_model_that_needs_more_columns_is_refused(customers):
    with pytest.raises(SegkitValueError, match="CustomerLifetimeValue needs more"):
        LifecycleStager(method="alive", model=CustomerLifetimeValue()).fit(customers)


@pytest.mark.parametrize("method", ["cadence", "alive"])
def test_tenures_beyond_the_calendar_are_refused_where_rates_are_learned(method):
    customers = pd.DataFrame({"recency_days": 1.0, "order_days": 2.0, "tenure_days": [9.0, 1e300]})
    with pytest.raises(SegkitValueError, match="column 'tenure_days' exceeds 3,652,059 days"):
        LifecycleStager(method=method).fit(customers)
