"""Whether segments can be told apart by the variables that built them: differentiable.

Tests on these variables say nothing about whether the segments are real: any cut of a cloud makes
its pieces differ in what it was cut by. Their p-values are called descriptive and decide nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import silhouette_samples
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from segkit.metrics._migration import wilson_interval
from segkit.metrics._threads import one_thread
from segkit.validation._basis_matrix import basis_matrix
from segkit.validation._evidence import ALL, CONFIDENCE, NAN, Assessment, Evidence, decided, named
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._pair_effects import MEDIUM, adjusted, overall_effect

#: Of the way from guessing to knowing the segment, at least so much: moderate agreement (J. R.
#: Landis & G. G. Koch 1977, "The measurement of observer agreement for categorical data").
LEAST_BEYOND_CHANCE = 0.4

_SAMPLE, _FOLDS, _TREES = 2_000, 5, 40
_CRITERION = "differentiable"


def differentiable(
    customers: JudgedCustomers, effects: pd.DataFrame, seed: int, n_jobs: int | None
) -> Assessment:
    """Return effect sizes by variable and by pair, silhouettes, and a held-out classifier."""
    if not customers.basis:
        reason = "the variables that built the segments are not known: pass basis=[...]"
        return Assessment(_CRITERION, "not assessed", reason)
    if len(customers.segments) < 2:
        reason = "there is only one segment, which divides nobody"
        row = Evidence(_CRITERION, "segments", 1.0, threshold=2.0, passed=False)
        return Assessment(_CRITERION, "failed", reason, (row,))
    rng = np.random.default_rng(seed)
    rows = [
        *_by_variable(customers),
        *_by_pair(effects),
        *_silhouettes(customers, rng),
        *_classified(customers, rng, n_jobs),
    ]
    if all(row.passed is None for row in rows):
        reason = "the variables that built the segments do not vary, or too few values are known"
        return Assessment(_CRITERION, "not assessed", reason, tuple(rows))
    alike = [row.segment for row in rows if row.metric.startswith("largest") and not row.passed]
    told = [row for row in rows if row.metric.startswith("classifier") and row.segment == ALL]
    if not told and not alike:
        # Of two customers each, any two segments are apart in something.
        reason = f"too few customers for a classifier: a segment takes {_FOLDS} of them"
        return Assessment(_CRITERION, "not assessed", reason, tuple(rows))
    accuracy = ""
    if told:
        accuracy = (
            f"a classifier goes {100 * told[0].value:.0f} % of the way from guessing to knowing "
            "the segment of held-out customers"
        )
    fails = f"hardly apart in any variable: {named(alike)}" if alike else accuracy
    return decided(_CRITERION, rows, passes=accuracy, fails=fails)


def _by_variable(customers: JudgedCustomers) -> list[Evidence]:
    found = {
        name: overall_effect(customers.codes, variable)
        for name, variable in customers.basis.items()
    }
    p_values = adjusted(np.array([one[-1] for one in found.values()]))
    rows = []
    for (name, (effect, value, _, _)), p_value in zip(found.items(), p_values, strict=True):
        rows.append(Evidence(_CRITERION, effect, value, variable=name))
        rows.append(
            Evidence(_CRITERION, "adjusted p-value (descriptive)", float(p_value), variable=name)
        )
    return rows


def _by_pair(effects: pd.DataFrame) -> list[Evidence]:
    """Return the variable in which each pair is farthest apart."""
    rows = []
    # Where nothing is known of a pair, it is below 0.
    relative = (effects["value"].abs() / effects["effect"].map(MEDIUM)).fillna(-1.0)
    pairs = relative.groupby([effects["segment_a"], effects["segment_b"]], sort=False)
    places = pairs.idxmax()
    known = effects.loc[places[relative[places].to_numpy() >= 0]]
    for best in known.to_dict("records"):
        one, other = best["segment_a"], best["segment_b"]
        threshold = MEDIUM[best["effect"]]
        passed = bool(abs(best["value"]) >= threshold)
        what = "Cliff's δ" if best["effect"] == "δ" else "Cramér's V"
        rows.append(
            Evidence(
                _CRITERION,
                f"largest {what}",
                float(best["value"]),
                f"{one} | {other}",
                str(best["variable"]),
                float(best["low"]),
                float(best["high"]),
                threshold,
                passed,
                "" if passed else "Merge the two, or add a variable that tells them apart.",
            )
        )
    return rows


def _silhouettes(customers: JudgedCustomers, rng: np.random.Generator) -> list[Evidence]:
    rows = _drawn(customers, rng)
    matrix, codes = basis_matrix(customers.basis)[rows], customers.codes[rows]
    sizes = np.bincount(codes, minlength=len(customers.segments))
    if not matrix.shape[1] or (sizes > 0).sum() < 2 or len(codes) <= (sizes > 0).sum():
        return []
    with one_thread():
        found = silhouette_samples(matrix, codes)
    means = [(ALL, found)]
    means += [(name, found[codes == code]) for code, name in enumerate(customers.segments)]
    return [
        Evidence(_CRITERION, "silhouette", float(values.mean()), name)
        for name, values in means
        if len(values)
    ]


def _classified(
    customers: JudgedCustomers, rng: np.random.Generator, n_jobs: int | None
) -> list[Evidence]:
    """Return how many customers of each segment a forest finds that has not seen them."""
    rows = _drawn(customers, rng)
    codes = customers.codes[rows]
    # Of a segment, each fold needs a customer.
    sizes = np.bincount(codes, minlength=len(customers.segments))
    kept = np.flatnonzero(sizes >= _FOLDS)
    rows, codes = rows[np.isin(codes, kept)], codes[np.isin(codes, kept)]
    matrix = basis_matrix(
        {name: variable.take(rows) for name, variable in customers.basis.items()}, fill=False
    )
    if kept.size < 2 or not matrix.shape[1]:
        return []
    forest = RandomForestClassifier(
        _TREES, min_samples_leaf=2, class_weight="balanced", random_state=int(rng.integers(2**31))
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    # A fold is too short for a process of its own.
    with one_thread(), parallel_config("threading"):
        told = cross_val_predict(forest, matrix, codes, cv=folds, n_jobs=n_jobs)
    hits = np.bincount(codes[told == codes], minlength=len(sizes))[kept]
    recalls, lows, highs = wilson_interval(hits, sizes[kept], CONFIDENCE)
    chance = 1 / kept.size
    accuracy = float(recalls.mean())
    # The recalls are of different customers, so that their variances add up.
    half = 1.96 * float(np.sqrt((recalls * (1 - recalls) / sizes[kept]).sum())) / kept.size
    beyond, low, high = (
        (one - chance) / (1 - chance)
        for one in (accuracy, accuracy - half, min(accuracy + half, 1))
    )
    passed = beyond >= LEAST_BEYOND_CHANCE
    remedy = "The basis does not tell the segments apart: look for other variables, or merge."
    return [
        Evidence(
            _CRITERION,
            "classifier, beyond chance",
            beyond,
            low=low,
            high=high,
            threshold=LEAST_BEYOND_CHANCE,
            passed=passed,
            what_to_do="" if passed else remedy,
        ),
        Evidence(
            _CRITERION,
            "balanced accuracy, held out",
            accuracy,
            low=accuracy - half,
            high=min(accuracy + half, 1.0),
            threshold=NAN,
        ),
        *(
            Evidence(
                _CRITERION,
                "found by the classifier",
                float(recall),
                customers.segments[code],
                "",
                float(least),
                float(most),
            )
            for code, recall, least, most in zip(kept, recalls, lows, highs, strict=True)
        ),
    ]


def _drawn(customers: JudgedCustomers, rng: np.random.Generator) -> NDArray[np.intp]:
    rows = np.flatnonzero(customers.codes >= 0)
    if len(rows) > _SAMPLE:
        rows = np.sort(rng.choice(rows, _SAMPLE, replace=False))
    return rows
