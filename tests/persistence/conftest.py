"""Drawn customers, and each segmenter fitted to them, with the file that it is saved to."""

import pytest

from persistence.files import SEGMENTERS, drawn_customers, fitted


@pytest.fixture(scope="session")
def customers():
    """Drawn customers."""
    return drawn_customers()


@pytest.fixture(scope="session")
def fitted_ones(customers):
    """Every segmenter by its name, fitted once."""
    return {name: fitted(name, customers) for name in SEGMENTERS}


@pytest.fixture(params=SEGMENTERS)
def saved(request, fitted_ones, tmp_path):
    """A fitted segmenter and its file, for each of them."""
    segmenter = fitted_ones[request.param]
    path = tmp_path / "segmenter.json"
    segmenter.save(path)
    return segmenter, path
