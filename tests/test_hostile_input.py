"""Hostile input at every public entry point: a right answer, or an error that names the culprit.

Good customers and logs are spoiled (``hostile_frames.py``), put into containers of every kind
(``hostile_cases.py``) and passed in; what comes back is judged (``hostile_judge.py``). The
environment variable ``SEGKIT_HOSTILE_EXAMPLES`` multiplies the number of cases.
"""

import importlib
import os
import pkgutil

import hypothesis
import hypothesis.strategies as st
import pytest

import segkit
from hostile_cases import cases
from hostile_files import (
    READERS,
    check_odd_path,
    check_reader,
    check_segment_map,
    check_suite,
    check_suite_of_odd,
    spoiled_files,
)
from hostile_followers import (
    FOLLOWED,
    LEDGERS,
    check_followed,
    check_ledger,
    check_loaded,
    check_odd_load,
    saved_segmenter,
    spoiled_segmenters,
)
from hostile_frames import GOOD_CUSTOMERS, GOOD_LOGS
from hostile_judge import TALLY
from hostile_logs import LOG, SPLITS, SUMMARIES, check_split, check_summary
from hostile_metrics import (
    COLUMNS,
    OF_ROWS,
    OF_TABLES,
    OF_VALUES,
    TABLES,
    check_metric_of_rows,
    check_metric_of_tables,
    check_metric_of_values,
)
from hostile_models import MODELS, check_model_calls
from hostile_parameters import CALLS, ODD, check_odd_parameter, parameters_of
from hostile_reports import (
    DISPLAYS,
    PROFILERS,
    VALIDATORS,
    check_display_calls,
    check_profiler_calls,
    check_validator_calls,
)
from hostile_segmenters import VARIANTS, check_segmenter_calls

_TIMES = float(os.environ.get("SEGKIT_HOSTILE_EXAMPLES", "1"))

# What other public names return, and nobody calls.
RESULTS = {
    "monitoring.Migration": "monitoring.track",
    "metrics.NumberOfClusters": "metrics.number_of_clusters",
    "metrics.StructureTest": "metrics.structure_test",
    "profiling.Persona": "profiling.SegmentProfiler",
    "profiling.Trait": "profiling.SegmentProfiler",
    "segmenters.EdgesSpread": "segmenters.RFMScorer",
    "validation.SegmentDurability": "validation.SegmentValidator",
}
# What takes no argument.
WITHOUT_ARGUMENTS = {"plugins.available"}
TRIED = {
    "base.SegmenterMixin",
    "features.CustomerLedger",
    "monitoring.DriftReport",
    "monitoring.track",
    "persistence.load",
    "testing.check_segmenter",
    *(f"segmenters.{entry}" for entry in VARIANTS if entry != "SegmenterMixin"),
    *MODELS,
    *CALLS,
    *(f"metrics.{name}" for name in (*OF_ROWS, *OF_VALUES, *OF_TABLES)),
    *(f"plotting.{name}" for name in DISPLAYS),
    *(f"datasets.{name}" for name in READERS),
}


