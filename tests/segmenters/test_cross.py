"""CrossSegmenter: which cells there are, which are merged into which, and where others go."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from frames import LAZY_KINDS, as_kind, columns_of
from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit.datasets import make_transactions
from segkit.exceptions import (
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
    SegkitWarning,
)
from segkit.segmenters._cross_cells import merged_cells

CUSTOMERS = summarize_transactions(make_transactions(400, random_state=3))


def bands(column, names):
    """Return a segmenter by whole numbers of a column: 0 is the first name, 1 the second ..."""
    rules = [
        {"name": name, "when": {"column": column, "equals": place}}
        for place, name in enumerate(names)
    ]
    return RuleSegmenter(rules, default=None)


def table(cells):
    """Return customers, given how many there are with each pair of values of a and b."""
    rows = [pair for pair, count in cells.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["a", "b"])


def quiet_fit(segmenter, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return segmenter.fit(X)


A, B = bands("a", ["high", "middle", "low"]), bands("b", ["web", "phone", "shop"])


def test_every_combination_with_customers_is_a_segment_in_the_order_of_the_parts(kind):
    frame = as_kind(table({(1, 0): 3, (0, 1): 2, (0, 0): 4}), kind)
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=1), frame)
    assert crossed.segments_.tolist() == ["high × web", "high × phone", "middle × web"]
    assert crossed.describe()["customers"].tolist() == [4, 2, 3]
    assert crossed.merges_.empty
    found = columns_of(crossed.assign(frame))["cross_segment"]
    assert sorted(found) == ["high × phone"] * 2 + ["high × web"] * 4 + ["middle × web"] * 3


def test_a_small_cell_goes_to_the_neighbour_that_shares_most_then_is_nearest(kind):
    # By hand. (low, web) with 2 shares 'web' with (high, web), two places away, and 'low' with
    # (low, shop), two places away, too: then the larger. (middle, shop) with 1 is one place away
    # from (low, shop) and from nothing else that shares a segment.
    frame = as_kind(table({(0, 0): 30, (2, 0): 2, (2, 2): 40, (1, 2): 1}), kind)
    crossed = quiet_fit(CrossSegmenter([("a", A), ("b", B)], min_size=5), frame)
    assert crossed.merges_.to_dict("list") == {
        "cell": ["middle × shop", "low × web"],
        "customers": [1, 2],
        "into": ["low × shop", "low × shop"],
        "reason": ["min_size", "min_size"],
    }
    assert crossed.segments_.tolist() == ["high × web", "low × shop"]
    assert crossed.describe()["rule"].tolist() == [
        "high × web",
        "low × shop; middle × shop; low × web",
    ]
    assert crossed.cells_.to_dict("list") == {
        "a": ["high", "middle", "low", "low"],
        "b": ["web", "shop", "web", "shop"],
        "customers": [30, 1, 2, 40],
        "segment": ["high × web", "low × shop", "low × shop", "low × shop"],
    }


def test_merged_cells_count_together_and_go_on_together():
    # (low, web) goes to (low, phone); the two have 3 customers and go on to (low, shop).
    frame = table({(2, 0): 1, (2, 1): 2, (2, 2): 9})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=4), frame)
    assert crossed.merges_["customers"].tolist() == [1, 3]
    assert crossed.merges_["into"].tolist() == ["low × phone", "low × shop"]
    assert crossed.segments_.tolist() == ["low × shop"]


def test_of_equally_small_cells_the_last_goes_first():
    # By hand: (low, web) goes to (middle, web), one place away, and the two are large enough. Were
    # (high, web) the first to go, it would be (high, web) that is gone.
    frame = table({(0, 0): 4, (1, 0): 4, (2, 0): 4})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=4, max_segments=2), frame)
    assert crossed.segments_.tolist() == ["high × web", "middle × web"]


def test_who_comes_with_an_unseen_combination_goes_where_the_rule_sends_a_cell_of_nobody():
    frame = table({(0, 0): 30, (2, 0): 2, (2, 2): 40})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=5), frame)
    # (low, phone) is one place from (low, web), which shares 'low', and one from (low, shop), which
    # is larger. (high, shop) shares a segment with (high, web) and with (low, shop), both two
    # places away: that of the first segmenter. (middle, web) is one place from (high, web) and from
    # (low, web); the first is larger.
    new = table({(2, 1): 1, (0, 2): 1, (1, 0): 1})
    assert crossed.predict_segments(new).tolist() == ["low × shop", "high × web", "high × web"]
    assert [crossed.predict_one(row) for row in new.to_dict("records")] == [
        "low × shop", "high × web", "high × web",
    ]  # fmt: skip
    for kind in LAZY_KINDS:
        found = columns_of(crossed.assign(as_kind(new, kind)))["cross_segment"]
        assert found == ["low × shop", "high × web", "high × web"]


def test_an_unseen_combination_whose_neighbour_was_merged_follows_it():
    # (middle, phone) is nearest to (middle, web), which went to (high, web).
    frame = table({(0, 0): 30, (1, 0): 2, (2, 2): 40})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=5), frame)
    assert crossed.predict_segments(table({(1, 1): 1})).tolist() == ["high × web"]


def test_who_is_unassigned_in_a_part_is_unassigned(kind):
    frame = table({(0, 0): 3, (1, 1): 3, (7, 0): 2})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=1), as_kind(frame, kind))
    found = columns_of(crossed.assign(as_kind(frame, kind)))["cross_segment"]
    assert found.count("unassigned") == 2
    assert crossed.predict_one({"a": 7, "b": 0}) == "unassigned"
    assert crossed.describe()["share_of_customers"].tolist() == [0.5, 0.5]


def test_no_more_than_max_segments_are_left_and_that_is_warned_of():
    sizes = {(a, b): 10 + 3 * a + b for a in range(3) for b in range(3)}
    with pytest.warns(
        SegkitWarning, match="9 cells have at least .* max_segments=4: the 5 smallest"
    ):
        crossed = CrossSegmenter([A, B], min_size=1, max_segments=4).fit(table(sizes))
    assert len(crossed.segments_) == 4
    assert set(crossed.merges_["reason"]) == {"max_segments"}
    assert crossed.describe()["customers"].sum() == sum(sizes.values())


def test_many_customers_in_merged_cells_are_warned_of():
    few = {(a, b): 3 for a in range(3) for b in range(3)}
    with pytest.warns(SegkitWarning, match="8 of 9 cells have fewer than min_size=10"):
        CrossSegmenter([A, B], min_size=10).fit(table({**few, (0, 0): 30}))


def test_min_size_below_one_is_a_share_of_the_customers():
    frame = table({(0, 0): 90, (1, 1): 8, (2, 2): 2})
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=0.03), frame)
    assert crossed.merges_["cell"].tolist() == ["low × shop"]


@given(
    st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(any),
    st.integers(0, 12),
    st.integers(1, 6),
)
def test_no_cell_is_lost_and_every_segment_is_large_enough_and_they_are_few(counts, least, most):
    counts = np.array(counts).reshape(3, 4)
    crossed = merged_cells(counts, least=least, most=most)
    assert crossed.sizes.sum() == counts.sum()
    assert len(crossed.cores) <= most
    assert len(crossed.cores) == 1 or crossed.sizes.min() >= least
    # A cell that is left is in its own segment, and nothing was merged that need not be.
    assert crossed.code_of_cell[crossed.cores].tolist() == list(range(len(crossed.cores)))
    assert len(crossed.merges) == np.count_nonzero(counts) - len(crossed.cores)
    for merge in crossed.merges:
        if merge.reason == "min_size":
            assert merge.customers < least
        assert crossed.code_of_cell[merge.cell] == crossed.code_of_cell[merge.into]


def naive_crossing(counts, least, most):
    """Return the cell that each cell goes to: the rule of the documentation, one cell at a time."""
    customers = {cell: int(n) for cell, n in np.ndenumerate(counts) if n}
    seen, goes_to = dict(customers), {}

    def nearest(cell, others, sizes):
        def distance(other):
            apart = [abs(a - b) for a, b in zip(cell, other, strict=True)]
            differs = [a > 0 for a in apart]
            return sum(differs), sum(apart), differs, -sizes[other], other

        return min(others, key=distance)

    while len(customers) > 1:
        smallest = max(c for c, n in customers.items() if n == min(customers.values()))
        if customers[smallest] >= least and len(customers) <= most:
            break
        moved = customers.pop(smallest)
        goes_to[smallest] = nearest(smallest, customers, customers)
        customers[goes_to[smallest]] += moved
    for cell in np.ndindex(counts.shape):
        if cell not in seen:
            goes_to[cell] = nearest(cell, seen, seen)
    final = {}
    for cell in np.ndindex(counts.shape):
        end = cell
        while end in goes_to:
            end = goes_to[end]
        final[cell] = end
    return final


@given(
    st.lists(st.integers(0, 6), min_size=18, max_size=18).filter(any),
    st.integers(0, 9),
    st.integers(1, 8),
)
def test_every_cell_goes_where_the_rule_says_when_followed_by_hand(counts, least, most):
    counts = np.array(counts).reshape(3, 2, 3)
    crossed = merged_cells(counts, least=least, most=most)
    expected = naive_crossing(counts, least, most)
    cores = [tuple(map(int, np.unravel_index(core, counts.shape))) for core in crossed.cores]
    found = {
        cell: cores[crossed.code_of_cell[np.ravel_multi_index(cell, counts.shape)]]
        for cell in np.ndindex(counts.shape)
    }
    assert found == expected


def naive_segment(crossed, pair):
    """Return the code of a pair of codes, following what cells_ says of combinations seen."""
    cells = crossed.cells_.set_index(list(crossed.cells_.columns[:2]))["segment"]
    return cells.get(pair)


def test_labels_agree_with_the_parts_labels_on_drawn_customers(kind):
    rules = [{"name": "One-time", "when": {"column": "frequency", "equals": 1}}]
    parts = [("rfm", RFMScorer()), ("rules", RuleSegmenter(rules))]
    frame = CUSTOMERS[["recency_days", "frequency", "monetary"]]
    crossed = quiet_fit(CrossSegmenter(parts), as_kind(frame, kind))
    pairs = zip(
        RFMScorer().fit(frame).predict_segments(frame),
        RuleSegmenter(rules).fit(frame).predict_segments(frame),
        strict=True,
    )
    expected = [naive_segment(crossed, pair) for pair in pairs]
    assert crossed.predict_segments(frame).tolist() == expected
    assert columns_of(crossed.assign(as_kind(frame, kind)))["cross_segment"] == expected


def test_columns_with_the_names_of_the_parts_scores_are_kept(lazy_kind):
    frame = CUSTOMERS[["recency_days", "frequency", "monetary"]].assign(recency_score=-7)
    crossed = quiet_fit(CrossSegmenter([RFMScorer(), ValueTierer()]), frame)
    columns = columns_of(crossed.assign(as_kind(frame, lazy_kind)))
    assert list(columns) == [*frame.columns, "cross_segment"]
    assert columns["recency_score"] == [-7] * len(frame)
    assert columns["cross_segment"] == crossed.predict_segments(frame).tolist()


def test_a_lazy_frame_is_not_executed():
    def executed(_):
        raise AssertionError("executed")

    lazy = pl.from_pandas(CUSTOMERS).lazy()
    crossed = quiet_fit(CrossSegmenter([RFMScorer(), ValueTierer()]), lazy)
    assert not hasattr(crossed, "labels_")
    crossed.assign(lazy.map_batches(executed, schema=lazy.collect_schema()))
    with pytest.raises(LazyFrameError, match="assign"):
        crossed.predict(lazy)


def test_fitted_segmenters_are_frozen_and_others_are_cloned():
    tierer = ValueTierer(method="fixed", cuts=[300], tiers=["Big", "Small"]).fit(CUSTOMERS)
    scorer = RFMScorer()
    parts = [FrozenEstimator(tierer), scorer]
    crossed = quiet_fit(CrossSegmenter(parts), CUSTOMERS.head(100))
    assert crossed.segmenters_[0][1].thresholds_.tolist() == [300]
    assert not hasattr(scorer, "segments_")
    assert [name for name, _ in crossed.segmenters_] == ["valuetierer", "rfmscorer"]
    lazy = columns_of(crossed.assign(pl.from_pandas(CUSTOMERS).lazy()))["cross_segment"]
    assert lazy == crossed.predict_segments(CUSTOMERS).tolist()


def test_a_pipeline_that_ends_in_a_segmenter_is_one():
    pipeline = make_pipeline(FunctionTransformer(), ValueTierer())
    crossed = quiet_fit(CrossSegmenter([pipeline, RFMScorer()]), CUSTOMERS)
    alone = quiet_fit(CrossSegmenter([ValueTierer(), RFMScorer()]), CUSTOMERS)
    assert crossed.segments_.tolist() == alone.segments_.tolist()
    assert crossed.predict(CUSTOMERS).tolist() == alone.predict(CUSTOMERS).tolist()
    row = CUSTOMERS.iloc[5].to_dict()
    assert crossed.predict_one(row) == alone.predict_one(row)
    with pytest.raises(LazyFrameError, match="'valuetierer' cannot run inside a query engine"):
        crossed.assign(pl.from_pandas(CUSTOMERS).lazy())


def test_clusters_can_be_crossed():
    clusters = ClusterSegmenter(n_segments=3, columns=["recency_days", "monetary"], random_state=0)
    crossed = quiet_fit(CrossSegmenter([ValueTierer(), clusters]), CUSTOMERS)
    eager = crossed.predict_segments(CUSTOMERS).tolist()
    for kind in LAZY_KINDS:
        frame = as_kind(CUSTOMERS[["recency_days", "monetary"]], kind)
        assert columns_of(crossed.assign(frame))["cross_segment"] == eager


def test_arrays_are_taken_by_position():
    array = CUSTOMERS[["recency_days", "frequency", "monetary"]].to_numpy(float)
    parts = [RFMScorer(), ValueTierer(column=2)]
    crossed = quiet_fit(CrossSegmenter(parts), array)
    named = quiet_fit(CrossSegmenter([RFMScorer(), ValueTierer()]), CUSTOMERS)
    assert crossed.labels_.tolist() == named.labels_.tolist()
    assert crossed.predict(np.column_stack([array, array])).tolist() == named.labels_.tolist()


def test_the_errors_of_a_part_are_its_own():
    crossed = quiet_fit(CrossSegmenter([ValueTierer(), RFMScorer()]), CUSTOMERS)
    with pytest.raises(MissingValuesError, match="ValueTierer: column 'monetary'"):
        crossed.predict(CUSTOMERS.assign(monetary=np.nan))


def test_parts_of_the_same_class_get_numbers_and_parts_of_the_same_name_are_refused():
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=1), table({(0, 0): 1, (1, 1): 1}))
    assert [name for name, _ in crossed.segmenters_] == ["rulesegmenter-1", "rulesegmenter-2"]
    with pytest.raises(SegkitValueError, match="not distinct"):
        CrossSegmenter([("a", A), ("a", B)]).fit(CUSTOMERS)
    with pytest.raises(SegkitValueError, match="columns of cells_ already"):
        CrossSegmenter([("a", A), ("segment", B)]).fit(CUSTOMERS)


@pytest.mark.parametrize(
    ("segmenters", "error", "said"),
    [
        (None, SegkitValueError, "a list of two or more segmenters"),
        ([A], SegkitValueError, "a list of two or more segmenters"),
        ([A, KMeans()], SegkitTypeError, "For a clusterer, pass ClusterSegmenter"),
        ([A, "web"], SegkitTypeError, "must hold segmenters"),
    ],
)
def test_what_is_no_list_of_segmenters_is_refused(segmenters, error, said):
    with pytest.raises(error, match=said):
        CrossSegmenter(segmenters).fit(CUSTOMERS)


def test_too_many_combinations_are_refused():
    many = bands("frequency", [f"n{n}" for n in range(400)])
    with pytest.raises(SegkitValueError, match="400 by 400 segments make more than 10,000"):
        quiet_fit(CrossSegmenter([many, clone(many)]), CUSTOMERS)


def test_customers_of_whom_nobody_is_assigned_are_refused():
    with pytest.raises(SegkitValueError, match="none of 4 customers is assigned"):
        quiet_fit(CrossSegmenter([A, B]), table({(7, 7): 4}))


def test_cells_that_would_have_the_same_name_are_refused():
    one, other = bands("a", ["x", "x/y"]), bands("b", ["y/z", "z"])
    frame = table({(0, 0): 1, (1, 1): 1})
    with pytest.raises(SegkitValueError, match="different cells have the same name"):
        quiet_fit(CrossSegmenter([one, other], name="/"), frame)
    crossed = quiet_fit(CrossSegmenter([one, other], name=" and ", min_size=1), frame)
    assert crossed.segments_.tolist() == ["x and y/z", "x/y and z"]


def test_it_pickles_and_is_refused_before_fit():
    crossed = quiet_fit(CrossSegmenter([A, B], min_size=1), table({(0, 0): 2, (1, 1): 1}))
    copy = pickle.loads(pickle.dumps(crossed))
    assert copy.predict_one({"a": 1, "b": 1}) == "middle × phone"
    for verb, X in (("predict", CUSTOMERS), ("predict_one", {}), ("assign", CUSTOMERS)):
        with pytest.raises(NotFittedError):
            getattr(CrossSegmenter([A, B]), verb)(X)


def test_a_name_that_would_stand_for_unassigned_customers_is_refused():
    one, other = bands("a", ["un", "x"]), bands("b", ["assigned", "y"])
    with pytest.raises(SegkitValueError, match="a cell is named 'unassigned'"):
        quiet_fit(CrossSegmenter([one, other], name="", min_size=1), table({(0, 0): 1}))


@pytest.mark.parametrize("min_size", [1.5, 1.0, -0.1])
def test_a_min_size_that_is_neither_a_number_of_customers_nor_a_share_is_refused(min_size):
    with pytest.raises(ValueError, match="min_size"):
        CrossSegmenter([A, B], min_size=min_size).fit(table({(0, 0): 2}))


def test_a_frozen_segmenter_may_be_frozen_again(lazy_kind):
    frame = table({(0, 0): 2, (1, 1): 1})
    twice = FrozenEstimator(FrozenEstimator(quiet_fit(clone(A), frame)))
    crossed = quiet_fit(CrossSegmenter([twice, B], min_size=1), as_kind(frame, lazy_kind))
    assert crossed.describe()["customers"].tolist() == [2, 1]


def test_parameters_inside_are_named_as_in_a_pipeline():
    crossed = CrossSegmenter([("rfm", RFMScorer()), ("value", ValueTierer())])
    assert crossed.get_params()["rfm__n_bins"] == RFMScorer().n_bins
    assert crossed.set_params(rfm__n_bins=4, max_segments=7) is crossed
    assert (crossed.segmenters[0][1].n_bins, crossed.max_segments) == (4, 7)
    other = ValueTierer(method="quantile")
    assert crossed.set_params(value=other).segmenters[1] == ("value", other)
    assert "rfm__n_bins" not in crossed.get_params(deep=False)
    unnamed = CrossSegmenter([ValueTierer(), ValueTierer()])
    unnamed.set_params(**{"valuetierer-2__column": "frequency"})
    assert [one.column for one in unnamed.segmenters] == [ValueTierer().column, "frequency"]
    with pytest.raises(ValueError, match="Invalid parameter"):
        crossed.set_params(monetary__n_bins=4)


@pytest.mark.parametrize("name", ["a__b", "min_size", ""])
def test_names_that_would_not_be_parameters_are_refused(name):
    with pytest.raises(SegkitValueError, match="other names"):
        CrossSegmenter([(name, A), ("b", B)]).fit(table({(0, 0): 2}))


def test_segments_become_features_of_one_and_zero():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6, 7, 8], "b": [8.0, 1, 7, 2, 6, 3, 5, 4]})
    parts = [
        RuleSegmenter(
            [{"name": name, "when": {"column": name.lower(), "at_least": 5}}], default="low"
        )
        for name in ("A", "B")
    ]
    crossing = CrossSegmenter(parts, min_size=1).fit(table)
    features = crossing.set_output(transform="pandas").transform(table)
    names = crossing.predict_segments(table)
    assert features.columns.tolist() == [f"cross_segment_{name}" for name in crossing.segments_]
    expected = [[float(one == name) for one in crossing.segments_] for name in names]
    assert features.to_numpy().tolist() == expected


def test_one_customer_is_refused_by_a_later_part_as_in_a_frame():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1]})
    parts = [
        ValueTierer(column="a", missing="unassigned"),
        ValueTierer(column="b", missing="raise"),
    ]
    crossing = CrossSegmenter(parts, min_size=1).fit(table)
    with pytest.raises(MissingValuesError):
        crossing.predict_one({"a": None, "b": None})


def test_a_name_that_cannot_be_printed_is_refused():
    customers = pd.DataFrame({"monetary": [9.0, 5.0], "frequency": [2, 1]})
    with pytest.raises(SegkitValueError, match="name must be printable text"):
        CrossSegmenter([ValueTierer(), ValueTierer(column="frequency")], name="\ud800").fit(
            customers
        )
