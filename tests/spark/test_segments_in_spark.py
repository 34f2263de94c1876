"""assign inside Spark: the segments of pandas, and nothing is collected."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from sklearn.base import clone

from engine_segmenters import FEATURES, RULES, fitted
from frames import rows_of
from naive_rules import rule_lists, segment
from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit.datasets import make_transactions
from segkit.exceptions import ColumnError, LazyFrameError, SegkitValueError, SegkitWarning
from spark_engine import assert_same_rows
from strategies import customer_tables, journeys

pytestmark = pytest.mark.spark

NAMES = [
    "RFMScorer",
    "LifecycleStager",
    "ValueTierer",
    "RuleSegmenter",
    "CrossSegmenter",
    "ClusterSegmenter",
]
MANY = [*FEATURES, "order_days", "monetary", "tenure_days", "return_amount", "first_day_amount"]
JOURNEY = ["recency_days", "order_days", "tenure_days", "last_gap_days"]
WAYS = {
    "ten bins": RFMScorer(n_bins=10),
    "nested": RFMScorer(binning="nested"),
    "k-means edges": RFMScorer(binning="kmeans", missing="unassigned"),
    "groups": RFMScorer(groups="channel"),
    "one column": RFMScorer(columns=["recency_days", "frequency"], n_bins=3),
    "own gaps": LifecycleStager(columns=JOURNEY),
    "fixed days": LifecycleStager(method="fixed", at_risk_days=60, churned_days=200),
    "quantiles": ValueTierer(method="quantile"),
    "fixed values": ValueTierer(method="fixed", cuts=[500, 100]),
    "all rules": RuleSegmenter(RULES, default=None),
    "rules of RFM": CrossSegmenter([RFMScorer(n_bins=3), RuleSegmenter(RULES)], max_segments=30),
    "many clusters": ClusterSegmenter(columns=MANY, n_segments=12, random_state=0),
}


@pytest.fixture(scope="module")
def customers():
    log = make_transactions(800, return_rate=0.1, random_state=5)
    table = summarize_transactions(
        log, order_id="order_id", as_of="2025-12-31", extras=["returns", "clv", "last_gap"]
    )
    return table.assign(channel=np.array(["web", "shop", "téléphone"])[np.arange(len(table)) % 3])


@pytest.fixture(scope="module")
def segmenters(customers):
    quiet = {name: quietly(way.fit, customers) for name, way in WAYS.items()}
    return {**fitted(customers), **quiet}


@pytest.fixture(scope="module")
def in_engine(in_spark, customers):
    return in_spark(customers)


def quietly(action, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return action(*arguments)


@pytest.mark.parametrize("name", [*NAMES, *WAYS])
def test_segments_and_scores_are_those_of_pandas(segmenters, customers, in_engine, name):
    segmenter = segmenters[name]
    assigned = segmenter.assign(in_engine)
    assert type(assigned) is type(in_engine)
    assert_same_rows(assigned, segmenter.assign(customers), by="customer_id")


@pytest.mark.parametrize("name", [*NAMES, *WAYS])
def test_nothing_runs_in_assign(spark, segmenters, in_engine, name):
    spark.sparkContext.setJobGroup(name, "assign")
    try:
        assigned = segmenters[name].assign(in_engine)
        assert list(spark.sparkContext.statusTracker().getJobIdsForGroup(name)) == []
        assigned.head(1)
        assert list(spark.sparkContext.statusTracker().getJobIdsForGroup(name))
    finally:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)


@pytest.mark.parametrize("name", NAMES[:5])
def test_fit_learns_what_it_learns_in_pandas(segmenters, in_engine, name):
    fitted_there = quietly(clone(segmenters[name]).fit, in_engine)
    assert not hasattr(fitted_there, "labels_")
    pd.testing.assert_frame_equal(fitted_there.describe(), segmenters[name].describe())


@pytest.fixture(scope="module")
def with_gaps(customers):
    """Customers who lack something, one of every kind for each column of numbers."""
    numbers = customers.select_dtypes("number").columns.drop("customer_id")
    table = customers.head(3 * len(numbers)).astype(dict.fromkeys(numbers, float))
    for place, name in enumerate(numbers):
        table.loc[3 * place, name] = np.nan
        table.loc[3 * place + 1, name] = np.inf
        table.loc[3 * place + 2, name] = -np.inf
    return table


@pytest.mark.parametrize("name", [*NAMES, "own gaps", "fixed days", "groups", "quantiles"])
def test_missing_and_infinite_values_are_those_of_another_engine(
    segmenters, with_gaps, in_spark, name
):
    # Where an eager frame raises; that of polars is tested on its own.
    duck = pytest.importorskip("duckdb").connect()
    table = pa.Table.from_pandas(with_gaps, preserve_index=False)
    expected = segmenters[name].assign(duck.from_arrow(table))
    assigned = segmenters[name].assign(in_spark(table))
    assert_same_rows(assigned, expected, by="customer_id")
    columns = {row["customer_id"]: row for row in rows_of(assigned, "customer_id")}
    label = segmenters[name]._label_column
    infinite = np.isinf(with_gaps[list(segmenters[name].feature_names_in_)].select_dtypes(float))
    for place, customer_id in enumerate(with_gaps["customer_id"]):
        if infinite.iloc[place].any():
            assert columns[customer_id][label] == "unassigned"


@pytest.mark.parametrize("value", [None, np.nan])
def test_null_and_nan_are_both_missing(in_spark, segmenters, value):
    table = pa.table({"monetary": pa.array([value, 1e9], pa.float64(), from_pandas=False)})
    rows = rows_of(segmenters["ValueTierer"].assign(in_spark(table)), "monetary")
    assert [row["value_tier"] for row in rows] == ["A", "unassigned"]


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(table=customer_tables(min_rows=8))
def test_ties_of_drawn_customers_share_the_scores_of_pandas(in_spark, table):
    table = table.assign(row=range(len(table)))
    scorer = quietly(RFMScorer().fit, table)
    assert_same_rows(scorer.assign(in_spark(table)), scorer.assign(table), by="row")


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(table=journeys())
def test_stages_of_drawn_journeys_are_those_of_pandas(in_spark, customers, table):
    table = table.assign(row=range(len(table)))
    stager = quietly(LifecycleStager(columns=JOURNEY).fit, customers)
    assert_same_rows(stager.assign(in_spark(table)), stager.assign(table), by="row")


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(rules=rule_lists)
def test_drawn_rules_mean_what_a_reader_of_them_expects(in_spark, rules):
    rows = [
        {"spend": spend, "orders": orders, "channel": channel, "consent": consent, "row": place}
        for place, (spend, orders, channel, consent) in enumerate(
            (spend, orders, channel, consent)
            for spend in (None, 0.0, 1.0, 2.5, 4.0)
            for orders in (None, 0.0, 2.0, 9.0)
            for channel in (None, "Web", "Shop", "web", "nobody")
            for consent in (None, True, False)
        )
    ]
    table = pd.DataFrame(rows)
    try:
        segmenter = quietly(RuleSegmenter(rules).fit, table)
    except SegkitValueError:
        return  # a rule that cannot be reached
    found = rows_of(segmenter.assign(in_spark(table)), "row")
    assert [row["rule_segment"] for row in found] == [segment(rules, row) for row in rows]


TEXTS = [
    "Web", "web shop", "WEB\n", "Web\n", "a.com", "acom", "x@y.com", "tel 040", "٣", "naïve", "é",
    "A_1", "1-2", "[x]", "a]b", "tab\there", "nbsp\u00a0x", "ß", "C++", "$5", "back\\slash", "",
    " ", "Ünder cover", "cover", "aaa", "aa", "i", "I", "İstanbul", "ı", "ſ", "\u212a", "ẞ", "ς",
    "a<b>", "a\rb", "a\u2028b", "a\u0085b", "😀", "e\u0301", "n\u0303o",
]  # fmt: skip
PATTERNS = [
    "Web", "^Web", "Web$", "(?i)web$", r"\.com$", r"\d", r"\D", r"[^\d]", r"\w+\s\w+", r"^\w+$",
    r"\W", r"\s", r"\S\s", r"\bcover", r"\bn", r"e\b", "[]x]", "[^]a]", r"[\]\[]", r"a{3}", "a{2,}",
    "^a{0,2}$", "(?:a|W)eb?", "^.$", "^$", r"C\+\+", r"\$5", r"\\", r"[\\$]", "(?i)É", "[a-c]{2}",
    "n.?ï", r"[\w.]+@[\w.]+", "(a)(a)", "x|^$", r"[\s-]", "(?s)W.b.", "a.b", "(?s)a.b",
    "(?i)i", "(?i)İ", "(?i)ı", "(?i)[a-z]", r"^(?i:\w)$", "(?i)^[^i]$", "(?i)s", "(?i)k", "(?i)ß",
    "(?i)Σ", r"[\<\>]", r"\<b\>", r"[\#\-\ ]", "(a{10}){100}", "(?i:i)I", r"[a\]-]", "a.{1000}",
    "^a.*b$", r"o\b", r"\be", "^..$",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
def test_patterns_find_the_texts_that_python_finds(in_spark):
    texts = pd.DataFrame({"text": TEXTS})
    frame, found, expected = in_spark(texts), {}, {}
    for place, pattern in enumerate(PATTERNS):
        rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
        segmenter = RuleSegmenter(rules, default=None).fit(texts)
        frame = segmenter.assign(frame, name=f"p{place}")
        expected[pattern] = segmenter.predict_segments(texts).tolist()
    rows = {row["text"]: row for row in rows_of(frame, "text")}
    for place, pattern in enumerate(PATTERNS):
        found[pattern] = [rows[text][f"p{place}"] for text in TEXTS]
    wrong = {
        pattern: [text for text, a, b in zip(TEXTS, found[pattern], names, strict=True) if a != b]
        for pattern, names in expected.items()
    }
    assert {pattern: texts for pattern, texts in wrong.items() if texts} == {}


def test_whole_numbers_decimals_and_booleans_compare_as_in_pandas(in_spark):
    values = [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2]
    table = pd.DataFrame({"c": values})
    for test in ({"at_least": 2**53 + 1}, {"below": 2**53 + 1}, {"equals": 2**53 + 1}):
        rules = [{"name": "yes", "when": {"column": "c", **test}}]
        segmenter = RuleSegmenter(rules, default="no").fit(table)
        assert_same_rows(segmenter.assign(in_spark(table)), segmenter.assign(table), by="c")


def test_clusters_are_filled_unskewed_and_nearest_as_in_pandas(in_spark):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": np.exp(2 * rng.normal(size=2_000)), "b": rng.normal(size=2_000)})
    table["c"], table["row"] = -np.exp(rng.normal(size=2_000)), range(2_000)
    table.loc[::7, "b"] = np.nan
    segmenter = ClusterSegmenter(columns=["a", "b", "c"], n_segments=6, random_state=0).fit(table)
    assert_same_rows(segmenter.assign(in_spark(table)), segmenter.assign(table), by="row")


@pytest.mark.realdata
def test_every_segmenter_agrees_on_online_retail(in_spark, online_retail):
    log = online_retail
    options = {"order_id": "order_id", "as_of": "2011-12-10", "missing": "drop"}
    options["extras"] = ["returns", "clv", "last_gap"]
    table = summarize_transactions(log, **options)
    found, expected = summarize_transactions(in_spark(log), **options).cache(), table
    for segmenter in fitted(table).values():
        found, expected = segmenter.assign(found), segmenter.assign(expected)
    label_columns = [segmenter._label_column for segmenter in fitted(table).values()]
    assert_same_rows(
        found.select("customer_id", *label_columns),
        expected[["customer_id", *label_columns]],
        by="customer_id",
    )


def test_what_no_expression_can_say_is_refused(in_engine, customers):
    alive = quietly(LifecycleStager(method="alive").fit, customers)
    with pytest.raises(LazyFrameError, match="cannot run inside a query engine"):
        alive.assign(in_engine)


def test_names_that_differ_in_case_alone_are_refused(in_engine, segmenters):
    frame = in_engine.withColumnRenamed("channel", "Value_Tier")
    with pytest.raises(ColumnError, match="takes for the same"):
        segmenters["ValueTierer"].assign(frame)
