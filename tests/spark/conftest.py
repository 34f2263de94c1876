"""A session of Spark in two threads, or the reason why there is none."""

import os

import pytest

import spark_engine

# A program, of which the docstrings are no tests; it needs PySpark.
collect_ignore = ["pipeline_on_a_cluster.py"]


@pytest.fixture(scope="session")
def needs_spark():
    """Skip where Spark cannot run; fail where it must (``SEGKIT_REQUIRE_SPARK=1``)."""
    reason = spark_engine.why_not()
    if reason is not None and os.environ.get("SEGKIT_REQUIRE_SPARK"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def spark(needs_spark):
    """A session in this process."""
    with spark_engine.spark_session("local[2]") as session:
        yield session


@pytest.fixture(scope="session")
def in_spark(spark, tmp_path_factory):
    """Return pandas frames and Arrow tables as frames of Spark."""
    folder = tmp_path_factory.mktemp("frames")
    return lambda frame: spark_engine.in_spark(spark, frame, folder)
