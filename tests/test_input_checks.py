"""What a user passes in by mistake, and what they are told."""

import collections
import copy
import decimal
import pickle
import types
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from frames import TEN, as_kind, columns_of, rows_of
from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    KPrototypes,
    RFMScorer,
    RuleSegmenter,
    SegmentProfiler,
    ValueTierer,
    summarize_transactions,
)
from segkit._input_checks import nearest
from segkit.base import SegmenterMixin
from segkit.exceptions import (
    ColumnError,
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)


@pytest.fixture(scope="module")
def scorer():
    return RFMScorer().fit(TEN)


# -- columns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [
        ("monetary", ["recency_days", "monetery"], "monetery"),
        ("recency_days", ["Recency", "Frequency", "Monetary"], "Recency"),
        ("customer_id", ["order_id", "CustomerID"], "CustomerID"),
        ("amount", ["AMOUNT", "account"], "AMOUNT"),
        ("recency_days", ["order_date", "price"], None),
    ],
)
def test_the_nearest_column_ignores_case_and_underscores(wanted, available, expected):
    assert nearest(wanted, available) == expected


def test_a_transaction_log_in_place_of_customers_is_recognised():
    log = pd.DataFrame({"id": [1], "paid_at": ["2024-01-01"], "price": [3.0]})
    with pytest.raises(ColumnError, match=r"segkit\.summarize_transactions"):
        RFMScorer().fit(log)


def test_a_column_in_the_index_is_found_there():
    log = pd.DataFrame(
        {"customer_id": [1], "timestamp": pd.to_datetime(["2024-01-01"]), "amount": 3.0}
    )
    with pytest.raises(ColumnError, match=r"in the index: pass frame.reset_index\(\)"):
        summarize_transactions(log.set_index("customer_id"))


def test_columns_of_two_levels_are_refused():
    levels = TEN.set_axis(pd.MultiIndex.from_product([["sum"], TEN.columns]), axis="columns")
    with pytest.raises(ColumnError, match="MultiIndex"):
        RFMScorer().fit(levels)


def test_names_that_are_partly_text_are_refused(scorer):
    with pytest.raises(SegkitTypeError, match="column names are text and some are not"):
        scorer.assign(TEN.assign(x=1).rename(columns={"x": 0}))


def test_doubled_columns_are_refused_in_every_engine(scorer):
    relation = duckdb.sql("SELECT 1 recency_days, 2 frequency, 3 monetary, 400 monetary")
    table = pa.table([[1], [2], [3], [4]], names=["recency_days", "frequency", *["monetary"] * 2])
    for frame in (relation, table, pd.concat([TEN, TEN[["monetary"]]], axis="columns")):
        with pytest.raises(ColumnError, match="more than one column named"):
            scorer.assign(frame)


@pytest.mark.parametrize("taken", ["Recency_Score", "RFM_Segment", "Rfm_Cell", "__segkit_code"])
def test_columns_that_a_query_engine_takes_for_ours_are_refused(scorer, taken):
    relation = duckdb.sql(f"SELECT 3 recency_days, 9 frequency, 900.0 monetary, 1 AS {taken}")
    with pytest.raises(ColumnError, match=taken):
        scorer.assign(relation)


def test_replacing_a_column_in_a_query_engine_uses_the_learned_scores(scorer):
    relation = duckdb.sql(
        "SELECT 1 recency_days, 10 frequency, 900.0 monetary, 1 AS recency_score, '' rfm_segment"
    )
    row = columns_of(scorer.assign(relation))
    assert (row["recency_score"], row["rfm_cell"], row["rfm_segment"]) == (
        [5],
        ["555"],
        ["Champions"],
    )


@pytest.mark.parametrize("name", ["recency_score", "rfm_cell", "", 3, ("a",)])
def test_a_label_column_must_be_named_apart_from_the_features(scorer, kind, name):
    with pytest.raises(SegkitError, match="name"):
        scorer.assign(as_kind(TEN, kind), name=name)


def test_a_scored_column_named_like_a_score_is_not_overwritten():
    named = TEN.rename(columns={"recency_days": "recency_score"})
    scorer = RFMScorer(columns=["recency_score", "frequency", "monetary"]).fit(named)
    for frame in (named, pl.from_pandas(named).lazy()):
        with pytest.raises(ColumnError, match="would replace"):
            scorer.assign(frame)


def test_further_columns_that_share_a_name_of_scores_are_refused():
    doubled = TEN.assign(recency=1.0)
    with pytest.raises(ColumnError, match="scores of one name"):
        RFMScorer(columns=[*TEN.columns, "recency"]).fit(doubled)


