"""Each fault seen in other packages for RFM (the versions named), as a claim about segkit."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from segkit import RFMScorer, SegmentMap, summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import MissingValuesError, SegkitValueError, TiedScoresWarning


@pytest.fixture(scope="module")
def log():
    return make_transactions(300, random_state=7)


@pytest.fixture(scope="module")
def customers(log):
    return summarize_transactions(log, order_id="order_id", as_of="2026-01-01")


@pytest.fixture(scope="module")
def scorer(customers):
    return RFMScorer().fit(customers)


def test_a_subset_scored_alone_does_not_change(customers, scorer):
    """Every peer: 26 % of customers changed in one package, 58 % in another."""
    best = customers.nlargest(50, "monetary")
    expected = scorer.predict(customers)[best.index]
    assert (scorer.predict(best) == expected).all()


def test_the_best_customer_is_a_champion_and_the_worst_hibernates(scorer):
    """clusteraudiencekit 7.5.2 has it the other way round."""
    best = {"recency_days": 0, "frequency": 1_000, "monetary": 1e6}
    worst = {"recency_days": 10_000, "frequency": 1, "monetary": 0.0}
    assert scorer.predict_one(best) == "Champions"
    assert scorer.predict_one(worst) == "Hibernating"


def test_identical_customers_score_alike_in_every_call():
    """clusteraudiencekit 7.5.2: 82 of 100 changed between two identical calls."""
    identical = pd.DataFrame({"recency_days": [9] * 100, "frequency": 2, "monetary": 5.0})
    with pytest.warns(TiedScoresWarning):
        first = RFMScorer().fit(identical)
    with pytest.warns(TiedScoresWarning):
        second = RFMScorer().fit(identical)
    assert len(set(first.labels_)) == 1
    assert (first.labels_ == second.labels_).all()


def test_a_purchase_and_its_refund_are_one_order():
    """clusteraudiencekit 7.5.2 counts two; openretailscience's returns doubled the frequency."""
    log = pd.DataFrame(
        {
            "customer_id": [1, 1],
            "timestamp": pd.to_datetime(["2024-01-01", "2024-01-05"]),
            "amount": [80.0, -80.0],
        }
    )
    for order_per in ("day", "row"):
        table = summarize_transactions(log, order_per=order_per)
        assert table["frequency"].tolist() == [1]
        assert table["monetary"].tolist() == [0.0]


def test_every_cell_has_a_segment():
    """clusteraudiencekit 7.5.2: its exported SQL covers 47 of 125 cells."""
    grid = np.array(np.meshgrid(*[range(1, 6)] * 3)).reshape(3, -1).T
    edges = [[1, 2, 3, 4]] * 3
    cells = pd.DataFrame(grid, columns=["recency_days", "frequency", "monetary"])
    scorer = RFMScorer(binning=edges).fit(cells)
    frame = scorer.assign(pl.from_pandas(cells).lazy()).collect()
    assert frame["rfm_cell"].n_unique() == 125
    assert "unassigned" not in frame["rfm_segment"].to_list()


def test_relabelled_ids_change_no_score(log):
    """openretailscience 0.48.1 breaks ties by customer id: 24 % of segments changed."""
    relabelled = log.assign(customer_id=1_000 - log["customer_id"])
    before = summarize_transactions(log, as_of="2026-01-01")
    after = summarize_transactions(relabelled, as_of="2026-01-01")
    names = RFMScorer().fit(before).predict_segments(before).tolist()
    assert RFMScorer().fit(after).predict_segments(after).tolist() == names[::-1]


def test_a_missing_spend_is_no_top_score(customers):
    """openretailscience 0.48.1 gives it the top score."""
    holed = customers.assign(monetary=np.nan)
    with pytest.raises(MissingValuesError):
        RFMScorer().fit(customers).assign(holed)
    lazy = pl.from_pandas(holed).lazy()
    scored = RFMScorer().fit(customers).assign(lazy).collect()
    assert scored["monetary_score"].null_count() == len(holed)


