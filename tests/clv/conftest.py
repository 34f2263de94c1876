"""Customer tables that the tests of the models share, and models at chosen parameters."""

import warnings

import numpy as np
import pytest

from segkit import summarize_transactions
from segkit.datasets import load_cdnow, make_transactions
from segkit.exceptions import SegkitWarning


@pytest.fixture(scope="session")
def cdnow(data_folder):
    """The 1/10 sample of CDNOW after 39 weeks, as in the literature."""
    log = load_cdnow(data_folder / "CDNOW_sample.txt")
    return summarize_transactions(log, as_of="1997-09-30", extras="clv")


@pytest.fixture(scope="session")
def customers():
    """A drawn customer table whose dropout is identified."""
    log = make_transactions(2_000, random_state=0)
    return summarize_transactions(log, order_id="order_id", extras="clv")


@pytest.fixture(scope="session")
def quiet_fit():
    """Fit without a word about what the data cannot say."""

    def fit(model, X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SegkitWarning)
            return model.fit(X)

    return fit


@pytest.fixture(scope="session")
def at(quiet_fit):
    """A fitted model whose parameters are then set."""

    def fitted_at(model, parameters):
        rows = [[10, 3, 100], [50, 2, 60], [5, 4, 30], [20, 2, 25]]
        if not hasattr(model, "horizon_days"):
            rows = [[3, 70, 20], [2, 30, 15], [4, 95, 20], [5, 50, 10]]
        quiet_fit(model, np.array(rows, dtype=float))
        for name, value in zip(model._parameter_names, parameters, strict=True):
            setattr(model, f"{name}_", float(value))
        return model

    return fitted_at
