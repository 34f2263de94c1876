"""Columns of values and labels that are none, and what the functions of metrics say of them."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression

from segkit.exceptions import MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.metrics import (
    bootstrap_jaccard,
    cramers_v,
    epsilon_squared,
    migration_matrix,
    n_clusters_by_gap,
    n_clusters_by_prediction_strength,
    population_stability_index,
    silhouette,
    simplified_silhouette,
)

LABELS = ["a", "a", "b", "b"]
FRAME = pd.DataFrame({"spend": [1.0, 2.0, 3.0, 4.0]})
NO_COLUMNS = {
    "lazy": pl.LazyFrame({"spend": [1.0]}),
    "relation": duckdb.from_arrow(pl.DataFrame({"spend": [1.0]}).to_arrow()),
    "sparse": csr_array(np.ones((4, 1))),
    "text": "spend",
    "dict": {"spend": [1.0]},
    "number": 7,
}
OF_COLUMNS = [
    lambda values: cramers_v(values, LABELS),
    lambda values: epsilon_squared(values, LABELS),
    lambda values: population_stability_index(values, LABELS),
    lambda values: migration_matrix(values, LABELS),
    lambda values: simplified_silhouette(FRAME, values),
]


@pytest.mark.parametrize("of_column", OF_COLUMNS)
@pytest.mark.parametrize("values", NO_COLUMNS.values(), ids=NO_COLUMNS)
def test_what_is_no_column_of_values_is_refused(of_column, values):
    with pytest.raises(SegkitTypeError, match="must be a column of values"):
        of_column(values)


@pytest.mark.parametrize("name", ["lazy", "relation", "sparse"])
def test_labels_of_a_silhouette_are_in_memory(name):
    with pytest.raises(SegkitValueError, match="silhouette: labels must have"):
        silhouette(FRAME, NO_COLUMNS[name])


@pytest.mark.parametrize("of_column", OF_COLUMNS[:4])
def test_a_column_has_one_dimension(of_column):
    with pytest.raises(SegkitValueError, match="must have one dimension, got 2"):
        of_column(np.ones((4, 1)))


@pytest.mark.parametrize("values", [np.full(4, 1j), np.array(["2024-01-01"] * 4, dtype="M8[s]")])
def test_complex_numbers_and_times_are_no_numbers(values):
    with pytest.raises(SegkitTypeError, match="epsilon_squared: values must be numbers"):
        epsilon_squared(values, LABELS)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_categories_are_told(missing):
    with pytest.raises(MissingValuesError, match="cramers_v: values are missing in 1 of 4 rows"):
        cramers_v(np.array(["x", "y", missing, "x"], dtype=object), LABELS)


def test_missing_labels_of_pandas_are_told():
    with pytest.raises(MissingValuesError, match="labels contains missing values"):
        epsilon_squared([1, 2, 3, 4], pd.Series(["a", pd.NA, "b", "b"], dtype=object))


def test_segments_without_a_hash_are_refused():
    with pytest.raises(SegkitTypeError, match="must hold names or codes of segments"):
        migration_matrix([{"a": 1}] * 4, LABELS)


def test_segments_must_be_a_column():
    with pytest.raises(SegkitTypeError, match="migration_matrix: segments must be a column"):
        migration_matrix(LABELS, LABELS, segments=5)


def test_rows_whose_squares_overflow_are_refused():
    with pytest.raises(SegkitValueError, match=r"simplified_silhouette: column 'X' is beyond"):
        simplified_silhouette([[1e300], [1.0], [2.0], [3.0]], LABELS)


def test_text_among_the_rows_is_not_quoted():
    rows = pd.DataFrame({"spend": [1.0, 2.0, 3.0, 4.0], "id": ["c-4711"] * 4})
    with pytest.raises(SegkitTypeError, match="bootstrap_jaccard: X must hold numbers") as caught:
        bootstrap_jaccard(rows, clusterer=KMeans(2))
    assert "4711" not in str(caught.value)


def test_a_regressor_is_no_clusterer():
    with pytest.raises(SegkitTypeError, match="clusterer must be a scikit-learn clusterer"):
        bootstrap_jaccard(FRAME, clusterer=LinearRegression())


def test_centers_that_are_no_numbers_are_refused():
    with pytest.raises(SegkitTypeError, match="centers must be rows of numbers, got str"):
        simplified_silhouette(FRAME, [0, 0, 1, 1], centers="x")


@pytest.mark.parametrize(
    ("gap", "kind"), [("x", SegkitTypeError), (None, MissingValuesError)], ids=["text", "missing"]
)
def test_a_table_of_gaps_holds_numbers(gap, kind):
    gaps = pd.DataFrame({"gap": [gap, 0.5], "standard_error": [0.1, 0.1]}, index=[1, 2])
    with pytest.raises(kind, match="n_clusters_by_gap: column 'gap'"):
        n_clusters_by_gap(gaps)


def test_a_table_of_criteria_is_about_numbers_of_clusters():
    gaps = pd.DataFrame({"gap": [0.1], "standard_error": [0.1]}, index=["two"])
    with pytest.raises(SegkitTypeError, match="index of gaps must hold numbers of clusters"):
        n_clusters_by_gap(gaps)


@pytest.mark.parametrize("threshold", [None, "high", [0.8], True])
def test_a_threshold_is_a_number(threshold):
    strengths = pd.DataFrame({"prediction_strength": [0.9]}, index=[2])
    with pytest.raises(SegkitTypeError, match="threshold must be a number"):
        n_clusters_by_prediction_strength(strengths, threshold)


@pytest.mark.parametrize("given", [pd.NA, np.array([1, 2]), pd.Series(["x"])], ids=repr)
def test_a_choice_is_text(given):
    with pytest.raises(SegkitValueError, match="scheme must be one of"):
        bootstrap_jaccard(FRAME, LABELS, scheme=given)
    with pytest.raises(SegkitTypeError, match="bias_corrected must be True or False"):
        cramers_v(LABELS, LABELS, bias_corrected=given)


def test_a_count_has_an_end():
    with pytest.raises(SegkitValueError, match=r"n_bootstraps must be at most 1,000,000,000"):
        bootstrap_jaccard(FRAME, LABELS, n_bootstraps=10**30)
