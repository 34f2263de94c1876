"""Ledgers as Parquet files: a row per customer, whose days and orders are lists.

Such a file can be read by everything that reads Parquet. The version of the format, the parameters
of the ledger and what does not stand in a row are JSON in the metadata of the schema.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit._input_checks import file_path
from segkit.exceptions import SegkitTypeError, SegkitValueError
from segkit.features._exact_sums import ExactSums
from segkit.features._integer_kernel import Codes
from segkit.features._ledger_part import Clock, LedgerPart
from segkit.features._ledger_totals import DayTotals, OrderStarts
from segkit.features._options import OWNER

_KEY = b"segkit"
_DIGEST_KEY = b"segkit_sha256"  # the data have checksums of their own, and the metadata none
_CLASS = "CustomerLedger"
_FORMAT = 1


def write_ledger(
    path: str | os.PathLike[str],
    part: LedgerPart | None,
    parameters: dict[str, Any],
    batches: tuple[str, ...],
) -> None:
    """Write a ledger; a file that is already there is replaced once the whole is written."""
    pa, pq = _arrow()
    described: dict[str, Any] = {"format": _FORMAT, "class": _CLASS}
    described |= {"parameters": parameters, "batches": list(batches)}
    columns: dict[str, Any] = {}
    if part is not None:
        described |= _described(part)
        columns = _columns_of(part, pa)
    text = json.dumps(described).encode()
    table = pa.table(columns).replace_schema_metadata({_KEY: text, _DIGEST_KEY: _digest(text)})
    target = file_path(path, owner=OWNER)
    partial = target.with_name(f"{target.name}.partial")
    try:
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read_ledger(
    path: str | os.PathLike[str],
) -> tuple[LedgerPart | None, dict[str, Any], tuple[str, ...]]:
    """Read the part, the parameters and the names of batches that a file holds."""
    pa, pq = _arrow()
    file_path(path, owner=OWNER)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            described = _checked(file.schema_arrow.metadata or {}, path)
            table = file.read().combine_chunks()
    except (FileNotFoundError, PermissionError, SegkitValueError):
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path) from error
    try:
        part = _part_of(table, described, pa) if table.num_columns else None
        batches = tuple(map(str, described["batches"]))
        return part, dict(described["parameters"]), batches
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        pa.ArrowException,
    ) as error:
        raise SegkitValueError(
            f"{OWNER}: {_name(path)} lacks something that a ledger of format {_FORMAT} has, such "
            "as a column. Was it written by another program?"
        ) from error


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError(
            "Parquet files of a CustomerLedger need pyarrow: pip install pyarrow"
        ) from None
    return pa, pq


def _checked(metadata: dict[bytes, bytes], path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what the file says of itself, if it is a ledger that this version can read."""
    text = metadata.get(_KEY, b"")
    try:
        described = json.loads(text)
        is_ledger = described["class"] == _CLASS
        version = described["format"]
    except (ValueError, KeyError, TypeError):
        is_ledger = False
    if not is_ledger or not isinstance(version, int):
        raise SegkitValueError(
            f"{OWNER}: {_name(path)} is a Parquet file, and no ledger. Files of ledgers are "
            "written by CustomerLedger.to_parquet."
        )
    if version > _FORMAT:
        raise SegkitValueError(
            f"{OWNER}: {_name(path)} has format {version} of ledgers; this version of segkit reads "
            f"up to {_FORMAT}. Update segkit."
        )
    if metadata.get(_DIGEST_KEY) != _digest(text):
        raise _damaged(path)
    found: dict[str, Any] = described
    return found


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _damaged(path: str | os.PathLike[str]) -> SegkitValueError:
    return SegkitValueError(
        f"{OWNER}: {_name(path)} is no Parquet file, or was truncated or changed."
    )


def _described(part: LedgerPart) -> dict[str, Any]:
    return {
        "n_rows": part.n_rows,
        "first_day": part.first_day,
        "last_day": part.last_day,
        "unit": part.clock.unit,  # seconds, which Parquet does not have, are kept as milliseconds
        "is_date": part.clock.is_date,
        "id_dtype": str(part.ids.dtype),
        "id_kind": part.id_kind,
        "order_id_kind": part.order_id_kind,
        "lowest": [totals.amounts.lowest for totals in (part.orders, part.returns)],
        "n_digits": [len(totals.amounts.digits) for totals in (part.orders, part.returns)],
    }


