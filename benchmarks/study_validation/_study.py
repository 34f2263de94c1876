"""What the validator says of tables without segments, and of tables with planted ones."""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict

from benchmarks.study_number_of_clusters._planted import FAMILIES, Floats
from benchmarks.study_validation._tables import NUMBERS, WITHOUT, planted, without_segments
from segkit import ClusterSegmenter, SegmentValidator

#: The criteria that a clustering of numbers alone is judged by.
CRITERIA = ("structured", "stable", "differentiable", "substantial", "parsimonious")


def verdicts(table: Floats, n_segments: int, seed: int, n_bootstraps: int) -> dict[str, bool]:
    """Cluster a table, and return what passes: each criterion alone, and all together."""
    segmenter = ClusterSegmenter(n_segments=n_segments, names="letters", random_state=seed)
    validator = SegmentValidator(segmenter, n_bootstraps=n_bootstraps, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        validator.fit(table)
    passed = validator.verdicts_.set_index("criterion")["passed"]
    return {"all": validator.passed_, **{one: passed[one] is True for one in CRITERIA}}


def study_without(n_draws: int, seed: int, n_bootstraps: int) -> list[str]:
    """Return the tables of what passes where there are no segments."""
    rows, by_number = [], defaultdict(list)
    for kind in WITHOUT:
        found = []
        for draw in range(n_draws):
            table, number = without_segments(kind, draw, seed)
            found.append(verdicts(table, number, draw, n_bootstraps))
            by_number[number].append(found[-1])
        rows.append(_row(kind, found))
        _progress(" ".join(rows[-1]))
    together = [one for found in by_number.values() for one in found]
    rows.append(_row("together", together))
    rows += [_row(f"in {number} segments", by_number[number]) for number in NUMBERS]
    return ["## Passed where there are no segments", _markdown("without segments", rows)]


def study_planted(n_draws: int, seed: int, n_bootstraps: int) -> list[str]:
    """Return the tables of what passes where segments are planted."""
    by_family, by_number = defaultdict(list), defaultdict(list)
    for place, (family, table, number) in enumerate(planted(n_draws, seed)):
        found = verdicts(table, number, place, n_bootstraps)
        by_family[family].append(found)
        by_number[number].append(found)
        _progress(f"{family} {number} {found}")
    rows = [_row(FAMILIES[family], found) for family, found in by_family.items()]
    rows.append(_row("together", [one for found in by_family.values() for one in found]))
    rows += [_row(f"{number} segments", by_number[number]) for number in NUMBERS]
    return ["## Passed where segments are planted", _markdown("planted", rows)]


def _row(name: str, found: list[dict[str, bool]]) -> list[str]:
    counts = [sum(one[what] for one in found) for what in ("all", *CRITERIA)]
    return [name, f"{counts[0]} of {len(found)}", *map(str, counts[1:])]


def _markdown(what: str, rows: list[list[str]]) -> str:
    heads = [what, "passed", *(f"{one} alone" for one in CRITERIA)]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
