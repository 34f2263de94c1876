"""Checks of the verbs on every kind of frame: names, single rows, missing values, laziness."""

from collections.abc import Iterable
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
    return _disagreement("predict_segments", names, "predict", expected, customers.index)


def check_predict_one_agrees(subject: Subject, customers: pd.DataFrame) -> str | None:
    """predict_one names the segment that predict_segments names; further keys are ignored."""
    fitted = subject.fitted
    rows = customers.to_dict("records")
    names = [fitted.predict_one({**row, "zz_extra": object()}) for row in rows]
    expected = fitted.predict_segments(customers)
    return _disagreement("predict_one", names, "predict_segments", expected, customers.index)


def check_assign_agrees(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Assign adds predict_segments' names to every kind of frame, and changes nothing else."""
    fitted = subject.fitted
    expected = fitted.predict_segments(customers)
    # A column that is not used, a reordered frame, an index: things to lose on the way.
    kept = customers[subject.columns[::-1]].assign(zz_text=[f"c{i}" for i in customers.index])
    kept = kept.assign(**{_LABEL: "old"}).set_axis(customers.index + 7)
    for kind in installed((*EAGER_KINDS, *LAZY_KINDS)):
        frame = as_kind(kept, kind)
        if kind in LAZY_KINDS and not _runs_lazily(fitted, frame):
            continue
        assigned = fitted.assign(frame, name=_LABEL)
        if type(assigned) is not type(frame):
            found = f"{type(assigned).__module__}.{type(assigned).__qualname__}"
            return f"assign to a {kind} frame gave a {found}"
        if kind == "pandas" and not assigned.index.equals(frame.index):
            return "assign to a pandas frame changed its index"
        before, columns = as_lists(frame), as_lists(assigned)
        types, new_types = _dtypes(frame), _dtypes(assigned)
        for name in before:
            if name not in columns:
                return f"assign to a {kind} frame lost its column {name!r}"
            if name != _LABEL and not _same_values(columns[name], before[name]):
                return f"assign to a {kind} frame changed its column {name!r}"
            if name != _LABEL and new_types[name] != types[name]:
                return (
                    f"assign to a {kind} frame turned its column {name!r} from {types[name]} "
                    f"into {new_types[name]}"
                )
        problem = _disagreement(
            f"assign ({kind})", columns[_LABEL], "predict_segments", expected, customers.index
        )
        if problem:
            return problem
    return None


def check_assign_adds_the_features_of_transform(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """Features that assign adds beside the label have the values that transform gives."""
    fitted, used = subject.fitted, subject.used(customers)
    if not hasattr(fitted, "transform"):
        return None
    names = list(fitted.get_feature_names_out())
    values = np.asarray(fitted.transform(customers), dtype=np.float64)
    for kind in installed((*EAGER_KINDS, *LAZY_KINDS)):
        frame = as_kind(used, kind)
        if kind in LAZY_KINDS and not _runs_lazily(fitted, frame):
            continue
        columns = as_lists(fitted.assign(frame, name=_LABEL))
        for position, name in enumerate(names):
            if name not in columns or name in used:
                continue
            added = np.asarray(columns[name], dtype=np.float64)
            if not np.array_equal(added, values[:, position], equal_nan=True):
                return f"assign to a {kind} frame adds another {name!r} than transform gives"
    return None


def check_every_kind_of_frame_is_alike(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Fit learns the same from every kind of frame; labels_ only where there are values."""
    used = subject.used(customers)
    expected = subject.fit(used).predict(used)
    for kind in installed((*EAGER_KINDS, *LAZY_KINDS)):
        frame, fitted = as_kind(used, kind), subject.fit(used)
        try:
            fitted.fit(frame)
        except TypeError as error:
            if kind in LAZY_KINDS and "ollect" in str(error):
                continue
            raise
        codes = {"predict": fitted.predict(used)}
        if kind in EAGER_KINDS:
            codes |= {f"predict of {kind}": fitted.predict(frame), "labels_": fitted.labels_}
        elif hasattr(fitted, "labels_"):
            return f"there are labels_ after fitting on a lazy frame ({kind})"
        for what, found in codes.items():
            source = f"after fitting on a {kind} frame, {what}"
            problem = _disagreement(source, found, "on a pandas frame", expected, customers.index)
            if problem:
                return problem
    return None


def check_labels_are_ordered_categories(subject: Subject, customers: pd.DataFrame) -> str | None:
    """In pandas and polars, labels are categories in segment order, "unassigned" last."""
    expected = [*subject.fitted.segments_, UNASSIGNED]
    for kind in installed(("pandas", "polars", "polars lazy")):
        frame = as_kind(subject.used(customers), kind)
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

    frame = as_kind(subject.used(customers), "polars lazy")
    if _runs_lazily(subject.fitted, frame):
        subject.fitted.assign(frame.map_batches(executed, schema=frame.collect_schema()))
    return None


def check_lazy_is_refused_where_values_are_needed(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """Predict and transform of a lazy frame raise a TypeError that names assign."""
    for kind in installed(LAZY_KINDS):
        frame = as_kind(subject.used(customers), kind)
        for verb in ("predict", "predict_segments", "transform", "fit_predict"):
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
    strict = subject.fit(subject.customers, missing="raise") if can_choose else fitted
    for name in subject.numbers:
        handles = _handles_missing(fitted, name)
        row = customers.iloc[[0]]
        infinite, absent = _with_value(row, name, np.inf), _with_value(row, name, np.nan)
        for verb in ("predict", "transform", "assign", "predict_one"):
            if not hasattr(strict, verb):
                continue
            for what, bad in (("infinity", infinite), ("NaN", absent)):
                if handles and what == "NaN":
                    continue
                if not _raises(strict, verb, bad if verb != "predict_one" else _only_row(bad)):
                    return f"{verb} took {what} in {name!r} without a ValueError"
        if can_choose:
            lenient = subject.fit(subject.customers, missing="unassigned")
            problem = _unassigned_problem(subject, lenient, customers, name)
        elif handles:
            problem = _missing_problem(subject, fitted, customers, name)
        else:
            problem = None
        if problem:
            return problem
    return None


def check_missing_values_in_lazy_frames(subject: Subject, customers: pd.DataFrame) -> str | None:
    """Null, NaN and infinity in a lazy frame give "unassigned", and leave the others alone.

    A segmenter that handles missing values gives null and NaN the segment of predict_segments.
    """
    fitted = subject.fitted
    used = subject.used(customers).head(5)
    used = used.astype(dict.fromkeys(subject.numbers, np.float64))
    others = list(fitted.predict_segments(used))[1:]
    for kind in installed(LAZY_KINDS):
        if not _runs_lazily(fitted, as_kind(used, kind)):
            continue
        for name in subject.numbers:
            handles = _handles_missing(fitted, name)
            absent = _with_value(used.iloc[[0]], name, np.nan)
            first = fitted.predict_segments(absent)[0] if handles else UNASSIGNED
            for value in (None, np.nan) if handles else (None, np.nan, np.inf, -np.inf):
                bad = _frame_with_value(used, kind, name, value)
                got = as_lists(fitted.assign(bad, name=_LABEL))[_LABEL]
                if got != [first, *others]:
                    return (
                        f"{value} in {name!r} of the first customer of a {kind} frame gives "
                        f"{got}, not {[first, *others]}"
                    )
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
    check_assign_adds_the_features_of_transform,
    check_every_kind_of_frame_is_alike,
    check_labels_are_ordered_categories,
    check_lazy_stays_lazy,
    check_lazy_is_refused_where_values_are_needed,
    check_missing_values_in_eager_frames,
    check_missing_values_in_lazy_frames,
    check_describe_has_a_row_a_segment,
)


def _names(fitted: Any, codes: Any) -> list[str]:
    return [UNASSIGNED if code < 0 else fitted.segments_[code] for code in codes]


def _same_values(one: list[Any], other: list[Any]) -> bool:
    """Tell whether two columns are equal, NaN where there is NaN."""
    return len(one) == len(other) and all(
        a == b or (a != a and b != b) for a, b in zip(one, other, strict=True)
    )


def _disagreement(
    what: str, got: Any, other: str, expected: Any, customers: Iterable[Any]
) -> str | None:
    if len(got) != len(expected):
        return f"{what} gives {len(got)} customers, {other} {len(expected)}"
    for customer, one, two in zip(customers, got, expected, strict=True):
        if one != two:
            return f"{what} gives {_said(one)}, {other} {_said(two)} (customer {customer} below)"
    return None


def _said(code_or_name: Any) -> str:
    return repr(str(code_or_name)) if isinstance(code_or_name, str) else str(code_or_name)


def _dtypes(frame: Any) -> dict[str, Any]:
    return dict(nw.from_native(frame).collect_schema())


def _handles_missing(fitted: Any, name: str) -> bool:
    """Tell whether a segmenter has a use for missing values, instead of a `missing` parameter.

    One that is made of others (`segmenters_`) has it for a column that none of its parts refuses.
    """
    if "missing" in fitted.get_params():
        return False
    parts = [part for _, part in getattr(fitted, "segmenters_", [("", fitted)])]
    reading = [part for part in parts if name in getattr(part, "feature_names_in_", [name])]
    return all(get_tags(part).input_tags.allow_nan for part in reading)


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


def _only_row(row: pd.DataFrame) -> dict[Any, Any]:
    only: dict[Any, Any] = row.iloc[0].to_dict()
    return only


def _frame_with_value(used: pd.DataFrame, kind: str, name: str, value: float | None) -> Any:
    """Return a frame whose first customer has this value, None being the frame's own null."""
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


def _unassigned_problem(
    subject: Subject, lenient: Any, customers: pd.DataFrame, name: str
) -> str | None:
    """With missing="unassigned", NaN costs its own customer the segment, and nobody else's."""
    codes = lenient.predict(customers)
    bad = _first_missing(customers, name)
    got, expected = lenient.predict(bad).tolist(), [-1, *codes[1:].tolist()]
    if got != expected:
        return (
            f"with missing='unassigned' and NaN in {name!r} of the first customer, predict gives "
            f"{got}, not {expected}"
        )
    if len(customers) > 1 and subject.fit(bad, missing="unassigned").labels_[0] != -1:
        return f"with missing='unassigned', fit gave NaN in {name!r} a segment in labels_"
    if not _raises(lenient, "predict", _with_value(customers.iloc[[0]], name, np.inf)):
        return f"with missing='unassigned', predict took infinity in {name!r}"
    return _missing_problem(subject, lenient, customers, name, expected=UNASSIGNED)


def _missing_problem(
    subject: Subject,
    fitted: Any,
    customers: pd.DataFrame,
    name: str,
    *,
    expected: str | None = None,
) -> str | None:
    """Each verb gives NaN in this column the same segment: by default that of predict."""
    bad = _first_missing(customers, name)
    codes = _names(fitted, fitted.predict(bad))
    first = codes[0] if expected is None else expected
    got = {
        "predict": codes[0],
        "predict_segments": fitted.predict_segments(bad)[0],
        "predict_one": fitted.predict_one(_only_row(bad)),
    }
    used = customers[subject.columns].astype(dict.fromkeys(subject.numbers, np.float64))
    for kind in installed(EAGER_KINDS):
        for value in (None, np.nan):
            frame = _frame_with_value(used, kind, name, value)
            assigned = as_lists(fitted.assign(frame, name=_LABEL))[_LABEL]
            got[f"assign ({kind}, {value})"] = assigned[0]
            if assigned[1:] != codes[1:]:
                return f"assign ({kind}): NaN in {name!r} changes the segments of other customers"
    for verb, segment in got.items():
        if segment != first:
            return f"{verb} gives NaN in {name!r} the segment {segment!r}, expected {first!r}"
    return None


def _first_missing(customers: pd.DataFrame, name: str) -> pd.DataFrame:
    values = customers[name].to_numpy(dtype=np.float64, copy=True)
    values[0] = np.nan
    return customers.assign(**{name: values})
