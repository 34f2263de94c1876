"""Time and memory of the pipeline for logs of several lengths, and whether all agree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from benchmarks.study_rows._log import write_log

_CHECKOUT = Path(__file__).parents[2]
_SUMMED = (
    *("recency_days", "frequency", "order_days", "monetary", "tenure_days"),
    *("mean_order_value", "mean_gap_days"),
)
_SCORES = ("recency_score", "frequency_score", "monetary_score")
_TOLERANCE = 1e-9
_HEADS = [
    *("rows", "engine", "seconds", "rows per second", "processor seconds"),
    *("peak memory", "others' cores", "same result"),
]


def study(sizes: Sequence[int], engines: Sequence[str], folder: Path | None) -> tuple[str, bool]:
    """Return the table in Markdown, and whether every engine gave the same sums."""
    lines, all_agree = [_HEADS, ["---:", "---", *["---:"] * 5, "---"]], True
    for n_rows in sizes:
        with TemporaryDirectory(dir=folder) as here:
            log = Path(here, "log")
            log.mkdir()
            write_log(log, n_rows)
            _say(f"{n_rows:,} rows, {sum(part.stat().st_size for part in log.iterdir()):,} bytes")
            expected: dict[str, float] = {}
            for engine in engines:
                with TemporaryDirectory(dir=here) as mine:
                    cells, found = _run(engine, n_rows, log, Path(mine, "result"))
                expected = expected or found
                different = _different(found, expected)
                agrees = f"no: {', '.join(different)}" if different else f"yes ({len(found)} sums)"
                all_agree = all_agree and bool(found) and not different
                lines.append([f"{n_rows:,}", engine, *cells, agrees if found else "failed"])
                _say(" | ".join(lines[-1]))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines), all_agree


def _run(engine: str, n_rows: int, log: Path, result: Path) -> tuple[list[str], dict[str, float]]:
    """Run an engine in a process of its own; return the cells of its row, and its sums."""
    command = [sys.executable, "-m", f"{__package__}._engines", engine, str(log), str(result)]
    process = subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True)
    if process.returncode:
        _say(process.stderr[-2000:])
        return [""] * 5, {}
    answer: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    seconds, busy = answer["seconds"], answer["processor_seconds"]
    return [
        f"{seconds:.1f}",
        f"{n_rows / seconds:,.0f}",
        f"{busy:.1f}",
        f"{answer['peak_bytes'] / 1e6:,.0f} MB",
        f"{answer['cores_of_others']:.1f}",
    ], _sums(result)


def _sums(result: Path) -> dict[str, float]:
    """Return 24 sums of the files that an engine wrote."""
    asked = ["count(*) AS customers", "count(*) FILTER (rfm_segment = 'Champions') AS champions"]
    asked += [f"fsum({name}) AS {name}" for name in _SUMMED]
    asked += [
        f"count(*) FILTER ({name} = {score}) AS {name}_{score}"
        for name in _SCORES
        for score in range(1, 6)
    ]
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(result / "*.parquet")).aggregate(", ".join(asked))
        return dict(zip(found.columns, map(float, found.fetchall()[0]), strict=True))


def _different(found: dict[str, float], expected: dict[str, float]) -> list[str]:
    return [
        name
        for name, value in found.items()
        if abs(value - expected[name]) > _TOLERANCE * abs(value)
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