def test_recency_out_of_its_place_is_refused():
    with pytest.raises(ColumnError, match="Put it first"):
        RFMScorer(columns=["frequency", "recency_days", "monetary"]).fit(TEN)


# -- what is no frame --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "X",
    [
        TEN.iloc[0],
        TEN.iloc[0].to_dict(),
        TEN.to_dict("records"),
        {"email": ["ann@example.org"]},
        pl.from_pandas(TEN)["monetary"],
        pa.RecordBatch.from_pandas(TEN),
        "customers.csv",
    ],
    ids=lambda X: type(X).__name__,
)
def test_what_has_names_but_is_no_frame_is_not_read_by_position(scorer, X):
    for verb in (RFMScorer().fit, scorer.predict, scorer.transform):
        with pytest.raises(
            SegkitTypeError, match="expected a frame or a two-dimensional array"
        ) as e:
            verb(X)
        assert "ann@" not in str(e.value)


def test_one_dimension_is_refused_without_showing_it(scorer):
    with pytest.raises(SegkitValueError, match="Reshape your data") as caught:
        scorer.predict(np.array([5.0, 3.0, 77.123]))
    assert "77" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "timedelta64[ns]", "str"])
def test_arrays_of_times_and_text_are_refused(dtype):
    with pytest.raises(SegkitTypeError, match="must hold numbers"):
        RFMScorer().fit(TEN.to_numpy().astype("int64").astype(dtype))


def test_text_that_looks_like_a_number_is_refused_in_arrays_as_in_frames():
    with pytest.raises(SegkitTypeError, match="text"):
        RFMScorer().fit(TEN.astype("int64").astype(str).astype(object).to_numpy())


def test_objects_that_are_no_numbers_are_refused():
    array = TEN.astype(object).to_numpy()
    array[0, 0] = pd.Timestamp("2024-01-01")
    with pytest.raises(SegkitTypeError, match="no number"):
        RFMScorer().fit(array)


def test_masked_values_are_missing():
    masked = np.ma.masked_array(TEN.to_numpy(), mask=np.zeros((10, 3)))
    masked[0, 0] = np.ma.masked
    with pytest.raises(MissingValuesError):
        RFMScorer().fit(masked)
    assert RFMScorer(missing="unassigned").fit(masked).labels_[0] == -1


def test_missing_values_in_arrays_are_told_as_in_frames():
    holed = TEN.to_numpy().copy()
    holed[2, 2] = np.nan
    with pytest.raises(MissingValuesError, match="'monetary' contains NaN"):
        RFMScorer().fit(holed)
    with config_context(assume_finite=True), pytest.raises(MissingValuesError):
        RFMScorer().fit(holed)


def test_wider_arrays_are_read_by_position_after_fit_too(scorer):
    wide = np.column_stack([TEN.to_numpy(), np.arange(10)])
    by_array = RFMScorer().fit(TEN.to_numpy())
    np.testing.assert_array_equal(by_array.predict(wide), scorer.predict(TEN))
    for kind in (np.ndarray.tolist, pd.DataFrame):
        np.testing.assert_array_equal(by_array.predict(kind(wide)), scorer.predict(TEN))
    with pytest.raises(ValueError, match="X has 2 features"):
        by_array.predict(wide[:, :2])


@pytest.mark.parametrize("columns", [(1, 2, 3), (3, 2, 1)])
def test_positions_mean_the_same_in_frames_and_arrays(columns):
    with_id = TEN.assign(id=range(100, 110))[["id", *TEN.columns]]
    if columns[0] == 3:
        with_id = with_id[["id", *TEN.columns[::-1]]]
    expected = RFMScorer().fit(TEN).predict(TEN)
    by_frame = RFMScorer(columns=columns).fit(with_id)
    by_array = RFMScorer(columns=columns).fit(with_id.to_numpy())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        np.testing.assert_array_equal(by_frame.predict(with_id.to_numpy()), expected)
    for fitted in (by_frame, by_array):
        np.testing.assert_array_equal(fitted.predict(with_id), expected)
    np.testing.assert_array_equal(by_array.predict(with_id.to_numpy()), expected)


def test_assigning_many_scores_names_only_the_cells_that_occur():
    table = pd.DataFrame({name: np.arange(3000) for name in TEN.columns})
    assigned = RFMScorer(n_bins=1000).fit(table).assign(table.head(2))
    assert assigned["rfm_cell"].tolist() == ["1000-1-1", "1000-1-1"]


