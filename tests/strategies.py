"""Hypothesis strategies: transaction logs and customer tables."""

import datetime as dt

import hypothesis.strategies as st
import pandas as pd

_MINUTES = 120 * 24 * 60
_START = dt.datetime(2023, 12, 1)


@st.composite
def logs(draw, ids=("int",), max_rows=40):
    """Draw logs with ties, returns, zero amounts, same-day orders and orders of several rows."""
    n_rows = draw(st.integers(1, max_rows))

    def column(strategy):
        return draw(st.lists(strategy, min_size=n_rows, max_size=n_rows))

    numbers = column(st.integers(0, 6))
    minutes = column(st.integers(0, _MINUTES) | st.sampled_from([0, 1439, 1440, 44_640]))
    cents = column(st.integers(-5_000, 20_000) | st.sampled_from([0, 999, 1999, -999, -1999]))
    as_id = {
        "int": lambda number: number + 10**12,
        "str": lambda number: f"c{number:02d}",
    }[draw(st.sampled_from(ids))]
    return pd.DataFrame(
        {
            "customer_id": [as_id(number) for number in numbers],
            "timestamp": pd.Series(
                [_START + dt.timedelta(minutes=minute) for minute in minutes],
                dtype="datetime64[us]",
            ),
            "amount": [cent / 100 for cent in cents],
            "order_id": column(st.integers(1, 9)),
        }
    )


def with_an_order(log: pd.DataFrame) -> bool:
    """Tell whether a log has an order, without which there is no customer."""
    return bool((log["amount"] >= 0).any())


@st.composite
def customer_tables(draw, min_rows=1, max_rows=40):
    """Draw customer tables with many ties."""
    n_rows = draw(st.integers(min_rows, max_rows))

    def column(strategy):
        return draw(st.lists(strategy, min_size=n_rows, max_size=n_rows))

    return pd.DataFrame(
        {
            "recency_days": column(st.integers(0, 400) | st.sampled_from([1, 30])),
            "frequency": column(st.integers(1, 4) | st.integers(1, 50)),
            "monetary": column(
                st.integers(-1_000, 500_000).map(lambda cents: cents / 100)
                | st.sampled_from([0.0, 9.99, 19.99])
            ),
        }
    )


@st.composite
def journeys(draw, max_rows=30):
    """Draw customer tables for lifecycle stages: with prospects, one-time buyers and last gaps."""
    rows = []
    for _ in range(draw(st.integers(1, max_rows))):
        if draw(st.integers(0, 9)) == 0:
            rows.append((None, draw(st.sampled_from([0, None])), None, None))
            continue
        recency = draw(st.integers(0, 400))
        gaps = draw(st.lists(st.integers(1, 200), max_size=8))
        last_gap = gaps[-1] if gaps else None
        rows.append((recency, len(gaps) + 1, recency + sum(gaps), last_gap))
    names = ["recency_days", "order_days", "tenure_days", "last_gap_days"]
    return pd.DataFrame(rows, columns=names).astype(float)
