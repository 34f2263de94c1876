"""From a transaction log to one row per customer: recency, frequency, monetary value, tenure.

The words are those of RFM (Hughes 1994): recency counts from the last order, frequency counts
orders, not repeat orders.
"""

from collections.abc import Sequence
from typing import Any, Literal

import narwhals.stable.v2 as nw
from narwhals.typing import IntoFrameT

from segkit._frames import Frame, require_frame
from segkit.features._calendar import Moment
from segkit.features._expression_plan import summarize_by_expressions
from segkit.features._log_checks import with_clean_types
from segkit.features._options import OWNER, SummaryOptions, check_roles, checked_options
from segkit.features._pandas_log import summarize_in_pandas, summarize_in_pyarrow


def summarize_transactions(
    transactions: IntoFrameT,
    *,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str = "amount",
    order_id: str | None = None,
    order_per: Literal["day", "row"] = "day",
    as_of: Moment | None = None,
    returns: Literal["net", "exclude"] = "net",
    missing: Literal["raise", "drop"] = "raise",
    extras: str | Sequence[str] = (),
    decimals: int = 6,
) -> IntoFrameT:
    """Summarize a transaction log into one row per customer.

    The result is the customer table on which every segmenter works. It is computed inside the
    frame's own engine, and a lazy frame stays lazy.

    Parameters
    ----------
    transactions : pandas, polars, pyarrow, DuckDB or another frame that narwhals reads
        The log, a row per transaction or line item, in any order; it may have further columns.
    customer_id, timestamp, amount : str, default="customer_id", "timestamp", "amount"
        Names of the columns. Timestamps are dates or datetimes (in an eager frame also ISO 8601
        text, with offsets in pandas only); days are whole calendar days in their own time zone.
        A row with a negative amount is a return and never an order; a row with amount zero is an
        order.
    order_id : str, default=None
        Column whose distinct values, per customer, are the orders. An order with rows on two
        days counts on both in ``order_days``.
    order_per : {"day", "row"}, default="day"
        What an order is where there is no `order_id`: a customer's distinct day, or a row.
    as_of : str, date, datetime or numpy.datetime64, default=None
        The moment that the table describes. A date, or text such as ``"2024-06-30"``, means the
        end of that day; a datetime (also ``pandas.Timestamp("2024-06-30")``, which is a
        midnight) means that instant. Later rows are left out. None means the day after the last
        row, so pass a date where the log may hold mistaken ones in the future; a lazy frame must
        be given a moment.
    returns : {"net", "exclude"}, default="net"
        Whether returns are subtracted from `monetary` or ignored.
    missing : {"raise", "drop"}, default="raise"
        What a row without id, timestamp or amount (or order id, unless it is a return) does: an
        error, or it is left out. A lazy frame cannot raise: there, the customer of such a row,
        which may be the missing one, gets nulls. Infinite amounts are an error, and in a lazy
        frame nulls, in either case.
    extras : str or sequence of str, default=()
        Further columns: ``"returns"``, ``"clv"``, ``"last_gap"``; see below.
    decimals : int, default=6
        Decimals to which sums of money are rounded, once, here, because engines add in
        different orders and their last digits would move ties.

    Returns
    -------
    frame of the same kind
        One row per customer with at least one order (those with nothing but returns are left
        out), sorted by customer id where eager:

        - the customer id under its own name and of its own type,
        - ``recency_days``: days from the last order to `as_of`,
        - ``frequency``: number of orders,
        - ``order_days``: number of distinct days with an order,
        - ``monetary``: total spend,
        - ``tenure_days``: days from the first order to `as_of`,
        - ``mean_order_value``: monetary / frequency,
        - ``mean_gap_days``: mean days between order days, missing where there is one,
        - ``first_order``, ``last_order``: timestamps;
        - with ``"returns"``: ``return_count`` (rows) and ``return_amount`` (positive),
        - with ``"clv"``: ``first_day_amount``, the spend on the first order day, counted as in
          ``monetary``,
        - with ``"last_gap"``: ``last_gap_days``, days between the last two order days, missing
          where there is one.

    Raises
    ------
    ColumnError
        For a column that is missing, or a customer id named like a result.
    SegkitTypeError
        For amounts that are not numbers, timestamps that are not dates, ids of mixed types, a
        log that is not a frame.
    SegkitValueError
        For infinite amounts or sums, text that is no date, mixed time zones, an empty log, no
        order up to `as_of`, an `as_of` whose time zone does not go with the log's, a lazy frame
        without `as_of`, an unknown option.
    MissingValuesError
        For missing values in an eager frame where ``missing="raise"``.

    See Also
    --------
    segkit.RFMScorer : Scores the table.
    segkit.features.calibration_holdout_split : The table at a cut, and what came after it.

    Notes
    -----
    DuckDB and Spark read zoned timestamps in the zone of their session: set it to the log's.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import summarize_transactions
    >>> log = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 7, 7, 8],
    ...         "timestamp": ["2024-01-05", "2024-03-01", "2024-03-09", "2024-02-10"],
    ...         "amount": [20.0, 35.0, -5.0, 12.5],
    ...     }
    ... )
    >>> customers = summarize_transactions(log, as_of="2024-03-31")
    >>> customers[["customer_id", "recency_days", "frequency", "monetary", "tenure_days"]]
       customer_id  recency_days  frequency  monetary  tenure_days
    0            7            30          2      50.0           86
    1            8            50          1      12.5           50
    """
    options = SummaryOptions(
        customer_id=customer_id,
        timestamp=timestamp,
        amount=amount,
        order_id=order_id,
        order=order_per if order_id is None else "id",
        as_of=as_of,
        returns=returns,
        missing=missing,
        extras=checked_options(order_per, returns, missing, extras, decimals),
        decimals=decimals,
    )
    check_roles(options)
    log = with_clean_types(require_frame(transactions, owner=OWNER), options)
    summarized: IntoFrameT = customer_table(log, options).to_native()
    return summarized


def customer_table(log: Frame, options: SummaryOptions) -> Frame:
    """Return the customer table of a log with clean types, a lazy one for a lazy log."""
    native: Any = log.to_native()
    if log.implementation.is_pandas():
        return nw.from_native(summarize_in_pandas(native, options))
    if log.implementation.is_pyarrow():
        table: Frame = nw.from_native(summarize_in_pyarrow(native, options))
        return table
    return summarize_by_expressions(log, options)
