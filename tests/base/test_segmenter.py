"""The mixin's own behaviour, beyond what check_segmenter checks of every segmenter."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from segkit import RFMScorer, ValueTierer
from segkit.base import SegmenterMixin, is_segmenter
from segkit.exceptions import ColumnError, LazyFrameError

CUSTOMERS = pd.DataFrame({"monetary": [10.0, 250.0, 40.0]})


class EagerOnly(SegmenterMixin, BaseEstimator):
    """Above or below the median, without expressions."""

    def __init__(self, *, columns=("monetary",), missing="raise"):
        self.columns = columns
        self.missing = missing

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.median_ = float(np.nanmedian(values))
        self.segments_ = np.array(["above", "below"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.where(values[:, 0] > self.median_, 0, 1)


def test_is_segmenter_tells_segmenters_from_clusterers():
    assert is_segmenter(RFMScorer())
    assert is_segmenter(EagerOnly())
    assert not is_segmenter(KMeans())


def test_is_segmenter_looks_at_the_end_of_a_pipeline():
    assert is_segmenter(make_pipeline(FunctionTransformer(), RFMScorer()))
    assert is_segmenter(make_pipeline(FunctionTransformer(), make_pipeline(RFMScorer())))
    assert not is_segmenter(make_pipeline(RFMScorer(), KMeans()))


def test_a_clusterer_that_is_a_segmenter_is_one():
    class Clusterer(EagerOnly):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.estimator_type = "clusterer"
            return tags

    assert is_segmenter(Clusterer())
    assert is_segmenter(make_pipeline(FunctionTransformer(), Clusterer()))


def test_without_expressions_eager_frames_can_still_be_assigned_to(eager_kind):
    from frames import as_kind, columns_of

    frame = as_kind(CUSTOMERS, eager_kind)
    assigned = EagerOnly().fit(frame).assign(frame)
    assert type(assigned) is type(frame)
    assert columns_of(assigned)["segment"] == ["below", "above", "below"]


def test_without_expressions_a_lazy_frame_must_be_collected():
    with pytest.raises(LazyFrameError, match="Collect the frame first"):
        EagerOnly().fit(CUSTOMERS).assign(pl.from_pandas(CUSTOMERS).lazy())


def test_a_segmenter_without_fit_or_codes_says_what_it_lacks():
    class Nothing(SegmenterMixin, BaseEstimator):
        columns = ("monetary",)

    class NoCodes(EagerOnly):
        _codes = SegmenterMixin._codes

    with pytest.raises(TypeError, match="Nothing must define fit"):
        Nothing().fit(CUSTOMERS)
    with pytest.raises(TypeError, match="NoCodes must define _codes"):
        NoCodes().fit(CUSTOMERS)


def test_a_frame_with_numbers_for_names_is_an_array():
    unnamed = pd.DataFrame(CUSTOMERS.to_numpy())
    segmenter = EagerOnly().fit(unnamed)
    assert not hasattr(segmenter, "feature_names_in_")
    assert segmenter.labels_.tolist() == [1, 0, 1]
    with pytest.raises(TypeError, match="frame with named columns"):
        segmenter.assign(unnamed)


def test_missing_values_are_kept_away_from_codes():
    segmenter = EagerOnly(missing="unassigned").fit(CUSTOMERS)
    holed = pd.DataFrame({"monetary": [np.nan, 250.0]})
    assert segmenter.predict(holed).tolist() == [-1, 0]
    assert segmenter.predict_segments(holed).tolist() == ["unassigned", "above"]
    assert segmenter.predict_one({"monetary": None}) == "unassigned"


def test_narwhals_frames_are_frames():
    import narwhals as nw

    frame = nw.from_native(CUSTOMERS)
    assert EagerOnly().fit(frame).predict(frame).tolist() == [1, 0, 1]
    assert isinstance(EagerOnly().fit(frame).assign(frame), pd.DataFrame)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_an_array_too_narrow_for_the_positions_of_a_fit_on_a_frame_is_refused():
    frame = pd.DataFrame(np.arange(1.0, 28.0).reshape(3, 9), columns=list("abcdefghi"))
    tierer = ValueTierer(column=7).fit(frame)
    with pytest.raises(ColumnError, match="the column at position 7 is needed"):
        tierer.predict(np.ones((2, 1)))
    assert len(tierer.predict(np.ones((2, 8)))) == 2
