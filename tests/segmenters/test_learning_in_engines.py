"""Fitting to lazy frames: what is learned inside an engine is what is learned in memory."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from frames import as_kind
from segkit import LifecycleStager, RFMScorer, ValueTierer, _engine_values
from segkit.exceptions import MissingValuesError, SegkitValueError, SmallGroupsWarning

pytestmark = pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")


def crowd(n_customers, seed=0):
    """Customers with ties, a long tail, refunds, and missing values in one column."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(0, 400, n_customers)
    return pd.DataFrame(
        {
            "recency_days": (tenure * rng.random(n_customers)).astype(int),
            "frequency": rng.geometric(0.4, n_customers),
            "order_days": rng.geometric(0.5, n_customers),
            "tenure_days": tenure,
            "monetary": np.round(rng.lognormal(3, 2, n_customers) - 5, 2),
            "country": rng.choice(["DE", "FR", "IT", "MT"], n_customers, p=[0.5, 0.3, 0.19, 0.01]),
        }
    )


SEGMENTERS = {
    "quintiles": RFMScorer(),
    "deciles": RFMScorer(n_bins=10),
    "equal widths": RFMScorer(binning="uniform"),
    "natural breaks": RFMScorer(binning="kmeans"),
    "nested": RFMScorer(binning="nested"),
    "groups": RFMScorer(groups="country"),
    "nested in groups": RFMScorer(binning="nested", n_bins=3, groups="country"),
    "given and learned": RFMScorer(
        binning={"recency_days": [10, 50, 100, 200], "monetary": "uniform"}
    ),
    "pareto tiers": ValueTierer(),
    "tiers of customers": ValueTierer(method="quantile"),
    "fixed tiers": ValueTierer(method="fixed", cuts=(500.0, 30.5)),
    "rhythms": LifecycleStager(),
    "days": LifecycleStager(method="fixed"),
}


@pytest.fixture(params=[1 << 16, 50], ids=["value by value", "range by range"])
def few_rows(request, monkeypatch):
    """So many rows are counted value by value: all, or hardly any."""
    monkeypatch.setattr(_engine_values, "_FEW_ROWS", request.param)
    monkeypatch.setattr(_engine_values, "_MOST_RANGES", 256)
    monkeypatch.setattr(_engine_values, "_MOST_PIECES", 3)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("segmenter", SEGMENTERS.values(), ids=SEGMENTERS)
def test_an_engine_learns_what_is_learned_in_memory(segmenter, lazy_kind):
    customers = crowd(3_000)
    in_memory = clone(segmenter).fit(customers)
    in_engine = clone(segmenter).fit(as_kind(customers, lazy_kind))
    assert learned(in_engine) == learned(in_memory)
    assert (in_engine.predict(customers) == in_memory.labels_).all()
    assert not hasattr(in_engine, "labels_")


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("name", ["quintiles", "nested in groups", "pareto tiers", "rhythms"])
def test_missing_values_are_left_out(name, lazy_kind):
    customers = crowd(500).astype({"recency_days": float, "order_days": float})
    for place, column in enumerate(("recency_days", "monetary", "country", "order_days")):
        customers.loc[customers.index % 7 == place, column] = None
    segmenter = clone(SEGMENTERS[name])
    if hasattr(segmenter, "missing"):
        segmenter.set_params(missing="unassigned")
    in_memory = clone(segmenter).fit(customers)
    assert learned(segmenter.fit(as_kind(customers, lazy_kind))) == learned(in_memory)


def learned(segmenter):
    """Everything that fit has learned, but what is rounded in a curve."""
    state = {
        "segments": segmenter.segments_.tolist(),
        "rules": segmenter.describe().drop(columns="share_of_value", errors="ignore").to_dict(),
    }
    for name in ("bin_edges_", "group_bin_edges_", "prior_", "thresholds_"):
        if hasattr(segmenter, name):
            state[name] = plain(getattr(segmenter, name))
    return repr(state)


def plain(value):
    """Nested dicts and arrays as dicts and lists."""
    if isinstance(value, dict):
        return {key: plain(inside) for key, inside in value.items()}
    return np.asarray(value).tolist()


@pytest.mark.usefixtures("few_rows")
def test_given_amounts_anywhere_divide_the_customers_as_in_memory(lazy_kind):
    customers = crowd(2_000)
    positive = customers.loc[customers["monetary"] > 0, "monetary"]
    for seed in range(5):
        some = np.random.default_rng(seed).choice(np.unique(positive), 9, replace=False)
        tierer = ValueTierer(method="fixed", cuts=np.sort(some)[::-1] + 0.001 * seed)
        told = [
            clone(tierer).fit(frame).describe()["customers"].tolist()
            for frame in (customers, as_kind(customers, lazy_kind))
        ]
        assert told[0] == told[1]


