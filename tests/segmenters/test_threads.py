"""Fitted segmenters answer several threads at once as they answer one."""

import sys
import threading

import numpy as np
import pytest

from fitted_segmenters import NAMES, customers, newly_fitted

N_THREADS = 8
N_TURNS = 1_500
# Whose answer for a single customer takes a frame.
SLOW = {"stages, alive", "tiers, predicted", "clusters, mixture", "clusters, as they come"}


@pytest.fixture
def frequent_switches():
    """Let threads take turns after every few instructions, as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("frequent_switches")
def test_threads_get_the_answers_that_one_gets(name):
    rows = customers().to_dict("records")
    # Asked by nobody yet, so that the threads are the first to make whatever is made when needed.
    asked, expected_of = newly_fitted(name), newly_fitted(name)
    expected = expected_of.predict_segments(customers()).tolist()
    n_turns = N_TURNS // 20 if name in SLOW else N_TURNS
    begin, wrong, done = threading.Barrier(N_THREADS), [], []

    def ask(seed):
        order = np.random.default_rng(seed).permutation(len(rows))
        begin.wait()
        for turn in range(n_turns):
            place = order[turn % len(rows)]
            if asked.predict_one(rows[place]) != expected[place]:
                wrong.append(place)
            if turn % 100 == 0:
                some = order[turn % len(rows) :][:50]
                names = asked.predict_segments(customers().iloc[some])
                if names.tolist() != [expected[one] for one in some]:
                    wrong.append(some)
        done.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(done) == list(range(N_THREADS))
