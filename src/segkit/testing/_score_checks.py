"""Checks that a customer's segment depends on nothing but the customer."""

import pickle
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from segkit._frames import UNASSIGNED
from segkit.testing._subject import Check, Subject, columns_of


def check_segments_are_distinct_names(subject: Subject, customers: pd.DataFrame) -> str | None:
    """segments_ is an object array of distinct names, none of them "unassigned"."""
    segments = subject.fit(customers).segments_
    if not isinstance(segments, np.ndarray) or segments.dtype != object or segments.ndim != 1:
        return f"segments_ must be an object array with one axis, got {segments!r}"
    if not all(isinstance(name, str) for name in segments) or not len(segments):
        return f"segments_ must be names, got {segments!r}"
    if len(set(segments)) < len(segments) or UNASSIGNED in segments:
        return f"segments_ must be distinct and other than {UNASSIGNED!r}, got {list(segments)}"
    return None


def check_codes_within_segments(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Codes are int64, one a customer, from -1 to the last segment."""
    fitted = subject.fitted
    found = {"predict": fitted.predict(customers), "labels_": subject.fit(customers).labels_}
    for source, codes in found.items():
        if not isinstance(codes, np.ndarray) or codes.dtype != np.int64:
            return f"{source} must be an int64 array, got {getattr(codes, 'dtype', type(codes))}"
        if codes.shape != (len(customers),):
            return f"{source} has shape {codes.shape} for {len(customers)} customers"
        if codes.min() < -1 or codes.max() >= len(fitted.segments_):
            return f"{source} has codes from {codes.min()} to {codes.max()}; there are " + (
                f"{len(fitted.segments_)} segments"
            )
    return None


def check_fit_predict_equals_labels(subject: Subject, customers: pd.DataFrame) -> str | None:
    """fit_predict(X) is fit(X).labels_."""
    at_once = clone(subject.fit(customers)).fit_predict(customers)
    labels = subject.fit(customers).labels_
    return _difference("fit_predict", at_once, "fit().labels_", labels, customers.index)


def check_one_row_scores_as_in_the_batch(subject: Subject, customers: pd.DataFrame) -> str | None:
    """A customer alone gets the code that the same customer gets among all."""
    together = subject.fitted.predict(subject.customers)[customers.index]
    alone = [subject.fitted.predict(customers.iloc[[i]])[0] for i in range(len(customers))]
    return _difference("predict alone", alone, "in the batch", together, customers.index)


def check_subset_scores_as_in_the_whole(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Part of the customers get the codes that they get among all."""
    whole = subject.fitted.predict(subject.customers)
    half = customers.sort_values(subject.used(customers).columns[0]).iloc[
        : max(1, len(customers) // 2)
    ]
    part = subject.fitted.predict(half)
    expected = whole[half.index]
    return _difference("predict of a subset", part, "in the whole", expected, half.index)


def check_row_order_changes_nothing(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Shuffled customers get the same codes, in predict and in fit."""
    shuffled = customers.sample(frac=1, random_state=0)
    before = pd.Series(subject.fitted.predict(customers), index=customers.index)
    after = subject.fitted.predict(shuffled)
    order = shuffled.index
    problem = _difference("predict of shuffled rows", after, "in order", before[order], order)
    if problem:
        return problem
    fitted = pd.Series(subject.fit(customers).labels_, index=customers.index)
    refitted = subject.fit(shuffled).labels_
    return _difference("labels_ of shuffled rows", refitted, "in order", fitted[order], order)


def check_extra_and_reordered_columns_change_nothing(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """Columns are picked by name, whatever stands beside them."""
    fitted = subject.fit(customers)
    extended = customers.assign(zz_extra=-1.0, zz_text="x")
    extended = extended[sorted(extended.columns, reverse=True)]
    problem = _difference(
        "predict with extra, reordered columns",
        fitted.predict(extended),
        "without",
        fitted.predict(customers),
        customers.index,
    )
    if problem or not _column_names(fitted):
        return problem
    return _difference(
        "labels_ with extra, reordered columns",
        subject.fit(extended).labels_,
        "without",
        fitted.labels_,
        customers.index,
    )


def check_arrays_are_taken_by_position(subject: Subject, customers: pd.DataFrame) -> str | None:
    """An array holds the columns in the order of `columns`; further ones are ignored."""
    columns = _column_names(subject.estimator)
    if not columns or set(columns) != set(subject.columns):
        return None  # an array cannot hold groups by name
    by_name = subject.fit(customers).labels_
    array = customers[columns].to_numpy(dtype=np.float64)
    wide = np.column_stack([array, np.arange(len(array)), np.full(len(array), -1.0)])
    for what, X in (("of an array", array), ("of a wider array", wide)):
        labels = subject.fit(X).labels_
        problem = _difference(f"labels_ {what}", labels, "of a frame", by_name, customers.index)
        if problem:
            return problem
    return None


def check_ties_share_a_code(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Customers who are equal in the columns used share a code, in predict and in fit."""
    doubled = pd.concat([customers, customers.iloc[::-1]], ignore_index=True)
    fitted = subject.fit(doubled)
    for source, codes in (("labels_", fitted.labels_), ("predict", fitted.predict(doubled))):
        first, second = codes[: len(customers)], codes[len(customers) :][::-1]
        what = f"{source} of equal customers, first"
        problem = _difference(what, first, "second", second, customers.index)
        if problem:
            return problem
    return None


def check_nothing_is_mutated(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Neither the input, nor the parameters, nor the global random states change."""
    original = customers.copy(deep=True)
    segmenter = clone(subject.estimator)
    parameters = repr(segmenter.get_params())
    with _unusual_random_states():
        before = _random_states()
        segmenter.fit(customers)
        for verb in ("predict", "predict_segments", "transform", "assign"):
            if hasattr(segmenter, verb):
                getattr(segmenter, verb)(customers)
        row = customers.iloc[0].to_dict()
        segmenter.predict_one(row)
        after = _random_states()
    if not customers.equals(original) or list(customers.columns) != list(original.columns):
        return "the frame passed in was changed"
    if not pd.Series(row, dtype=object).equals(customers.iloc[0].astype(object)):
        return "the row passed to predict_one was changed"
    if repr(segmenter.get_params()) != parameters:
        return f"the parameters changed from {parameters} to {segmenter.get_params()!r}"
    for owner, state in before.items():
        if after[owner] != state:
            return f"{owner}'s global random state was changed"
    return None


def check_fit_returns_the_segmenter(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Fit returns the segmenter itself."""
    segmenter = clone(subject.estimator)
    return None if segmenter.fit(customers) is segmenter else "fit returned another object"


def check_refit_forgets_the_first_fit(subject: Subject, customers: pd.DataFrame) -> str | None:
    """A segmenter fitted before learns what a fresh one learns."""
    ordered = customers.sort_values(subject.used(customers).columns[-1])
    refitted = subject.fit(ordered.iloc[: max(1, len(ordered) // 3)]).fit(customers)
    fresh = subject.fit(customers)
    return _difference(
        "labels_ of a second fit", refitted.labels_, "a fresh one", fresh.labels_, customers.index
    ) or _difference(
        "predict after a second fit",
        refitted.predict(customers),
        "after a fresh one",
        fresh.predict(customers),
        customers.index,
    )


def check_same_random_state_same_result(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Two fits to the same customers with the same random_state agree to the last bit."""
    first, second = subject.fit(customers), subject.fit(customers)
    problem = _difference(
        "labels_ of one fit", first.labels_, "another", second.labels_, customers.index
    )
    if problem or not hasattr(first, "transform"):
        return problem
    one = np.asarray(first.transform(customers))
    other = np.asarray(second.transform(customers))
    return None if one.tobytes() == other.tobytes() else "transform differs between equal fits"


def check_clone_and_pickle(subject: Subject, customers: pd.DataFrame) -> str | None:
    """A clone is unfitted; a pickled copy predicts as the original."""
    if hasattr(clone(subject.fitted), "segments_"):
        return "a clone of a fitted segmenter has segments_"
    copy = pickle.loads(pickle.dumps(subject.fitted))
    return _difference(
        "predict of a pickled copy",
        copy.predict(customers),
        "the original",
        subject.fitted.predict(customers),
        customers.index,
    )


def check_memberships_include_the_segment(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Where there are memberships, they are bool, a column a segment, with that of predict."""
    if not hasattr(subject.estimator, "memberships"):
        return None
    fitted = subject.fitted
    belongs, codes = fitted.memberships(customers), fitted.predict(customers)
    expected = (len(customers), len(fitted.segments_))
    if not isinstance(belongs, np.ndarray) or belongs.dtype != np.bool_:
        return "memberships must be a bool array"
    if belongs.shape != expected:
        return f"memberships has shape {belongs.shape}, expected {expected}"
    rows = np.flatnonzero(codes >= 0)
    outside = rows[~belongs[rows, codes[rows]]]
    if not outside.size:
        return None
    return f"customer {customers.index[outside[0]]} below is no member of the segment of predict"


SCORE_CHECKS: tuple[Check, ...] = (
    check_segments_are_distinct_names,
    check_codes_within_segments,
    check_fit_predict_equals_labels,
    check_one_row_scores_as_in_the_batch,
    check_subset_scores_as_in_the_whole,
    check_row_order_changes_nothing,
    check_extra_and_reordered_columns_change_nothing,
    check_arrays_are_taken_by_position,
    check_ties_share_a_code,
    check_nothing_is_mutated,
    check_fit_returns_the_segmenter,
    check_refit_forgets_the_first_fit,
    check_same_random_state_same_result,
    check_clone_and_pickle,
    check_memberships_include_the_segment,
)


def _column_names(segmenter: Any) -> list[str]:
    """Return the names of its columns; none where it takes all columns, or some by position."""
    names = columns_of(segmenter)
    return names if all(isinstance(name, str) for name in names) else []


@contextmanager
def _unusual_random_states() -> Iterator[None]:
    """Set random states at which no segmenter leaves them, so that its own seeding shows."""
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(715_225_739)  # noqa: NPY002
    random.seed(715_225_739)
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def _random_states() -> dict[str, Any]:
    return {"numpy": pickle.dumps(np.random.get_state()), "Python": random.getstate()}  # noqa: NPY002


def _difference(
    what: str, got: Any, other: str, expected: Any, customers: Sequence[Any] | pd.Index
) -> str | None:
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape == expected.shape and (got == expected).all():
        return None
    if got.shape != expected.shape:
        return f"{what} has shape {got.shape}, {other} {expected.shape}"
    first = int(np.flatnonzero(got != expected)[0])
    return (
        f"{what} gives {got[first]}, {other} {expected[first]} (customer {customers[first]} below)"
    )
