"""ClusterSegmenter.assign inside Spark, where that is installed."""

import warnings

import numpy as np
import pandas as pd
import pytest

from segkit import ClusterSegmenter

pytest.importorskip("pyspark", reason="pyspark is not installed")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_spark_assigns_as_pandas_does():
    from pyspark.sql import SparkSession

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": np.exp(2 * rng.normal(size=200)), "b": rng.normal(size=200)})
    table.loc[::7, "b"] = np.nan
    segmenter = ClusterSegmenter(n_segments=4, random_state=0).fit(table)
    expected = segmenter.predict_segments(table).tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .getOrCreate()
        )
        try:
            frame = session.createDataFrame(table.assign(row=range(200)))
            assigned = segmenter.assign(frame)
            assert type(assigned) is type(frame)
            rows = sorted(assigned.collect(), key=lambda row: row["row"])
        finally:
            session.stop()
    assert [row["cluster_segment"] for row in rows] == expected
    assert assigned.columns == ["a", "b", "row", "cluster_segment"]
