"""What the report says of pairs of tables that are drawn alike, and of pairs that are not."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from segkit import ValueTierer
from segkit.monitoring import DriftReport

Overlap: TypeAlias = Literal["all", "part", "none"]

#: Customers of the earlier table.
SIZES = (30, 300, 3_000)
#: Which customers are in both tables; of "part" seven tenths, and half as many come.
OVERLAPS: tuple[Overlap, ...] = ("all", "part", "none")
#: Of each variable with what it was.
CORRELATION = 0.8

_CORRELATIONS = np.array([[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]])
_HEADER = [
    *("customers", "in both", "p < .05, here", "p < .05, Kolmogorov-Smirnov", "not kept"),
    *("an index of 0.1 somewhere", "refit, prices doubled"),
    "re-profile, half a standard deviation older",
]


def study(n_draws: int, seed: int) -> str:
    """Return the table of both halves of the study, as markdown."""
    rows = [_HEADER, ["---"] * len(_HEADER)]
    for overlap in OVERLAPS:
        for n_customers in SIZES:
            rng = np.random.default_rng([seed, n_customers, OVERLAPS.index(overlap)])
            found = [_told(*pair(rng, n_customers, overlap)) for _ in range(n_draws)]
            shares = [f"{100 * share:.1f} %" for share in np.mean(found, axis=0)]
            rows.append([f"{n_customers:,}", overlap, *shares])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def pair(
    rng: np.random.Generator, n_customers: int, overlap: Overlap
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw two tables without drift."""
    factor = np.linalg.cholesky(_CORRELATIONS)

    def drawn(n: int) -> NDArray[np.float64]:
        return rng.normal(size=(n, 3)) @ factor.T

    ids, latent = np.arange(n_customers), drawn(n_customers)
    before = _table(ids, latent)
    if overlap == "none":
        return before, _table(ids + n_customers, drawn(n_customers))
    noise = np.sqrt(1 - CORRELATION**2) * drawn(n_customers)
    later = CORRELATION * latent + noise
    if overlap == "all":
        return before, _table(ids, later)
    kept = rng.permutation(n_customers)[: n_customers * 7 // 10]
    new = np.arange(n_customers // 2) + n_customers
    return before, _table(np.append(ids[kept], new), np.vstack([later[kept], drawn(len(new))]))


def _table(ids: NDArray[np.intp], latent: NDArray[np.float64]) -> pd.DataFrame:
    channels = np.array(["shop", "web", "app", "post"])
    return pd.DataFrame(
        {
            "customer_id": ids,
            "recency_days": np.round(60 * np.exp(0.8 * latent[:, 0])),
            "frequency": np.round(1 + np.exp(latent[:, 1])),
            "monetary": 50 * np.exp(latent[:, 2]),
            "channel": channels[np.digitize(latent[:, 0] + latent[:, 2], [-1, 0.3, 1.5])],
            "age": 40 + 10 * latent[:, 1],
        }
    )


def _told(before: pd.DataFrame, after: pd.DataFrame) -> list[bool]:
    """Return what the columns of the table count."""
    tierer = ValueTierer().fit(before)
    found = DriftReport.from_tables(tierer, before, after)
    report = found.report.set_index("variable")
    dearer = after.assign(monetary=2 * after["monetary"])
    older = after.assign(age=after["age"] + 5)
    return [
        bool(report.loc["monetary", "p_value"] < 0.05),
        bool(ks_2samp(before["monetary"], after["monetary"]).pvalue < 0.05),
        found.verdict != "keep",
        bool((report["psi"] >= 0.1).any()),
        DriftReport.from_tables(tierer, before, dearer).verdict == "refit",
        DriftReport.from_tables(tierer, before, older).verdict != "keep",
    ]
