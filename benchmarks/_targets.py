"""What a case is to reach, as a number computed from its measurements and a limit for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Measurements by the name of the contestant.
Results = Mapping[str, Any]

#: The time in which the machine of the limits reads ten million floats.
_READING_ON_REFERENCE = 0.006
# Seconds below which times are told in microseconds.
_SHORT = 0.01


@dataclass(frozen=True)
class Target:
    """A number that must be at least, or at most, a limit.

    Parameters
    ----------
    text : str
        What the number is.
    needs : tuple of str
        The contestants whose times the number is computed from.
    value : callable
        From the measurements to the number.
    limit : float or callable
        The limit, or from the measurements to the limit.
    at_least : bool
        Whether the limit is a lower one.
    unit : str
        Of both.
    """

    text: str
    needs: tuple[str, ...]
    value: Callable[[Results], float]
    limit: float | Callable[[Results], float]
    at_least: bool = False
    unit: str = "×"

    def reached(self, results: Results) -> bool:
        """Tell whether the number keeps to the limit."""
        value, limit = self.value(results), self.limit_for(results)
        return value >= limit if self.at_least else value <= limit

    def limit_for(self, results: Results) -> float:
        """Return the limit, given the measurements."""
        return self.limit(results) if callable(self.limit) else self.limit

    def not_measured(self, results: Results) -> list[str]:
        """Return the contestants that are needed and have no times."""
        return [name for name in self.needs if not results[name].seconds]


def faster(peer: str, times: float, *, ours: str = "segkit") -> Target:
    """Our time goes at least so many times into the peer's."""
    return Target(
        f"{peer} / {ours}",
        (peer, ours),
        lambda results: results[peer].median / results[ours].median,
        times,
        at_least=True,
    )


def at_most(slower: str, times: float, of: str) -> Target:
    """One takes at most so many times as long as the other."""
    return Target(
        f"{slower} / {of}",
        (slower, of),
        lambda results: results[slower].median / results[of].median,
        times,
    )


def seconds_at_most(name: str, seconds: float) -> Target:
    """One call takes at most so long."""
    unit, size = (" µs", 1e-6) if seconds < _SHORT else (" s", 1.0)
    return Target(
        f"{name}, a call",
        (name,),
        lambda results: results[name].median / size,
        seconds / size,
        unit=unit,
    )


def seconds_above(name: str, seconds: float, other: str) -> Target:
    """One call takes at most so much longer than that of another."""
    return Target(
        f"{name} − {other}, a call",
        (name, other),
        lambda results: (results[name].median - results[other].median) * 1e6,
        seconds * 1e6,
        unit=" µs",
    )


def memory_at_most(name: str, megabytes: float) -> Target:
    """The peak of memory above what the input takes."""
    return Target(
        f"{name}, peak memory above the input",
        (name,),
        lambda results: results[name].peak_bytes / 1e6,
        megabytes,
        unit=" MB",
    )


def nanoseconds_a_customer(
    name: str, nanoseconds: float, *, n_customers: int, reading: str
) -> Target:
    """A customer's share of the time, scaled by how fast this machine reads a column."""

    def limit(results: Results) -> float:
        for_ten_million = results[reading].median * 10_000_000 / n_customers
        return nanoseconds * for_ten_million / _READING_ON_REFERENCE

    return Target(
        f"{name}, a customer",
        (name, reading),
        lambda results: results[name].median / n_customers * 1e9,
        limit,
        unit=" ns",
    )
