"""From log to segments on a cluster: one master and two workers on the loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pyarrow.parquet as pq
import pytest

import spark_engine
from engine_segmenters import fitted
from segkit import summarize_transactions
from segkit.datasets import make_transactions
from spark_engine import assert_same_rows

pytestmark = pytest.mark.spark

PIPELINE = Path(__file__).with_name("pipeline_on_a_cluster.py")
NO_PYTHON = "/nonexistent/python"
OPTIONS = {
    "order_id": "order_id",
    "as_of": "2025-12-31",
    "extras": ["returns"],
}


@pytest.fixture(scope="module")
def log():
    return make_transactions(3_000, return_rate=0.1, random_state=5)


@pytest.fixture(scope="module")
def segmenters(log):
    return fitted(summarize_transactions(log, **OPTIONS))


@pytest.fixture(scope="module")
def ran(needs_spark, log, segmenters, tmp_path_factory):
    """The folder of the pipeline, what it told, and what runs of it afterwards."""
    folder = tmp_path_factory.mktemp("cluster")
    log.to_parquet(folder / "log.parquet", row_group_size=2_000)
    joblib.dump([*segmenters.values()], folder / "segmenters.joblib")
    (folder / "options.json").write_text(json.dumps(OPTIONS))
    with spark_engine.standalone_cluster(folder) as master:
        done = subprocess.run(
            [sys.executable, PIPELINE, master, folder],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYSPARK_PYTHON": NO_PYTHON,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_the_executors_write_what_pandas_assigns(ran, log, segmenters):
    folder, _ = ran
    expected = summarize_transactions(log, **OPTIONS)
    for segmenter in segmenters.values():
        expected = segmenter.assign(expected)
    assert_same_rows(pq.read_table(folder / "assigned"), expected, by="customer_id")


def test_nothing_runs_before_the_table_is_written(ran):
    _, told = ran
    assert told["jobs_of_plan"] == 0
    assert told["jobs_of_write"] > 0


def test_the_table_would_not_have_fitted_on_the_driver(ran):
    _, told = ran
    assert "spark.driver.maxResultSize" in told["collected"]


def test_no_executor_has_python(ran):
    _, told = ran
    assert NO_PYTHON in told["python"]


def test_both_workers_had_tasks_and_wrote_parts(ran):
    folder, _ = ran
    for name in spark_engine.WORKERS:
        said = "".join(path.read_text() for path in (folder / name).glob("app-*/*/stderr"))
        assert "Finished task" in said
        assert "FileOutputCommitter: Saved output of task" in said
    assert len(list((folder / "assigned").glob("part-*.parquet"))) == 2
