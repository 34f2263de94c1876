"""k-prototypes: known answers, naive loops beside the matrix products, kinds of frame, mistakes."""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from sklearn.cluster import KMeans
from sklearn.utils.estimator_checks import check_estimator

from frames import as_kind
from segkit import KPrototypes
from segkit.cluster._mixed_columns import learn_columns
from segkit.cluster._prototype_search import Problem, _cao_modes
from segkit.exceptions import (
    ColumnError,
    LazyFrameError,
    MissingValuesError,
    SegkitTypeError,
    SegkitValueError,
)

CUSTOMERS = pd.DataFrame(
    {
        "orders": [0.0, 0.1, 0.2, 0.1, 3.0, 3.1, 3.2, 2.9, 6.0, 6.1],
        "channel": ["shop", "shop", "web", "shop", "web", "web", "app", "web", "app", "app"],
        "spend": [1.0, 1.2, 1.1, 0.9, 1.0, 1.1, 1.2, 1.3, 4.0, 4.2],
        "member": [True, True, True, False, False, False, True, False, True, True],
    }
)


@st.composite
def mixed_tables(draw, min_rows=6, max_rows=30):
    """Draw tables of two numbers and two categories with many ties, and no two rows alike."""
    n_rows = draw(st.integers(min_rows, max_rows))

    def column(strategy):
        return draw(st.lists(strategy, min_size=n_rows, max_size=n_rows))

    table = pd.DataFrame(
        {
            "x": column(st.integers(0, 8)),
            "a": column(st.sampled_from("pqr")),
            "y": column(st.integers(0, 3)),
            "b": column(st.sampled_from("stuvw")),
        }
    )
    return table.assign(x=table["x"] + np.arange(n_rows) / 64)


# Naive loops.


def naive_distance(row, prototype, gamma):
    """The distance of Huang (1998, equation 9), number by number and category by category."""
    total = 0.0
    for value, center in zip(row, prototype, strict=True):
        is_text = isinstance(value, str)
        total += gamma * (value != center) if is_text else (value - center) ** 2
    return total


def naive_nearest(rows, prototypes, gamma):
    """Labels, and the sum of the distances."""
    labels, cost = [], 0.0
    for row in rows:
        distances = [naive_distance(row, prototype, gamma) for prototype in prototypes]
        labels.append(distances.index(min(distances)))
        cost += min(distances)
    return labels, cost


def naive_prototype(members, rows):
    """Means, and modes: of equally frequent ones the more frequent in all rows, then the first."""
    prototype = []
    for column in range(len(rows[0])):
        values = [row[column] for row in members]
        if isinstance(values[0], str):
            here, everywhere = Counter(values), Counter(row[column] for row in rows)
            values = sorted(here, key=lambda value: (-here[value], -everywhere[value], value))
            prototype.append(values[0])
        else:
            prototype.append(sum(values) / len(values))
    return prototype


def problem_of(table, gamma):
    columns, rows = learn_columns(KPrototypes(), table, "auto")
    return columns, Problem(rows, columns.starts, gamma)


# Known answers.


@pytest.mark.realdata
@pytest.mark.parametrize("init", ["cao", "k-means++", "random"])
def test_cost_on_mall_is_that_of_kmodes(data_folder, init):
    # Gender, and age, income and score z-scored with n - 1; gamma 0.5. The number is the least that
    # kmodes 0.12.2 finds in 30 starts.
    mall = pd.read_csv(data_folder / "Mall_Customers.csv").drop(columns="CustomerID")
    numbers = mall.select_dtypes("number")
    mall[numbers.columns] = (numbers - numbers.mean()) / numbers.std(ddof=1)
    clusterer = KPrototypes(5, gamma=0.5, init=init, n_init=20, random_state=0).fit(mall)
    assert clusterer.cost_ == pytest.approx(208.903152, abs=5e-7)
    assert clusterer.categorical_ == ["Genre"]


def test_with_numbers_alone_it_is_k_means():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 3))
    ours = KPrototypes(4, init=values[:4]).fit(values)
    theirs = KMeans(4, init=values[:4], n_init=1, tol=0, algorithm="lloyd").fit(values)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_)
    np.testing.assert_allclose(ours.transform(values), theirs.transform(values))
    assert ours.cost_ == pytest.approx(theirs.inertia_)
    assert ours.cluster_modes_.shape == (4, 0)


