"""What is measured of ledgers: a batch that comes to a long history."""

from typing import Any

from ._case import Case, Contestant
from ._targets import at_most

_UPDATE = "ledger, update"
_SHORT = "ledger, update, a tenth of the history"


def logs(n_rows: int) -> dict[str, dict[str, Any]]:
    """Return the arguments of ``write_log`` for the data of this case."""
    return {"dense_tenth": {"n_rows": max(n_rows // 10, 1)}}


def ledger_case() -> Case:
    """Return the case of a batch."""
    data = {"log": "dense"}
    return Case(
        "ledger",
        "A batch of 100,000 rows to a pandas log in memory, or to a ledger of it",
        [
            Contestant("ledger, update and table", "_jobs_ledger.update_and_table", data),
            Contestant(_UPDATE, "_jobs_ledger.update", data, compared=False),
            Contestant(_SHORT, "_jobs_ledger.update", {"log": "dense_tenth"}, compared=False),
            Contestant("whole log again", "_jobs_ledger.summarize", data),
            Contestant("whole log again, from file", "_jobs_ledger.read_and_summarize", data),
        ],
        [at_most(_UPDATE, 1.5, _SHORT)],
        [
            "Hardly any two rows of the log are of one customer and day, so that the ledger "
            "remembers as much as the log holds.",
        ],
    )
