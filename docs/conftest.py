"""The examples on the pages import the modules that the pages show, and draw without a screen."""

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
sys.path.insert(0, str(Path(__file__).parent / "developers"))
