"""Files of every format version go on being read: they tell customers as on the day of saving.

How the files and what is expected of them were made stands beside them, in ``golden/``.
"""

from pathlib import Path

import pandas as pd
import pytest

import segkit
from segkit._storage._document import FORMAT_VERSION
from segkit.plugins import available

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("v*/*.json"))


def table(file, name):
    """Return one of the tables beside a golden file."""
    return pd.read_csv(file.parent / name, keep_default_na=True)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_golden_file_tells_customers_as_expected(file):
    customers, expected = table(file, "customers.csv"), table(file, "expected.csv")[file.stem]
    segmenter = segkit.load(file)
    assert list(segmenter.predict_segments(customers)) == list(expected)
    assert list(segmenter.assign(customers, name="told")["told"].astype(str)) == list(expected)
    rows = customers.to_dict("records")
    assert [segmenter.predict_one(row) for row in rows] == list(expected)
    assert list(segmenter.describe()["segment"]) == list(segmenter.segments_)


def test_every_version_has_golden_files_of_every_segmenter():
    own = set(available().query("distribution == 'customer-segkit'")["name"])
    for version in range(1, FORMAT_VERSION + 1):
        files = (GOLDEN / f"v{version}").glob("*.json")
        assert {type(segkit.load(file)).__name__ for file in files} == own


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_golden_file_is_saved_in_the_newest_format_and_read_again(file, tmp_path):
    segmenter = segkit.load(file)
    segmenter.save(tmp_path / "new.json")
    customers = table(file, "customers.csv")
    again = segkit.load(tmp_path / "new.json").predict(customers)
    assert list(again) == list(segmenter.predict(customers))
