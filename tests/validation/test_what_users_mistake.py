"""Mistakes with a profiler or a validator: a clear error, and nobody's data in it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segkit import SegmentProfiler, SegmentValidator
from segkit.exceptions import SegkitError

BOTH = pytest.mark.parametrize("judge", [SegmentProfiler, SegmentValidator])
RNG = np.random.default_rng(0)
N = 120
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": [f"CUST{row:05}" for row in range(N)],
        "visits": RNG.normal(size=N),
        "basket": RNG.normal(size=N),
    },
    index=[f"row{row}" for row in range(N)],
)
LABELS = pd.Series(np.resize(["a", "b", "b"], N), index=CUSTOMERS.index)
K_MEANS = KMeans(2, n_init=1, random_state=0)


@BOTH
def test_a_clusterer_that_gets_text_is_told_the_column_and_no_value(judge):
    with pytest.raises(SegkitError, match="'customer_id'") as raised:
        judge(K_MEANS).fit(CUSTOMERS)
    assert "CUST0" not in str(raised.value)


@BOTH
def test_a_clusterer_gets_the_basis_alone(judge):
    fitted = judge(K_MEANS, basis=["visits", "basket"]).fit(CUSTOMERS)
    assert fitted.segmenter_.n_features_in_ == 2


@BOTH
def test_a_clusterer_that_gets_missing_values_is_told_the_column(judge):
    holed = CUSTOMERS[["visits", "basket"]].copy()
    holed.iloc[3, 1] = np.nan
    with pytest.raises(SegkitError, match=r"\['basket'\]"):
        judge(K_MEANS).fit(holed)


@BOTH
@pytest.mark.parametrize("segmenter", [CUSTOMERS, "kmeans", KMeans])
def test_what_is_no_estimator_is_named_by_its_type(judge, segmenter):
    with pytest.raises(SegkitError, match="segmenter must be an estimator") as raised:
        judge(segmenter).fit(CUSTOMERS[["visits"]])
    assert "CUST0" not in str(raised.value)


@BOTH
def test_labels_in_another_order_than_the_index_are_refused(judge):
    with pytest.raises(SegkitError, match="another order"):
        judge().fit(CUSTOMERS[["visits"]], LABELS[::-1])
    judge().fit(CUSTOMERS[["visits"]], LABELS[::-1].to_numpy())


@BOTH
def test_a_dict_of_labels_is_told_how_to_become_a_column(judge):
    with pytest.raises(SegkitError, match=r"\.map\(labels\)"):
        judge().fit(CUSTOMERS[["visits"]], LABELS.to_dict())


@BOTH
@pytest.mark.parametrize("labels", [CUSTOMERS[["visits"]], [["a"]] * N])
def test_labels_that_are_no_column_are_refused(judge, labels):
    with pytest.raises(SegkitError, match="y must"):
        judge().fit(CUSTOMERS[["visits"]], labels)


@BOTH
def test_a_lazy_frame_has_no_order_that_labels_could_follow(judge):
    lazy = pl.from_pandas(CUSTOMERS[["visits"]]).lazy()
    with pytest.raises(SegkitError, match="no order"):
        judge().fit(lazy, LABELS.to_numpy())


def test_a_lazy_frame_is_not_clustered_by_who_cannot_stay_lazy():
    with pytest.raises(SegkitError, match="KMeans has no assign"):
        SegmentProfiler(K_MEANS).fit(pl.from_pandas(CUSTOMERS[["visits"]]).lazy())


@pytest.mark.parametrize("column", [[[1]] * N, np.full(N, 1j), [f"{one:.6f}" for one in range(N)]])
def test_a_variable_that_cannot_be_judged_is_named(column):
    table = CUSTOMERS[["visits"]].assign(odd=list(column))
    with pytest.raises(SegkitError, match="'odd'"):
        SegmentValidator(basis=["visits", "odd"]).fit(table, LABELS)


def test_standardised_columns_have_no_ratio_to_their_average():
    scaled = make_pipeline(StandardScaler(), SegmentProfiler(K_MEANS)).fit(CUSTOMERS.iloc[:, 1:])
    profiler = scaled[-1]
    assert profiler.profile_.query("kind == 'number'")["index"].isna().all()
    assert "average" not in str(profiler.personas_["0"])


def test_years_have_no_thousands_separator():
    table = pd.DataFrame({"born": np.resize([1955, 1956, 1991, 1992], N)})
    profiler = SegmentProfiler(n_traits=1).fit(
        table, np.resize(["old", "old", "young", "young"], N)
    )
    assert "1,9" not in str(profiler.personas_["old"])


def test_a_level_of_few_customers_is_not_told_of():
    levels = np.array(["often"] * 110 + ["rare"] * 3 + ["other"] * 7)
    labels = np.array(["big"] * 110 + ["small"] * 10)
    profiler = SegmentProfiler(min_cell=5).fit(pd.DataFrame({"level": levels}), labels)
    assert "rare" not in "".join(map(str, profiler.personas_.values()))


def test_one_segment_is_no_segmentation():
    validator = SegmentValidator(basis=["visits"]).fit(CUSTOMERS, np.full(N, "all of them"))
    assert not validator.passed_


def test_a_score_without_a_segmenter_says_what_to_do():
    validator = SegmentValidator().fit(CUSTOMERS[["visits"]], LABELS)
    with pytest.raises(AttributeError) as raised:
        validator.score(CUSTOMERS[["visits"]])
    assert "segmenter" in str(raised.value.__cause__ or raised.value)


def test_a_comparison_by_the_order_of_rows_says_so():
    table = pd.DataFrame({"visits": RNG.normal(size=N)})
    validator = SegmentValidator().fit(table, LABELS.to_numpy())
    assert "order of the rows" in validator.compare(table, LABELS.to_numpy()).summary()
    named = SegmentValidator(customer_id="id").fit(table.assign(id=range(N)), LABELS.to_numpy())
    later = table.assign(id=range(N))[::-1]
    found = named.compare(later, LABELS.to_numpy()[::-1])
    assert "order of the rows" not in found.summary()
    assert "; kappa 1.00)" in found.summary()


def test_shares_of_none_and_of_all_have_bounds_without_dust():
    validator = SegmentValidator().fit(CUSTOMERS[["visits"]], LABELS)
    bounds = validator.report_[["low", "high"]].to_numpy(dtype=float)
    assert not ((np.abs(bounds) > 0) & (np.abs(bounds) < 1e-12)).any()


def test_every_customer_in_a_segment_of_their_own_is_no_segmentation():
    validator = SegmentValidator(basis=["visits"]).fit(CUSTOMERS, CUSTOMERS["customer_id"])
    status = validator.verdicts_.set_index("criterion")["status"]
    assert status["differentiable"] == "not assessed"
    assert status["substantial"] == status["parsimonious"] == "failed"