@pytest.mark.parametrize("X", [[12345.678, 2, 3], [[12345.678 + 1j, 2, 3]]], ids=["1-d", "complex"])
def test_lists_of_another_shape_or_kind_are_refused_without_showing_them(X):
    for verb in (RFMScorer().fit, RFMScorer().fit(TEN.to_numpy()).predict):
        with pytest.raises(SegkitValueError) as caught:
            verb(X)
        assert "345" not in str(caught.value)


def test_integers_of_128_bits_are_read():
    wide = pl.from_pandas(TEN).with_columns(pl.col("frequency").cast(pl.Int128))
    assert RFMScorer().fit(wide).labels_.tolist() == RFMScorer().fit(TEN).labels_.tolist()


# -- numbers -----------------------------------------------------------------------------------


def test_decimals_tie_as_their_numbers_do(kind):
    """Arrow casts the decimal 26978.67 to a float one digit off."""
    values = ["1.00", "26978.67", "26978.67", "999999.00", "999999.00"]
    price = 26978.67
    edges = [np.nextafter(price, 0), price, np.nextafter(price, 1e9), 2e6]
    scorer = RFMScorer(binning={"monetary": edges}).fit(TEN)
    table = pa.table(
        {
            "recency_days": [1] * 5,
            "frequency": [1] * 5,
            "row": list(range(5)),
            "monetary": pa.array(map(decimal.Decimal, values), pa.decimal128(12, 2)),
        }
    )
    frame = {
        "pandas": lambda: table.to_pandas(),
        "pandas arrow": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
        "pyarrow": lambda: table,
        "polars": lambda: pl.from_arrow(table),
        "polars lazy": lambda: pl.from_arrow(table).lazy(),
        "duckdb": lambda: duckdb.from_arrow(table),
    }[kind]()
    scores = [row["monetary_score"] for row in rows_of(scorer.assign(frame), "row")]
    assert scores == [1, 2, 2, 4, 4]


def test_integers_beyond_exact_floats_are_read(eager_kind):
    large = TEN.assign(monetary=1000 * np.arange(10) + 2**53 + 1)
    assert RFMScorer().fit(as_kind(large, eager_kind)).labels_.tolist() == (
        RFMScorer().fit(large).labels_.tolist()
    )


@pytest.mark.parametrize(
    "make_frame",
    [
        lambda: pl.DataFrame([{"recency_days": 3, "frequency": 2, "monetary": None}]),
        lambda: pl.DataFrame([{"recency_days": 3, "frequency": 2, "monetary": None}]).lazy(),
        lambda: pd.DataFrame([{"recency_days": 3, "frequency": 2, "monetary": None}]),
        lambda: pa.table({"recency_days": [3], "frequency": [2], "monetary": pa.nulls(1)}),
        lambda: duckdb.sql("SELECT 3 recency_days, 2 frequency, NULL monetary"),
    ],
    ids=["polars", "polars lazy", "pandas", "pyarrow", "duckdb"],
)
def test_a_column_of_nothing_but_nulls_is_missing(make_frame):
    scorer = RFMScorer(missing="unassigned").fit(TEN)
    assert columns_of(scorer.assign(make_frame()))["rfm_segment"] == ["unassigned"]


def test_values_at_the_ends_of_floats_give_finite_edges():
    extreme = TEN.assign(monetary=[-1.7e308] * 5 + [1.7e308] * 5)
    with pytest.warns(UserWarning, match="'monetary'"):
        edges = RFMScorer().fit(extreme).bin_edges_["monetary"]
    assert np.isfinite(edges).all()
    assert edges.tolist() == sorted(edges)


def test_impossible_pairs_in_a_frame_and_in_one_row():
    table = TEN.assign(tenure_days=[0] * 10)
    scorer = RFMScorer(columns=[*TEN.columns, "tenure_days"])
    with pytest.raises(SegkitValueError, match="'recency_days' exceeds 'tenure_days' in 10"):
        scorer.fit(table)
    fitted = scorer.fit(TEN.assign(tenure_days=range(11, 21)))
    row = {"recency_days": 9, "frequency": 1, "monetary": 3.0, "tenure_days": 8}
    with pytest.raises(SegkitValueError, match="'recency_days' exceeds 'tenure_days'"):
        fitted.predict_one(row)


# -- one row -----------------------------------------------------------------------------------


