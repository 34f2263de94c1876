"""Which columns of the customer table an estimator uses, and its checks of them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from segkit._frames import Frame, as_frame
from segkit._input_checks import UNASSIGNED_REMEDY, RowLimits, row_limits
from segkit.base._customers import (
    Customers,
    columns_wanted,
    customers_from_array,
    customers_from_frame,
    group_in_frame,
    names_in_frame,
)
from segkit.base._storage import StorageMixin
from segkit.exceptions import LazyFrameError


class CustomerColumnsMixin(StorageMixin):
    """Mixin for estimators over one row per customer, of which they use some columns.

    Of a frame the columns are picked by name, of an array by position. The estimator has a
    parameter ``columns`` (or, with ``_columns_parameter = "column"``, a parameter ``column`` for a
    single one), and calls ``_validate_customers`` in ``fit`` and in every verb.
    """

    #: The parameter that names the columns used; ``"column"`` names a single one.
    _columns_parameter: ClassVar[str] = "columns"
    #: The fewest columns that an array may have.
    _min_columns: ClassVar[int] = 1
    #: Columns that are used beside those named, where a frame has them in ``fit``.
    _optional_columns: ClassVar[tuple[str, ...]] = ()
    #: What to do about missing values.
    _missing_remedy: ClassVar[str] = UNASSIGNED_REMEDY
    #: What to do with a lazy frame where values are needed.
    _lazy_remedy: ClassVar[str] = "Use assign(frame), which stays lazy, or collect the frame first"

    columns: Any
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _columns_used: list[str | int]
    _positions_used: list[int] | None
    _group_wanted: str | int | None
    _group_used: str | int | None
    _row_limits: RowLimits

    # What a concrete estimator may write.

    def _group_column(self) -> str | int | None:
        return None

    def _group_positions(self, groups: Any, *, reset: bool) -> NDArray[np.intp]:
        raise TypeError(f"{type(self).__name__} has no groups.")

    def _group_position_of(self, group: Any) -> int:
        raise TypeError(f"{type(self).__name__} has no groups.")

    def _group_expression(self, group: nw.Expr, dtype: Any) -> nw.Expr:
        raise TypeError(f"{type(self).__name__} has no groups.")

    def _columns_needed(self) -> int:
        return self._min_columns

    def _names_to_read(self, frame: Frame) -> list[str]:
        """Return the columns whose values ``assign`` needs inside a query engine."""
        return names_in_frame(self, frame, reset=False)

    # What it calls.

    def _validate_customers(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        """Return the columns used as floats of shape (n_customers, n_columns), checked.

        With ``reset`` (in fit) it forgets what was learned before and remembers which columns
        are used; a lazy frame is then collected, only these columns.
        """
        customers = self._customers(X, reset=reset)
        self._check(customers)
        return customers.values

    def _customers(self, X: Any, *, reset: bool) -> Customers:
        """Return the columns used, not checked."""
        if reset:
            self._forget()
        frame = as_frame(X, owner=type(self).__name__)
        if frame is None:
            customers = customers_from_array(self, X, reset=reset)
        else:
            customers = customers_from_frame(self, frame, reset=reset)
        if reset:
            self._remember_columns(customers.columns, frame)
        return customers

    def _remember_columns(self, columns: Sequence[str | int], frame: Frame | None) -> None:
        """Remember which columns are used, and where an array has them."""
        wanted = [] if getattr(self, self._columns_parameter) is None else columns_wanted(self)
        self._columns_used = list(columns)
        self._positions_used = [column for column in wanted if isinstance(column, int)] or None
        self._row_limits = row_limits(self._columns_used)
        self._group_wanted = self._group_used = self._group_column()
        if frame is not None:
            self._group_used = group_in_frame(self, frame, reset=True)
            groups = [] if self._group_used is None else [self._group_used]
            self.feature_names_in_ = np.array([*columns, *groups], dtype=object)
            self.n_features_in_ = len(self.feature_names_in_)

    def _check(self, customers: Customers) -> None:
        customers.check(
            owner=type(self).__name__,
            allow_missing=self._allows_missing(),
            remedy=self._missing_remedy,
        )

    def _forget(self) -> None:
        """Drop what an earlier fit learned: one that fails must leave nothing half-changed."""
        for name in [name for name in vars(self) if name.endswith("_") and name[0] != "_"]:
            delattr(self, name)

    def _allows_missing(self) -> bool:
        return bool(get_tags(self).input_tags.allow_nan)

    def _takes_groups(self) -> bool:
        return type(self)._group_positions is not CustomerColumnsMixin._group_positions

    def _refuse_lazy(self, X: Any, *, verb: str) -> None:
        owner = type(self).__name__
        if isinstance(as_frame(X, owner=owner), nw.LazyFrame):
            raise LazyFrameError(
                f"{owner}.{verb} needs the values of the customers, and a lazy frame has none "
                f"yet. {self._lazy_remedy}: .collect() in polars, .df() in DuckDB."
            )
