"""SegmentProfiler: labels from any source, the profile and the differences against scipy."""

import re
import traceback
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import stats
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from frames import as_kind
from segkit import RFMScorer, SegmentProfiler, ValueTierer, summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.metrics import cramers_v, epsilon_squared, omega_squared

EVERYONE = "(everyone)"


def make_customers(n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    segment = rng.choice(["bronze", "gold", "silver"], n_rows, p=[0.5, 0.2, 0.3])
    level = pd.Series(segment).map({"bronze": 0.0, "silver": 0.5, "gold": 1.5}).to_numpy()
    since = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, n_rows), unit="D")
    customers = pd.DataFrame(
        {
            "spend": rng.lognormal(3 + level).round(2),
            "orders": rng.poisson(2 + level),
            "mood": rng.normal(size=n_rows),
            "channel": rng.choice(["web", "shop", "app"], n_rows, p=[0.5, 0.3, 0.2]),
            "mail": rng.random(n_rows) < 0.3 + 0.2 * level,
            "responded": (rng.random(n_rows) < 0.2).astype(int),
            "since": since,
            "segment": segment,
        }
    )
    customers.loc[rng.random(n_rows) < 0.1, ["mood", "channel"]] = None
    return customers


CUSTOMERS = make_customers()
FITTED = SegmentProfiler(value="spend").fit(CUSTOMERS, y="segment")


def cell(profiler, segment, variable, column, level=None):
    rows = profiler.profile_
    rows = rows.loc[(rows["segment"] == segment) & (rows["variable"] == variable)]
    if level is not None:
        rows = rows.loc[rows["level"] == level]
    assert len(rows) == 1
    return rows[column].iloc[0]


def difference(profiler, variable):
    return profiler.differences_.set_index("variable").loc[variable]


@parametrize_with_checks(
    [
        SegmentProfiler(),
        SegmentProfiler(KMeans(2, n_init=1, random_state=0)),
        SegmentProfiler(ValueTierer(missing="unassigned")),
    ]
)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


# Labels from any source.


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2, 0, -1, 2, 0, 0]),
        [2.0, 0.0, np.nan, 2.0, 0.0, 0.0],
        pd.Series([2, 0, None, 2, 0, 0], dtype="Int64", index=[*"fedcba"]),
        ["2", "0", "unassigned", "2", "0", "0"],
        np.array(["2", "0", None, "2", "0", "0"], dtype=object),
        np.array([2, 0, "unassigned", 2, 0, 0], dtype=object),
        pd.Categorical(["2", "0", None, "2", "0", "0"]),
        pl.Series(["2", "0", None, "2", "0", "0"]),
        pa.chunked_array([["2", "0", None], ["2", "0", "0"]]),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_codes_and_names_of_any_library_give_the_same_segments(labels):
    X = pd.DataFrame({"spend": [10.0, 1, 99, 12, 3, 2]})
    profiler = SegmentProfiler(min_cell=1).fit(X, y=labels)
    assert profiler.segments_.tolist() == ["0", "2"]
    assert profiler.n_unassigned_ == 1
    assert cell(profiler, "0", "spend", "mean") == 2.0
    assert cell(profiler, "2", "spend", "mean") == 11.0
    assert cell(profiler, EVERYONE, "spend", "mean") == 28 / 5


def test_categories_keep_their_order_and_empty_ones_are_left_out():
    tiers = pd.Categorical(
        ["low", "top", "low", "mid"], ["top", "mid", "low", "none"], ordered=True
    )
    X = pd.DataFrame({"spend": [1.0, 2, 3, 4]})
    assert SegmentProfiler().fit(X, y=tiers).segments_.tolist() == ["top", "mid", "low"]
    enum = pl.Series(tiers.tolist(), dtype=pl.Enum(["top", "mid", "low", "none"]))
    assert SegmentProfiler().fit(X, y=enum).segments_.tolist() == ["top", "mid", "low"]


def test_labels_without_an_order_of_their_own_are_sorted_in_any_order_of_rows():
    # Polars sorts a Categorical as text; only an Enum says an order.
    for tiers in (["low", "top", "low", "mid"] * 3, ["mid", "low", "low", "top"] * 3):
        labels = pl.Series(tiers, dtype=pl.Categorical)
        X = pl.DataFrame({"spend": np.arange(12.0), "tier": labels})
        for found in (
            SegmentProfiler().fit(X, y=labels),
            SegmentProfiler().fit(X, y="tier"),
            SegmentProfiler().fit(X.lazy(), y="tier"),
        ):
            assert found.segments_.tolist() == ["low", "mid", "top"]


def test_large_whole_numbers_are_described_and_what_differs_by_rounding_is_not():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "large": 2**60 + np.arange(40),
            "small": np.arange(40),
            "dust": np.where(rng.random(40) < 0.5, 1.0, np.nextafter(1.0, 2)),
        }
    )
    profiler = SegmentProfiler(min_cell=1).fit(X, y=[0, 1, 1, 0] * 10)
    assert profiler.left_out_ == {"dust": "all values are equal"}
    same = ["std", "difference", "difference_low", "dominance"]
    rows = profiler.profile_.groupby("variable")[same]
    np.testing.assert_allclose(
        rows.get_group("large"), rows.get_group("small"), rtol=1e-12, atol=1e-12
    )
    found = profiler.differences_.set_index("variable").select_dtypes("number")
    np.testing.assert_allclose(found.loc["large"], found.loc["small"], rtol=1e-12, atol=1e-12)


