"""What is not known decides nothing, and customers are who they are."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp

from segkit import SegmentValidator
from segkit.exceptions import SegkitValueError

RNG = np.random.default_rng(0)


def validator(**parameters):
    return SegmentValidator(random_state=0, **parameters)


def status(fitted):
    return fitted.verdicts_.set_index("criterion")["status"]


def test_who_has_no_segment_has_not_stayed_in_one():
    table = pd.DataFrame({"x": RNG.normal(size=300)})
    before = ["unassigned"] * 240 + ["a"] * 30 + ["b"] * 30
    after = ["unassigned"] * 240 + ["b"] * 30 + ["a"] * 30
    durability = validator(basis=["x"]).fit(table, before).compare(table, after)
    assert not durability.passed
    assert "0.0 % of the 60 customers stayed" in durability.summary()


def test_a_doubled_index_in_one_of_two_tables_is_refused():
    table = pd.DataFrame({"x": RNG.normal(size=60)}, index=[f"c{i}" for i in range(60)])
    labels = np.where(table["x"] > 0, "high", "low")
    fitted = validator(basis=["x"]).fit(table, labels)
    place = RNG.permutation(60)
    later = table.iloc[place]
    assert "100.0 % of the 60" in fitted.compare(later, labels[place]).summary()
    later = later.set_axis([later.index[1], *later.index[1:]])
    with pytest.raises(SegkitValueError, match="doubled labels in one of the two tables"):
        fitted.compare(later, labels[place])


@pytest.mark.parametrize("outcome", [np.nan, 1.0])
def test_an_outcome_without_values_to_compare_is_not_assessed(outcome):
    table = pd.DataFrame({"x": np.r_[RNG.normal(size=60), RNG.normal(9, 1, 60)], "y": outcome})
    fitted = validator(basis=["x"], outcomes="y").fit(table, ["a"] * 60 + ["b"] * 60)
    assert status(fitted)["actionable"] == "not assessed"
    assert fitted.passed_


def test_segments_of_which_nothing_is_known_are_no_candidates_to_merge():
    kind = np.repeat(["a", "b", "c"], 60)
    table = pd.DataFrame({"x": np.repeat([0.0, 9.0, 18.0], 60) + RNG.normal(size=180)})
    table["y"] = np.where(kind == "a", 0.0, 1.0) + RNG.normal(size=180)
    table.loc[kind == "c", "y"] = np.nan
    fitted = validator(basis=["x"], outcomes="y").fit(table, kind)
    assert fitted.merge_candidates_.empty
    table = pd.DataFrame({"x": np.where(kind == "c", np.nan, table["x"])})
    assert status(validator(basis=["x"]).fit(table, kind))["parsimonious"] == "passed"


def test_negative_codes_are_no_segments():
    table = pd.DataFrame({"x": RNG.normal(size=40)})
    assert validator(basis=["x"]).fit(table, [-2, 1, 2, -1] * 10).segments_.tolist() == ["1", "2"]


# What has gone missing later.

THEN = pd.DataFrame({"x": RNG.normal(size=400), "city": np.tile(["Rome", "Oslo"], 200)})
KINDS = np.repeat(["a", "b"], 200)


def drift_of(later):
    return validator(basis=[*THEN]).fit(THEN, KINDS).compare(later, KINDS)


def rows_about(found, variable):
    of_variable = found.report[found.report["variable"] == variable]
    return of_variable.set_index("metric")["value"]


@pytest.mark.parametrize("name", ["x", "city"])
def test_missing_values_are_a_bin_of_their_own_in_drift(name):
    is_lost = np.arange(400) < 100
    later = THEN.assign(**{name: THEN[name].mask(is_lost)})
    found = drift_of(later)
    # By hand: shares of the deciles, or of the levels, and of missing; an empty bin is half a row.
    if name == "x":
        edges = np.quantile(THEN["x"], np.arange(1, 10) / 10)
        bins = np.searchsorted(edges, THEN["x"])
    else:
        bins = (THEN["city"] == "Rome").to_numpy().astype(int)
    then = np.append(np.bincount(bins), 0.5) / 400
    after = np.append(np.bincount(bins[~is_lost]), 100) / 400
    expected = ((after - then) * np.log(after / then)).sum()
    about = rows_about(found, name)
    assert about["population stability index"] == pytest.approx(expected)
    assert about["change of the missing share"] == pytest.approx(0.25)
    assert f"drifted: {name} (0.0 % missing then, 25.0 % later)" in found.summary()


def test_the_change_of_missing_values_is_tested_by_itself():
    later = THEN.assign(x=THEN["x"].mask(np.arange(400) < 20))
    found = validator(basis="x").fit(THEN, KINDS).compare(later, KINDS)
    tests = [
        ks_2samp(THEN["x"], later["x"].dropna(), method="asymp").pvalue,
        chi2_contingency([[400, 0], [380, 20]], correction=False).pvalue,
    ]
    adjusted = false_discovery_control(tests)
    about = rows_about(found, "x")
    assert about["adjusted p-value of drift"] == pytest.approx(adjusted[0])
    assert about["adjusted p-value of the missing share"] == pytest.approx(adjusted[1])


@pytest.mark.parametrize("nothing", [np.nan, None, pd.NA])
@pytest.mark.parametrize("name", ["x", "city"])
def test_a_variable_that_is_lost_altogether_has_drifted(name, nothing):
    found = drift_of(THEN.assign(**{name: nothing}))
    assert rows_about(found, name)["population stability index"] > 0.25
    assert f"drifted: {name} (0.0 % missing then, 100.0 % later)" in found.summary()
    assert "no variable" not in found.summary()


def test_a_variable_that_later_customers_lack_is_named_as_not_assessed():
    found = drift_of(THEN[["x"]])
    assert np.isnan(rows_about(found, "city")["not assessed"])
    assert "not assessed: city, which the later table lacks" in found.summary()
    of_none = drift_of(THEN[[]].assign(other=1.0))
    assert "drifted" not in of_none.summary()
    assert "not assessed: x, city, which the later table lacks" in of_none.summary()


def test_a_variable_that_was_never_known_is_not_called_steady():
    nothing = THEN.assign(x=np.nan)
    found = validator(basis="x").fit(nothing, KINDS).compare(nothing, KINDS)
    assert "not assessed: x, of which no value is known" in found.summary()
    assert "drifted" not in found.summary()


def test_one_customer_can_be_compared():
    one = THEN.iloc[:1]
    found = validator(basis="x").fit(one, ["a"]).compare(one, ["a"])
    assert "100.0 % of the 1 customer stayed" in found.summary()
