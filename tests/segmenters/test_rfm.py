"""RFMScorer: scores by their definition, on every kind of frame and alone."""

import warnings

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from frames import TEN, as_kind, columns_of, rows_of
from segkit import RFMScorer, SegmentMap
from segkit.datasets import make_transactions
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegmentMapError,
    TiedScoresWarning,
)
from segkit.features import summarize_transactions
from strategies import customer_tables


@pytest.fixture(scope="module")
def customers():
    """A drawn customer table with ties, returns and negative totals."""
    return summarize_transactions(make_transactions(400, random_state=3))


def quiet_fit(scorer, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TiedScoresWarning)
        return scorer.fit(X)


def test_two_of_ten_customers_get_each_score():
    scores = RFMScorer().fit(TEN).transform(TEN)
    assert scores[:, 0].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores[:, 1].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores[:, 2].tolist() == [3, 1, 5, 1, 2, 2, 3, 4, 4, 5]
    assert scores.dtype == np.int64


def test_edges_are_quantiles_in_the_units_of_the_data():
    edges = RFMScorer().fit(TEN).bin_edges_
    np.testing.assert_allclose(edges["recency_days"], [2.8, 4.6, 6.4, 8.2])
    assert list(edges) == ["recency_days", "frequency", "monetary"]


@given(customers=customer_tables(), n_bins=st.integers(2, 6))
def test_scores_follow_the_definition(customers, n_bins):
    scorer = quiet_fit(RFMScorer(n_bins=n_bins), customers)
    scores = scorer.transform(customers)
    for position, (column, edges) in enumerate(scorer.bin_edges_.items()):
        expected = np.quantile(customers[column], np.arange(1, n_bins) / n_bins)
        np.testing.assert_allclose(edges, expected, rtol=1e-12, atol=1e-12)
        for value, score in zip(customers[column], scores[:, position], strict=True):
            below = sum(1 for edge in edges if edge < value)
            assert score == (n_bins - below if column == "recency_days" else 1 + below)


@given(customers=customer_tables(min_rows=2), data=st.data())
def test_any_split_of_the_customers_scores_as_the_whole(customers, data):
    scorer = quiet_fit(RFMScorer(), customers)
    cut = data.draw(st.integers(1, len(customers) - 1))
    parts = [scorer.transform(customers.iloc[:cut]), scorer.transform(customers.iloc[cut:])]
    np.testing.assert_array_equal(np.vstack(parts), scorer.transform(customers))


