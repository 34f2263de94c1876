"""The customer table that keeps up: totals that take in batches, and merge."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from narwhals.typing import IntoFrame

from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.features._calendar import Moment
from segkit.features._ledger_batch import part_of_batch
from segkit.features._ledger_file import read_ledger, write_ledger
from segkit.features._ledger_part import LedgerPart
from segkit.features._ledger_table import table_of
from segkit.features._options import (
    SummaryOptions,
    check_roles,
    checked_options,
    errors_named,
)

OWNER = "CustomerLedger"

# Parts up to this many totals are combined while batches come in; larger ones by `table`.
_MOST_TOTALS = 2**18


class CustomerLedger:
    """The customer table that keeps up: it takes in batches of a log, and merges with others.

    A ledger remembers what a log adds up to, by customer and day, and forgets the rows. However a
    log is cut into batches, and in whatever order they come, the table is that of the whole log:
    what :func:`segkit.summarize_transactions` gives for it.

    Parameters
    ----------
    customer_id, timestamp, amount : str, default="customer_id", "timestamp", "amount"
        Names of the columns, as in `summarize_transactions`.
    order_id : str, default=None
        Column whose distinct values, per customer, are the orders. An id that comes again, in the
        same batch or a later one, is the same order: it is counted once, and the amounts of its
        rows add up.
    missing : {"raise", "drop"}, default="raise"
        What a row without id, timestamp or amount (or order id, unless it is a return) does: an
        error, or it is left out.

    See Also
    --------
    segkit.summarize_transactions : The table of a log that is all there.

    Notes
    -----
    Per customer and day the ledger keeps the number of orders and returns, their sums, and the
    first and last timestamp; with `order_id`, also a key of 64 bits for each order. Less would not
    do for an exact count of distinct days and orders, where a late row may belong to any of them.
    It takes about 60 bytes for each day of a customer, and 28 for each order.

    An update adds up the batch and puts it beside what is there. So its time and memory grow with
    the batch, and not with the history; `table` brings all together.

    Sums are exact (a superaccumulator of whole numbers), and the nearest floats in the table only.
    Those of `summarize_transactions` are rounded after each row, and the two are equal once
    rounded to `decimals`, unless amounts have more digits than that and a sum lies on the edge
    between two roundings.

    Order ids that are text are kept as hashes; whole numbers are kept as they are.

    Frames other than pandas go through Arrow, and need pyarrow; lazy ones are executed.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit.features import CustomerLedger
    >>> march = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 7, 8],
    ...         "timestamp": ["2024-03-01", "2024-03-09", "2024-03-10"],
    ...         "amount": [35.0, -5.0, 12.5],
    ...     }
    ... )
    >>> april = pd.DataFrame(
    ...     {
    ...         "customer_id": [7, 9],
    ...         "timestamp": ["2024-04-02", "2024-03-30"],
    ...         "amount": [20.0, 8.0],
    ...     }
    ... )
    >>> ledger = CustomerLedger().update(march).update(april)
    >>> customers = ledger.table(as_of="2024-04-30")
    >>> customers[["customer_id", "recency_days", "frequency", "monetary", "tenure_days"]]
       customer_id  recency_days  frequency  monetary  tenure_days
    0            7            28          2      50.0           60
    1            8            51          1      12.5           51
    2            9            31          1       8.0           31
    """

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
        order_id: str | None = None,
        missing: Literal["raise", "drop"] = "raise",
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.amount = amount
        self.order_id = order_id
        self.missing = missing
        self._parts: tuple[LedgerPart, ...] = ()
        self._batches: tuple[str, ...] = ()
        with errors_named(OWNER):
            check_roles(self._options())

    @property
    def batches(self) -> tuple[str, ...]:
        """The names of the batches that came with one."""
        return self._batches

    @property
    def n_rows(self) -> int:
        """Number of rows that were taken in, those with missing values included."""
        return sum(part.n_rows for part in self._parts)

    def update(self, transactions: IntoFrame, *, batch: str | None = None) -> CustomerLedger:
        """Take in a batch of transactions.

        Parameters
        ----------
        transactions : pandas, polars, pyarrow, DuckDB or another frame that narwhals reads
            A row per transaction or line item, in any order, from any days; late rows are as
            welcome as those of today. A batch without rows changes nothing.
        batch : str, default=None
            A name for the batch, such as its day or its file. The ledger remembers it and refuses
            a second batch of that name, whose rows would count twice. Rows of batches without a
            name always count.

        Returns
        -------
        CustomerLedger
            The ledger itself. Where an error is raised, it is as it was before.

        Raises
        ------
        ColumnError
            For a column that is missing.
        SegkitTypeError
            For amounts that are not numbers, timestamps that are not dates, a batch that is not a
            frame, ids of another kind than in the ledger (text, numbers).
        SegkitValueError
            For infinite amounts, text that is no date, another time zone than in the ledger, or a
            batch that is already there.
        MissingValuesError
            For missing values where ``missing="raise"``.

        Examples
        --------
        >>> import pandas as pd
        >>> from segkit.features import CustomerLedger
        >>> day = pd.DataFrame({"customer_id": [7], "timestamp": ["2024-03-01"], "amount": [35.0]})
        >>> ledger = CustomerLedger().update(day, batch="2024-03-01")
        >>> ledger.update(day, batch="2024-03-01")
        Traceback (most recent call last):
            ...
        segkit.exceptions.SegkitValueError: CustomerLedger: the ledger already holds batch
        '2024-03-01'; ...
        """
        if batch is not None:
            if not isinstance(batch, str):
                raise SegkitTypeError(
                    f"{OWNER}: batch must be a name, such as '2024-06-30', got "
                    f"{type(batch).__name__}. Make it text, for example with str(...)."
                )
            self._check_new_batches([batch])
        with errors_named(OWNER):
            part = part_of_batch(transactions, self._options())
            if part is not None:
                for known in self._parts:
                    known.check_goes_with(part, self._options())
                self._parts = _with_small_ones_combined([*self._parts, part])
        if batch is not None:
            self._batches = (*self._batches, batch)
        return self

    def merge(self, other: CustomerLedger) -> CustomerLedger:
        """Return a new ledger of what both hold; neither is changed.

        So a log can be added up in parts, by several processes or machines.

        Parameters
        ----------
        other : CustomerLedger
            A ledger with the same parameters, of other rows.

        Returns
        -------
        CustomerLedger
            The table of which is that of the rows of both.

        Raises
        ------
        SegkitTypeError
            For what is no ledger, and for ids of another kind.
        SegkitValueError
            For other parameters, another time zone, or a batch that both hold.

        Examples
        --------
        >>> from segkit.datasets import make_transactions
        >>> from segkit.features import CustomerLedger
        >>> log = make_transactions(100, random_state=0)
        >>> halves = [log[::2], log[1::2]]
        >>> one, other = (CustomerLedger(order_id="order_id").update(half) for half in halves)
        >>> both = one.merge(other)
        >>> both.n_rows == len(log), len(both)
        (True, 100)
        """
        if not isinstance(other, CustomerLedger):
            raise SegkitTypeError(
                f"{OWNER}: merge takes another CustomerLedger, got {type(other).__name__}."
            )
        self._check_same_parameters(other)
        self._check_new_batches(other.batches)
        with errors_named(OWNER):
            for own, others in product(self._parts, other._parts):
                own.check_goes_with(others, self._options())
        merged = CustomerLedger(**self._parameters())
        merged._parts = (*self._parts, *other._parts)
        merged._batches = (*self._batches, *other._batches)
        return merged

    def table(
        self,
        as_of: Moment | None = None,
        *,
        order_per: Literal["day", "row"] = "day",
        returns: Literal["net", "exclude"] = "net",
        extras: str | Sequence[str] = (),
        decimals: int = 6,
    ) -> pd.DataFrame:
        """Return the customer table.

        Parameters
        ----------
        as_of : str, date, datetime or numpy.datetime64, default=None
            The moment that the table describes, as in `summarize_transactions`: a date means the
            end of that day, and later rows are left out. It may lie in the past. A datetime is
            refused where a customer has rows before and after it on its day, of which the ledger
            has only the total. None means the day after the last row.
        order_per : {"day", "row"}, default="day"
            What an order is where there is no `order_id`: a customer's distinct day, or a row.
        returns : {"net", "exclude"}, default="net"
            Whether returns are subtracted from `monetary` or ignored.
        extras : str or sequence of str, default=()
            Further columns: ``"returns"``, ``"clv"``, ``"last_gap"``.
        decimals : int, default=6
            Decimals to which sums of money are rounded.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_columns)
            The table of :func:`segkit.summarize_transactions`, sorted by customer id. Ids and
            timestamps are of pandas' own types: those of the batches, categories as their values,
            what came through Arrow as pandas reads it.

        Raises
        ------
        SegkitValueError
            For an empty ledger, no order up to `as_of`, an `as_of` whose time zone does not go
            with the log's or that cuts a day, infinite sums, an unknown option.

        Examples
        --------
        One ledger gives the table of any day:

        >>> from segkit.datasets import make_transactions
        >>> from segkit.features import CustomerLedger
        >>> log = make_transactions(1_000, random_state=0)
        >>> ledger = CustomerLedger(order_id="order_id").update(log)
        >>> for as_of in ["2025-06-30", "2025-12-31"]:
        ...     customers = ledger.table(as_of)
        ...     print(as_of, len(customers), customers["frequency"].sum())
        2025-06-30 757 2710
        2025-12-31 1000 4049
        """
        with errors_named(OWNER):
            options = self._options(
                order_per=order_per,
                as_of=as_of,
                returns=returns,
                extras=extras,
                decimals=decimals,
            )
            return table_of(self._combined(), options)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the ledger to a Parquet file, from which another process goes on.

        A file that is already there is replaced, and stays whole until the new one is.

        Parameters
        ----------
        path : str or path
            Where to write. The file holds customer ids, and needs the same care as the log.

        Raises
        ------
        SegkitTypeError
            For ids or time zones that Parquet does not know.
        ImportError
            Without pyarrow.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from segkit.datasets import make_transactions
        >>> from segkit.features import CustomerLedger
        >>> log = make_transactions(100, random_state=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "customers.ledger.parquet")
        ...     CustomerLedger().update(log, batch="2025").to_parquet(path)
        ...     ledger = CustomerLedger.from_parquet(path)
        >>> len(ledger), ledger.batches
        (100, ('2025',))
        """
        part = self._combined() if self._parts else None
        with errors_named(OWNER):
            write_ledger(path, part, self._parameters(), self._batches)

    @classmethod
    def from_parquet(cls, path: str | os.PathLike[str]) -> CustomerLedger:
        """Read a ledger that `to_parquet` wrote.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        CustomerLedger
            With the parameters, the batches and the table of the one that was written.

        Raises
        ------
        SegkitValueError
            For a file that is no ledger, was truncated or changed, or comes from a newer version.
        ImportError
            Without pyarrow.

        Examples
        --------
        See :meth:`to_parquet`.
        """
        with errors_named(OWNER):
            part, parameters, batches = read_ledger(path)
            try:
                ledger = cls(**parameters)
            except TypeError:
                raise SegkitValueError(
                    f"{OWNER}: {Path(path).name!r} has parameters that a ledger does not have."
                ) from None
        ledger._parts = () if part is None else (part,)
        ledger._batches = batches
        return ledger

    def __len__(self) -> int:
        """Return the number of customers with an order."""
        return int(self._combined().orders.customer_starts().size) if self._parts else 0

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._parameters().items())
        return f"CustomerLedger({given})"

    def _parameters(self) -> dict[str, Any]:
        names = ("customer_id", "timestamp", "amount", "order_id", "missing")
        return {name: getattr(self, name) for name in names}

    def _options(
        self,
        *,
        order_per: str = "day",
        as_of: Moment | None = None,
        returns: str = "net",
        extras: str | Sequence[str] = (),
        decimals: int = 6,
    ) -> SummaryOptions:
        return SummaryOptions(
            **self._parameters(),
            order=order_per if self.order_id is None else "id",
            as_of=as_of,
            returns=returns,
            extras=checked_options(order_per, returns, self.missing, extras, decimals),
            decimals=decimals,
        )

    def _combined(self) -> LedgerPart:
        """Return all parts as one, and keep it in their place."""
        if not self._parts:
            raise SegkitValueError(f"{OWNER}: the ledger is empty. Call update(...) first.")
        combined = LedgerPart.combined(self._parts)
        self._parts = (combined,)
        return combined

    def _check_new_batches(self, names: Sequence[str]) -> None:
        known = [name for name in names if name in self._batches]
        if known:
            raise SegkitValueError(
                f"{OWNER}: the ledger already holds batch {known[0]!r}; its rows would count twice."
            )

    def _check_same_parameters(self, other: CustomerLedger) -> None:
        theirs = other._parameters()
        for name, value in self._parameters().items():
            if theirs[name] != value:
                raise SegkitValueError(
                    f"{OWNER}: ledgers with different parameters do not merge: {name} is {value!r} "
                    f"here and {theirs[name]!r} in the other."
                )


def _with_small_ones_combined(parts: list[LedgerPart]) -> tuple[LedgerPart, ...]:
    """Combine the last parts while the one before is at most twice as large.

    So each total is combined again a logarithm of times, and there are few parts. No step takes
    longer than the batch and a constant, however long the history is.
    """
    while (
        len(parts) > 1
        and parts[-2].size <= 2 * parts[-1].size
        and parts[-2].size + parts[-1].size <= _MOST_TOTALS
    ):
        last = parts.pop()
        parts[-1] = LedgerPart.combined([parts[-1], last])
    return tuple(parts)
