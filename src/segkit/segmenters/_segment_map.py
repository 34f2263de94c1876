"""Named ranges of RFM scores, checked to cover every cell of the score grid exactly once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from operator import or_
from typing import Any, ClassVar, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from segkit._frames import UNASSIGNED, balanced
from segkit.exceptions import SegmentMapError

Range: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[Range, ...]

# Of more, no table is read from a file.
_MOST_CELLS = 10_000_000

RFM_DIMENSIONS = ("recency", "frequency", "monetary")


class SegmentMap:
    """Map from scores to segment names.

    Each segment is one or more boxes of scores. The map is checked when it is built: every cell
    of the score grid must lie in exactly one segment. ``first_match=True`` and a named
    ``default`` are the only ways out.

    Parameters
    ----------
    segments : mapping of str to box, or to a list of boxes or cells
        The segments, best or first first. A box is a mapping of dimension to a score or to a
        pair (lowest, highest), such as ``{"recency": 5, "frequency": (4, 5)}``; a dimension that
        it leaves out may have any score. A cell is text with a score per dimension, such as
        ``"545"`` (``"10-4-5"`` where scores reach two digits).
    n_bins : int or sequence of int, default=5
        Highest score, for all dimensions or for each.
    first_match : bool, default=False
        Let boxes overlap; a cell belongs to the first segment that holds it.
    default : str, default=None
        Name of a last segment for the cells that no box holds.

    Attributes
    ----------
    names : tuple of str
        Segment names in order, `default` last.
    dimensions : tuple of str
        The dimensions that the boxes use: ``"recency"``, ``"frequency"``, ``"monetary"`` in this
        order, then others in order of appearance.
    n_bins : tuple of int
        Highest score of each dimension.

    Raises
    ------
    SegmentMapError
        For cells that are uncovered or covered twice (they are listed), scores out of range,
        segments that no cell reaches, and names that are empty or ``"unassigned"``.

    Examples
    --------
    >>> from segkit import SegmentMap
    >>> loyalty = SegmentMap(
    ...     {
    ...         "Active": {"recency": (2, 3)},
    ...         "Lapsed fans": {"recency": 1, "frequency": (2, 3)},
    ...         "Lapsed": {"recency": 1, "frequency": 1},
    ...     },
    ...     n_bins=3,
    ... )
    >>> loyalty.dimensions
    ('recency', 'frequency')
    >>> loyalty.codes([[3, 1], [1, 3]])
    array([0, 1])
    >>> SegmentMap({"Recent": {"recency": (2, 3)}}, n_bins=3)
    Traceback (most recent call last):
        ...
    segkit.exceptions.SegmentMapError: SegmentMap: no segment covers 1 of 3 cells (recency): 1. ...
    """

    #: The name under which files keep it.
    _stored_as: ClassVar[str] = "segment_map"

    def __init__(
        self,
        segments: Mapping[str, Any],
        *,
        n_bins: int | Sequence[int] = 5,
        first_match: bool = False,
        default: str | None = None,
    ) -> None:
        if not isinstance(segments, Mapping) or not segments:
            raise SegmentMapError(
                "SegmentMap: segments must be a mapping of segment name to score ranges with at "
                f"least one segment, got {segments!r}."
            )
        _check_names([*segments, *([] if default is None else [default])])
        entries = {name: _listed(entry) for name, entry in segments.items()}
        if empty := [name for name, listed in entries.items() if not listed]:
            raise SegmentMapError(f"SegmentMap: {empty} have no scores.")
        self.dimensions = _dimensions(entries)
        self.n_bins = _bins(n_bins, self.dimensions)
        self.first_match = first_match
        self.default = default
        self.names = (*segments, *(() if default is None else (default,)))
        self._boxes: dict[str, tuple[Box, ...]] = {
            name: tuple(self._box(name, entry) for entry in listed)
            for name, listed in entries.items()
        }
        self._table = self._checked_table()
        from_scores_of_0 = np.pad(self._table, [(1, 0)] * self._table.ndim)
        self._codes, self._nested_codes = from_scores_of_0.ravel(), from_scores_of_0.tolist()

    def codes(self, scores: Any) -> NDArray[np.int64]:
        """Return the segment codes of rows of scores.

        Parameters
        ----------
        scores : array-like of shape (n_customers, n_dimensions), integer
            Scores from 1 to ``n_bins``, a column per dimension.

        Returns
        -------
        ndarray of shape (n_customers,), dtype int64
            Positions in ``names``.

        Raises
        ------
        SegmentMapError
            For scores of another shape, type or range.
        """
        try:
            rows = np.asarray(scores)
        except (TypeError, ValueError):  # columns of several types, rows of several lengths
            raise SegmentMapError(
                f"SegmentMap: scores must be an array of integers, got {type(scores).__name__}."
            ) from None
        if rows.ndim != 2 or rows.shape[1] != len(self.dimensions) or rows.dtype.kind not in "iu":
            raise SegmentMapError(
                f"SegmentMap: scores must be integers with a column for each of "
                f"{self.dimensions}, got {rows.dtype} of shape {rows.shape}."
            )
        if rows.size and ((rows < 1).any() or (rows > self.n_bins).any()):
            raise SegmentMapError(f"SegmentMap: scores run from 1 to {self.n_bins}.")
        return self._codes_of(list(rows.T))

    def _codes_of(self, scores: Sequence[NDArray[np.integer[Any]]]) -> NDArray[np.int64]:
        """Return the codes of scores that are known to be in range, an array per dimension."""
        # The codes stand in one row, with room for a score of 0, so that no 1 is subtracted.
        cell = scores[0].astype(np.min_scalar_type(self._codes.size), copy=True)
        for n_bins, score in zip(self.n_bins[1:], scores[1:], strict=True):
            cell *= n_bins + 1
            cell += score.astype(cell.dtype, copy=False)
        codes: NDArray[np.int64] = self._codes.take(cell)
        return codes

    def _code_of(self, scores: Sequence[int]) -> int:
        """Return the code of one customer's scores."""
        found: Any = self._nested_codes
        for score in scores:
            found = found[score]
        code: int = found
        return code

    def code_expression(self, scores: Mapping[str, nw.Expr]) -> nw.Expr:
        """Return the segment code as an expression, for segmenters that use a map.

        Parameters
        ----------
        scores : mapping of str to narwhals.Expr
            The score of each dimension.

        Returns
        -------
        narwhals.Expr
            Positions in ``names``.
        """
        chain: Any = nw
        for code, boxes in enumerate(self._boxes.values()):
            inside = balanced(or_, [self._inside(box, scores) for box in boxes])
            chain = chain.when(inside).then(nw.lit(code))
        default = -1 if self.default is None else len(self._boxes)
        expression: nw.Expr = chain.otherwise(nw.lit(default))
        return expression

    def boxes(self, name: str) -> tuple[dict[str, Range], ...]:
        """Return the score ranges of a segment.

        Parameters
        ----------
        name : str
            A segment's name.

        Returns
        -------
        tuple of dict of str to (int, int)
            Lowest and highest score of each dimension, a dict a box. Empty for `default`.

        Raises
        ------
        SegmentMapError
            For a name that the map does not have.
        """
        if name not in self.names:
            raise SegmentMapError(f"SegmentMap: there is no {name!r}; the names are {self.names}.")
        return tuple(
            dict(zip(self.dimensions, box, strict=True)) for box in self._boxes.get(name, ())
        )

    def _stored(self) -> dict[str, Any]:
        boxes = {
            name: [{dimension: list(bounds) for dimension, bounds in box.items()} for box in boxes]
            for name, boxes in ((name, self.boxes(name)) for name in self._boxes)
        }
        return {
            "segments": boxes,
            "n_bins": list(self.n_bins),
            "first_match": self.first_match,
            "default": self.default,
        }

    @classmethod
    def _of_stored(cls, fields: dict[str, Any], where: str) -> SegmentMap:
        n_cells = math.prod(fields["n_bins"])
        if not 0 < n_cells <= _MOST_CELLS:
            raise SegmentMapError(f"{where}: a map has at most {_MOST_CELLS:,} cells.")
        return cls(
            fields["segments"],
            n_bins=fields["n_bins"],
            first_match=bool(fields["first_match"]),
            default=fields["default"],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SegmentMap):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"SegmentMap({', '.join(self.names)}; n_bins={self.n_bins})"

    def _identity(self) -> tuple[Any, ...]:
        return (self.dimensions, self.n_bins, self.names, self._table.tobytes())

    def _inside(self, box: Box, scores: Mapping[str, nw.Expr]) -> nw.Expr:
        inside = None
        for dimension, top, (low, high) in zip(self.dimensions, self.n_bins, box, strict=True):
            score = scores[dimension]
            bounds = []
            if low == high:
                bounds.append(score == low)
            else:
                if low > 1:
                    bounds.append(score >= low)
                if high < top:
                    bounds.append(score <= high)
            for bound in bounds:
                inside = bound if inside is None else inside & bound
        if inside is None:  # the box is the whole grid
            return scores[self.dimensions[0]] >= 1
        return inside

    def _box(self, name: str, entry: Any) -> Box:
        if isinstance(entry, str):
            parts = entry.split("-") if "-" in entry else list(entry)
            if len(parts) != len(self.dimensions) or not all(
                part.isascii() and part.isdecimal() for part in parts
            ):
                raise SegmentMapError(
                    f"SegmentMap: {name!r} has the cell {entry!r}; expected a score for each of "
                    f"{self.dimensions}, such as {self._cell([1] * len(self.dimensions))!r}."
                )
            entry = {
                dimension: int(part) for dimension, part in zip(self.dimensions, parts, strict=True)
            }
        ranges = []
        for dimension, top in zip(self.dimensions, self.n_bins, strict=True):
            scores = entry.get(dimension, (1, top))
            bounds = (scores, scores) if _is_integer(scores) else scores
            is_pair = isinstance(bounds, list | tuple) and len(bounds) == 2
            if not is_pair or not all(map(_is_integer, bounds)):
                raise SegmentMapError(
                    f"SegmentMap: {name!r} has {dimension}={scores!r}; scores of {dimension} must "
                    "be an integer or a pair (lowest, highest)."
                )
            low, high = bounds
            if not 1 <= low <= high <= top:
                raise SegmentMapError(
                    f"SegmentMap: {name!r} asks for {dimension} scores {low} to {high}; scores "
                    f"run from 1 to {top}, lowest first."
                )
            ranges.append((int(low), int(high)))
        return tuple(ranges)

    def _checked_table(self) -> NDArray[np.int64]:
        """Return the code of every cell, as an array with an axis per dimension."""
        table = np.full(self.n_bins, -1, dtype=np.int64)
        doubled: dict[str, list[str]] = {}
        for code, (name, boxes) in enumerate(self._boxes.items()):
            reached = False
            for cell in sorted(set(itertools.chain.from_iterable(map(_cells, boxes)))):
                index = tuple(score - 1 for score in cell)
                if table[index] < 0:
                    table[index] = code
                    reached = True
                elif not self.first_match:
                    first = list(self._boxes)[table[index]]
                    doubled.setdefault(self._cell(cell), [first]).append(name)
            if not reached and not doubled:
                raise SegmentMapError(
                    f"SegmentMap: every cell of {name!r} belongs to a segment above it, so no "
                    "customer could reach it. Move it up or drop it."
                )
        over = f"({', '.join(self.dimensions)})"
        if doubled:
            listed = "; ".join(
                f"{cell} in {' and '.join(names)}" for cell, names in doubled.items()
            )
            raise SegmentMapError(
                f"SegmentMap: {len(doubled)} of {table.size} cells {over} are covered more than "
                f"once: {listed}. Change the ranges, or pass first_match=True to give a cell to "
                "the first segment that holds it."
            )
        gaps = [self._cell(index + 1) for index in np.argwhere(table < 0)]
        if gaps and self.default is None:
            raise SegmentMapError(
                f"SegmentMap: no segment covers {len(gaps)} of {table.size} cells {over}: "
                f"{_some(gaps, ', ')}. Widen a range, or pass default='Other' to name the rest."
            )
        table[table < 0] = len(self._boxes)
        return table

    def _cell(self, scores: Any) -> str:
        return ("-" if max(self.n_bins) > 9 else "").join(str(score) for score in scores)


