"""Each segment in a few sentences, every number of which stands in the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from segkit.profiling._profile_table import OTHER_LEVELS, SIZE
from segkit.profiling._segment_labels import EVERYONE, label_name
from segkit.profiling._words import date_text, number_text, ratio_text, share_text

# From here on a standardised difference is not negligible (Cohen 1988, "small").
_SMALL_EFFECT = 0.2
# Ratios within these bounds are told as averages: "1.1 times" says little.
_RATIOS = (5 / 6, 6 / 5)
# A level that is more frequent than elsewhere is told rather than the one that is rarer.
_PREFERRED = 0.5

#: How the columns of segkit's customer table are told.
PHRASES = {
    "recency_days": "last ordered {} days ago",
    "tenure_days": "first ordered {} days ago",
    "monetary": "spends {}",
    "frequency": "orders {}",
}


@dataclass(frozen=True)
class Trait:
    """One thing that is said of a segment.

    Parameters
    ----------
    text : str
        The sentence.
    variable : str
        The column that it is about.
    level : str or None
        The level of a category, ``"yes"`` of a column of yes and no; None for numbers and dates.
    statistic : str
        The column of the profile whose number is told: ``"mean"``, ``"median"``,
        ``"date_median"`` or ``"share"``.
    value, everyone : float or pandas.Timestamp
        This number, of the segment and of everyone.
    strength : float
        How far the segment is from the others, in standard deviations; negative where it is below.
    is_distinctive : bool
        Whether it sets the segment apart: the strength is at least 0.2, and the interval of the
        standardised difference does not hold 0.

    See Also
    --------
    SegmentProfiler : Makes them.

    Examples
    --------
    >>> from segkit import SegmentProfiler
    >>> profiler = SegmentProfiler(min_cell=1)
    >>> profiler.fit([[1.0], [2.0], [1.0], [8.0], [9.0], [9.0]], y=["a", "a", "a", "b", "b", "b"])
    SegmentProfiler(min_cell=1)
    >>> trait = profiler.personas_["b"].traits[0]
    >>> trait.text
    'x0: 1.7× the average (mean 8.67; everyone 5)'
    >>> trait.variable, trait.statistic, trait.everyone
    ('x0', 'mean', 5.0)
    """

    text: str
    variable: str
    level: str | None
    statistic: str
    value: float | pd.Timestamp
    everyone: float | pd.Timestamp
    strength: float
    is_distinctive: bool


@dataclass(frozen=True)
class Persona:
    """Who a segment is, in a few words. ``str(persona)`` is readable.

    Parameters
    ----------
    segment : str
        Its name.
    customers : int or None
        Its size; None where it is withheld, as are both shares: too few customers, or next to a
        segment of too few, whose size would follow.
    share : float or None
        Its share of all customers who are in a segment.
    share_of_value : float or None
        Its share of the value, where a column of value was named.
    traits : tuple of Trait
        What sets it apart, most distinctive first.
    groups : mapping of str to tuple of Trait
        By group of variables what is to be said of them, distinctive or not.
    representatives : tuple of int
        Rows of the table, counted from 0, of its most typical customers, best first; none where
        the size is withheld.

    See Also
    --------
    SegmentProfiler : Makes them.

    Examples
    --------
    >>> from segkit import SegmentProfiler
    >>> profiler = SegmentProfiler(min_cell=1)
    >>> profiler.fit([[1.0], [2.0], [1.0], [8.0], [9.0], [9.0]], y=["a", "a", "a", "b", "b", "b"])
    SegmentProfiler(min_cell=1)
    >>> print(profiler.personas_["b"])
    b: 3 customers (50 %)
    - x0: 1.7× the average (mean 8.67; everyone 5)
    """

    segment: str
    customers: int | None
    share: float | None
    share_of_value: float | None
    traits: tuple[Trait, ...]
    groups: Mapping[str, tuple[Trait, ...]]
    representatives: tuple[int, ...]

    def __str__(self) -> str:
        lines = [f"{self.segment}: {self.headline()}"]
        lines += [f"- {trait.text}" for trait in self.traits]
        for group, traits in self.groups.items():
            lines += [f"{group}:", *(f"- {trait.text}" for trait in traits)]
        return "\n".join(lines)

    def headline(self) -> str:
        """Return size and share in words.

        Returns
        -------
        str
            Such as ``"512 customers (12 %), 48 % of value"``, or that the size is withheld.
        """
        if self.customers is None or self.share is None:
            return "size withheld: too few customers, or next to too few"
        said = f"{self.customers:,} customers ({share_text(self.share)})"
        if self.share_of_value is None or np.isnan(self.share_of_value):
            return said
        return f"{said}, {share_text(self.share_of_value)} of value"


class Personas(dict[str, Persona]):
    """Personas by the name of the segment; a label that is no text is found by its text."""

    def __missing__(self, label: Any) -> Persona:
        name = label_name(label)
        if not isinstance(label, str) and name in self:
            return self[name]
        raise KeyError(f"no segment {name!r}; there are {[*self]}")


def personas_of(
    profile: pd.DataFrame,
    *,
    representatives: Mapping[str, tuple[int, ...]],
    phrases: Mapping[str, str],
    groups: Mapping[str, str],
    n_traits: int,
    has_value: bool,
) -> Personas:
    """Return a persona for each segment of a profile."""
    phrases = {**PHRASES, **phrases}
    # Plain rows, because pandas takes longer to hand one out than all else here.
    rows = [
        {**row, "strength": strength}
        for row, strength in zip(profile.to_dict("records"), _strengths(profile), strict=True)
    ]
    of_segment: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        of_segment.setdefault(row["segment"], []).append(row)
    everyone = of_segment.pop(EVERYONE)
    told_by = _statistics_told(of_segment, everyone, phrases)
    personas = Personas()
    for segment, own in of_segment.items():
        size = next(row for row in own if row["variable"] == SIZE)
        traits = _traits(own, everyone, phrases, told_by)
        by_group = {
            group: tuple(trait for trait in traits if groups.get(trait.variable) == group)
            for group in dict.fromkeys(groups.values())
        }
        personas[segment] = Persona(
            segment=segment,
            customers=None if size["is_small"] else int(size["customers"]),
            share=None if size["is_small"] else float(size["share"]),
            share_of_value=(
                float(size["share_of_value"]) if has_value and not size["is_small"] else None
            ),
            traits=tuple([one for one in traits if one.is_distinctive][:n_traits]),
            groups={group: found for group, found in by_group.items() if found},
            representatives=() if size["is_small"] else representatives.get(segment, ()),
        )
    return personas


def _strengths(profile: pd.DataFrame) -> Any:
    """Return standardised differences; of numbers by ranks, which outliers do not move.

    A dominance δ is that of two normal distributions which are √2 Φ⁻¹((1 + δ) / 2) apart.
    """
    differences = profile["difference"].to_numpy()
    dominance = np.clip(profile["dominance"].to_numpy(), -0.9999, 0.9999)
    by_rank = np.sqrt(2) * norm.ppf((1 + dominance) / 2)
    is_ranked = profile["kind"].isin(["number", "date"]).to_numpy() & ~np.isnan(dominance)
    return np.where(is_ranked, by_rank, differences)


def _traits(
    own: list[dict[Any, Any]],
    everyone: list[dict[Any, Any]],
    phrases: Mapping[str, str],
    told_by: Mapping[str, str],
) -> list[Trait]:
    """Return one trait a variable, the most distinctive first.

    Of a category that is the level in which the segment differs most; where it differs in none, the
    level that most of the segment have.
    """
    told: dict[str, tuple[tuple[bool, float], dict[Any, Any], dict[Any, Any]]] = {}
    for row, base in zip(own, everyone, strict=True):
        strength, variable = row["strength"], row["variable"]
        if row["is_small"] or np.isnan(strength) or row["level"] == OTHER_LEVELS:
            continue
        if base["is_small"]:
            continue  # of a segment without such customers the base would tell how few there are
        if row["kind"] == "date" and pd.isna(row["date_median"]):
            continue  # inside a query engine, where no middle is known that could be told
        is_apart = abs(strength) >= _SMALL_EFFECT
        distance = strength if strength > 0 else -_PREFERRED * strength
        is_level = row["kind"] == "category"
        score = (is_apart, distance if is_apart or not is_level else row["share"])
        if variable not in told or score > told[variable][0]:
            told[variable] = score, row, base
    traits = [
        _trait(row, base, phrases.get(row["variable"]), told_by.get(row["variable"], "mean"))
        for _, row, base in told.values()
    ]
    return sorted(traits, key=lambda trait: -abs(trait.strength))


def _trait(
    row: Mapping[Any, Any], base: Mapping[Any, Any], phrase: str | None, told_by: str
) -> Trait:
    strength, low, high = float(row["strength"]), row["difference_low"], row["difference_high"]
    text, statistic = _sentence(row, base, phrase, told_by)
    return Trait(
        text=text,
        variable=str(row["variable"]),
        level=None if pd.isna(row["level"]) else str(row["level"]),
        statistic=statistic,
        value=_plain(row[statistic]),
        everyone=_plain(base[statistic]),
        strength=strength,
        is_distinctive=bool(abs(strength) >= _SMALL_EFFECT and (low > 0 or high < 0)),
    )


def _plain(told: Any) -> float | pd.Timestamp:
    return told if isinstance(told, pd.Timestamp) else float(told)


def _sentence(row: Any, base: Any, phrase: str | None, told_by: str) -> tuple[str, str]:
    """Return what is said of a row of the profile, and the statistic that it tells.

    Of a number that is `told_by`, the mean or the median.
    """
    if row["kind"] in ("flag", "category"):
        said, level = share_text(row["share"]), row["level"]
        default = "{variable}: {} yes" if row["kind"] == "flag" else "{variable}: {} {level}"
        text = (phrase or default).format(said, variable=row["variable"], level=level)
        return f"{text} (base {share_text(base['share'])})", "share"
    phrase = phrase or "{variable}: {}"
    if row["kind"] == "date":
        text = phrase.format(date_text(row["date_median"]), variable=row["variable"])
        return f"{text} (median; everyone {date_text(base['date_median'])})", "date_median"
    said = number_text(row[told_by], spread=base["std"])
    of_everyone = number_text(base[told_by], spread=base["std"])
    note = f"{told_by}; everyone {of_everyone}"
    if told_by == "mean" and _is_told_as_ratio(row, phrase):
        note = f"mean {said}; everyone {of_everyone}"
        said = f"{ratio_text(row['index'] / 100)} the average"
    return f"{phrase.format(said, variable=row['variable'])} ({note})", told_by


def _statistics_told(
    of_segment: Mapping[str, list[dict[Any, Any]]],
    everyone: list[dict[Any, Any]],
    phrases: Mapping[str, str],
) -> dict[str, str]:
    """Return for each number whether all segments are told by means or by medians."""
    told = {}
    for place, base in enumerate(everyone):
        if base["kind"] != "number":
            continue
        rows = [own[place] for own in of_segment.values()]
        rows = [row for row in rows if not row["is_small"] and not np.isnan(row["strength"])]
        phrase = phrases.get(base["variable"]) or "{variable}: {}"
        told[base["variable"]] = _statistic_told(rows, base, phrase)
    return told


def _statistic_told(rows: list[dict[Any, Any]], base: Mapping[Any, Any], phrase: str) -> str:
    """Return the statistic that shows the differences that the ranks have.

    Those of the segments that are apart count, if there are any.
    """
    if np.isnan(base["median"]):
        return "mean"
    apart = [row for row in rows if abs(row["strength"]) >= _SMALL_EFFECT] or rows

    def shows(statistic: str) -> bool:
        return all(
            np.sign(row[statistic] - base[statistic]) == np.sign(row["strength"]) for row in apart
        )

    if shows("mean") and any(_is_told_as_ratio(row, phrase) for row in apart):
        return "mean"
    if shows("median"):
        return "median"
    if shows("mean") or all(row["median"] == base["median"] for row in rows):
        return "mean"
    return "median"


def _is_told_as_ratio(row: Any, phrase: str) -> bool:
    """Tell whether "times the average" fits: amounts do, days and what has a unit behind do not."""
    if not phrase.endswith("{}") or str(row["variable"]).endswith("_days"):
        return False
    ratio, (low, high) = row["index"] / 100, _RATIOS
    return bool(ratio >= high or 0 <= ratio <= low)
