"""How many segments: a clusterer fitted for each number, and the criteria that compare them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from segkit._progress import progress
from segkit.exceptions import SegkitValueError
from segkit.metrics import (
    bootstrap_jaccard,
    gap_statistic,
    n_clusters_by_gap,
    n_clusters_by_prediction_strength,
    number_of_clusters,
    prediction_strength,
    silhouette,
)
from segkit.metrics._batched_k_means import ClusterCounts
from segkit.metrics._clusterers import is_k_means, labels_of, prepared
from segkit.metrics._number_of_clusters import automatic_score
from segkit.metrics._partition_criteria import (
    calinski_harabasz,
    davies_bouldin,
    log_determinant_ratios,
    silhouettes,
)

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

_OWNER = "ClusterSegmenter"
#: Criteria by name; "auto" weighs three of them.
CRITERIA = (
    "auto",
    "silhouette",
    "calinski_harabasz",
    "davies_bouldin",
    "marriott",
    "gap",
    "prediction_strength",
    "stability",
    "bic",
)
#: Those of which less is better.
LESS_IS_BETTER = ("davies_bouldin", "marriott", "bic")
_INDICES = ("silhouette", "calinski_harabasz", "davies_bouldin", "marriott")
# Random parts of the customers, half of them at most, which give the standard errors of what is
# computed once.
_PARTS, _MOST_IN_PART = 20, 1_000
_BOOTSTRAPS = 100


@dataclass(frozen=True)
class NumberSearch:
    """What is tried, and how it is judged.

    `criteria` are those asked for by the columns in which they come to stand; the first chooses.
    `by_table` tells that the automatic score is that of :func:`number_of_clusters`, which was
    earned by k-means on columns prepared as there.
    """

    clusterer: Any
    criteria: dict[str, Any]
    by_table: bool
    seed: int
    n_jobs: int | None
    verbose: int

    def run(self, features: Floats, numbers: Sequence[int]) -> tuple[int, pd.DataFrame] | None:
        """Return the number chosen and the criteria; None where no number gave as many clusters."""
        with warnings.catch_warnings():
            # What a number too large for a clusterer comes to is looked at here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            candidates = self._candidates(features, numbers)
            if not candidates:
                return None
            table = self._table(features, candidates)
        return self._best(table), table

    def _candidates(self, features: Floats, numbers: Sequence[int]) -> list[_Candidate]:
        fits = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")(
            delayed(self._template(number).fit)(features.copy()) for number in numbers
        )
        shown = progress(
            fits, total=len(numbers), description="segments", is_shown=bool(self.verbose)
        )
        tried = [
            _Candidate(number, model, labels_of(model, features.copy()))
            for number, model in zip(numbers, shown, strict=True)
        ]
        exact = [one for one in tried if one.n_found == one.n_segments]
        return exact or [one for one in tried if one.n_found > 1]

    def _template(self, number: int) -> Any:
        return prepared(self.clusterer, self.seed, number, owner=_OWNER)

    def _table(self, features: Floats, candidates: Sequence[_Candidate]) -> pd.DataFrame:
        """Return a row for each number of segments, and two columns for each criterion."""
        numbers = [one.n_segments for one in candidates]
        table = pd.DataFrame(index=pd.Index(numbers, name="n_segments"))
        rng = np.random.RandomState(self.seed)
        size = min(len(features) // 2, _MOST_IN_PART)
        parts = [rng.permutation(len(features))[:size] for _ in range(_PARTS)]
        indices, of_parts = _indices(features, candidates, parts)
        sizes = {"part": size, "of": len(features)}
        for name in _INDICES:
            table[name] = indices[name]
            errors = _standard_error([one[name] for one in of_parts], **sizes)
            table[f"{name}_standard_error"] = errors
        for name, criterion in self.criteria.items():
            if callable(criterion):
                found = _by_function(criterion, features, candidates, parts)
            elif criterion == "bic":
                found = _by_bic(features, candidates, parts)
            elif criterion in ("auto", *_INDICES):
                continue
            else:
                found = self._resampled(criterion, features, candidates, table.attrs)
            table[name], table[f"{name}_standard_error"] = found
        table["auto"] = automatic_score(table)
        if self.by_table:
            tried = (numbers[0], numbers[-1])
            of_table = number_of_clusters(features, n_clusters_range=tried, random_state=self.seed)
            table["auto"] = of_table.scores["auto"].reindex(numbers)
        errors = _standard_error([automatic_score(one) for one in of_parts], **sizes)
        table["auto_standard_error"] = errors
        return table

    def _resampled(
        self, criterion: str, features: Floats, candidates: Sequence[_Candidate], attrs: Any
    ) -> tuple[Any, Any]:
        """Return a criterion that resamples the customers itself, and its standard error."""
        numbers = [one.n_segments for one in candidates]
        options: dict[str, Any] = {
            "random_state": self.seed,
            "n_jobs": self.n_jobs,
            "verbose": self.verbose,
        }
        if criterion == "stability":
            weakest = [
                bootstrap_jaccard(
                    features,
                    one.labels,
                    clusterer=self._template(one.n_segments),
                    n_bootstraps=_BOOTSTRAPS,
                    **options,
                )
                .sort_values("mean_jaccard")
                .iloc[0]
                for one in candidates
            ]
            means = [float(one["mean_jaccard"]) for one in weakest]
            return means, [float(one["std_jaccard"]) / np.sqrt(_BOOTSTRAPS) for one in weakest]
        if criterion == "gap":
            consecutive = range(1, numbers[-1] + 1)
            found = gap_statistic(
                features, n_clusters=consecutive, clusterer=self.clusterer, **options
            )
            attrs[criterion] = n_clusters_by_gap(found)
        else:
            found = prediction_strength(
                features, n_clusters=numbers, clusterer=self.clusterer, **options
            )
            attrs[criterion] = n_clusters_by_prediction_strength(found)
        found = found.loc[numbers]
        return found[criterion], found["standard_error"]

    def _best(self, table: pd.DataFrame) -> int:
        name, criterion = next(iter(self.criteria.items()))
        if name in table.attrs:
            # These have a rule of their own, which may say 1; segments were asked for.
            return max(int(table.attrs[name]), int(table.index[0]))
        scores = -table[name] if criterion in LESS_IS_BETTER else table[name]
        if not np.isfinite(scores).any():
            raise SegkitValueError(f"{_OWNER}: the criterion {name!r} is never a finite number.")
        return int(table.index[int(np.nanargmax(scores))])


def number_search(
    clusterer: Any,
    selection: Any,
    *,
    prepares_columns: bool,
    seed: int,
    n_jobs: int | None,
    verbose: int,
) -> NumberSearch:
    """Return the search for what a user asked for; raise for criteria that there are not."""
    criteria = list(selection) if isinstance(selection, list | tuple) else [selection]
    unknown = [one for one in criteria if not callable(one) and one not in CRITERIA]
    if unknown or not criteria:
        raise SegkitValueError(
            f"{_OWNER}: selection must be among {', '.join(CRITERIA)}, a function of features and "
            f"labels, or a list of these, got {selection!r}."
        )
    return NumberSearch(
        clusterer,
        _by_column(criteria),
        by_table=prepares_columns and is_k_means(clusterer),
        seed=seed,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _by_column(criteria: Sequence[Any]) -> dict[str, Any]:
    """Return the criteria by the columns they come to stand in: functions by their names."""
    columns: dict[str, Any] = {}
    for criterion in criteria:
        name = getattr(criterion, "__name__", "criterion") if callable(criterion) else criterion
        taken, count = {*columns, *(CRITERIA if callable(criterion) else ())}, 1
        column = name
        while column in taken and columns.get(column) is not criterion:
            count += 1
            column = f"{name}_{count}"
        columns[column] = criterion
    return columns


@dataclass(frozen=True)
class _Candidate:
    """A clusterer fitted for a number of segments."""

    n_segments: int
    model: Any
    labels: Labels

    @cached_property
    def members(self) -> Floats:
        """1 where a customer (column) is in a segment (row), else 0."""
        found = np.unique(self.labels[self.labels >= 0])
        members: Floats = (self.labels == found[:, np.newaxis]).astype(np.float64)
        return members

    @property
    def n_found(self) -> int:
        """How many segments have customers."""
        return len(self.members)

    @property
    def n_assigned(self) -> int:
        """How many customers have a segment."""
        return int((self.labels >= 0).sum())


def _indices(
    features: Floats, candidates: Sequence[_Candidate], parts: Sequence[NDArray[np.intp]]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the indices of all numbers of segments, and those of parts of the customers."""
    labels = np.array([one.labels for one in candidates])
    everyone = _indices_of(features, candidates, np.arange(len(features)))
    everyone["silhouette"] = silhouette(features, labels)
    members = np.concatenate([one.members for one in candidates])
    counts = ClusterCounts(tuple(len(one.members) for one in candidates))
    of_parts = []
    for part in parts:
        table = _indices_of(features, candidates, part)
        table["silhouette"] = silhouettes(features[part], members[:, part], counts)
        of_parts.append(table)
    return everyone, of_parts