def test_the_labels_that_assign_adds_are_read_with_their_order():
    tierer = ValueTierer(column="spend", missing="unassigned")
    customers = CUSTOMERS.drop(columns="segment")
    customers.loc[:4, "spend"] = np.nan
    for kind in ("pandas", "polars", "pyarrow"):
        assigned = tierer.fit(customers).assign(as_kind(customers, kind))
        profiler = SegmentProfiler().fit(assigned, y="value_tier")
        assert profiler.n_unassigned_ == 5
        assert set(profiler.segments_) == {"A", "B", "C"}
        if kind != "pyarrow":  # which has no categories to order
            assert profiler.segments_.tolist() == ["A", "B", "C"]


def test_a_column_of_the_frame_can_be_the_segments_and_is_not_described():
    by_name = FITTED
    by_values = SegmentProfiler(value="spend").fit(
        CUSTOMERS.drop(columns="segment"), y=CUSTOMERS["segment"]
    )
    pd.testing.assert_frame_equal(by_name.profile_, by_values.profile_)
    assert "segment" not in set(by_name.profile_["variable"])


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_segmenter_is_cloned_and_its_names_and_columns_are_used():
    customers = summarize_transactions(make_transactions(200, random_state=0))
    scorer = RFMScorer()
    profiler = SegmentProfiler(scorer, columns=["monetary", "tenure_days"]).fit(customers)
    assert not hasattr(scorer, "segments_")
    fitted = clone(scorer).fit(customers)
    counts = pd.Series(fitted.predict_segments(customers)).value_counts()
    assert profiler.sizes_.set_index("segment")["customers"].to_dict() == counts.to_dict()
    order = [name for name in fitted.segments_ if name in counts.index]
    assert profiler.segments_.tolist() == order
    descriptive = profiler.differences_.set_index("variable")["is_descriptive"]
    assert descriptive.to_dict() == {"monetary": True, "tenure_days": False}


def test_a_frozen_segmenter_describes_other_customers_than_those_of_its_fit():
    half = len(CUSTOMERS) // 2
    tierer = ValueTierer(column="spend").fit(CUSTOMERS[:half])
    profiler = SegmentProfiler(FrozenEstimator(tierer)).fit(CUSTOMERS[half:])
    expected = pd.Series(tierer.predict_segments(CUSTOMERS[half:])).value_counts()
    assert profiler.sizes_.set_index("segment")["customers"].to_dict() == expected.to_dict()


def test_a_pipeline_may_be_the_segmenter_and_the_profiler_may_end_one():
    X = CUSTOMERS[["spend", "orders"]]
    inside = SegmentProfiler(make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)))
    inside.fit(X)
    assert cell(inside, EVERYONE, "spend", "mean") == pytest.approx(X["spend"].mean())
    outside = make_pipeline(
        StandardScaler(), SegmentProfiler(KMeans(3, n_init=1, random_state=0))
    ).fit(X)
    assert outside[-1].sizes_["customers"].tolist() == inside.sizes_["customers"].tolist()
    assert cell(outside[-1], EVERYONE, "x0", "mean") == pytest.approx(0, abs=1e-12)
    with_labels = make_pipeline(StandardScaler(), SegmentProfiler()).fit(X, CUSTOMERS["segment"])
    assert with_labels[-1].segments_.tolist() == ["bronze", "gold", "silver"]


def test_clusterers_that_cannot_predict_are_known_by_their_labels():
    X = np.r_[np.zeros((20, 2)), np.full((20, 2), 9.0), [[99.0, 99.0]]]
    profiler = SegmentProfiler(DBSCAN()).fit(X)
    assert profiler.sizes_["customers"].tolist() == [20, 20]
    assert profiler.n_unassigned_ == 1
    with pytest.raises(SegkitTypeError, match="cannot predict"):
        SegmentProfiler(FrozenEstimator(DBSCAN().fit(X))).fit(X[:5])


# The profile.


@pytest.mark.parametrize("segment", ["bronze", "gold", "silver"])
def test_numbers_are_those_of_pandas(segment):
    inside = CUSTOMERS.loc[CUSTOMERS["segment"] == segment, "mood"]
    expected = {
        "customers": inside.notna().sum(),
        "missing_share": inside.isna().mean(),
        "mean": inside.mean(),
        "std": inside.std(),
        **{f"q{round(100 * p):02}": inside.quantile(p) for p in (0.05, 0.25, 0.75, 0.95)},
        "median": inside.median(),
    }
    for column, value in expected.items():
        assert cell(FITTED, segment, "mood", column) == pytest.approx(value, rel=1e-12), column


def test_the_index_is_the_mean_against_everyones():
    spend = CUSTOMERS["spend"]
    gold = spend[CUSTOMERS["segment"] == "gold"]
    assert cell(FITTED, "gold", "spend", "index") == pytest.approx(100 * gold.mean() / spend.mean())
    assert cell(FITTED, EVERYONE, "spend", "index") == pytest.approx(100)


