"""Segmenters that JSON cannot hold: skops, which looks before it runs anything, and joblib."""

import pickle
from itertools import filterfalse

import joblib
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.cluster import HDBSCAN, AgglomerativeClustering
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from persistence.files import MIXED, SEGMENTERS
from segkit import ClusterSegmenter
from segkit.exceptions import SegkitTypeError

OTHERS = {
    "mixture": ClusterSegmenter(GaussianMixture(), columns=MIXED, random_state=0),
    "neighbours": ClusterSegmenter(
        AgglomerativeClustering(), columns=MIXED[:2], n_segments=3, assigner="neighbours"
    ),
    "noise": ClusterSegmenter(HDBSCAN(copy=True), columns=MIXED[:2]),
    "scaler": ClusterSegmenter(
        columns=MIXED[:2], n_segments=3, preprocessor=StandardScaler(), random_state=0
    ),
}
TABLES = ["selection_", "preprocessing_summary_"]

pytestmark = pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")


@pytest.fixture(params=OTHERS)
def other(request, customers):
    """A fitted segmenter that JSON cannot hold."""
    return clone(OTHERS[request.param]).fit(customers)


def assert_alike(found, saved, customers):
    np.testing.assert_array_equal(found.predict(customers), saved.labels_)
    assert_frame_equal(found.describe(), saved.describe())
    for name in TABLES:
        if getattr(saved, name) is None:
            assert getattr(found, name) is None
        else:
            assert_frame_equal(getattr(found, name), getattr(saved, name))
    if saved.structure_test_ is not None:
        assert_frame_equal(found.structure_test_.evidence, saved.structure_test_.evidence)


def test_json_cannot_hold_it(other, tmp_path):
    with pytest.raises(SegkitTypeError, match=r"skops\.io\.dump, or, among people who trust"):
        other.save(tmp_path / "x.json")


def test_skops_keeps_it_and_names_what_has_to_be_trusted(other, customers):
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    content = skops.dumps(other)
    trusted = skops.get_untrusted_types(data=content)
    foreign = list(filterfalse(lambda name: name.startswith(("segkit.", "sklearn.")), trusted))
    assert not foreign
    assert "segkit.segmenters._cluster.ClusterSegmenter" in trusted
    assert_alike(skops.loads(content, trusted=trusted), other, customers)


def test_joblib_keeps_it(other, customers, tmp_path):
    joblib.dump(other, tmp_path / "x.joblib")
    assert_alike(joblib.load(tmp_path / "x.joblib"), other, customers)


@pytest.mark.parametrize("name", SEGMENTERS)
def test_a_pickle_holds_every_attribute(fitted_ones, customers, name):
    saved = fitted_ones[name]
    found = pickle.loads(pickle.dumps(saved))
    assert vars(found).keys() == vars(saved).keys()
    for attribute, value in vars(saved).items():
        if isinstance(value, pd.DataFrame):
            assert_frame_equal(getattr(found, attribute), value)
    np.testing.assert_array_equal(found.labels_, saved.labels_)
    assert_frame_equal(found.describe(), saved.describe())