@given(customers=customer_tables(), factor=st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_of_money_changes_no_score(customers, factor):
    scaled = customers.assign(monetary=customers["monetary"] * factor)
    before = quiet_fit(RFMScorer(), customers).transform(customers)
    after = quiet_fit(RFMScorer(), scaled).transform(scaled)
    np.testing.assert_array_equal(before, after)


@given(customers=customer_tables())
def test_frames_arrays_and_single_rows_agree(customers):
    scorer = quiet_fit(RFMScorer(), customers)
    names = scorer.predict_segments(customers).tolist()
    assert [scorer.predict_one(row) for row in customers.to_dict("records")] == names
    expected = [
        (*map(int, scores), "".join(map(str, scores)), name)
        for scores, name in zip(scorer.transform(customers), names, strict=True)
    ]
    added = ["recency_score", "frequency_score", "monetary_score", "rfm_cell", "rfm_segment"]
    numbered = customers.assign(row=range(len(customers)))
    for kind in ("pandas", "pandas arrow", "polars", "polars lazy", "pyarrow", "duckdb"):
        rows = rows_of(scorer.assign(as_kind(numbered, kind)), "row")
        assert [tuple(row[name] for name in added) for row in rows] == expected, kind


def test_assign_keeps_the_columns_and_the_index():
    indexed = TEN.assign(note="x").set_axis(list("aabcdefghi"), axis="index")
    assigned = RFMScorer().fit(TEN).assign(indexed)
    pd.testing.assert_frame_equal(assigned[indexed.columns], indexed)
    assert list(assigned.columns[4:]) == [
        "recency_score",
        "frequency_score",
        "monetary_score",
        "rfm_cell",
        "rfm_segment",
    ]


def test_labels_are_ordered_categories_with_unassigned_last():
    scorer = RFMScorer().fit(TEN)
    expected = [*scorer.segments_, "unassigned"]
    dtype = scorer.assign(TEN)["rfm_segment"].dtype
    assert dtype.ordered
    assert list(dtype.categories) == expected
    assert scorer.assign(pl.from_pandas(TEN)).schema["rfm_segment"] == pl.Enum(expected)


def test_assign_takes_a_name_and_replaces_a_column_of_that_name():
    scorer = RFMScorer().fit(TEN)
    assigned = scorer.assign(TEN.assign(tier="old"), name="tier")
    assert assigned["tier"].tolist() == scorer.predict_segments(TEN).tolist()
    assert "rfm_segment" not in assigned


def test_assigning_twice_changes_nothing():
    scorer = RFMScorer().fit(TEN)
    once = scorer.assign(TEN)
    pd.testing.assert_frame_equal(scorer.assign(once), once)


def test_an_empty_frame_gets_the_columns():
    assigned = RFMScorer().fit(TEN).assign(TEN.head(0))
    assert len(assigned) == 0
    assert "rfm_segment" in assigned


# -- ties --------------------------------------------------------------------------------------


def test_ties_share_a_score_and_the_scale_stays_whole():
    # 6 of 10 bought once: the edges at 20, 40 and 60 % are 1, 1 and 1.
    bought = TEN.assign(frequency=[1, 1, 1, 1, 1, 1, 2, 3, 4, 5])
    with pytest.warns(TiedScoresWarning, match=r"'frequency' with 3 distinct scores of 5"):
        scorer = RFMScorer().fit(bought)
    np.testing.assert_allclose(scorer.bin_edges_["frequency"], [1, 1, 1.4, 3.2])
    assert scorer.transform(bought)[:, 1].tolist() == [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]


def test_each_tied_column_warns_once():
    equal = pd.DataFrame({"recency_days": [3] * 4, "frequency": [1, 2, 3, 4], "monetary": 9.0})
    with pytest.warns(TiedScoresWarning) as caught:
        RFMScorer(n_bins=4).fit(equal)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "'recency_days' with 1 distinct" in messages[0]
    assert "'monetary' with 1 distinct" in messages[1]


def test_the_warning_points_at_the_users_line():
    with pytest.warns(TiedScoresWarning) as caught:
        RFMScorer().fit(TEN.assign(frequency=1))
    assert caught[0].filename == __file__


def test_columns_without_ties_do_not_warn():
    with warnings.catch_warnings(record=True) as caught:
        RFMScorer().fit(TEN)
    assert not caught


def test_all_customers_equal_get_one_segment():
    equal = pd.DataFrame({"recency_days": [9] * 7, "frequency": 2, "monetary": 5.0})
    scorer = quiet_fit(RFMScorer(), equal)
    assert len(set(scorer.predict_segments(equal))) == 1


def test_one_customer_can_be_fitted():
    one = quiet_fit(RFMScorer(), TEN.head(1))
    assert one.predict_segments(TEN.head(1)).tolist() == [one.predict_one(TEN.iloc[0].to_dict())]


# -- binning and columns -----------------------------------------------------------------------


def test_explicit_edges_are_taken_as_they_are():
    edges = {"recency_days": [2, 4, 6, 8], "monetary": [25, 50, 75, 99]}
    scorer = RFMScorer(binning=edges).fit(TEN)
    scores = scorer.transform(TEN)
    assert scores[:, 0].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores[:, 2].tolist() == [2, 1, 4, 1, 2, 2, 3, 3, 4, 5]
    np.testing.assert_allclose(scorer.bin_edges_["frequency"], [2.8, 4.6, 6.4, 8.2])


def test_explicit_edges_may_come_in_column_order():
    by_order = RFMScorer(binning=[[2, 4, 6, 8]] * 3).fit(TEN)
    by_name = RFMScorer(binning={name: [2, 4, 6, 8] for name in TEN.columns}).fit(TEN)
    np.testing.assert_array_equal(by_order.transform(TEN), by_name.transform(TEN))


@pytest.mark.parametrize(
    ("binning", "message"),
    [
        ({"frequency": [1, 3, 2, 4]}, "in increasing order"),
        ({"frequency": [1, 1, 2, 3]}, "in increasing order"),
        ({"frequency": [1, 2, np.nan, 3]}, "must be finite"),
        ({"frequency": "high"}, "must be edges or one of"),
        ({"frequency": [1, 2, 3]}, "3 edges of 'frequency' make 4 scores"),
        ({"orders": [1, 2, 3, 4]}, r"names \['orders'\], which are not among"),
        ([[1, 2, 3, 4]], "binning is for 1 columns; there are 3"),
    ],
    ids=str,
)
def test_edges_that_do_not_fit_are_refused(binning, message):
    with pytest.raises(SegkitValueError, match=message):
        RFMScorer(binning=binning).fit(TEN)


def test_n_bins_may_differ_by_column():
    scorer = RFMScorer(n_bins=(5, 5, 2)).fit(TEN)
    assert set(scorer.transform(TEN)[:, 2]) == {1, 2}
    assert scorer.assign(TEN)["rfm_cell"].tolist()[0] == "551"


@pytest.mark.parametrize("n_bins", [(5, 5), (5, 5, 1), (5, 5, "5")])
def test_n_bins_that_do_not_fit_the_columns_are_refused(n_bins):
    with pytest.raises(SegkitValueError, match="n_bins must be"):
        RFMScorer(n_bins=n_bins).fit(TEN)


def test_cells_with_two_digits_are_separated():
    scorer = RFMScorer(n_bins=10).fit(TEN)
    assert scorer.assign(TEN)["rfm_cell"].tolist()[:2] == ["10-10-5", "9-9-1"]


def test_other_column_names_play_the_same_parts():
    renamed = TEN.set_axis(["since", "orders", "spend"], axis="columns")
    scorer = RFMScorer(columns=["since", "orders", "spend"]).fit(renamed)
    np.testing.assert_array_equal(scorer.transform(renamed), RFMScorer().fit(TEN).transform(TEN))
    assert list(scorer.get_feature_names_out()) == [
        "recency_score",
        "frequency_score",
        "monetary_score",
    ]


def test_further_columns_are_scored_under_their_own_name():
    extended = TEN.assign(engagement=range(10))
    scorer = RFMScorer(columns=[*TEN.columns, "engagement"]).fit(extended)
    assigned = scorer.assign(extended)
    assert assigned["engagement_score"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert assigned["rfm_cell"].str.len().unique().tolist() == [3]


def test_columns_may_be_positions_of_an_array_or_frame():
    array = TEN[["monetary", "frequency", "recency_days"]].to_numpy()
    expected = RFMScorer().fit(TEN).transform(TEN)
    scorer = RFMScorer(columns=(2, 1, 0)).fit(array)
    np.testing.assert_array_equal(scorer.transform(array), expected)
    reordered = TEN[["monetary", "frequency", "recency_days"]]
    by_frame = RFMScorer(columns=(2, 1, 0)).fit(reordered)
    np.testing.assert_array_equal(by_frame.transform(TEN), expected)  # by name from then on


def test_an_array_may_have_recency_and_frequency_only():
    two = RFMScorer().fit(TEN.to_numpy()[:, :2])
    assert two.transform(TEN.to_numpy()[:, :2]).shape == (10, 2)
    assert two.predict_one({"recency_days": 1, "frequency": 10}) == "Champions"
    with pytest.raises(ValueError, match=r"1 feature\(s\)"):
        RFMScorer().fit(TEN.to_numpy()[:, :1])


def test_columns_of_an_array_beyond_those_named_are_ignored():
    wide = np.column_stack([TEN.to_numpy(), np.full(10, np.nan)])
    scorer = RFMScorer().fit(wide)
    np.testing.assert_array_equal(scorer.transform(wide), RFMScorer().fit(TEN).transform(TEN))


def test_a_scorer_fitted_on_an_array_reads_frames_by_name():
    scorer = RFMScorer().fit(TEN.to_numpy())
    backwards = TEN[TEN.columns[::-1]]
    expected = RFMScorer().fit(TEN).predict(TEN)
    np.testing.assert_array_equal(scorer.predict(backwards), expected)


@pytest.mark.parametrize(
    "columns",
    ["recency_days", ["recency_days"], ["recency_days", 1], ["recency_days"] * 2, (), (0, 0)],
    ids=str,
)
def test_columns_that_make_no_sense_are_refused(columns):
    with pytest.raises(ValueError, match="columns"):
        RFMScorer(columns=columns).fit(TEN)


# -- segment maps ------------------------------------------------------------------------------


def test_a_map_of_ones_own():
    halves = SegmentMap({"Good": {"monetary": (3, 5)}, "Poor": {"monetary": (1, 2)}})
    scorer = RFMScorer(segment_map=halves).fit(TEN)
    assert scorer.segments_.tolist() == ["Good", "Poor"]
    assert (scorer.predict(TEN) == (scorer.transform(TEN)[:, 2] < 3)).all()


@pytest.mark.parametrize(("segment_map", "n_bins"), [("r_rfm", 5), ("pymc", 4)])
def test_three_dimensional_maps_agree_everywhere(segment_map, n_bins, customers, kind):
    scorer = RFMScorer(segment_map=segment_map, n_bins=n_bins).fit(customers)
    names = scorer.predict_segments(customers).tolist()
    rows = customers.to_dict("records")
    assert [scorer.predict_one(row) for row in rows] == names
    assert [
        row["rfm_segment"]
        for row in rows_of(scorer.assign(as_kind(customers, kind)), "customer_id")
    ] == names


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"segment_map": "pymc"}, "drawn for 4 recency scores, and n_bins gives 5"),
        ({"segment_map": "r_rfm", "n_bins": 4}, "drawn for 5 recency scores"),
    ],
    ids=str,
)
def test_a_map_for_another_number_of_scores_is_refused(parameters, message):
    with pytest.raises(SegmentMapError, match=message):
        RFMScorer(**parameters).fit(TEN)


