"""Progress of work that takes a while: a bar of tqdm where it is installed, else a line of text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def progress(
    iterable: Iterable[_T], *, total: int, description: str, is_shown: bool
) -> Iterable[_T]:
    """Return what is iterated over, shown on stderr as it goes where `is_shown`."""
    if not is_shown:
        return iterable
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _counted(iterable, total, description)
    bar: Iterable[_T] = tqdm(iterable, total=total, desc=description)
    return bar


def _counted(iterable: Iterable[_T], total: int, description: str) -> Iterator[_T]:
    for done, one in enumerate(iterable, start=1):
        yield one
        end = "\n" if done == total else ""
        print(f"\r{description}: {done} of {total}", end=end, file=sys.stderr, flush=True)
