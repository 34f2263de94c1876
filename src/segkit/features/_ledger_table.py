"""The customer table of a ledger: what was added up, as of a day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import SegkitValueError
from segkit.features._calendar import AsOf, date_of, parse_as_of
from segkit.features._integer_kernel import Codes, Integers
from segkit.features._ledger_part import LedgerPart
from segkit.features._ledger_totals import DayTotals
from segkit.features._log_checks import (
    check_any_time,
    check_finite_sums,
    check_known_rows,
    check_orders,
)
from segkit.features._options import OWNER, SummaryOptions
from segkit.features._pandas_log import customer_columns
from segkit.features._times import EPOCH


def table_of(part: LedgerPart, options: SummaryOptions) -> pd.DataFrame:
    """Return the customer table of all that a ledger holds."""
    if options.as_of is None:
        check_any_time(part.last_day >= part.first_day, options.timestamp)
        moment = AsOf(date_of(part.last_day + 1 + EPOCH, owner=OWNER))
    else:
        moment = parse_as_of(options.as_of, zone=part.clock.zone, owner=OWNER)
        part = _known_at(moment, part, options)
    check_orders(part.orders.codes.size)
    starts = part.orders.customer_starts()
    codes = part.orders.codes[starts]
    order = part.ids.iloc[codes].argsort().to_numpy()
    found = {name: values[order] for name, values in _found(part, starts, codes, options).items()}
    columns = customer_columns(found, moment.day.toordinal() - EPOCH, options)
    check_finite_sums(bool(np.isfinite(columns["monetary"]).all()))
    for name in ("first_order", "last_order"):
        columns[name] = part.clock.as_column(found[name])
    ids = part.ids.iloc[codes[order]].reset_index(drop=True)
    names = options.result_columns
    return pd.DataFrame({options.customer_id: ids, **{n: columns[n] for n in names}}, copy=False)


def _known_at(moment: AsOf, part: LedgerPart, options: SummaryOptions) -> LedgerPart:
    """Return what was known at a moment."""
    day = moment.day.toordinal() - EPOCH
    if part.last_day <= day - (moment.instant is not None):
        return part
    by_day = moment.instant is None or part.clock.is_date
    orders, returns = (
        totals.where(
            totals.days <= day if by_day else _whole_days_known(moment, totals, part, options)
        )
        for totals in (part.orders, part.returns)
    )
    n_known = orders.codes.size + returns.codes.size
    check_known_rows(n_known, part.first_day + EPOCH, options.as_of)
    starts = part.order_starts
    if starts is not None:
        is_known = starts.days <= day if by_day else part.clock.are_known(starts.instants, moment)
        starts = starts.where(is_known)
    return replace(part, orders=orders, returns=returns, order_starts=starts)


def _whole_days_known(
    moment: AsOf, totals: DayTotals, part: LedgerPart, options: SummaryOptions
) -> NDArray[np.bool_]:
    """Return which days of customers lie before an instant, if none lies on both sides of it."""
    known = part.clock.are_known(totals.last, moment)
    if (part.clock.are_known(totals.first, moment) != known).any():
        raise SegkitValueError(
            f"{OWNER}: customers have rows before and after as_of={options.as_of} on the same day, "
            "of which only the total is kept. Pass a date, which means the end of a day."
        )
    return known


def _found(
    part: LedgerPart, starts: Integers, codes: Codes, options: SummaryOptions
) -> dict[str, NDArray[Any]]:
    """Return what was counted for each customer with an order, by the code."""
    orders, returns = part.orders, part.returns
    ends = np.append(starts[1:], orders.codes.size) - 1
    first_day, order_days = orders.days[starts], ends - starts + 1
    # Returns of customers without an order go to a place beyond the others.
    n_customers = codes.size
    place_of_code = np.full(len(part.ids), n_customers)
    place_of_code[codes] = np.arange(n_customers)
    places = place_of_code[returns.codes]
    returned = returns.amounts.at(places, n_customers + 1).take(slice(n_customers))
    money = orders.amounts.by_group(starts)
    found = {
        "first_order": np.minimum.reduceat(orders.first, starts),
        "last_order": np.maximum.reduceat(orders.last, starts),
        "first_day": first_day,
        "last_day": orders.days[ends],
        "order_days": order_days,
        "monetary": (money.plus(returned) if options.returns == "net" else money).as_floats(),
        "frequency": _frequency(part, starts, codes, order_days, options),
    }
    if "returns" in options.extras:
        counts = np.zeros(n_customers + 1, dtype=np.int64)
        np.add.at(counts, places, returns.n_rows)
        found["return_count"] = counts[:n_customers]
        found["return_amount"] = -returned.as_floats() + 0.0
    if "clv" in options.extras:
        on_first_day = orders.amounts.take(starts)
        if options.returns == "net":
            is_on_first = np.append(first_day, 0)[places] == returns.days
            on_first = returns.amounts.take(is_on_first).at(places[is_on_first], n_customers + 1)
            on_first_day = on_first_day.plus(on_first.take(slice(n_customers)))
        found["first_day_amount"] = on_first_day.as_floats()
    if "last_gap" in options.extras:
        found["day_before_last"] = orders.days[np.maximum(ends - 1, 0)]
    return found


def _frequency(
    part: LedgerPart, starts: Integers, codes: Codes, order_days: Integers, options: SummaryOptions
) -> Integers:
    """Return the number of orders of each customer."""
    if part.order_starts is not None:
        return np.bincount(part.order_starts.codes, minlength=len(part.ids))[codes]
    if options.order == "day":
        return order_days
    return np.add.reduceat(part.orders.n_rows, starts)
