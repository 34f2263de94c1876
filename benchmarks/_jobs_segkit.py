"""What segkit does in each case."""

import pandas as pd
from sklearn.utils.validation import validate_data

from segkit import RFMScorer, summarize_transactions

from . import _native_logs
from ._data import AS_OF
from ._job import SCORE_COLUMNS, Job, column_sums

_RFM = ["recency_days", "frequency", "monetary"]


def log_to_scores(log: str) -> Job:
    """From a pandas log to the customer table and its scores."""
    transactions = pd.read_parquet(log)

    def run():
        customers = summarize_transactions(transactions, as_of=AS_OF)
        return customers, RFMScorer().fit_transform(customers)

    def sums(result):
        customers, scores = result
        return {**column_sums(customers), **_score_sums(scores)}

    return Job(run, sums)


def log_to_table(log: str, kind: str) -> Job:
    """From a polars, DuckDB or pyarrow log to the customer table, executed where it is lazy."""
    native = _native_logs.load(log, kind)
    return Job(
        lambda: _native_logs.executed(summarize_transactions(native, as_of=AS_OF)),
        lambda customers: column_sums(customers.to_pandas()),
    )


def fit_transform(customers: str) -> Job:
    """Learn the quintiles of a customer table and score it."""
    frame = pd.read_parquet(customers)
    return Job(lambda: RFMScorer().fit_transform(frame), _score_sums)


def predict(customers: str) -> Job:
    """From a customer table to segment codes."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    return Job(lambda: scorer.predict(frame), _code_sums)


def predict_and_name(customers: str) -> Job:
    """From a customer table to segment codes and their names as a categorical."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    names = list(scorer.segments_)
    return Job(
        lambda: pd.Categorical.from_codes(scorer.predict(frame), names, ordered=True),
        lambda labels: _code_sums(labels.codes),
    )


def assign(customers: str) -> Job:
    """From a customer table to the table with scores, cell and segment."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    return Job(
        lambda: scorer.assign(frame),
        lambda assigned: _code_sums(assigned["rfm_segment"].cat.codes.to_numpy()),
    )


def predict_one(customers: str) -> Job:
    """From one customer's values to the name of the segment."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    row = frame[_RFM].iloc[0].to_dict()
    return Job(lambda: scorer.predict_one(row), loops=10_000)


def predict_row(customers: str) -> Job:
    """From an array of one row to a code."""
    scorer, row = _scorer_and_row(customers)
    return Job(lambda: scorer.predict(row), loops=500)


def validate_row(customers: str) -> Job:
    """scikit-learn's own check of an array of one row."""
    scorer, row = _scorer_and_row(customers)
    return Job(lambda: validate_data(scorer, row, reset=False), loops=500)


def predict_frame(customers: str) -> Job:
    """From a pandas frame of one row to a code."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    row = frame.iloc[[0]]
    return Job(lambda: scorer.predict(row), loops=100)


def assign_frame(customers: str) -> Job:
    """From a pandas frame of one row to the frame with scores, cell and segment."""
    frame = pd.read_parquet(customers)
    scorer = RFMScorer().fit(frame)
    row = frame.iloc[[0]]
    return Job(lambda: scorer.assign(row), loops=20)


def _scorer_and_row(customers):
    values = pd.read_parquet(customers)[_RFM].to_numpy(dtype=float)
    return RFMScorer().fit(values), values[:1].copy()


def _score_sums(scores):
    totals = scores.sum(axis=0)
    return {"rows": len(scores), **dict(zip(SCORE_COLUMNS, map(float, totals), strict=True))}


def _code_sums(codes):
    return {"rows": len(codes), "codes": float(codes.sum(dtype="int64"))}
