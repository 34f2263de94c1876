"""Columns as numbers for clusterers: filled, weighted, left out or refused."""

import numpy as np
import pandas as pd
import pytest

from segkit.exceptions import SegkitTypeError, SegkitValueError, SegkitWarning
from segkit.segmenters._cluster_preprocessing import ClusterPreprocessing


def test_a_categorical_weighs_as_one_standardised_number():
    table = pd.DataFrame({"kind": list("aaabbc") * 10})
    features = ClusterPreprocessing.of(table).transform(table)
    assert features.var(axis=0).sum() == pytest.approx(1)


def test_missing_numbers_are_the_median_and_told_apart():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan]})
    features = ClusterPreprocessing.of(table).transform(table)
    assert features[3].tolist() == [features[1, 0], 1.0]


def test_constant_columns_are_left_out_with_a_warning():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "same": 5})
    with pytest.warns(SegkitWarning, match="'same'"):
        assert ClusterPreprocessing.of(table).features == ["x"]


def test_ids_and_dates_are_refused():
    ids = pd.DataFrame({"id": [f"c{i}" for i in range(50)]})
    with pytest.raises(SegkitValueError, match="looks like an id"):
        ClusterPreprocessing.of(ids)
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=50)})
    for dates in (days, days.astype(str)):
        with pytest.raises(SegkitTypeError, match="holds dates"):
            ClusterPreprocessing.of(dates)
