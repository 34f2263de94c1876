"""From a batch of a log to a part of a ledger."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from segkit._frames import require_frame
from segkit.exceptions import SegkitTypeError
from segkit.features._customer_codes import numbered
from segkit.features._ledger_part import Clock, LedgerPart
from segkit.features._ledger_totals import DayTotals, OrderStarts
from segkit.features._log_checks import check_eager_log, refuse_the_epoch, with_clean_types
from segkit.features._options import OWNER, SummaryOptions
from segkit.features._order_keys import check_order, kind_of_ids, order_keys, plain_ids
from segkit.features._pandas_log import from_pyarrow, is_complete
from segkit.features._times import EPOCH, FAR_DAY, Times


def part_of_batch(transactions: Any, options: SummaryOptions) -> LedgerPart | None:
    """Add up a batch, whatever kind of frame it is; None where it has no rows."""
    frame = require_frame(transactions, owner=OWNER)
    if isinstance(frame, nw.LazyFrame):
        lazy: Any = with_clean_types(frame, options)
        is_polars = lazy.implementation.is_polars()
        frame = lazy.collect() if is_polars else lazy.collect("pyarrow")
    if not len(frame):
        return None
    log: Any = with_clean_types(frame, options)
    return _added_up(_in_pandas(log, options), options)


def _in_pandas(log: Any, options: SummaryOptions) -> pd.DataFrame:
    """Return a log as a pandas frame, of Arrow's columns where it is of another kind."""
    if log.implementation.is_pandas_like():
        frame: pd.DataFrame = log.to_pandas()
        return frame
    dtypes = {name: log[name].dtype for name in options.roles.values()}
    try:
        # polars hands objects to Arrow as addresses, and Arrow does not mind.
        if nw.Object not in dtypes.values():
            return from_pyarrow(log.to_arrow())
    except ValueError:  # Arrow's own errors are such
        pass
    shown = ", ".join(f"{name!r} ({dtype})" for name, dtype in dtypes.items())
    raise SegkitTypeError(
        f"{OWNER}: Arrow does not know the type of one of the columns {shown}. Make ids text or "
        "whole numbers of 64 bits."
    )


def _added_up(log: pd.DataFrame, options: SummaryOptions) -> LedgerPart:
    """Add up a pandas log with clean types that has rows."""
    n_rows, times = len(log), Times.of(log[options.timestamp])
    first_day, last_day = _first_and_last_day(times)
    refuse_the_epoch(first_day + EPOCH, last_day + EPOCH, n_rows, options.timestamp)
    if not is_complete(log, times, options):
        checked = check_eager_log(nw.from_native(log), options, may_be_empty=True)
        log = checked.to_native()
        times = Times.of(log[options.timestamp])
    ids = plain_ids(log[options.customer_id])
    codes, distinct = numbered(ids)
    customers = pd.Series(distinct, name=options.customer_id).astype(ids.dtype)
    kind = kind_of_ids(customers)
    check_order(customers, kind)
    amounts = log[options.amount].to_numpy()
    is_order = amounts >= 0
    order_starts, order_id_kind = None, None
    if options.order_id is not None:
        order_ids = plain_ids(log[options.order_id][is_order])
        order_id_kind = kind_of_ids(order_ids)
        order_starts = OrderStarts(
            codes[is_order],
            order_keys(order_ids, order_id_kind),
            times.days[is_order],
            times.instants[is_order],
        ).added_up()
    orders, returns = (
        DayTotals.of_rows(codes[rows], times.days[rows], times.instants[rows], amounts[rows])
        for rows in (is_order, ~is_order)
    )
    is_date = isinstance(times.dtype, pd.ArrowDtype) and "date" in str(times.dtype)
    return LedgerPart(
        customers,
        Clock(times.unit, times.zone, is_date),
        n_rows,
        first_day,
        last_day,
        orders,
        returns,
        order_starts,
        kind,
        order_id_kind,
    )


def _first_and_last_day(times: Times) -> tuple[int, int]:
    """Return the days from 1970 on of the first and the last row that has a timestamp."""
    days = times.days if times.missing is None else times.days[~times.missing]
    if not days.size:
        return FAR_DAY, -FAR_DAY
    return int(days.min()), int(days.max())
