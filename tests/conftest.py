"""Fixtures that every test can use: kinds of frame, real data, hypothesis profiles."""

import os
from pathlib import Path

import hypothesis
import matplotlib as mpl
import pytest

from frames import KINDS, LAZY_KINDS
from segkit.datasets import load_cdnow, load_online_retail

mpl.use("agg")

# Engines start slowly, so a deadline per example would only measure that.
hypothesis.settings.register_profile("dev", max_examples=15, deadline=None)
hypothesis.settings.register_profile(
    "ci",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    """Every kind of frame, eager and lazy."""
    return request.param


@pytest.fixture(scope="module", params=[kind for kind in KINDS if kind not in LAZY_KINDS])
def eager_kind(request):
    """Every eager kind of frame."""
    return request.param


@pytest.fixture(scope="module", params=LAZY_KINDS)
def lazy_kind(request):
    """Every lazy kind of frame."""
    return request.param


@pytest.fixture(scope="session")
def data_folder():
    """The folder of the public data files."""
    folder = os.environ.get("SEGKIT_DATA")
    if not folder:
        pytest.skip("SEGKIT_DATA is not set, so the public data files are not there")
    return Path(folder)


@pytest.fixture(scope="session")
def online_retail(data_folder):
    """The log of Online Retail."""
    return load_online_retail(data_folder / "online_retail.csv.gz")


@pytest.fixture(scope="session")
def cdnow(data_folder):
    """The log of CDNOW."""
    return load_cdnow(data_folder / "CDNOW_master.txt")
