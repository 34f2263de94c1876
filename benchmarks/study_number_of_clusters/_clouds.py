"""Tables without segments: clouds of many shapes, counts, and customers of one population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from segkit import summarize_transactions
from segkit.datasets import make_transactions

Floats = NDArray[np.float64]

_WEEKS = 104.0


@dataclass(frozen=True)
class Cloud:
    """A kind of table without segments, and how one of them is drawn."""

    name: str
    draw: Callable[[int, np.random.Generator], Floats]
    #: Where the test is known to claim structure, for a reason that the documentation gives.
    is_limit: bool = False


def equal_correlation(n_columns: int, correlation: float) -> Floats:
    """Return a matrix with the same correlation everywhere."""
    return np.full((n_columns, n_columns), correlation) + (1 - correlation) * np.eye(n_columns)


def gaussian(n: int, correlation: Floats, rng: np.random.Generator) -> Floats:
    """Return rows of a Gaussian with this correlation."""
    return rng.standard_normal((n, len(correlation))) @ np.linalg.cholesky(correlation).T


def _elongated(n: int, rng: np.random.Generator) -> Floats:
    rotation = stats.ortho_group.rvs(4, random_state=rng)
    return rng.standard_normal((n, 4)) * [1, 1, 3, 6] @ rotation


def _student(n: int, correlation: Floats, rng: np.random.Generator) -> Floats:
    return gaussian(n, correlation, rng) / np.sqrt(rng.chisquare(3, n) / 3)[:, None]


def _mixed_margins(n: int, rng: np.random.Generator) -> Floats:
    u = stats.t.cdf(_student(n, equal_correlation(4, 0.5), rng), 3)
    return np.column_stack(
        [
            stats.gamma.ppf(u[:, 0], 2),
            stats.norm.ppf(u[:, 1]),
            u[:, 2],
            stats.expon.ppf(u[:, 3]),
        ]
    )


def _correlated_counts(n: int, rng: np.random.Generator) -> Floats:
    rate = rng.gamma(0.8, 1 / 0.8, n)[:, None]
    return rng.poisson(rate * rng.uniform(0.5, 6, 4) * rng.gamma(2, 0.5, (n, 4))).astype(float)


def _purchases(n: int, rng: np.random.Generator, *, dropout: bool, total: bool = False) -> Floats:
    """Return recency, frequency and spend of one Pareto/NBD population with Gamma-Gamma spend."""
    many = 6 * n
    rate = rng.gamma(rng.uniform(0.4, 1.5), 1 / rng.uniform(4, 20), many)
    weeks = rng.uniform(0, _WEEKS, many)
    if dropout:
        hazard = np.maximum(rng.gamma(0.6, 1 / 11, many), 1e-9)
        life = np.minimum(weeks, rng.exponential(1 / hazard))
    else:
        life = weeks
    repeats = rng.poisson(rate * life)
    chosen = rng.choice(many, n, replace=False)
    weeks, life, repeats = weeks[chosen], life[chosen], repeats[chosen]
    last = np.where(repeats > 0, life * rng.beta(np.maximum(repeats, 1), 1), 0)
    orders = repeats + 1.0
    spend = rng.gamma(4 * orders) / rng.gamma(4, 1 / 45, n) / orders
    recency = np.floor((weeks - last) * 7)
    return np.column_stack([recency, orders, np.round(spend * orders if total else spend, 2)])


def _customer_table(n: int, rng: np.random.Generator, columns: list[str]) -> Floats:
    """Return columns of segkit's customer table of one BG/NBD population."""
    log = make_transactions(
        n,
        r=float(rng.uniform(0.3, 1.5)),
        alpha=float(rng.uniform(15, 90)),
        random_state=int(rng.integers(1 << 30)),
    )
    table = summarize_transactions(log)[columns].to_numpy(dtype=float)
    return table[np.isfinite(table).all(axis=1)]


