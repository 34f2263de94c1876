"""Checks of the verbs on every kind of frame: names, single rows, missing values, laziness."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.utils import get_tags

from segkit._frames import UNASSIGNED
from segkit.testing._frame_kinds import EAGER_KINDS, LAZY_KINDS, as_kind, as_lists, installed
from segkit.testing._subject import Check, Subject

_LABEL = "segment_under_test"


def check_predict_segments_agrees(subject: Subject, customers: pd.DataFrame) -> str | None:
    """predict_segments gives the names of predict's codes, as an object array."""
    fitted = subject.fitted
    names = fitted.predict_segments(customers)
    if not isinstance(names, np.ndarray) or names.dtype != object:
        return f"predict_segments must give an object array, got {type(names).__name__}"
    expected = _names(fitted, fitted.predict(customers))
    return _disagreement("predict_segments", names, "predict", expected)


def check_predict_one_agrees(subject: Subject, customers: pd.DataFrame) -> str | None:
    """predict_one names the segment that predict_segments names; further keys are ignored."""
    fitted = subject.fitted
    rows = customers.to_dict("records")
    names = [fitted.predict_one({**row, "zz_extra": object()}) for row in rows]
    return _disagreement(
        "predict_one", names, "predict_segments", fitted.predict_segments(customers)
    )


