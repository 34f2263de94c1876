"""Columns of any type as numbers that clusterers can compare."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype
from scipy.stats import skew

from segkit._warn import warn
from segkit.exceptions import SegkitTypeError, SegkitValueError, SegkitWarning

Floats: TypeAlias = NDArray[np.float64]

_OWNER = "ClusterSegmenter"
# From this skewness on the logarithm is taken, if it is less skewed.
_SKEWED = 1.0
# With more of them below 0, the bend of the signed logarithm at 0 would lie among most customers.
_FEW = 0.1
# Levels with a smaller share of the customers are pooled.
_RARE = 0.01
# Spreads of no more than so much beside the largest value are those of sums of floats.
_ROUNDING = 1e-12
_OTHER, _MISSING = "other", "missing"
# Text of so many different values, and of so large a share of the rows, tells customers apart and
# not kinds of customers.
_MANY_LEVELS, _NEAR_UNIQUE = 20, 0.5
# Day, month and year in any order, or the beginning of a timestamp; neither "18-25" nor
# "10.0.0.1" is one.
_DATE = r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}($|[T ])"
# "id", "customer_id", "CustomerID", but not "paid".
_ID = r"(^|[^A-Za-z])(id|ID|Id)$|[a-z](ID|Id)$"
# Numbers of numpy, as rows of a frame have them.
_ONE_NUMBER = np.integer | np.floating | np.bool_ | bool
# What pandas would read as numbers, and is none.
_NO_CATEGORIES = {"mixed", "mixed-integer", "bytes", "time", "complex"}
_NO_NUMBERS = {
    *("string", "mixed", "mixed-integer", "complex"),
    *("datetime", "datetime64", "date", "timedelta", "timedelta64"),
}


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: filled, unskewed and standardised; 0 / 1 for a boolean."""

    kind: ClassVar[str] = "number"

    name: str | int
    median: float
    is_logarithm: bool
    mean: float
    scale: float
    has_missing: bool
    is_boolean: bool = False
    levels: tuple[Any, ...] = ()
    is_plain: bool = True

    @classmethod
    def of(
        cls,
        name: str | int,
        column: pd.Series[Any],
        *,
        is_boolean: bool = False,
        levels: tuple[Any, ...] = (),
    ) -> NumberColumn:
        """Learn from a column; `levels` are those of ordered categories.

        It is plain where the column itself holds numbers, as a query engine needs them.
        """
        # Sorted, so that the order of the rows does not change the last digit of a mean.
        values = np.sort(numbers_of(name, column, levels))
        missing = np.isnan(values)
        median = float(np.median(values[~missing]))
        filled = np.where(missing, median, values)
        has_missing, is_logarithm = bool(missing.any()), False
        if not is_boolean and np.ptp(_scaled(filled)) > 0 and (filled < 0).mean() <= _FEW:
            skewness = abs(float(skew(_scaled(filled))))
            is_logarithm = _SKEWED <= skewness > abs(float(skew(signed_log(filled))))
        filled = signed_log(filled) if is_logarithm else filled
        mean, scale = (0.0, 1.0) if is_boolean else _mean_and_scale(filled)
        if not scale and has_missing:
            scale = 1.0  # Only that it is missing tells customers apart.
        is_plain = is_numeric_dtype(column.dtype) and not is_bool_dtype(column.dtype)
        return cls(
            name, median, is_logarithm, mean, scale, has_missing, is_boolean, levels, is_plain
        )

    @property
    def is_constant(self) -> bool:
        """Whether there is nothing to tell customers apart by."""
        return self.scale == 0

    @property
    def features(self) -> list[str]:
        """Names of what becomes of it."""
        return [str(self.name), *([f"{self.name}_missing"] if self.has_missing else [])]

    @property
    def treatment(self) -> str:
        """What is done, in words."""
        steps = ["ranks of the categories"] if self.levels else []
        steps += [f"missing as {self.median:.4g}, and told apart"] if self.has_missing else []
        steps += ["signed logarithm"] if self.is_logarithm else []
        steps += ["0 or 1"] if self.is_boolean else ["standardised"]
        return ", ".join(steps)

    def transform(self, column: pd.Series[Any]) -> list[Floats]:
        """Return its features."""
        values = numbers_of(self.name, column, self.levels)
        missing = np.isnan(values)
        filled = np.where(missing, self.median, values)
        filled = signed_log(filled) if self.is_logarithm else filled
        features = [(filled - self.mean) / self.scale]
        return [*features, missing.astype(np.float64)] if self.has_missing else features

    def append_one(self, value: Any, features: list[float]) -> bool:
        """Append the features of one value; False where it takes a frame to tell what it is."""
        if self.levels:
            value = self._ranks.get(value)
        is_missing = value is None
        if is_missing:
            value = self.median
        elif type(value) is not float and type(value) is not int:
            if isinstance(value, np.timedelta64) or not isinstance(value, _ONE_NUMBER):
                return False
            value = float(value)
        if value != value:
            is_missing, value = True, self.median
        if value - value != 0:
            return False
        if self.is_logarithm:
            value = math.copysign(math.log1p(abs(value)), value)
        features.append((value - self.mean) / self.scale)
        if self.has_missing:
            features.append(1.0 if is_missing else 0.0)
        return True

    @cached_property
    def _ranks(self) -> dict[Any, int]:
        return {level: rank for rank, level in enumerate(self.levels)}