@pytest.mark.parametrize(
    "parameters",
    [
        {"segment_map": "r_rfm"},
        {"segment_map": "pymc", "n_bins": 4},
        {"segment_map": SegmentMap({"Big": {"monetary": (4, 5)}}, default="Rest")},
        {"columns": (0, 1, 2)},
    ],
    ids=str,
)
def test_an_array_without_the_columns_that_a_map_needs_is_refused(parameters):
    with pytest.raises(ValueError, match=r"2 feature\(s\).* while a minimum of 3 is required"):
        RFMScorer(**parameters).fit(TEN.to_numpy()[:, :2])


def test_a_map_over_a_dimension_that_is_not_scored_is_refused_with_the_nearest():
    segment_map = SegmentMap({"New": {"recency_days": (4, 5)}}, default="Rest")
    with pytest.raises(SegmentMapError, match=r"needs 'recency_days' .* Did you mean 'recency'"):
        RFMScorer(segment_map=segment_map).fit(TEN)


# -- missing and wrong -------------------------------------------------------------------------


def test_a_missing_column_is_named_with_the_nearest():
    wrong = TEN.rename(columns={"monetary": "monetery"})
    with pytest.raises(
        ColumnError,
        match=r"RFMScorer: column 'monetary' is missing; the frame has \['recency_days', "
        r"'frequency', 'monetery'\]\. Did you mean 'monetery'\?",
    ):
        RFMScorer().fit(wrong)