@pytest.mark.usefixtures("few_rows")
def test_totals_beyond_the_largest_float_are_told_apart(lazy_kind):
    values = np.linspace(1e306, 1.7e308, 500)
    customers = pd.DataFrame({"monetary": values})
    in_memory = ValueTierer().fit(customers)
    in_engine = ValueTierer().fit(as_kind(customers, lazy_kind))
    assert in_engine.thresholds_.tolist() == in_memory.thresholds_.tolist()
    assert in_engine.gini_ == pytest.approx(in_memory.gini_, abs=1e-4)


@pytest.mark.usefixtures("few_rows")
def test_the_lorenz_curve_of_an_engine_is_close(lazy_kind):
    customers = crowd(3_000)
    in_memory = ValueTierer().fit(customers)
    in_engine = ValueTierer().fit(as_kind(customers, lazy_kind))
    assert in_engine.gini_ == pytest.approx(in_memory.gini_, abs=1e-4)
    tiers = [one.describe()["share_of_value"].dropna() for one in (in_engine, in_memory)]
    np.testing.assert_allclose(*tiers, rtol=1e-12)
    curve = np.interp(in_engine.lorenz_curve_[:, 0], *in_memory.lorenz_curve_.T)
    np.testing.assert_allclose(in_engine.lorenz_curve_[:, 1], curve, atol=1e-3)


numbers = st.lists(
    st.one_of(
        st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e-300, -1e-300, 1.7e308, -1.7e308]),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-3, 3).map(float),
    ),
    min_size=1,
    max_size=60,
)


@given(numbers, st.integers(2, 6), st.sampled_from([1, 1 << 16]))
@settings(max_examples=100)
def test_any_numbers_are_found_at_their_ranks(values, n_bins, few):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_engine_values, "_FEW_ROWS", few)
        patch.setattr(_engine_values, "_MOST_RANGES", 8)
        frame = nw.from_native(pl.LazyFrame({"x": values}))
        found = _engine_values.EngineValues(frame, nw.col("x"))
        ranks = np.unique(np.arange(1, n_bins) * (len(values) - 1) // n_bins)
        found.split(lambda _, ranges: ranges.hide(ranks))
    ordered = sorted(values)
    at, after = found.ranges[0].at(ranks)
    assert at.tolist() == [ordered[rank] for rank in ranks]
    assert after.tolist() == [ordered[min(rank + 1, len(values) - 1)] for rank in ranks]


def test_a_fit_collects_no_column(monkeypatch):
    longest = []
    collected = _engine_values.collected

    def noted(frame):
        found = collected(frame)
        longest.append(len(found))
        return found

    monkeypatch.setattr(_engine_values, "collected", noted)
    customers = as_kind(crowd(200_000), "polars lazy")
    RFMScorer().fit(customers)
    ValueTierer().fit(customers)
    assert 0 < max(longest) < 40_000


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    {
        "infinite": (
            {"monetary": np.inf},
            SegkitValueError,
            "'monetary' contains infinity in 1",
        ),
        "missing": ({"monetary": None}, MissingValuesError, "'monetary' contains NaN or null in 1"),
        "negative": (
            {"frequency": -1},
            SegkitValueError,
            "'frequency' is negative in 1 of",
        ),
    }.values(),
    ids=["infinite", "missing", "negative"],
)
def test_mistakes_are_told_as_in_memory(changed, error, says, lazy_kind):
    customers = crowd(30)
    for column, value in changed.items():
        customers.loc[4, column] = value
    with pytest.raises(error, match=says) as in_memory:
        RFMScorer().fit(customers)
    with pytest.raises(error) as in_engine:
        RFMScorer().fit(as_kind(customers, lazy_kind))
    assert str(in_engine.value) == str(in_memory.value)


def test_swapped_columns_and_empty_frames_are_told_as_in_memory(lazy_kind):
    swapped = crowd(30).rename(
        columns={"recency_days": "tenure_days", "tenure_days": "recency_days"}
    )
    for segmenter, customers in (
        (LifecycleStager(), swapped),
        (RFMScorer(), swapped.iloc[:0]),
        (ValueTierer(missing="unassigned"), swapped[["monetary"]] * np.nan),
    ):
        said = []
        for frame in (customers, as_kind(customers, lazy_kind)):
            with pytest.raises(SegkitValueError) as raised:
                clone(segmenter).fit(frame)
            said.append(str(raised.value))
        assert said[0] == said[1]


def test_small_groups_are_told_as_in_memory(lazy_kind):
    customers = crowd(400)
    customers["country"] = ["MT", *customers["country"].replace("MT", "DE")[1:]]
    with pytest.warns(SmallGroupsWarning, match="1 of 4 groups") as in_memory:
        RFMScorer(groups="country").fit(customers)
    with pytest.warns(SmallGroupsWarning) as in_engine:
        RFMScorer(groups="country").fit(as_kind(customers, lazy_kind))
    told = [{str(w.message) for w in warned} for warned in (in_memory, in_engine)]
    assert told[0] == told[1]
