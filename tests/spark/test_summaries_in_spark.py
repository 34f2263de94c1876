"""summarize_transactions inside Spark: the table of pandas."""


import pytest

from frames import rows_of
from segkit import summarize_transactions
from segkit.datasets import make_transactions

pytestmark = pytest.mark.spark

EXTRAS = ("returns", "clv", "last_gap")
MONEY = ("monetary", "mean_order_value", "return_amount", "first_day_amount")


def assert_same_table(found, expected, *, by="customer_id"):
    """Counts, days and timestamps are the same; money is to the cent."""
    found, expected = rows_of(found, by), rows_of(expected, by)
    assert len(found) == len(expected)
    assert [*found[0]] == [*expected[0]]
    for one, other in zip(found, expected, strict=True):
        for name, value in other.items():
            if name in MONEY and value is not None:
                assert one[name] == pytest.approx(value, abs=0.005)
            else:
                assert one[name] == value, name


@pytest.mark.parametrize(
    "order", [{"order_id": "order_id"}, {"order_per": "day"}, {"order_per": "row"}]
)
@pytest.mark.parametrize("returns", ["net", "exclude"])
def test_a_log_with_returns_gives_the_table_of_pandas(in_spark, order, returns):
    log = make_transactions(300, return_rate=0.2, random_state=0)
    options = {**order, "returns": returns, "as_of": "2025-10-31", "extras": EXTRAS}
    found = summarize_transactions(in_spark(log), **options)
    assert_same_table(found, summarize_transactions(log, **options))


@pytest.mark.realdata
@pytest.mark.parametrize("returns", ["net", "exclude"])
def test_online_retail_gives_the_table_of_pandas(in_spark, online_retail, returns):
    options = {"order_id": "order_id", "as_of": "2011-12-10", "missing": "drop", "extras": EXTRAS}
    found = summarize_transactions(in_spark(online_retail), returns=returns, **options)
    assert_same_table(found, summarize_transactions(online_retail, returns=returns, **options))


@pytest.mark.realdata
def test_cdnow_gives_the_table_of_pandas(in_spark, cdnow):
    options = {"as_of": "1998-07-01", "extras": EXTRAS}
    found = summarize_transactions(in_spark(cdnow), **options)
    assert_same_table(found, summarize_transactions(cdnow, **options))
