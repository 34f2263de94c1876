"""What was saved is what is loaded: every verb, on real customers and on drawn ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import segkit
from frames import as_kind, rows_of
from persistence.files import MIXED, RULES
from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    KPrototypes,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit.base import SegmenterMixin
from segkit.exceptions import SegkitTypeError, SegkitValueError

quiet = pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")


def through_file(segmenter, folder, **options):
    """Return a segmenter after a way through a file."""
    path = folder / "segmenter.json"
    segmenter.save(path)
    return segkit.load(path, **options)


def assert_alike(loaded, saved, customers, n_rows=50):
    """Every verb gives the same, to the last bit."""
    np.testing.assert_array_equal(loaded.predict(customers), saved.predict(customers))
    names = saved.predict_segments(customers)
    np.testing.assert_array_equal(loaded.predict_segments(customers), names)
    assert_frame_equal(loaded.assign(customers), saved.assign(customers), check_exact=True)
    assert_frame_equal(loaded.describe(), saved.describe(), check_exact=True)
    np.testing.assert_array_equal(loaded.segments_, saved.segments_)
    if hasattr(saved, "transform"):
        features = np.asarray(saved.transform(customers))
        assert np.asarray(loaded.transform(customers)).tobytes() == features.tobytes()
        assert list(loaded.get_feature_names_out()) == list(saved.get_feature_names_out())
    rows = customers.head(n_rows).to_dict("records")
    assert [loaded.predict_one(row) for row in rows] == list(names[:n_rows])
    assert repr(loaded) == repr(saved)


def test_every_verb_of_a_loaded_segmenter_gives_what_the_saved_one_gives(saved, customers):
    segmenter, path = saved
    assert_alike(segkit.load(path), segmenter, customers)


def test_a_loaded_segmenter_is_saved_to_the_same_bytes(saved, tmp_path):
    _, path = saved
    segkit.load(path).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_a_file_says_nothing_of_single_customers(saved):
    segmenter, path = saved
    assert hasattr(segmenter, "labels_")
    assert not hasattr(segkit.load(path), "labels_")
    assert "labels_" not in path.read_text("utf-8")


def test_a_loaded_segmenter_can_be_fitted_again(saved, customers):
    segmenter, path = saved
    loaded = segkit.load(path)
    assert loaded.get_params(deep=False).keys() == segmenter.get_params(deep=False).keys()
    unfitted = clone(loaded)
    assert not hasattr(unfitted, "segments_")


@pytest.mark.parametrize("name", ["rfm", "stages by rhythm", "tiers", "rules", "crossing"])
def test_a_loaded_segmenter_assigns_in_every_engine(fitted_ones, customers, tmp_path, kind, name):
    saved = fitted_ones[name]
    loaded = through_file(saved, tmp_path)
    some = customers.head(60).assign(place=range(60))
    frame = as_kind(some, kind)
    assert rows_of(loaded.assign(frame), "place") == rows_of(saved.assign(frame), "place")


@pytest.mark.parametrize(
    "segmenter",
    [
        RFMScorer(),
        RFMScorer(binning="kmeans"),
        RFMScorer(binning="nested"),
        RFMScorer(n_bins=11),
        ValueTierer(),
        LifecycleStager(),
        LifecycleStager(method="alive"),
        CrossSegmenter([ValueTierer(), LifecycleStager()]),
        ClusterSegmenter(
            columns=["recency_days", "frequency", "monetary"], n_segments=4, random_state=0
        ),
    ],
    ids=lambda segmenter: repr(segmenter)[:40],
)
@pytest.mark.parametrize("shop", ["cdnow", "online_retail"])
@pytest.mark.realdata
@quiet
def test_segmenters_of_real_shops_are_loaded_as_they_were(request, tmp_path, shop, segmenter):
    log = request.getfixturevalue(shop)
    customers = summarize_transactions(log, missing="drop")
    saved = clone(segmenter).fit(customers)
    assert_alike(through_file(saved, tmp_path), saved, customers)


@pytest.mark.realdata
@quiet
def test_rules_prototypes_and_groups_of_hillstrom_are_loaded_as_they_were(data_folder, tmp_path):
    customers = pd.read_csv(data_folder / "hillstrom.csv")
    web = [{"name": "Web", "when": {"column": "channel", "equals": "Web"}}]
    few = customers.head(4_000)
    for segmenter in (
        RuleSegmenter(web),
        CrossSegmenter([ValueTierer(column="history"), RuleSegmenter(web)]),
        ClusterSegmenter(
            KPrototypes(n_init=1),
            columns=["recency", "history", "channel", "zip_code"],
            n_segments=4,
            random_state=0,
        ),
        RFMScorer(columns=("recency", "history"), groups="zip_code", n_bins=4),
    ):
        saved = segmenter.fit(few)
        assert_alike(through_file(saved, tmp_path), saved, customers)


def test_what_was_learned_is_kept_where_parameters_were_changed_since(customers, tmp_path):
    scorer = RFMScorer().fit(customers).set_params(n_bins=3, segment_map="pymc")
    rules = RuleSegmenter(RULES).fit(customers).set_params(rules=RULES[:1], default="nobody")
    crossed = CrossSegmenter([ValueTierer(), RuleSegmenter(RULES)]).fit(customers)
    crossed.set_params(name=" + ", max_segments=2)
    for saved in (scorer, rules, crossed):
        assert_alike(through_file(saved, tmp_path), saved, customers)


def test_positions_of_an_array_are_kept(customers, tmp_path):
    array = customers[["monetary", "recency_days", "frequency"]].to_numpy(np.float64)
    saved = RFMScorer(columns=(1, 2, 0)).fit(array)
    loaded = through_file(saved, tmp_path)
    assert loaded.n_features_in_ == 3
    assert not hasattr(loaded, "feature_names_in_")
    np.testing.assert_array_equal(loaded.predict(array), saved.labels_)


def test_the_output_that_was_set_is_kept(customers, tmp_path):
    saved = RFMScorer().set_output(transform="pandas").fit(customers)
    loaded = through_file(saved, tmp_path)
    assert_frame_equal(loaded.transform(customers), saved.transform(customers))


def test_groups_of_every_type_are_kept(customers, tmp_path):
    days = pd.date_range("2026-01-01", periods=3)
    place = np.arange(len(customers)) % 3
    for groups in (days[place], place, place == 1, place / 2, np.array(["é", "ü", "$x"])[place]):
        grouped = customers.assign(group=groups)
        saved = RFMScorer(groups="group", n_bins=3).fit(grouped)
        assert_alike(through_file(saved, tmp_path), saved, grouped)


@pytest.mark.parametrize("name", ["rfm", "stages by rhythm", "stages by days"])
def test_impossible_customers_are_refused_as_before(fitted_ones, customers, tmp_path, name):
    loaded = through_file(fitted_ones[name], tmp_path)
    impossible = customers.head(1).assign(recency_days=-1.0)
    with pytest.raises(SegkitValueError, match="'recency_days' is negative in 1 of 1 rows"):
        loaded.predict_one(impossible.iloc[0].to_dict())
    with pytest.raises(SegkitValueError, match="'recency_days' is negative in 1 of 1 rows"):
        loaded.predict(impossible)


def test_learned_edges_stay_read_only(customers, tmp_path):
    loaded = through_file(RFMScorer().fit(customers), tmp_path)
    tierer = through_file(ValueTierer().fit(customers), tmp_path)
    for array in (loaded.bin_edges_["monetary"], tierer.thresholds_, tierer.lorenz_curve_):
        assert not array.flags.writeable


def test_a_frozen_segmenter_inside_a_crossing_stays_fitted(customers, tmp_path):
    frozen = FrozenEstimator(ValueTierer().fit(customers.head(100)))
    saved = CrossSegmenter([frozen, RuleSegmenter(RULES)]).fit(customers)
    loaded = through_file(saved, tmp_path)
    assert_alike(loaded, saved, customers)
    refitted = clone(loaded).fit(customers)
    np.testing.assert_array_equal(refitted.labels_, saved.labels_)


def test_a_clusterer_that_does_not_assign_is_left_out(fitted_ones, tmp_path):
    loaded = through_file(fitted_ones["nearest centre"], tmp_path)
    assert not hasattr(loaded, "clusterer_")
    assert isinstance(loaded.clusterer, AgglomerativeClustering)


def test_an_unfitted_segmenter_is_not_saved(tmp_path):
    for segmenter in (RFMScorer(), RuleSegmenter(), ClusterSegmenter(), CrossSegmenter()):
        with pytest.raises(NotFittedError):
            segmenter.save(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


@quiet
@pytest.mark.parametrize(
    ("segmenter", "named"),
    [
        (
            ClusterSegmenter(GaussianMixture(2), columns=MIXED[:2], random_state=0),
            "parameters.clusterer holds GaussianMixture",
        ),
        (
            ClusterSegmenter(
                columns=MIXED[:2], n_segments=2, preprocessor=StandardScaler(), random_state=0
            ),
            "parameters.preprocessor holds StandardScaler",
        ),
        (
            ClusterSegmenter(AgglomerativeClustering(), columns=MIXED[:2], assigner="neighbours"),
            "customers are assigned by NearestNeighbours",
        ),
        (
            ClusterSegmenter(columns=MIXED[:2], n_segments=2, random_state=np.random.RandomState()),
            "parameters.random_state holds RandomState",
        ),
        (
            CrossSegmenter([make_pipeline(StandardScaler(), ValueTierer(column=0)), ValueTierer()]),
            r"parameters.segmenters\[0\] holds Pipeline",
        ),
    ],
    ids=["mixture", "scaler", "neighbours", "random state", "pipeline"],
)
def test_what_json_cannot_hold_is_named_with_another_way(customers, tmp_path, segmenter, named):
    numbers = customers.select_dtypes("number")
    with pytest.raises(SegkitTypeError, match=named) as caught:
        segmenter.fit(numbers).save(tmp_path / "x.json")
    assert "skops" in str(caught.value)
    assert "joblib" in str(caught.value)
    assert not list(tmp_path.iterdir())


class MedianSegmenter(SegmenterMixin, BaseEstimator):
    """A segmenter that is not of segkit."""

    def __init__(self, *, columns=("monetary",), missing="raise", note=None):
        self.columns = columns
        self.missing = missing
        self.note = note

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.median_ = np.nanmedian(values[:, 0])
        self.facts_ = {"n": len(values), 3: (1.5, None), "spread": np.float32(values.std())}
        self.segments_ = np.array(["above", "below"], dtype=object)
        return self._finish_fit(X, values)

    def _codes(self, values):
        return np.where(values[:, 0] > self.median_, 0, 1)


def test_a_segmenter_of_ones_own_needs_nothing_to_be_saved(customers, tmp_path):
    saved = MedianSegmenter().fit(customers)
    loaded = through_file(saved, tmp_path, classes=[MedianSegmenter])
    assert_alike(loaded, saved, customers)
    assert loaded.facts_ == saved.facts_
    assert not hasattr(loaded, "labels_")
    assert type(loaded.facts_["spread"]) is np.float32


class OwnClusters(SegmenterMixin, BaseEstimator):
    """A segmenter with k-means inside, of single precision and with names of columns."""

    def __init__(self, *, columns=("monetary", "frequency"), missing="raise"):
        self.columns = columns
        self.missing = missing

    def fit(self, X, y=None):
        values = self._validate_customers(X, reset=True)
        self.template_ = KMeans(3, random_state=0)
        self.k_means_ = clone(self.template_).fit(self._frame(values))
        self.segments_ = np.array(["a", "b", "c"], dtype=object)
        return self._finish_fit(X, values)

    def _frame(self, values):
        return pd.DataFrame(values.astype(np.float32), columns=["x", "y"])

    def _codes(self, values):
        return self.k_means_.predict(self._frame(values))


def test_k_means_inside_a_segmenter_of_ones_own_is_kept(customers, tmp_path):
    saved = OwnClusters().fit(customers)
    loaded = through_file(saved, tmp_path, classes=[OwnClusters])
    assert_alike(loaded, saved, customers)
    assert loaded.k_means_.cluster_centers_.dtype == np.float32
    assert not hasattr(loaded.template_, "cluster_centers_")


def test_a_segmenter_of_ones_own_may_stand_inside_another(customers, tmp_path):
    saved = CrossSegmenter([MedianSegmenter(), RuleSegmenter(RULES)]).fit(customers)
    loaded = through_file(saved, tmp_path, classes=[MedianSegmenter])
    assert_alike(loaded, saved, customers)


@pytest.mark.parametrize("note", [lambda: None, object(), b"bytes", 1j, np.array([1j]), pytest])
def test_a_value_without_a_place_in_the_file_is_named(customers, tmp_path, note):
    segmenter = MedianSegmenter(note=[{"deep": note}]).fit(customers)
    with pytest.raises(SegkitTypeError, match=r"^MedianSegmenter.save: parameters.note\[0\].deep "):
        segmenter.save(tmp_path / "x.json")


def test_what_holds_itself_is_refused(customers, tmp_path):
    note = []
    note.append(note)
    with pytest.raises(SegkitValueError, match="nests too deep, or holds itself"):
        MedianSegmenter(note=note).fit(customers).save(tmp_path / "x.json")


def test_a_path_is_text_or_a_path(customers, tmp_path):
    tierer = ValueTierer().fit(customers)
    tierer.save(str(tmp_path / "tiers.json"))
    assert segkit.load(str(tmp_path / "tiers.json")).segments_[0] == "A"
    with pytest.raises(SegkitTypeError, match="path must be text or a path, got int"):
        tierer.save(3)
    with pytest.raises(SegkitTypeError, match="path must be text or a path, got bytes"):
        segkit.load(b"tiers.json")
    with pytest.raises(FileNotFoundError):
        tierer.save(tmp_path / "no folder" / "tiers.json")


def test_a_file_is_replaced_in_one_go_and_leaves_nothing_beside_it(
    customers, tmp_path, monkeypatch
):
    path = tmp_path / "tiers.json"
    ValueTierer().fit(customers).save(path)
    before = path.read_bytes()

    def fails(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="the disk is full"):
        ValueTierer(method="fixed", cuts=[10]).fit(customers).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["tiers.json"]


def test_who_reads_a_file_while_it_is_replaced_reads_the_old_one(customers, tmp_path):
    path = tmp_path / "tiers.json"
    ValueTierer().fit(customers).save(path)
    before = path.read_text("utf-8")
    with path.open(encoding="utf-8") as reader:
        ValueTierer(method="fixed", cuts=[10]).fit(customers).save(path)
        assert reader.read() == before
    assert path.read_text("utf-8") != before


def test_who_may_read_a_file_may_read_what_takes_its_place(customers, tmp_path):
    path = tmp_path / "tiers.json"
    ValueTierer().fit(customers).save(path)
    for mode in (0o600, 0o640):
        path.chmod(mode)
        ValueTierer().fit(customers).save(path)
        assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(not hasattr(Path, "symlink_to"), reason="there are no links here")
def test_a_link_goes_on_leading_to_the_file(customers, tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "tiers.json")
    ValueTierer().fit(customers).save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "tiers.json").is_file()


@pytest.mark.filterwarnings("error")
def test_thresholds_at_the_ends_of_the_scale_are_loaded_without_a_warning(tmp_path):
    huge = pd.DataFrame({"recency_days": [0, 1, 2, 3], "monetary": [5e-324, 1.0, 1e300, 1.7e308]})
    for segmenter in (
        ValueTierer(),
        RFMScorer(columns=["recency_days", "monetary"], n_bins=2),
        ClusterSegmenter(columns=["recency_days", "monetary"], n_segments=2, random_state=0),
    ):
        saved = segmenter.fit(huge)
        loaded = through_file(saved, tmp_path)
        np.testing.assert_array_equal(loaded.predict(huge), saved.labels_)
