"""The pipeline from log to segments on a cluster, run by a test in a process of its own.

Arguments: the address of the master, and a folder that holds ``log.parquet``, ``segmenters.joblib``
and ``options.json``. Writes the folder ``assigned`` from the executors, and prints what happened as
JSON. ``PYSPARK_PYTHON`` names a Python that does not exist, which an executor would start.
"""

import json
import sys
from pathlib import Path

import joblib
from py4j.protocol import Py4JJavaError
from pyspark.sql.functions import udf

from segkit import summarize_transactions
from spark_engine import OPTIONS, spark_session

CLUSTER = {
    **OPTIONS,
    "spark.sql.adaptive.enabled": "true",
    # Small as the log is, each worker gets a part of it.
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.files.maxPartitionBytes": "64k",
    "spark.cores.max": "2",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    # Nothing starts before both workers are there.
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
    # More than small tables cannot come to the driver.
    "spark.driver.maxResultSize": "100k",
    "spark.task.maxFailures": "1",
}


def main(master: str, folder: Path) -> None:
    """Read the log, summarize, assign, write."""
    segmenters = joblib.load(folder / "segmenters.joblib")
    options = json.loads((folder / "options.json").read_text())
    with spark_session(master, CLUSTER) as session:
        context = session.sparkContext
        log = session.read.parquet(str(folder / "log.parquet"))

        context.setJobGroup("plan", "what is to be done")
        assigned = summarize_transactions(log, **options)
        for segmenter in segmenters:
            assigned = segmenter.assign(assigned)
        planned = context.statusTracker().getJobIdsForGroup("plan")

        context.setJobGroup("write", "write from the executors")
        assigned.write.parquet(str(folder / "assigned"))
        written = context.statusTracker().getJobIdsForGroup("write")

        table = session.read.parquet(str(folder / "assigned"))
        told = {
            "jobs_of_plan": len(planned),
            "jobs_of_write": len(written),
            "collected": _failure(table.collect),
            "python": _failure(session.range(1).select(udf(str)("id")).collect),
        }
    print(json.dumps(told))


def _failure(action) -> str:
    try:
        action()
    except Py4JJavaError as error:
        return str(error.java_exception.getMessage())
    except Exception as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