@pytest.mark.parametrize("kind", ["pandas", "polars-lazy"])
@pytest.mark.parametrize(
    "change",
    [[-1.0, -2, -3, 1], [-8.0, 9, -1, 1], [-1.0, 1 + 1e-15, -2, 2], [0.0, 0, 0, 0]],
    ids=["negative mean", "a small mean of both signs", "mean of rounding", "zeros"],
)
def test_there_is_no_index_where_numbers_are_no_multiples_of_the_mean(change, kind):
    X = pd.DataFrame({"change": change, "segment": ["0", "0", "1", "1"]})
    table = X if kind == "pandas" else pl.from_pandas(X).lazy()
    profiler = SegmentProfiler(value="change").fit(table, y="segment")
    assert np.isnan(cell(profiler, "0", "change", "index"))
    assert np.isnan(cell(profiler, EVERYONE, "change", "index"))
    with pytest.warns(SegkitWarning, match=r"to_frame\('difference'\)"):
        assert profiler.to_frame("index", suppress=False).empty


def test_standardised_columns_have_no_index_and_no_ratio_in_words():
    X = StandardScaler().fit_transform(CUSTOMERS[["spend", "orders"]])
    profiler = SegmentProfiler(groups={"all": ["x0", "x1"]}).fit(X, y=CUSTOMERS["segment"])
    assert profiler.profile_.query("variable != '(size)'")["index"].isna().all()
    text = profiler.to_markdown()
    assert "the average" not in text
    assert "e-1" not in text  # the mean of everyone, 0 but for rounding


def test_the_share_of_value_without_a_value_says_why_it_is_empty():
    with pytest.warns(SegkitWarning, match="it needs value='...', a column whose sum is positive"):
        assert SegmentProfiler().fit(CUSTOMERS, "segment").to_frame("share_of_value").empty


def test_shares_and_lifts_of_categories_are_among_the_customers_with_a_value():
    known = CUSTOMERS.dropna(subset="channel")
    share = pd.crosstab(known["segment"], known["channel"], normalize="index").loc["gold", "web"]
    base = (known["channel"] == "web").mean()
    assert cell(FITTED, "gold", "channel", "share", "web") == pytest.approx(share)
    assert cell(FITTED, "gold", "channel", "lift", "web") == pytest.approx(share / base)
    assert cell(FITTED, EVERYONE, "channel", "share", "web") == pytest.approx(base)


@pytest.mark.parametrize("variable", ["mail", "responded"])
def test_of_booleans_and_of_zeros_and_ones_the_share_of_yes_is_told(variable):
    gold = CUSTOMERS.loc[CUSTOMERS["segment"] == "gold", variable]
    assert cell(FITTED, "gold", variable, "share", "yes") == pytest.approx(gold.mean())
    assert cell(FITTED, "gold", variable, "kind") == "flag"


def test_of_dates_the_range_and_the_middle_are_told():
    gold = CUSTOMERS.loc[CUSTOMERS["segment"] == "gold", "since"]
    assert cell(FITTED, "gold", "since", "first") == gold.min()
    assert cell(FITTED, "gold", "since", "last") == gold.max()
    assert cell(FITTED, "gold", "since", "date_median") == gold.median()


def test_segments_have_their_shares_of_customers_and_of_value():
    sums = CUSTOMERS.groupby("segment")["spend"].sum()
    sizes = FITTED.sizes_.set_index("segment")
    np.testing.assert_allclose(sizes["share_of_value"], sums / sums.sum())
    np.testing.assert_allclose(sizes["value"], sums)
    np.testing.assert_allclose(sizes["share"], CUSTOMERS["segment"].value_counts(True).sort_index())
    share = cell(FITTED, "gold", "(size)", "share_of_value")
    assert share == pytest.approx(sums["gold"] / sums.sum())


def test_the_standardised_difference_is_hedges_g_from_all_others_with_its_interval():
    # By hand: n 3 and 4, means 3 and 8, variances 1 and 20/3; pooled (2 + 20) / 5 = 4.4,
    # d = -5 / sqrt(4.4) = -2.38366, times 1 - 3 / 19 = -2.00729; its standard error is
    # sqrt(7 / 12 + g² / 14) = 0.93334, times 1.95996 = 1.82932.
    X = pd.DataFrame({"spend": [2.0, 3, 4, 5, 7, 9, 11]})
    profiler = SegmentProfiler().fit(X, y=["a"] * 3 + ["b"] * 4)
    assert cell(profiler, "a", "spend", "difference") == pytest.approx(-2.00729, abs=1e-5)
    assert cell(profiler, "a", "spend", "difference_low") == pytest.approx(-3.83661, abs=2e-5)
    assert cell(profiler, "a", "spend", "difference_high") == pytest.approx(-0.17797, abs=2e-5)


def test_the_difference_of_a_level_is_that_of_zeros_and_ones():
    mail = CUSTOMERS["mail"].to_numpy()
    # Two thousandths never are 0 and 1, so that they are numbers, and the same in deviations.
    as_number = SegmentProfiler().fit(
        pd.DataFrame({"mail": np.where(mail, 0.002, 0.0)}), y=CUSTOMERS["segment"]
    )
    for column in ("difference", "difference_low", "difference_high", "dominance"):
        expected = cell(as_number, "gold", "mail", column)
        assert cell(FITTED, "gold", "mail", column, "yes") == pytest.approx(expected)


def test_dominance_is_cliffs_delta_by_counting_all_pairs():
    known = CUSTOMERS.dropna(subset="mood")
    own = known.loc[known["segment"] == "gold", "mood"].to_numpy()
    rest = known.loc[known["segment"] != "gold", "mood"].to_numpy()
    expected = np.sign(own[:, None] - rest).mean()
    assert cell(FITTED, "gold", "mood", "dominance") == pytest.approx(expected)
    orders = CUSTOMERS["orders"].to_numpy()
    is_gold = (CUSTOMERS["segment"] == "gold").to_numpy()
    expected = np.sign(orders[is_gold][:, None] - orders[~is_gold]).mean()
    assert cell(FITTED, "gold", "orders", "dominance") == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["pandas", "polars lazy"])
