"""Time and memory of the pipeline for logs of several lengths, and whether all agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks._worker import _seconds_of_others
from benchmarks.study_rows._log import write_log

_CHECKOUT = Path(__file__).parents[2]
_SUMS = (
    *("recency_days", "frequency", "order_days", "monetary", "tenure_days"),
    *("mean_order_value", "mean_gap_days"),
)
_SCORES = ("recency_score", "frequency_score", "monetary_score")
_TOLERANCE = 1e-9
_HEADS = ["rows", "engine", "seconds", "rows per second", "peak memory", "others' cores", "result"]


def study(sizes: Sequence[int], engines: Sequence[str], folder: Path | None) -> tuple[str, bool]:
    """Return the table in Markdown, and whether every engine gave the same sums."""
    lines, all_agree = [_HEADS, ["---:", "---", "---:", "---:", "---:", "---:", "---"]], True
    for n_rows in sizes:
        with TemporaryDirectory(dir=folder) as here:
            log = Path(here, "log")
            log.mkdir()
            started = time.perf_counter()
            write_log(log, n_rows)
            size = sum(file.stat().st_size for file in log.iterdir())
            _say(f"{n_rows:,} rows: {size / 1e6:,.0f} MB in {time.perf_counter() - started:.0f} s")
            expected = None
            for engine in engines:
                with TemporaryDirectory(dir=here) as mine:
                    cells, found = _run(engine, n_rows, log, Path(mine, "result"))
                expected = expected or found
                differing = [] if found is None else _differing(found, expected)
                if found is not None:
                    told = f"differs: {', '.join(differing)}" if differing else "same"
                    cells.append(f"{told} ({len(found)} sums)")
                all_agree = all_agree and found is not None and not differing
                lines.append([f"{n_rows:,}", engine, *cells])
                _say(" | ".join(lines[-1]))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines), all_agree


def _run(
    engine: str, n_rows: int, log: Path, result: Path
) -> tuple[list[str], dict[str, float] | None]:
    """Run an engine in a process of its own; return the cells of its row, and its sums."""
    result.mkdir()
    module = f"{__package__}._engines"
    others, started = _seconds_of_others(), time.perf_counter()
    children = sum(os.times()[2:4])
    process = subprocess.run(
        [sys.executable, "-m", module, engine, str(log), str(result)],
        cwd=_CHECKOUT,
        capture_output=True,
        text=True,
    )
    passed = time.perf_counter() - started
    answers = [line for line in process.stdout.splitlines() if line.startswith('{"seconds"')]
    if process.returncode or not answers:
        said = process.stderr.strip().splitlines() or ["nothing"]
        return ["", "", "", "", f"failed: {said[-1][:200]}"], None
    busy = "" if others is None else f"{_others(others, children) / passed:.1f}"
    answer = json.loads(answers[-1])
    seconds = answer["seconds"]
    speed = f"{n_rows / seconds:,.0f}"
    return [f"{seconds:.1f}", speed, f"{answer['peak_bytes'] / 1e6:,.0f} MB", busy], _sums(result)


def _others(before: float, children: float) -> float:
    """Return the seconds of all processors since, less those of this process's children."""
    return max(_seconds_of_others() - before - (sum(os.times()[2:4]) - children), 0.0)


def _sums(result: Path) -> dict[str, float]:
    """Return 24 sums of the files that an engine wrote."""
    asked = ["count(*) AS customers", "count(*) FILTER (rfm_segment = 'Champions') AS champions"]
    asked += [f"fsum({name}) AS {name}" for name in _SUMS]
    asked += [
        f"count(*) FILTER ({name} = {score}) AS {name}_{score}"
        for name in _SCORES
        for score in range(1, 6)
    ]
    with duckdb.connect() as connection:
        files = connection.read_parquet(str(result / "*.parquet"))
        found = files.aggregate(", ".join(asked))
        return dict(zip(found.columns, map(float, found.fetchall()[0]), strict=True))


def _differing(found: dict[str, float], expected: dict[str, float]) -> list[str]:
    return [
        name
        for name, value in expected.items()
        if abs(found[name] - value) > _TOLERANCE * abs(value)
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
