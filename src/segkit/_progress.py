"""A progress bar for work that is done many times over, where the user asks for one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def progress(
    iterable: Iterable[Item], *, total: int, description: str, is_shown: bool
) -> Iterable[Item]:
    """Return the same items, with a bar on standard error that goes on with each of them.

    The bar is tqdm's. Where that is not installed, one line says so, and there is no bar.
    """
    if not is_shown:
        return iterable
    try:
        from tqdm.auto import tqdm
    except ImportError:
        print(
            f"{description}: no progress is shown, because tqdm is not installed. Install it by "
            "pip install 'customer-segkit[progress]'.",
            file=sys.stderr,
        )
        return iterable
    shown: Iterable[Item] = tqdm(iterable, total=total, desc=description)
    return shown
