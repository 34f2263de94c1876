"""What is not known decides nothing, and customers are who they are."""

import numpy as np
import pandas as pd
import pytest

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
