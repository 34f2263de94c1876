"""What the pictures share: matplotlib where it is installed, and shares as text."""

from typing import Any


def pyplot() -> Any:
    """Return matplotlib's pyplot, or say what to install."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "segkit.plotting needs matplotlib. Install it: pip install 'customer-segkit[plot]'"
        ) from error
    return pyplot


def percent(share: float) -> str:
    """Return a share as text, in percent."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
