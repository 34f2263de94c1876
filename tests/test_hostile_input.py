"""Hostile input at every public entry point: a right answer, or an error that names the culprit."""

import os

import hypothesis
import pytest

from hostile_cases import Case, cases
from hostile_frames import GOOD_CUSTOMERS
from hostile_segmenters import VARIANTS, check_segmenter_calls

_TIMES = float(os.environ.get("SEGKIT_HOSTILE_EXAMPLES", "1"))


def tries(n_examples: int):
    return hypothesis.settings(
        max_examples=max(1, round(n_examples * _TIMES)),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.shrink],
        database=None,
    )


SEGMENTER_VARIANTS = [(entry, variant) for entry in VARIANTS for variant in VARIANTS[entry]]


@pytest.mark.parametrize(("entry", "variant"), SEGMENTER_VARIANTS)
def test_segmenters(entry, variant):
    columns = VARIANTS[entry][variant][1]

    @tries(40)
    @hypothesis.given(case=cases(GOOD_CUSTOMERS, columns))
    def check(case: Case):
        check_segmenter_calls(entry, variant, case)

    check()
