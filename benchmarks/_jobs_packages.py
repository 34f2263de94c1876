"""Customer tables and a model of other packages, each called as its documentation says."""

import pandas as pd

from ._data import AS_OF
from ._job import Job


def openretailscience(log: str) -> Job:
    """``RFMSegmentation`` into quintiles.

    It counts distinct transaction ids: the day is given as the id, so that it counts days.
    """
    from openretailscience.segmentation.rfm import RFMSegmentation

    transactions = pd.read_parquet(log).rename(
        columns={"timestamp": "transaction_date", "amount": "unit_spend"}
    )
    days = transactions["transaction_date"].to_numpy().astype("datetime64[D]")
    transactions["transaction_id"] = days.astype("int32")
    quintiles = {"r_segments": 5, "f_segments": 5, "m_segments": 5}

    def sums(customers):
        names = ("recency_days", "frequency", "monetary")
        return {"rows": len(customers), **{name: float(customers[name].sum()) for name in names}}

    return Job(
        lambda: RFMSegmentation(transactions, current_date=AS_OF, **quintiles).df,
        sums,
    )


def lifetimes(log: str) -> Job:
    """``summary_data_from_transaction_data``, the first order day counted."""
    from lifetimes.utils import summary_data_from_transaction_data

    transactions = pd.read_parquet(log)
    return Job(
        lambda: summary_data_from_transaction_data(
            transactions,
            "customer_id",
            "timestamp",
            "amount",
            observation_period_end=AS_OF,
            include_first_transaction=True,
        ),
        lambda customers: _clv_sums(customers, tenure="T"),
    )


def pymc_marketing(log: str, sort_transactions: bool = True) -> Job:
    """``rfm_summary``, the first order day counted."""
    from pymc_marketing.clv.utils import rfm_summary

    transactions = pd.read_parquet(log)
    return Job(
        lambda: rfm_summary(
            transactions,
            "customer_id",
            "timestamp",
            "amount",
            observation_period_end=AS_OF,
            include_first_transaction=True,
            sort_transactions=sort_transactions,
        ),
        lambda customers: _clv_sums(customers, recency_days="recency"),
    )


def pymc_marketing_bg_nbd(customers: str) -> Job:
    """``BetaGeoModel`` in weeks, fitted to the mode of the posterior, without sampling."""
    from pymc_marketing.clv import BetaGeoModel

    frame = pd.read_parquet(customers)
    histories = pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "frequency": frame["order_days"] - 1,
            "recency": (frame["tenure_days"] - frame["recency_days"]) / 7,
            "T": frame["tenure_days"] / 7,
        }
    )

    def run():
        model = BetaGeoModel(data=histories)
        model.fit(method="map", progressbar=False)
        return model

    return Job(run)


def _clv_sums(customers: pd.DataFrame, **columns: str) -> dict[str, float]:
    """Return the sums of what means the same: their money is the mean of the order days."""
    return {
        "rows": len(customers),
        "frequency": float(customers["frequency"].sum()),
        "monetary": float((customers["frequency"] * customers["monetary_value"]).sum()),
        **{ours: float(customers[theirs].sum()) for ours, theirs in columns.items()},
    }
