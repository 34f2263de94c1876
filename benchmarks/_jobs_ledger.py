"""What takes a batch in: a ledger, and summarizing the whole log again.

The batch is the last 100,000 rows of the log, the history what came before.
"""

import copy

import pandas as pd

from segkit import summarize_transactions
from segkit.features import CustomerLedger

from ._data import AS_OF
from ._job import Job, column_sums

_BATCH = 100_000


def update(log: str) -> Job:
    """Take the batch into a ledger of the history."""
    ledger, batch = _ledger_and_batch(log)
    return Job(lambda: copy.copy(ledger).update(batch), lambda updated: {"rows": updated.n_rows})


def update_and_table(log: str) -> Job:
    """Take the batch into a ledger of the history, and make the customer table."""
    ledger, batch = _ledger_and_batch(log)
    return Job(lambda: copy.copy(ledger).update(batch).table(AS_OF), column_sums)


def summarize(log: str) -> Job:
    """Make the customer table of the whole log, which is in memory."""
    transactions = pd.read_parquet(log)
    return Job(lambda: summarize_transactions(transactions, as_of=AS_OF), column_sums)


def read_and_summarize(log: str) -> Job:
    """Read the whole log from a file, and make its customer table."""
    return Job(
        lambda: summarize_transactions(pd.read_parquet(log), as_of=AS_OF),
        column_sums,
    )


def _ledger_and_batch(log: str) -> tuple[CustomerLedger, pd.DataFrame]:
    transactions = pd.read_parquet(log)
    before = max(len(transactions) - _BATCH, len(transactions) // 2)
    ledger = CustomerLedger().update(transactions[:before])
    return ledger, transactions[before:].copy()
