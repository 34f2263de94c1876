"""Checks that a segmenter is read from a file as it was saved."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from segkit.exceptions import SegkitTypeError
from segkit.persistence import load
from segkit.testing._subject import Check, Subject

# So many customers are told one by one.
_MOST_ROWS = 50


def check_saved_and_loaded(subject: Subject, customers: pd.DataFrame) -> str | None:
    """A segmenter read from its file gives what the saved one gives, with every verb."""
    fitted = subject.fitted
    if not hasattr(fitted, "save"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "segmenter.json", Path(folder) / "again.json"
        try:
            fitted.save(path)
        except SegkitTypeError:
            return None  # what it learned is for skops or joblib, as the message says
        loaded = load(path, classes=_classes_of(fitted))
        loaded.save(again)
        if path.read_bytes() != again.read_bytes():
            return "a loaded segmenter is saved to another file than the one it came from"
    if hasattr(loaded, "labels_"):
        return "a loaded segmenter has labels_, which a file should not hold"
    one, other = loaded, fitted
    rows = customers.head(_MOST_ROWS).to_dict("records")
    pairs: dict[str, tuple[Any, Any]] = {
        "predict": (one.predict(customers), other.predict(customers)),
        "predict_segments": (one.predict_segments(customers), other.predict_segments(customers)),
        "predict_one": (list(map(one.predict_one, rows)), list(map(other.predict_one, rows))),
    }
    if hasattr(fitted, "transform"):
        pairs["transform"] = (
            np.asarray(loaded.transform(customers)).tobytes(),
            np.asarray(fitted.transform(customers)).tobytes(),
        )
    for verb, (got, expected) in pairs.items():
        if not np.array_equal(got, expected):
            return f"{verb} of a segmenter loaded from its file differs from that of the saved one"
    for verb, got, expected in (
        ("assign", loaded.assign(customers), fitted.assign(customers)),
        ("describe", loaded.describe(), fitted.describe()),
    ):
        if not got.equals(expected):
            return f"{verb} of a segmenter loaded from its file differs from that of the saved one"
    return None


STORAGE_CHECKS: tuple[Check, ...] = (check_saved_and_loaded,)


def _classes_of(segmenter: Any) -> list[type[Any]]:
    """Return the classes of a segmenter and of the estimators inside it."""
    inside = segmenter.get_params(deep=True).values()
    found = [segmenter, *(value for value in inside if isinstance(value, BaseEstimator))]
    return list({type(one) for one in found if hasattr(one, "_restore_parts")})
