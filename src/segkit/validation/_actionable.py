"""Whether segments differ in outcomes that did not build them: actionable.

Outcomes (response, churn, spend afterwards) are the test that no clustering passes by itself. With
a segmenter, the segments are those that a customer is put into by what was learned from others.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from segkit.metrics._migration import wilson_interval
from segkit.validation._evidence import CONFIDENCE, Assessment, Evidence, named
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._pair_effects import adjusted, moments, overall_effect
from segkit.validation._variables import Categories, Codes, Floats, Numbers, Variable

#: Adjusted p-values up to this are a difference.
ALPHA = 0.05

_FOLDS = 5
_CRITERION = "actionable"


def actionable(
    customers: JudgedCustomers, codes: Codes, effects: pd.DataFrame, seed: int, *, is_held_out: bool
) -> Assessment:
    """Return tests, variance explained and lift of each outcome, and who responds alike.

    `codes` are the segments of customers, held out or not; `effects` those of outcomes by pair.
    """
    if not customers.outcomes:
        return Assessment(_CRITERION, "not assessed", "no outcomes were named: pass outcomes=[...]")
    if len(customers.segments) < 2:
        return Assessment(_CRITERION, "not assessed", "there is only one segment")
    found = {name: overall_effect(codes, one) for name, one in customers.outcomes.items()}
    p_values = adjusted(np.array([one[-1] for one in found.values()]))
    rng = np.random.default_rng(seed)
    held_out = " of held-out customers" if is_held_out else ""
    rows, differing = [], []
    for (name, (effect, value, explained, _)), p_value in zip(found.items(), p_values, strict=True):
        predicted = variance_predicted(codes, customers.outcomes[name], rng)
        differs = bool(p_value <= ALPHA and predicted > 0)
        if differs:
            differing.append(name)
        note = "" if differs else f"{name!r} says nothing about these segments, or they of it."
        rows += [
            Evidence(
                _CRITERION,
                "adjusted p-value",
                float(p_value),
                variable=name,
                threshold=ALPHA,
                passed=bool(p_value <= ALPHA),
                what_to_do=note,
            ),
            Evidence(_CRITERION, effect, value, variable=name),
            Evidence(_CRITERION, "variance explained", explained, variable=name),
            Evidence(
                _CRITERION,
                "variance predicted, held out",
                predicted,
                variable=name,
                threshold=0.0,
                passed=bool(predicted > 0),
            ),
            *_lifts(customers, codes, name),
        ]
    if np.isnan(p_values).all():
        return Assessment(
            _CRITERION,
            "not assessed",
            f"{named(list(customers.outcomes))} cannot differ: missing, or equal for all",
        )
    alike = [" | ".join(pair) for pair in responding_alike(customers.segments, effects)]
    n_outcomes = len(customers.outcomes)
    enough = bool(differing)
    remedy = "" if enough else "Segment by what goes with the outcomes, or use these for nothing."
    if alike and enough:
        remedy = f"These respond alike, and may be merged: {named(alike)}."
    rows.insert(
        0,
        Evidence(
            _CRITERION,
            f"outcomes that differ, of {n_outcomes}",
            float(len(differing)),
            threshold=1.0,
            passed=enough,
            what_to_do=remedy,
        ),
    )
    reason = (
        f"the segments{held_out} differ in {named(differing)}"
        if enough
        else f"the segments{held_out} differ in no outcome of {named(list(customers.outcomes))}"
        if n_outcomes > 1
        else f"the segments{held_out} do not differ in {named(list(customers.outcomes))}"
    )
    return Assessment(_CRITERION, "passed" if enough else "failed", reason, tuple(rows))


def responding_alike(segments: tuple[str, ...], effects: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of segments that no outcome tells apart."""
    # What is not known does not say that two are alike.
    tells = (effects["p_adjusted"] <= ALPHA) | effects["p_adjusted"].isna()
    apart = effects.loc[tells, ["segment_a", "segment_b"]]
    told = set(apart.itertuples(index=False, name=None))
    return [pair for pair in combinations(segments, 2) if pair not in told]


def variance_predicted(codes: Codes, outcome: Variable, rng: np.random.Generator) -> float:
    """Return the share of an outcome's variance that segments predict for customers left out.

    In five folds, each customer's outcome is predicted by the mean of their segment in the other
    four, and by the mean of everyone there: 1 less the ratio of the squared errors. Below 0 where
    the segments mislead.
    """
    known = (codes >= 0) & ~outcome.is_missing
    kept = codes[known]
    if kept.size < 2 * _FOLDS:
        return float("nan")
    if isinstance(outcome, Categories):
        columns: Floats = np.eye(len(outcome.levels))[outcome.codes[known]]
    else:
        columns = outcome.values[known][:, np.newaxis]
    columns = columns - columns.mean(axis=0)
    fold = rng.permutation(len(kept)) % _FOLDS
    n_segments = int(kept.max()) + 1
    cells = fold * n_segments + kept
    shape = (_FOLDS, n_segments)
    counts = np.bincount(cells, minlength=_FOLDS * n_segments).reshape(shape)
    counts = counts.sum(axis=0) - counts
    error = baseline = 0.0
    for column in columns.T:
        sums = np.bincount(cells, weights=column, minlength=_FOLDS * n_segments).reshape(shape)
        sums = sums.sum(axis=0) - sums
        everyone = sums.sum(axis=1) / counts.sum(axis=1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), everyone[:, np.newaxis])
        error += float(np.square(column - means[fold, kept]).sum())
        baseline += float(np.square(column - everyone[fold]).sum())
    return 1 - error / baseline if baseline > 0 else float("nan")


def _lifts(customers: JudgedCustomers, codes: Codes, name: str) -> list[Evidence]:
    """Return each segment's mean, and its lift: the mean over that of everyone."""
    outcome = customers.outcomes[name]
    if not isinstance(outcome, Numbers):
        return []
    counts, means, variances = moments(codes, len(customers.segments), outcome)
    known = (codes >= 0) & ~outcome.is_missing
    everyone = float(outcome.values[known].mean()) if known.any() else float("nan")
    if outcome.is_binary:
        _, lows, highs = wilson_interval(means * counts, counts, CONFIDENCE)
    else:
        freedom = np.maximum(counts - 1, 1)
        half = student.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(
            variances / np.maximum(counts, 1)
        )
        lows, highs = means - half, means + half
    rows = []
    for code, segment in enumerate(customers.segments):
        about = (segment, name, float(lows[code]), float(highs[code]))
        rows.append(Evidence(_CRITERION, "mean", float(means[code]), *about))
        if everyone > 0:
            lift, low, high = (float(one[code]) / everyone for one in (means, lows, highs))
            rows.append(Evidence(_CRITERION, "lift", lift, segment, name, low, high))
    return rows