@dataclass(frozen=True)
class LevelColumn:
    """A column of categories: a number for each level, which together weigh as one column."""

    kind: ClassVar[str] = "categories"

    name: str | int
    levels: tuple[str, ...]
    scale: float
    is_constant: bool = False

    @classmethod
    def of(cls, name: str | int, texts: pd.Series[Any]) -> LevelColumn:
        """Learn from text, `_MISSING` where one is missing."""
        shares = texts.value_counts(normalize=True)
        _refuse_ids(name, texts, shares)
        rare = shares.index[shares < _RARE]
        if len(rare) == len(shares):
            raise SegkitValueError(
                f"{_OWNER}: column {name!r} has {len(shares):,} texts, none of which {_RARE:.0%} "
                "of the customers have. Group them into fewer, or leave the column out."
            )
        if len(rare) > 1:
            texts = texts.where(~texts.isin(rare), _OTHER)
            shares = texts.value_counts(normalize=True)
        levels = tuple(sorted(map(str, shares.index)))
        # The variances of the levels' indicators add up to that of a standardised number.
        spread = float((shares * (1 - shares)).sum())
        scale = 1 / float(np.sqrt(spread)) if spread > 0 else 1.0
        return cls(name, levels, scale, len(levels) < 2)

    @property
    def features(self) -> list[str]:
        """Names of what becomes of it."""
        return [f"{self.name}_{level}" for level in self.levels]

    @property
    def treatment(self) -> str:
        """What is done, in words."""
        pooled = ", rare levels pooled" if _OTHER in self.levels else ""
        return f"one-hot, {len(self.levels)} levels{pooled}"

    def transform(self, column: pd.Series[Any]) -> list[Floats]:
        """Return its features; a level not seen in fit is `other`, or none."""
        texts = _texts_of(self.name, column)
        known = texts.where(texts.isin(self.levels), _OTHER).to_numpy(dtype=object)
        return [(known == level).astype(np.float64) * self.scale for level in self.levels]

    def append_one(self, value: Any, features: list[float]) -> bool:
        """Append the features of one value; False where it takes a frame to tell what it is."""
        if type(value) is str:
            text = value
        elif value is None or (type(value) is float and value != value):
            text = _MISSING
        elif isinstance(value, bool | int | _ONE_NUMBER):
            text = _text(value)
        else:
            return False
        features.extend(self._features.get(text, self._features_of_others))
        return True

    @cached_property
    def _features(self) -> dict[str, list[float]]:
        return {
            level: [self.scale if level == other else 0.0 for other in self.levels]
            for level in self.levels
        }

    @cached_property
    def _features_of_others(self) -> list[float]:
        return self._features.get(_OTHER, [0.0] * len(self.levels))


Column: TypeAlias = NumberColumn | LevelColumn


