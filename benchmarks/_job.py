"""A piece of work to measure, and the sums by which results are compared."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: The columns of a customer table whose sums every job that has them reports.
TABLE_COLUMNS = (
    "frequency",
    "monetary",
    "recency_days",
    "tenure_days",
    "mean_order_value",
    "mean_gap_days",
)
SCORE_COLUMNS = ("r_score", "f_score", "m_score")
SHARES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Job:
    """Work whose data is loaded: `run` is measured, `sums` describes what it returned.

    Parameters
    ----------
    run : callable
        The work, without arguments; its result goes to `sums`.
    sums : callable
        From a result to sums by name. Those that two contestants of a case both have must agree.
    loops : int
        How many calls are measured as one, for calls of a few microseconds.
    """

    run: Callable[[], Any]
    sums: Callable[[Any], dict[str, float]] = lambda _: {}
    loops: int = 1


def column_sums(table: Any, names: Iterable[str] = TABLE_COLUMNS) -> dict[str, float]:
    """Return the number of rows of a pandas or polars frame and the sums of some columns."""
    return {"rows": len(table), **{name: float(table[name].sum()) for name in names}}
