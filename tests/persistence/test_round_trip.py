"""What was saved is what is loaded: every verb, on real customers and on drawn ones."""

import numpy as np
import pandas as pd
import pytest

import segkit
from segkit import RFMScorer, summarize_transactions


def loaded_of(segmenter, folder):
    """Return the segmenter after a way through a file."""
    path = folder / "segmenter.json"
    segmenter.save(path)
    return segkit.load(path)


def assert_alike(loaded, saved, customers):
    """Every verb gives the same."""
    np.testing.assert_array_equal(loaded.predict(customers), saved.predict(customers))
    pd.testing.assert_frame_equal(loaded.assign(customers), saved.assign(customers))
    pd.testing.assert_frame_equal(loaded.describe(), saved.describe())
    np.testing.assert_array_equal(
        loaded.predict_segments(customers), saved.predict_segments(customers)
    )
    for row in customers.head(20).to_dict("records"):
        assert loaded.predict_one(row) == saved.predict_one(row)


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize("binning", ["quantile", "kmeans", "nested"])
def test_a_scorer_of_cdnow_scores_as_before(cdnow, tmp_path, binning):
    customers = summarize_transactions(cdnow)
    scorer = RFMScorer(binning=binning).fit(customers)
    assert_alike(loaded_of(scorer, tmp_path), scorer, customers)
