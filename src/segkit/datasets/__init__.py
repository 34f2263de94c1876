"""Transaction logs to try segkit on: drawn from a model, or read from public files."""

from segkit.datasets._make_transactions import make_transactions
from segkit.datasets._public_files import load_cdnow, load_online_retail

__all__ = ["load_cdnow", "load_online_retail", "make_transactions"]