@pytest.mark.parametrize("column", TEN.columns)
def test_missing_values_raise_by_default(eager_kind, column):
    holed = TEN.astype("float64")
    holed.loc[2, column] = None
    scorer = RFMScorer().fit(TEN)
    for verb in (RFMScorer().fit, scorer.predict, scorer.transform, scorer.assign):
        with pytest.raises(MissingValuesError, match=f"'{column}' contains NaN or null in 1 of 10"):
            verb(as_kind(holed, eager_kind))


@pytest.mark.parametrize("column", TEN.columns)
def test_missing_values_can_leave_a_customer_unassigned(kind, column):
    holed = TEN.assign(row=range(10)).astype({column: "float64"})
    holed.loc[2, column] = None
    scorer = RFMScorer(missing="unassigned").fit(TEN)
    rows = rows_of(scorer.assign(as_kind(holed, kind)), "row")
    score = column.removesuffix("_days") + "_score"
    assert rows[2]["rfm_segment"] == "unassigned"
    assert rows[2]["rfm_cell"] is None
    assert rows[2][score] is None
    whole = rows_of(scorer.assign(as_kind(TEN.assign(row=range(10)), kind)), "row")
    assert [row["rfm_segment"] for row in rows[:2] + rows[3:]] == [
        row["rfm_segment"] for row in whole[:2] + whole[3:]
    ]


