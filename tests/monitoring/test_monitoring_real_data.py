"""Monitoring on Online Retail and CDNOW: moves against a loop, and the verdicts of the guide."""

from collections import Counter, defaultdict

import pandas as pd
import pytest

from segkit import LifecycleStager, RFMScorer, ValueTierer, summarize_transactions
from segkit.monitoring import DriftReport, track

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning"),
]
SEGMENTERS = [RFMScorer, ValueTierer, LifecycleStager]


def between(log, begin, end):
    within = log[(log["timestamp"] >= begin) & (log["timestamp"] < end)]
    order_id = "order_id" if "order_id" in log else None
    return summarize_transactions(
        within, as_of=pd.Timestamp(end), order_id=order_id, missing="drop"
    )


@pytest.fixture(scope="module")
def halves(online_retail):
    return [
        between(online_retail, "2010-12-09", "2011-06-09"),
        between(online_retail, "2011-06-09", "2011-12-09"),
    ]


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_moves_are_those_of_a_loop_over_customers(halves, segmenter):
    fitted = segmenter().fit(halves[0])
    found = track(fitted, *halves, value="monetary").table.set_index(["before", "after"])
    old, new = (
        {row["customer_id"]: (fitted.predict_one(row), row["monetary"]) for row in rows}
        for rows in (one.to_dict("records") for one in halves)
    )
    counts, moved = Counter(), defaultdict(float)
    for one in old.keys() | new.keys():
        before, after = old.get(one, ("newcomer", 0.0)), new.get(one, ("left", 0.0))
        pair = (before[0], after[0])
        counts[pair] += 1
        if before[0] != after[0]:
            moved[pair] += before[1] if one in old else after[1]
    assert {pair: n for pair, n in found["customers"].items() if n} == counts
    assert {pair: value for pair, value in found["value_moved"].items() if value} == pytest.approx(
        {pair: value for pair, value in moved.items() if value}
    )


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_thresholds_hold_where_both_tables_look_back_equally_far(halves, segmenter):
    fitted = segmenter().fit(halves[0])
    report = DriftReport.from_tables(fitted, *halves)
    assert report.verdict == "keep"
    assert report.n_in_both == len({*halves[0]["customer_id"]} & {*halves[1]["customer_id"]})


def test_tables_of_the_whole_log_drift(cdnow):
    early, late = (between(cdnow, "1997-01-01", end) for end in ("1997-10-01", "1998-07-01"))
    report = DriftReport.from_tables(RFMScorer().fit(early), early, late)
    assert report.verdict == "refit"
    assert report.reason.startswith("recency_days, which segments are made of, has drifted")
