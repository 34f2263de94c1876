"""Rows, a block at a time: few enough that what is read of them stays in the processor's cache."""

from collections.abc import Iterator

_ROWS = 1 << 16


def row_blocks(n_rows: int, size: int = _ROWS) -> Iterator[slice]:
    """Yield slices that cover the rows, in order."""
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