def test_scores_with_missing_values_stay_integers_in_pandas():
    holed = TEN.astype("float64")
    holed.loc[2, "monetary"] = None
    assigned = RFMScorer(missing="unassigned").fit(holed).assign(holed)
    assert assigned["monetary_score"].dtype == "Int64"
    assert assigned["rfm_cell"].tolist()[:2] == ["553", "551"]


def test_transform_marks_missing_values_as_nan():
    holed = TEN.astype("float64")
    holed.loc[2, "monetary"] = None
    scores = RFMScorer(missing="unassigned").fit(holed).transform(holed)
    assert scores.dtype == np.float64
    assert np.isnan(scores[2]).tolist() == [False, False, True]


def test_edges_are_learned_from_the_values_that_are_there():
    holed = pd.concat([TEN, TEN.head(3).assign(monetary=np.nan)])
    scorer = RFMScorer(missing="unassigned").fit(holed)
    np.testing.assert_array_equal(
        scorer.bin_edges_["monetary"], RFMScorer().fit(TEN).bin_edges_["monetary"]
    )
    assert scorer.labels_[-3:].tolist() == [-1, -1, -1]


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", TEN.columns)
def test_lazy_frames_never_score_a_missing_value(lazy_kind, column, value):
    frame = nw.from_native(as_kind(TEN.astype("float64").assign(row=range(10)), lazy_kind))
    changed = nw.when(nw.col("row") != 2).then(nw.col(column))
    if value is not None:
        changed = changed.otherwise(nw.lit(value))
    frame = frame.with_columns(changed.alias(column)).to_native()
    row = rows_of(RFMScorer().fit(TEN).assign(frame), "row")[2]
    assert row["rfm_segment"] == "unassigned"
    assert row["rfm_cell"] is None
    assert row[column.removesuffix("_days") + "_score"] is None