def _curved(n: int, rng: np.random.Generator) -> Floats:
    z = rng.standard_normal((n, 3))
    return np.column_stack([z[:, 0], z[:, 0] ** 2 + 0.5 * z[:, 1], z[:, 2]])


def _category(n: int, n_levels: int, rng: np.random.Generator) -> Floats:
    """Return a column of 0 and 1 for each level, which tell nothing about other columns."""
    return np.eye(n_levels)[rng.choice(n_levels, n, p=rng.dirichlet(np.full(n_levels, 3.0)))]


def _numbers_and_categories(n: int, rng: np.random.Generator) -> Floats:
    numbers = [rng.standard_normal(n), rng.exponential(size=n), rng.poisson(3.0, n)]
    return np.column_stack([*numbers, _category(n, 4, rng), _category(n, 6, rng)])


def _shifted_by_category(n: int, rng: np.random.Generator) -> Floats:
    levels = _category(n, 3, rng)
    shifted = rng.standard_normal(n) + levels @ [-0.5, 0.0, 0.5]
    return np.column_stack([shifted, rng.standard_normal(n), levels])


_RFM = ["recency_days", "frequency", "monetary"]

CLOUDS = (
    *(Cloud(f"uniform, {d} columns", lambda n, rng, d=d: rng.random((n, d))) for d in (2, 4, 6)),
    *(
        Cloud(f"Gaussian, {d} columns", lambda n, rng, d=d: rng.standard_normal((n, d)))
        for d in (2, 5, 10)
    ),
    Cloud("Gaussian, elongated", _elongated),
    Cloud("Gaussian, correlated .7", lambda n, rng: gaussian(n, equal_correlation(5, 0.7), rng)),
    Cloud("exponential", lambda n, rng: rng.exponential(size=(n, rng.integers(2, 6)))),
    Cloud("lognormal", lambda n, rng: np.exp(rng.standard_normal((n, rng.integers(2, 6))))),
    Cloud(
        "lognormal, correlated .6",
        lambda n, rng: np.exp(gaussian(n, equal_correlation(4, 0.6), rng) * [0.6, 1, 1, 1.2]),
    ),
    Cloud("Student t3, correlated .3", lambda n, rng: _student(n, equal_correlation(4, 0.3), rng)),
    Cloud("Student t3, independent", lambda n, rng: rng.standard_t(3, size=(n, 4))),
    Cloud("t3 copula, mixed margins", _mixed_margins),
    Cloud("Poisson", lambda n, rng: rng.poisson(rng.uniform(0.5, 6, 4), (n, 4)).astype(float)),
    Cloud(
        "negative binomial", lambda n, rng: rng.negative_binomial(0.8, 0.2, (n, 4)).astype(float)
    ),
    Cloud("negative binomial, correlated", _correlated_counts),
    Cloud(
        "Gaussian and a category",
        lambda n, rng: np.column_stack([rng.standard_normal((n, 2)), _category(n, 3, rng)]),
    ),
    Cloud("numbers, counts and two categories", _numbers_and_categories),
    Cloud(
        "three categories",
        lambda n, rng: np.column_stack([_category(n, levels, rng) for levels in (2, 3, 4)]),
    ),
    Cloud("a category that shifts a number", _shifted_by_category),
    Cloud("Pareto/NBD: R, F, mean spend", lambda n, rng: _purchases(n, rng, dropout=True)),
    Cloud("NBD: R, F, mean spend", lambda n, rng: _purchases(n, rng, dropout=False)),
    Cloud("Pareto/NBD: R, F, M", lambda n, rng: _purchases(n, rng, dropout=True, total=True)),
    Cloud("BG/NBD log: R, F, M", lambda n, rng: _customer_table(n, rng, _RFM)),
    Cloud(
        "BG/NBD log: R, F, M, tenure",
        lambda n, rng: _customer_table(n, rng, [*_RFM, "tenure_days"]),
        is_limit=True,
    ),
    Cloud("curved: z and z squared", _curved, is_limit=True),
)
