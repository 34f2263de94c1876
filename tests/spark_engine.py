"""Sessions and a cluster of Spark for the tests, and pandas frames as frames of Spark."""

import gc
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from frames import rows_of

JAVA = 17

MONEY = ("monetary", "mean_order_value", "return_amount", "first_day_amount", "holdout_monetary")
QUOTIENTS = ("expected_gap_days", "silent_gaps")

WORKERS = ("worker_0", "worker_1")

# Short lives are not worth the second compiler of Java.
FAST_START = "-XX:TieredStopAtLevel=1"

#: Quiet, on this machine only, and with few partitions, because the frames are small.
OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": FAST_START,
    "spark.driver.host": "127.0.0.1",
    "spark.executor.extraJavaOptions": FAST_START,
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    # What does not compile is not run more slowly instead.
    "spark.sql.codegen.fallback": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def why_not() -> str | None:
    """Return why Spark cannot run here, None where it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: pip install 'customer-segkit[spark]'"
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        return f"Spark needs Java {JAVA} or later, and there is no java"
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', told.stderr)
    if version is None or int(version[1]) < JAVA:
        return f"Spark needs Java {JAVA} or later, and {java} is another"
    return None


@contextmanager
def spark_session(master: str, options: Mapping[str, str] = OPTIONS) -> Iterator[Any]:
    """Run a session of Spark and stop it, with its virtual machine and its sockets."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of releases of pandas
        builder = SparkSession.builder.master(master)
        for name, value in options.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        gateway = SparkContext._gateway
        session.stop()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sockets that are closed by the collector
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=30)
            SparkContext._gateway = SparkContext._jvm = None
            del session, gateway
            gc.collect()


def assert_same_rows(found: Any, expected: Any, *, by: str) -> None:
    """Check every column of every row: the same, but money to the cent and quotients nearly so."""
    rows, others = rows_of(found, by), rows_of(expected, by)
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        assert [*row] == [*other]
        for name, value in other.items():
            known = value is not None and row[name] is not None
            if name in MONEY and known:
                assert row[name] == pytest.approx(value, abs=0.005)
            elif name in QUOTIENTS and known:
                assert row[name] == pytest.approx(value, rel=1e-14)
            else:
                assert row[name] == value, name


def in_spark(session: Any, frame: pd.DataFrame | pa.Table, folder: Path) -> Any:
    """Return a frame as Spark reads it from a file, with its types and its nulls."""
    table = frame
    if isinstance(frame, pd.DataFrame):
        table = pa.Table.from_pandas(frame, preserve_index=False)
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(table, path)
    return session.read.parquet(str(path))


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[str]:
    """Run a master and two workers of one core on the loopback, and end them whatever happens.

    Yields the address of the master. Each worker keeps what its executors say in a folder of its
    own, ``worker_0`` and ``worker_1``.
    """
    with ExitStack() as running:
        master = _daemon(folder, "master", "Master", "--host", "127.0.0.1", "--port", "0")
        running.enter_context(master)
        address = _wait_for(r"Starting Spark master at (spark://\S+)", folder / "master.log")
        for name in WORKERS:
            own = ["--work-dir", folder / name, "--host", "127.0.0.1", "--cores", "1"]
            worker = _daemon(folder, name, "Worker", address, *own, "--memory", "1g")
            running.enter_context(worker)
        for name in WORKERS:
            _wait_for(r"(Successfully registered) with master", folder / f"{name}.log")
        yield address


@contextmanager
def _daemon(folder: Path, name: str, role: str, *arguments: str | Path) -> Iterator[None]:
    """Run a daemon of Spark in a process group of its own, with its executors if it has any."""
    import pyspark

    launcher = Path(pyspark.__file__).parent / "bin" / "spark-class"
    command = [launcher, f"org.apache.spark.deploy.{role.lower()}.{role}", *arguments]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--webui-port", "0"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "SPARK_DAEMON_JAVA_OPTS": FAST_START,
                "SPARK_LOCAL_DIRS": str(folder),
                "SPARK_LOCAL_IP": "127.0.0.1",
            },
            cwd=folder,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


def _wait_for(pattern: str, log: Path, seconds: float = 60) -> str:
    """Return what a daemon's log says, as soon as it says it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"{log.name} did not say {pattern!r} within {seconds} s:\n{log.read_text()}")
