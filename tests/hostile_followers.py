"""Hostile input for what follows customers through time, and reads what was saved."""

from functools import cache
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np

import segkit
from frames import columns_of
from hostile_cases import Case
from hostile_frames import GOOD_CUSTOMERS, SECRET
from hostile_judge import check_no_silent_nan, judged
from hostile_logs import check_table
from hostile_parameters import ODD
from segkit.exceptions import SegkitError
from segkit.features import CustomerLedger, summarize_transactions
from segkit.monitoring import DriftReport, track
from segkit.segmenters import LifecycleStager, RFMScorer, ValueTierer

#: Ledgers by what is asked of them.
LEDGERS: dict[str, dict[str, Any]] = {
    "days": {},
    "orders": {"order_id": "order_id"},
    "rows left out": {"order_id": "order_id", "missing": "drop"},
}
FOLLOWED = {
    "tiers": ValueTierer(missing="unassigned"),
    "scores": RFMScorer(missing="unassigned"),
    "stages": LifecycleStager(method="fixed"),
}
_CULPRITS = ("track", "DriftReport", "RFMScorer", "ValueTierer", "LifecycleStager")
_AS_OF = "2026-06-30"


def check_ledger(variant: str, case: Case) -> None:
    """Take in a hostile batch beside a good one, and compare the table with that of the log."""
    ledger = CustomerLedger(**LEDGERS[variant])
    update = judged(
        "features.CustomerLedger.update",
        lambda: ledger.update(case.given, batch="hostile"),
        given=[case.given],
        culprits=["CustomerLedger"],
    )
    if not update.answered:
        assert ledger.n_rows == 0
        assert ledger.batches == ()
        return
    asked: dict[str, Any] = {"as_of": _AS_OF, "extras": ("returns", "clv", "last_gap")}
    table = judged(
        "features.CustomerLedger.table",
        lambda: ledger.table(**asked),
        culprits=["CustomerLedger"],
    )
    if not table.answered:
        return
    found = columns_of(table.value)
    check_table(found)
    try:
        whole = summarize_transactions(case.given, **asked, **LEDGERS[variant])
    except SegkitError:
        return
    expected = columns_of(whole)
    if any(identity is None for identity in expected["recency_days"]):
        return  # of a lazy log, in which bad rows are seen and not refused
    rows = [
        sorted(zip(*(map(repr, table[name]) for name in counted), strict=True))
        for table in (found, expected)
        for counted in [("recency_days", "frequency", "order_days", "tenure_days")]
    ]
    assert rows[0] == rows[1]


@cache
def fitted(variant: str) -> Any:
    """Return a segmenter that was fitted to good customers."""
    return FOLLOWED[variant].fit(GOOD_CUSTOMERS[-1])


def check_followed(variant: str, case: Case) -> None:
    """Follow good customers into a hostile table, and a hostile table into a good one."""
    good = GOOD_CUSTOMERS[-1]
    for before, after in ((good, case.given), (case.given, good)):
        migration = judged(
            "monitoring.track",
            lambda tables=(before, after): track(fitted(variant), *tables, value="monetary"),
            given=[case.given],
            culprits=_CULPRITS,
        )
        if migration.answered:
            found = migration.value
            assert found.table["customers"].sum() == len(found.customers)
            check_no_silent_nan("customers", found.segments["customers_before"])
            assert SECRET not in found.summary()
        report = judged(
            "monitoring.DriftReport.from_tables",
            lambda tables=(before, after): DriftReport.from_tables(fitted(variant), *tables),
            given=[case.given],
            culprits=_CULPRITS,
        )
        if report.answered:
            assert report.value.verdict in ("keep", "re-profile", "refit")
            known = report.value.report["drift"] != "not assessed"
            check_no_silent_nan("psi", report.value.report.loc[known, "psi"])
            assert SECRET not in report.value.summary()


@st.composite
def spoiled_segmenters(draw: Any, saved: str) -> bytes:
    """Draw the bytes of the file of a segmenter, some of them changed."""
    content = saved.encode()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        put = draw(st.sampled_from([b"", b"9", b"-", b"null", b"[[", b"\xff", b'"', b"1e999"]))
        content = content[:place] + put + content[place + draw(st.integers(0, 3)) :]
    return content


def saved_segmenter(variant: str, folder: Path) -> str:
    """Return the text of the file of a fitted segmenter."""
    path = folder / "saved.json"
    fitted(variant).save(path)
    return path.read_text(encoding="utf-8")


def check_loaded(content: bytes, path: Path) -> None:
    """Write a file and load it."""
    path.write_bytes(content)
    loaded = judged("persistence.load", lambda: segkit.load(path), culprits=["load", path.name])
    if loaded.answered:
        codes = loaded.value.predict(GOOD_CUSTOMERS[-1])
        assert np.isin(codes, np.arange(-1, len(loaded.value.segments_))).all()


def check_odd_load(odd: str) -> None:
    """Load from what is no path, or from where no file is."""
    judged(
        "persistence.load(path)",
        lambda: segkit.load(ODD[odd]),
        culprits=["load", "path", "No such file"],
        also=(FileNotFoundError,),
    )
