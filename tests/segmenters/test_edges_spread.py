"""The bootstrap of the edges, against a loop over draws and against what is known of quantiles."""

import numpy as np
import pandas as pd
import pytest

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import LazyFrameError, MissingValuesError, SegkitValueError
from segkit.segmenters import EdgesSpread
from segkit.segmenters._edges_spread import _drawn_rows

pytestmark = pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")


@pytest.fixture(scope="module")
def customers():
    return summarize_transactions(make_transactions(500, random_state=0))


def test_the_interval_of_an_edge_is_that_of_a_quantile():
    # The standard error of the median of n standard normal values is sqrt(pi / 2 / n).
    n = 4_000
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.normal(100, 1, n) for name in ("r", "f", "m")})
    scorer = RFMScorer(columns=["r", "f", "m"], n_bins=2).fit(table)
    spread = scorer.edges_spread(table, n_bootstraps=2_000, random_state=0)
    expected = 2 * 1.96 * np.sqrt(np.pi / 2 / n)
    widths = spread.edges["high"] - spread.edges["low"]
    np.testing.assert_allclose(widths, expected, rtol=0.1)
    assert (spread.edges["low"] <= spread.edges["value"]).all()
    assert (spread.edges["value"] <= spread.edges["high"]).all()


def test_the_changed_share_is_that_of_refitted_scorers(customers):
    scorer = RFMScorer().fit(customers)
    spread = scorer.edges_spread(customers, n_bootstraps=200, random_state=0)
    rng = np.random.default_rng(1)
    changed = []
    for _ in range(200):
        drawn = customers.iloc[rng.integers(len(customers), size=len(customers))]
        changed.append((RFMScorer().fit(drawn).predict(customers) != scorer.labels_).mean())
    assert spread.changed_share == pytest.approx(np.mean(changed), abs=0.015)
    low, high = spread.changed_share_interval
    assert low == pytest.approx(np.percentile(changed, 2.5), abs=0.02)
    assert high == pytest.approx(np.percentile(changed, 97.5), abs=0.04)


def test_the_segments_add_up_to_all(customers):
    scorer = RFMScorer().fit(customers)
    spread = scorer.edges_spread(customers, random_state=0)
    assert isinstance(spread, EdgesSpread)
    assert spread.segments["segment"].tolist() == list(scorer.segments_)
    sizes = spread.segments["customers"]
    assert sizes.sum() == len(customers)
    mean = np.average(spread.segments["changed_share"], weights=sizes)
    assert spread.changed_share == pytest.approx(mean)


def test_given_edges_have_no_spread(customers):
    given = RFMScorer(binning=[[30, 90], [1, 3], [50, 250]], n_bins=3).fit(customers)
    spread = given.edges_spread(customers, n_bootstraps=5, random_state=0)
    assert spread.edges["low"].tolist() == spread.edges["high"].tolist() == [30, 90, 1, 3, 50, 250]
    assert spread.changed_share == 0


def test_the_same_seed_gives_the_same_spread_with_any_number_of_threads(customers):
    scorer = RFMScorer(binning="nested").fit(customers)
    state = str(np.random.mtrand._rand.get_state())
    one = scorer.edges_spread(customers, n_bootstraps=10, random_state=3)
    two = scorer.edges_spread(customers, n_bootstraps=10, random_state=3, n_jobs=2)
    scorer.edges_spread(customers, n_bootstraps=2)
    pd.testing.assert_frame_equal(one.edges, two.edges)
    assert one.changed_share == two.changed_share
    assert str(np.random.mtrand._rand.get_state()) == state
    assert one.edges["within"].iloc[-1] == "recency 5, frequency 5"


def test_groups_are_drawn_one_by_one(customers):
    country = np.where(np.arange(len(customers)) < 6, "LU", "DE")
    table = customers.assign(country=country)
    scorer = RFMScorer(groups="country").fit(table)
    spread = scorer.edges_spread(table, n_bootstraps=20, random_state=0)
    assert spread.edges["group"].unique().tolist() == ["DE", "LU", "(all customers)"]
    small = spread.edges.query("group == 'LU'")
    assert (small["high"] <= small["column"].map(customers.head(6).max(numeric_only=True))).all()


def test_each_group_is_drawn_as_often_as_it_occurs():
    group = np.array([2, 0, 2, 1, 2, 0])
    drawn = [_drawn_rows(6, group, np.random.RandomState(seed)) for seed in range(50)]
    assert all(sorted(group[rows]) == sorted(group) for rows in drawn)
    assert len({tuple(rows) for rows in drawn}) > 20


def test_a_group_that_is_not_there_keeps_its_edges(customers):
    scorer = RFMScorer(groups="g").fit(customers.assign(g=["a", "b"] * 250))
    spread = scorer.edges_spread(customers.assign(g="a"), n_bootstraps=3, random_state=0)
    absent = spread.edges.query("group == 'b'")
    assert (absent["low"] == absent["value"]).all()
    assert (absent["high"] == absent["value"]).all()


def test_customers_with_missing_values_are_left_out(customers):
    holed = customers.copy()
    holed.loc[0, "monetary"] = np.nan
    scorer = RFMScorer(missing="unassigned").fit(customers)
    spread = scorer.edges_spread(holed, n_bootstraps=2, random_state=0)
    assert spread.segments["customers"].sum() == len(customers) - 1
    with pytest.raises(MissingValuesError, match="'monetary'"):
        RFMScorer().fit(customers).edges_spread(holed)


def test_what_cannot_be_is_refused(customers):
    import polars as pl

    scorer = RFMScorer().fit(customers)
    with pytest.raises(LazyFrameError, match="edges_spread needs the values"):
        scorer.edges_spread(pl.from_pandas(customers).lazy())
    for n_bootstraps in (1, 2.5, "many"):
        with pytest.raises(SegkitValueError, match="n_bootstraps must be an integer"):
            scorer.edges_spread(customers, n_bootstraps=n_bootstraps)