def test_a_value_of_zeros_and_ones_is_summed(kind):
    profiler = SegmentProfiler(value="responded").fit(as_kind(CUSTOMERS, kind), y="segment")
    sums = CUSTOMERS.groupby("segment")["responded"].sum()
    assert profiler.sizes_.set_index("segment")["value"].to_dict() == pytest.approx(sums.to_dict())
    assert cell(profiler, "gold", "responded", "kind") == "number"


def test_rare_levels_are_pooled_and_counted():
    rng = np.random.default_rng(0)
    city = rng.choice(list("abcdefgh"), 500, p=np.arange(1, 9)[::-1] / 36)
    X = pd.DataFrame({"city": city, "mood": rng.normal(size=500)})
    profiler = SegmentProfiler(max_levels=3).fit(X, y=rng.integers(0, 2, 500))
    rows = profiler.profile_.query("variable == 'city' and segment == '(everyone)'")
    counts = pd.Series(city).value_counts()
    assert rows["level"].tolist() == [*counts.index[:3], "(other levels)"]
    assert rows["customers"].tolist() == [*counts[:3], counts[3:].sum()]
    # The test still has all levels.
    assert difference(profiler, "city")["degrees_of_freedom"] == 7


def test_the_order_of_the_rows_does_not_matter():
    shuffled = CUSTOMERS.sample(frac=1, random_state=1)
    again = SegmentProfiler(value="spend").fit(shuffled, y="segment")
    pd.testing.assert_frame_equal(again.profile_, FITTED.profile_, rtol=1e-12)
    pd.testing.assert_frame_equal(again.differences_, FITTED.differences_, rtol=1e-12)


def test_columns_that_tell_nothing_are_left_out_with_the_reason():
    n_rows = 100
    X = pd.DataFrame(
        {
            "spend": np.arange(n_rows) * 1.5,
            "customer_id": np.arange(n_rows) + 1000,
            "email": [f"{one}@example.com" for one in range(n_rows)],
            "joined": ["2024-01-05", "2024-02-06"] * 50,
            "empty": [None] * n_rows,
            "constant": 3,
            "country": "UK",
        }
    )
    profiler = SegmentProfiler().fit(X, y=[0, 1] * 50)
    assert set(profiler.profile_["variable"]) == {"(size)", "spend"}
    reasons = profiler.left_out_
    assert set(reasons) == set(X.columns) - {"spend"}
    assert "ids" in reasons["customer_id"]
    assert "to_datetime" in reasons["joined"]
    assert reasons["constant"] == reasons["country"] == "all values are equal"
    assert "example.com" not in str(reasons)


# The differences.


