"""Whether there are more segments than anyone can use, or than differ: parsimonious."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from segkit.validation._actionable import ALPHA
from segkit.validation._evidence import Assessment, Evidence, decided, named
from segkit.validation._judged_customers import JudgedCustomers
from segkit.validation._pair_effects import SMALL

_CRITERION = "parsimonious"


def parsimonious(
    customers: JudgedCustomers, effects: pd.DataFrame, max_segments: int
) -> Assessment:
    """Return the number of segments, and pairs that no variable and no outcome separates."""
    n_segments = len(customers.segments)
    few = n_segments <= max_segments
    rows = [
        Evidence(
            _CRITERION,
            "segments",
            float(n_segments),
            threshold=float(max_segments),
            passed=few,
            what_to_do="" if few else "Merge the segments that are nearest to each other.",
        )
    ]
    # Who does not know what built the segments cannot say that nothing separates them.
    alike = inseparable(customers.segments, effects) if customers.basis else []
    for one, other in alike:
        rows.append(
            Evidence(
                _CRITERION,
                "variables and outcomes that separate",
                0.0,
                f"{one} | {other}",
                threshold=1.0,
                passed=False,
                what_to_do=f"Merge {one!r} and {other!r}.",
            )
        )
    reasons = (
        [] if few else [f"{n_segments} segments are more than the {max_segments} of max_segments"]
    )
    if alike:
        reasons.append(f"nothing separates {named([f'{a} | {b}' for a, b in alike])}")
    passes = f"{n_segments} segments, each two of which are told apart"
    if n_segments == 1:
        passes = "there is only one segment"
    elif not _is_known_of_all(effects, n_segments):
        passes = f"{n_segments} segments, no more than the {max_segments} of max_segments"
    return decided(
        _CRITERION,
        rows,
        passes=passes,
        fails="; ".join(reasons),
    )


def _is_known_of_all(effects: pd.DataFrame, n_segments: int) -> bool:
    """Tell whether each pair has a variable or an outcome in which it is known how they differ."""
    known = effects.loc[effects["value"].notna(), ["segment_a", "segment_b"]]
    return len(known.drop_duplicates()) == n_segments * (n_segments - 1) // 2


def inseparable(segments: tuple[str, ...], effects: pd.DataFrame) -> list[tuple[str, str]]:
    """Return pairs without a small difference in any variable or a significant one in an outcome.

    P-values of the variables that built the segments are not looked at.
    """
    is_large = effects["value"].abs() >= effects["effect"].map(SMALL)
    is_basis = effects["role"] == "basis"
    # What is not known does not say that nothing separates two.
    is_unknown = effects["value"].isna()
    tells = (is_basis & is_large) | (~is_basis & (effects["p_adjusted"] <= ALPHA)) | is_unknown
    told = set(effects.loc[tells, ["segment_a", "segment_b"]].itertuples(index=False, name=None))
    return [pair for pair in combinations(segments, 2) if pair not in told]