def test_with_categories_alone_the_cost_counts_those_that_differ():
    # By hand: the modes are (a, x, m) and (b, y, m); one row of each has one that differs.
    rows = pd.DataFrame([*["axm"] * 3, "axn", *["bym"] * 3, "bzm"]).iloc[:, 0]
    table = pd.DataFrame([list(row) for row in rows], columns=["one", "two", "three"])
    clusterer = KPrototypes(2, random_state=0).fit(table)
    assert (clusterer.gamma_, clusterer.cost_) == (1.0, 2.0)
    modes = {"".join(modes) for modes in clusterer.cluster_modes_}
    assert modes == {"axm", "bym"}


def test_gamma_is_half_the_mean_standard_deviation():
    # Standard deviations 1 and 3, with n in the denominator.
    table = pd.DataFrame({"x": [0, 2, 0, 2], "y": [0, 0, 6, 6], "c": list("abcd")})
    assert KPrototypes(2, random_state=0).fit(table).gamma_ == 0.5 * (1 + 3) / 2
    constant = pd.DataFrame({"x": [0.1] * 7, "c": list("abcabca")})
    assert KPrototypes(2, random_state=0).fit(constant).gamma_ == 1.0


# Naive loops beside the matrix products.


@given(mixed_tables(), st.integers(1, 4), st.sampled_from([0.25, 1.0, 3.0]))
def test_a_step_is_that_of_a_naive_loop(table, k, gamma):
    columns, problem = problem_of(table, gamma)
    rows = table.to_numpy(object).tolist()
    first = problem.rows_at(np.arange(k))
    labels, distances = problem.nearest(first)
    naive_cost = naive_nearest(rows, rows[:k], gamma)[1]
    assert distances.sum() == pytest.approx(naive_cost, abs=1e-9)
    chosen = [
        naive_distance(row, rows[label], gamma) for row, label in zip(rows, labels, strict=True)
    ]
    assert sum(chosen) == pytest.approx(naive_cost, abs=1e-9)
    moved = problem.prototypes_of(labels, first)
    modes = columns.values_at(moved.places)
    for cluster in range(k):
        members = [row for row, label in zip(rows, labels, strict=True) if label == cluster]
        x, a, y, b = naive_prototype(members, rows)
        np.testing.assert_allclose(moved.numbers[cluster], [x, y], atol=1e-12)
        assert modes[cluster].tolist() == [a, b]


@given(mixed_tables(), st.integers(1, 4), st.sampled_from([0.25, 1.0, 3.0]))
def test_labels_cost_and_distances_are_those_of_a_naive_loop(table, k, gamma):
    clusterer = KPrototypes(k, gamma=gamma, n_init=2, random_state=0).fit(table)
    rows, prototypes = (frame.to_numpy(object).tolist() for frame in (table, clusterer.prototypes_))
    labels, cost = naive_nearest(rows, prototypes, gamma)
    assert clusterer.labels_.tolist() == labels
    assert clusterer.cost_ == pytest.approx(cost)
    distances = [[naive_distance(row, other, gamma) for other in prototypes] for row in rows]
    np.testing.assert_allclose(clusterer.transform(table) ** 2, distances, atol=1e-9)


@given(mixed_tables(), st.integers(2, 4), st.sampled_from([0.5, 2.0]))
def test_no_other_mode_and_no_other_mean_lowers_the_cost(table, k, gamma):
    clusterer = KPrototypes(k, gamma=gamma, n_init=1, random_state=0).fit(table)
    rows = table.to_numpy(object).tolist()
    found = clusterer.prototypes_.to_numpy(object).tolist()
    for cluster in range(k):
        members = [
            row for row, label in zip(rows, clusterer.labels_, strict=True) if label == cluster
        ]
        x, _, y, _ = naive_prototype(members, rows)
        np.testing.assert_allclose([found[cluster][0], found[cluster][2]], [x, y], atol=1e-12)
        for column in (1, 3):
            for category in set(table.iloc[:, column]):
                other = [list(prototype) for prototype in found]
                other[cluster][column] = category
                cost = naive_nearest(rows, other, gamma)[1]
                assert cost >= clusterer.cost_ * (1 - 2e-5)


@given(mixed_tables(), st.integers(2, 4))
def test_what_another_mode_costs_is_what_a_naive_loop_finds(table, k):
    columns, problem = problem_of(table, 1.5)
    rows = table.to_numpy(object).tolist()
    costs = problem._costs_of_modes(problem.rows_at(np.arange(k)))
    for column, (start, place) in enumerate(
        zip(columns.starts[:-1], columns.categorical, strict=True)
    ):
        changes, expected = [], []
        for code, category in enumerate(columns.categories[column]):
            prototypes = [list(row) for row in rows[:k]]
            prototypes[0][place] = category
            expected.append(naive_nearest(rows, prototypes, 1.5)[1])
            changes.append(costs[0, start + code])
        np.testing.assert_allclose(
            np.subtract(changes, changes[0]), np.subtract(expected, expected[0]), atol=1e-9
        )


