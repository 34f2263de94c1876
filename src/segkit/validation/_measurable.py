"""Whether it is known what segments are built from, and who is in them: measurable.

Kotler, "Marketing management": the size and the traits of a segment can be measured. Above a tenth
of missing values results are likely to be biased (D. A. Bennett 2001, "How can I deal with missing
data in my study?", Australian and New Zealand Journal of Public Health 25, 464-469).
"""

from __future__ import annotations

from segkit.metrics._migration import wilson_interval
from segkit.validation._evidence import CONFIDENCE, Assessment, Evidence, decided, named, percent
from segkit.validation._judged_customers import JudgedCustomers

#: The largest share of missing values, or of customers without a segment.
MOST_MISSING = 0.10


def measurable(customers: JudgedCustomers) -> Assessment:
    """Return the shares of missing values, and of customers without a segment."""
    n = len(customers)
    rows = []
    for name, variable in customers.basis.items():
        missing = int(variable.is_missing.sum())
        rows.append(
            _share(missing, n, "missing share", name, f"Fill or leave out {name!r} at its source.")
        )
    without = int((customers.codes < 0).sum())
    remedy = "Give the customers without a segment one, or say why they have none."
    rows.append(_share(without, n, "unassigned share", "", remedy))
    most = max(row.value for row in rows[:-1]) if customers.basis else 0.0
    told = f"at most {percent(most)} of a variable is missing" if most else "no value is missing"
    told += "; "
    unassigned = f"{percent(without / n)} of the customers have no segment"
    lost = [f"{row.variable} {percent(row.value)}" for row in rows[:-1] if not row.passed]
    fails = [f"too much is missing: {named(lost)}"] if lost else []
    fails += [] if rows[-1].passed else [unassigned]
    return decided(
        "measurable",
        rows,
        passes=told + (unassigned if without else "every customer has a segment"),
        fails="; ".join(fails),
    )


def _share(count: int, n: int, metric: str, variable: str, remedy: str) -> Evidence:
    share, low, high = (float(one) for one in wilson_interval(count, n, CONFIDENCE))
    passed = share <= MOST_MISSING
    return Evidence(
        "measurable",
        metric,
        share,
        variable=variable,
        low=low,
        high=high,
        threshold=MOST_MISSING,
        passed=passed,
        what_to_do="" if passed else remedy,
    )
