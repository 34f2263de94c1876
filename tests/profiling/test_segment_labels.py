"""Labels of segments from any source."""

import numpy as np
import pytest

from segkit.profiling._segment_labels import read_segment_labels


@pytest.mark.parametrize("none", [np.nan, None, -1, -2, "unassigned"])
def test_a_list_of_names_may_hold_customers_without_one(none):
    read = read_segment_labels(["a", none, "b", "a"], 4, owner="Profiler")
    assert read.names == ["a", "b"]
    assert read.codes.tolist() == [0, -1, 1, 0]
