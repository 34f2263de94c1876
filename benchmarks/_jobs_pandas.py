"""Customer tables and scores in plain pandas and numpy, as those who know them write it.

Of the ways to count distinct days (``nunique``, ``drop_duplicates``, a group-by of days per
customer, sorting and comparing neighbours, packing customer and day into one number), ``nunique``
was the fastest.
"""

import numpy as np
import pandas as pd

from ._data import AS_OF
from ._job import SCORE_COLUMNS, SHARES, TABLE_COLUMNS, Job, column_sums

_RFM = ("recency_days", "frequency", "monetary")


def log_to_scores(log: str) -> Job:
    """From a pandas log to the customer table with scores."""
    transactions = pd.read_parquet(log)

    def run():
        customers = customer_table(transactions)
        for name, scored in zip(_RFM, SCORE_COLUMNS, strict=True):
            customers[scored] = _quantile_scores(customers[name], reverse=name == _RFM[0])
        return customers

    return Job(run, lambda scored: column_sums(scored, (*TABLE_COLUMNS, *SCORE_COLUMNS)))


def customer_table(log: pd.DataFrame) -> pd.DataFrame:
    """Return the customers with at least one order."""
    ordered = log["timestamp"].where(log["amount"] >= 0)
    rows = log.assign(ordered=ordered, day=ordered.dt.normalize())
    found = rows.groupby("customer_id").agg(
        first_order=("ordered", "min"),
        last_order=("ordered", "max"),
        order_days=("day", "nunique"),
        monetary=("amount", "sum"),
    )
    found = found[found["order_days"] > 0]
    as_of = pd.Timestamp(AS_OF)
    first, last = found["first_order"].dt.normalize(), found["last_order"].dt.normalize()
    order_days, monetary = found["order_days"], found["monetary"].round(6)
    return pd.DataFrame(
        {
            "recency_days": (as_of - last).dt.days,
            "frequency": order_days,
            "order_days": order_days,
            "monetary": monetary,
            "tenure_days": (as_of - first).dt.days,
            "mean_order_value": monetary / order_days,
            "mean_gap_days": ((last - first).dt.days / (order_days - 1)).where(order_days > 1),
            "first_order": found["first_order"],
            "last_order": found["last_order"],
        }
    ).reset_index()


def rank_and_qcut(customers: str) -> Job:
    """Score a customer table by ``rank(method="first")`` and ``pd.qcut``."""
    frame = pd.read_parquet(customers)

    def run():
        places = {name: pd.qcut(frame[name].rank(method="first"), 5, labels=False) for name in _RFM}
        return pd.DataFrame(places)

    return Job(run, lambda scores: {"rows": len(scores)})


def quantile_and_searchsorted(customers: str) -> Job:
    """Score a customer table by ``np.quantile`` and ``np.searchsorted``."""
    frame = pd.read_parquet(customers)

    def run():
        return {
            scored: _quantile_scores(frame[name], reverse=name == _RFM[0])
            for name, scored in zip(_RFM, SCORE_COLUMNS, strict=True)
        }

    def sums(scores):
        totals = {name: float(values.sum()) for name, values in scores.items()}
        return {"rows": len(scores["r_score"]), **totals}

    return Job(run, sums)


def read_column(customers: str) -> Job:
    """Read one column of floats."""
    column = pd.read_parquet(customers)["monetary"].to_numpy()
    return Job(column.sum)


def _quantile_scores(values: pd.Series, *, reverse: bool) -> np.ndarray:
    values = values.to_numpy()
    above = np.searchsorted(np.quantile(values, SHARES), values, side="left")
    return 5 - above if reverse else 1 + above
