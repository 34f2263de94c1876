"""All criteria together, and what follows from several of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from segkit.metrics import StructureTest
from segkit.validation._actionable import actionable, responding_alike
from segkit.validation._differentiable import differentiable
from segkit.validation._evidence import Assessment
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._measurable import measurable
from segkit.validation._pair_effects import pair_effects
from segkit.validation._parsimonious import inseparable, parsimonious
from segkit.validation._refits import Refits, held_out_codes
from segkit.validation._stable import stable
from segkit.validation._structured import SLICES, structured
from segkit.validation._substantial import accessible, substantial
from segkit.validation._variables import Codes


@dataclass(frozen=True)
class Limits:
    """What the user asks of the segments."""

    min_size: int
    min_share: float
    max_segments: int
    n_bootstraps: int


@dataclass(frozen=True)
class Judgement:
    """The criteria, the differences between segments, and the pairs that might be one."""

    assessments: Sequence[Assessment]
    differences: pd.DataFrame
    merge_candidates: pd.DataFrame
    structure_test: StructureTest | None


def judge(
    customers: JudgedCustomers,
    refits: Refits | None,
    reason: str,
    *,
    is_clustering: bool | None,
    limits: Limits,
    seed: int,
    n_jobs: int | None,
) -> Judgement:
    """Assess each criterion; `reason` says why there are no refits."""
    seeds = [int(one) for one in np.random.default_rng(seed).integers(2**31 - 1, size=5)]
    segments = customers.segments
    held_out = _held_out(customers, refits, seeds[0])
    told = customers.codes if held_out is None else held_out
    by_basis = pair_effects(customers.codes, segments, customers.basis, "basis")
    by_outcome = pair_effects(told, segments, customers.outcomes, "outcome")
    differences = pd.concat([one for one in (by_basis, by_outcome) if len(one)] or [by_basis])
    differences = differences.reset_index(drop=True)
    structure, test = structured(customers, is_clustering, seeds[1])
    assessments = [
        measurable(customers),
        substantial(customers, limits.min_size, limits.min_share),
        accessible(customers),
        differentiable(customers, by_basis, seeds[2], n_jobs),
        actionable(customers, told, by_outcome, seeds[3], is_held_out=held_out is not None),
        structure,
        stable(
            customers,
            refits,
            reason,
            n_bootstraps=limits.n_bootstraps,
            seed=seeds[4],
            n_jobs=n_jobs,
        ),
        parsimonious(customers, differences, limits.max_segments),
        Assessment("durable", "not assessed", "that takes a later table: compare(later) tells"),
    ]
    slices = [row.segment for row in structure.rows if row.what_to_do == SLICES]
    alike = inseparable(segments, differences) if customers.basis else []
    candidates = _merge_candidates(segments, alike, by_outcome, slices)
    return Judgement(assessments, differences, candidates, test)


def _held_out(customers: JudgedCustomers, refits: Refits | None, seed: int) -> Codes | None:
    """Return the segments of customers by what others teach; None where that cannot be."""
    if refits is None or not customers.outcomes or len(customers) < 4:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first fit has warned
            return held_out_codes(refits, customers.codes, len(customers.segments), seed)
    except ValueError:
        # Half of the customers are too few for so many segments.
        return None


def _merge_candidates(
    segments: tuple[str, ...],
    alike: Sequence[tuple[str, str]],
    by_outcome: pd.DataFrame,
    slices: Sequence[str],
) -> pd.DataFrame:
    """Return pairs that might be one segment, with every reason."""
    pairs = [*combinations(segments, 2)]
    reasons = {
        "no gap between them": {pair for pair in pairs if " | ".join(pair) in slices},
        "no outcome differs": set(
            responding_alike(segments, by_outcome) if len(by_outcome) else []
        ),
        "no variable tells them apart": set(alike),
    }
    found = [
        (*pair, ", ".join(reason for reason, named in reasons.items() if pair in named))
        for pair in pairs
        if any(pair in named for named in reasons.values())
    ]
    return pd.DataFrame(found, columns=["segment_a", "segment_b", "because"])