def tried(strategy, check, *, n_examples):
    """Run a check with cases that hypothesis draws and, where one fails, makes small."""
    settings = hypothesis.settings(
        max_examples=max(1, round(n_examples * _TIMES)),
        deadline=None,
        derandomize=_TIMES == 1,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    settings(hypothesis.given(strategy)(check))()


@pytest.fixture(scope="module", autouse=True)
def reported(request):
    """Tell how many calls were tried, at the end."""
    yield
    n_answers = sum(count for (_, outcome), count in TALLY.items() if outcome == "answers")
    n_errors = sum(TALLY.values()) - n_answers
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(
            f"\nhostile input: {n_answers + n_errors:,} calls of {len({e for e, _ in TALLY}):,} "
            f"verbs and parameters: {n_answers:,} answers and {n_errors:,} errors that name the "
            "culprit"
        )


def test_every_public_name_is_tried():
    packages = [
        module.name
        for module in pkgutil.iter_modules(segkit.__path__)
        if module.ispkg and not module.name.startswith("_")
    ]
    public = {
        f"{package}.{name}"
        for package in packages
        for name in importlib.import_module(f"segkit.{package}").__all__
    }
    assert public == TRIED | RESULTS.keys() | WITHOUT_ARGUMENTS
    assert set(RESULTS.values()) <= TRIED
    # What stands in segkit itself is one of these.
    at_hand = {id(_public(*name.split("."))) for name in public}
    others = [name for name in segkit.__all__ if name != "__version__"]
    assert all(id(getattr(segkit, name)) in at_hand for name in others)


def _public(package, name):
    return getattr(importlib.import_module(f"segkit.{package}"), name)


@pytest.mark.parametrize("variant", [(e, v) for e in VARIANTS for v in VARIANTS[e]], ids=": ".join)
def test_segmenters(variant):
    columns = VARIANTS[variant[0]][variant[1]][1]
    tried(
        cases(GOOD_CUSTOMERS, columns),
        lambda case: check_segmenter_calls(*variant, case),
        n_examples=40,
    )


@pytest.mark.parametrize("variant", [(e, v) for e in MODELS for v in MODELS[e]], ids=": ".join)
def test_models(variant):
    columns = MODELS[variant[0]][variant[1]].columns
    goods = GOOD_CUSTOMERS
    if variant[0].startswith("cluster"):
        goods = [good[list(columns)] for good in goods]
    tried(cases(goods, columns), lambda case: check_model_calls(*variant, case), n_examples=40)


@pytest.mark.parametrize("arguments", SUMMARIES, ids=repr)
def test_summaries_of_logs(arguments):
    tried(cases(GOOD_LOGS, LOG), lambda case: check_summary(arguments, case), n_examples=40)


@pytest.mark.parametrize("arguments", SPLITS, ids=repr)
def test_splits_of_logs(arguments):
    tried(cases(GOOD_LOGS, LOG), lambda case: check_split(arguments, case), n_examples=30)


@pytest.mark.parametrize("variant", LEDGERS)
def test_batches_of_ledgers(variant):
    tried(cases(GOOD_LOGS, LOG), lambda case: check_ledger(variant, case), n_examples=40)


@pytest.mark.parametrize("variant", FOLLOWED)
def test_customers_then_and_now(variant):
    columns = ("customer_id", "recency_days", "frequency", "monetary", "order_days", "country")
    tried(
        cases(GOOD_CUSTOMERS, columns),
        lambda case: check_followed(variant, case),
        n_examples=30,
    )


@pytest.mark.parametrize("variant", FOLLOWED)
def test_files_of_segmenters(variant, tmp_path):
    tried(
        spoiled_segmenters(saved_segmenter(variant, tmp_path)),
        lambda content: check_loaded(content, tmp_path / "spoiled.json"),
        n_examples=60,
    )
    for odd in ODD:
        check_odd_load(odd)


@pytest.mark.parametrize("name", OF_ROWS)
def test_metrics_of_rows(name):
    goods = [good[list(COLUMNS)] for good in GOOD_CUSTOMERS]
    tried(cases(goods, COLUMNS), lambda case: check_metric_of_rows(name, case), n_examples=40)


@pytest.mark.parametrize("name", OF_VALUES)
def test_metrics_of_values(name):
    tried(
        cases(GOOD_CUSTOMERS, ["monetary"]),
        lambda case: check_metric_of_values(name, case),
        n_examples=60,
    )


@pytest.mark.parametrize("name", OF_TABLES)
def test_metrics_of_tables(name):
    table = TABLES[name]
    tried(
        cases([table], list(table.columns)),
        lambda case: check_metric_of_tables(name, case),
        n_examples=40,
    )


@pytest.mark.parametrize("variant", PROFILERS)
def test_profiles(variant):
    columns = ("recency_days", "frequency", "monetary", "country", "customer_id", "last_order")
    tried(
        cases(GOOD_CUSTOMERS, columns),
        lambda case: check_profiler_calls(variant, case),
        n_examples=30,
    )


@pytest.mark.parametrize("variant", VALIDATORS)
def test_validations(variant):
    columns = ("recency_days", "frequency", "monetary", "customer_id", "by_mail", "return_amount")
    tried(
        cases(GOOD_CUSTOMERS, columns),
        lambda case: check_validator_calls(variant, case),
        n_examples=20,
    )


@pytest.mark.parametrize("name", DISPLAYS)
def test_pictures(name):
    tried(
        cases(GOOD_CUSTOMERS, ("recency_days", "frequency", "monetary", "country")),
        lambda case: check_display_calls(name, case),
        n_examples=15,
    )


@pytest.mark.parametrize("reader", READERS)
def test_files(reader, tmp_path):
    def check(file):
        check_reader(reader, file[0], tmp_path / file[1])

    tried(spoiled_files(reader), check, n_examples=60)
    for odd in ODD:
        check_odd_path(reader, odd)


def test_scores_for_a_segment_map():
    columns = ("recency_days", "frequency", "monetary")
    goods = [good[list(columns)].clip(1, 3).round() for good in GOOD_CUSTOMERS]
    tried(cases(goods, columns), check_segment_map, n_examples=60)


def test_customers_for_the_conformance_suite():
    # It shows the author of a segmenter the customers for which it fails, so they bear no ids.
    customers = GOOD_CUSTOMERS[0].drop(columns=["customer_id", "email"])
    tried(cases([customers], ["monetary"]), check_suite, n_examples=5)
    for odd in ODD:
        check_suite_of_odd(odd)


@pytest.mark.parametrize("entry", CALLS)
def test_odd_parameters(entry):
    odd = st.tuples(st.sampled_from(parameters_of(entry)), st.sampled_from([*ODD]))
    tried(odd, lambda pair: check_odd_parameter(entry, *pair), n_examples=30)
