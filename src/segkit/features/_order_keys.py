"""Ids across batches: of plain types, of one kind, and order ids as whole numbers."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import SegkitTypeError
from segkit.features._customer_codes import numbered
from segkit.features._options import OWNER

_KINDS = {
    "string": "text",
    "empty": "nothing",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "boolean": "numbers",
}


def plain_ids(ids: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return ids that are not missing in pandas' own types, categories as their values."""
    if isinstance(ids.dtype, pd.ArrowDtype):
        array: Any = ids.array
        name, index = ids.name, ids.index
        ids = array.__arrow_array__().to_pandas()
        ids.name, ids.index = name, index
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = ids.astype(ids.dtype.categories.dtype)
    return ids


def kind_of_ids(ids: "pd.Series[Any]") -> str | None:
    """Return what ids are, in a word, so that those of two batches can be compared; None: unknown.

    1 and 1.0 are the same id, and so are texts however they are kept.
    """
    if not len(ids):
        return None
    if pd.api.types.is_numeric_dtype(ids.dtype) and ids.dtype.kind != "c":
        return "numbers"
    kind = pd.api.types.infer_dtype(ids, skipna=True)
    return _KINDS.get(kind, kind)


def order_keys(order_ids: "pd.Series[Any]", kind: str | None) -> NDArray[np.int64]:
    """Return a whole number for each order id: itself, or a hash of 64 bits.

    A key is compared within a customer only. Of a customer with 10,000 orders, two texts share a
    hash with a probability of 3 in 10^12.
    """
    if kind is None:
        return np.zeros(0, dtype=np.int64)
    if kind == "numbers":
        return _number_keys(order_ids)
    codes, distinct = numbered(order_ids)
    texts = pd.Series(distinct)
    if kind != "text":
        texts = texts.astype(str)
    hashed = pd.util.hash_array(texts.to_numpy(dtype=object), categorize=False)
    return hashed.view(np.int64)[codes]


def check_order(ids: "pd.Series[Any]", kind: str | None) -> None:
    """Raise for ids that cannot be sorted, such as intervals of months."""
    if kind in ("numbers", "text", None):
        return
    try:
        ids.repeat(2).argsort()  # of one id alone, nothing would be compared
    except TypeError:
        raise SegkitTypeError(
            f"{OWNER}: column {ids.name!r} must hold ids that have an order, such as numbers or "
            f"text, got {kind}. Make them text, for example with astype(str)."
        ) from None


def _number_keys(numbers: "pd.Series[Any]") -> NDArray[np.int64]:
    """Return whole numbers as they are, and the bits of others."""
    values = numbers.to_numpy()
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    if values.dtype == object:
        values = pd.to_numeric(numbers).to_numpy()
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    floats = values.astype(np.float64)
    is_whole = (np.floor(floats) == floats) & (np.abs(floats) < 2.0**63)
    whole = np.where(is_whole, floats, 0.0).astype(np.int64)
    return np.where(is_whole, whole, floats.view(np.int64))
