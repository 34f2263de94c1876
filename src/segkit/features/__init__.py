"""From logs to one row per customer."""

from segkit.features._customer_ledger import CustomerLedger
from segkit.features._holdout import calibration_holdout_split
from segkit.features._summarize import summarize_transactions

__all__ = ["CustomerLedger", "calibration_holdout_split", "summarize_transactions"]
