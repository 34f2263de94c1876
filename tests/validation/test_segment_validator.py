"""SegmentValidator: each criterion on tables whose answer is known, and what it refuses."""

from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info

from frames import as_kind
from segkit import ClusterSegmenter, RFMScorer, SegmentValidator, ValueTierer
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError
from segkit.metrics import bootstrap_jaccard, structure_test

STATUSES = {"passed": True, "failed": False, "not assessed": None, "not applicable": None}


def planted(n=600, seed=0):
    """Three kinds of customers, far apart, that respond with 10, 20 and 40 %."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    return pd.DataFrame(
        {
            "visits": rng.normal(6 * kind, 1),
            "basket": rng.normal(np.array([0, 6, 0])[kind], 1),
            "responded": (rng.random(n) < np.array([0.1, 0.2, 0.4])[kind]).astype(int),
            "email": rng.random(n) < 0.7,
            "post": rng.random(n) < np.array([0.9, 0.5, 0.1])[kind],
            "spend": rng.lognormal(3, size=n),
            "kind": np.array(["low", "mid", "high"])[kind],
        }
    )


CUSTOMERS = planted()
LABELS = CUSTOMERS["kind"].to_numpy()


def status(validator):
    return validator.verdicts_.set_index("criterion")["status"].to_dict()


def rows(validator, criterion, metric):
    report = validator.report_
    return report[(report["criterion"] == criterion) & (report["metric"] == metric)]


@pytest.fixture(scope="module")
def clustered():
    """A validator of three clusters, with every column in its role."""
    segmenter = ClusterSegmenter(n_segments=3, names="letters", random_state=0)
    return SegmentValidator(
        segmenter,
        basis=["visits", "basket"],
        outcomes="responded",
        channels=["email", "post"],
        value="spend",
        n_bootstraps=20,
        random_state=0,
    ).fit(CUSTOMERS)


@parametrize_with_checks(
    [
        SegmentValidator(n_bootstraps=0),
        SegmentValidator(KMeans(2, random_state=0), n_bootstraps=0),
    ]
)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


def test_planted_segments_pass_every_criterion(clustered):
    assert clustered.passed_
    found = status(clustered)
    assert found.pop("durable") == "not assessed"
    assert set(found.values()) == {"passed"}
    assert clustered.report_["criterion"].unique().tolist() == [*found, "durable"]


def test_verdicts_say_what_their_status_says(clustered):
    for one in clustered.verdicts_.itertuples(index=False):
        assert one.passed is STATUSES[one.status]
        assert one.reason
    assert clustered.summary().startswith("600 customers in 3 segments: passed.")


def test_what_was_not_named_is_not_assessed_and_does_not_fail():
    validator = SegmentValidator(basis=["visits", "basket"], random_state=0).fit(CUSTOMERS, LABELS)
    found = status(validator)
    unassessed = ["accessible", "actionable", "structured", "stable", "durable"]
    assert {name for name, one in found.items() if one == "not assessed"} == set(unassessed)
    assert validator.passed_


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.tolist(),
        pd.Series(LABELS, index=np.arange(600) + 7),
        pd.Categorical(LABELS),
        pl.Series(LABELS.tolist()),
        pa.chunked_array([LABELS.tolist()]),
        np.searchsorted(np.unique(LABELS), LABELS),
        np.searchsorted(np.unique(LABELS), LABELS).astype(float),
        "kind",
    ],
)
def test_labels_of_any_source_are_judged_alike(labels):
    options = {"basis": ["visits", "basket"], "outcomes": "responded", "random_state": 0}
    expected = SegmentValidator(**options).fit(CUSTOMERS, LABELS)
    found = SegmentValidator(**options).fit(CUSTOMERS, labels)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    names = dict(zip(map(str, range(3)), expected.segments_, strict=True))
    assert [names.get(name, name) for name in found.segments_] == list(expected.segments_)
    pd.testing.assert_series_equal(found.report_["value"], expected.report_["value"])


def test_ordered_categories_keep_their_order():
    order = ["low", "mid", "high"]
    ordered = pd.Categorical(LABELS, categories=["none", *order], ordered=True)
    found = SegmentValidator(basis=["visits"], random_state=0).fit(CUSTOMERS, ordered)
    assert found.segments_.tolist() == order


@pytest.mark.parametrize("nobody", [-1, "unassigned", None, float("nan")])
def test_customers_without_a_segment_are_counted_and_left_out(nobody):
    labels = LABELS.astype(object)
    labels[:120] = nobody
    if nobody == -1:
        labels = np.where(np.arange(600) < 120, -1, np.searchsorted(np.unique(LABELS), LABELS))
    validator = SegmentValidator(basis=["visits"], random_state=0).fit(CUSTOMERS, labels)
    assert (validator.labels_[:120] == -1).all()
    (share,) = rows(validator, "measurable", "unassigned share")["value"]
    assert share == pytest.approx(0.2)
    assert status(validator)["measurable"] == "failed"
    assert rows(validator, "substantial", "customers")["value"].sum() == 480


def test_every_kind_of_frame_gives_the_same_report(kind):
    frame = CUSTOMERS.assign(visits=CUSTOMERS["visits"].where(CUSTOMERS.index > 30))
    options = {
        "basis": ["visits", "basket"],
        "outcomes": "responded",
        "channels": ["email", "post"],
        "value": "spend",
        "random_state": 0,
    }
    expected = SegmentValidator(**options).fit(frame, "kind").report_
    found = SegmentValidator(**options).fit(as_kind(frame, kind), "kind").report_
    pd.testing.assert_frame_equal(found, expected)


def test_columns_of_an_array_are_known_by_position():
    columns = ["visits", "basket", "responded", "spend"]
    options = {"n_bootstraps": 0, "random_state": 0}
    expected = SegmentValidator(
        basis=columns[:2], outcomes="responded", value="spend", **options
    ).fit(CUSTOMERS[columns], LABELS)
    array = CUSTOMERS[columns].to_numpy()
    found = SegmentValidator(outcomes=2, value=3, **options).fit(array, LABELS)
    assert found.basis_ == ["x0", "x1"]
    pd.testing.assert_series_equal(found.report_["value"], expected.report_["value"])


def test_neither_the_input_nor_the_parameters_are_changed(clustered):
    before = CUSTOMERS.copy()
    segmenter = ClusterSegmenter(n_segments=3, random_state=0)
    validator = SegmentValidator(segmenter, basis=["visits", "basket"], n_bootstraps=5)
    validator.fit(CUSTOMERS)
    pd.testing.assert_frame_equal(CUSTOMERS, before)
    assert not hasattr(segmenter, "segments_")
    assert validator.segmenter is segmenter


def test_the_same_seed_gives_the_same_report_on_one_thread_and_on_two(clustered):
    again = clone(clustered).set_params(n_jobs=2).fit(CUSTOMERS)
    pd.testing.assert_frame_equal(again.report_, clustered.report_)
    pd.testing.assert_frame_equal(again.differences_, clustered.differences_)


# Measurable, substantial, accessible.


def test_missing_shares_are_counted_and_one_beyond_a_tenth_fails():
    frame = CUSTOMERS.assign(
        visits=CUSTOMERS["visits"].where(CUSTOMERS.index >= 60),
        basket=CUSTOMERS["basket"].where(CUSTOMERS.index >= 61),
    )
    validator = SegmentValidator(basis=["visits", "basket"]).fit(frame, LABELS)
    found = rows(validator, "measurable", "missing share").set_index("variable")
    assert found["value"].to_dict() == {"visits": 60 / 600, "basket": 61 / 600}
    assert found["passed"].to_dict() == {"visits": True, "basket": False}


def test_a_small_segment_fails_and_one_with_outsized_value_is_a_niche():
    labels = np.repeat(["big", "small", "rich"], [560, 20, 20])
    value = np.repeat([1.0, 1.0, 20.0], [560, 20, 20])
    frame = pd.DataFrame({"x": np.arange(600.0), "value": value})
    validator = SegmentValidator(basis="x", value="value", min_size=30).fit(frame, labels)
    found = rows(validator, "substantial", "customers").set_index("segment")
    assert found["passed"].to_dict() == {"big": True, "rich": True, "small": False}
    assert found.loc["rich", "what_to_do"].startswith("A niche: 40.8 % of the value from 3.3 %")
    shares = rows(validator, "substantial", "share of value").set_index("segment")["value"]
    assert shares["rich"] == pytest.approx(400 / 980)
    assert status(validator)["substantial"] == "failed"
    without = SegmentValidator(basis="x", min_size=30).fit(frame, labels)
    assert not rows(without, "substantial", "customers").set_index("segment").loc["rich", "passed"]


def test_customers_count_as_reached_on_any_channel_and_missing_consent_is_none():
    frame = pd.DataFrame(
        {
            "x": np.arange(8.0),
            "email": [True, False, None, False, True, False, False, None],
            "post": [0, 1, 0, 0, 0, 0, 0, 0],
        }
    )
    validator = SegmentValidator(basis="x", channels=["email", "post"], min_size=1)
    validator.fit(frame, ["a"] * 4 + ["b"] * 4)
    found = rows(validator, "accessible", "reachable share").set_index("segment")
    assert found["value"].to_dict() == {"all": 3 / 8, "a": 2 / 4, "b": 1 / 4}
    assert found["passed"].to_dict() == {"all": None, "a": True, "b": False}


# Differentiable, parsimonious.


def test_tests_of_the_basis_are_called_descriptive_and_decide_nothing():
    rng = np.random.default_rng(0)
    cloud = pd.DataFrame(rng.normal(size=(500, 2)), columns=["x", "y"])
    validator = SegmentValidator(KMeans(3, n_init=10, random_state=0), n_bootstraps=0).fit(cloud)
    found = rows(validator, "differentiable", "adjusted p-value (descriptive)")
    assert (found["value"] < 1e-30).all()
    assert found["passed"].isna().all()
    assert not validator.passed_


def test_a_segment_cut_in_two_at_random_is_named_as_a_merge():
    rng = np.random.default_rng(1)
    halved = np.where((LABELS == "low") & (rng.random(600) < 0.5), "low too", LABELS)
    options = {"basis": ["visits", "basket"], "outcomes": "responded", "random_state": 0}
    validator = SegmentValidator(**options).fit(CUSTOMERS, halved)
    assert status(validator)["parsimonious"] == "failed"
    assert status(validator)["differentiable"] == "failed"
    (merge,) = validator.merge_candidates_.to_dict("records")
    assert (merge["segment_a"], merge["segment_b"]) == ("low", "low too")
    assert "Merge 'low' and 'low too'." in validator.report_["what_to_do"].tolist()


def test_segments_that_an_outcome_separates_are_not_too_many():
    rng = np.random.default_rng(1)
    second = (LABELS == "low") & (rng.random(600) < 0.5)
    frame = CUSTOMERS.assign(responded=np.where(second, 1, CUSTOMERS["responded"]))
    validator = SegmentValidator(basis=["visits", "basket"], outcomes="responded", random_state=0)
    validator.fit(frame, np.where(second, "low too", LABELS))
    assert status(validator)["parsimonious"] == "passed"


def test_variables_that_are_not_known_or_do_not_vary_decide_nothing():
    frame = CUSTOMERS.assign(unknown=np.nan)
    validator = SegmentValidator(basis="unknown").fit(frame, LABELS)
    assert status(validator)["differentiable"] == "not assessed"
    without = SegmentValidator(outcomes="responded", random_state=0)
    without.fit(frame[["kind", "responded"]], np.where(LABELS == "low", "a", "b"))
    assert status(without)["differentiable"] == "not assessed"
    assert status(without)["parsimonious"] == "passed"


def test_one_segment_has_nothing_to_be_told_from():
    validator = SegmentValidator(basis="visits", outcomes="responded").fit(CUSTOMERS, ["all"] * 600)
    assert status(validator)["differentiable"] == "failed"
    assert status(validator)["actionable"] == "not assessed"
    assert len(validator.differences_) == 0


def test_more_segments_than_can_be_addressed_fail():
    options = {"basis": ["visits", "basket"], "random_state": 0}
    validator = SegmentValidator(max_segments=2, **options).fit(CUSTOMERS, LABELS)
    assert status(validator)["parsimonious"] == "failed"


def test_labels_that_the_basis_does_not_tell_apart_are_not_found_by_the_classifier():
    labels = np.random.default_rng(0).permutation(LABELS)
    validator = SegmentValidator(basis=["visits", "basket"], random_state=0).fit(CUSTOMERS, labels)
    (found,) = rows(validator, "differentiable", "classifier, beyond chance")["value"]
    assert abs(found) < 0.15
    assert status(validator)["differentiable"] == "failed"


def test_categories_tell_segments_apart_as_numbers_do():
    frame = CUSTOMERS.assign(city=np.where(LABELS == "low", "Rome", "Oslo"))
    options = {"basis": ["city", "visits"], "random_state": 0}
    validator = SegmentValidator(**options).fit(frame, LABELS)
    effects = validator.differences_
    of_city = effects[(effects["variable"] == "city")].set_index(["segment_a", "segment_b"])
    assert of_city["effect"].unique().tolist() == ["V"]
    assert of_city.loc[("high", "low"), "value"] == pytest.approx(1)
    assert of_city.loc[("high", "mid"), "value"] == 0
    assert status(validator)["differentiable"] == "passed"


# Structured, stable.


def test_the_type_of_the_estimator_says_whether_there_must_be_structure():
    cloud = np.random.default_rng(0).normal(size=(400, 2))
    tiers = SegmentValidator(ValueTierer(column=0), n_bootstraps=3, random_state=0).fit(cloud + 9)
    assert status(tiers)["structured"] == "not applicable"
    assert tiers.structure_test_ is None
    for clusterer in (KMeans(2, random_state=0), make_pipeline(StandardScaler(), KMeans(2))):
        clusters = SegmentValidator(clusterer, n_bootstraps=0, random_state=0).fit(cloud)
        assert status(clusters)["structured"] == "failed"
    labels = KMeans(2, random_state=0).fit_predict(cloud)
    assert status(SegmentValidator().fit(cloud, labels))["structured"] == "not assessed"
    told = SegmentValidator(from_clusterer=True).fit(cloud, labels)
    assert status(told)["structured"] == "failed"


def test_structure_is_that_of_the_test_of_standardised_numbers_and_levels():
    frame = CUSTOMERS[["visits", "basket", "kind"]]
    validator = SegmentValidator(from_clusterer=True, basis=list(frame), random_state=0)
    validator.fit(frame, LABELS)
    numbers = frame[["visits", "basket"]]
    numbers = (numbers - numbers.mean()) / numbers.std(ddof=0)
    matrix = np.column_stack([numbers, pd.get_dummies(frame["kind"])]).astype(float)
    # The table is sorted and drawn inside, so that only the seed is another.
    expected = structure_test(matrix, random_state=0)
    assert validator.structure_test_.excess == pytest.approx(expected.excess, abs=0.3)
    assert validator.structure_test_.has_structure


def test_clusters_that_cut_one_group_in_two_are_named_though_there_is_structure():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 2)) @ [[1, 1], [2, -2]]
    X[:400] += 30
    clusterer = ClusterSegmenter(KMeans(n_init=10), n_segments=3, names="letters", random_state=0)
    validator = SegmentValidator(clusterer, n_bootstraps=0, random_state=0).fit(X)
    assert status(validator)["structured"] == "passed"
    codes = validator.labels_
    # The two that share a group.
    a, b = (validator.segments_[code] for code in range(3) if (codes == code).sum() < 400)
    candidates = validator.merge_candidates_
    assert candidates.to_dict("records") == [
        {"segment_a": a, "segment_b": b, "because": "no gap between them"}
    ]
    reason = validator.verdicts_.set_index("criterion").loc["structured", "reason"]
    assert f"no gap between {a} | {b}" in reason


def test_stability_of_clusters_is_the_bootstrap_of_the_clusterer():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    clusterer = KMeans(4, n_init=10, random_state=0)
    validator = SegmentValidator(clusterer, n_bootstraps=100, random_state=0).fit(X)
    labels = clusterer.fit(X).labels_
    expected = bootstrap_jaccard(X, labels, n_bootstraps=100, random_state=1)
    found = rows(validator, "stable", "Jaccard similarity, resampled")
    np.testing.assert_allclose(found["value"], expected["mean_jaccard"], atol=0.08)
    assert (found["value"] < 0.75).any()
    assert found["passed"].tolist() == (found["value"] >= 0.75).tolist()
    assert status(validator)["stable"] == "failed"


def test_stability_of_thresholds_is_who_keeps_the_segment_and_how_thresholds_spread():
    values = np.random.default_rng(0).lognormal(size=(500, 1))
    tierer = ValueTierer(column=0)
    validator = SegmentValidator(tierer, n_bootstraps=60, random_state=0).fit(values)
    codes, rng = tierer.fit(values).labels_, np.random.default_rng(7)
    kept, cuts = [], []
    for _ in range(60):
        refit = ValueTierer(column=0).fit(values[rng.integers(500, size=500)])
        kept.append((refit.predict(values) == codes).mean())
        cuts.append(refit.thresholds_[0])
    (share,) = rows(validator, "stable", "share that keeps its segment")["value"]
    assert share == pytest.approx(np.mean(kept), abs=0.01)
    first = rows(validator, "stable", "threshold, resampled").iloc[0]
    assert first["value"] == pytest.approx(np.mean(cuts), rel=0.03)
    low, high = np.percentile(cuts, [2.5, 97.5])
    assert first["high"] - first["low"] == pytest.approx(high - low, rel=0.3)


def test_the_threads_of_other_libraries_are_as_many_as_before():
    frame = pd.DataFrame({"spend": np.random.default_rng(0).lognormal(size=200)})
    before = [library["num_threads"] for library in threadpool_info()]
    for _ in range(5):
        SegmentValidator(ValueTierer(column="spend"), n_bootstraps=20, n_jobs=2).fit(frame)
    assert [library["num_threads"] for library in threadpool_info()] == before


def test_what_cannot_be_fitted_again_is_not_assessed_for_stability():
    tierer = ValueTierer(column="spend").fit(CUSTOMERS)
    frozen = SegmentValidator(FrozenEstimator(tierer), random_state=0).fit(CUSTOMERS)
    assert status(frozen)["stable"] == "not assessed"
    assert frozen.segments_.tolist() == ["A", "B", "C"]


def test_clusterers_that_do_not_predict_are_judged_too():
    X = CUSTOMERS[["visits", "basket"]].to_numpy()
    validator = SegmentValidator(AgglomerativeClustering(3), n_bootstraps=5, random_state=0).fit(X)
    assert validator.passed_
    assert status(validator)["stable"] == "passed"
    with pytest.raises(SegkitTypeError, match="needs a segmenter that predicts"):
        validator.score(X)


def test_a_pipeline_is_judged_as_its_last_step_on_prepared_columns():
    X = CUSTOMERS[["visits", "basket"]].to_numpy() * [1, 1_000]
    pipeline = make_pipeline(StandardScaler(), KMeans(3, n_init=10, random_state=0))
    validator = SegmentValidator(pipeline, n_bootstraps=10, random_state=0).fit(X)
    assert validator.passed_
    np.testing.assert_array_equal(validator.labels_, validator.segmenter_.predict(X))


def test_a_validator_ends_a_pipeline():
    X = CUSTOMERS[["visits", "basket"]].to_numpy()
    validator = SegmentValidator(KMeans(3, random_state=0), n_bootstraps=3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), validator).fit(X)
    assert pipeline[-1].passed_
    assert pipeline.score(X) == pytest.approx(1, abs=0.02)


def test_a_segmenter_does_not_see_outcomes_channels_ids_and_value():
    class Recorder(BaseEstimator):
        def fit(self, X, y=None):
            self.seen_ = list(X.columns)
            return self

        def predict(self, X):
            return (X["visits"] > 6).to_numpy().astype(int)

    frame = CUSTOMERS.assign(id=np.arange(600))
    options = {"outcomes": "responded", "channels": ["email"], "value": "spend"}
    validator = SegmentValidator(Recorder(), customer_id="id", n_bootstraps=2, **options)
    validator.fit(frame)
    assert validator.segmenter_.seen_ == ["visits", "basket", "post", "kind"]
    scorer = SegmentValidator(ValueTierer(column="spend"), value="spend", n_bootstraps=2).fit(frame)
    assert scorer.basis_ == ["spend"]


# Model selection.


def test_score_is_the_lowest_share_of_pairs_that_stay_together():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])

    class Halves(BaseEstimator):
        def __init__(self, cut=5.0):
            self.cut = cut

        def fit(self, X, y=None):
            # Other customers, another cut.
            self.cut_ = self.cut if len(X) == 4 else 10.5
            return self

        def predict(self, X):
            return (X[:, 0] > self.cut_).astype(int)

    validator = SegmentValidator(Halves(), n_bootstraps=0, min_size=1).fit(X)
    # In five customers the cut is 10.5: {0, 1, 1, 10} and {11}; of fit: {0, 1, 1} and {10, 11}.
    # Of the six pairs of the first, three are together.
    assert validator.score(np.array([[0.0], [1.0], [1.0], [10.0], [11.0]])) == pytest.approx(0.5)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5])
def test_score_is_that_of_a_loop_over_pairs_of_customers(n_clusters):
    X = np.random.default_rng(n_clusters).normal(size=(160, 2))
    clusterer = KMeans(n_clusters, n_init=3, random_state=0)
    validator = SegmentValidator(clusterer, n_bootstraps=0, random_state=0).fit(X[:80])
    told = validator.segmenter_.predict(X[80:])
    found = clone(validator.segmenter_).fit(X[80:]).predict(X[80:])
    shares = []
    for segment in set(found):
        inside = [place for place in range(80) if found[place] == segment]
        together = [told[one] == told[other] for one, other in combinations(inside, 2)]
        shares.append(sum(together) / len(together) if together else 1.0)
    assert validator.score(X[80:]) == pytest.approx(min(shares))


def test_names_are_escaped_where_they_are_shown_as_html():
    hostile = "<script>alert(1)</script>"
    frame = pd.DataFrame({hostile: np.r_[np.zeros(40), np.ones(40)], "y": np.tile([0, 1], 40)})
    labels = [hostile + "a"] * 40 + [hostile + "b"] * 40
    validator = SegmentValidator(basis=[hostile], outcomes="y", random_state=0).fit(frame, labels)
    durability = validator.compare(frame, labels)
    pages = [validator._repr_html_()]
    tables = [validator.report_, validator.verdicts_, validator.differences_]
    tables += [durability.report, durability.migration]
    pages += [table._repr_html_() for table in tables]
    assert not any(hostile in page for page in pages)
    assert any("&lt;script&gt;" in page for page in pages)


def test_a_grid_search_finds_the_planted_number():
    X = CUSTOMERS[["visits", "basket"]]
    segmenter = ClusterSegmenter(random_state=0)
    search = GridSearchCV(
        SegmentValidator(segmenter, n_bootstraps=0, random_state=0),
        {"segmenter__n_segments": [3, 4, 5, 6]},
        cv=2,
    ).fit(X)
    assert search.best_params_ == {"segmenter__n_segments": 3}
    assert search.best_score_ == pytest.approx(1)
    assert search.best_estimator_.passed_


# Refusals.


@pytest.mark.parametrize(
    ("options", "y", "error", "message"),
    [
        ({}, None, SegkitValueError, "requires y to be passed"),
        ({}, LABELS[:5], SegkitValueError, "one label for each of the 600 customers, got 5"),
        ({}, [-1] * 600, SegkitValueError, "no customer is in a segment"),
        ({}, ["a", 1] * 300, SegkitTypeError, "labels of one type"),
        ({"basis": ["visit"]}, LABELS, ColumnError, "Did you mean 'visits'"),
        ({"outcomes": 99}, LABELS, ColumnError, "position 99"),
        ({"channels": "visits"}, LABELS, SegkitTypeError, "channel 'visits' must hold booleans"),
        ({"value": "kind"}, LABELS, SegkitTypeError, "value 'kind' must hold numbers"),
        ({"min_share": 2}, LABELS, ValueError, "min_share"),
        ({"segmenter": "rfm"}, LABELS, SegkitTypeError, "segmenter"),
    ],
)
def test_what_cannot_be_judged_is_refused(options, y, error, message):
    with pytest.raises(error, match=message):
        SegmentValidator(**options).fit(CUSTOMERS, y)


def test_no_message_shows_a_label_or_a_value():
    frame = CUSTOMERS.assign(day=pd.Timestamp("2026-01-01"))
    with pytest.raises(SegkitTypeError, match="column 'day' holds dates") as caught:
        SegmentValidator(basis=["day"]).fit(frame, LABELS)
    assert "2026" not in str(caught.value)


def test_a_fit_that_fails_leaves_nothing_of_an_earlier_one():
    validator = SegmentValidator(basis=["visits"]).fit(CUSTOMERS, LABELS)
    with pytest.raises(SegkitValueError):
        validator.fit(CUSTOMERS, LABELS[:3])
    assert not hasattr(validator, "report_")


def test_labels_have_no_score():
    assert not hasattr(SegmentValidator(), "score")
    assert hasattr(SegmentValidator(RFMScorer()), "score")


HOSTILE = pd.DataFrame({"spend": [1.0, 2.0, 3.0, 4.0], "visits": [1, 2, 3, 4]})
HALVES = ["a", "a", "b", "b"]


def test_ids_without_a_hash_are_refused():
    customers = HOSTILE.assign(customer=[{"a": 1}] * 4)
    with pytest.raises(SegkitTypeError, match="customer_id 'customer' must hold ids"):
        SegmentValidator(basis="spend", customer_id="customer").fit(customers, HALVES)


def test_numbers_whose_squares_overflow_are_refused():
    customers = HOSTILE.assign(spend=[1e300, 1.0, 2.0, 3.0])
    with pytest.raises(SegkitValueError, match=r"SegmentValidator: column 'spend' is beyond 1e"):
        SegmentValidator(basis="spend").fit(customers, HALVES)


def test_half_of_a_character_in_two_parts_is_a_category():
    customers = HOSTILE.assign(kind=pd.Series(["\ud800", "x", "x", "\ud800"], dtype=object))
    validator = SegmentValidator(basis=["spend", "kind"], n_bootstraps=0).fit(customers, HALVES)
    assert validator.segments_.tolist() == ["a", "b"]


def test_score_names_the_column_that_is_missing():
    customers = pd.concat([HOSTILE] * 10, ignore_index=True)
    validator = SegmentValidator(KMeans(2, random_state=0), n_bootstraps=0).fit(customers)
    with pytest.raises(ColumnError, match="column 'visits' is missing"):
        validator.score(customers[["spend"]])
