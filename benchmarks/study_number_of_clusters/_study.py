"""What is drawn, what is asked of it, and the tables of the answers."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from benchmarks.study_number_of_clusters._clouds import CLOUDS
from benchmarks.study_number_of_clusters._criteria import COUNTS, RULES, all_criteria
from benchmarks.study_number_of_clusters._planted import FAMILIES, Plan, plant
from segkit.metrics import number_of_clusters, structure_test
from segkit.metrics._preparation import prepare, sample_rows, scale_within, standardise
from segkit.metrics._threads import one_thread
from segkit.segmenters._cluster_preprocessing import ClusterPreprocessing

SEPARATIONS = (6.0, 4.5, 3.3)
_CLOUD_ROWS = (200, 1000, 5000)
_PLANTED_ROWS = (300, 1000, 3000)
_SAMPLE = 1000
_AUTO = "number_of_clusters"


def study_clouds(n_draws: int, seed: int) -> list[str]:
    """Return the table of false claims: tables without segments in which structure is found."""
    rows = []
    for number, cloud in enumerate(CLOUDS):
        claims: dict[int, list[bool]] = {n: [] for n in _CLOUD_ROWS}
        excesses, statistics = [], []
        for draw in range(n_draws):
            rng = np.random.default_rng([seed, number, draw])
            n_rows = _CLOUD_ROWS[draw % len(_CLOUD_ROWS)]
            result = structure_test(cloud.draw(n_rows, rng), random_state=draw)
            claims[n_rows].append(result.has_structure)
            excesses.append(result.excess)
            statistics.append(result.statistic)
        found = sum(sum(one) for one in claims.values())
        rows.append(
            [
                cloud.name + (" (limit)" if cloud.is_limit else ""),
                f"{found} of {n_draws}",
                *(f"{sum(one)} of {len(one)}" for one in claims.values()),
                f"{max(statistics):.1f}",
                f"{max(excesses):.2f}",
            ]
        )
        _progress(" ".join(rows[-1]))
    heads = ["without segments", "claims", *(f"{n} rows" for n in _CLOUD_ROWS)]
    return [
        "## Structure claimed where there is none",
        _markdown([*heads, "largest statistic", "largest excess"], rows),
    ]


@dataclass
class _Answers:
    """Whether each rule hit, and the test claimed structure, by what was planted."""

    hits: dict[tuple[str, str], list[tuple[str, float, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    claims: list[tuple[str, float, int, bool]] = field(default_factory=list)


def study_planted(n_draws: int, seed: int) -> list[str]:
    """Return the tables of hits of each criterion, and of structure found where there is some."""
    answers = _Answers()
    for draw in range(n_draws):
        for number, (family, separation, k) in enumerate(_planned()):
            rng = np.random.default_rng([seed, 1, number, draw])
            plan = Plan(family, k, separation, int(rng.choice(_PLANTED_ROWS)))
            _ask(plan, rng, answers)
        _progress(f"planted, draw {draw + 1} of {n_draws}")
    return [
        "## The number of segments found",
        _hits_table(answers),
        "## Structure found where there is some",
        _claims_table(answers),
        "By number of segments:",
        _claims_by_number(answers),
    ]


def _planned() -> Iterable[tuple[str, float, int]]:
    for family in FAMILIES:
        for separation in SEPARATIONS:
            for k in range(2, 9):
                yield family, separation, k


def _ask(plan: Plan, rng: np.random.Generator, answers: _Answers) -> None:
    X = plant(plan, rng)
    seed = int(rng.integers(1 << 30))
    found = structure_test(X, random_state=seed).has_structure
    answers.claims.append((plan.family, plan.separation, plan.n_segments, found))
    chosen = number_of_clusters(X, random_state=seed).n_clusters
    hit = chosen == plan.n_segments
    answers.hits[_AUTO, "prepared"].append((plan.family, plan.separation, hit))
    # As ClusterSegmenter asks: after its own preprocessing.
    table = pd.DataFrame(X)
    features = ClusterPreprocessing.of(table).transform(table)
    chosen = number_of_clusters(features, random_state=seed).n_clusters
    hit = chosen == plan.n_segments
    answers.hits["ClusterSegmenter", "prepared"].append((plan.family, plan.separation, hit))
    sample = sample_rows(X, _SAMPLE, rng)
    with one_thread():
        prepared = scale_within(prepare(sample, rng)[1], COUNTS, rng)
        for name, columns in (("standardised", standardise(sample)), ("prepared", prepared)):
            criteria = all_criteria(columns, rng)
            for rule, choose in RULES.items():
                hit = choose(criteria) == plan.n_segments
                answers.hits[rule, name].append((plan.family, plan.separation, hit))


def _hits_table(answers: _Answers) -> str:
    rows = []
    for (rule, columns), hits in sorted(
        answers.hits.items(), key=lambda one: (one[0][1] != "standardised", -_rate(one[1]))
    ):
        rows.append(
            [
                rule,
                columns,
                _percent(hits),
                *(_percent([one for one in hits if one[1] == s]) for s in SEPARATIONS),
                *(
                    _percent([one for one in hits if one[:2] == (family, SEPARATIONS[0])])
                    for family in FAMILIES
                ),
            ]
        )
    separations = [f"{s:g} sd" for s in SEPARATIONS]
    heads = ["rule", "columns", "together", *separations, *(f"6: {one}" for one in FAMILIES)]
    return _markdown(heads, rows)


def _rate(hits: list[tuple[str, float, bool]]) -> float:
    return float(np.mean([one[-1] for one in hits]))


def _percent(hits: list[tuple[str, float, bool]]) -> str:
    return f"{100 * _rate(hits):.0f}"


def _claims_table(answers: _Answers) -> str:
    rows = []
    for family, meaning in [*FAMILIES.items(), ("together", "")]:
        of_family = [one for one in answers.claims if family in (one[0], "together")]
        counts = []
        for separation in SEPARATIONS:
            claims = [one[3] for one in of_family if one[1] == separation]
            counts.append(f"{sum(claims)} of {len(claims)}")
        rows.append([family, meaning, *counts])
    return _markdown(["family", "", *(f"{s:g} sd" for s in SEPARATIONS)], rows)


def _claims_by_number(answers: _Answers) -> str:
    rows = []
    for separation in SEPARATIONS:
        cells = []
        for k in range(2, 9):
            claims = [one[3] for one in answers.claims if one[1:3] == (separation, k)]
            cells.append(f"{sum(claims)} of {len(claims)}")
        rows.append([f"{separation:g} sd", *cells])
    return _markdown(["separation", *(f"{k} segments" for k in range(2, 9))], rows)


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
