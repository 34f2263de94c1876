"""Whether customers are of several kinds, or clusters are slices of one cloud: structured.

Stability cannot say it: k-means cuts an elongated cloud in the same place every time. Thresholds,
rules and tiers cut on purpose, and are not asked.
"""

from __future__ import annotations

import numpy as np

from segkit.exceptions import SegkitValueError
from segkit.metrics import StructureTest, structure_test
from segkit.metrics._centers import cluster_means, squared_distances
from segkit.metrics._structure_test import LEAST_EXCESS
from segkit.validation._basis_matrix import basis_matrix
from segkit.validation._evidence import Assessment, Evidence, named
from segkit.validation._judged_customers import JudgedCustomers

_CRITERION = "structured"
_ALPHA = 0.01
#: What the rows about two segments say, and of two that are one cloud.
GAP = "excess over a cloud of the two"
SLICES = "No gap between them: they may be one segment, cut in two."

_SAMPLE_OF_PAIR = 500
# Of fewer customers, nothing can be said of structure.
_FEWEST = 50


def gaps(customers: JudgedCustomers, seed: int) -> list[Evidence]:
    """Return whether each cluster and its nearest one are two groups, or halves of one cloud.

    These rows inform: where there is structure, some of the clusters may be slices all the same.
    """
    matrix = basis_matrix(customers.basis)
    n_segments = len(customers.segments)
    if n_segments < 3 or not matrix.shape[1]:
        return []
    centres = cluster_means(matrix, customers.codes, n_segments)
    distances = squared_distances(centres, centres)
    np.fill_diagonal(distances, np.inf)
    pairs = {(min(one, other), max(one, other)) for one, other in enumerate(distances.argmin(0))}
    rows = []
    for one, other in sorted((int(a), int(b)) for a, b in pairs):
        both = matrix[(customers.codes == one) | (customers.codes == other)]
        if len(both) < _FEWEST:
            continue
        try:
            test = structure_test(
                both, n_clusters_range=(2, 2), sample_size=_SAMPLE_OF_PAIR, random_state=seed
            )
        except SegkitValueError:  # their columns don't vary
            continue
        rows.append(
            Evidence(
                _CRITERION,
                GAP,
                test.excess,
                f"{customers.segments[one]} | {customers.segments[other]}",
                threshold=LEAST_EXCESS,
                what_to_do="" if test.has_structure else SLICES,
            )
        )
    return rows


def structured(
    customers: JudgedCustomers, is_clustering: bool | None, seed: int
) -> tuple[Assessment, StructureTest | None]:
    """Return whether there is structure beyond clouds without any, and the test.

    `is_clustering` is None where it is not known where the labels come from.
    """
    if is_clustering is False:
        reason = "thresholds, rules and tiers cut on purpose, where there is no gap, too"
        return Assessment(_CRITERION, "not applicable", reason), None
    matrix = basis_matrix(customers.basis)
    if not matrix.shape[1] or len(matrix) < _FEWEST or not np.ptp(matrix, axis=0).any():
        reason = f"that takes {_FEWEST} customers, and variables that vary"
        return Assessment(_CRITERION, "not assessed", reason), None
    try:
        test = structure_test(matrix, alpha=_ALPHA, random_state=seed)
    except SegkitValueError as error:
        return Assessment(_CRITERION, "not assessed", str(error)), None
    decides = is_clustering is True
    remedy = (
        "The clusters are slices of a cloud. Use thresholds that can be read, or other variables."
    )
    of_pairs = gaps(customers, seed) if decides and test.has_structure else []
    excess_passed, p_passed = test.excess >= LEAST_EXCESS, test.p_value <= _ALPHA
    rows = (
        Evidence(
            _CRITERION,
            "p-value",
            test.p_value,
            threshold=_ALPHA,
            passed=bool(p_passed) if decides else None,
            what_to_do="" if test.has_structure else remedy,
        ),
        Evidence(
            _CRITERION,
            "excess over clouds",
            test.excess,
            threshold=LEAST_EXCESS,
            passed=bool(excess_passed) if decides else None,
            what_to_do="" if test.has_structure else remedy,
        ),
        *of_pairs,
    )
    found = f"p = {test.p_value:.2g}, excess {test.excess:.2f}"
    if not test.has_structure:
        found += f"; at most {_ALPHA:g} and at least {LEAST_EXCESS:g} wanted"
    what = (
        f"there is more structure than in clouds without segments ({found})"
        if test.has_structure
        else f"no more structure than in a cloud without segments ({found})"
    )
    if slices := [row.segment for row in of_pairs if row.what_to_do]:
        what += f"; but no gap between {named(slices)}"
    if not decides:
        what = (
            f"labels alone do not say whether clusters are meant; if they are: {what}. Pass the "
            "clusterer, or from_clusterer=True"
        )
        return Assessment(_CRITERION, "not assessed", what, rows), test
    return Assessment(_CRITERION, "passed" if test.has_structure else "failed", what, rows), test
