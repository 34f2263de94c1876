"""Tracking: who moved where, against a loop over customers and sums by hand."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from frames import as_kind
from segkit import ValueTierer
from segkit.exceptions import ColumnError, MissingValuesError, SegkitTypeError, SegkitValueError
from segkit.monitoring import track

# By hand: tier A from 50 on, B from 10, C below.
BEFORE = pd.DataFrame({"customer_id": [1, 2, 3, 4, 5], "monetary": [90.0, 60.0, 20.0, 8.0, 5.0]})
AFTER = pd.DataFrame({"customer_id": [6, 5, 3, 2, 4], "monetary": [70.0, 55.0, 30.0, 12.0, 9.0]})
TIERER = ValueTierer(method="fixed", cuts=[50, 10], tiers=["A", "B", "C"], missing="unassigned")
TIERER.fit(BEFORE)


def drawn(n_customers, seed):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(3 * n_customers // 2)[:n_customers]
    spend = rng.lognormal(3, 1, n_customers)
    spend[rng.random(n_customers) < 0.05] = np.nan
    return pd.DataFrame({"customer_id": ids, "monetary": spend, "worth": rng.random(n_customers)})


def cells(migration, of="customers"):
    return migration.table.set_index(["before", "after"])[of].to_dict()


def naive_moves(before, after):
    """Follow each customer, one at a time."""
    old, new = (
        {row["customer_id"]: TIERER.predict_one(row) for row in table.to_dict("records")}
        for table in (before, after)
    )
    return {
        one: (old.get(one, "newcomer"), new.get(one, "left")) for one in old.keys() | new.keys()
    }


def test_flows_are_those_of_a_loop_over_customers():
    before, after = drawn(400, 0), drawn(500, 1)
    migration = track(TIERER, before, after)
    expected = naive_moves(before, after)
    assert {k: n for k, n in cells(migration).items() if n} == Counter(expected.values())
    found = migration.customers.set_index("customer_id")
    assert dict(
        zip(found.index, zip(found["before"], found["after"], strict=True), strict=True)
    ) == (expected)


def test_newcomers_leavers_and_movers_are_told_apart():
    migration = track(TIERER, BEFORE, AFTER)
    expected = [
        (1, "A", "left", "left"),
        (2, "A", "B", "moved"),
        (3, "B", "B", "stayed"),
        (4, "C", "C", "stayed"),
        (5, "C", "A", "moved"),
        (6, "newcomer", "A", "newcomer"),
    ]
    assert list(migration.customers.itertuples(index=False, name=None)) == expected
    assert (migration.n_before, migration.n_after, migration.n_in_both) == (5, 5, 4)
    assert (migration.n_stayed, migration.n_moved) == (2, 2)
    assert (migration.n_newcomers, migration.n_leavers) == (1, 1)


def test_matrix_has_newcomers_and_leavers_at_its_edges():
    matrix = track(TIERER, BEFORE, AFTER).matrix()
    assert matrix.index.tolist() == ["A", "B", "C", "No value", "newcomer"]
    assert matrix.columns.tolist() == ["A", "B", "C", "No value", "left"]
    expected = [[0, 1, 0, 0, 1], [0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0] * 5, [1, 0, 0, 0, 0]]
    assert matrix.to_numpy().tolist() == expected


def test_shares_have_the_interval_of_wilson():
    migration = track(TIERER, BEFORE, AFTER, confidence=0.95)
    # One of two: (1/2 + z²/4) / (1 + z²/2) ± z / (1 + z²/2) · sqrt(1/8 + z²/16), z = 1.959964.
    row = migration.table.set_index(["before", "after"]).loc[("A", "B")]
    assert row["share"] == 0.5
    assert row["share_low"] == pytest.approx(0.094531, abs=1e-6)
    assert row["share_high"] == pytest.approx(0.905469, abs=1e-6)
    narrower = track(TIERER, BEFORE, AFTER, confidence=0.5).table
    assert narrower.set_index(["before", "after"])["share_low"].loc[("A", "B")] > 0.25


def test_value_moves_with_the_customers():
    migration = track(TIERER, BEFORE, AFTER, value="monetary")
    # Movers and leavers go with what they were worth, newcomers come with what they are worth.
    moved = {("A", "left"): 90, ("A", "B"): 60, ("C", "A"): 5, ("newcomer", "A"): 70}
    assert {
        pair: value for pair, value in cells(migration, "value_moved").items() if value
    } == moved
    assert cells(migration, "value_after")["C", "A"] == 55
    assert cells(migration, "value_before")["B", "B"] == 20
    balance = migration.segments.set_index("segment").loc["A"]
    assert balance.to_dict() == {
        "customers_before": 2,
        "stayed": 0,
        "moved_out": 1,
        "left": 1,
        "moved_in": 1,
        "newcomers": 1,
        "customers_after": 2,
        "value_before": 150,
        "value_out": 60,
        "value_left": 90,
        "value_in": 55,
        "value_new": 70,
        "value_grown": 0,
        "value_after": 125,
    }


def test_balances_add_up():
    before, after = drawn(400, 2), drawn(500, 3)
    of = track(TIERER, before, after, value="worth").segments
    gone, come = of["moved_out"] + of["left"], of["moved_in"] + of["newcomers"]
    assert (of["customers_before"] - gone + come == of["customers_after"]).all()
    gone, come = of["value_out"] + of["value_left"], of["value_in"] + of["value_new"]
    np.testing.assert_allclose(
        of["value_before"] - gone + come + of["value_grown"], of["value_after"]
    )
    assert of["value_after"].sum() == pytest.approx(after["worth"].sum())
    assert of["customers_before"].tolist() == [
        int((TIERER.predict_segments(before) == name).sum()) for name in of["segment"]
    ]


def test_who_has_no_segment_neither_stayed_nor_moved():
    later = AFTER.assign(monetary=[70.0, 55.0, np.nan, 12.0, 9.0])
    migration = track(TIERER, BEFORE, later)
    assert cells(migration)["B", "unassigned"] == 1
    assert migration.customers["change"].tolist().count("unassigned") == 1
    assert (migration.n_stayed, migration.n_moved) == (1, 2)
    assert "unassigned" in migration.matrix().columns
    assert "unassigned" not in track(TIERER, BEFORE, AFTER).matrix().columns
    assert "without a segment before or after: 1." in migration.summary()


def test_thresholds_are_those_of_fit_in_both_tables():
    learned = ValueTierer().fit(BEFORE)
    doubled = track(learned, BEFORE, BEFORE.assign(monetary=BEFORE["monetary"] * 2))
    np.testing.assert_array_equal(
        doubled.customers["after"],
        learned.predict_segments(BEFORE.assign(monetary=BEFORE["monetary"] * 2)),
    )
    assert doubled.n_moved > 0


def test_every_kind_of_frame_is_tracked(kind):
    before, after = drawn(60, 4), drawn(70, 5)
    expected = track(TIERER, before, after, value="worth")
    found = track(TIERER, as_kind(before, kind), as_kind(after, kind), value="worth")
    pd.testing.assert_frame_equal(found.table, expected.table)
    pd.testing.assert_frame_equal(found.segments, expected.segments)
    one, other = (
        table.customers.sort_values("customer_id", ignore_index=True) for table in (found, expected)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_kinds_of_frames_may_differ():
    expected = track(TIERER, BEFORE, AFTER).table
    pd.testing.assert_frame_equal(track(TIERER, as_kind(BEFORE, "polars"), AFTER).table, expected)


def test_order_of_rows_does_not_matter():
    before, after = drawn(100, 6), drawn(100, 7)
    shuffled = track(TIERER, before.sample(frac=1, random_state=0), after.iloc[::-1])
    pd.testing.assert_frame_equal(shuffled.table, track(TIERER, before, after).table)


@pytest.mark.parametrize("customer", [None, "customer_id"])
def test_index_of_pandas_tells_customers_apart(customer):
    before, after = BEFORE.set_index("customer_id"), AFTER.set_index("customer_id")
    found = track(TIERER, before, after, customer=customer)
    pd.testing.assert_frame_equal(found.customers, track(TIERER, BEFORE, AFTER).customers)


def test_nothing_is_changed_in_what_is_given():
    before, after = BEFORE.copy(), AFTER.copy()
    track(TIERER, before, after, value="monetary")
    pd.testing.assert_frame_equal(before, BEFORE)
    pd.testing.assert_frame_equal(after, AFTER)


def test_clusterers_and_pipelines_are_tracked():
    columns = ["monetary"]
    models = [
        KMeans(2, random_state=0, n_init=1).fit(BEFORE[columns]),
        KMeans(2, random_state=0, n_init=1).fit(BEFORE[columns].to_numpy()),
        make_pipeline(StandardScaler(), KMeans(2, random_state=0, n_init=1)).fit(BEFORE[columns]),
        FrozenEstimator(KMeans(2, random_state=0, n_init=1).fit(BEFORE[columns])),
    ]
    for model in models:
        migration = track(model, BEFORE, AFTER)
        assert migration.names == ("0", "1")
        # 90 and 60 are one cluster; of 70, 55 and the others 70 and 55 are nearer to it.
        assert migration.n_stayed == 2
        assert migration.n_moved == 2


def test_summary_says_who_moved_and_what_they_are_worth():
    told = track(TIERER, BEFORE, AFTER, value="monetary").summary()
    assert "5 customers before, 5 after, 4 in both." in told
    assert "stayed: 2 of 4" in told
    assert "moved: 2; most: 1 A to B, 1 C to A." in told
    assert "of 183 before, 65 moved to another segment and 90 left; newcomers brought 70." in told


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"customer_id": [1, 1, 3, 3, 5]}, SegkitValueError, "repeats an earlier row in 2 of 5"),
        ({"customer_id": [1, None, 3, 4, 5]}, MissingValuesError, "is missing in 1 of 5 rows"),
        ({"customer_id": [11, 12, 13, 14, 15]}, SegkitValueError, "no customer of 'before'"),
        ({"customer_id": list("abcde")}, SegkitValueError, "integer before and string after"),
        ({"customer_id": [[i] for i in range(5)]}, SegkitTypeError, "lists, dicts or the like"),
        ({"monetary": [1, np.inf, 3, 4, 5]}, SegkitValueError, "infinit"),
        ({"monetary": list("abcde")}, SegkitTypeError, "'monetary' must hold numbers"),
    ],
)
def test_tables_that_cannot_be_tracked_are_refused(change, error, said):
    with pytest.raises(error, match=said) as caught:
        track(TIERER, BEFORE, AFTER.assign(**change), value="monetary")
    notes = getattr(caught.value, "__notes__", [])
    assert "after" in " ".join([str(caught.value), *notes])


def test_errors_do_not_tell_who_customers_are():
    later = AFTER.assign(customer_id=["ann@example.org"] * 5)
    with pytest.raises(SegkitValueError) as caught:
        track(TIERER, BEFORE, later)
    assert "example" not in str(caught.value)


def test_missing_values_are_refused_as_the_segmenter_says():
    strict = ValueTierer().fit(BEFORE)
    with pytest.raises(MissingValuesError, match="ValueTierer") as caught:
        track(strict, BEFORE, AFTER.assign(monetary=np.nan))
    assert caught.value.__notes__ == ["This is about the table 'after' of track."]


def test_missing_worth_is_refused():
    with pytest.raises(MissingValuesError, match="'monetary' is missing in 1 of 5 rows"):
        track(TIERER, BEFORE, AFTER.assign(monetary=[1, 2, np.nan, 3, 4]), value="monetary")


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(NotFittedError):
        track(ValueTierer(), BEFORE, AFTER)
    with pytest.raises(SegkitTypeError, match="segmenter must be fitted and predict"):
        track(DBSCAN(), BEFORE, AFTER)
    with pytest.raises(SegkitTypeError, match="got ValueTierer"):
        track(ValueTierer, BEFORE, AFTER)
    with pytest.raises(SegkitTypeError, match="track, table 'before': expected a frame"):
        track(TIERER, BEFORE.to_numpy(), AFTER)
    with pytest.raises(ColumnError, match=r"'client' is missing.*customer=None"):
        track(TIERER, BEFORE, AFTER, customer="client")
    for role in ("customer", "value"):
        for wrong in (1, ["monetary"]):
            with pytest.raises(SegkitTypeError, match=f"{role} must be text, the name of a column"):
                track(TIERER, BEFORE, AFTER, **{role: wrong})
    with pytest.raises(ColumnError, match="the frame has no column but 'customer_id'"):
        track(TIERER, BEFORE, AFTER[["customer_id"]])
    odd_names = [one.rename(columns={"customer_id": "after"}) for one in (BEFORE, AFTER)]
    with pytest.raises(ColumnError, match="the column of ids cannot be called 'after'"):
        track(TIERER, *odd_names, customer="after")
    with pytest.raises(ColumnError, match="'profit' is missing"):
        track(TIERER, BEFORE, AFTER, value="profit")
    with pytest.raises(SegkitTypeError, match="nothing tells the customers apart"):
        track(TIERER, as_kind(BEFORE, "polars"), AFTER, customer=None)
    with pytest.raises(SegkitTypeError, match="nothing tells the customers apart"):
        track(TIERER, BEFORE, AFTER, customer=None)
    with pytest.raises(SegkitValueError, match="confidence must be a number between 0 and 1"):
        track(TIERER, BEFORE, AFTER, confidence=95)
    with pytest.raises(SegkitValueError, match="'value_moved' needs a value"):
        track(TIERER, BEFORE, AFTER).matrix("value_moved")
    with pytest.raises(SegkitValueError, match="of must be one of"):
        track(TIERER, BEFORE, AFTER).matrix("money")
    odd = ValueTierer(method="fixed", cuts=[50, 10], tiers=["A", "left", "C"]).fit(BEFORE)
    with pytest.raises(SegkitValueError, match="no segment can be called 'left'"):
        track(odd, BEFORE, AFTER)
