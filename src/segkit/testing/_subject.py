"""What a check is given, and how its failure is told: by name, on as few customers as it takes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.base import clone

#: A check returns what is wrong for these customers, or None. What it raises counts as wrong, too.
Check: TypeAlias = "Callable[[Subject, pd.DataFrame], str | None]"

_MOST_TRIALS = 200


class Subject:
    """A segmenter under test, with the customers to test it on."""

    def __init__(self, estimator: Any, customers: pd.DataFrame) -> None:
        self.estimator = estimator
        self._customers = customers

    @property
    def customers(self) -> pd.DataFrame:
        """All customers, as a copy: a segmenter that changes it does not hide that it did."""
        return self._customers.copy()

    @cached_property
    def fitted(self) -> Any:
        """The segmenter fitted to all customers."""
        return self.fit(self.customers)

    def fit(self, X: Any, **parameters: Any) -> Any:
        """Return a clone of the segmenter with these parameters, fitted."""
        segmenter = clone(self.estimator).set_params(**parameters)
        if "random_state" in segmenter.get_params():
            segmenter.set_params(random_state=0)
        segmenter.fit(X)
        return segmenter

    @property
    def columns(self) -> list[str]:
        """The columns that the segmenter uses of the customers."""
        return [str(name) for name in self.fitted.feature_names_in_]

    @property
    def numbers(self) -> list[str]:
        """Those of them that hold numbers, and not groups, which may be numbers, too."""
        group = getattr(self.fitted, "_group_used", None)
        return [
            name
            for name in self.columns
            if name != group
            and is_numeric_dtype(self._customers[name])
            and not is_bool_dtype(self._customers[name])
        ]

    def used(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the segmenter uses; all, where it takes them by position.

        All, too, where it uses none: there are frames that have no rows without columns.
        """
        by_position = any(not isinstance(column, str) for column in columns_of(self.estimator))
        return customers if by_position or not self.columns else customers[self.columns]

    def run(self, check: Check) -> None:
        """Run a check; where it fails, look for the smallest example and raise."""
        failure = _outcome(check, self, self.customers)
        if failure is None:
            return
        smallest, failure = _smallest_example(check, self, failure)
        example = (
            f"Smallest example, {len(smallest)} customers:\n{smallest.to_string()}"
            if len(smallest)
            else "It fails in this way whoever the customers are."
        )
        raise AssertionError(
            f"{check.__name__} failed for {self.estimator!r}: {failure.wrong}\n{example}"
        ) from failure.error


def columns_of(segmenter: Any) -> list[Any]:
    """Return what its parameter `columns`, or `column`, names; nothing where it takes all columns.

    Instead of a column, an estimator inside may read what it likes.
    """
    columns = getattr(segmenter, "columns", None)
    if columns is not None:
        return [] if isinstance(columns, str) else list(columns)
    column = getattr(segmenter, "column", None)
    return [] if column is None or getattr(segmenter, "estimator", None) is not None else [column]


@dataclass(frozen=True)
class _Failure:
    """What is wrong, and what raised it where: two failures of one origin are of one kind."""

    wrong: str
    origin: tuple[str, str, int] | None = None
    error: Exception | None = field(default=None, compare=False)


def _outcome(check: Check, subject: Subject, customers: pd.DataFrame) -> _Failure | None:
    try:
        wrong = check(subject, customers.copy())
    except Exception as error:  # whatever it is, the author of the segmenter wants to see it
        kind, place = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
        origin = (kind, place.filename, place.lineno or 0)
        return _Failure(f"raised {kind}: {str(error) or place.line}", origin, error)
    return None if wrong is None else _Failure(wrong)


def _smallest_example(
    check: Check, subject: Subject, failure: _Failure
) -> tuple[pd.DataFrame, _Failure]:
    """Drop customers as long as the check fails without them in the same way.

    Zeller & Hildebrandt (2002), delta debugging: try to do without each chunk, in chunks that
    are halved until they are single rows.
    """
    customers = subject.customers
    if _outcome(check, subject, customers.head(0)) == failure:
        return customers.head(0), failure
    chunk, trials = len(customers) // 2, 0
    while chunk and trials < _MOST_TRIALS:
        start = 0
        while start < len(customers) and trials < _MOST_TRIALS:
            fewer = customers.drop(customers.index[start : start + chunk])
            trials += 1
            found = _outcome(check, subject, fewer) if len(fewer) else None
            if found is not None and found.origin == failure.origin:
                customers, failure = fewer, found
            else:
                start += chunk
        chunk //= 2
    return customers, failure
