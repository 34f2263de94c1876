"""A table of customers as monitoring needs it: who each is, in which segment, and worth what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from segkit._frames import UNASSIGNED, Frame, collected, float_values, plain_values, require_frame
from segkit._input_checks import check_columns_present, check_numeric
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitError,
    SegkitTypeError,
    SegkitValueError,
)
from segkit.profiling._segmenter_labels import (
    checked_codes,
    columns_for_segmenter,
    columns_of_segmenter,
    names_of_segmenter,
)
from segkit.typing import Segmenter
from segkit.validation._judged_customers import only_counts
from segkit.validation._variables import Codes, Floats


@dataclass(frozen=True)
class PlacedCustomers:
    """One row per customer; codes are positions in the segmenter's names, -1 for unassigned."""

    #: None where nothing tells customers apart.
    ids: pd.Index[Any] | None
    codes: Codes
    value: Floats | None
    #: The columns asked for, and maybe others.
    table: nw.DataFrame[Any]


@dataclass(frozen=True)
class Reader:
    """Reads the table before and the table after in the same way."""

    segmenter: Any
    customer: str | None
    value: str | None
    owner: str

    def __post_init__(self) -> None:
        """Raise for a segmenter that cannot place customers."""
        if isinstance(self.segmenter, type) or not hasattr(self.segmenter, "predict"):
            shown = self.segmenter if isinstance(self.segmenter, type) else type(self.segmenter)
            raise SegkitTypeError(
                f"{self.owner}: segmenter must be fitted and predict segments, got "
                f"{shown.__name__}. Put a clusterer that does not predict into a ClusterSegmenter."
            )
        check_is_fitted(self.segmenter)
        for role in ("customer", "value"):
            name = getattr(self, role)
            if name is not None and not isinstance(name, str):
                raise SegkitTypeError(
                    f"{self.owner}: {role} must be text, the name of a column, or None, got "
                    f"{type(name).__name__}."
                )

    def frame(self, X: Any, which: str) -> Frame:
        """Return a table as a frame, which has the columns named."""
        owner = self._owner_of(which)
        frame = require_frame(X, owner=owner)
        named = [name for name in (self.value,) if name is not None]
        if self.customer is not None and not self._is_in_index(frame):
            named.append(self.customer)
        for name in named:
            role = "value" if name == self.value else "customer"
            remedy = f"Pass {role}=... with the name of its column."
            if role == "customer":
                remedy = (
                    "Pass customer=... with the column that tells customers apart, or "
                    "customer=None for the index of pandas frames."
                )
            check_columns_present([name], frame, owner=owner, remedy=remedy)
        if self.value is not None:
            check_numeric([self.value], frame, owner=owner)
        return frame

    def read(self, X: Any, which: str, variables: Sequence[str] = ()) -> PlacedCustomers:
        """Return who is where in a table that is called `which` in messages."""
        frame = self.frame(X, which)
        try:
            table, codes = self._placed(frame, variables)
        except SegkitError as error:
            error.add_note(f"This is about the table {which!r} of {self.owner}.")
            raise
        if not len(table):
            raise SegkitValueError(f"{self._owner_of(which)}: the frame has no rows.")
        return PlacedCustomers(
            ids=self._ids(frame, table, which),
            codes=codes,
            value=self._value(table, which),
            table=table,
        )

    def basis(self, X: Any, which: str) -> list[str]:
        """Return the columns that the segments are made of."""
        names = self.frame(X, which).collect_schema().names()
        return columns_of_segmenter(
            self.segmenter, [name for name in names if name != self.customer]
        )

    def segments(self, *codes: Codes) -> tuple[str, ...]:
        """Return the names of the segments: the segmenter's, or else the numbers found."""
        names = names_of_segmenter(self.segmenter)
        if names is None:
            n_segments = max(int(one.max(initial=-1)) for one in codes) + 1
            names = [str(code) for code in range(n_segments)]
        return tuple(names)

    def _placed(self, frame: Frame, variables: Sequence[str]) -> tuple[nw.DataFrame[Any], Codes]:
        """Return the eager columns that are needed, and the codes."""
        names = frame.collect_schema().names()
        beside = [name for name in (self.customer, self.value, *variables) if name in names]
        beside = list(dict.fromkeys(beside))
        if isinstance(frame, nw.LazyFrame):
            if isinstance(self.segmenter, Segmenter):
                try:
                    return self._placed_in_engine(frame, beside)
                except LazyFrameError:
                    pass
            frame = collected(frame)
        given = self._columns_given(names)
        if not given:
            raise ColumnError(
                f"{self.owner}: the frame has no column but {self.customer!r}; those of the "
                "segmenter are needed, too."
            )
        rows: Any = frame.select(given)
        has_names = hasattr(self.segmenter, "feature_names_in_") or names_of_segmenter(
            self.segmenter
        )
        rows = rows.to_native() if has_names else rows.to_numpy()
        remedy = "Pass a segmenter, or a clusterer that predicts."
        codes = checked_codes(
            self.segmenter, self.segmenter.predict(rows), len(frame), remedy, self.owner
        )
        return frame, codes

    def _placed_in_engine(
        self, frame: nw.LazyFrame[Any], beside: Sequence[str]
    ) -> tuple[nw.DataFrame[Any], Codes]:
        """Return the same of a lazy frame, whose engine finds the segments."""
        taken = {name.casefold() for name in frame.collect_schema().names()}
        label = next(name for i in range(len(taken) + 1) if (name := f"segment_{i}") not in taken)
        assigned: Any = nw.from_native(self.segmenter.assign(frame.to_native(), name=label))
        table = collected(assigned.select([*beside, label]))
        places = {name: place for place, name in enumerate(self.segments())} | {UNASSIGNED: -1}
        codes: Codes = plain_values(table[label]).map(places).to_numpy().astype(np.intp)
        return table, codes

    def _columns_given(self, names: Sequence[str]) -> list[str]:
        used = {*getattr(self.segmenter, "feature_names_in_", ())}
        others = [name for name in names if name != self.customer or name in used]
        is_frozen = isinstance(self.segmenter, FrozenEstimator)
        frozen = self.segmenter if is_frozen else FrozenEstimator(self.segmenter)
        return list(columns_for_segmenter(frozen, others, None))

    def _is_in_index(self, frame: Frame) -> bool:
        native = frame.to_native()
        return (
            isinstance(native, pd.DataFrame)
            and self.customer not in native.columns
            and native.index.nlevels == 1
            and native.index.name == self.customer
        )

    def _ids(self, frame: Frame, table: nw.DataFrame[Any], which: str) -> pd.Index[Any] | None:
        owner = self._owner_of(which)
        native = frame.to_native()
        if self.customer is not None and not self._is_in_index(frame):
            ids: pd.Index[Any] = pd.Index(plain_values(table[self.customer]))
            where = f"column {self.customer!r}"
        else:
            ids = native.index if isinstance(native, pd.DataFrame) else pd.RangeIndex(len(table))
            where = "the index"
        if only_counts(ids):
            return None
        if isinstance(ids, pd.MultiIndex):
            raise SegkitTypeError(
                f"{owner}: {where} has {ids.nlevels} levels, and one is expected. Pass "
                "frame.reset_index() and customer=... with the column of the ids."
            )
        if n_missing := int(np.sum(ids.isna())):
            raise MissingValuesError(
                f"{owner}: {where} is missing in {n_missing:,} of {len(ids):,} rows, so that "
                "these customers cannot be followed. Drop these rows."
            )
        if ids.dtype == object and not all(map(pd.api.types.is_hashable, ids)):
            raise SegkitTypeError(
                f"{owner}: {where} holds lists, dicts or the like, which tell no customers apart. "
                "Pass customer=... with a column of numbers or text."
            )
        if not ids.is_unique:
            n_doubled = int(np.sum(ids.duplicated()))
            raise SegkitValueError(
                f"{owner}: {where} repeats an earlier row in {n_doubled:,} of {len(ids):,} rows; "
                "one row per customer is expected. Drop the doubles, or summarize the log first."
            )
        return ids

    def _value(self, table: nw.DataFrame[Any], which: str) -> Floats | None:
        if self.value is None:
            return None
        values = float_values(table[self.value])
        if n_wrong := int((~np.isfinite(values)).sum()):
            is_missing = bool(np.isnan(values).any())
            kind = MissingValuesError if is_missing else SegkitValueError
            raise kind(
                f"{self._owner_of(which)}: column {self.value!r} is "
                f"{'missing' if is_missing else 'infinite'} in {n_wrong:,} of {len(values):,} "
                "rows. Fill it, with 0 where a customer is worth nothing, or drop these rows."
            )
        return values

    def _owner_of(self, which: str) -> str:
        return f"{self.owner}, table {which!r}"


def followed(then: PlacedCustomers, later: PlacedCustomers) -> tuple[Codes, Codes]:
    """Return where the customers of both tables are, in each."""
    if then.ids is None or later.ids is None:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    place = later.ids.get_indexer(then.ids)
    in_then = np.flatnonzero(place >= 0)
    return in_then, place[in_then]
