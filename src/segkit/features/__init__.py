"""From logs to one row per customer."""

from segkit.features._summarize import summarize_transactions

__all__ = ["summarize_transactions"]
