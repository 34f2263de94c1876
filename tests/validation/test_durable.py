"""Durability: who stays, what has drifted, and how customers are found again."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import cohen_kappa_score

from frames import as_kind
from segkit import SegmentValidator, ValueTierer
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.metrics import migration_matrix, population_stability_index

_RANDOM = np.random.default_rng(0)
BEFORE = pd.DataFrame({"id": np.arange(500), "spend": _RANDOM.lognormal(size=500)})
AFTER = BEFORE.assign(spend=BEFORE["spend"] * _RANDOM.lognormal(sigma=0.4, size=500))


@pytest.fixture(scope="module")
def validator():
    segmenter = ValueTierer(column="spend")
    return SegmentValidator(segmenter, customer_id="id", n_bootstraps=0, random_state=0).fit(BEFORE)


def value(found, metric, segment="all"):
    report = found.report.set_index(["metric", "segment"])
    return report.loc[(metric, segment), "value"]


def test_who_stays_is_told_by_the_segmenter_of_fit(validator):
    found = validator.compare(AFTER)
    tierer = ValueTierer(column="spend").fit(BEFORE)
    before, after = tierer.predict_segments(BEFORE), tierer.predict_segments(AFTER)
    assert value(found, "share that stayed") == pytest.approx((before == after).mean())
    kappa = cohen_kappa_score(before, after)
    assert value(found, "agreement beyond chance (kappa)") == pytest.approx(kappa)
    pd.testing.assert_frame_equal(
        found.migration, migration_matrix(before, after, segments=["A", "B", "C"])
    )
    assert found.passed
    assert found.summary().startswith("durable: passed. ")


def test_customers_are_found_again_by_id_whatever_their_order(validator):
    shuffled = AFTER.sample(frac=1, random_state=1)
    expected, found = validator.compare(AFTER), validator.compare(shuffled)
    pd.testing.assert_frame_equal(found.migration, expected.migration)
    part = validator.compare(shuffled.iloc[:200])
    assert part.n_customers == 200
    assert value(part, "share of customers in both tables") == pytest.approx(0.4)


def test_customers_are_found_again_by_the_index():
    before, after = BEFORE.set_index("id"), AFTER.set_index("id").iloc[::-1]
    validator = SegmentValidator(ValueTierer(column="spend"), n_bootstraps=0).fit(before)
    in_order = validator.compare(after.iloc[::-1])
    pd.testing.assert_frame_equal(validator.compare(after).migration, in_order.migration)


def test_every_kind_of_frame_is_compared(validator, kind):
    expected = validator.compare(AFTER).report
    pd.testing.assert_frame_equal(validator.compare(as_kind(AFTER, kind)).report, expected)


def test_drift_is_the_stability_index_and_the_test_of_kolmogorov_and_smirnov(validator):
    later = AFTER.assign(spend=AFTER["spend"] * 2)
    found = validator.compare(later)
    index = population_stability_index(BEFORE["spend"], later["spend"])
    assert value(found, "population stability index") == pytest.approx(index)
    p_value = ks_2samp(BEFORE["spend"], later["spend"], method="asymp").pvalue
    assert value(found, "adjusted p-value of drift") == pytest.approx(p_value)
    assert "drifted: spend" in found.summary()


def test_customers_who_are_put_together_anew_are_not_durable(validator):
    found = validator.compare(AFTER.assign(spend=_RANDOM.permutation(AFTER["spend"])))
    assert not found.passed
    assert abs(value(found, "agreement beyond chance (kappa)")) < 0.15


def test_labels_are_compared_with_labels():
    before = np.repeat(["a", "b", "c"], [200, 200, 100])
    after = np.repeat(["a", "b", "new", "unassigned"], [150, 200, 100, 50])
    validator = SegmentValidator(basis="spend", customer_id="id").fit(BEFORE, before)
    found = validator.compare(AFTER, after)
    counts = found.migration.set_index(["before", "after"])["customers"]
    # a: 150 stay, 50 to b. b: 150 stay, 50 to new. c: 50 to new, 50 to none.
    assert counts["a", "a"] == 150
    assert counts["b", "new"] == 50
    assert counts["c", "unassigned"] == 50
    assert value(found, "share that stayed") == pytest.approx(300 / 500)
    assert value(found, "share that stayed", "c") == 0
    with pytest.raises(SegkitTypeError, match="Pass them as y"):
        validator.compare(AFTER)


def test_categories_drift_too():
    before = BEFORE.assign(city=np.repeat(["Rome", "Oslo"], [250, 250]))
    after = AFTER.assign(city=np.repeat(["Rome", "Oslo", "Bonn"], [150, 250, 100]))
    labels = np.repeat(["a", "b"], 250)
    validator = SegmentValidator(basis=["city", "spend"]).fit(before, labels)
    report = validator.compare(after, labels).report
    of_city = report[(report["variable"] == "city")].set_index("metric")["value"]
    index = population_stability_index(before["city"], after["city"])
    assert of_city["population stability index"] == pytest.approx(index)


def test_tables_that_cannot_be_compared_are_refused(validator):
    with pytest.raises(SegkitValueError, match="no customer of the later table"):
        validator.compare(AFTER.assign(id=AFTER["id"] + 1_000))
    with pytest.raises(SegkitValueError, match="missing or doubled"):
        validator.compare(AFTER.assign(id=1))
    in_order = SegmentValidator(ValueTierer(column="spend"), n_bootstraps=0).fit(BEFORE)
    with pytest.raises(SegkitValueError, match="400 rows and the one of fit 500"):
        in_order.compare(AFTER.iloc[:400])