@pytest.mark.parametrize("variable", ["spend", "orders", "mood"])
def test_numbers_are_tested_as_by_scipy(variable):
    known = CUSTOMERS.dropna(subset=variable)
    parts = [part.to_numpy(float) for _, part in known.groupby("segment")[variable]]
    found = difference(FITTED, variable)
    kruskal = stats.kruskal(*parts)
    welch = stats.f_oneway(*parts, equal_var=False)
    assert found["test"] == "Kruskal-Wallis"
    assert found["statistic"] == pytest.approx(kruskal.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(kruskal.pvalue, rel=1e-9)
    assert found["welch_f"] == pytest.approx(welch.statistic, rel=1e-9)
    assert found["welch_p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
    assert found["epsilon_squared"] == pytest.approx(
        epsilon_squared(known[variable], known["segment"]), rel=1e-9
    )
    assert found["omega_squared"] == pytest.approx(
        omega_squared(known[variable], known["segment"]), rel=1e-9, abs=1e-12
    )
    assert found["effect_size"] == pytest.approx(np.sqrt(found["epsilon_squared"]))


@pytest.mark.parametrize("variable", ["channel", "mail", "responded"])
def test_categories_are_tested_as_by_scipy(variable):
    known = CUSTOMERS.dropna(subset=variable)
    table = pd.crosstab(known[variable], known["segment"])
    expected = stats.chi2_contingency(table, correction=False)
    found = difference(FITTED, variable)
    assert found["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found["degrees_of_freedom"] == expected.dof
    v = cramers_v(known[variable].astype(str), known["segment"])
    assert found["effect_size"] == found["cramers_v"] == pytest.approx(v, rel=1e-9)


def test_dates_are_ranked_as_numbers():
    parts = [part.astype("int64") for _, part in CUSTOMERS.groupby("segment")["since"]]
    found = difference(FITTED, "since")
    assert found["statistic"] == pytest.approx(stats.kruskal(*parts).statistic, rel=1e-9)


def test_variables_are_ordered_by_effect_and_adjusted_by_benjamini_and_hochberg():
    found = FITTED.differences_
    assert found["effect_size"].is_monotonic_decreasing
    assert found["variable"].iloc[0] == "spend"
    expected = stats.false_discovery_control(found["p_value"])
    np.testing.assert_allclose(found["p_adjusted"], expected)


def test_the_basis_is_descriptive_and_lends_nothing_to_the_other_p_values():
    basis = ["spend", "orders"]
    found = SegmentProfiler(basis=basis).fit(CUSTOMERS, y="segment").differences_
    assert set(found.loc[found["is_descriptive"], "variable"]) == set(basis)
    for _, family in found.groupby("is_descriptive"):
        expected = stats.false_discovery_control(family["p_value"])
        np.testing.assert_allclose(family["p_adjusted"], expected)


def test_two_segments_and_variables_without_differences_have_effects_of_about_zero():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.normal(size=4_000), "level": rng.choice(list("ab"), 4_000)})
    found = SegmentProfiler().fit(X, y=rng.integers(0, 2, 4_000)).differences_
    assert (found["effect_size"] < 0.05).all()
    assert (found["p_adjusted"] > 0.01).all()


def test_a_single_segment_is_described_and_differs_from_nothing():
    profiler = SegmentProfiler().fit(CUSTOMERS, y=np.zeros(len(CUSTOMERS)))
    assert profiler.differences_["effect_size"].isna().all()
    assert profiler.personas_["0"].traits == ()
    assert "400 customers in 1 segment." in profiler.to_markdown()


# Frames.


def test_every_eager_kind_of_frame_gives_the_same_profile(eager_kind):
    found = SegmentProfiler(value="spend").fit(as_kind(CUSTOMERS, eager_kind), y="segment")
    pd.testing.assert_frame_equal(found.profile_, FITTED.profile_, rtol=1e-12)
    pd.testing.assert_frame_equal(found.differences_, FITTED.differences_, rtol=1e-12)
    assert found.personas_ == FITTED.personas_


def test_a_lazy_frame_has_the_same_sizes_means_and_shares(lazy_kind):
    found = SegmentProfiler(value="spend").fit(as_kind(CUSTOMERS, lazy_kind), y="segment")
    same = ["segment", "variable", "level", "customers", "missing_share", "share", "lift"]
    same += ["share_of_value", "mean", "std", "index", "first", "last", "is_small"]
    pd.testing.assert_frame_equal(found.profile_[same], FITTED.profile_[same], rtol=1e-9)
    assert found.profile_[["median", "q05", "date_median"]].isna().all(axis=None)
    numbers = found.profile_["kind"].isin(["number"])
    expected = FITTED.profile_.loc[numbers, ["difference", "difference_low"]]
    pd.testing.assert_frame_equal(found.profile_.loc[numbers, expected.columns], expected)


def test_a_lazy_frame_leaves_out_customers_without_a_segment(lazy_kind):
    customers = CUSTOMERS.assign(
        segment=CUSTOMERS["segment"].mask(np.arange(400) % 5 == 0), code=np.arange(400) % 3 - 1
    )
    for y in ("segment", "code"):
        found = SegmentProfiler(columns=["spend", "channel", "mail"]).fit(
            as_kind(customers, lazy_kind), y=y
        )
        expected = SegmentProfiler(columns=["spend", "channel", "mail"]).fit(customers, y=y)
        assert found.n_unassigned_ == expected.n_unassigned_ > 0
        same = ["segment", "variable", "level", "customers", "share", "mean"]
        pd.testing.assert_frame_equal(found.profile_[same], expected.profile_[same], rtol=1e-9)


def test_a_lazy_frame_has_tests_that_need_no_ranks(lazy_kind):
    found = SegmentProfiler().fit(as_kind(CUSTOMERS, lazy_kind), y="segment").differences_
    found, expected = found.set_index("variable"), FITTED.differences_.set_index("variable")
    for column in ("welch_f", "omega_squared", "cramers_v"):
        expected_values = expected[column].drop("since")
        np.testing.assert_allclose(
            found[column].reindex(expected_values.index), expected_values, rtol=1e-9, atol=1e-12
        )
    assert found.loc["spend", "test"] == "Welch"
    assert found.loc["spend", "p_value"] == pytest.approx(expected.loc["spend", "welch_p_value"])
    assert found["epsilon_squared"].isna().all()


def test_a_lazy_frame_is_described_by_a_segmenter(lazy_kind):
    tierer = ValueTierer(column="spend")
    lazily = SegmentProfiler(tierer).fit(as_kind(CUSTOMERS, lazy_kind))
    eagerly = SegmentProfiler(tierer).fit(CUSTOMERS)
    pd.testing.assert_frame_equal(lazily.sizes_, eagerly.sizes_)
    assert lazily.segments_.tolist() == eagerly.segments_.tolist()
    with pytest.raises(LazyFrameError, match="assign"):
        SegmentProfiler(FrozenEstimator(KMeans(2).fit(CUSTOMERS[["spend"]]))).fit(
            as_kind(CUSTOMERS[["spend"]], lazy_kind)
        )


def test_lazy_frames_with_nan_infinity_and_ids_are_described(lazy_kind):
    customers = pd.DataFrame(
        {
            "spend": [1.0, 2.0, np.nan, np.inf] * 300,
            "email": [f"{one}@example.com" for one in range(1200)],
            "vip": [True, False, None] * 400,
            "segment": ["a", "b", None] * 400,
        }
    )
    found = SegmentProfiler().fit(as_kind(customers, lazy_kind), y="segment")
    assert found.n_unassigned_ == 400
    assert cell(found, EVERYONE, "spend", "customers") == 400
    assert cell(found, EVERYONE, "spend", "mean") == pytest.approx(1.5)
    assert set(found.left_out_) == {"email"}
    assert cell(found, "a", "vip", "share", "yes") == 1.0


def make_every_type(n_rows=120):
    rng = np.random.default_rng(3)
    level = rng.integers(0, 3, n_rows)
    day = np.datetime64("2024-03-01") + rng.integers(0, 200, n_rows)
    hour = day.astype("datetime64[us]") + rng.integers(0, 86_400_000_000, n_rows)
    yes = rng.random(n_rows) < 0.3
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(n_rows) + 70_000,
            "order_id": rng.integers(0, 40, n_rows),  # not all different
            "flag": yes.astype(float),
            "flag_missing": np.where(rng.random(n_rows) < 0.1, np.nan, yes),
            "half": np.where(yes, 1.0, 0.5),
            "nearly_flag": np.where(level == 2, 2, yes),  # 2 only of who is in no segment
            "large": 2**60 + rng.integers(0, 50, n_rows),
            "year": np.where(yes, 5_000, 5_001),
            "close": 1e9 + rng.normal(size=n_rows),
            "dust": np.where(yes, 1.0, np.nextafter(1.0, 2)),
            "day": pd.Series(day.astype("datetime64[s]")).dt.date,
            "hour": pd.Series(hour).mask(rng.random(n_rows) < 0.1),
            "constant": 3,
            "tier": pd.Categorical(
                np.where(yes, "high", "low"), ["low", "mid", "high"], ordered=True
            ),
            "boolean": yes,
            "empty": pd.Series([None] * n_rows, dtype="float64"),
            "segment": np.array(["a", "b", "unassigned"])[level],
        }
    )


