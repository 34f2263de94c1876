"""scikit-learn's checks: those of check_estimator, and those that it leaves out."""

import re
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

from segkit.testing._frame_kinds import installed
from segkit.testing._subject import Check, Subject


def run_check_estimator(estimator: Any) -> None:
    """Run scikit-learn's own suite.

    Its arrays have two columns or more, and a segmenter may need three: a check that ends in
    scikit-learn's error for too few columns is passed over.
    """
    try:
        outcomes = estimator_checks.check_estimator(clone(estimator), on_skip=None, on_fail=None)
    except Exception as error:
        raise AssertionError(f"check_estimator failed for {estimator!r}: {error}") from error
    for outcome in outcomes:
        wrong = outcome["exception"]
        if outcome["status"] == "failed" and not _is_for_width(wrong):
            raise AssertionError(
                f"check_estimator failed for {estimator!r}: {outcome['check_name']}: {wrong}"
            ) from wrong


def _is_for_width(error: BaseException | None) -> bool:
    while error is not None:
        found = re.search(r"while a minimum of (\d+) is required", str(error))
        if found and "feature(s)" in str(error) and int(found[1]) > 2:
            return True
        error = error.__cause__ or error.__context__
    return False


def check_transformer_get_feature_names_out(subject: Subject, _: pd.DataFrame) -> str | None:
    """scikit-learn: names of the features after fitting on an array."""
    return _run_scikit_learns("check_transformer_get_feature_names_out", subject)


def check_set_output_transform(subject: Subject, _: pd.DataFrame) -> str | None:
    """scikit-learn: set_output(transform="default") changes nothing."""
    return _run_scikit_learns("check_set_output_transform", subject)


def check_param_validation(subject: Subject, _: pd.DataFrame) -> str | None:
    """scikit-learn: declared parameter constraints are checked in fit."""
    if hasattr(subject.estimator, "_parameter_constraints"):
        name = type(subject.estimator).__name__
        estimator_checks.check_param_validation(name, clone(subject.estimator))
    return None


def check_dataframe_column_names_consistency(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """The names of the columns used are kept, and one that is missing is named in the error."""
    fitted = subject.fit(customers)
    names = getattr(fitted, "feature_names_in_", None)
    if not isinstance(names, np.ndarray) or names.dtype != object:
        return f"feature_names_in_ must be an object array after fitting on a frame, got {names!r}"
    if not set(names) <= set(customers.columns) or fitted.n_features_in_ != len(names):
        return (
            f"feature_names_in_ is {list(names)} and n_features_in_ {fitted.n_features_in_}; "
            "expected the columns used of the frame, and their number"
        )
    for name in names:
        for verb in ("predict", "assign"):
            try:
                getattr(fitted, verb)(customers.drop(columns=name))
            except ValueError as error:
                if str(name) not in str(error):
                    return f"{verb} without column {name!r} raised an error that does not name it"
            else:
                return f"{verb} without column {name!r} raised no ValueError"
    return None


def check_transformer_get_feature_names_out_pandas(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """Names of the features after fitting on a frame; input_features are checked."""
    if not hasattr(subject.estimator, "transform"):
        return None
    fitted = subject.fit(customers)
    names = fitted.get_feature_names_out()
    width = fitted.transform(customers).shape[1]
    if len(names) != width:
        return f"get_feature_names_out gives {len(names)} names for {width} features"
    if list(fitted.get_feature_names_out(fitted.feature_names_in_)) != list(names):
        return "get_feature_names_out(feature_names_in_) differs from get_feature_names_out()"
    if not fitted.n_features_in_:
        return None  # it uses no columns, so that none can be wrong
    try:
        fitted.get_feature_names_out([f"bad{i}" for i in range(fitted.n_features_in_)])
    except ValueError:
        return None
    return "get_feature_names_out took input_features that were not seen in fit"


def check_set_output_transform_pandas(subject: Subject, customers: pd.DataFrame) -> str | None:
    """set_output(transform="pandas") gives a frame of the features, with the input's index."""
    return _set_output_problem(subject, customers, "pandas", globally=False)


def check_global_output_transform_pandas(subject: Subject, customers: pd.DataFrame) -> str | None:
    """The same through scikit-learn's global configuration."""
    return _set_output_problem(subject, customers, "pandas", globally=True)


def check_set_output_transform_polars(subject: Subject, customers: pd.DataFrame) -> str | None:
    """set_output(transform="polars") gives a polars frame of the features."""
    return _set_output_problem(subject, customers, "polars", globally=False)


def check_global_set_output_transform_polars(
    subject: Subject, customers: pd.DataFrame
) -> str | None:
    """The same through scikit-learn's global configuration."""
    return _set_output_problem(subject, customers, "polars", globally=True)


SCIKIT_LEARN_CHECKS: tuple[Check, ...] = (
    check_transformer_get_feature_names_out,
    check_set_output_transform,
    check_param_validation,
    check_dataframe_column_names_consistency,
    check_transformer_get_feature_names_out_pandas,
    check_set_output_transform_pandas,
    check_global_output_transform_pandas,
    check_set_output_transform_polars,
    check_global_set_output_transform_polars,
)


def _run_scikit_learns(check: str, subject: Subject) -> str | None:
    """Run one of scikit-learn's checks on a transformer; it raises where something is wrong."""
    if hasattr(subject.estimator, "transform"):
        run = getattr(estimator_checks, check)
        try:
            run(type(subject.estimator).__name__, clone(subject.estimator))
        except ValueError as error:
            if not _is_for_width(error):
                raise
    return None


def _set_output_problem(
    subject: Subject, customers: pd.DataFrame, kind: str, *, globally: bool
) -> str | None:
    if not hasattr(subject.estimator, "transform") or kind not in installed((kind,)):
        return None
    fitted = subject.fit(customers)
    check_is_fitted(fitted)
    plain = np.asarray(fitted.transform(customers), dtype=np.float64)
    shifted = customers.set_axis(np.arange(len(customers)) + 7, axis="index")
    if globally:
        with config_context(transform_output=kind):
            framed = fitted.transform(shifted)
    else:
        framed = fitted.set_output(transform=kind).transform(shifted)
    if type(framed).__module__.split(".")[0] != kind:
        how = "config_context(transform_output=" if globally else "set_output(transform="
        found = f"{type(framed).__module__}.{type(framed).__qualname__}"
        return f"{how}{kind!r}) gave a {found}"
    if list(framed.columns) != list(fitted.get_feature_names_out()):
        return f"the columns are {list(framed.columns)}, not those of get_feature_names_out"
    if kind == "pandas" and not framed.index.equals(shifted.index):
        return "the index of the input is lost"
    if not np.array_equal(framed.to_numpy().astype(np.float64), plain, equal_nan=True):
        return "the values differ from those of the array"
    return None
