"""What may be asked of ``summarize_transactions``, and the columns that it gives."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from segkit._frames import RESERVED
from segkit.exceptions import ColumnError, SegkitError, SegkitTypeError, SegkitValueError
from segkit.features._calendar import Moment

OWNER = "summarize_transactions"

RESULT_COLUMNS = (
    "recency_days",
    "frequency",
    "order_days",
    "monetary",
    "tenure_days",
    "mean_order_value",
    "mean_gap_days",
    "first_order",
    "last_order",
)
EXTRAS = {
    "returns": ("return_count", "return_amount"),
    "clv": ("first_day_amount",),
    "last_gap": ("last_gap_days",),
}


@dataclass(frozen=True)
class SummaryOptions:
    """What was asked, checked: the roles of columns, and what is counted how."""

    customer_id: str
    timestamp: str
    amount: str
    order_id: str | None
    order: str  # what an order is: a "day", a "row" or an "id"
    as_of: Moment | None
    returns: str
    missing: str
    extras: tuple[str, ...]
    decimals: int

    @property
    def roles(self) -> dict[str, str]:
        """The columns of the log that are needed, by the part that they play."""
        roles = {
            "customer_id": self.customer_id,
            "timestamp": self.timestamp,
            "amount": self.amount,
        }
        return roles if self.order_id is None else {**roles, "order_id": self.order_id}

    @property
    def result_columns(self) -> list[str]:
        """The columns of the result beside the customer id."""
        return [*RESULT_COLUMNS, *(name for extra in self.extras for name in EXTRAS[extra])]


def checked_options(
    order_per: Any, returns: Any, missing: Any, extras: Any, decimals: Any
) -> tuple[str, ...]:
    """Return the extras wanted, in the order of their columns, after checking every option."""
    choices = {
        "order_per": (order_per, ("day", "row")),
        "returns": (returns, ("net", "exclude")),
        "missing": (missing, ("raise", "drop")),
    }
    for name, (given, allowed) in choices.items():
        if not isinstance(given, str) or given not in allowed:
            raise SegkitValueError(
                f"{OWNER}: {name} must be one of {allowed}, got {_shown(given)}."
            )
    wanted = [extras] if isinstance(extras, str) else extras
    known = isinstance(wanted, list | tuple | set | frozenset) and all(
        isinstance(extra, str) and extra in EXTRAS for extra in wanted
    )
    if not known:
        raise SegkitValueError(
            f"{OWNER}: extras must be among {tuple(EXTRAS)}, got {_shown(extras)}."
        )
    is_integer = isinstance(decimals, int | np.integer) and not isinstance(decimals, bool)
    if not is_integer or not 0 <= decimals <= 15:
        raise SegkitValueError(
            f"{OWNER}: decimals must be an integer from 0 to 15, got {_shown(decimals)}."
        )
    return tuple(extra for extra in EXTRAS if extra in wanted)


def check_roles(options: SummaryOptions) -> None:
    """Raise unless the roles are column names that do not get in the way of others."""
    for role, name in options.roles.items():
        if not isinstance(name, str):
            raise SegkitTypeError(f"{OWNER}: {role} must be a column name, got {_shown(name)}.")
        if name.casefold().startswith(RESERVED):
            raise ColumnError(
                f"{OWNER}: names that begin with {RESERVED!r} are reserved: {name!r}."
            )
    # Some engines take names that differ in case for the same.
    results = (*RESULT_COLUMNS, *(name for names in EXTRAS.values() for name in names))
    if options.customer_id.casefold() in results:
        raise ColumnError(
            f"{OWNER}: the customer id is named {options.customer_id!r}, as a column of the result "
            "is. Rename it."
        )


@contextmanager
def errors_named(owner: str) -> Iterator[None]:
    """Tell errors of the summary by the name of another that uses it."""
    try:
        yield
    except SegkitError as error:
        message = re.sub(f"^{OWNER}:", f"{owner}:", str(error))
        raise type(error)(message) from None


def _shown(given: Any) -> str:
    """Return a value as a message may show it: what holds many may hold customers."""
    plain = str | bytes | int | float | None
    items = given if isinstance(given, list | tuple) and len(given) < 9 else [given]
    if all(isinstance(item, plain) for item in items):
        return repr(given)[:80]
    return type(given).__name__