def test_every_kind_of_frame_has_the_same_rows_for_columns_of_any_type(kind):
    customers = make_every_type()
    expected = SegmentProfiler().fit(customers, y="segment")
    if kind.startswith("polars"):
        frame = pl.from_pandas(customers).with_columns(
            pl.col("tier").cast(pl.Enum(["low", "mid", "high"]))
        )
        frame = frame.lazy() if kind == "polars lazy" else frame
    else:
        frame = as_kind(customers, kind)
    found = SegmentProfiler().fit(frame, y="segment")
    rows = [one.profile_.set_index(["variable", "level", "segment"]) for one in (found, expected)]
    if kind in ("pyarrow", "duckdb", "pandas arrow"):  # the order of categories is lost there
        rows = [one.sort_index() for one in rows]
    same = ["kind", "customers", "missing_share", "share", "lift", "mean", "std", "index"]
    same += ["difference", "difference_low", "difference_high", "first", "last", "is_small"]
    tolerance = {"rtol": 1e-9, "atol": 1e-9, "check_dtype": False}
    pd.testing.assert_frame_equal(rows[0][same], rows[1][same], **tolerance)
    assert found.left_out_ == expected.left_out_
    assert set(found.left_out_) == {"customer_id", "dust", "constant", "empty"}
    tests = [one.differences_.set_index("variable").sort_index() for one in (found, expected)]
    same = ["kind", "customers", "omega_squared", "welch_f", "cramers_v"]
    pd.testing.assert_frame_equal(tests[0][same], tests[1][same], **tolerance)


def test_labels_beside_a_lazy_frame_are_refused(lazy_kind):
    with pytest.raises(LazyFrameError, match="have no order"):
        SegmentProfiler().fit(as_kind(CUSTOMERS, lazy_kind), y=CUSTOMERS["segment"])


def test_arrays_of_numbers_and_of_objects_are_described_by_position():
    X = CUSTOMERS[["spend", "channel"]].to_numpy(dtype=object)
    profiler = SegmentProfiler(value=0, columns=[1]).fit(X, y=CUSTOMERS["segment"])
    assert profiler.differences_["variable"].tolist() == ["x0", "x1"]
    assert difference(profiler, "x0")["statistic"] == difference(FITTED, "spend")["statistic"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.array([1.5, None, 3.5] * 20, dtype="Float64"), "number"),
        (pd.array([True, None, False] * 20, dtype="boolean"), "flag"),
        (pd.array([0, 1, None] * 20, dtype="Int64"), "flag"),
        (pd.arrays.SparseArray([0.0, 1.5, 2.5] * 20), "number"),
        (pd.period_range("2024-01", periods=60, freq="M"), "date"),
        (pd.to_timedelta([1, 2, 5] * 20, unit="D"), "number"),
        (pd.date_range("2024-01-01", periods=60, tz="Europe/Berlin"), "date"),
        (pd.Series([date(2024, 1, 1), None, date(2024, 2, 3)] * 20), "date"),
        (pd.Series([Decimal("1.1"), None, Decimal("2.2")] * 20), "number"),
        (pd.Series([True, None, False] * 20, dtype=object), "flag"),
        (pd.Series([1, "1", "b"] * 20, dtype=object), "category"),
        (pd.cut(np.arange(60), 3), "category"),
        (np.array([1e300, -1e300, 1.0] * 20), "number"),
        (np.arange(60, dtype=np.uint64) << np.uint64(58), "number"),
        (np.array([1j, 2j, 3j] * 20), None),
        (pd.Series([[1], [2], [3]] * 20), None),
    ],
    ids=lambda value: str(getattr(value, "dtype", value)),
)
def test_columns_of_any_type_are_described_or_left_out(values, kind):
    X = pd.DataFrame({"column": values})
    profiler = SegmentProfiler().fit(X, y=["a", "b"] * 30)
    assert profiler.differences_["kind"].tolist() == ([] if kind is None else [kind])
    assert [*profiler.left_out_] == (["column"] if kind is None else [])
    assert profiler.to_html()