@given(mixed_tables())
def test_cao_modes_are_those_of_the_definition(table):
    columns, problem = problem_of(table, 1.0)
    rows = list(table[["a", "b"]].itertuples(index=False, name=None))
    density = [sum(table[name].eq(row[i]).sum() for i, name in enumerate("ab")) for row in rows]
    modes = [tuple(one) for one in columns.values_at(np.array(_cao_modes(problem, 4)))]
    assert density[rows.index(modes[0])] == max(density)
    for place, mode in enumerate(modes[1:], start=1):
        scores = [
            min(sum(map(str.__ne__, row, before)) * dense for before in modes[:place])
            for row, dense in zip(rows, density, strict=True)
        ]
        assert scores[rows.index(mode)] == max(scores) > 0
    assert len(modes) == min(4, len(set(rows)))


def test_of_many_rows_one_start_finds_the_groups():
    rng = np.random.default_rng(1)
    group = rng.integers(4, size=20_000)
    table = pd.DataFrame(
        {
            "x": 5.0 * (group % 2) + rng.normal(size=group.size),
            "c": np.where(
                rng.random(group.size) < 0.95, group // 2, rng.integers(2, size=group.size)
            ),
        }
    ).astype({"c": str})
    for init in ("cao", "k-means++", "random"):
        clusterer = KPrototypes(4, gamma=8.0, init=init, n_init=1, random_state=0).fit(table)
        truth = table.groupby(group)["x"].transform("mean")
        modes = (group // 2).astype(str)
        assert clusterer.cost_ <= ((table["x"] - truth) ** 2 + 8.0 * (table["c"] != modes)).sum()


# Invariances.


@given(mixed_tables(), st.randoms(use_true_random=False))
def test_a_row_gets_the_same_cluster_in_any_order_and_alone(table, random):
    clusterer = KPrototypes(3, n_init=1, random_state=0).fit(table)
    order = random.sample(range(len(table)), len(table))
    np.testing.assert_array_equal(clusterer.predict(table.iloc[order]), clusterer.labels_[order])
    distances = clusterer.transform(table)
    for row in range(3):
        np.testing.assert_array_equal(clusterer.transform(table.iloc[[row]])[0], distances[row])


@given(mixed_tables(), st.randoms(use_true_random=False))
def test_with_given_prototypes_the_order_of_rows_does_not_matter(table, random):
    clusterer = KPrototypes(3, gamma=0.7, init=table.iloc[:3])
    labels = clusterer.fit(table).labels_
    cost = clusterer.cost_
    order = random.sample(range(len(table)), len(table))
    shuffled = clusterer.fit(table.iloc[order])
    assert shuffled.cost_ == pytest.approx(cost) or np.bincount(labels, minlength=3).min() == 0


@given(mixed_tables())
def test_names_of_categories_do_not_matter(table):
    renamed = table.assign(a="the " + table["a"], b=table["b"].map(ord))
    first = KPrototypes(3, categorical=["a", "b"], n_init=2, random_state=0)
    labels = first.fit(table).labels_
    np.testing.assert_array_equal(first.fit(renamed).labels_, labels)


@given(mixed_tables(), st.permutations(["x", "a", "y", "b"]))
def test_columns_are_picked_by_name(table, order):
    clusterer = KPrototypes(3, n_init=1, random_state=0).fit(table)
    other = table[order].assign(another="of no use")
    np.testing.assert_array_equal(clusterer.predict(other), clusterer.labels_)


def test_the_same_seed_gives_the_same_bytes_and_none_leaves_numpy_alone():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    KPrototypes(3).fit(CUSTOMERS)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
    one, other = (KPrototypes(3, random_state=7).fit(CUSTOMERS) for _ in range(2))
    assert one.transform(CUSTOMERS).tobytes() == other.transform(CUSTOMERS).tobytes()


@pytest.mark.parametrize("init", ["cao", "k-means++", "random"])
def test_every_cluster_has_rows(init):
    table = pd.DataFrame({"x": [0.0] * 50 + [1.0, 2.0, 3.0], "c": ["a"] * 51 + ["b", "c"]})
    for seed in range(10):
        clusterer = KPrototypes(4, init=init, n_init=1, random_state=seed).fit(table)
        assert np.bincount(clusterer.labels_, minlength=4).min() > 0
        assert clusterer.cost_ == pytest.approx(0.0)


def test_a_cluster_that_loses_its_rows_gets_the_farthest_one():
    table = pd.DataFrame({"x": [0.0, 1.0, 10.0], "c": ["a", "a", "a"]})
    far = pd.DataFrame({"x": [0.5, 1e6, 1e7], "c": ["a", "a", "a"]})
    clusterer = KPrototypes(3, init=far).fit(table)
    assert sorted(clusterer.labels_.tolist()) == [0, 1, 2]
    assert clusterer.cost_ == 0.0


# Kinds of data.


def test_every_kind_of_frame_gives_the_same_clusters(kind):
    expected = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    clusterer = KPrototypes(3, random_state=0).fit(as_kind(CUSTOMERS, kind))
    np.testing.assert_array_equal(clusterer.labels_, expected.labels_)
    pd.testing.assert_frame_equal(
        clusterer.prototypes_, expected.prototypes_, check_column_type=False, check_dtype=False
    )
    assert clusterer.categorical_ == ["channel", "member"]


def test_the_kind_of_frame_may_change_after_fit(eager_kind):
    clusterer = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    frame = as_kind(CUSTOMERS, eager_kind)
    np.testing.assert_array_equal(clusterer.predict(frame), clusterer.labels_)


def test_a_lazy_frame_is_not_predicted(lazy_kind):
    clusterer = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    for verb in (clusterer.predict, clusterer.transform):
        with pytest.raises(LazyFrameError, match=r"Collect the frame first"):
            verb(as_kind(CUSTOMERS, lazy_kind))


def test_categorical_dtypes_hold_categories():
    table = CUSTOMERS.astype({"channel": "category"}).assign(size=pd.Categorical([1, 2] * 5))
    clusterer = KPrototypes(3, random_state=0).fit(table)
    assert clusterer.categorical_ == ["channel", "member", "size"]
    enum = pl.from_pandas(CUSTOMERS).with_columns(
        pl.col("channel").cast(pl.Enum(["shop", "web", "app"]))
    )
    assert KPrototypes(3, random_state=0).fit(enum).categorical_ == ["channel", "member"]


def test_numbers_are_categories_where_the_user_says_so():
    table = CUSTOMERS.assign(region=[1, 2] * 5)
    for categorical in (["channel", "member", "region"], [1, 3, 4]):
        clusterer = KPrototypes(3, categorical=categorical, random_state=0).fit(table)
        assert clusterer.categorical_ == ["channel", "member", "region"]
    assert KPrototypes(3, random_state=0).fit(table).numeric_ == ["orders", "spend", "region"]


def test_an_array_is_read_by_position():
    array = CUSTOMERS.to_numpy(dtype=object)
    expected = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    clusterer = KPrototypes(3, random_state=0).fit(array)
    np.testing.assert_array_equal(clusterer.labels_, expected.labels_)
    assert (clusterer.numeric_, clusterer.categorical_) == ([0, 2], [1, 3])
    np.testing.assert_array_equal(clusterer.predict(array.tolist()), clusterer.labels_)
    np.testing.assert_array_equal(clusterer.predict(CUSTOMERS), clusterer.labels_)
    again = KPrototypes(3, init=clusterer.prototypes_, gamma=clusterer.gamma_).fit(array)
    assert again.cost_ == pytest.approx(clusterer.cost_)


def test_an_array_of_numbers_has_categories_only_by_position():
    array = np.column_stack([CUSTOMERS["orders"], [0, 1] * 5])
    assert KPrototypes(2, random_state=0).fit(array).categorical_ == []
    assert KPrototypes(2, categorical=[1], random_state=0).fit(array).categorical_ == [1]


def test_an_unknown_category_differs_from_every_mode():
    clusterer = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    known = pd.concat([clusterer.prototypes_, clusterer.prototypes_]).assign(channel="fax")
    squares = clusterer.transform(known)[:3].diagonal() ** 2
    np.testing.assert_allclose(squares, clusterer.gamma_)


def test_set_output_gives_frames():
    clusterer = KPrototypes(3, random_state=0).set_output(transform="polars").fit(CUSTOMERS)
    distances = clusterer.transform(CUSTOMERS)
    assert isinstance(distances, pl.DataFrame)
    assert distances.columns == ["kprototypes0", "kprototypes1", "kprototypes2"]


@pytest.mark.parametrize(
    "clusterer",
    [KPrototypes(), KPrototypes(init="random", n_init=1), KPrototypes(3, init="k-means++")],
    ids=repr,
)
def test_scikit_learn_finds_nothing_wrong(clusterer):
    check_estimator(clusterer, on_skip=None)


# Mistakes.


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        (CUSTOMERS, {"categorical": ["chanel"]}, ColumnError, "Did you mean 'channel'"),
        (CUSTOMERS, {"categorical": [1, 4]}, ColumnError, "numbered 0 to 3"),
        (CUSTOMERS, {"categorical": ["channel", 3]}, ColumnError, "distinct column names"),
        (CUSTOMERS, {"categorical": ["channel"]}, SegkitTypeError, "'member' holds no numbers"),
        (CUSTOMERS.to_numpy(object), {"categorical": ["a"]}, ColumnError, "an array has none"),
        (CUSTOMERS.astype(str).to_numpy(str), {}, SegkitTypeError, "numpy makes text"),
        (CUSTOMERS.iloc[:0], {}, ValueError, "0 rows"),
        (CUSTOMERS[[]], {}, ValueError, "0 feature"),
        (CUSTOMERS, {"n_clusters": 11}, ValueError, "n_samples=10 must be at least n_clusters=11"),
        (CUSTOMERS[["channel"]], {"n_clusters": 4}, ValueError, "distinct rows, 3"),
        (CUSTOMERS.assign(spend=np.nan), {}, MissingValuesError, "'spend' contains NaN"),
        (CUSTOMERS.assign(spend=np.inf), {}, ValueError, "'spend' contains infinity"),
        (CUSTOMERS.replace({"channel": {"app": None}}), {}, MissingValuesError, "3 of 10 rows"),
        (CUSTOMERS.assign(day=pd.Timestamp("2024-01-01")), {}, SegkitTypeError, "number of days"),
        (CUSTOMERS.assign(c=[1.5, "x"] * 5), {}, SegkitTypeError, "'c' holds values of several"),
        (
            CUSTOMERS.assign(c=[["a"]] * 10),
            {"categorical": ["channel", "member", "c"]},
            SegkitTypeError,
            "cannot be categories",
        ),
        (CUSTOMERS, {"init": CUSTOMERS.iloc[:2]}, ValueError, "init has 2 rows"),
        (CUSTOMERS, {"init": CUSTOMERS.iloc[:3].assign(channel="fax")}, ValueError, "no row of X"),
        (CUSTOMERS, {"gamma": 0.0}, ValueError, "gamma"),
    ],
)
def test_a_mistake_in_fit_is_named(table, options, error, message):
    with pytest.raises(error, match=message):
        KPrototypes(**{"n_clusters": 3, "random_state": 0, **options}).fit(table)


