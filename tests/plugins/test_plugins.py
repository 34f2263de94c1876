"""Segmenters announced by distributions that are really built and installed."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import segkit
from segkit import load
from segkit.exceptions import PluginError, SegmenterFileError
from segkit.plugins import _registry, available, get
from segkit.testing import check_segmenter
from segkit.typing import Segmenter

BUILT_IN = {name for name in segkit.__all__ if name.endswith(("Segmenter", "Scorer", "Stager"))}
BUILT_IN.add("ValueTierer")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder in which the sample distribution is installed."""
    folder = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "sample_plugin"
    shutil.copytree(Path(__file__).parent / "sample_plugin", source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", folder]
    subprocess.run([*pip, *options, source], check=True, capture_output=True, text=True)
    return folder


def run(code, folder):
    """Run code in a process that has the sample distribution, and return what it prints as JSON."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_segkit_announces_its_own_segmenters():
    own = available().query("distribution == 'customer-segkit'")
    assert set(own["name"]) == BUILT_IN
    assert set(own["version"]) == {segkit.__version__}
    for name in BUILT_IN:
        assert get(name) is getattr(segkit, name)


def test_a_distribution_is_found_and_nothing_imported_until_asked_for(installed):
    code = """
import json, sys
from segkit.plugins import available, get
found = available().query("name == 'SpendSegmenter'").to_dict("records")
before = "sample_segmenters" in sys.modules
segmenter = get("SpendSegmenter")().fit([[1.0], [5.0], [3.0]])
names = segmenter.predict_segments([[9.0], [2.0]]).tolist()
print(json.dumps([found, before, "sample_segmenters" in sys.modules, names]))
"""
    found, before, after, names = run(code, installed)
    assert found == [
        {
            "name": "SpendSegmenter",
            "distribution": "sample-segmenters",
            "version": "2.1",
            "value": "sample_segmenters:SpendSegmenter",
        }
    ]
    assert (before, after, names) == (False, True, ["above", "below"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Broken", "ModuleNotFoundError: No module named 'a_module_that_is_not_installed'"),
        ("Absent", "has no attribute 'NoSuchName'"),
        ("NotASegmenter", "is no class of segmenters"),
        ("Unfinished", "It lacks predict, predict_segments, predict_one, assign, describe"),
        ("SpendSegmentr", "Did you mean 'SpendSegmenter'?"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_its_distribution(installed, name, said):
    code = f"""
import json
from segkit import load
from segkit.exceptions import PluginError, SegmenterFileError
from segkit.plugins import get
try:
    get({name!r})
except PluginError as error:
    print(json.dumps(str(error)))
"""
    message = run(code, installed)
    assert said in message
    if name != "SpendSegmentr":
        assert "sample-segmenters 2.1" in message


def test_the_sample_keeps_the_contract(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    check_segmenter(get("SpendSegmenter")())


def test_a_name_that_two_distributions_announce_raises_and_names_both(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    other = EntryPoint("SpendSegmenter", "elsewhere:SpendSegmenter", _registry.GROUP)
    points = [*_registry.entry_points(group=_registry.GROUP), other]
    monkeypatch.setattr(_registry, "entry_points", lambda group: points)
    with pytest.raises(PluginError, match=r"sample-segmenters 2\.1 and unknown"):
        get("SpendSegmenter")
    assert (available()["name"] == "SpendSegmenter").sum() == 2


def test_a_distribution_that_is_found_twice_counts_once(monkeypatch):
    points = [*_registry.entry_points(group=_registry.GROUP)] * 2
    monkeypatch.setattr(_registry, "entry_points", lambda group: points)
    assert get("RFMScorer") is segkit.RFMScorer


def test_importing_segkit_loads_no_plugins():
    code = "import json, sys, segkit; print(json.dumps('segkit.plugins' in sys.modules))"
    assert run(code, "") is False


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_segmenter_is_one_by_the_protocol(name):
    cls = getattr(segkit, name)
    assert isinstance(cls([]) if name == "CrossSegmenter" else cls(), Segmenter)
    assert not isinstance(object(), Segmenter)


def test_a_saved_segmenter_of_an_installed_distribution_is_loaded_without_its_class(
    installed, tmp_path
):
    path = str(tmp_path / "spend.json")
    code = f"""
import json, sys
from segkit import load
if sys.argv[1:] == ["save"]:
    from sample_segmenters import SpendSegmenter
    SpendSegmenter().fit([[1.0], [5.0], [3.0]]).save({path!r})
before = "sample_segmenters" in sys.modules
print(json.dumps([before, load({path!r}).predict_segments([[9.0], [2.0]]).tolist()]))
"""
    assert run(f"import sys; sys.argv.append('save'){code}", installed)[1] == ["above", "below"]
    assert run(code, installed) == [False, ["above", "below"]]
    with pytest.raises(SegmenterFileError, match=r"SpendSegmenter', which is unknown"):
        load(path)


@pytest.mark.parametrize("name", [None, 5, ["RFMScorer"]], ids=repr)
def test_a_name_is_text(name):
    with pytest.raises(PluginError, match="get takes the name of a segmenter"):
        get(name)
