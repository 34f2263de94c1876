"""A progress bar of work on resamples and references."""

import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from segkit._progress import progress
from segkit.exceptions import SegkitTypeError
from segkit.metrics import bootstrap_jaccard, gap_statistic, prediction_strength


class Bar:
    """What tqdm is asked for, and how far it got."""

    def __init__(self, iterable, *, total, desc):
        self.iterable, self.total, self.desc = iterable, total, desc
        self.seen = 0
        BARS.append(self)

    def __iter__(self):
        for one in self.iterable:
            self.seen += 1
            yield one


BARS: list[Bar] = []


@pytest.fixture
def bars(monkeypatch):
    """Bars of a tqdm that is installed, the first one first."""
    BARS.clear()
    package, module = ModuleType("tqdm"), ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", package)
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return BARS


@pytest.fixture
def without_tqdm(monkeypatch):
    """A tqdm that is not installed."""
    monkeypatch.delitem(sys.modules, "tqdm.auto", raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", None)


def test_items_pass_through_a_bar(bars):
    shown = progress(iter("abc"), total=3, description="letters", is_shown=True)
    assert list(shown) == ["a", "b", "c"]
    assert [(bar.desc, bar.total, bar.seen) for bar in bars] == [("letters", 3, 3)]


def test_no_bar_unless_asked_for(bars, capsys):
    assert list(progress("abc", total=3, description="letters", is_shown=False)) == ["a", "b", "c"]
    assert not bars
    assert capsys.readouterr() == ("", "")


def test_without_tqdm_one_line_says_so_and_items_pass(without_tqdm, capsys):
    assert list(progress("abc", total=3, description="letters", is_shown=True)) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert not out
    assert len(err.splitlines()) == 1
    assert err.startswith("letters: ")
    assert "customer-segkit[progress]" in err


X, LABELS = make_blobs(120, centers=3, random_state=0)
CALLS = {
    "gap_statistic": lambda **options: gap_statistic(
        X, n_clusters=[1, 2], n_references=4, random_state=0, **options
    ),
    "prediction_strength": lambda **options: prediction_strength(
        X, n_clusters=[2, 3], n_splits=5, random_state=0, **options
    ),
    "bootstrap_jaccard": lambda **options: bootstrap_jaccard(
        X, LABELS, n_bootstraps=6, random_state=0, **options
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_work_is_shown_to_its_end_and_comes_to_the_same(bars, name, n_jobs):
    expected = CALLS[name]()
    assert not bars
    pd.testing.assert_frame_equal(CALLS[name](verbose=True, n_jobs=n_jobs), expected)
    assert [bar.desc for bar in bars] == [name]
    assert bars[0].seen == bars[0].total > 0


def test_resamples_of_any_clusterer_are_shown(bars):
    options = {"clusterer": GaussianMixture(3), "n_bootstraps": 4, "random_state": 0}
    expected = bootstrap_jaccard(X, LABELS, **options)
    pd.testing.assert_frame_equal(bootstrap_jaccard(X, LABELS, verbose=1, **options), expected)
    assert [(bar.desc, bar.total, bar.seen) for bar in bars] == [("bootstrap_jaccard", 4, 4)]


@pytest.mark.parametrize("name", CALLS)
def test_one_line_says_that_nothing_can_be_shown(without_tqdm, capsys, name):
    expected = CALLS[name]()
    pd.testing.assert_frame_equal(CALLS[name](verbose=2), expected)
    out, err = capsys.readouterr()
    assert not out
    assert len(err.splitlines()) == 1
    assert err.startswith(f"{name}: ")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("verbose", [0, False, np.int64(0)])
def test_nought_is_silent(bars, capsys, name, verbose):
    CALLS[name](verbose=verbose)
    assert not bars
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", CALLS)
def test_verbose_is_no_word(name):
    with pytest.raises(SegkitTypeError, match=f"{name}: verbose must be"):
        CALLS[name](verbose="yes")
