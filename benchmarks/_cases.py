"""What is measured: the cases, who takes part in each, and what segkit must reach.

The targets are stated for 10,000,000 rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import (
    _cases_cluster,
    _cases_clv,
    _cases_ledger,
    _cases_metrics,
    _cases_profiles,
    _cases_service,
    _cases_stages,
    _cases_validation,
    _data,
    _data_buyers,
    _data_mixed,
)
from ._case import SLOW_REPEATS, Case, Contestant
from ._data import ROWS_PER_CUSTOMER
from ._targets import (
    Target,
    at_most,
    faster,
    memory_at_most,
    nanoseconds_a_customer,
    seconds_above,
    seconds_at_most,
)

GROWTH = 5

_DENSE = {"log": "dense"}


def write_data(name: str, path: Path, n_rows: int) -> None:
    """Write the data of a name that contestants use."""
    if name == "customers":
        _data.write_customers(path, n_rows)
    elif name == "few_customers":
        _data.write_customers(path, min(n_rows, 100_000))
    elif name in (buyers := _buyers(n_rows)):
        _data_buyers.write_buyers(path, **buyers[name])
    elif name in (mixed := _cases_cluster.mixed_customers(n_rows)):
        _data_mixed.write_mixed(path, **mixed[name])
    else:
        _data.write_log(path, **_logs(n_rows)[name])


def _buyers(n_rows: int) -> dict[str, dict[str, Any]]:
    return {
        **_cases_clv.buyers(n_rows),
        **_cases_stages.buyers(n_rows),
        **_cases_service.buyers(n_rows),
    }


def _logs(n_rows: int) -> dict[str, dict[str, Any]]:
    return {
        "dense": {"n_rows": n_rows},
        "returns": {"n_rows": n_rows, "returns": True},
        "sparse": {"n_rows": n_rows, "ids": "sparse"},
        "sparse_shuffled": {"n_rows": n_rows, "ids": "sparse", "shuffled": True},
        "text": {"n_rows": n_rows, "ids": "text"},
        "dense_more_rows": {
            "n_rows": GROWTH * n_rows,
            "n_customers": max(n_rows // ROWS_PER_CUSTOMER, 1),
        },
        "dense_more_customers": {"n_rows": GROWTH * n_rows},
        **_cases_ledger.logs(n_rows),
    }


def all_cases(n_rows: int) -> list[Case]:
    """Return every case, for logs or customer tables of so many rows."""
    return [
        _dense_ids(),
        _pandas_log("returns", "dense integer ids, time-ordered, 3 % returns", "returns"),
        _pandas_log(
            "sparse-ids",
            "sparse integer ids, time-ordered",
            "sparse",
            [faster("polars", 1.5), faster("openretailscience", 4), faster("pandas", 3.5)],
        ),
        _pandas_log(
            "sparse-ids-shuffled",
            "sparse integer ids, rows in random order",
            "sparse_shuffled",
            [faster("polars", 1.5), faster("openretailscience", 4), faster("pandas", 3.5)],
        ),
        _pandas_log(
            "text-ids",
            'ids of text like "C00012345", time-ordered',
            "text",
            [faster("polars", 1.2), faster("pandas", 2.5)],
        ),
        _native_log(
            "polars",
            "Polars frame",
            Contestant("by hand", "_jobs_polars.log_to_table", _DENSE, {"kind": "polars"}),
            "both sort by customer",
        ),
        _native_log(
            "polars_lazy",
            "Lazy polars frame",
            Contestant("by hand", "_jobs_polars.log_to_table", _DENSE, {"kind": "polars_lazy"}),
            "neither sorts; both are collected",
        ),
        _native_log(
            "duckdb",
            "DuckDB relation",
            Contestant("by hand", "_jobs_duckdb.log_to_table", _DENSE),
            "neither sorts; both are fetched as Arrow",
        ),
        _native_log(
            "pyarrow",
            "Pyarrow table",
            Contestant("by hand", "_jobs_pyarrow.log_to_table", _DENSE),
            "both sort by customer",
        ),
        _fit_transform(),
        _predict(n_rows),
        _one_customer(),
        *_cases_service.service_cases(),
        _growth(),
        _cases_ledger.ledger_case(),
        *_cases_clv.clv_cases(),
        *_cases_stages.stage_cases(n_rows),
        *_cases_cluster.cluster_cases(),
        *_cases_metrics.metric_cases(n_rows),
        *_cases_profiles.profile_cases(n_rows),
        *_cases_validation.validation_cases(n_rows),
    ]


def _dense_ids() -> Case:
    slow = {"data": _DENSE, "most_repeats": SLOW_REPEATS}
    pymc = {**slow, "job": "_jobs_packages.pymc_marketing", "environment": "pymc-marketing"}
    return Case(
        "dense-ids",
        "Pandas log to customer table and scores: dense integer ids, time-ordered",
        [
            *_pandas_log_contestants("dense"),
            Contestant("lifetimes", "_jobs_packages.lifetimes", environment="lifetimes", **slow),
            Contestant("pymc-marketing", **pymc),
            Contestant("pymc-marketing, sorted", options={"sort_transactions": False}, **pymc),
        ],
        [
            faster("polars", 5),
            faster("openretailscience", 12),
            faster("pandas", 8),
            faster("lifetimes", 50),
            faster("pymc-marketing", 50),
            memory_at_most("segkit", 300),
        ],
        [
            *_PANDAS_LOG_NOTES,
            "lifetimes and pymc-marketing make no scores and neither first_order nor last_order. "
            "By default their frequency leaves out the first order day; they are told to count "
            "it (`include_first_transaction`), and their mean spend of an order day times the "
            "order days is compared as monetary.",
            "pymc-marketing, sorted, is told that the log is in order of time "
            "(`sort_transactions=False`), which its documentation advises for such a log.",
            f"lifetimes and pymc-marketing run at most {SLOW_REPEATS} times.",
        ],
    )


_PANDAS_LOG_NOTES = (
    "polars and DuckDB are timed from a pandas log to a pandas table; polars, DuckDB and pandas "
    "make the same columns and scores as segkit (the scores in segkit's way: edges at quantiles, "
    "ties together), sorted by customer.",
    "openretailscience makes recency, frequency and monetary only; equal values get different "
    "scores (`NTILE` in the order of the ids), so its scores are not compared. It is given the "
    "day as the transaction id, so that its frequency counts days. It counts a return as an order.",
)


def _pandas_log(name: str, title: str, log: str, targets: Sequence[Target] = ()) -> Case:
    return Case(
        name,
        f"Pandas log to customer table and scores: {title}",
        _pandas_log_contestants(log),
        targets,
        ["What the contestants do is said under dense-ids."],
    )


def _pandas_log_contestants(log: str) -> list[Contestant]:
    data = {"log": log}
    return [
        Contestant("segkit", "_jobs_segkit.log_to_scores", data),
        Contestant("polars", "_jobs_polars.log_to_scores", data),
        Contestant("duckdb", "_jobs_duckdb.log_to_scores", data),
        Contestant("pandas", "_jobs_pandas.log_to_scores", data),
        Contestant(
            "openretailscience",
            "_jobs_packages.openretailscience",
            data,
            environment="openretailscience",
            compared=log != "returns",  # it counts them as orders
        ),
    ]


def _native_log(kind: str, title: str, by_hand: Contestant, order: str) -> Case:
    return Case(
        f"{kind.replace('_', '-')}-log",
        f"{title} to customer table in the log's own engine",
        [Contestant("segkit", "_jobs_segkit.log_to_table", _DENSE, {"kind": kind}), by_hand],
        [at_most("segkit", 1.2, "by hand")],
        [f"By hand: the same columns and rules in the best query found; {order}."],
    )


def _fit_transform() -> Case:
    data = {"customers": "customers"}
    return Case(
        "fit-transform",
        "Customer table to quintile scores of R, F and M",
        [
            Contestant("segkit", "_jobs_segkit.fit_transform", data),
            Contestant("rank + qcut", "_jobs_pandas.rank_and_qcut", data),
            Contestant("quantile + searchsorted", "_jobs_pandas.quantile_and_searchsorted", data),
        ],
        [faster("rank + qcut", 8), faster("quantile + searchsorted", 4)],
        [
            "segkit also finds the segment of every customer (`labels_`) in `fit`.",
            'rank + qcut is `pd.qcut(column.rank(method="first"), 5, labels=False)`, which gives '
            "equal values different scores, so that its scores are not compared.",
        ],
    )


def _predict(n_rows: int) -> Case:
    data = {"customers": "customers"}
    return Case(
        "predict",
        "Customer table to segment codes",
        [
            Contestant("predict", "_jobs_segkit.predict", data),
            Contestant("reading a column", "_jobs_pandas.read_column", data),
            Contestant("predict + from_codes", "_jobs_segkit.predict_and_name", data),
            Contestant("assign", "_jobs_segkit.assign", data),
        ],
        [nanoseconds_a_customer("predict", 10, n_customers=n_rows, reading="reading a column")],
        [
            "The limit is 10 ns times (time to sum one column of ten million floats, measured in "
            "the same rounds, over 6 ms).",
            "predict + from_codes adds `pd.Categorical.from_codes`; assign makes scores, cell and "
            "label and copies the frame.",
        ],
        least_rounds=15,
    )


def _one_customer() -> Case:
    data = {"customers": "few_customers"}
    names = {
        "predict_one(mapping)": "predict_one",
        "predict(row of an array)": "predict_row",
        "validate_data(row)": "validate_row",
        "predict(frame of one row)": "predict_frame",
        "assign(frame of one row)": "assign_frame",
    }
    return Case(
        "one-customer",
        "One customer",
        [Contestant(name, f"_jobs_segkit.{job}", data) for name, job in names.items()],
        [
            seconds_at_most("predict_one(mapping)", 5e-6),
            seconds_above("predict(row of an array)", 10e-6, "validate_data(row)"),
        ],
        ["Each time is the mean of a loop of calls; validate_data is scikit-learn's."],
        least_rounds=15,
    )


def _growth() -> Case:
    more_rows = f"segkit, {GROWTH} times the rows"
    more_customers = f"segkit, {GROWTH} times the rows and customers"
    return Case(
        "growth",
        "Pandas log to customer table and scores: more rows",
        [
            Contestant("segkit", "_jobs_segkit.log_to_scores", _DENSE),
            *(
                Contestant(name, "_jobs_segkit.log_to_scores", {"log": log}, compared=False)
                for name, log in (
                    (more_rows, "dense_more_rows"),
                    (more_customers, "dense_more_customers"),
                )
            ),
        ],
        [at_most(more_rows, 5.5, "segkit")],
        [
            "With more customers, the arrays that have a place for each outgrow the processor's "
            "cache, and every row takes longer.",
        ],
    )
