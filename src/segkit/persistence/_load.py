"""A segmenter from its file, without running anything that the file names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

from segkit._storage._document import read_document
from segkit.base import SegmenterMixin
from segkit.exceptions import SegkitError, SegkitTypeError, SegkitValueError, SegmenterFileError
from segkit.persistence._classes import KnownClasses, is_built_in
from segkit.persistence._reading import read_estimator


def load(path: str | os.PathLike[str], *, classes: Sequence[type[Any]] = ()) -> Any:
    """Return the fitted segmenter that ``segmenter.save`` wrote to a file.

    The segmenter tells every customer as the one that was saved, to the last bit. Nothing in the
    file is executed, and no module is imported because its name stands in it: the class is looked
    up in a fixed list.

    Parameters
    ----------
    path : str or path
        The file.
    classes : sequence of type, default=()
        Segmenters of your own, which the file may hold beside those of segkit and those that
        :func:`segkit.plugins.available` lists.

    Returns
    -------
    segmenter
        Fitted. ``labels_`` is absent, as after fitting on a lazy frame: the file has nothing about
        single customers.

    Raises
    ------
    SegmenterFileError
        For a file that is cut off, changed since it was saved, of a newer format, of a class that
        is not known, or none of a segmenter. The checksum finds accidents; whoever changes a file
        on purpose can write a new one, and can thereby move thresholds, but run no code.
    FileNotFoundError
        Where there is no such file.

    See Also
    --------
    segkit.base.SegmenterMixin.save : Writes the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import segkit
    >>> customers = pd.DataFrame({"monetary": [700.0, 100.0, 90.0, 60.0, 50.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiers.json"
    ...     segkit.ValueTierer().fit(customers).save(path)
    ...     tierer = segkit.load(path)
    >>> tierer.predict_one({"monetary": 350.0})
    'A'
    """
    if not isinstance(path, str | os.PathLike):
        raise SegkitTypeError(
            f"segkit.load: path must be text or a path, got {type(path).__name__}."
        )
    file = Path(path)
    if "\0" in str(file):
        raise SegkitValueError("segkit.load: what holds the character 0 is no path.")
    where = f"segkit.load: {file.name!r}"
    known = KnownClasses(classes)
    document = read_document(file)
    try:
        segmenter = read_estimator(document, where, known)
    except RecursionError:
        raise SegmenterFileError(f"{where} nests deeper than any segmenter does.") from None
    except SegmenterFileError:
        raise
    except SegkitError as error:  # of a map or of rules that make no sense
        raise SegmenterFileError(f"{where}: {error}") from error
    if not isinstance(segmenter, SegmenterMixin):
        raise SegmenterFileError(
            f"{where} holds {type(segmenter).__name__}, which is no segmenter."
        )
    _try_out(segmenter, where)
    return segmenter


def _try_out(segmenter: SegmenterMixin, where: str) -> None:
    """Raise where what was read does not make a whole: describe it, and tell some customers."""
    try:
        with warnings.catch_warnings():
            # Of made-up customers they would say nothing of the file.
            warnings.simplefilter("ignore")
            segmenter.describe()
            if is_built_in(segmenter) and not _tells(segmenter, 1.0):
                _tells(segmenter, "a")
    except NotFittedError:
        raise SegmenterFileError(f"{where} holds a segmenter that is not fitted.") from None
    except Exception as error:  # whatever it is, the file is to blame
        raise SegmenterFileError(
            f"{where} holds parts that do not fit together ({type(error).__name__} where "
            f"{type(segmenter).__name__} was tried out). Save the segmenter anew."
        ) from error


def _tells(segmenter: SegmenterMixin, value: Any) -> bool:
    """Tell whether customers with this value in each column find a segment, alone and in a frame.

    Errors of our own are no fault: a column of text may be needed where they have a number.
    """
    row: dict[Any, Any] = dict.fromkeys(segmenter._columns_used, value)
    if segmenter._group_used is not None:
        row[segmenter._group_used] = value
    try:
        segmenter.predict_one(row)
        if hasattr(segmenter, "feature_names_in_"):
            segmenter.predict(pd.DataFrame([row] * 3))
        segmenter.predict(np.full((3, segmenter.n_features_in_), value))
    except SegkitError:
        return False
    return True