def check_assign_agrees(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Assign adds predict_segments' names to every kind of frame, and changes nothing else."""
    fitted, used = subject.fitted, customers[subject.columns]
    expected = fitted.predict_segments(customers)
    for kind in installed((*EAGER_KINDS, *LAZY_KINDS)):
        frame = as_kind(used.assign(**{_LABEL: "old"}), kind)
        if kind in LAZY_KINDS and not _runs_lazily(fitted, frame):
            continue
        assigned = fitted.assign(frame, name=_LABEL)
        if type(assigned) is not type(frame):
            return f"assign to a {kind} frame gave {type(assigned).__name__}"
        columns = as_lists(assigned)
        problem = _disagreement(f"assign ({kind})", columns[_LABEL], "predict_segments", expected)
        if problem:
            return problem
        for name in subject.columns:
            if columns[name] != as_lists(frame)[name]:
                return f"assign to a {kind} frame changed its column {name!r}"
    return None


def check_labels_are_ordered_categories(subject: Subject, customers: pd.DataFrame) -> str | None:
    """In pandas and polars, labels are categories in segment order, "unassigned" last."""
    expected = [*subject.fitted.segments_, UNASSIGNED]
    for kind in installed(("pandas", "polars", "polars lazy")):
        frame = as_kind(customers[subject.columns], kind)
        if kind in LAZY_KINDS and not _runs_lazily(subject.fitted, frame):
            continue
        dtype = nw.from_native(subject.fitted.assign(frame, name=_LABEL)).collect_schema()[_LABEL]
        categories = list(dtype.categories) if isinstance(dtype, nw.Enum) else None
        if categories != expected:
            return f"labels of a {kind} frame are {dtype}, not ordered categories {expected}"
    return None


def check_lazy_stays_lazy(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Assigning to a lazy frame executes nothing."""
    if "polars lazy" not in installed(LAZY_KINDS):
        return None

    def executed(_: Any) -> Any:
        raise RuntimeError("assign executed the lazy frame")

    frame = as_kind(customers[subject.columns], "polars lazy")
    if _runs_lazily(subject.fitted, frame):
        subject.fitted.assign(frame.map_batches(executed, schema=frame.collect_schema()))
    return None


def check_lazy_is_refused_where_values_are_needed(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """Predict and transform of a lazy frame raise a TypeError that names assign."""
    for kind in installed(LAZY_KINDS):
        frame = as_kind(customers[subject.columns], kind)
        for verb in ("predict", "predict_segments", "transform"):
            if not hasattr(subject.fitted, verb):
                continue
            try:
                getattr(subject.fitted, verb)(frame)
            except TypeError as error:
                if "assign" not in str(error):
                    return f"{verb} of a lazy frame raised a TypeError that does not name assign"
            else:
                return f"{verb} of a lazy frame ({kind}) raised no TypeError"
    return None


def check_missing_values_in_eager_frames(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Missing values raise or give "unassigned", as `missing` says; infinities raise."""
    fitted = subject.fitted
    can_choose = "missing" in fitted.get_params()
    handles = not can_choose and get_tags(fitted).input_tags.allow_nan
    strict = subject.fit(subject.customers, missing="raise") if can_choose else fitted
    for name in subject.columns:
        row = customers.iloc[[0]]
        infinite, absent = _with_value(row, name, np.inf), _with_value(row, name, np.nan)
        for verb in ("predict", "assign"):
            if not _raises(strict, verb, infinite):
                return f"{verb} took infinity in {name!r} without a ValueError"
            if not handles and not _raises(strict, verb, absent):
                return f"{verb} took NaN in {name!r} without a ValueError"
        if not handles and not _raises(strict, "predict_one", absent.iloc[0].to_dict()):
            return f"predict_one took NaN in {name!r} without a ValueError"
        if can_choose:
            problem = _unassigned_problem(subject, customers, name)
            if problem:
                return problem
    return None


def check_missing_values_in_lazy_frames(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Null, NaN and infinity in a lazy frame give "unassigned", and leave the others alone."""
    fitted = subject.fitted
    handles = "missing" not in fitted.get_params() and get_tags(fitted).input_tags.allow_nan
    used = customers[subject.columns].head(5).astype(np.float64)
    expected = list(fitted.predict_segments(used))
    for kind in installed(LAZY_KINDS):
        if handles or not _runs_lazily(fitted, as_kind(used, kind)):
            continue
        for name in subject.columns:
            for value in (None, np.nan, np.inf, -np.inf):
                bad = _lazy_with_value(used, kind, name, value)
                got = as_lists(fitted.assign(bad, name=_LABEL))[_LABEL]
                if got[0] != UNASSIGNED or got[1:] != expected[1:]:
                    return f"{value} in {name!r} of a {kind} frame gives {got}"
    return None


def check_describe_has_a_row_a_segment(subject: Subject, _: pd.DataFrame) -> str | None:
    """Describe gives a pandas frame with each segment's code and name, in order."""
    described = subject.fitted.describe()
    if not isinstance(described, pd.DataFrame):
        return f"describe must give a pandas frame, got {type(described).__name__}"
    if not {"code", "segment"} <= set(described.columns):
        return f"describe has the columns {list(described.columns)}, not code and segment"
    expected = list(enumerate(subject.fitted.segments_))
    got = list(zip(described["code"], described["segment"], strict=True))
    return None if got == expected else f"describe lists {got}, not {expected}"


FRAME_CHECKS: tuple[Check, ...] = (
    check_predict_segments_agrees,
    check_predict_one_agrees,
    check_assign_agrees,
    check_labels_are_ordered_categories,
    check_lazy_stays_lazy,
    check_lazy_is_refused_where_values_are_needed,
    check_missing_values_in_eager_frames,
    check_missing_values_in_lazy_frames,
    check_describe_has_a_row_a_segment,
)


def _names(fitted: Any, codes: Any) -> list[str]:
    return [UNASSIGNED if code < 0 else fitted.segments_[code] for code in codes]


def _disagreement(what: str, got: Any, other: str, expected: Any) -> str | None:
    for customer, (one, two) in enumerate(zip(got, expected, strict=True)):
        if one != two:
            return f"{what} gives {one!r}, {other} {two!r} (customer {customer} below)"
    return None


def _runs_lazily(fitted: Any, frame: Any) -> bool:
    """Tell whether assign takes a lazy frame; a segmenter that cannot says to collect it."""
    try:
        fitted.assign(frame, name=_LABEL)
    except TypeError as error:
        if "ollect" in str(error):
            return False
        raise
    return True


def _with_value(row: pd.DataFrame, name: str, value: float) -> pd.DataFrame:
    return row.assign(**{name: np.full(len(row), value)})


def _lazy_with_value(used: pd.DataFrame, kind: str, name: str, value: float | None) -> Any:
    frame = nw.from_native(as_kind(used.assign(zz_row=np.arange(len(used))), kind))
    changed: Any = nw.when(nw.col("zz_row") > 0).then(nw.col(name))
    if value is not None:
        changed = changed.otherwise(nw.lit(value))
    return frame.with_columns(changed.alias(name)).to_native()


def _raises(fitted: Any, verb: str, X: Any) -> bool:
    try:
        getattr(fitted, verb)(X)
    except ValueError:
        return True
    return False


def _unassigned_problem(subject: Subject, customers: pd.DataFrame, name: str) -> str | None:
    lenient = subject.fit(subject.customers, missing="unassigned")
    row = _with_value(customers.iloc[[0]], name, np.nan)
    got = {
        "predict": lenient.predict(row)[0] == -1,
        "predict_segments": lenient.predict_segments(row)[0] == UNASSIGNED,
        "predict_one": lenient.predict_one(row.iloc[0].to_dict()) == UNASSIGNED,
        "assign": as_lists(lenient.assign(row, name=_LABEL))[_LABEL] == [UNASSIGNED],
    }
    for verb, as_expected in got.items():
        if not as_expected:
            return f"with missing='unassigned', {verb} gave NaN in {name!r} a segment"
    if not _raises(lenient, "predict", _with_value(row, name, np.inf)):
        return f"with missing='unassigned', predict took infinity in {name!r}"
    return None
