"""How many clusters: every criterion asked for, for every number, on one sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from segkit.exceptions import SegkitValueError
from segkit.metrics import (
    bootstrap_jaccard,
    gap_statistic,
    n_clusters_by_gap,
    n_clusters_by_prediction_strength,
    prediction_strength,
    silhouette,
)

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

#: Criteria by name; "auto" weighs three of them.
CRITERIA = (
    "auto",
    "silhouette",
    "calinski_harabasz",
    "davies_bouldin",
    "gap",
    "prediction_strength",
    "stability",
    "bic",
)


def labelled(
    features: Floats, numbers: Sequence[int], fitted: Callable[[int], Any]
) -> dict[int, Labels]:
    """Return the labels of a clusterer for each number of clusters."""
    labels = {}
    for number in numbers:
        model = fitted(number)
        labels[number] = np.asarray(
            model.labels_ if hasattr(model, "labels_") else model.predict(features), dtype=np.int64
        )
    return labels


def selection_table(
    features: Floats,
    labels: dict[int, Labels],
    criteria: Sequence[Any],
    template: Callable[[int], Any],
    random_state: int,
    n_jobs: int | None,
) -> pd.DataFrame:
    """Return a row for each number of clusters, and a column for each criterion."""
    numbers = list(labels)
    table = pd.DataFrame(index=pd.Index(numbers, name="n_segments"))
    stacked = np.array([labels[number] for number in numbers])
    table["silhouette"] = np.atleast_1d(silhouette(features, stacked))
    table["calinski_harabasz"] = [calinski_harabasz_score(features, one) for one in stacked]
    table["davies_bouldin"] = [davies_bouldin_score(features, one) for one in stacked]
    table["marriott"] = [_marriott(features, one) for one in stacked]
    options: dict[str, Any] = {"random_state": random_state, "n_jobs": n_jobs}
    for criterion in criteria:
        if criterion == "gap":
            found = gap_statistic(features, n_clusters=[1, *numbers], **options)
            table["gap"], table["gap_standard_error"] = found["gap"], found["standard_error"]
            table.attrs["gap"] = n_clusters_by_gap(found)
        elif criterion == "prediction_strength":
            found = prediction_strength(features, n_clusters=numbers, **options)
            table["prediction_strength"] = found.iloc[:, 0]
            table.attrs["prediction_strength"] = n_clusters_by_prediction_strength(found)
        elif criterion == "stability":
            table["stability"] = [
                float(
                    bootstrap_jaccard(
                        features, labels[number], clusterer=template(number), **options
                    )["mean_jaccard"].min()
                )
                for number in numbers
            ]
        elif criterion == "bic":
            table["bic"] = [_bic(template(number).fit(features), features) for number in numbers]
        elif callable(criterion):
            name = getattr(criterion, "__name__", "criterion")
            table[name] = [float(criterion(features, labels[number])) for number in numbers]
    table["auto"] = (
        0.5 * _share(table["silhouette"])
        + 0.25 * _share(table["calinski_harabasz"])
        + 0.25 * _share(table["marriott"])
    )
    return table


def best_number(table: pd.DataFrame, criterion: Any) -> int:
    """Return the number of clusters that a criterion chooses."""
    if criterion in ("gap", "prediction_strength"):
        chosen = int(table.attrs[criterion])
        return max(chosen, int(table.index[0]))
    name = getattr(criterion, "__name__", "criterion") if callable(criterion) else criterion
    column = table[name]
    place = np.argmin(column) if name in ("davies_bouldin", "bic") else np.argmax(column)
    return int(table.index[int(place)])


def _share(column: pd.Series[float]) -> pd.Series[float]:
    """Return where each value lies between the least and the largest."""
    spread = float(column.max() - column.min())
    return (column - column.min()) / spread if spread > 0 else column * 0.0


def _marriott(features: Floats, labels: Labels) -> float:
    """Return log |T| / |W| - 2 log k (Marriott 1971), with a little on the diagonals."""
    assigned = labels >= 0
    values, codes = features[assigned], labels[assigned]
    centres = pd.DataFrame(values).groupby(codes).transform("mean").to_numpy()
    ridge = 0.01 * np.eye(values.shape[1]) * values.var(axis=0).mean()
    total = np.cov(values.T, bias=True) + ridge
    within = np.cov((values - centres).T, bias=True) + ridge
    n_clusters = np.unique(codes).size
    logs = [float(np.linalg.slogdet(np.atleast_2d(one))[1]) for one in (total, within)]
    return logs[0] - logs[1] - 2 * float(np.log(n_clusters))


def _bic(model: Any, features: Floats) -> float:
    if not hasattr(model, "bic"):
        raise SegkitValueError(
            f"ClusterSegmenter: selection='bic' needs a clusterer with bic(X), such as "
            f"GaussianMixture; {type(model).__name__} has none."
        )
    return float(model.bic(features))
