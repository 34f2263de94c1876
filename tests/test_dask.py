"""Dask frames, where dask is installed: the tables and segments of pandas."""

import numpy as np
import pandas as pd
import pytest

from engine_segmenters import fitted
from segkit import summarize_transactions
from segkit.datasets import make_transactions

dask = pytest.importorskip("dask.dataframe", reason="dask is not installed")

# narwhals says that its support of dask moves to a package of its own.
pytestmark = pytest.mark.filterwarnings("ignore:Dask support is moving out:FutureWarning")

AS_OF = {"as_of": "2025-12-31"}


@pytest.fixture(scope="module")
def log():
    return make_transactions(200, return_rate=0.1, random_state=5)


def computed(frame, by="customer_id"):
    return frame.compute().sort_values(by).reset_index(drop=True)


@pytest.mark.parametrize("extras", [(), ("returns", "clv", "last_gap")])
@pytest.mark.parametrize("order", [{"order_id": "order_id"}, {"order_per": "row"}, {}])
def test_a_log_with_returns_gives_the_table_of_pandas(log, order, extras):
    options = {**AS_OF, **order, "extras": extras}
    lazy = summarize_transactions(dask.from_pandas(log, npartitions=3), **options)
    expected = summarize_transactions(log, **options)
    pd.testing.assert_frame_equal(computed(lazy), expected, check_dtype=False, atol=0.005)


def test_rows_that_lack_something_are_dropped_or_make_their_customer_unknown(log):
    gaps = log.astype({"customer_id": float})
    gaps.loc[0, "customer_id"], gaps.loc[5, "timestamp"], gaps.loc[9, "amount"] = (
        np.nan,
        None,
        np.nan,
    )
    lazy = dask.from_pandas(gaps, npartitions=3)
    dropped = computed(summarize_transactions(lazy, missing="drop", **AS_OF))
    expected = summarize_transactions(gaps, missing="drop", **AS_OF)
    pd.testing.assert_frame_equal(dropped, expected, check_dtype=False, atol=0.005)
    found = computed(summarize_transactions(lazy, **AS_OF)).set_index("customer_id")
    unknown = gaps.loc[[5, 9], "customer_id"]
    assert found.loc[unknown, "monetary"].isna().all()
    assert found.drop(index=unknown).dropna(how="all")["monetary"].notna().all()


def test_segments_are_those_of_pandas(log):
    customers = summarize_transactions(log, extras="returns", **AS_OF)
    lazy = dask.from_pandas(customers, npartitions=2)
    for name, segmenter in fitted(customers).items():
        assigned, expected = segmenter.assign(lazy), segmenter.assign(customers)
        assert type(assigned) is type(lazy)
        label = segmenter._label_column
        assert computed(assigned)[label].tolist() == expected[label].astype(str).tolist(), name
        assert [*assigned.columns] == [*expected.columns]
