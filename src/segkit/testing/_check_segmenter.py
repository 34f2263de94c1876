"""The conformance suite: scikit-learn's checks, then those of the segmenter contract."""

import warnings
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
from sklearn.exceptions import SkipTestWarning

from segkit._frames import collected, require_frame
from segkit.datasets import make_transactions
from segkit.exceptions import SegkitTypeError, SegkitWarning
from segkit.features import summarize_transactions
from segkit.testing._composition_checks import COMPOSITION_CHECKS
from segkit.testing._frame_checks import FRAME_CHECKS
from segkit.testing._frame_kinds import EAGER_KINDS, LAZY_KINDS, installed
from segkit.testing._scikit_learn_checks import SCIKIT_LEARN_CHECKS, run_check_estimator
from segkit.testing._score_checks import SCORE_CHECKS
from segkit.testing._storage_checks import STORAGE_CHECKS
from segkit.testing._subject import Check, Subject

_CONTRACT_CHECKS: tuple[Check, ...] = (
    *SCIKIT_LEARN_CHECKS,
    *SCORE_CHECKS,
    *FRAME_CHECKS,
    *COMPOSITION_CHECKS,
    *STORAGE_CHECKS,
)


def check_segmenter(estimator: Any, *, customers: Any = None) -> None:
    """Check that an estimator keeps the segmenter contract.

    Runs scikit-learn's ``check_estimator``, the checks that it leaves out (parameter
    constraints, ``set_output``, feature names), and segkit's own: one row scores as in the batch;
    a subset as in the whole; row order, extra and reordered columns change nothing; arrays are
    taken by position; ties share a code; codes stay within ``segments_`` or are -1;
    ``fit_predict`` gives ``fit().labels_``; a refit forgets the first; ``memberships`` include
    the segment; ``predict_segments`` agrees with ``predict``, ``predict_one`` and ``assign``,
    which keeps the rest of the frame and adds the features of ``transform``, on every kind of
    frame that is installed; fit learns the same from each; missing values; lazy frames stay
    lazy; nothing is mutated; the same ``random_state`` gives the same result; ``clone``, pickle,
    what :func:`segkit.load` reads of a saved file; and a place in ``Pipeline``,
    ``ColumnTransformer`` and ``FeatureUnion``.

    Parameters
    ----------
    estimator : estimator instance
        The segmenter to check; it is cloned, never fitted itself.
    customers : frame, default=None
        Customers to check it on, without missing values in the columns that it uses. By
        default a drawn customer table with the columns of
        :func:`segkit.summarize_transactions`.

    Raises
    ------
    AssertionError
        For the first check that fails, with its name and the smallest set of customers for
        which it was seen to fail.

    Warns
    -----
    SegkitWarning
        For kinds of frame that were left out because their library is not installed.

    Notes
    -----
    scikit-learn's six checks on data frames make up column names of their own, or reorder them
    and expect an error. A segmenter picks its columns by name, so these six are replaced by
    checks of the same names on `customers`.

    Examples
    --------
    >>> from segkit import RFMScorer
    >>> from segkit.testing import check_segmenter
    >>> check_segmenter(RFMScorer())
    """
    if isinstance(estimator, type):
        raise SegkitTypeError(
            f"check_segmenter: expected an instance, got the class {estimator.__name__}. Pass "
            f"{estimator.__name__}(...)."
        )
    kinds = (*EAGER_KINDS, *LAZY_KINDS)
    if left_out := sorted(set(kinds) - set(installed(kinds))):
        warnings.warn(
            f"check_segmenter: not checked on {', '.join(left_out)} frames, whose library is not "
            "installed.",
            SegkitWarning,
            stacklevel=2,
        )
    with warnings.catch_warnings():
        # A segmenter may warn of what it sees in the small made-up data of a check.
        warnings.simplefilter("ignore", SegkitWarning)
        # Where it says that it takes no arrays, scikit-learn's own suite has nothing to check.
        warnings.simplefilter("ignore", SkipTestWarning)
        run_check_estimator(estimator)
        table = _drawn_customers() if customers is None else _as_pandas(customers)
        subject = Subject(estimator, table.reset_index(drop=True))
        for check in _CONTRACT_CHECKS:
            subject.run(check)


def _drawn_customers() -> pd.DataFrame:
    # 201 customers: their quintiles and their median are customers, who lie on the thresholds.
    transactions = make_transactions(201, random_state=0)
    return summarize_transactions(transactions, order_id="order_id", extras=("returns", "clv"))


def _as_pandas(customers: Any) -> pd.DataFrame:
    view = require_frame(customers, owner="check_segmenter")
    return (collected(view) if isinstance(view, nw.LazyFrame) else view).to_pandas()