def _indices_of(
    features: Floats, candidates: Sequence[_Candidate], part: NDArray[np.intp]
) -> pd.DataFrame:
    """Return the indices but the silhouette, as if there were as many customers as in all."""
    rows = []
    for one in candidates:
        own = part[one.labels[part] >= 0]
        X, inside, k = features[own], one.members[:, own], len(one.members)
        counts = ClusterCounts((k,))
        variance_ratio = calinski_harabasz(X, inside, counts)[0]
        # It grows with the number of customers.
        variance_ratio *= (one.n_assigned - k) / max(len(own) - k, 1)
        ratio = log_determinant_ratios(X[np.newaxis], inside[np.newaxis], counts)[0, 0]
        rows.append(
            {
                "calinski_harabasz": float(variance_ratio),
                "davies_bouldin": float(davies_bouldin(X, inside, counts)[0]),
                "marriott": float(k**2 * np.exp(-ratio)),
            }
        )
    return pd.DataFrame(rows, index=[one.n_segments for one in candidates])


def _by_function(
    criterion: Callable[[Floats, Labels], float],
    features: Floats,
    candidates: Sequence[_Candidate],
    parts: Sequence[NDArray[np.intp]],
) -> tuple[list[float], list[float]]:
    found, errors = [], []
    for one in candidates:
        found.append(float(criterion(features, one.labels)))
        complete = [part for part in parts if one.members[:, part].any(axis=1).all()]
        values = [float(criterion(features[part], one.labels[part])) for part in complete]
        errors.append(_standard_error(values, part=len(parts[0]), of=len(features)))
    return found, errors


def _by_bic(
    features: Floats, candidates: Sequence[_Candidate], parts: Sequence[NDArray[np.intp]]
) -> tuple[list[float], list[float]]:
    lacking = [one.model for one in candidates if not hasattr(one.model, "bic")]
    if lacking:
        raise SegkitValueError(
            f"{_OWNER}: selection='bic' needs a clusterer with bic(X), such as GaussianMixture; "
            f"{type(lacking[0]).__name__} has none."
        )
    # It grows with the number of customers.
    larger = len(features) / len(parts[0])
    errors = [
        _standard_error(
            [larger * one.model.bic(features[part]) for part in parts],
            part=len(parts[0]),
            of=len(features),
        )
        for one in candidates
    ]
    return [float(one.model.bic(features)) for one in candidates], errors


def _standard_error(values: Any, *, part: int, of: int) -> Any:
    """Return the standard error among all customers, given values of random parts of them.

    Values of parts drawn without replacement vary by (1 / part - 1 / all) of the variance.
    """
    if len(values) < 2:
        return float("nan")
    return np.std(values, axis=0, ddof=1) * np.sqrt(part / (of - part))
