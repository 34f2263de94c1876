"""What the pictures share: matplotlib where it is installed, colours, and shares as text."""

from typing import Any

#: Of segments, in their order. Neighbours in the list differ for colour-blind readers, too.
SEGMENT_COLOURS = (
    "#1b7f5c",
    "#e0862d",
    "#3f7fc1",
    "#b5487c",
    "#8a8f1f",
    "#7059b0",
    "#33a6b8",
    "#8c5a3c",
    "#d9675f",
    "#4a4a55",
)


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


def text_colour(background: str) -> str:
    """Return black or white, whichever is read better on a colour such as ``"#1b7f5c"``."""
    red, green, blue = (int(background[i : i + 2], 16) / 255 for i in (1, 3, 5))
    # Relative luminance (WCAG 2.1, without the gamma correction).
    return "#1c1c22" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "white"


def plain(text: str, most: int = 30) -> str:
    """Return text on one line in which matplotlib finds no formula; of a long one both ends."""
    text = " ".join(text.split())
    if len(text) > most:
        tail = most // 3
        text = f"{text[: most - tail - 1].rstrip()}…{text[-tail:].lstrip()}"
    return text.replace("$", r"\$")
