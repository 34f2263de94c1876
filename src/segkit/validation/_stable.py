"""Whether other customers, other halves and other seeds give the same segments: stable.

Stable does not mean real: see `_structured`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from segkit.metrics import bootstrap_jaccard
from segkit.metrics._threads import one_thread
from segkit.validation._evidence import Assessment, Evidence, decided, named
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._refits import ClusteringRefits, Refits, SegmenterRefits, last_step
from segkit.validation._variables import Codes

#: A segment is stable from this mean Jaccard similarity on, and highly stable from 0.85 (C. Hennig
#: 2007, "Cluster-wise assessment of cluster stability").
LEAST_JACCARD = 0.75

#: Adjusted Rand indices from here on are moderate agreement (D. Steinley 2004, "Properties of the
#: Hubert-Arabie adjusted Rand index", Psychological Methods 9, 386-396).
LEAST_AGREEMENT = 0.65

_CRITERION = "stable"
_REPEATS = 5
# Halves and seeds are compared on so many customers at most.
_SAMPLE = 10_000
_INTERVAL = (2.5, 97.5)


def stable(
    customers: JudgedCustomers,
    refits: Refits | None,
    reason: str,
    *,
    n_bootstraps: int,
    seed: int,
    n_jobs: int | None,
) -> Assessment:
    """Return how well each segment is found again; `reason` says why there are no refits."""
    if refits is None:
        return Assessment(_CRITERION, "not assessed", reason)
    if n_bootstraps < 2:
        return Assessment(_CRITERION, "not assessed", "n_bootstraps is less than 2")
    seeds = [int(one) for one in np.random.default_rng(seed).integers(2**31 - 1, size=3)]
    try:
        # The first fit has warned.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(refits, ClusteringRefits):
                rows = _of_clusters(customers, refits, n_bootstraps, seeds[0], n_jobs)
            else:
                rows = _of_thresholds(customers, refits, n_bootstraps, seeds[0], n_jobs)
            rows += _between_halves(refits, seeds[1])
            if refits.has_seed:
                rows += _between_seeds(refits, seeds[2])
    except ValueError as error:
        return Assessment(_CRITERION, "not assessed", f"a refit failed: {error}")
    jaccards = [row for row in rows if row.metric == _JACCARD]
    if isinstance(refits, SegmenterRefits) and not _has_learned(rows):
        told = "nothing is learned from the customers, so that nothing depends on them"
        return decided(_CRITERION, rows, passes=told, fails=told)
    least = min(jaccards, key=lambda row: row.value)
    which = "only" if len(jaccards) == 1 else "least stable"
    lost = [f"{row.segment} {row.value:.2f}" for row in jaccards if not row.passed]
    others = [row.metric for row in rows if row.passed is False and row.metric != _JACCARD]
    fails = f"not found again in other customers: {named(lost)}" if lost else ""
    fails += ("; " if lost and others else "") + ", ".join(f"low {one}" for one in others)
    return decided(
        _CRITERION,
        rows,
        passes=f"the {which} segment, {least.segment}, has a Jaccard similarity of "
        f"{least.value:.2f}",
        fails=fails,
    )


_JACCARD = "Jaccard similarity, resampled"
_UNSTABLE = "Use fewer segments, or merge it: who belongs to it hangs on who was asked."


def _of_clusters(
    customers: JudgedCustomers,
    refits: ClusteringRefits,
    n_bootstraps: int,
    seed: int,
    n_jobs: int | None,
) -> list[Evidence]:
    found = bootstrap_jaccard(
        refits.features,
        customers.codes,
        clusterer=refits.clusterer,
        n_bootstraps=n_bootstraps,
        random_state=seed,
        n_jobs=n_jobs,
    )
    return [
        _jaccard(customers.segments[int(code)], mean, low)
        for code, mean, low in zip(
            found.index, found["mean_jaccard"], found["low_jaccard"], strict=True
        )
    ]


def _jaccard(segment: str, mean: float, low: float, high: float = float("nan")) -> Evidence:
    passed = bool(mean >= LEAST_JACCARD)
    return Evidence(
        _CRITERION,
        _JACCARD,
        float(mean),
        segment,
        "",
        float(low),
        float(high),
        LEAST_JACCARD,
        passed,
        "" if passed else _UNSTABLE,
    )


def _of_thresholds(
    customers: JudgedCustomers,
    refits: SegmenterRefits,
    n_bootstraps: int,
    seed: int,
    n_jobs: int | None,
) -> list[Evidence]:
    """Return how many customers keep their segment where thresholds are learned from resamples."""
    seeds = np.random.default_rng(seed).integers(2**31 - 1, size=n_bootstraps)
    # Limits that threads set and take back each on its own would stay: one limit around them all.
    with one_thread():
        drawn = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(_resampled)(refits, customers.codes, len(customers.segments), int(one))
            for one in seeds
        )
    kept, jaccards, thresholds = zip(*drawn, strict=True)
    low, high = np.percentile(kept, _INTERVAL)
    rows = [
        Evidence(
            _CRITERION,
            "share that keeps its segment",
            float(np.mean(kept)),
            low=float(low),
            high=float(high),
        )
    ]
    by_segment = np.array(jaccards)
    for code, name in enumerate(customers.segments):
        one = by_segment[:, code]
        rows.append(_jaccard(name, one.mean(), *np.percentile(one, _INTERVAL)))
    return rows + _spread(thresholds)


def _resampled(
    refits: SegmenterRefits, codes: Codes, n_segments: int, seed: int
) -> tuple[float, NDArray[np.float64], Mapping[str, float]]:
    rows = np.random.default_rng(seed).integers(len(codes), size=len(codes))
    fitted = refits.fitted(np.sort(rows), seed)
    found = refits.codes_of(fitted, None)
    n_found = max(int(found.max(initial=-1)) + 1, n_segments)
    table = np.bincount(
        (codes + 1) * (n_found + 1) + found + 1, minlength=(n_segments + 1) * (n_found + 1)
    ).reshape(n_segments + 1, n_found + 1)
    shared = table[1:, 1:]
    either = table[1:].sum(axis=1, keepdims=True) + table[:, 1:].sum(axis=0) - shared
    similar = shared / np.maximum(either, 1)
    if refits.is_named:
        jaccards = np.diagonal(similar)[:n_segments]
        kept = float((found == codes).mean())
    else:
        jaccards = similar.max(axis=1)
        kept = float(shared.max(axis=1).sum() / max(shared.sum(), 1))
    return kept, jaccards, thresholds_of(last_step(fitted))


def thresholds_of(fitted: Any) -> dict[str, float]:
    """Return the thresholds that a segmenter has learned, by name."""
    found: dict[str, float] = {}
    for attribute, value in sorted(vars(fitted).items()):
        is_learned = attribute.endswith("_") and not attribute.startswith(("_", "group_"))
        if not is_learned or not any(word in attribute for word in ("edges", "threshold")):
            continue
        parts = value.items() if isinstance(value, Mapping) else [(attribute.rstrip("_"), value)]
        for name, numbers in parts:
            array = np.atleast_1d(np.asarray(numbers))
            if array.dtype.kind not in "iuf" or array.ndim != 1:
                continue
            for place, number in enumerate(array):
                label = str(name) if array.size == 1 else f"{name} {place + 1}"
                found[label] = float(number)
    return found


def _spread(drawn: Iterable[Mapping[str, float]]) -> list[Evidence]:
    tables = list(drawn)
    rows = []
    for name in tables[0]:
        values = [one[name] for one in tables if name in one]
        low, high = np.percentile(values, _INTERVAL)
        rows.append(
            Evidence(
                _CRITERION,
                "threshold, resampled",
                float(np.mean(values)),
                variable=name,
                low=float(low),
                high=float(high),
            )
        )
    return rows


def _has_learned(rows: Iterable[Evidence]) -> bool:
    return any(row.metric == _JACCARD and (row.value < 1 or row.low < 1) for row in rows) or any(
        row.metric == "threshold, resampled" and row.high > row.low for row in rows
    )


def _between_halves(refits: Refits, seed: int) -> list[Evidence]:
    rng = np.random.default_rng(seed)

    def one() -> float:
        rows = rng.permutation(len(refits))[:_SAMPLE]
        middle = len(rows) // 2
        told = [
            refits.codes_after(half, rows, int(rng.integers(2**31 - 1)))
            for half in (rows[:middle], rows[middle:])
        ]
        return float(adjusted_rand_score(*told))

    return _agreement("agreement of random halves", one)


def _between_seeds(refits: Refits, seed: int) -> list[Evidence]:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(refits))[:_SAMPLE]
    first = refits.codes_by_seed(rows, int(rng.integers(2**31 - 1)))

    def one() -> float:
        other = refits.codes_by_seed(rows, int(rng.integers(2**31 - 1)))
        return float(adjusted_rand_score(first, other))

    return _agreement("agreement of seeds", one)


def _agreement(metric: str, one: Callable[[], float]) -> list[Evidence]:
    """Return the mean adjusted Rand index of some repeats, between the least and the most."""
    found = [one() for _ in range(_REPEATS)]
    mean = float(np.mean(found))
    passed = mean >= LEAST_AGREEMENT
    remedy = "Use fewer segments, more restarts, or more customers."
    return [
        Evidence(
            _CRITERION,
            metric,
            mean,
            low=min(found),
            high=max(found),
            threshold=LEAST_AGREEMENT,
            passed=passed,
            what_to_do="" if passed else remedy,
        )
    ]
