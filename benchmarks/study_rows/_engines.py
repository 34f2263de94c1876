"""The same pipeline in each engine: files to customers to scores and segments to files.

``python -m benchmarks.study_rows._engines ENGINE LOG RESULT`` runs it once in a process of its own
and prints, as JSON, its seconds, those of the processors, and the peak of resident memory, its
child processes (Java) included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pandas as pd

from benchmarks._data import AS_OF
from benchmarks.study_rows._log import write_log
from segkit import RFMScorer, summarize_transactions

_SAMPLE_ROWS = 200_000

#: Given the log, the result (folders of Parquet files) and the pipeline, gives what is measured.
Engine: TypeAlias = Callable[
    [Path, Path, Callable[[Any], Any]], AbstractContextManager[Callable[[], Any]]
]


@contextmanager
def polars(log: Path, result: Path, pipeline: Any) -> Iterator[Callable[[], Any]]:
    """Polars' streaming engine."""
    import polars as pl

    result.mkdir()
    yield lambda: pipeline(pl.scan_parquet(log / "*.parquet")).sink_parquet(result / "0.parquet")


@contextmanager
def duckdb(log: Path, result: Path, pipeline: Any) -> Iterator[Callable[[], Any]]:
    """DuckDB, which writes to disk what does not fit into 2.5 GB."""
    import duckdb

    result.mkdir()
    with TemporaryDirectory(dir=result.parent) as spilled, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '2500MB'; SET temp_directory = '{spilled}'")
        connection.execute("SET preserve_insertion_order = false")
        rows = connection.read_parquet(str(log / "*.parquet"))
        yield lambda: pipeline(rows).write_parquet(str(result / "0.parquet"))


@contextmanager
def spark_local(
    log: Path, result: Path, pipeline: Any, *, master: str = "local[2]"
) -> Iterator[Callable[[], Any]]:
    """Spark with two threads in the driver's own Java process."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g" if master.startswith("local") else "1g",
        "spark.executor.memory": "1g",
        "spark.local.dir": str(result.parent),
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.range(1).count()  # the first job waits for the executors
    yield lambda: pipeline(session.read.parquet(str(log))).write.parquet(str(result))
    session.stop()


@contextmanager
def spark_standalone(log: Path, result: Path, pipeline: Any) -> Iterator[Callable[[], Any]]:
    """Spark with a master and two workers of a core each, all on the loopback interface."""
    import pyspark

    program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    told, place = result.parent / "cluster.log", ["--host", "127.0.0.1", "--webui-port", "0"]
    settings = {**os.environ, "SPARK_WORKER_DIR": str(result.parent)}

    def start(role: str, *arguments: str) -> None:
        command = [program, f"org.apache.spark.deploy.{role}", *place, *arguments]
        with told.open("ab") as log_of_all:
            process = subprocess.Popen(command, env=settings, stdout=log_of_all, stderr=log_of_all)
        running.callback(process.wait)
        running.callback(process.terminate)

    with ExitStack() as running:
        start("master.Master", "--port", "0")
        url = _said(told, "Starting Spark master at ")
        for _ in range(2):
            start("worker.Worker", "--cores", "1", "--memory", "1g", url)
        _said(told, "Registering worker ", times=2)
        yield running.enter_context(spark_local(log, result, pipeline, master=url))


ENGINES: dict[str, Engine] = {
    "polars": polars,
    "duckdb": duckdb,
    "spark-local": spark_local,
    "spark-standalone": spark_standalone,
}


def _said(told: Path, text: str, *, times: int = 1, most_seconds: int = 120) -> str:
    """Return the word behind a text in a log, as soon as it has come so many times."""
    for _ in range(most_seconds * 10):
        parts = told.read_text(errors="replace").split(text)
        if len(parts) > times and parts[1].split():
            return parts[1].split()[0]
        time.sleep(0.1)
    raise TimeoutError(f"Spark did not say {text!r} within {most_seconds} seconds")


def _used() -> tuple[float, int]:
    """Return the processors' seconds and the summed memory peaks of this process and its family."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").open())
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(folder.name)
        parents[number] = int(fields[1])
        seconds = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        used[number] = seconds, int(status.get("VmHWM", "0 kB").split()[0]) * 1024
    family, newest = set(), {os.getpid()}
    while newest:
        family |= newest
        newest = {number for number, parent in parents.items() if parent in newest} - family
    return sum(used[one][0] for one in family), sum(used[one][1] for one in family)


def _seconds_of_all() -> float:
    """Return how long the processors have worked, for whomever."""
    ticks = [int(count) for count in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run the pipeline once in one engine."""
    engine, log, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        write_log(Path(folder), _SAMPLE_ROWS, seed=1)
        sample = summarize_transactions(pd.read_parquet(folder), as_of=AS_OF)
    scorer = RFMScorer().fit(sample)

    def pipeline(rows: Any) -> Any:
        return scorer.assign(summarize_transactions(rows, as_of=AS_OF))

    with ENGINES[engine](log, result, pipeline) as run:
        all_before, before, start = _seconds_of_all(), _used()[0], time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        (after, peak), all_after = _used(), _seconds_of_all()
        busy = after - before
        answer = {
            "seconds": seconds,
            "processor_seconds": busy,
            "peak_bytes": peak,
            "cores_of_others": max(all_after - all_before - busy, 0.0) / seconds,
        }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
