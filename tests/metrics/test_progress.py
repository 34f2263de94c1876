"""A progress bar of work on resamples and references."""

import sys
from types import ModuleType

import pytest

from segkit._progress import progress


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
