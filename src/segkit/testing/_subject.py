"""What a check is given, and how its failure is told: by name, on as few customers as it takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

import pandas as pd
from sklearn.base import clone

#: A check returns what is wrong for these customers, or None. What it raises counts as wrong, too.
Check: TypeAlias = "Callable[[Subject, pd.DataFrame], str | None]"

_MOST_TRIALS = 200


class Subject:
    """A segmenter under test, with the customers to test it on."""

    def __init__(self, estimator: Any, customers: pd.DataFrame) -> None:
        self.estimator = estimator
        self.customers = customers

    @cached_property
    def fitted(self) -> Any:
        """The segmenter fitted to all customers."""
        return self.fit(self.customers)

    def fit(self, X: Any, **parameters: Any) -> Any:
        """Return a clone of the segmenter with these parameters, fitted."""
        segmenter = clone(self.estimator).set_params(**parameters)
        if "random_state" in segmenter.get_params():
            segmenter.set_params(random_state=0)
        return segmenter.fit(X)

    @property
    def columns(self) -> list[str]:
        """The columns that the segmenter uses of the customers."""
        return [str(name) for name in self.fitted.feature_names_in_]

    def run(self, check: Check) -> None:
        """Run a check; where it fails, look for the smallest example and raise."""
        wrong = _outcome(check, self, self.customers)
        if wrong is None:
            return
        smallest, wrong = _smallest_example(check, self, wrong)
        raise AssertionError(
            f"{check.__name__} failed for {self.estimator!r}: {wrong}\n"
            f"Smallest example, {len(smallest)} customers:\n{smallest.to_string()}"
        )


def _outcome(check: Check, subject: Subject, customers: pd.DataFrame) -> str | None:
    try:
        return check(subject, customers)
    except Exception as error:  # whatever it is, the author of the segmenter wants to see it
        return f"raised {type(error).__name__}: {error}"


def _smallest_example(check: Check, subject: Subject, wrong: str) -> tuple[pd.DataFrame, str]:
    """Drop customers as long as the check fails without them in the same way.

    Zeller & Hildebrandt (2002), delta debugging: try to do without each chunk, in chunks that
    are halved until they are single rows.
    """
    customers, raised = subject.customers, wrong.startswith("raised ")
    chunk, trials = len(customers) // 2, 0
    while chunk and trials < _MOST_TRIALS:
        start = 0
        while start < len(customers) and trials < _MOST_TRIALS:
            fewer = customers.drop(customers.index[start : start + chunk])
            trials += 1
            found = _outcome(check, subject, fewer) if len(fewer) else None
            if found is not None and found.startswith("raised ") == raised:
                customers, wrong = fewer, found
            else:
                start += chunk
        chunk //= 2
    return customers, wrong
