"""The edges of RFM scores: given by the user, or learned from the customers."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segkit._binning import (
    OrderedValues,
    ValuesByRank,
    kmeans_edges,
    quantile_edges,
    uniform_edges,
)
from segkit._warn import warn
from segkit.exceptions import SegkitValueError, TiedScoresWarning
from segkit.segmenters._column_edges import ColumnBinning, ColumnEdges, Edges, Scores

METHODS: dict[str, Callable[[ValuesByRank, int], Edges]] = {
    "quantile": quantile_edges,
    "uniform": uniform_edges,
    "kmeans": kmeans_edges,
}


def binned_columns(
    binning: Any,
    columns: Sequence[str | int],
    named: Mapping[str | int, str | int],
    n_bins: Sequence[int],
    smaller_is_better: Sequence[bool],
) -> list[ColumnBinning]:
    """Return how each column is scored, given the parameter `binning`.

    `named` has the columns to score as they stand in `columns`, and as they are called in the data.
    """
    sources = _sources(binning, columns)
    is_nested = isinstance(binning, str) and binning == "nested"
    binned = []
    for position, (name, column) in enumerate(named.items()):
        source = sources[name]
        if not isinstance(source, str):
            source = checked_edges(source, column, n_bins[position])
        elif source not in METHODS:
            hint = " 'nested' is for all columns: pass binning='nested'." * (source == "nested")
            raise SegkitValueError(
                f"RFMScorer: binning of {column!r} must be edges or one of {tuple(METHODS)}, got "
                f"{source!r}.{hint}"
            )
        parents = tuple(range(position)) if is_nested and position < 3 else ()
        binned.append(
            ColumnBinning(
                column, int(n_bins[position]), smaller_is_better[position], source, parents
            )
        )
    return binned


def _sources(binning: Any, columns: Sequence[str | int]) -> dict[str | int, Any]:
    if isinstance(binning, str):
        return dict.fromkeys(columns, "quantile" if binning == "nested" else binning)
    if isinstance(binning, Mapping):
        unknown = [column for column in binning if column not in columns]
        if unknown:
            raise SegkitValueError(
                f"RFMScorer: binning names {unknown}, which are not among columns={tuple(columns)}."
            )
        return {column: binning.get(column, "quantile") for column in columns}
    if len(binning) != len(columns):
        raise SegkitValueError(
            f"RFMScorer: binning is for {len(binning)} columns; there are "
            f"{len(columns)}: {tuple(columns)}."
        )
    return dict(zip(columns, binning, strict=True))


#: Of more scores a map would have too many cells, and no customer could tell two apart.
MOST_SCORES = 1_000


def checked_edges(edges: Any, column: str | int, n_bins: int) -> Edges:
    """Return a copy of the given edges of a column."""
    try:
        checked = np.array(edges, dtype=np.float64)
    except (TypeError, ValueError):
        checked = np.array(np.nan)
    if checked.ndim != 1 or not np.isfinite(checked).all() or (np.diff(checked) <= 0).any():
        raise SegkitValueError(
            f"RFMScorer: the edges of {column!r} must be finite numbers in increasing order, got "
            f"{edges!r}."
        )
    if checked.size != n_bins - 1:
        raise SegkitValueError(
            f"RFMScorer: {checked.size} edges of {column!r} make {checked.size + 1} scores, and "
            f"n_bins asks for {n_bins}. Pass n_bins={checked.size + 1} (or one number per column)."
        )
    return checked


def learned_edges(
    values: Sequence[NDArray[Any]],
    columns: Sequence[ColumnBinning],
    missing: NDArray[np.bool_] | None = None,
    group: NDArray[np.intp] | None = None,
    n_groups: int = 0,
    without: Sequence[Edges] = (),
) -> list[ColumnEdges]:
    """Learn the edges of each column: within each group, and, last, for all customers.

    `values` has an array for each column, `missing` a column for each (None: nothing is missing);
    `group` is the group of each customer, from 0; `n_groups` stands for those without one. A group
    without customers has the edges that it has in `without`, the table of each column.
    """
    found: list[list[Edges]] = []
    if group is not None:
        order = np.argsort(group, kind="stable")
        bounds = np.searchsorted(group[order], np.arange(n_groups + 1))
        members = [order[start:end] for start, end in itertools.pairwise(bounds)]
        found += [
            _edges_of(
                [column[rows] for column in values],
                columns,
                None if missing is None else missing[rows],
            )
            if rows.size
            else [table[place] for table in without]
            for place, rows in enumerate(members)
        ]
    found.append(_edges_of(values, columns, missing))
    return [
        ColumnEdges(binning, np.stack(tables))
        for binning, *tables in zip(columns, *found, strict=True)
    ]


def _edges_of(
    values: Sequence[NDArray[Any]],
    columns: Sequence[ColumnBinning],
    missing: NDArray[np.bool_] | None,
) -> list[Edges]:
    """Return the edges of each column, of shape (*scores of its parents, n_edges)."""
    found: list[Edges] = []
    scored: list[Scores] = []
    for position, binning in enumerate(columns):
        present = slice(None) if missing is None else ~missing[:, position]
        column = values[position][present]
        if not isinstance(binning.source, str):
            found.append(binning.source)
        elif column.size:
            parents = [scored[parent][present] for parent in binning.parents]
            shape = [columns[parent].n_bins for parent in binning.parents]
            found.append(_edges_within(column, binning, parents, shape, around=None))
        else:
            raise nothing_to_learn_from(binning.column)
        if any(position in later.parents for later in columns):
            edges = ColumnEdges(binning, found[-1][np.newaxis])
            scored.append(edges.score(values[position], None, scored))
    return found


def _edges_within(
    column: NDArray[Any],
    binning: ColumnBinning,
    parents: Sequence[Scores],
    shape: Sequence[int],
    around: Edges | None,
) -> Edges:
    """Return the edges within each cell of the parents' scores.

    A cell with fewer customers than scores takes the edges of the cell around it.
    """
    edges = around
    if edges is None or column.size >= binning.n_bins:
        edges = METHODS[str(binning.source)](OrderedValues(column), binning.n_bins)
    if not shape:
        return edges
    cells = []
    for score in range(1, shape[0] + 1):
        rows = np.flatnonzero(parents[0] == score)
        inside = [parent[rows] for parent in parents[1:]]
        cells.append(_edges_within(column[rows], binning, inside, shape[1:], edges))
    return np.stack(cells)


def nothing_to_learn_from(column: str | int) -> SegkitValueError:
    """Return the error of a column without values."""
    return SegkitValueError(
        f"RFMScorer: column {column!r} has only missing values; there is nothing to learn from. "
        "Drop it from columns, or give its edges with binning=..."
    )


def numbers_of_scores(
    columns: Sequence[ColumnEdges], scored: Sequence[Scores], missing: NDArray[np.bool_] | None
) -> list[int]:
    """Return how many different scores occur in each column."""
    numbers = []
    for position, edges in enumerate(columns):
        of_column = scored[position]
        if missing is not None:
            of_column = of_column[~missing[:, position]]
        expected = range(1, edges.binning.n_bins + 1)
        numbers.append(sum(bool((of_column == score).any()) for score in expected))
    return numbers


def warn_of_ties(columns: Sequence[ColumnEdges], n_scores: Sequence[int]) -> None:
    """Warn of each column in which fewer scores occur than were to be learned."""
    for edges, distinct in zip(columns, n_scores, strict=True):
        binning = edges.binning
        if isinstance(binning.source, str) and distinct < binning.n_bins:
            cause = (
                "ties leave" if binning.source == "quantile" else f"{binning.source!r} bins leave"
            )
            advice = (
                "All its values are equal, so this score tells nothing."
                if distinct == 1
                else f"Equal values share a score and the scale stays 1 to {binning.n_bins}. "
                "Fewer n_bins, or edges of your own through binning=..., give scores that all "
                "occur."
            )
            warn(
                f"RFMScorer: {cause} column {binning.column!r} with {distinct} distinct "
                f"score{'s' if distinct > 1 else ''} of {binning.n_bins}. {advice}",
                TiedScoresWarning,
            )