def _some(parts: Sequence[str], separator: str = "; ", most: int = 125) -> str:
    further = f"{separator}and {len(parts) - most} more" if len(parts) > most else ""
    return separator.join(parts[:most]) + further


def _listed(entry: Any) -> list[Any]:
    return list(entry) if isinstance(entry, list | tuple | set | frozenset) else [entry]


def _cells(box: Box) -> Any:
    return itertools.product(*(range(low, high + 1) for low, high in box))


def _check_names(names: Sequence[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not name.strip() or name == UNASSIGNED:
            raise SegmentMapError(
                f"SegmentMap: a segment's name must be text other than {UNASSIGNED!r}, which "
                f"stands for customers that cannot be assigned; got {name!r}."
            )
    if len(set(names)) < len(names):
        raise SegmentMapError(f"SegmentMap: default={names[-1]!r} is also the name of a segment.")


def _dimensions(entries: Mapping[str, Sequence[Any]]) -> tuple[str, ...]:
    used: dict[str, None] = {}
    for name, listed in entries.items():
        for entry in listed:
            if isinstance(entry, str):
                width = entry.count("-") + 1 if "-" in entry else len(entry)
                used.update(dict.fromkeys(RFM_DIMENSIONS[:width]))
            elif isinstance(entry, Mapping) and all(isinstance(key, str) for key in entry):
                used.update(dict.fromkeys(entry))
            else:
                raise SegmentMapError(
                    f"SegmentMap: {name!r} has {entry!r}; expected a mapping of dimension to "
                    "scores, such as {'recency': 5, 'frequency': (4, 5)}, or a cell such as '545'."
                )
    if not used:
        raise SegmentMapError(
            "SegmentMap: no segment names a dimension, such as 'recency' or 'frequency'."
        )
    return (
        *(dimension for dimension in RFM_DIMENSIONS if dimension in used),
        *(dimension for dimension in used if dimension not in RFM_DIMENSIONS),
    )


def _bins(n_bins: int | Sequence[int], dimensions: Sequence[str]) -> tuple[int, ...]:
    each: Any = n_bins if isinstance(n_bins, list | tuple) else [n_bins] * len(dimensions)
    if len(each) != len(dimensions) or not all(
        _is_integer(number) and number >= 1 for number in each
    ):
        raise SegmentMapError(
            f"SegmentMap: n_bins must be a number of scores, or one for each of {dimensions}, "
            f"got {n_bins!r}."
        )
    return tuple(int(number) for number in each)


def _is_integer(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)
