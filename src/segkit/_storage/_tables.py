"""Small pandas tables as plain fields, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segkit.exceptions import SegmenterFileError


def stored_table(table: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and the fields of a table; None where it holds what has no place in them."""
    if type(table) is pd.DataFrame:
        data = [_stored_values(table.iloc[:, place]) for place in range(table.shape[1])]
        axes = {"columns": _stored_axis(table.columns), "index": _stored_axis(table.index)}
        fields: dict[str, Any] = {**axes, "data": data, "attrs": dict(table.attrs)}
        is_complete = not any(part is None for part in (*axes.values(), *data))
        return ("frame", fields) if is_complete else None
    if type(table) is pd.Series:
        values, index = _stored_values(table), _stored_axis(table.index)
        if values is None or index is None:
            return None
        return "series", {"name": table.name, "index": index, "values": values}
    if isinstance(table, pd.Index):
        axis = _stored_axis(table)
        return None if axis is None else ("index", axis)
    return None


@dataclass(frozen=True)
class PlainTable:
    """A table as its fields, for writers that know no tables of pandas."""

    kind: str
    fields: dict[str, Any]

    def read(self) -> Any:
        """Return the table."""
        return _READERS[self.kind](self.fields, "state")


def with_plain_tables(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an object, in which tables are plain."""
    return {name: _plain(value) for name, value in state.items()}


def with_tables(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an object, in which plain tables are tables."""
    return {
        name: value.read() if isinstance(value, PlainTable) else value
        for name, value in state.items()
    }


def _plain(value: Any) -> Any:
    stored = stored_table(value)
    return value if stored is None else PlainTable(*stored)


def read_frame(fields: dict[str, Any], where: str) -> pd.DataFrame:
    """Return a table of its fields."""
    columns, index = _read_axis(fields["columns"], where), _read_axis(fields["index"], where)
    data = [_read_values(values, where) for values in fields["data"]]
    if len(data) != len(columns) or any(len(column) != len(index) for column in data):
        raise SegmenterFileError(f"{where}: a table has columns of other lengths than its index.")
    frame = pd.DataFrame(dict(enumerate(data)), index=index)
    frame.columns = columns
    frame.attrs = dict(fields["attrs"])
    return frame


def read_series(fields: dict[str, Any], where: str) -> pd.Series[Any]:
    """Return a column of its fields."""
    values, index = _read_values(fields["values"], where), _read_axis(fields["index"], where)
    return pd.Series(values, index=index, name=fields["name"])


def read_index(fields: dict[str, Any], where: str) -> pd.Index[Any]:
    """Return an index of its fields."""
    return _read_axis(fields, where)


def _stored_values(values: pd.Series[Any] | pd.Index[Any]) -> Any:
    """Return an array, or a list of text; None for other types of columns."""
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    if isinstance(values.dtype, pd.StringDtype) and not values.isna().any():
        return values.tolist()
    return None


def _read_values(values: Any, where: str) -> Any:
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return pd.Series(values, dtype="str").array
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values
    raise SegmenterFileError(f"{where}: a column is an array with one axis, or a list of text.")


def _stored_axis(axis: pd.Index[Any]) -> dict[str, Any] | None:
    if isinstance(axis, pd.MultiIndex):
        levels = [_stored_values(axis.get_level_values(place)) for place in range(axis.nlevels)]
        is_complete = not any(values is None for values in levels)
        return {"names": list(axis.names), "levels": levels} if is_complete else None
    if isinstance(axis, pd.RangeIndex):
        return {"name": axis.name, "range": [axis.start, axis.stop, axis.step]}
    values = _stored_values(axis)
    return None if values is None else {"name": axis.name, "values": values}


def _read_axis(fields: Any, where: str) -> pd.Index[Any]:
    if "levels" in fields:
        levels = [_read_values(values, where) for values in fields["levels"]]
        return pd.MultiIndex.from_arrays(levels, names=fields["names"])
    if "range" in fields:
        start, stop, step = fields["range"]
        return pd.RangeIndex(start, stop, step, name=fields["name"])
    axis: pd.Index[Any] = pd.Index(_read_values(fields["values"], where), name=fields["name"])
    return axis


_READERS = {"frame": read_frame, "series": read_series, "index": read_index}
