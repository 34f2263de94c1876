"""What a file keeps of an estimator over one row per customer, and how it is read back."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from segkit._frames import UNASSIGNED
from segkit._input_checks import row_limits
from segkit._storage._document import write_document
from segkit._storage._estimators import stored_estimator
from segkit._storage._state import LearnedState
from segkit._storage._tables import with_plain_tables, with_tables
from segkit.exceptions import SegkitTypeError, SegkitValueError

# Attributes that have a part of their own, or none: those of parameters and of all customers.
_ELSEWHERE = (
    "labels_",
    "segments_",
    "feature_names_in_",
    "n_features_in_",
    "_columns_used",
    "_positions_used",
    "_group_wanted",
    "_group_used",
    "_row_limits",
    "_sklearn_output_config",
)

# No table of customers is wider.
_MOST_COLUMNS = 1_000_000


class StorageMixin:
    """Mixin for estimators that are stored: what they read, and what they learned.

    By default every attribute is stored that is no parameter, save ``labels_``. An estimator whose
    attributes are not all numbers, text, arrays, small tables, or lists and mappings of these,
    writes ``_learned_state()``, which gives what it needs in such values by name, and
    ``_restore(state)``, which sets its attributes to what :class:`LearnedState` gives.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes for pickle, joblib and skops, which knows no tables of pandas."""
        return with_plain_tables(super().__getstate__())  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes back."""
        super().__setstate__(with_tables(state))  # type: ignore[misc]

    def _learned_state(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if self._is_learned(name)}

    def _restore(self, state: LearnedState) -> None:
        for name, value in state.values().items():
            if not self._is_learned(name):
                state.refuse(name, "no part of what was learned", value)
            self._check_type(name, value, state)
            setattr(self, name, value)

    def _check_type(self, name: str, value: Any, state: LearnedState) -> None:
        """Raise for a value of another type than a class of segkit says of the attribute."""
        for kind in type(self).__mro__:
            said = None
            if kind.__module__.startswith("segkit."):
                said = vars(kind).get("__annotations__", {}).get(name)
            for wanted in (float, int, bool, str):
                fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
                if said in (wanted, wanted.__name__) and not fits:
                    state.refuse(name, wanted.__name__, value)

    def _is_learned(self, name: str) -> bool:
        """Tell whether an attribute is learned: no parameter, method, property or cached value."""
        of_class = inspect.getattr_static(type(self), name, None)
        is_code = callable(of_class) or hasattr(of_class, "__get__") or name.startswith("__")
        parameters = self.get_params(deep=False)  # type: ignore[attr-defined]
        return not (is_code or name in _ELSEWHERE or name in parameters)

    def _takes_groups(self) -> bool:
        return False

    def _stored_parts(self) -> dict[str, Any]:
        """Return all that is stored beside class and parameters."""
        held = vars(self)
        if "_columns_used" not in held:
            return {}
        read = {
            "columns": held.get("_columns_used"),
            "positions": held.get("_positions_used"),
            "group_wanted": held.get("_group_wanted"),
            "group": held.get("_group_used"),
            "n_features": held.get("n_features_in_"),
            "feature_names": None,
        }
        if "feature_names_in_" in held:
            read["feature_names"] = self.feature_names_in_.tolist()
        parts: dict[str, Any] = {"reads": read}
        if "_sklearn_output_config" in held:
            parts["set_output"] = held["_sklearn_output_config"]
        if "segments_" in held:
            parts["segments"] = list(held["segments_"])
        return {**parts, "learned": self._learned_state()}

    def _restore_parts(self, parts: LearnedState) -> None:
        """Set all that was stored beside class and parameters."""
        read = parts.inside("reads")
        columns = self._columns_used = _columns(read, "columns")
        self._positions_used = _positions(read, columns)
        self._group_wanted = read.of_type("group_wanted", str, int, type(None))
        self._group_used = read.of_type("group", str, int, type(None))
        for name in ("group", "group_wanted"):
            if read.values()[name] is not None and not self._takes_groups():
                read.refuse(name, "null: there are no groups", read.values()[name])
        self.n_features_in_ = read.count("n_features")
        if self.n_features_in_ > _MOST_COLUMNS:
            read.refuse("n_features", f"at most {_MOST_COLUMNS:,}", self.n_features_in_)
        if read.of_type("feature_names", list, type(None)) is not None:
            groups = [] if self._group_used is None else [self._group_used]
            used = [*columns, *groups]
            if read.texts("feature_names") != used or self.n_features_in_ != len(used):
                read.refuse("feature_names", f"the columns that are read, {used}")
            self.feature_names_in_: Any = np.array(used, dtype=object)
        self._row_limits = row_limits(self._columns_used)
        if "set_output" in parts:
            config = parts.inside("set_output").values()
            self.set_output(**config)  # type: ignore[attr-defined]
        if "segments" in parts:
            segments = parts.texts("segments")
            if len({*segments, UNASSIGNED}) <= len(segments):
                parts.refuse("segments", f"different names other than {UNASSIGNED!r}", segments)
            self.segments_: Any = np.array(segments, dtype=object)
        self._restore(parts.inside("learned"))


class SaveMixin:
    """Mixin for estimators that write themselves to a file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the segmenter to a file, from which :func:`segkit.load` reads it.

        The file is JSON that a person can read, with the class, the parameters and what was
        learned, each number exactly. It says nothing about single customers: ``labels_`` is left
        out.

        Parameters
        ----------
        path : str or path
            The file; one that is there is replaced in one go, so that a reader never sees half of
            it.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SegkitTypeError
            For a parameter, or something learned, that JSON cannot hold: functions, and clusterers
            other than k-means, k-prototypes and those that are applied by the nearest centre.

        See Also
        --------
        segkit.load : Reads the file.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pandas as pd
        >>> import segkit
        >>> rules = [{"name": "Big", "when": {"column": "monetary", "at_least": 500}}]
        >>> customers = pd.DataFrame({"monetary": [900.0, 40.0]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "rules.json"
        ...     segkit.RuleSegmenter(rules).fit(customers).save(path)
        ...     restored = segkit.load(path)
        >>> restored.predict_segments(customers)
        array(['Big', 'Other'], dtype=object)
        """
        check_is_fitted(self)
        owner = type(self).__name__
        if not isinstance(path, str | os.PathLike):
            raise SegkitTypeError(
                f"{owner}.save: path must be text or a path, got {type(path).__name__}."
            )
        try:
            stored = stored_estimator(self, owner=owner)
        except RecursionError:
            raise SegkitValueError(
                f"{owner}.save: a parameter or what was learned nests too deep, or holds itself."
            ) from None
        write_document(stored, Path(path), owner=owner)


def _positions(read: LearnedState, columns: list[str | int]) -> list[Any] | None:
    """Return where an array has the columns: all of them, or those that were picked by position."""
    if read.of_type("positions", list, type(None)) is None:
        return None
    positions = _columns(read, "positions")
    by_position = read.of_type("feature_names", list, type(None)) is None
    n_columns = len(columns)
    if len(positions) > n_columns or (by_position and len(positions) < n_columns):
        read.refuse("positions", f"those of {n_columns} columns", positions)
    if not all(isinstance(place, int) and place >= 0 for place in positions):
        read.refuse("positions", "whole numbers from 0", positions)
    return positions


def _columns(read: LearnedState, name: str) -> list[str | int]:
    columns: list[str | int] = read.of_type(name, list)
    if not all(type(column) in (str, int) for column in columns):
        read.refuse(name, "a list of names or of positions", columns)
    if len(set(columns)) < len(columns):
        read.refuse(name, "a list of different columns", columns)
    return columns
