"""Rows by customer: counts, sums, extremes and distinct values, in counting passes over integers.

A general group-by finds the group of each row for every aggregate. Here customers are codes from
0, so a group is a place in an array: sums are ``add.at``, extremes ``minimum.at``. Only distinct
values need more. The days of a log in the order of time are counted slice by slice; what is in no
order is packed with its code into one integer and sorted, so that equal pairs lie side by side.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.intp]
Integers: TypeAlias = NDArray[np.integer[Any]]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class RowsByCustomer:
    """Rows, each with the code of its customer; every result has a place for each code."""

    codes: Codes
    n_codes: int

    @cached_property
    def counts(self) -> Integers:
        """Number of rows."""
        return np.bincount(self.codes, minlength=self.n_codes)

    def sums(self, values: Floats) -> Floats:
        """Sums of a value per row."""
        summed = np.zeros(self.n_codes)
        with np.errstate(over="ignore"):  # infinite sums are an error of their own
            np.add.at(summed, self.codes, values)
        return summed

    def extremes(self, values: Integers) -> tuple[Integers, Integers]:
        """Smallest and largest of a value per row; where there is no row, the other way round."""
        limits = np.iinfo(values.dtype)
        smallest = np.full(self.n_codes, limits.max, dtype=values.dtype)
        largest = np.full(self.n_codes, limits.min, dtype=values.dtype)
        np.minimum.at(smallest, self.codes, values)
        np.maximum.at(largest, self.codes, values)
        return smallest, largest

    def n_slices(self, bounds: Integers) -> Integers:
        """Number of slices of the rows, each from one bound to the next, with at least one row."""
        # The smaller the array, the more of it the processor's cache holds.
        counted = np.zeros(self.n_codes, dtype=np.min_scalar_type(bounds.size + 1))
        for codes in np.split(self.codes, bounds):
            # Plain assignment does not accumulate: a customer's second row of a slice adds nothing.
            so_far = counted[codes]
            so_far += 1
            counted[codes] = so_far
        return counted.astype(np.int64)

    def distinct(self, values: Integers) -> Integers:
        """Number of distinct values, of whole numbers from 0."""
        bits = int(values.max()).bit_length()
        pairs = self.codes << bits
        pairs |= values
        pairs.sort()
        repeated = pairs[1:][pairs[1:] == pairs[:-1]]
        return self.counts - np.bincount(repeated >> bits, minlength=self.n_codes)