class ClusterPreprocessing:
    """What is done with each column before clustering."""

    def __init__(self, columns: Sequence[Column], dropped: Sequence[str | int]) -> None:
        self.columns = list(columns)
        self.dropped = list(dropped)

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """Learn from a table."""
        kept: list[Column] = []
        dropped: list[str | int] = []
        for name in table.columns:
            column = _learned(name, table[name])
            if column is None or column.is_constant:
                dropped.append(name)
            else:
                kept.append(column)
        if not kept:
            raise SegkitValueError(
                f"{_OWNER}: all of the columns {dropped} are constant or empty; there is nothing "
                "to tell customers apart by."
            )
        if dropped:
            warn(
                f"{_OWNER}: the columns {dropped} are constant or empty and are left out.",
                SegkitWarning,
            )
        return cls(kept, dropped)

    @property
    def features(self) -> list[str]:
        """Names of the numbers that clusterers get."""
        return [feature for column in self.columns for feature in column.features]

    @property
    def categories(self) -> list[slice]:
        """Which of these numbers hold the levels of a category."""
        ends = np.cumsum([len(column.features) for column in self.columns])
        return [
            slice(int(end) - len(column.features), int(end))
            for column, end in zip(self.columns, ends, strict=True)
            if isinstance(column, LevelColumn)
        ]

    @property
    def summary(self) -> pd.DataFrame:
        """A row a column: its kind, what is done, and how many numbers become of it."""
        rows = [
            (column.name, column.kind, column.treatment, len(column.features))
            for column in self.columns
        ]
        rows += [(name, "constant", "left out", 0) for name in self.dropped]
        return pd.DataFrame(rows, columns=["column", "kind", "treatment", "n_features"])

    def transform(self, table: pd.DataFrame) -> Floats:
        """Return an array of numbers, a row a customer."""
        return np.column_stack(
            [feature for one in self.columns for feature in one.transform(table[one.name])]
        )


def _mean_and_scale(values: Floats) -> tuple[float, float]:
    """Return the mean and the standard deviation, 0 where that is no more than rounding."""
    size = float(np.abs(values).max()) or 1.0
    mean, scale = float(_scaled(values).mean()), float(_scaled(values).std())
    return mean * size, scale * size if scale > _ROUNDING else 0.0


def _scaled(values: Floats) -> Floats:
    """Return values from -1 to 1, of which squares and cubes are numbers, too."""
    scaled: Floats = values / (float(np.abs(values).max()) or 1.0)
    return scaled


def signed_log(values: Any) -> Any:
    """Return the logarithm of 1 + the size, with the sign: of any number, 0 for 0."""
    return np.sign(values) * np.log1p(np.abs(values))


def numbers_of(name: Any, values: pd.Series[Any], levels: Sequence[Any] = ()) -> Floats:
    """Return a column as floats, NaN where one is missing; of `levels`, as their ranks."""
    if levels:
        # Those of fit, whatever the categories of this frame.
        try:
            ranks = pd.Index(levels, dtype=object).get_indexer(values.astype(object))
        except TypeError:  # of what has no hash
            raise _no_category(name, "what cannot be compared") from None
        return np.where(ranks < 0, np.nan, ranks.astype(np.float64))
    kind = pd.api.types.infer_dtype(values, skipna=True)
    try:
        if kind in _NO_NUMBERS:
            raise TypeError
        numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError, OverflowError):
        raise SegkitTypeError(
            f"{_OWNER}: column {name!r} must hold numbers, got {kind}. Convert it first, for "
            "example with pandas.to_numeric, and look at what does not convert."
        ) from None
    if infinite := int(np.isinf(numbers).sum()):
        raise SegkitValueError(
            f"{_OWNER}: column {name!r} contains infinity in {infinite:,} of {len(values):,} rows; "
            "finite numbers are expected. Correct or drop these rows."
        )
    return numbers


