"""What every segmenter can do, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@runtime_checkable
class Segmenter(Protocol):
    """The verbs of a segmenter, for annotations and ``isinstance``.

    A class need not inherit from :class:`segkit.base.SegmenterMixin` to be one, but that gives all
    verbs for the price of two methods. Whether the verbs keep the contract is what
    :func:`segkit.testing.check_segmenter` finds out. Fitted, a segmenter also has ``segments_``,
    the names in the order of the codes, and on eager data ``labels_``, which ``isinstance`` does
    not look at.

    See Also
    --------
    segkit.base.SegmenterMixin : Gives the verbs.
    segkit.base.is_segmenter : Sees segmenters at the end of a Pipeline, too.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from segkit import RFMScorer
    >>> from segkit.typing import Segmenter
    >>> isinstance(RFMScorer(), Segmenter), isinstance(KMeans(), Segmenter)
    (True, False)
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn every threshold.

        Parameters
        ----------
        X : frame or array of shape (n_customers, n_columns)
            One row per customer.
        y : None
            Ignored, unless the segmenter says otherwise.

        Returns
        -------
        Segmenter
            The fitted segmenter.
        """
        ...

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return each customer's segment code.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers,), dtype int64
            Positions in ``segments_``, -1 for a customer without a segment.
        """
        ...

    def predict_segments(self, X: Any) -> NDArray[np.object_]:
        """Return each customer's segment name.

        Parameters
        ----------
        X : eager frame or array of shape (n_customers, n_columns)
            One row per customer.

        Returns
        -------
        ndarray of shape (n_customers,), dtype object
            Names from ``segments_``, or ``"unassigned"``.
        """
        ...

    def predict_one(self, row: Mapping[Any, Any]) -> str:
        """Return the segment name of one customer, without building a frame.

        Parameters
        ----------
        row : mapping of column to value
            One customer.

        Returns
        -------
        str
            A name from ``segments_``, or ``"unassigned"``.
        """
        ...

    def assign(self, frame: Any, *, name: str | None = None) -> Any:
        """Return the frame with each customer's segment added, in the frame's own engine.

        Parameters
        ----------
        frame : frame of any kind that narwhals reads
            One row per customer, eager or lazy.
        name : str, default=None
            Name of the label column.

        Returns
        -------
        frame of the same kind
            With the label column added.
        """
        ...

    def describe(self) -> pd.DataFrame:
        """Return what defines each segment.

        Returns
        -------
        pandas.DataFrame
            A row a segment, in code order.
        """
        ...
