"""Edges within groups and within other scores, against loops over the customers of each cell."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import KINDS, as_kind, rows_of
from segkit import RFMScorer, SegmentMap, summarize_transactions
from segkit.datasets import make_transactions
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitWarning, SmallGroupsWarning
from segkit.plotting import RFMDisplay
from segkit.testing import check_segmenter

COUNTRIES = np.array(["DE", "UK", "FR"])
SCORES = ["recency_score", "frequency_score", "monetary_score"]


@pytest.fixture(scope="module")
def customers():
    """Customers of three countries, of which the second spends ten times as much."""
    log = make_transactions(600, random_state=3)
    table = summarize_transactions(log, order_id="order_id", as_of="2026-01-01")
    country = COUNTRIES[np.arange(len(table)) % 3]
    return table.assign(
        country=country, monetary=table["monetary"] * np.where(country == "UK", 10, 1)
    )


def quintile(values, edges, *, smaller_is_better=False):
    """Score values one by one."""
    below = [sum(edge < value for edge in edges) for value in values]
    return [5 - count if smaller_is_better else 1 + count for count in below]


def edges_by_hand(values):
    return np.quantile(values, [0.2, 0.4, 0.6, 0.8])


def nested_scores_by_hand(table):
    """Score frequency within each recency score, monetary within each pair of scores."""
    recency = np.array(
        quintile(
            table["recency_days"], edges_by_hand(table["recency_days"]), smaller_is_better=True
        )
    )
    frequency, monetary = np.zeros(len(table), int), np.zeros(len(table), int)
    for r in range(1, 6):
        inside = np.flatnonzero(recency == r)
        values = table["frequency"].to_numpy()
        edges = edges_by_hand(values[inside] if len(inside) >= 5 else values)
        frequency[inside] = quintile(values[inside], edges)
        spend = table["monetary"].to_numpy()
        around = edges_by_hand(spend[inside] if len(inside) >= 5 else spend)
        for f in range(1, 6):
            cell = np.flatnonzero((recency == r) & (frequency == f))
            edges = edges_by_hand(spend[cell]) if len(cell) >= 5 else around
            monetary[cell] = quintile(spend[cell], edges)
    return np.column_stack([recency, frequency, monetary])


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_nested_scores_are_quintiles_within_each_cell(customers):
    scored = RFMScorer(binning="nested").fit_transform(customers)
    assert scored.tolist() == nested_scores_by_hand(customers).tolist()


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_nested_edges_are_told_by_cell(customers):
    scorer = RFMScorer(binning="nested").fit(customers)
    assert scorer.bin_edges_["recency_days"].shape == (4,)
    assert scorer.bin_edges_["frequency"].shape == (5, 4)
    assert scorer.bin_edges_["monetary"].shape == (5, 5, 4)
    recency = scorer.transform(customers)[:, 0]
    for score in range(1, 6):
        own = customers["frequency"][recency == score]
        np.testing.assert_allclose(scorer.bin_edges_["frequency"][score - 1], edges_by_hand(own))


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_group_edges_are_those_of_a_scorer_of_that_group(customers):
    scorer = RFMScorer(groups="country").fit(customers)
    assert list(scorer.group_bin_edges_) == ["DE", "FR", "UK"]
    for country, edges in scorer.group_bin_edges_.items():
        alone = RFMScorer().fit(customers[customers["country"] == country])
        for column, expected in alone.bin_edges_.items():
            np.testing.assert_allclose(edges[column], expected)
        own = customers["country"] == country
        assert scorer.transform(customers)[own].tolist() == alone.transform(customers)[own].tolist()
    for column, expected in RFMScorer().fit(customers).bin_edges_.items():
        np.testing.assert_allclose(scorer.bin_edges_[column], expected)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
@pytest.mark.parametrize("country", ["AT", None, np.nan, pd.NA])
def test_unseen_and_missing_groups_are_scored_with_the_edges_of_all(customers, country):
    scorer, of_all = RFMScorer(groups="country").fit(customers), RFMScorer().fit(customers)
    elsewhere = customers.assign(country=pd.Series([country] * len(customers), dtype=object))
    assert scorer.transform(elsewhere).tolist() == of_all.transform(customers).tolist()
    row = elsewhere.iloc[7].to_dict()
    assert scorer.predict_one(row) == of_all.predict_segments(customers)[7]


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_group_with_fewer_customers_than_scores_is_scored_with_the_edges_of_all(customers):
    few = customers.assign(country=np.where(np.arange(len(customers)) < 4, "LU", "DE"))
    with pytest.warns(SmallGroupsWarning, match="1 of 2 groups in 'country' have fewer than 5"):
        scorer = RFMScorer(groups="country").fit(few)
    assert list(scorer.group_bin_edges_) == ["DE"]
    expected = RFMScorer().fit(customers).transform(customers)[:4]
    assert scorer.transform(few)[:4].tolist() == expected.tolist()
    assert scorer.labels_.tolist() == scorer.predict(few).tolist()


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
@pytest.mark.parametrize("options", [{}, {"binning": "nested", "segment_map": "r_rfm"}], ids=str)
def test_groups_mean_the_same_in_every_kind_of_frame(customers, options):
    scorer = RFMScorer(groups="country", **options).fit(customers)
    table = customers.drop(columns=["first_order", "last_order"])
    table.loc[3, "country"] = None
    expected = rows_of(scorer.assign(table), "customer_id")
    for kind in KINDS:
        found = rows_of(scorer.assign(as_kind(table, kind)), "customer_id")
        assert found == expected, kind
    one_by_one = [scorer.predict_one(row) for row in table.to_dict("records")]
    assert one_by_one == [row["rfm_segment"] for row in expected]


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
@pytest.mark.parametrize(
    "as_groups",
    [
        lambda country: country.astype("category"),
        lambda country: country.astype(object),
        lambda country: country.astype("string[pyarrow]"),
        lambda country: country.map({"DE": 49, "UK": 44, "FR": 33}),
        lambda country: country.map({"DE": 49.0, "UK": 44.0, "FR": 33.0}),
        lambda country: country == "UK",
        lambda country: country.map(
            dict(zip(COUNTRIES, pd.date_range("2024", periods=3), strict=True))
        ),
    ],
    ids=["categories", "objects", "Arrow", "integers", "floats", "booleans", "dates"],
)
def test_groups_may_be_of_any_type(customers, as_groups):
    groups = as_groups(customers["country"])
    scorer = RFMScorer(groups="country").fit(customers.assign(country=groups))
    found = scorer.transform(customers.assign(country=groups))
    for group in groups.unique():
        own = groups == group
        alone = RFMScorer().fit(customers[own])
        assert found[own].tolist() == alone.transform(customers)[own].tolist()
        row = customers.assign(country=groups)[own].iloc[0].to_dict()
        assert scorer.predict_one(row) == alone.predict_segments(customers)[own][0]


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_an_array_holds_the_groups_behind_the_columns(customers):
    numbered = customers["country"].map({"DE": 49, "UK": 44, "FR": 33})
    columns = ["recency_days", "frequency", "monetary"]
    framed = customers.assign(country=numbered)
    array = framed[[*columns, "country"]].to_numpy(dtype=float)
    expected = RFMScorer(groups="country").fit(framed)
    assert RFMScorer(groups="country").fit(array).labels_.tolist() == expected.labels_.tolist()
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert expected.predict(array).tolist() == expected.labels_.tolist()
    reordered = array[:, [3, 0, 1, 2]]
    by_position = RFMScorer(columns=(1, 2, 3), groups=0).fit(reordered)
    assert by_position.labels_.tolist() == expected.labels_.tolist()
    assert by_position.predict(reordered).tolist() == expected.labels_.tolist()
    assert RFMScorer(groups="country").fit(framed).n_features_in_ == 4
    with pytest.raises(ValueError, match="minimum of 4 "):
        RFMScorer(groups="country").fit(array[:, :3])


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_where_every_group_is_too_small_all_are_scored_alike(customers):
    with pytest.warns(SmallGroupsWarning, match="600 of 600 groups in 'customer_id'"):
        scorer = RFMScorer(groups="customer_id").fit(customers)
    expected = RFMScorer().fit(customers)
    assert scorer.group_bin_edges_ == {}
    assert scorer.labels_.tolist() == expected.labels_.tolist()
    lazy = as_kind(customers, "polars lazy")
    found = rows_of(scorer.assign(lazy), "customer_id")
    assert found == rows_of(expected.assign(lazy), "customer_id")


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ("county", ColumnError, "'county' is missing.*Did you mean 'country'"),
        (99, ColumnError, "groups=99 is a position, and the frame has"),
    ],
)
def test_groups_that_cannot_be_are_refused(customers, groups, error, message):
    with pytest.raises(error, match=message):
        RFMScorer(groups=groups).fit(customers)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_row_without_the_group_is_refused_and_a_list_is_no_group(customers):
    scorer = RFMScorer(groups="country").fit(customers)
    row = customers.iloc[0].to_dict()
    with pytest.raises(SegkitTypeError, match=r"groups must be text, .* got list"):
        scorer.predict_one({**row, "country": []})
    del row["country"]
    with pytest.raises(ColumnError, match="the row has no 'country'"):
        scorer.predict_one(row)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
@pytest.mark.parametrize(
    ("learned", "found"),
    [
        (["1", "2"], [1, 2]),
        ([1, 2], ["1", "2"]),
        ([1, 2], [True, False]),
        (["true", "false"], [True, False]),
        ([1, 2], [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)]),
    ],
    ids=str,
)
def test_a_group_of_another_kind_is_another_group_in_every_kind_of_frame(customers, learned, found):
    table = customers.drop(columns=["first_order", "last_order"]).head(200)
    scorer = RFMScorer(groups="country").fit(table.assign(country=learned * 100))
    others = table.assign(country=found * 100)
    expected = rows_of(RFMScorer().fit(table).assign(others), "customer_id")
    for kind in KINDS:
        assert rows_of(scorer.assign(as_kind(others, kind)), "customer_id") == expected, kind


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_dates_and_midnights_are_the_same_group(customers):
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2)] * 100
    table = customers.drop(columns=["first_order", "last_order"]).head(200)
    dated = table.assign(country=pd.array(days, dtype="date32[pyarrow]"))
    scorer = RFMScorer(groups="country").fit(table.assign(country=pd.to_datetime(days)))
    for kind in KINDS:
        found = rows_of(scorer.assign(as_kind(dated, kind)), "customer_id")
        assert [row["rfm_segment"] for row in found] == list(scorer.segments_[scorer.labels_])
    row = {**table.iloc[0].to_dict(), "country": np.datetime64("2024-01-01")}
    assert scorer.predict_one(row) == scorer.segments_[scorer.labels_[0]]


@pytest.mark.parametrize(
    "groups",
    [
        pd.to_datetime(["2024-01-01"] * 10, utc=True),
        [[1]] * 10,
        [1 + 2j] * 10,
        pd.to_timedelta([1] * 10, unit="D"),
    ],
    ids=["zoned", "lists", "complex", "durations"],
)
def test_what_cannot_be_a_group_in_every_engine_is_refused(groups):
    table = pd.DataFrame({name: range(10) for name in ("recency_days", "frequency", "monetary")})
    with pytest.raises(SegkitTypeError, match="groups must be text, numbers, booleans, or dates"):
        RFMScorer(groups="g").fit(table.assign(g=groups))


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_fitted_scorer_reads_arrays_as_it_was_fitted(customers):
    numbered = customers["country"].map({"DE": 0, "UK": 1, "FR": 2})
    array = np.column_stack([customers[list(RFMScorer().columns)], numbered]).astype(float)
    for fitted, later in ((None, "country"), ("country", None)):
        scorer = RFMScorer(groups=fitted).fit(array)
        expected = scorer.labels_.tolist()
        assert scorer.set_params(groups=later).predict(array).tolist() == expected


def test_groups_may_be_a_scored_column_and_positions_of_numpy(customers):
    table = customers.drop(columns=["first_order", "last_order", "country"])
    with pytest.warns(SegkitWarning):
        expected = RFMScorer(groups="frequency", n_bins=2).fit(table).predict(table)
    place = table.columns.get_loc("frequency")
    for X, groups in ((as_kind(table, "polars lazy"), "frequency"), (table, np.int64(place))):
        with pytest.warns(SegkitWarning):
            scorer = RFMScorer(groups=groups, n_bins=2).fit(X)
        assert scorer.predict(table).tolist() == expected.tolist()
    with pytest.raises(SegkitTypeError, match="got a bool"):
        RFMScorer(groups=True).fit(table)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_categories_of_numbers_may_be_missing(customers):
    table = customers.head(400).assign(country=pd.Categorical([1, 2, None, 1] * 100))
    scorer = RFMScorer(groups="country").fit(table)
    assert list(scorer.group_bin_edges_) == [1, 2]
    assert len(scorer.describe().columns) == 6


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_cell_with_as_many_customers_as_scores_has_edges_of_its_own(customers):
    few = customers.assign(country=np.where(np.arange(len(customers)) < 5, "LU", "DE"))
    scorer = RFMScorer(groups="country", binning="nested").fit(few)
    expected = edges_by_hand(customers["recency_days"].head(5))
    np.testing.assert_allclose(scorer.group_bin_edges_["LU"]["recency_days"], expected)
    table = pd.DataFrame(
        {"recency_days": np.repeat([1, 2], 5), "frequency": range(10), "monetary": range(10)}
    )
    nested = RFMScorer(binning="nested", n_bins=(2, 5, 5)).fit(table)
    expected = [edges_by_hand(range(5, 10)).tolist(), edges_by_hand(range(5)).tolist()]
    assert nested.bin_edges_["frequency"].tolist() == expected


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_describe_tells_the_thresholds_of_each_group(customers):
    described = RFMScorer(groups="country").fit(customers).describe()
    assert list(described.columns) == [
        "code",
        "segment",
        "rule",
        "thresholds",
        "thresholds: DE",
        "thresholds: FR",
        "thresholds: UK",
    ]
    alone = RFMScorer().fit(customers[customers["country"] == "UK"]).describe()
    assert described["thresholds: UK"].tolist() == alone["thresholds"].tolist()


def test_describe_tells_nested_thresholds_cell_by_cell():
    # By hand: of ten customers, recency 1 to 5 is the better half; there the median frequency
    # is 3, in the other half 30.
    table = pd.DataFrame(
        {
            "recency_days": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            "frequency": [1, 2, 3, 4, 5, 10, 20, 30, 40, 50],
            "monetary": [1.0] * 10,
        }
    )
    half = SegmentMap({"often": {"frequency": 2}, "seldom": {"frequency": 1}}, n_bins=2)
    scorer = RFMScorer(
        columns=["recency_days", "frequency"], n_bins=2, binning="nested", segment_map=half
    ).fit(table)
    assert scorer.bin_edges_["frequency"].tolist() == [[30.0], [3.0]]
    assert scorer.describe()["thresholds"].tolist() == [
        "recency_days > 5.5 and frequency > 30 or recency_days ≤ 5.5 and frequency > 3",
        "recency_days > 5.5 and frequency ≤ 30 or recency_days ≤ 5.5 and frequency ≤ 3",
    ]


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_a_score_within_a_missing_score_is_missing(customers):
    scorer = RFMScorer(binning="nested", missing="unassigned").fit(customers)
    holed = customers.head(3).copy()
    holed["recency_days"] = [np.nan, 4.0, 5.0]
    assert np.isnan(scorer.transform(holed)[0]).all()
    for kind in KINDS:
        row = rows_of(
            scorer.assign(as_kind(holed.drop(columns=["first_order", "last_order"]), kind)),
            "customer_id",
        )[0]
        assert [row[score] for score in SCORES] == [None] * 3, kind
        assert (row["rfm_cell"], row["rfm_segment"]) == (None, "unassigned")


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
@given(data=st.data())
def test_row_order_moves_no_nested_or_grouped_edge(customers, data):
    seed = data.draw(st.integers(0, 99))
    scorer = RFMScorer(binning="nested", groups="country")
    before = scorer.fit(customers).bin_edges_["monetary"]
    after = scorer.fit(customers.sample(frac=1, random_state=seed)).bin_edges_["monetary"]
    np.testing.assert_array_equal(before, after)


def test_each_column_may_have_a_method_of_its_own(customers):
    binning = {"recency_days": [30, 90, 180, 365], "monetary": "kmeans", "frequency": "uniform"}
    scorer = RFMScorer(binning=binning).fit(customers)
    frequency = customers["frequency"]
    assert scorer.bin_edges_["recency_days"].tolist() == [30, 90, 180, 365]
    np.testing.assert_allclose(
        scorer.bin_edges_["frequency"], np.linspace(frequency.min(), frequency.max(), 6)[1:-1]
    )
    kmeans = RFMScorer(binning="kmeans").fit(customers)
    np.testing.assert_array_equal(scorer.bin_edges_["monetary"], kmeans.bin_edges_["monetary"])


def test_smaller_is_better_where_it_is_said(customers):
    table = customers.dropna(subset=["mean_gap_days"])
    scorer = RFMScorer(
        columns=["recency_days", "frequency", "monetary", "tenure_days", "mean_gap_days"],
        smaller_is_better=["recency_days", "mean_gap_days"],
    )
    scored = scorer.set_output(transform="pandas").fit_transform(table)
    assert list(scored.columns) == [*SCORES, "tenure_score", "mean_gap_score"]
    for column, name in zip(scorer.columns, scored.columns, strict=True):
        edges = edges_by_hand(table[column])
        smaller = column in ("recency_days", "mean_gap_days")
        assert scored[name].tolist() == quintile(table[column], edges, smaller_is_better=smaller)


def test_a_direction_for_a_column_that_is_not_scored_is_refused(customers):
    with pytest.raises(ColumnError, match=r"smaller_is_better names \['gap'\]"):
        RFMScorer(smaller_is_better=["recency_days", "gap"]).fit(customers)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_the_display_shows_no_thresholds_where_they_differ(customers):
    grouped = RFMDisplay.from_estimator(RFMScorer(groups="country").fit(customers), customers)
    assert grouped.recency_labels == grouped.frequency_labels == ["1", "2", "3", "4", "5"]
    nested = RFMDisplay.from_estimator(RFMScorer(binning="nested").fit(customers), customers)
    assert nested.recency_labels[0].startswith("1\n> ")
    assert nested.frequency_labels == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "estimator",
    [
        RFMScorer(groups="country"),
        RFMScorer(groups="country", missing="unassigned", binning="nested", segment_map="r_rfm"),
        RFMScorer(columns=(1, 2, 4), groups=3),
    ],
    ids=repr,
)
def test_grouped_scorers_keep_the_contract(customers, estimator):
    check_segmenter(estimator, customers=customers.head(200))


@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_describe_tells_a_number_from_its_text(customers):
    mixed = customers.head(400).assign(country=pd.Series([1, "1"] * 200, dtype=object))
    described = RFMScorer(groups="country").fit(mixed).describe()
    assert list(described.columns[-2:]) == ["thresholds: 1", "thresholds: '1'"]