def test_a_null_id_is_no_customer():
    """openretailscience 0.48.1 makes it one."""
    log = pd.DataFrame(
        {"customer_id": ["a", None], "timestamp": pd.Timestamp(2024, 1, 1), "amount": [1.0, 2.0]}
    )
    with pytest.raises(MissingValuesError, match="'customer_id' in 1 of 2"):
        summarize_transactions(log)
    assert summarize_transactions(log, missing="drop")["customer_id"].tolist() == ["a"]


def test_a_past_as_of_leaves_later_rows_out(log):
    """openretailscience 0.48.1 gave a recency of -213."""
    table = summarize_transactions(log, as_of="2024-12-31")
    assert (table["recency_days"] >= 0).all()
    assert table["last_order"].max() < pd.Timestamp("2025-01-01")


def test_unsorted_thresholds_are_refused(customers):
    """openretailscience 0.48.1 loses a segment."""
    with pytest.raises(SegkitValueError, match="increasing order"):
        RFMScorer(binning={"monetary": [100, 50, 200, 400]}).fit(customers)


def test_polars_and_clone_work(customers, scorer):
    """openretailscience 0.48.1 raises on both; pymc-marketing 0.19.2 crashes on polars."""
    frame = pl.from_pandas(customers)
    assert scorer.assign(frame)["rfm_segment"].to_list() == (
        scorer.predict_segments(customers).tolist()
    )
    assert clone(scorer).fit(frame).labels_.tolist() == scorer.labels_.tolist()


def test_many_one_time_buyers_do_not_break_the_bins():
    """pymc-marketing 0.19.2 on 80 % one-time buyers: "Bin labels must be one fewer"."""
    frequency = [1] * 80 + list(range(2, 22))
    customers = pd.DataFrame(
        {"recency_days": range(100), "frequency": frequency, "monetary": np.arange(100.0)}
    )
    with pytest.warns(TiedScoresWarning, match="'frequency' with 2 distinct"):
        scores = RFMScorer().fit(customers).transform(customers)[:, 1]
    assert scores.tolist() == [1] * 80 + [5] * 20


def test_cents_and_identical_purchases_are_kept_and_nothing_is_mutated():
    """rfm 1.0.9: 100.05 became 100.0, identical same-day purchases vanish, mutates its input."""
    log = pd.DataFrame(
        {
            "who": [1, 1, 1],
            "paid_on": [dt.datetime(2024, 1, 1, 9)] * 3,  # no "date" in the name is needed
            "paid": [100.05, 10.0, 10.0],
        }
    )
    before = log.copy(deep=True)
    names = {"customer_id": "who", "timestamp": "paid_on", "amount": "paid"}
    table = summarize_transactions(log, order_per="row", **names)
    assert table["monetary"].tolist() == [120.05]
    assert table["frequency"].tolist() == [3]
    pd.testing.assert_frame_equal(log, before)


@pytest.mark.parametrize("factor", [0.01, 100.0, 1e6])
def test_the_unit_of_money_moves_no_score(customers, factor):
    """R's rfm 0.3.0 adds 1 to its quantiles, so scores depend on the unit."""
    scaled = customers.assign(monetary=customers["monetary"] * factor)
    before = RFMScorer().fit(customers).transform(customers)
    after = RFMScorer().fit(scaled).transform(scaled)
    assert (before == after).all()


def test_an_extra_column_still_gives_one_row_a_customer(log):
    """R's rfm 0.3.0 gives one row per transaction."""
    table = summarize_transactions(log.assign(shop=np.arange(len(log))))
    assert len(table) == log["customer_id"].nunique()


def test_a_map_with_holes_is_refused():
    """Maps of blogs and packages leave cells out or cover them twice, silently."""
    with pytest.raises(SegkitValueError, match="no segment covers"):
        SegmentMap({"Champions": {"recency": 5, "frequency": (4, 5)}})