def test_a_mistake_in_predict_is_named():
    clusterer = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    with pytest.raises(ColumnError, match=r"'spend' is missing.*Did you mean 'spent'"):
        clusterer.predict(CUSTOMERS.rename(columns={"spend": "spent"}))
    with pytest.raises(SegkitTypeError, match="'spend' must hold numbers"):
        clusterer.predict(CUSTOMERS.assign(spend="much"))
    with pytest.raises(MissingValuesError, match="'channel' contains NaN or null"):
        clusterer.predict(CUSTOMERS.assign(channel=None))
    of_array = KPrototypes(3, random_state=0).fit(CUSTOMERS.to_numpy(object))
    with pytest.raises(ColumnError, match="3 columns and fit saw an array of 4"):
        of_array.predict(CUSTOMERS.iloc[:, :3])


def test_a_fit_that_fails_leaves_nothing_of_the_one_before():
    clusterer = KPrototypes(3, random_state=0).fit(CUSTOMERS)
    with pytest.raises(MissingValuesError):
        clusterer.fit(CUSTOMERS.assign(spend=np.nan))
    assert not hasattr(clusterer, "labels_")


def test_masked_values_of_an_array_are_missing():
    for X in (np.arange(12.0).reshape(6, 2), np.array([["a", "b"]] * 6, dtype=object)):
        masked = np.ma.masked_array(X, mask=np.eye(6, 2))
        with pytest.raises(MissingValuesError):
            KPrototypes(n_clusters=2).fit(masked)


def test_numbers_whose_squares_overflow_are_refused():
    customers = pd.DataFrame({"spend": [1e300, 1.0, 2.0], "kind": ["a", "b", "a"]})
    with pytest.raises(SegkitValueError, match=r"KPrototypes: column 'spend' is beyond 1e\+100"):
        KPrototypes(n_clusters=2).fit(customers)


def test_nested_columns_of_arrow_are_no_categories():
    nested = pd.ArrowDtype(pa.struct([("a", pa.int64())]))
    customers = pd.DataFrame(
        {"spend": [1.0, 2.0, 3.0], "kind": pd.Series([{"a": 1}] * 3, dtype=nested)}
    )
    with pytest.raises(SegkitTypeError, match="column 'kind' holds values"):
        KPrototypes(n_clusters=2, categorical=["kind"]).fit(customers)
