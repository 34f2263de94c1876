"""A Spark session for the tests, and pandas frames as frames of Spark."""

import gc
import importlib.util
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

JAVA = 17

#: Quiet, on this machine only, and with few partitions, because the frames are small.
OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
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


def in_spark(session: Any, frame: pd.DataFrame | pa.Table, folder: Path) -> Any:
    """Return a frame as Spark reads it from a file, with its types and its nulls."""
    table = frame
    if isinstance(frame, pd.DataFrame):
        table = pa.Table.from_pandas(frame, preserve_index=False)
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(table, path)
    return session.read.parquet(str(path))