def test_one_row_may_be_any_mapping_or_a_series(scorer):
    row = {"recency_days": 1, "frequency": 10, "monetary": 50.0}
    for kind in (dict, types.MappingProxyType, collections.OrderedDict, pd.Series):
        assert scorer.predict_one(kind(row)) == "Champions"


def test_a_default_of_the_mapping_is_no_value(scorer):
    row = collections.defaultdict(float, frequency=10, monetary=50.0)
    with pytest.raises(ColumnError, match="no 'recency_days'"):
        scorer.predict_one(row)
    assert set(row) == {"frequency", "monetary"}


# -- state -------------------------------------------------------------------------------------


def test_a_fit_that_fails_leaves_no_half_of_a_fit():
    scorer = RFMScorer().fit(TEN)
    scorer.set_params(binning={"frequency": [1, 2]})
    with pytest.raises(SegkitValueError):
        scorer.fit(TEN)
    for call in (lambda: scorer.predict(TEN), scorer.describe, lambda: scorer.predict_one({})):
        with pytest.raises(NotFittedError):
            call()


def test_a_refit_forgets_names_and_labels():
    scorer = RFMScorer().fit(TEN).fit(TEN.to_numpy())
    assert not hasattr(scorer, "feature_names_in_")


def test_edges_are_copies_and_cannot_be_changed():
    edges = np.array([1.0, 2.0, 3.0, 4.0])
    scorer = RFMScorer(binning={"frequency": edges}).fit(TEN)
    edges[0] = 99
    assert scorer.bin_edges_["frequency"].tolist() == [1, 2, 3, 4]
    for fitted in (scorer, pickle.loads(pickle.dumps(scorer)), copy.deepcopy(scorer)):
        with pytest.raises(ValueError, match="read-only"):
            fitted.bin_edges_["frequency"][0] = 99


def test_parameters_set_after_fit_change_no_cell():
    scorer = RFMScorer().fit(TEN)
    before = scorer.assign(TEN)["rfm_cell"].tolist()
    assert scorer.set_params(n_bins=12).assign(TEN)["rfm_cell"].tolist() == before


def test_pandas_keeps_attrs_and_subclass(scorer):
    class Customers(pd.DataFrame):
        @property
        def _constructor(self):
            return Customers

    frame = Customers(TEN)
    frame.attrs["source"] = "crm"
    assigned = scorer.assign(frame)
    assert type(assigned) is Customers
    assert assigned.attrs == {"source": "crm"}


def test_maps_of_many_cells_can_be_assigned_lazily():
    from segkit import SegmentMap

    cells = [f"{r}-{f}-{m}" for r in range(1, 8) for f in range(1, 8) for m in range(1, 8)]
    checkers = SegmentMap({"Black": cells[::2], "White": cells[1::2]}, n_bins=7)
    table = pd.DataFrame(np.random.default_rng(0).integers(0, 99, (300, 3)), columns=TEN.columns)
    scorer = RFMScorer(n_bins=7, segment_map=checkers).fit(table)
    expected = scorer.predict_segments(table).tolist()
    for frame in (pl.from_pandas(table).lazy(), duckdb.from_df(table)):
        assert columns_of(scorer.assign(frame))["rfm_segment"] == expected


def test_many_scores_can_be_assigned_lazily():
    table = pd.DataFrame({name: np.arange(900) for name in TEN.columns})
    scorer = RFMScorer(n_bins=300).fit(table)
    lazy = scorer.assign(pl.from_pandas(table).lazy()).collect()
    assert lazy["frequency_score"].to_list() == scorer.transform(table)[:, 1].tolist()


# -- authors of segmenters ---------------------------------------------------------------------