def _columns_of(part: LedgerPart, pa: Any) -> dict[str, Any]:
    try:
        ids = pa.array(part.ids, from_pandas=True)
        time = pa.array(pd.Series([], dtype=part.clock.dtype)).type
    except (pa.ArrowException, ValueError, TypeError):
        raise SegkitTypeError(
            f"{OWNER}: customer ids of type {part.ids.dtype} or a time zone such as "
            f"{part.clock.zone} have no counterpart in Parquet. Make ids text, for example with "
            "astype(str), and zones those of IANA, for example with dt.tz_convert('Europe/London')."
        ) from None
    n_customers = len(part.ids)
    columns = {"customer_id": ids}
    for name, totals in (("orders", part.orders), ("returns", part.returns)):
        fields = {
            "day": pa.array(totals.days).cast(pa.date32()),
            "rows": pa.array(totals.n_rows),
            "first": pa.array(totals.first).cast(time),
            "last": pa.array(totals.last).cast(time),
        }
        for place, digits in enumerate(totals.amounts.digits):
            fields[f"digit_{place}"] = pa.array(digits)
        columns[name] = _lists(fields, totals.codes, n_customers, pa)
    starts = part.order_starts
    if starts is not None:
        fields = {
            "key": pa.array(starts.keys),
            "day": pa.array(starts.days).cast(pa.date32()),
            "first": pa.array(starts.instants).cast(time),
        }
        columns["order_ids"] = _lists(fields, starts.codes, n_customers, pa)
    return columns


def _lists(fields: dict[str, Any], codes: Codes, n_customers: int, pa: Any) -> Any:
    """Return a list of records for each customer."""
    ends = np.cumsum(np.bincount(codes, minlength=n_customers))
    records = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    return pa.LargeListArray.from_arrays(np.concatenate([[0], ends]), records)


def _part_of(table: Any, described: dict[str, Any], pa: Any) -> LedgerPart:
    ids = table["customer_id"].to_pandas().astype(described["id_dtype"])
    zone = table["orders"].type.value_type.field("first").type.tz
    time = pa.timestamp(described["unit"], zone)
    dtype: Any = time.to_pandas_dtype() if zone else None
    digits = zip(described["lowest"], described["n_digits"], strict=True)
    orders, returns = (
        _totals_of(table[name], time, lowest, n_digits, pa)
        for name, (lowest, n_digits) in zip(("orders", "returns"), digits, strict=True)
    )
    starts = None
    if described["parameters"]["order_id"] is not None:
        codes, records = _records(table["order_ids"])
        starts = OrderStarts(
            codes,
            records.field("key").to_numpy(),
            _days(records, pa),
            _integers(records.field("first"), time, pa),
        )
    return LedgerPart(
        ids,
        Clock(time.unit, None if dtype is None else dtype.tz, bool(described["is_date"])),
        int(described["n_rows"]),
        int(described["first_day"]),
        int(described["last_day"]),
        orders,
        returns,
        starts,
        described["id_kind"],
        described["order_id_kind"],
    )


def _totals_of(column: Any, time: Any, lowest: int, n_digits: int, pa: Any) -> DayTotals:
    codes, records = _records(column)
    digits = [records.field(f"digit_{place}").to_numpy() for place in range(n_digits)]
    return DayTotals(
        codes,
        _days(records, pa),
        records.field("rows").to_numpy(),
        _integers(records.field("first"), time, pa),
        _integers(records.field("last"), time, pa),
        ExactSums(np.stack(digits), int(lowest)),
    )


def _records(column: Any) -> tuple[Codes, Any]:
    """Return the records of all customers, and the code of each record."""
    lists = column.combine_chunks()
    lengths = lists.value_lengths().to_numpy()
    return np.repeat(np.arange(len(lists)), lengths), lists.flatten()


def _days(records: Any, pa: Any) -> NDArray[np.int32]:
    days: NDArray[np.int32] = records.field("day").cast(pa.int32()).to_numpy()
    return days


def _integers(instants: Any, time: Any, pa: Any) -> NDArray[np.int64]:
    integers: NDArray[np.int64] = instants.cast(time).cast(pa.int64()).to_numpy()
    return integers


def _name(path: str | os.PathLike[str]) -> str:
    return repr(Path(path).name)
