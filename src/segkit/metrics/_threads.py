"""One thread for the libraries below numpy and scikit-learn, while many small fits run.

Their threads wait for each other by spinning. In a fit of a millisecond, on a machine with other
work, that takes 10 to 100 times as long as the fit.
"""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS and OpenMP use one thread."""
    context: AbstractContextManager[Any] = _controller().limit(limits=1)
    return context


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes longer than a small fit.
    return ThreadpoolController()
