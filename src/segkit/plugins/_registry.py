"""The entry points of segmenters: listed without importing anything, loaded one at a time."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pandas as pd

from segkit._input_checks import nearest
from segkit.exceptions import PluginError

#: The group in which a distribution announces its segmenters.
GROUP = "segkit.segmenters"

_VERBS = ("fit", "predict", "predict_segments", "predict_one", "assign", "describe")


def available() -> pd.DataFrame:
    """Return the segmenters that are installed, without importing any.

    Returns
    -------
    pandas.DataFrame
        A row a segmenter, sorted by name: ``name``, ``distribution`` and its ``version``, and
        ``value``, the module and the class that :func:`get` would load. A name that several
        distributions have is in as many rows.

    See Also
    --------
    get : Loads one of them.

    Examples
    --------
    >>> from segkit.plugins import available
    >>> found = available()
    >>> found.columns.tolist()
    ['name', 'distribution', 'version', 'value']
    """
    rows = [
        (point.name, *_distribution(point), point.value)
        for point in sorted(_points(), key=lambda point: (point.name, _distribution(point)))
    ]
    return pd.DataFrame(rows, columns=["name", "distribution", "version", "value"])


def get(name: str) -> type[Any]:
    """Return the class of a segmenter by its name.

    Parameters
    ----------
    name : str
        A name that :func:`available` lists, such as ``"RFMScorer"``.

    Returns
    -------
    type
        The class, not an instance.

    Raises
    ------
    PluginError
        For a name that no distribution announces, or that two do, and where what is announced
        cannot be imported or is no segmenter. The message names the distribution.

    See Also
    --------
    available : Lists the names.
    segkit.typing.Segmenter : What a segmenter can do.

    Notes
    -----
    Importing a class runs the code of its distribution, as every import does.

    Examples
    --------
    >>> from segkit.plugins import get
    >>> scorer = get("RFMScorer")(n_bins=4)
    >>> scorer
    RFMScorer(n_bins=4)
    """
    if not isinstance(name, str):
        raise PluginError(
            f"segkit.plugins: get takes the name of a segmenter, got {type(name).__name__}."
        )
    found = [point for point in _points() if point.name == name]
    if not found:
        names = sorted({point.name for point in _points()})
        near = nearest(name, names)
        hint = f" Did you mean {near!r}?" if near else ""
        raise PluginError(
            f"segkit.plugins: no installed distribution announces {name!r} in the entry points "
            f"{GROUP!r}; there are {names}.{hint}"
        )
    if len(found) > 1:
        sources = " and ".join(sorted(" ".join(_distribution(point)) for point in found))
        raise PluginError(
            f"segkit.plugins: {name!r} is announced by {sources}. Uninstall one, or import the "
            "class that is meant."
        )
    return _loaded(found[0])


def _points() -> list[EntryPoint]:
    """Return each entry point once: a distribution may be found at several places of the path."""
    unique = {
        (point.name, point.value, _distribution(point)[0]): point
        for point in entry_points(group=GROUP)
    }
    return list(unique.values())


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return ("unknown", "") if point.dist is None else (point.dist.name, point.dist.version)


def _loaded(point: EntryPoint) -> type[Any]:
    origin = f"{' '.join(_distribution(point))} announces {point.name!r} as {point.value!r}"
    try:
        loaded = point.load()
    except Exception as error:
        # Whatever its code raises, the user has to know whose code that is.
        raise PluginError(
            f"segkit.plugins: {origin}, which cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    absent = [verb for verb in _VERBS if not callable(getattr(loaded, verb, None))]
    if not isinstance(loaded, type) or absent:
        lacks = f" It lacks {', '.join(absent)}." if isinstance(loaded, type) else ""
        raise PluginError(
            f"segkit.plugins: {origin}, which is no class of segmenters.{lacks} "
            "segkit.base.SegmenterMixin gives the verbs."
        )
    return loaded
