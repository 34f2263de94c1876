"""Customer ids as codes from 0: numbers by their distance, everything else by a hash table.

The table for whole numbers is filled and read in vectorised passes, with multiplicative hashing
(Knuth 1973, *The Art of Computer Programming* 3, section 6.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segkit.exceptions import SegkitTypeError
from segkit.features._integer_kernel import Codes, Integers
from segkit.features._options import OWNER

# Below, pandas' own hash table is as fast.
_MANY_ROWS = 100_000
# A table of 32 MB; more slots would cost more in reading than they save in collisions.
_MOST_SLOT_BITS = 22
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_WIDEST_TEXT = 32


class CustomerCodes:
    """The code of each row's customer, and the customers in the order of their ids.

    Not every code needs to have a customer.
    """

    codes: Codes
    n_codes: int

    def __init__(self, ids: pd.Series[Any]) -> None:
        self._dtype = ids.dtype
        self._array: Any = None
        if ids.dtype.kind in "iu" and self._is_dense(ids):
            numbers = ids.to_numpy(dtype=np.int64)
            self.codes = numbers - self._first if self._first else numbers
            return
        words = _words_of_text(ids) if len(ids) >= _MANY_ROWS else None
        if words is None:
            is_int64 = isinstance(ids.dtype, np.dtype) and ids.dtype == np.int64
            found = _numbered_integers(ids.to_numpy()) if is_int64 else numbered(ids)
            self.codes, self._array = found
            self._row: Any = np.arange(len(self._array))
            self.n_codes = len(self._array)
        else:
            self.codes, self.n_codes = _codes_of_words(words)
            self._array = ids.array
            self._row = np.zeros(self.n_codes, dtype=np.intp)
            self._row[self.codes] = np.arange(len(ids))

    def _is_dense(self, ids: pd.Series[Any]) -> bool:
        """Tell whether numbers leave so few gaps that they, from the first on, can be codes."""
        numbers = ids.to_numpy()
        first, last = int(numbers.min()), int(numbers.max())
        most = len(ids) + 1_000
        self._first = 0 if first >= 0 and last < most else first
        self.n_codes = last - self._first + 1
        return self.n_codes <= most and last < 2**63

    def in_order(self, present: NDArray[np.bool_]) -> tuple[Integers, pd.Series[Any]]:
        """Return the codes that are present, in the order of their ids, and these ids."""
        codes = np.flatnonzero(present)
        if self._array is None:
            return codes, pd.Series(codes + self._first).astype(self._dtype)
        ids = self._array.take(self._row[codes])
        order = ids.argsort()
        return codes[order], pd.Series(ids.take(order)).astype(self._dtype)


def numbered(ids: pd.Series[Any]) -> tuple[NDArray[np.intp], Any]:
    """Return the number of each id, -1 where it is missing, and the distinct ids."""
    array: Any = ids.to_numpy() if isinstance(ids.dtype, np.dtype) else ids.array
    arrow: Any = getattr(ids.dtype, "pyarrow_dtype", None)
    if str(arrow).startswith("dictionary"):  # which Arrow does not sort
        array = array.astype(pd.ArrowDtype(arrow.value_type))
    try:
        return pd.factorize(array)
    except (TypeError, NotImplementedError):  # lists and others without a hash
        raise SegkitTypeError(
            f"{OWNER}: column {ids.name!r} must hold ids, such as numbers or text, got "
            f"{ids.dtype}. Make them text, for example with astype(str)."
        ) from None


def _numbered_integers(integers: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the number of each integer and the distinct integers, by an exact hash table.

    Every integer is written into its slot. Where several share one, the last that was written owns
    it; the rows of the others find another integer there and are numbered apart.
    """
    if integers.size < _MANY_ROWS:
        return pd.factorize(integers)
    bits = min(int(integers.size).bit_length(), _MOST_SLOT_BITS)
    slots = integers.view(np.uint64) * _MULTIPLIER
    slots >>= np.uint64(64 - bits)
    places = slots.view(np.int64)
    owners = np.zeros(1 << bits, dtype=np.int64)
    owners[places] = integers
    elsewhere = np.flatnonzero(owners[places] != integers)
    if elsewhere.size > integers.size // 4:  # more distinct integers than there is room for
        return pd.factorize(integers)
    is_owned = np.zeros(owners.size, dtype=bool)
    is_owned[places] = True
    number_of_slot = np.cumsum(is_owned, dtype=np.int64) - 1
    numbers = number_of_slot[places]
    distinct = owners[is_owned]
    if elsewhere.size:
        others, further = pd.factorize(integers[elsewhere])
        numbers[elsewhere] = others + distinct.size
        distinct = np.concatenate([distinct, further])
    return numbers, distinct


def _words_of_text(ids: pd.Series[Any]) -> list[NDArray[np.int64]] | None:
    """Return texts of one width as whole numbers, eight bytes each; None where they are not such.

    Comparing whole numbers takes a third of the time of comparing texts. The bytes are read where
    Arrow has them: one text behind the other, with the place where each begins.
    """
    if not isinstance(ids.dtype, pd.StringDtype) or ids.dtype.storage != "pyarrow":
        return None
    chunks = ids.array.__arrow_array__()
    texts = chunks.combine_chunks()
    if str(texts.type) not in ("string", "large_string") or not hasattr(texts, "buffers"):
        return None
    _, starts, data = texts.buffers()
    offset_type = np.int64 if "large" in str(texts.type) else np.int32
    offsets = np.frombuffer(starts, dtype=offset_type)[texts.offset : texts.offset + len(texts) + 1]
    width = int(offsets[1] - offsets[0])
    if not 0 < width <= _WIDEST_TEXT or not (np.diff(offsets) == width).all():
        return None
    read = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
    if width < 8:
        read = np.append(read, np.zeros(8, dtype=np.uint8))
    words = []
    for byte in range(0, width, 8):
        first = max(min(byte, width - 8), 0)
        view: Any = np.ndarray(
            (len(texts),), dtype="<i8", buffer=read, offset=first, strides=(width,)
        )
        # What was read beyond the text, or before, is shifted out.
        word = np.ascontiguousarray(view)
        if width < 8:
            word &= (1 << 8 * width) - 1
        elif byte > first:
            word >>= 8 * (byte - first)
        words.append(word)
    return words


def _codes_of_words(words: list[NDArray[np.int64]]) -> tuple[Codes, int]:
    """Return a code for each combination of words, and a bound of the codes."""
    codes, distinct = _numbered_integers(words[0])
    n_codes = len(distinct)
    for word in words[1:]:
        next_codes, distinct = _numbered_integers(word)
        codes = codes * len(distinct) + next_codes
        n_codes *= len(distinct)
        if n_codes > len(codes):
            codes, distinct = _numbered_integers(codes)
            n_codes = len(distinct)
    return codes, n_codes
