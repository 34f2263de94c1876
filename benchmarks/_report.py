"""The measurements as Markdown."""

import math
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ._case import Case
from ._measure import Measurement
from ._targets import Target

_CHECKOUT = Path(__file__).parent.parent
# How far sums that are called the same may be apart, relative to ours.
_TOLERANCE = 1e-9


def header(command: str, n_rows: int, environments: Mapping[str, str]) -> str:
    """Return what was run, on what machine, with what versions and what state of segkit."""
    lines = [
        "# Benchmarks",
        "",
        f"- command: `{command}`",
        f"- rows: {n_rows:,} (logs have a tenth as many customers, as have the tables of the cases "
        "of lifetime value); targets are stated for 10,000,000",
        f"- processor: {_processor()}, {os.cpu_count()} cores, {_memory_size()}",
        f"- system: {platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"- segkit: {_state_of_the_code()}",
        *(f"- environment of {name}: {versions}" for name, versions in environments.items()),
    ]
    return "\n".join(lines) + "\n"


def summary(cases: Sequence[tuple[Case, Mapping[str, Measurement]]]) -> str:
    """Return one table of all targets."""
    rows = [
        [case.name, *_target_cells(target, results)]
        for case, results in cases
        for target in case.targets
    ]
    return "## Targets\n\n" + _table(["case", "what", "target", "measured", "reached"], rows)


def section(case: Case, results: Mapping[str, Measurement]) -> str:
    """Return the table of one case."""
    first = case.contestants[0].name
    rows = [_row(case, name, one, results[first]) for name, one in results.items()]
    names = ["", "median", "min … max", "runs", "others' cores", "peak memory"]
    names += [f"/ {first}", "by round", "same result"]
    lines = [f"## {case.name}", "", f"{case.title}.", "", _table(names, rows)]
    if case.targets:
        cells = [_target_cells(target, results) for target in case.targets]
        lines += [_table(["what", "target", "measured", "reached"], cells)]
    lines += [f"- {note}" for note in case.notes]
    lines += [f"- {name}: {one.failure}" for name, one in results.items() if one.failure]
    return "\n".join(lines) + "\n"


def differing_sums(case: Case, ours: Measurement, other: Measurement) -> list[str]:
    """Return the sums that both have and that are not equal."""

    def are_equal(name: str) -> bool:
        tolerance = case.tolerances.get(name, _TOLERANCE)
        return math.isclose(ours.sums[name], other.sums[name], rel_tol=tolerance)

    return [
        f"{name} {other.sums[name]:.10g} ≠ {ours.sums[name]:.10g}"
        for name in ours.sums
        if name in other.sums and not are_equal(name)
    ]


def _row(case: Case, name: str, one: Measurement, ours: Measurement) -> list[str]:
    peak = "" if one.peak_bytes is None else f"{one.peak_bytes / 1e6:,.0f} MB"
    if one.failure or not one.seconds:
        return [name, "failed", "", str(len(one.seconds)), "", peak, "", "", ""]
    spread = f"{_time(min(one.seconds))} … {_time(max(one.seconds))}"
    cells = [name, _time(one.median), spread, str(len(one.seconds)), _others(one), peak]
    if one is ours or not ours.seconds:
        return [*cells, "", "", ""]
    by_round = [theirs / our for theirs, our in zip(one.seconds, ours.seconds, strict=False)]
    return [
        *cells,
        f"{one.median / ours.median:.2f}×",
        f"{min(by_round):.2f} … {max(by_round):.2f}",
        _comparison(case, ours, one),
    ]


def _others(one: Measurement) -> str:
    known = [cores for cores in one.cores_of_others if cores is not None]
    return f"{statistics.median(known):.1f}" if known else ""


def _comparison(case: Case, ours: Measurement, other: Measurement) -> str:
    common = [name for name in ours.sums if name in other.sums]
    differing = differing_sums(case, ours, other)
    if differing:
        return "**no**: " + ", ".join(differing)
    return f"yes ({len(common)} sums)" if common else "not compared"


def _target_cells(target: Target, results: Mapping[str, Measurement]) -> list[str]:
    sign = "≥" if target.at_least else "≤"
    failed = target.not_measured(results)
    if failed:
        limit = "" if callable(target.limit) else f"{sign} {target.limit:.4g}{target.unit}"
        return [target.text, limit, f"{', '.join(failed)} failed", "not measured"]
    limit = f"{sign} {target.limit_for(results):.4g}{target.unit}"
    value = f"{target.value(results):.3g}{target.unit}"
    return [target.text, limit, value, "yes" if target.reached(results) else "**no**"]


def _time(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1e6:,.4g} µs"
    return f"{seconds:.3f} s"


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_size() -> str:
    if not hasattr(os, "sysconf"):
        return "memory unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"


def _state_of_the_code() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=_CHECKOUT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD") or "no git checkout"
    changed = git("status", "--porcelain", "--", "src")
    return f"commit {commit}" + (", with uncommitted changes in src/" if changed else "")