class OneSegment(SegmenterMixin, BaseEstimator):
    """Everybody is alike, in codes of a dtype to choose."""

    def __init__(self, *, columns=("monetary",), dtype="int64"):
        self.columns = columns
        self.dtype = dtype

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.segments_ = np.array(["all"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.zeros(len(values), dtype=self.dtype)


def test_codes_that_are_no_integers_are_refused():
    assert OneSegment(dtype="int8").fit(TEN).labels_.dtype == np.int64
    with pytest.raises(TypeError, match="must return an integer array"):
        OneSegment(dtype="float64").fit(TEN)


@pytest.mark.parametrize("columns", [None, 5, (), "monetary", (True, False), (-1,), ("a", 0)])
def test_columns_that_make_no_sense_are_named(columns):
    with pytest.raises(ColumnError, match="distinct column names, or distinct positions"):
        OneSegment(columns=columns).fit(TEN)


@pytest.mark.parametrize(
    "given", [None, 5, {4711}, (n for n in [4711])], ids=["None", "number", "set", "generator"]
)
def test_what_is_no_table_is_told_by_its_type_and_never_shown(given: object) -> None:
    with pytest.raises(
        SegkitTypeError, match=rf"RFMScorer.*got {type(given).__name__}\."
    ) as caught:
        RFMScorer().fit(given)
    assert "4711" not in str(caught.value)


def test_a_structured_array_is_told_to_become_a_frame() -> None:
    customers = np.array([(1.0, 2.0, 3.0)], dtype=[("a", float), ("b", float), ("c", float)])
    with pytest.raises(SegkitTypeError, match=r"structured array.*pandas\.DataFrame\(X\)"):
        RFMScorer().fit(customers)


def test_an_array_that_is_too_narrow_is_an_error_of_segkit() -> None:
    rules = [{"name": "Far", "when": {"column": "x5", "at_least": 1}}]
    with pytest.raises(SegkitValueError, match=r"^RuleSegmenter: .*2 feature.*minimum of 6"):
        RuleSegmenter(rules).fit(np.zeros((3, 2)))


# -- hostile input -------------------------------------------------------------------------------

ONE_AFTER_A_HUNDRED = ["a"] * 101 + [1.5]


@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_ids_that_mix_kinds_only_after_a_hundred_rows_are_refused(column):
    log = pd.DataFrame(
        {"customer_id": 1, "order_id": 1, "timestamp": pd.Timestamp("2024-01-01"), "amount": 1.0},
        index=range(102),
    )
    log[column] = pd.Series(ONE_AFTER_A_HUNDRED, dtype=object)
    with pytest.raises(SegkitTypeError, match=f"column '{column}' mixes kinds of ids"):
        summarize_transactions(log, order_id="order_id")


def test_numbers_after_a_hundred_nulls_are_numbers():
    amounts = pd.Series([None] * 101 + [2.5], dtype=object)
    log = pd.DataFrame({"amount": amounts, "customer_id": 1, "timestamp": "2024-01-01"})
    table = summarize_transactions(log, missing="drop")
    assert table["monetary"].tolist() == [2.5]


def test_rules_of_text_refuse_a_number_after_a_hundred_rows():
    rules = RuleSegmenter([{"name": "A", "when": {"column": "kind", "equals": "a"}}])
    with pytest.raises(SegkitTypeError, match="column 'kind'"):
        rules.fit(pd.DataFrame({"kind": pd.Series(ONE_AFTER_A_HUNDRED, dtype=object)}))


@pytest.mark.parametrize(
    "segmenter",
    [
        RFMScorer(),
        ClusterSegmenter(n_segments=2),
        CrossSegmenter([ValueTierer(column=0), ValueTierer(column=1)]),
        RuleSegmenter([{"name": "A", "when": {"column": "x0", "at_least": 1}}]),
        KPrototypes(n_clusters=2),
        SegmentProfiler(),
    ],
    ids=lambda segmenter: type(segmenter).__name__,
)
def test_rows_of_different_lengths_are_refused(segmenter):
    with pytest.raises(SegkitValueError, match=f"{type(segmenter).__name__}: .*differ in their"):
        segmenter.fit([[1.0, 2.0, 3.0], [4.0, 5.0]], [0, 1])


@pytest.mark.parametrize("segmenter", [RFMScorer(), KPrototypes()])
def test_what_has_one_dimension_is_not_printed(segmenter):
    with pytest.raises(SegkitValueError, match="got 1D array") as caught:
        segmenter.fit(pd.Index([4711.0, 815.0]))
    assert "4711" not in str(caught.value)


def test_complex_numbers_are_not_printed():
    with pytest.raises(SegkitValueError, match=r"KPrototypes: Complex data not supported\.$"):
        KPrototypes().fit(np.full((4, 2), 4711 + 0j))


@pytest.mark.parametrize("parameter", ["estimator", "preprocessor"])
def test_a_class_in_place_of_an_estimator_is_told(parameter):
    owner = {"estimator": ValueTierer, "preprocessor": ClusterSegmenter}[parameter]
    given = {"estimator": LinearRegression, "preprocessor": StandardScaler}[parameter]
    message = rf"{parameter} must be an estimator, got the class {given.__name__}\. Write "
    with pytest.raises(SegkitTypeError, match=message):
        owner(**{parameter: given}).fit(TEN, TEN["monetary"])
