"""Rules and crossings on Hillstrom's e-mail test, whose file has bands of its own."""

from itertools import pairwise

import duckdb
import pandas as pd
import polars as pl
import pytest

from frames import columns_of
from segkit import CrossSegmenter, RuleSegmenter, ValueTierer

pytestmark = pytest.mark.realdata

BOUNDS = [0, 100, 200, 350, 500, 750, 1_000, None]


@pytest.fixture(scope="module")
def path(data_folder):
    return data_folder / "hillstrom.csv"


@pytest.fixture(scope="module")
def customers(path):
    return pd.read_csv(path)


def test_bands_of_history_are_the_segments_that_the_file_has(path, customers):
    # The column history_segment: "1) $0 - $100", ..., "7) $1,000 +".
    names = sorted(customers["history_segment"].unique())
    bands = dict(zip(names, pairwise(BOUNDS), strict=True))
    segmenter = RuleSegmenter.from_base("company_revenue", column="history", bands=bands)
    segmenter.set_params(first_match=False)
    lazy = (pl.scan_csv(path, infer_schema_length=None), duckdb.read_csv(str(path)))
    for frame in (customers, pl.from_pandas(customers), *lazy):
        described = segmenter.fit(frame).describe()
        expected = customers["history_segment"].value_counts().sort_index()
        assert described["customers"].tolist() == [*expected, 0]
    assigned = segmenter.assign(customers)
    assert (assigned["rule_segment"].astype(str) == assigned["history_segment"]).all()


def test_areas_and_channels_are_counted_as_by_hand(path, customers):
    area = RuleSegmenter.from_base("settlement", column="zip_code").fit(customers)
    # Counted with the shell: cut -d, -f6 hillstrom.csv | sort | uniq -c.
    assert area.describe().set_index("segment")["customers"].to_dict() == {
        "Urban": 25_661,
        "Suburban": 28_776,
        "Rural": 9_563,
        "Unknown": 0,
    }
    web = [{"name": "Web", "when": {"column": "channel", "equals": "Web"}}]
    crossed = CrossSegmenter([area, RuleSegmenter(web)]).fit(customers)
    expected = pd.crosstab(
        customers["zip_code"].str.replace("Surburban", "Suburban"),
        (customers["channel"] == "Web").map({True: "Web", False: "Other"}),
    )
    for one, other, count in crossed.cells_.iloc[:, :3].itertuples(index=False):
        assert expected.loc[one, other] == count
    assert len(crossed.cells_) == 6
    found = pd.Series(
        columns_of(crossed.assign(pl.scan_csv(path, infer_schema_length=None)))["cross_segment"]
    )
    assert found.tolist() == crossed.predict_segments(customers).tolist()


def test_a_crossing_of_three_is_merged_within_value_and_channel(customers):
    channel = RuleSegmenter(
        [
            {"name": name, "when": {"column": "channel", "equals": name}}
            for name in ("Multichannel", "Web", "Phone")
        ],
        default=None,
    )
    area = RuleSegmenter.from_base("settlement", column="zip_code")
    tiers = ValueTierer(column="history", method="quantile")
    with pytest.warns(match="max_segments=12"):
        crossed = CrossSegmenter([tiers, channel, area]).fit(customers)
    assert len(crossed.segments_) == 12
    assert crossed.describe()["customers"].sum() == 64_000
    cells = crossed.cells_
    for column in ("valuetierer", "rulesegmenter-1"):
        expected = (
            cells[column]
            == cells["segment"]
            .str.split(" × ")
            .str[["valuetierer", "rulesegmenter-1"].index(column)]
        )
        assert expected.all()
