"""The one place that touches names other libraries keep private.

scikit-learn declares parameter constraints, checks them around ``fit`` and compares feature
names in modules that are private by name, although its own contributors' guide tells authors of
estimators to use them.
"""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "RealNotInt",
    "StrOptions",
    "check_feature_names_in",
    "fit_context",
]