@pytest.mark.parametrize("missing", ["raise", "unassigned"])
def test_infinities_raise_whatever_missing_says(missing):
    infinite = TEN.assign(monetary=[np.inf, *range(9)])
    with pytest.raises(SegkitValueError, match="'monetary' contains infinity in 1 of 10 rows"):
        RFMScorer(missing=missing).fit(infinite)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"frequency": 1, "monetary": 1}, ColumnError),
        ({"recency_days": None, "frequency": 1, "monetary": 1}, MissingValuesError),
        ({"recency_days": float("nan"), "frequency": 1, "monetary": 1}, MissingValuesError),
        ({"recency_days": pd.NA, "frequency": 1, "monetary": 1}, MissingValuesError),
        ({"recency_days": float("inf"), "frequency": 1, "monetary": 1}, SegkitValueError),
        ({"recency_days": "3", "frequency": 1, "monetary": 1}, SegkitTypeError),
        ({"recency_days": True, "frequency": 1, "monetary": 1}, SegkitTypeError),
        ({"recency_days": [3], "frequency": 1, "monetary": 1}, SegkitTypeError),
        ({"recency_days": 10**400, "frequency": 1, "monetary": 1}, SegkitTypeError),
        ({"recency_days": -3, "frequency": 1, "monetary": 1}, SegkitValueError),
        ([3, 1, 1], SegkitTypeError),
    ],
    ids=str,
)
def test_one_wrong_row_is_refused_as_in_the_batch(row, error):
    with pytest.raises(error):
        RFMScorer().fit(TEN).predict_one(row)


def test_a_negative_total_is_no_mistake():
    scorer = RFMScorer().fit(TEN)
    row = {"recency_days": 1, "frequency": 10, "monetary": -20.0}
    assert scorer.predict_one(row) == "Champions"


@pytest.mark.parametrize("column", ["recency_days", "frequency"])
def test_negative_counts_in_a_frame_are_refused(column):
    wrong = TEN.assign(**{column: -TEN[column]})
    with pytest.raises(SegkitValueError, match=f"'{column}' is negative in 10 of 10 rows"):
        RFMScorer().fit(wrong)


def test_arrays_are_taken_as_they_come():
    assert RFMScorer().fit(-TEN.to_numpy()).labels_.shape == (10,)


@pytest.mark.parametrize(
    "values", [["1"] * 10, [True] * 10, pd.to_datetime(["2024-01-01"] * 10), list("abcdefghij")]
)
def test_columns_that_are_no_numbers_are_refused(values, kind):
    wrong = TEN.assign(monetary=values)
    with pytest.raises(SegkitTypeError, match="column 'monetary' must hold numbers"):
        RFMScorer().fit(as_kind(wrong, kind))


def test_text_in_an_array_is_refused_without_showing_it():
    array = TEN.astype(object).to_numpy()
    array[0, 0] = "ann@example.org"
    with pytest.raises(SegkitTypeError, match="the array holds text") as caught:
        RFMScorer().fit(array)
    assert "example" not in str(caught.value)


def test_numbers_in_an_object_column_are_read():
    expected = RFMScorer().fit(TEN).assign(TEN)["rfm_segment"]
    assigned = RFMScorer().fit(TEN.astype(object)).assign(TEN.astype(object))
    assert assigned["rfm_segment"].tolist() == expected.tolist()
    assert assigned["monetary"].dtype == object


def test_no_customers_is_an_error(eager_kind):
    with pytest.raises(SegkitValueError, match="has no rows"):
        RFMScorer().fit(as_kind(TEN.head(0), eager_kind))


def test_a_column_of_missing_values_is_an_error():
    with pytest.raises(SegkitValueError, match="'monetary' has only missing values"):
        RFMScorer(missing="unassigned").fit(TEN.assign(monetary=np.nan))


