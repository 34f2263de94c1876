"""The examples on the pages import the modules that the pages show, and draw without a screen.

Files that they write go to a folder of their own.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("agg")
sys.path.insert(0, str(Path(__file__).parent / "developers"))

# What is built, and modules that are no examples.
collect_ignore_glob = ["_build", "api", "gallery", "*.py"]


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path, monkeypatch):
    """Let each page begin in an empty folder."""
    monkeypatch.chdir(tmp_path)