def test_masked_values_of_an_array_are_missing():
    X = np.ma.masked_array(np.arange(12.0).reshape(6, 2), mask=np.eye(6, 2))
    profiler = SegmentProfiler().fit(X, y=[0, 0, 0, 1, 1, 1])
    assert cell(profiler, "0", "x0", "customers") == 2
    assert cell(profiler, "0", "x0", "mean") == 3.0


def test_the_input_is_left_as_it_is():
    customers = make_customers()
    SegmentProfiler(value="spend").fit(customers, y="segment")
    pd.testing.assert_frame_equal(customers, CUSTOMERS)


# Mistakes.


@pytest.mark.parametrize(
    ("parameters", "y", "error", "message"),
    [
        ({}, None, SegkitValueError, "requires y to be passed"),
        ({}, "tier", ColumnError, "column 'tier' is missing"),
        ({}, [1, 2], SegkitValueError, "one label for each of the 400 rows of X, got 2"),
        ({}, CUSTOMERS["mood"], SegkitTypeError, "numbers with decimals"),
        ({}, np.full(400, -1), SegkitValueError, "none of the 400 customers has a segment"),
        ({}, CUSTOMERS[["segment"]], SegkitTypeError, "Pass a single column"),
        ({}, ["(everyone)"] * 400, SegkitValueError, "stands for all of them"),
        ({"value": "speed"}, "segment", ColumnError, "Did you mean 'spend'"),
        ({"value": "channel"}, "segment", SegkitTypeError, "must be a column of numbers"),
        ({"columns": "spend"}, "segment", ColumnError, "must be a list of columns"),
        ({"columns": [99]}, "segment", ColumnError, "columns has 99"),
        ({"groups": {"a": ["spend"], "b": ["spend"]}}, "segment", ColumnError, "more than one"),
        ({"groups": ["spend"]}, "segment", SegkitTypeError, "groups must be a dict"),
        ({"phrases": {"spend": "no place"}}, "segment", SegkitValueError, "in place of the number"),
        ({"phrases": {"spend": "{} {x}"}}, "segment", SegkitValueError, "in place of the number"),
        ({"min_cell": 0}, "segment", SegkitValueError, "min_cell must be an integer"),
        ({"max_levels": 1.5}, "segment", SegkitValueError, "max_levels must be an integer"),
        ({"confidence": 95}, "segment", SegkitValueError, "between 0 and 1"),
        ({"segmenter": "kmeans"}, None, SegkitTypeError, "must be an estimator"),
        ({"segmenter": KMeans}, None, SegkitTypeError, "Write KMeans(...)"),
        ({"phrases": {"spnd": "{}"}}, "segment", ColumnError, "Did you mean 'spend'"),
        ({}, {"C1": "a"}, SegkitTypeError, "X['customer_id'].map(labels)"),
        ({}, [1, "a"] * 200, SegkitTypeError, "all numbers or all text"),
    ],
)
def test_mistakes_are_told(parameters, y, error, message):
    with pytest.raises(error, match=re.escape(message)):
        SegmentProfiler(**parameters).fit(CUSTOMERS, y)


def test_infinite_numbers_are_refused():
    X = pd.DataFrame({"spend": [1.0, np.inf, 2.0]})
    with pytest.raises(SegkitValueError, match="'spend' contains infinity"):
        SegmentProfiler().fit(X, y=[0, 1, 1])


def test_a_fit_that_fails_leaves_nothing_of_an_earlier_one():
    profiler = SegmentProfiler().fit(CUSTOMERS, y="segment")
    with pytest.raises(ColumnError):
        profiler.fit(CUSTOMERS, y="nothing")
    assert not hasattr(profiler, "profile_")


def test_an_unknown_statistic_is_refused_with_those_that_there_are():
    with pytest.raises(SegkitValueError, match="'median'"):
        FITTED.to_frame("mode")


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (None, SegkitTypeError, "X is None"),
        (pd.DataFrame(), SegkitValueError, "there are no customers"),
        (np.array([4711.0, 815.0]), SegkitValueError, "must have two dimensions"),
        ([4711.0, 815.0], SegkitValueError, "must have two dimensions"),
        (4711, SegkitTypeError, "one row per customer, got int"),
        (csr_array([[4711.0], [815.0]]), SegkitTypeError, "X.toarray()"),
        (np.array([(4711, 1.0), (815, 2.0)], [("id", int), ("a", float)]), SegkitTypeError, "Data"),
    ],
    ids=["none", "empty", "one dimension", "list", "number", "sparse", "structured"],
)
def test_what_is_no_table_is_refused_without_its_values(X, error, message):
    with pytest.raises(error, match=re.escape(message)) as raised:
        SegmentProfiler().fit(X, [0, 1])
    assert str(raised.value).startswith("SegmentProfiler: ")
    assert "4711" not in str(raised.value)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pd", "pl", "pa"])
def test_a_clusterer_that_needs_numbers_is_told_which_column_holds_text_without_a_value(make):
    table = make({"customer_id": [f"CUST{row}" for row in range(40)], "spend": np.arange(40.0)})
    with pytest.raises(
        SegkitTypeError, match=r"KMeans needs numbers; .*'customer_id' holds text"
    ) as e:
        SegmentProfiler(KMeans(2, n_init=1)).fit(table)
    assert "CUST0" not in "".join(traceback.format_exception(e.value))