def _texts_of(name: str | int, values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as text, numbers written alike whatever their type."""
    try:
        codes, found = pd.factorize(values.astype(object))
    except TypeError:
        raise _no_category(name, "what cannot be compared") from None
    texts = np.array([*(_text(value) for value in found), _MISSING], dtype=object)
    return pd.Series(texts[codes])


def _text(value: Any) -> str:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)


def _no_category(name: str | int, found: str) -> SegkitTypeError:
    return SegkitTypeError(
        f"{_OWNER}: column {name!r} holds {found}; numbers, text, booleans or categories are "
        "expected. Convert it, or leave it out."
    )


def _learned(name: str | int, values: pd.Series[Any]) -> Column | None:
    if values.isna().all():
        return None
    dtype = values.dtype
    kind = pd.api.types.infer_dtype(values, skipna=True) if dtype.kind == "O" else ""
    if (
        is_datetime64_any_dtype(dtype)
        or dtype.kind == "m"
        or kind in {"datetime", "date", "datetime64", "timedelta"}
    ):
        raise SegkitTypeError(
            f"{_OWNER}: column {name!r} holds dates, which do not compare. Pass a number of days, "
            "such as recency_days of summarize_transactions, or leave it out."
        )
    if dtype.kind == "c" or kind in _NO_CATEGORIES:
        raise _no_category(name, "complex numbers" if dtype.kind == "c" else f"{kind} values")
    if isinstance(dtype, pd.CategoricalDtype) and dtype.ordered:
        return NumberColumn.of(name, values, levels=tuple(dtype.categories))
    if is_bool_dtype(dtype) or kind == "boolean":
        only = len(values.unique()) == 1
        return None if only else NumberColumn.of(name, values, is_boolean=True)
    if is_numeric_dtype(dtype) or kind in {"integer", "floating", "mixed-integer-float", "decimal"}:
        _refuse_numbered_ids(name, values)
        return NumberColumn.of(name, values, is_boolean=set(values.dropna().unique()) == {0, 1})
    _refuse_dates_as_text(name, values)
    _refuse_numbers_as_text(name, values)
    return LevelColumn.of(name, _texts_of(name, values))


def _refuse_dates_as_text(name: str | int, values: pd.Series[Any]) -> None:
    known = values.dropna().astype(str)
    if known.str.match(_DATE).mean() > _NEAR_UNIQUE:
        raise SegkitTypeError(
            f"{_OWNER}: column {name!r} holds dates as text, which do not compare. Pass a number "
            "of days, such as recency_days of summarize_transactions, or leave it out."
        )


def _refuse_numbers_as_text(name: str | int, values: pd.Series[Any]) -> None:
    texts = values.dropna().astype(str)
    different = pd.Series(texts.unique())
    converts = pd.to_numeric(different, errors="coerce").notna()
    if len(different) > _MANY_LEVELS and converts.mean() > _NEAR_UNIQUE:
        others = int((~texts.isin(different[converts])).sum())
        raise SegkitTypeError(
            f"{_OWNER}: column {name!r} holds numbers as text; {others:,} of {len(values):,} "
            "values do not convert. Convert it first: pandas.to_numeric(..., errors='coerce') "
            "makes those missing."
        )


def _refuse_numbered_ids(name: str | int, values: pd.Series[Any]) -> None:
    """Refuse many numbers that are called an id, or that number the rows."""
    if not isinstance(name, str) or len(values) <= _MANY_LEVELS:
        return
    numbers = np.sort(numbers_of(name, values))
    if (np.diff(numbers) == 1).all():
        what = f"the numbers from {numbers[0]:.0f} to {numbers[-1]:.0f}, each once"
        raise _looks_like_an_id(name, what)
    called = re.search(_ID, name) is not None
    if called and (n_different := len(values.unique())) > _MANY_LEVELS:
        raise _looks_like_an_id(name, f"{n_different:,} different numbers")


def _refuse_ids(name: str | int, texts: pd.Series[Any], shares: pd.Series[float]) -> None:
    if len(shares) > _MANY_LEVELS and len(shares) > _NEAR_UNIQUE * len(texts):
        raise _looks_like_an_id(name, f"{len(shares):,} texts in {len(texts):,} rows")


def _looks_like_an_id(name: str | int, what: str) -> SegkitValueError:
    return SegkitValueError(
        f"{_OWNER}: column {name!r} has {what}; it looks like an id or free text, which tells "
        f"customers apart and not kinds of customers. Leave it out: {_OWNER}(columns=[...]) names "
        "the columns to use, and the frame may hold others."
    )
