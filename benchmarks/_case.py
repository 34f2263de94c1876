"""What a case is: who takes part in it, and what must be reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._targets import Target

#: How often the slow packages run.
SLOW_REPEATS = 3


@dataclass(frozen=True)
class Contestant:
    """One who takes part in a case.

    Parameters
    ----------
    name : str
        How it is called in the tables.
    job : str
        ``module.function``: the function of this folder that returns its ``Job``.
    data : mapping
        Names of the data that the function takes, by parameter.
    options : mapping
        Its further arguments.
    environment : str or None
        A key of ``PEERS``; None is the environment of segkit.
    most_repeats : int or None
        Runs no more often than this.
    compared : bool
        Whether the sums of its result must be those of the first contestant.
    """

    name: str
    job: str
    data: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: str | None = None
    most_repeats: int | None = None
    compared: bool = True


@dataclass(frozen=True)
class Case:
    """Contestants that do the same work on the same data; the first is what others are held to.

    `tolerances` says how far sums may be apart, relative to ours, where that is not the default.
    """

    name: str
    title: str
    contestants: Sequence[Contestant]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    least_rounds: int = 1
    tolerances: Mapping[str, float] = field(default_factory=dict)
