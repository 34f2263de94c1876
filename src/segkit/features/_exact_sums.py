"""Sums of floats that no order of the terms, and no split into batches, can change.

A superaccumulator (Kulisch 1981; Neal 2015, "Fast exact summation using small and large
superaccumulators"): a float is a whole number of the smallest unit that occurs. It is written in
digits of 32 bits, and the digits are added as integers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit.features._integer_kernel import Floats, Integers

_BITS = 32  # of a digit; int64 holds the sum of 2^31 of them
_HALF = 1 << (_BITS - 1)
# From this place on, a digit alone may be more than a float can hold.
_HIGHEST_PLACE = 31


@dataclass(frozen=True)
class ExactSums:
    """One sum per column: the total of ``digits[i] * 2 ** (32 * (lowest + i))``."""

    digits: NDArray[np.int64]
    lowest: int

    @classmethod
    def of(cls, amounts: Floats) -> ExactSums:
        """Write finite amounts in digits; each is a sum of one term."""
        largest = float(np.abs(amounts).max(initial=0.0))
        place = (int(np.frexp(largest)[1]) - 1) // _BITS
        rest, digits = amounts.copy(), []
        while rest.any():
            digit = np.trunc(np.ldexp(rest, -_BITS * place))
            rest -= np.ldexp(digit, _BITS * place)  # exact: what is left are lower bits of the same
            digits.append(digit.astype(np.int64))
            place -= 1
        if not digits:
            return cls(np.zeros((1, amounts.size), dtype=np.int64), 0)
        return cls(np.stack(digits[::-1]), place + 1)

    def take(self, places: Any) -> ExactSums:
        """Return some of the sums, in another order or by a mask."""
        return ExactSums(self.digits[:, places], self.lowest)

    def by_group(self, starts: Integers) -> ExactSums:
        """Add up neighbours: those from one start to the next."""
        return ExactSums(np.add.reduceat(self.digits, starts, axis=1), self.lowest)

    def at(self, places: Integers, size: int) -> ExactSums:
        """Add each sum to that of its place among `size`, which begin at zero."""
        digits = np.zeros((len(self.digits), size), dtype=np.int64)
        for own, into in zip(self.digits, digits, strict=True):
            np.add.at(into, places, own)
        return ExactSums(digits, self.lowest)

    def plus(self, other: ExactSums) -> ExactSums:
        """Add sums one by one."""
        one, two = self.aligned(other)
        return ExactSums(one.digits + two.digits, one.lowest)

    def aligned(self, other: ExactSums) -> tuple[ExactSums, ExactSums]:
        """Return both with digits at the same places, zero where there are none."""
        lowest, highest = min(self.lowest, other.lowest), max(self._highest, other._highest)
        one, two = (ExactSums(sums._between(lowest, highest), lowest) for sums in (self, other))
        return one, two

    def as_floats(self) -> Floats:
        """Return the sums as floats: the nearest, or where it is a near tie, its neighbour."""
        digits = np.vstack([self.digits, np.zeros_like(self.digits[:1])])
        for low, high in itertools.pairwise(digits):
            carry = (low + _HALF) >> _BITS
            low -= carry << _BITS
            high += carry
        # What may be beyond a float until lower digits are subtracted is added further down.
        is_huge = digits[max(_HIGHEST_PLACE - self.lowest, 0) :].any(axis=0)
        shift = np.where(is_huge, 2 * _BITS, 0)
        total, rest = np.zeros((2, digits.shape[1]))
        for row in reversed(range(len(digits))):
            exponent = _BITS * (self.lowest + row) - shift
            total, error = _sum_and_error(total, np.ldexp(digits[row].astype(np.float64), exponent))
            rest += error
        with np.errstate(over="ignore"):  # infinite sums are an error of their own
            floats: Floats = np.ldexp(total + rest, shift)
        return floats

    @property
    def _highest(self) -> int:
        return self.lowest + len(self.digits) - 1

    def _between(self, lowest: int, highest: int) -> NDArray[np.int64]:
        if (lowest, highest) == (self.lowest, self._highest):
            return self.digits
        return np.pad(self.digits, ((self.lowest - lowest, highest - self._highest), (0, 0)))


def _sum_and_error(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return the rounded sum, and what rounding took from it (Knuth's TwoSum)."""
    total = one + other
    part = total - one
    return total, (one - (total - part)) + (other - part)
