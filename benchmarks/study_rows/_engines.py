"""The same pipeline in each engine: files to customers to scores and segments to files.

``python -m benchmarks.study_rows._engines ENGINE LOG RESULT`` runs it once in a process of its own
and prints, as JSON, its seconds and the peak of resident memory, that of its child processes
included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks._data import AS_OF
from benchmarks.study_rows._log import write_log
from segkit import RFMScorer, summarize_transactions

_DUCKDB_MEMORY = "2500MB"
_SAMPLE_ROWS = 200_000


def pipeline(log: Any, scorer: RFMScorer) -> Any:
    """Return the scored customers of a log of any kind."""
    return scorer.assign(summarize_transactions(log, as_of=AS_OF))


def run_polars(log: Path, result: Path, scorer: RFMScorer) -> float:
    """Run the pipeline in polars' streaming engine."""
    import polars as pl

    start = time.perf_counter()
    pipeline(pl.scan_parquet(log / "*.parquet"), scorer).sink_parquet(result / "part.parquet")
    return time.perf_counter() - start


def run_duckdb(log: Path, result: Path, scorer: RFMScorer) -> float:
    """Run the pipeline in DuckDB, which writes to disk what does not fit into its memory."""
    import duckdb

    with TemporaryDirectory(dir=result.parent) as spilled, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{_DUCKDB_MEMORY}'")
        connection.execute(f"SET temp_directory = '{spilled}'")
        connection.execute("SET preserve_insertion_order = false")
        start = time.perf_counter()
        rows = connection.read_parquet(str(log / "*.parquet"))
        pipeline(rows, scorer).write_parquet(str(result / "part.parquet"))
        return time.perf_counter() - start


def run_spark_local(log: Path, result: Path, scorer: RFMScorer) -> float:
    """Run the pipeline in Spark with two threads in the driver's own Java process."""
    return _run_spark("local[2]", log, result, scorer)


def run_spark_standalone(log: Path, result: Path, scorer: RFMScorer) -> float:
    """Run the pipeline in Spark with a master and two workers of a core each."""
    with _cluster(result.parent) as url:
        return _run_spark(url, log, result, scorer)


ENGINES: dict[str, Callable[[Path, Path, RFMScorer], float]] = {
    "polars": run_polars,
    "duckdb": run_duckdb,
    "spark-local": run_spark_local,
    "spark-standalone": run_spark_standalone,
}


def _run_spark(master: str, log: Path, result: Path, scorer: RFMScorer) -> float:
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g" if master.startswith("local") else "1g",
        "spark.executor.memory": "1g",
        "spark.local.dir": str(result.parent),
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.range(1).count()  # the first job waits for the executors
    start = time.perf_counter()
    pipeline(session.read.parquet(str(log)), scorer).write.mode("overwrite").parquet(str(result))
    seconds = time.perf_counter() - start
    _print_answer(seconds)
    session.stop()
    return seconds


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    """Start a master and two workers on the loopback interface, and stop them."""
    import pyspark

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    deploy, told = "org.apache.spark.deploy", folder / "master.log"
    local = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder)}

    def started(*arguments: str) -> subprocess.Popen[bytes]:
        command = [str(program), *arguments, "--webui-port", "0"]
        with told.open("ab") as log:
            return subprocess.Popen(command, env=local, stdout=log, stderr=log)

    processes = [started(f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", "0")]
    try:
        url = _awaited(told, "Starting Spark master at ")
        worker = [f"{deploy}.worker.Worker", url, "--host", "127.0.0.1", "--cores", "1"]
        processes += [started(*worker, "--memory", "1g") for _ in range(2)]
        _awaited(told, "Registering worker ", times=2)
        yield url
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def _awaited(told: Path, text: str, *, times: int = 1, most_seconds: int = 120) -> str:
    """Return what follows a text in a log, as soon as it has come so many times."""
    for _ in range(most_seconds * 10):
        said = told.read_text(errors="replace").split(text)
        if len(said) > times:
            return said[1].split()[0]
        time.sleep(0.1)
    raise TimeoutError(f"Spark did not say {text!r} within {most_seconds} seconds")


def _print_answer(seconds: float) -> None:
    print(json.dumps({"seconds": seconds, "peak_bytes": _peak_bytes()}), flush=True)


def _peak_bytes() -> int:
    """Return the peak of resident memory of this process and its descendants, each added."""
    parents: dict[int, int] = {}
    peaks: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # it has just ended
            continue
        number = int(fields["Pid"])
        parents[number] = int(fields["PPid"])
        peaks[number] = int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
    family, newest = {os.getpid()}, {os.getpid()}
    while newest:
        newest = {number for number, parent in parents.items() if parent in newest} - family
        family |= newest
    return sum(peaks[number] for number in family)


def main() -> None:
    """Run the pipeline once in one engine."""
    engine, log, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    with TemporaryDirectory() as folder:
        write_log(Path(folder), _SAMPLE_ROWS, seed=1)
        sample = pd.read_parquet(folder)
    scorer = RFMScorer().fit(summarize_transactions(sample, as_of=AS_OF))
    del sample
    seconds = ENGINES[engine](log, result, scorer)
    if not engine.startswith("spark"):  # which is asked before its processes end
        _print_answer(seconds)


if __name__ == "__main__":
    main()
