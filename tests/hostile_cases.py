"""Hypothesis strategies of hostile input: good tables, spoiled, in containers of every kind."""

import copy
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse

from frames import as_kind
from hostile_frames import COLUMN_FAULTS, FRAME_FAULTS


@dataclass(frozen=True, repr=False)
class Case:
    """A hostile input: what is passed in, and how it came to be."""

    given: Any
    good: pd.DataFrame
    container: str
    faults: tuple[tuple[str, str, int], ...]

    def __repr__(self) -> str:
        """Return how to make it again, without a row of it."""
        return f"<{len(self.good)} good rows as {self.container}, with {self.faults}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _read_only(frame: pd.DataFrame) -> np.ndarray:
    array = frame.to_numpy().copy()
    array.flags.writeable = False
    return array


def _masked(frame: pd.DataFrame) -> np.ma.MaskedArray:
    array = frame.to_numpy(dtype=float)
    return np.ma.masked_array(array, mask=np.indices(array.shape).sum(axis=0) % 7 == 3)


def _as_polars_objects(frame: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {name: pl.Series(name, frame[name].tolist(), dtype=pl.Object) for name in frame.columns}
    )


def _sparse_frame(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(pd.SparseDtype(float))


FRAME_CONTAINERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "pandas arrow": lambda frame: as_kind(frame, "pandas arrow"),
    "polars": lambda frame: as_kind(frame, "polars"),
    "polars lazy": lambda frame: as_kind(frame, "polars lazy"),
    "pyarrow": lambda frame: as_kind(frame, "pyarrow"),
    "duckdb": lambda frame: as_kind(frame, "duckdb"),
}
ODD_CONTAINERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "polars objects": _as_polars_objects,
    "nullable": lambda frame: frame.convert_dtypes(),
    "sparse frame": _sparse_frame,
    "record batch": lambda frame: as_kind(frame, "pyarrow").to_batches()[0],
    "dict": lambda frame: frame.to_dict("list"),
    "records": lambda frame: frame.to_dict("records"),
    "tuples": lambda frame: list(frame.itertuples(index=False)),
    "lists": lambda frame: frame.to_numpy().tolist(),
    "ragged lists": lambda frame: [
        [*row, 0][: 2 + place % 2] for place, row in enumerate(frame.to_numpy().tolist())
    ],
    "series": lambda frame: frame.iloc[:, 0],
    "polars series": lambda frame: as_kind(frame, "polars").to_series(0),
    "index": lambda frame: frame.index,
    "array": lambda frame: frame.to_numpy(),
    "read-only array": _read_only,
    "column-major array": lambda frame: np.asfortranarray(frame.to_numpy()),
    "object array": lambda frame: frame.to_numpy(dtype=object),
    "text array": lambda frame: frame.to_numpy(dtype=str),
    "masked array": _masked,
    "structured array": lambda frame: frame.to_records(index=False),
    "float16 array": lambda frame: frame.to_numpy(dtype=np.float16),
    "long double array": lambda frame: frame.to_numpy(dtype=np.longdouble),
    "complex array": lambda frame: frame.to_numpy(dtype=complex),
    "big-endian array": lambda frame: frame.to_numpy(dtype=">f8"),
    "strided array": lambda frame: np.repeat(frame.to_numpy(), 2, axis=0)[::2],
    "one dimension": lambda frame: frame.to_numpy().ravel(),
    "three dimensions": lambda frame: frame.to_numpy()[None],
    "no dimension": lambda frame: np.array(frame.iloc[0, 0]),
    "transposed array": lambda frame: frame.to_numpy().T,
    "sparse matrix": lambda frame: scipy.sparse.csr_matrix(frame.to_numpy(dtype=float)),
    "sparse array": lambda frame: scipy.sparse.coo_array(frame.to_numpy(dtype=float)),
    "generator": lambda frame: (row for row in frame.to_numpy()),
    "None": lambda frame: None,
    "text": lambda frame: "customers.csv",
    "number": lambda frame: 7,
    "class": lambda frame: pd.DataFrame,
    "function": lambda frame: frame.copy,
}
CONTAINERS = FRAME_CONTAINERS | ODD_CONTAINERS


@st.composite
def cases(
    draw: Any,
    goods: Sequence[pd.DataFrame],
    columns: Sequence[str],
    *,
    most_faults: int = 2,
    containers: Sequence[str] = tuple(CONTAINERS),
    numbers_only: Sequence[str] = (),
) -> Case:
    """Draw a good table, faults of its `columns` or of the whole, and a container.

    What a fault or a container cannot be made of is drawn again.
    """
    good = draw(st.sampled_from(goods))
    is_frame = draw(st.integers(0, 3)) > 0
    among = [name for name in containers if (name in FRAME_CONTAINERS) == is_frame]
    container = draw(st.sampled_from(among or list(containers)))
    kind_of_fault = st.sampled_from([*COLUMN_FAULTS] * 2 + [*FRAME_FAULTS])
    faults = draw(
        st.lists(
            st.tuples(kind_of_fault, st.sampled_from(columns), st.integers(0, 9)),
            min_size=0 if container in ODD_CONTAINERS else 1,
            max_size=most_faults,
        )
    )
    frame = good if is_frame else good[[*(numbers_only or columns)]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = CONTAINERS[container](spoiled(frame, faults))
    except Exception:  # such a frame does not exist
        hypothesis.reject()
    return Case(given, good, container, tuple(faults))


def spoiled(frame: pd.DataFrame, faults: Sequence[tuple[str, str, int]]) -> pd.DataFrame:
    """Return a copy of a frame with these faults, one after the other."""
    frame = copy.deepcopy(frame)
    for fault, column, seed in faults:
        if fault in FRAME_FAULTS:
            frame = FRAME_FAULTS[fault](frame, column, seed)
        else:
            frame[column] = COLUMN_FAULTS[fault](frame[column], seed)
    return frame