def test_an_unfitted_scorer_says_so():
    scorer = RFMScorer()
    for verb in (scorer.predict, scorer.transform, scorer.assign, scorer.predict_segments):
        with pytest.raises(NotFittedError):
            verb(TEN)
    for call in (lambda: scorer.predict_one({}), scorer.describe, scorer.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call()


# -- lazy frames -------------------------------------------------------------------------------


def test_fit_learns_the_same_edges_from_every_kind_of_frame(customers, kind):
    scorer = RFMScorer().fit(as_kind(customers, kind))
    expected = RFMScorer().fit(customers)
    for column, edges in expected.bin_edges_.items():
        np.testing.assert_array_equal(scorer.bin_edges_[column], edges)
    assert hasattr(scorer, "labels_") == (kind not in ("polars lazy", "duckdb"))


def test_fitting_on_a_lazy_frame_forgets_labels_of_an_earlier_fit():
    scorer = RFMScorer().fit(TEN)
    assert not hasattr(scorer.fit(pl.from_pandas(TEN).lazy()), "labels_")


def test_verbs_that_need_values_refuse_lazy_frames(lazy_kind):
    frame = as_kind(TEN, lazy_kind)
    scorer = RFMScorer().fit(TEN)
    for verb in (scorer.predict, scorer.predict_segments, scorer.transform, scorer.fit_predict):
        with pytest.raises(LazyFrameError, match="assign"):
            verb(frame)


def test_assign_executes_no_lazy_frame():
    def executed(_):
        raise RuntimeError("executed")

    lazy = pl.from_pandas(TEN).lazy()
    lazy = lazy.map_batches(executed, schema=lazy.collect_schema())
    assert isinstance(RFMScorer().fit(TEN).assign(lazy), pl.LazyFrame)


# -- describe, scikit-learn ----------------------------------------------------------------------


def test_describe_tells_rules_and_thresholds():
    edges = {"recency_days": [7, 30, 90, 365], "frequency": [1, 2, 4, 9], "monetary": [1, 2, 3, 4]}
    described = RFMScorer(binning=edges).fit(TEN).describe()
    assert list(described.columns) == ["code", "segment", "rule", "thresholds"]
    told = described.set_index("segment")
    assert told.loc["Champions", "rule"] == "recency 5, frequency 4–5"
    assert told.loc["Champions", "thresholds"] == "recency_days ≤ 7 and frequency > 4"
    assert told.loc["About to Sleep", "thresholds"] == "30 < recency_days ≤ 90 and frequency ≤ 2"
    assert told.loc["Can't Lose", "thresholds"] == "recency_days > 90 and frequency > 9"


def test_describes_thresholds_select_the_segments(customers):
    scorer = RFMScorer().fit(customers)
    for row in scorer.describe().itertuples():
        condition = row.thresholds.replace("≤", "<=").replace(",", "")
        chosen = customers.query(condition)
        assert len(chosen) == (scorer.labels_ == row.code).sum()


def test_describe_names_the_default_and_the_order_of_a_first_match_map():
    rules = RFMScorer(segment_map="r_rfm").fit(TEN).describe()["rule"].tolist()
    assert rules[0] == "recency 5, frequency 5, monetary 5"
    assert rules[1].endswith(", if none above")
    assert rules[-1] == "none of the above"


def test_it_can_be_tuned_with_a_later_model(customers):
    bought_again = (customers["order_days"] > 1).astype(int)
    pipeline = make_pipeline(
        RFMScorer(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    )
    search = GridSearchCV(pipeline, {"rfmscorer__n_bins": [3, 4, 5]}, cv=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TiedScoresWarning)
        search.fit(customers, bought_again)
    assert search.best_score_ > 0.9  # frequency tells repeat buyers apart
    assert search.predict(customers).shape == (len(customers),)


def test_it_stands_beside_other_transformers(customers):
    combined = ColumnTransformer(
        [("rfm", RFMScorer(), list(TEN.columns)), ("keep", "passthrough", ["tenure_days"])]
    )
    features = combined.set_output(transform="pandas").fit_transform(customers)
    assert list(features.columns) == [
        "rfm__recency_score",
        "rfm__frequency_score",
        "rfm__monetary_score",
        "keep__tenure_days",
    ]


def test_a_column_transformer_may_pass_more_columns_than_are_scored(customers):
    combined = ColumnTransformer([("rfm", RFMScorer(), list(customers.columns))])
    combined.fit(customers)
    assert combined.get_feature_names_out().tolist() == [
        "rfm__recency_score",
        "rfm__frequency_score",
        "rfm__monetary_score",
    ]


def test_set_output_gives_frames():
    scorer = RFMScorer().set_output(transform="polars").fit(TEN)
    assert isinstance(scorer.transform(TEN), pl.DataFrame)
    assert columns_of(scorer.transform(TEN))["recency_score"] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_a_column_that_misses_one_score_warns():
    # 0 ... 9 with the values up to 4 made equal: the edges at 20 and 40 % are one.
    tied = TEN.assign(frequency=[3, 3, 3, 3, 3, 5, 6, 7, 8, 9])
    with pytest.warns(TiedScoresWarning, match=r"'frequency' with 4 distinct scores of 5"):
        RFMScorer().fit(tied)


def test_thresholds_of_a_score_that_ties_left_empty_say_so():
    bought = TEN.assign(frequency=[1, 1, 1, 1, 1, 1, 2, 3, 4, 5])
    scorer = quiet_fit(RFMScorer(), bought)
    told = scorer.describe().set_index("segment")["thresholds"]
    assert "never (ties leave no frequency for this score)" in told["Need Attention"] or (
        "1 < frequency" in told["Need Attention"]
    )


@pytest.fixture(scope="module")
def many():
    """More customers than are scored at once."""
    rng = np.random.default_rng(0)
    n = 2 * 65_536 + 1
    return pd.DataFrame(
        {
            "recency_days": rng.integers(0, 700, n),
            "frequency": rng.integers(1, 90, n),
            "monetary": rng.gamma(2.0, 50.0, n),
        }
    )


@pytest.mark.parametrize("n_rows", [0, 1, 65_535, 65_536, 65_537, 2 * 65_536, 2 * 65_536 + 1])
def test_customers_are_scored_alike_however_many_there_are(many, n_rows):
    scorer = RFMScorer().fit(many)
    some = many.head(n_rows)
    below = [
        np.searchsorted(scorer.bin_edges_[name], some[name], side="left") for name in some.columns
    ]
    expected = np.column_stack([5 - below[0], 1 + below[1], 1 + below[2]])
    assert (scorer.transform(some) == expected).all()
    codes = scorer.segment_map_.codes(expected[:, :2])
    assert (scorer.predict(some) == codes).all()
    assert (scorer.labels_[:n_rows] == codes).all()


@pytest.mark.parametrize("place", [0, 65_536, -1])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("monetary", np.nan, "'monetary' contains NaN or null in 1 of"),
        ("monetary", np.inf, "'monetary' contains infinity in 1 of"),
        ("recency_days", -1, "'recency_days' is negative in 1 of"),
    ],
)
def test_one_bad_value_among_many_is_found(many, place, column, value, message):
    scorer = RFMScorer().fit(many)
    bad = many.astype(float)
    bad.loc[bad.index[place], column] = value
    for X in (bad, bad.iloc[[place]]):
        with pytest.raises(SegkitValueError, match=message):
            scorer.predict(X)
    if np.isnan(value):
        lenient = RFMScorer(missing="unassigned").fit(many)
        codes = lenient.predict(bad)
        assert codes[place] == -1
        assert (codes >= 0).sum() == len(many) - 1
        assert lenient.predict(bad.iloc[[place]]).tolist() == [-1]


def test_a_scale_has_at_most_a_thousand_scores():
    with pytest.raises(ValueError, match="n_bins"):
        RFMScorer(n_bins=10**30).fit(TEN)
    with pytest.raises(SegkitValueError, match="n_bins must be an integer from 2 to 1,000"):
        RFMScorer(n_bins=[5, 5, 1_001]).fit(TEN)
