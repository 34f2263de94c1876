"""Names of clusters: short, unique, and true."""

import numpy as np
import pandas as pd

from segkit import ClusterSegmenter

RNG = np.random.default_rng(0)


def named(table, **parameters):
    return ClusterSegmenter(random_state=0, **parameters).fit(table).segments_.tolist()


def clouds(centres, size=60, spread=0.3):
    centres = np.repeat(np.asarray(centres, dtype=float), size, axis=0)
    return centres + spread * RNG.normal(size=centres.shape)


def test_names_say_what_sets_segments_apart_most():
    table = pd.DataFrame(clouds([[0, 0], [9, 0], [0, 5]]), columns=["spend", "visits"])
    table["noise"] = RNG.normal(size=180)
    names = named(table, n_segments=3, order_by="spend")
    assert names[0].split(" · ")[0] == "high spend"
    assert "high visits" in names[1:][np.argmax(["high visits" in n for n in names[1:]])]
    assert not any("noise" in name for name in names)


def test_levels_and_flags_are_named_as_such():
    table = pd.DataFrame(
        {"city": ["Oslo"] * 60 + ["Rome"] * 60, "member": [True] * 60 + [False] * 60}
    )
    table["spend"] = clouds([[0], [9]])
    names = named(table, n_segments=2, order_by="spend")
    assert all("city Rome" in names[0] or "not member" in names[0] for _ in names)
    assert "high" not in names[1]


def test_segments_that_differ_in_degree_are_told_apart():
    many = clouds([[0, 0]], size=400)
    table = pd.DataFrame(np.r_[many, clouds([[5, 5], [12, 12]])], columns=["spend", "visits"])
    names = named(table, n_segments=3, order_by="spend")
    assert names[0].startswith("very high")
    assert names[1].startswith("high")


def test_the_more_extreme_of_two_is_told_in_the_trait_in_which_it_is():
    # Spend tells the third from the second, in whose name visits come first.
    table = pd.DataFrame(
        np.r_[clouds([[0, 0]], size=400), clouds([[5, 9], [14, 9]])], columns=["spend", "visits"]
    )
    names = named(table, n_segments=3, order_by="spend")
    assert "very high spend" in names[0]
    assert sorted(names[1].split(" · ")) == ["high spend", "high visits"]


def test_a_segment_in_the_middle_is_average():
    table = pd.DataFrame(clouds([[-9], [0], [9]]), columns=["spend"])
    names = named(table, n_segments=3, order_by="spend")
    assert names == ["high spend", "average", "low spend"]


def test_names_are_unique_where_nothing_tells_segments_apart():
    table = pd.DataFrame({"x": np.repeat(np.arange(6.0), 30)})
    names = named(table, n_segments=6)
    assert len({*names, "unassigned"}) == 7


def test_a_column_called_unassigned_makes_no_second_unassigned():
    names = named(pd.DataFrame({"unassigned": [True, False] * 60}), n_segments=2)
    assert sorted(names) == ["not unassigned", "unassigned (2)"]


def test_columns_without_names_are_told_by_their_position():
    names = named(clouds([[0, 0], [9, 0]]), n_segments=2, order_by=None)
    assert sorted(names) == ["high column 0", "low column 0"]


def test_letters_and_names_of_ones_own():
    table = pd.DataFrame({"x": np.repeat(np.arange(30.0), 30)})
    letters = named(table, n_segments=30, names="letters")
    assert letters[:2] + letters[25:28] == [
        "Segment A",
        "Segment B",
        "Segment Z",
        "Segment AA",
        "Segment AB",
    ]
    assert named(table, n_segments=2, order_by="x", names=["far", "near"]) == ["far", "near"]
