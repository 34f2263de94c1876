"""How many segments: what the criteria are, which of them chooses, and whether there are any."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering, Birch, KMeans
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture

from segkit import ClusterSegmenter
from segkit.exceptions import SegkitValueError, SegkitWarning
from segkit.metrics import number_of_clusters, structure_test

KIND = np.repeat([0, 1, 2], [60, 40, 30])
INDICES = ["silhouette", "calinski_harabasz", "davies_bouldin", "marriott"]


def clouds(distance, seed=0):
    """Three clouds with standard deviations of 1 in a corner each of a right-angled triangle."""
    corners = distance * np.array([[0, 0], [1, 0], [0, 1]])
    return corners[KIND] + np.random.default_rng(seed).normal(size=(130, 2))


@pytest.fixture(scope="module")
def planted():
    return clouds(8.0)


def fitted(X, **parameters):
    return ClusterSegmenter(preprocessor=None, random_state=0, **parameters).fit(X)


def test_indices_are_those_of_scikit_learn(planted):
    table = fitted(planted, n_segments_range=(2, 5)).selection_
    assert table.index.tolist() == [2, 3, 4, 5]
    for k in (2, 3):  # of more, k-means has several solutions
        labels = KMeans(k, n_init=10, random_state=0).fit_predict(planted)
        assert table.loc[k, "silhouette"] == pytest.approx(silhouette_score(planted, labels))
        expected = calinski_harabasz_score(planted, labels)
        assert table.loc[k, "calinski_harabasz"] == pytest.approx(expected)
        expected = davies_bouldin_score(planted, labels)
        assert table.loc[k, "davies_bouldin"] == pytest.approx(expected)
        within = sum(np.cov(planted[labels == c].T) * ((labels == c).sum() - 1) for c in range(k))
        total = np.cov(planted.T) * 129
        # Marriott (1971), k² |W| / |T|, with a little on the diagonals.
        expected = k**2 * np.linalg.det(within) / np.linalg.det(total)
        assert table.loc[k, "marriott"] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("criterion", INDICES)
def test_an_index_chooses_its_best_number(planted, criterion):
    segmenter = fitted(planted, selection=criterion)
    column = segmenter.selection_[criterion]
    is_less_better = criterion in ("davies_bouldin", "marriott")
    assert segmenter.n_segments_ == (column.idxmin() if is_less_better else column.idxmax()) == 3


def test_standard_errors_are_those_of_other_customers():
    # Of many draws of 130 customers, with segments so clear that k-means finds the same.
    drawn = [fitted(clouds(8.0, seed), n_segments_range=(3, 4)).selection_ for seed in range(40)]
    for criterion in ("silhouette", "calinski_harabasz", "davies_bouldin"):
        values = [table.loc[3, criterion] for table in drawn]
        errors = [table.loc[3, f"{criterion}_standard_error"] for table in drawn]
        assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.4)


@pytest.mark.parametrize("criterion", ["gap", "prediction_strength", "stability"])
def test_criteria_that_resample_stand_beside_the_others(planted, criterion):
    segmenter = fitted(planted, selection=[criterion, "silhouette"], n_segments_range=(2, 4))
    table = segmenter.selection_
    assert segmenter.n_segments_ == 3
    assert table[criterion].notna().all()
    assert (table[f"{criterion}_standard_error"] >= 0).all()
    assert (table.columns[:2] == ["silhouette", "silhouette_standard_error"]).all()
    if criterion != "gap":
        assert table.loc[3, criterion] > 0.95 > table.loc[4, criterion]


def test_gap_and_strength_may_speak_for_one_and_segments_are_still_asked_for():
    cloud = np.random.default_rng(0).normal(size=(200, 2))
    for criterion in ("gap", "prediction_strength"):
        with pytest.warns(SegkitWarning, match="do not fall into groups"):
            segmenter = fitted(cloud, selection=criterion, n_segments_range=(2, 4))
        assert segmenter.n_segments_ == 2


def test_bic_chooses_among_mixtures(planted):
    segmenter = fitted(planted, clusterer=GaussianMixture(), selection="bic")
    expected = GaussianMixture(3, random_state=0).fit(planted).bic(planted)
    assert segmenter.n_segments_ == 3
    assert segmenter.selection_.loc[3, "bic"] == pytest.approx(expected, rel=1e-3)
    with pytest.raises(SegkitValueError, match="needs a clusterer with bic"):
        fitted(planted, selection="bic")


def test_functions_choose_by_the_most(planted):
    def fewest(features, labels):
        return -len(np.unique(labels))

    def davies_bouldin(features, labels):
        return float(len(np.unique(labels)))

    segmenter = fitted(planted, selection=[davies_bouldin, fewest], n_segments_range=(2, 5))
    assert segmenter.n_segments_ == 5
    assert segmenter.selection_["davies_bouldin_2"].tolist() == [2, 3, 4, 5]
    assert segmenter.selection_["fewest"].tolist() == [-2, -3, -4, -5]
    one, other = (lambda X, labels: 1.0), (lambda X, labels: -1.0 * len(np.unique(labels)))
    table = fitted(planted, selection=[one, other], n_segments_range=(2, 4)).selection_
    assert table["<lambda>"].tolist() == [1.0] * 3
    assert table["<lambda>_2"].tolist() == [-2.0, -3.0, -4.0]
    with pytest.raises(SegkitValueError, match="never a finite number"):
        fitted(planted, selection=lambda X, labels: np.nan)


@pytest.mark.parametrize("selection", ["elbow", [], ["auto", "elbow"]])
def test_criteria_that_there_are_not_are_refused(planted, selection):
    with pytest.raises(ValueError, match="selection"):
        fitted(planted, selection=selection)


def test_the_automatic_score_of_k_means_is_that_of_number_of_clusters(planted):
    frame = pd.DataFrame(planted, columns=["a", "b"])
    segmenter = ClusterSegmenter(random_state=0).fit(frame)
    assert segmenter.n_segments_ == number_of_clusters(planted, random_state=0).n_clusters == 3
    assert segmenter.selection_["auto"].idxmax() == 3
    assert segmenter.selection_["auto"].between(0, 1).all()


def test_the_automatic_score_of_others_weighs_their_own_criteria(planted):
    table = fitted(planted, clusterer=AgglomerativeClustering()).selection_
    shares = pd.DataFrame(
        {
            "silhouette": table["silhouette"],
            "calinski_harabasz": table["calinski_harabasz"],
            "marriott": -np.log(table["marriott"]),
        }
    )
    shares = (shares - shares.min()) / (shares.max() - shares.min())
    assert table["auto"].tolist() == pytest.approx((shares @ [0.5, 0.25, 0.25]).tolist())


def test_a_number_at_which_fewer_are_found_is_left_out():
    # Birch makes no more than one cluster of rows within its threshold.
    three = np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], 30, axis=0)
    X = three + 0.01 * np.random.default_rng(0).normal(size=(90, 2))
    segmenter = fitted(X, clusterer=Birch())
    assert segmenter.selection_.index.tolist() == [2, 3]
    assert segmenter.n_segments_ == 3


def test_structure_is_tested_where_the_number_was_not_given(planted):
    chosen = fitted(planted)
    expected = structure_test(planted, random_state=0)
    assert chosen.has_structure_ is True
    assert chosen.structure_test_.p_value == pytest.approx(expected.p_value, abs=1e-3)
    given = fitted(planted, n_segments=3)
    assert given.has_structure_ is given.structure_test_ is given.selection_ is None


def test_a_cloud_is_said_to_be_one():
    cloud = np.random.default_rng(0).normal(size=(400, 3))
    with pytest.warns(SegkitWarning, match="slices of one cloud") as raised:
        segmenter = fitted(cloud)
    assert segmenter.has_structure_ is False
    assert segmenter.n_segments_ >= 2
    assert segmenter.structure_test_.p_value > 0.01
    assert raised[0].filename == __file__


def test_a_table_is_looked_at_through_a_sample():
    rng = np.random.default_rng(0)
    X = 9 * rng.integers(4, size=30_000)[:, np.newaxis] + rng.normal(size=(30_000, 2))
    segmenter = fitted(X)
    assert segmenter.n_segments_ == 4
    assert segmenter.selection_.loc[4, "silhouette"] == pytest.approx(
        silhouette_score(X, segmenter.labels_, sample_size=3_000, random_state=0), abs=0.02
    )


def test_the_sample_is_as_large_as_asked_for(planted):
    seen = []

    def size(features, labels):
        seen.append(len(features))
        return -float(len(np.unique(labels)))

    fitted(planted, selection=size, selection_sample=100)
    assert max(seen) == 100


def test_progress_is_shown_and_changes_nothing(planted, capsys):
    options = {"selection": ["stability", "silhouette"], "n_segments_range": (2, 3)}
    silent = fitted(planted, **options)
    assert capsys.readouterr() == ("", "")
    shown = fitted(planted, verbose=1, **options)
    told = capsys.readouterr().err
    assert "segments" in told
    assert "jaccard" in told
    pd.testing.assert_frame_equal(shown.selection_, silent.selection_)