def test_an_array_of_text_is_told_by_position_without_a_value():
    array = np.array([[f"CUST{row}", float(row)] for row in range(40)], dtype=object)
    with pytest.raises(SegkitTypeError, match="'x0' holds text") as raised:
        SegmentProfiler(KMeans(2, n_init=1)).fit(array)
    assert "CUST0" not in "".join(traceback.format_exception(raised.value))


def test_a_clusterer_that_takes_no_missing_values_is_told_the_columns():
    with pytest.raises(MissingValuesError, match=r"\['mood'\]"):
        SegmentProfiler(KMeans(2, n_init=1)).fit(CUSTOMERS[["spend", "mood"]])


@pytest.mark.parametrize("eager_kind", ["pandas", "polars", "pyarrow"])
def test_a_clusterer_gets_the_columns_of_the_basis_alone(eager_kind):
    clusterer = KMeans(3, n_init=1, random_state=0)
    expected = clusterer.fit(CUSTOMERS[["spend", "orders"]].to_numpy()).labels_
    table = CUSTOMERS.assign(customer_id=[f"CUST{row}" for row in range(len(CUSTOMERS))])
    given = {"pandas": table, "polars": pl.from_pandas(table), "pyarrow": pa.table(table)}
    for segmenter in (clusterer, make_pipeline(KMeans(3, n_init=1, random_state=0))):
        profiler = SegmentProfiler(segmenter, basis=["spend", "orders"]).fit(given[eager_kind])
        assert profiler.sizes_["customers"].tolist() == np.bincount(expected).tolist()
        assert set(profiler.differences_.query("is_descriptive")["variable"]) == {
            "spend",
            "orders",
        }
    by_place = SegmentProfiler(clusterer, basis=[0, 1]).fit(table.to_numpy(dtype=object))
    assert by_place.sizes_["customers"].tolist() == np.bincount(expected).tolist()


def test_a_frozen_clusterer_gets_the_columns_of_its_fit():
    frozen = FrozenEstimator(KMeans(3, n_init=1).fit(CUSTOMERS[["spend", "orders"]]))
    profiler = SegmentProfiler(frozen, basis="spend").fit(CUSTOMERS)
    assert profiler.differences_.query("is_descriptive")["variable"].tolist() == ["spend"]


def test_a_segmenter_with_columns_of_its_own_gets_all():
    tierer = ValueTierer(column="spend")
    profiler = SegmentProfiler(tierer, basis=["orders"]).fit(CUSTOMERS)
    assert profiler.sizes_["customers"].sum() == len(CUSTOMERS)


def test_a_lazy_frame_with_a_clusterer_that_stays_not_lazy_is_refused():
    lazy = pl.from_pandas(CUSTOMERS[["spend"]]).lazy()
    for clusterer in (KMeans(2), make_pipeline(StandardScaler(), KMeans(2))):
        with pytest.raises(LazyFrameError, match=r"has no assign\(frame\).*\.collect\(\)"):
            SegmentProfiler(clusterer).fit(lazy)


def test_labels_with_the_index_of_the_frame_in_another_order_are_refused():
    labels = CUSTOMERS["segment"].iloc[::-1]
    with pytest.raises(SegkitValueError, match=r"y\.loc\[X\.index\]"):
        SegmentProfiler().fit(CUSTOMERS, labels)
    by_index = SegmentProfiler().fit(CUSTOMERS, labels.loc[CUSTOMERS.index])
    by_place = SegmentProfiler().fit(CUSTOMERS, CUSTOMERS["segment"].to_numpy())
    pd.testing.assert_frame_equal(by_index.profile_, by_place.profile_)
    # Of another index nothing follows: these are labels by position.
    other = SegmentProfiler().fit(CUSTOMERS, CUSTOMERS["segment"].set_axis(range(7, 407)))
    pd.testing.assert_frame_equal(other.profile_, by_place.profile_)


@pytest.mark.parametrize("column", ["customer_id", "contact"])
def test_ids_and_addresses_of_few_customers_are_left_out(column):
    customers = pd.DataFrame(
        {column: [f"c{number}@example.com" for number in range(4)], "spend": [1.0, 2.0, 3.0, 4.0]}
    )
    profiler = SegmentProfiler(min_cell=1).fit(customers, ["a", "a", "b", "b"])
    assert "ids or free text" in profiler.left_out_[column]
    assert "example.com" not in profiler.to_markdown()


def test_nested_columns_of_arrow_are_left_out():
    nested = pd.ArrowDtype(pa.struct([("a", pa.int64())]))
    customers = pd.DataFrame(
        {"spend": [1.0, 2.0, 3.0, 4.0], "kind": pd.Series([{"a": 1}] * 4, dtype=nested)}
    )
    profiler = SegmentProfiler(min_cell=1).fit(customers, ["a", "a", "b", "b"])
    assert "holds no categories" in profiler.left_out_["kind"]


def test_infinite_numbers_that_a_clusterer_refuses_are_told_by_column():
    customers = pd.DataFrame({"spend": [1.0, np.inf, 3.0], "visits": [1.0, 2.0, 3.0]})
    with pytest.raises(SegkitValueError, match=r"KMeans takes no infinite numbers.*\['spend'\]"):
        SegmentProfiler(KMeans(2)).fit(customers)
