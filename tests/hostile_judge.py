"""What a call with hostile input may do: give an answer, or an error that names the culprit."""

import contextlib
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse
import sklearn
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from hostile_frames import SECRET
from segkit.exceptions import SegkitError, SegkitWarning

#: How many calls were judged, by entry point and by outcome.
TALLY: Counter[tuple[str, str]] = Counter()

# Of the processor, so that a busy machine is no hang.
_SECONDS = 30
_SCIKIT_LEARN = str(Path(sklearn.__file__).parent)


class HangError(BaseException):
    """A call that takes longer than any input of this size can need."""


@dataclass(frozen=True)
class Outcome:
    """The answer of a call, or the error that it was right to raise."""

    value: Any = None
    error: Exception | None = None

    @property
    def answered(self) -> bool:
        """Whether there was an answer."""
        return self.error is None


def judged(
    entry: str,
    call: Callable[[], Any],
    *,
    given: Sequence[Any] = (),
    culprits: Sequence[str],
    also: tuple[type[Exception], ...] = (),
) -> Outcome:
    """Make a call and raise AssertionError unless it answers or names one of the culprits.

    `also` are the errors that the entry point documents beside segkit's and scikit-learn's.
    """
    before = [fingerprint(one) for one in given]
    outcome = _outcome(entry, call, culprits, also)
    assert [fingerprint(one) for one in given] == before, f"{entry} changed its input"
    TALLY[entry, "answers" if outcome.answered else "errors"] += 1
    return outcome


def _outcome(
    entry: str,
    call: Callable[[], Any],
    culprits: Sequence[str],
    also: tuple[type[Exception], ...],
) -> Outcome:
    with warnings.catch_warnings(record=True) as warned, _time_limit(entry):
        warnings.simplefilter("error")
        for kind in (SegkitWarning, ConvergenceWarning):
            warnings.simplefilter("always", kind)
        warnings.filterwarnings("always", "Glyph", UserWarning)  # of the font
        # scikit-learn's own, for an array after a frame.
        warnings.filterwarnings("always", "X does not have valid feature names", UserWarning)
        try:
            value = call()
        except Exception as error:
            if not _is_allowed(error) and not isinstance(error, also):
                raise
            _check_message(entry, error, culprits)
            return Outcome(error=error)
        finally:
            for warning in warned:
                assert SECRET not in str(warning.message), f"{entry}: {warning.message}"
    return Outcome(value)


def _is_allowed(error: Exception) -> bool:
    if isinstance(error, SegkitError | NotFittedError | InvalidParameterError):
        return True
    if type(error) not in (ValueError, TypeError):
        return False
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    return where.startswith(_SCIKIT_LEARN) and "validation" in where


def _check_message(entry: str, error: Exception, culprits: Sequence[str]) -> None:
    message = str(error)
    assert any(culprit in message for culprit in culprits), (
        f"{entry}: the message names none of {culprits}: {message}"
    )
    assert len(message) < 4_000, f"{entry}: the message has {len(message):,} characters"
    # A log shows the whole chain.
    shown = "".join(traceback.format_exception_only(error))
    cause = error
    while cause is not None:
        assert SECRET not in str(cause), f"{entry}: a customer's id is in {shown}{cause!r}"
        suppressed = cause.__suppress_context__
        cause = cause.__cause__ or (None if suppressed else cause.__context__)


@contextlib.contextmanager
def _time_limit(entry: str) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise HangError(f"{entry} takes more than {_SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def fingerprint(given: Any) -> Any:
    """Return what is compared to find out whether an input was changed."""
    if isinstance(given, pd.DataFrame):
        columns = [given.iloc[:, place] for place in range(given.shape[1])]
        values = [repr(column.tolist()) for column in columns]
        return type(given), repr(given.columns), repr(given.index), values, repr(given.dtypes)
    if isinstance(given, pd.Series | pd.Index):
        return repr(given.tolist()), given.dtype, repr(given.name)
    if isinstance(given, np.ndarray):
        return repr(given.tolist()), given.dtype, given.flags.writeable
    if isinstance(given, pl.DataFrame):
        return repr(given.to_dict(as_series=False))
    if isinstance(given, pl.Series):
        return repr(given.to_list())
    if isinstance(given, pa.Table | pa.RecordBatch):
        return repr(given.to_pylist())
    if scipy.sparse.issparse(given):
        return repr(given.toarray().tolist())
    if isinstance(given, list | tuple | dict | str | int | float):
        return repr(given)
    return None


# -- what answers must be ----------------------------------------------------------------------


def check_codes(codes: Any, n_rows: int, n_segments: int) -> None:
    """Raise unless these are codes of segments, or -1."""
    assert isinstance(codes, np.ndarray)
    assert codes.dtype == np.int64
    assert codes.shape == (n_rows,)
    assert codes.size == 0 or (codes.min() >= -1 and codes.max() < n_segments)


def check_no_silent_nan(where: str, values: Any, *, allowed: Any = None) -> None:
    """Raise where numbers are NaN or infinite, beside the rows in which they may be."""
    array = np.asarray(values, dtype=float)
    bad = ~np.isfinite(array)
    if allowed is not None:
        bad = bad & ~np.asarray(allowed, dtype=bool)
    assert not bad.any(), f"{where}: {int(bad.sum())} of {bad.size} numbers are NaN or infinite"


def learned_numbers(estimator: Any) -> dict[str, np.ndarray]:
    """Return the numbers that an estimator has learned, by attribute."""
    found = {}
    for name, value in vars(estimator).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        if isinstance(value, float | np.floating):
            found[name] = np.array([value])
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            found[name] = value.ravel()
    return found
