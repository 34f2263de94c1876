r"""
Stages month by month, without the old logs
===========================================

A shop gets its transactions in batches, one a month here. A ledger takes each batch in and forgets
its rows; the customer table of the end of the month comes out. Segments are those of one
:class:`~segkit.LifecycleStager`, fitted once, so that whoever changes stage does so by their own
orders, or by their silence, and not because thresholds moved.

The log is Online Retail where the environment variable ``SEGKIT_DATA`` names the folder of its
file; else one is drawn.
"""

import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from segkit import LifecycleStager, summarize_transactions
from segkit.datasets import load_online_retail, make_transactions
from segkit.features import CustomerLedger

if folder := os.environ.get("SEGKIT_DATA"):
    log = load_online_retail(Path(folder, "online_retail.csv.gz"))
    shop, fitted_after = "Online Retail", 8
else:
    log = make_transactions(3_000, r=0.8, random_state=0)
    shop, fitted_after = "Drawn log", 12

months = log.groupby(log["timestamp"].dt.to_period("M"))
print(f"{shop}: {len(log):,} rows in {len(months)} months")

# %%
# A job that runs once a month
# ----------------------------
# It reads the ledger of the month before, takes in the batch and writes the ledger. Named batches
# are not counted twice, should the job be started again.


def monthly_job(path: Path, name: str, batch: pd.DataFrame) -> CustomerLedger:
    """Take a month in, unless it has been, and return the ledger."""
    if path.exists():
        ledger = CustomerLedger.from_parquet(path)
    else:
        ledger = CustomerLedger(order_id="order_id", missing="drop")
    if name not in ledger.batches:
        ledger.update(batch, batch=name).to_parquet(path)
    return ledger


ends, tables = [], []
with tempfile.TemporaryDirectory() as place:
    path = Path(place, "customers.ledger.parquet")
    for month, batch in months:
        ledger = monthly_job(path, str(month), batch)
        end = min(month.end_time, log["timestamp"].max()).date()
        ends.append(end)
        tables.append(ledger.table(end, extras="last_gap"))
    print(f"The ledger takes {path.stat().st_size / 2**20:.1f} MB on disk.")

# %%
# After the last month the table is that of the whole log, to the last digit. And since the ledger
# keeps days apart, it has the tables of the past, too:

whole = summarize_transactions(
    log, order_id="order_id", missing="drop", as_of=ends[-1], extras="last_gap"
)
pd.testing.assert_frame_equal(tables[-1], whole, check_exact=True)
pd.testing.assert_frame_equal(ledger.table(ends[2], extras="last_gap"), tables[2], check_exact=True)

# %%
# One stager for all months
# -------------------------
# It is fitted to one month, and describes all others, before and after.

stager = LifecycleStager().fit(tables[fitted_after - 1])
counts = pd.DataFrame(
    [
        pd.Series(stager.predict_segments(table)).value_counts().reindex(stager.segments_)
        for table in tables
    ],
    index=pd.PeriodIndex([month for month, _ in months]),
).fillna(0)
counts = counts.loc[:, counts.any()].astype(int)
print(counts.to_string())

# %%
# Where a stage grows
# -------------------

COLOURS = {
    "new": "#7fb8e6",
    "active": "#1b7f5c",
    "reactivated": "#a3d39c",
    "at_risk": "#e58a7b",
    "churned": "#c9c9d1",
}
FROM_BELOW = ["active", "reactivated", "new", "at_risk", "churned"]

stages = [stage for stage in FROM_BELOW if stage in counts]
x = range(len(counts))
figure, ax = plt.subplots(figsize=(10, 5), layout="constrained")
ax.stackplot(
    x,
    counts[stages].T,
    colors=[COLOURS[stage] for stage in stages],
    edgecolor="white",
    linewidth=0.8,
)
tops = counts[stages].iloc[-1].cumsum()
least = 0.045 * tops.iloc[-1]
y = -least
for stage, top in tops.items():
    number = counts[stage].iloc[-1]
    y = max(top - number / 2, y + least)
    ax.annotate(
        f"{stage.replace('_', ' ')}  {number:,}",
        (len(counts) - 1, y),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )
ax.axvline(fitted_after - 1, color="#1c1c22", linewidth=1, linestyle=(0, (4, 3)))
ax.annotate(
    "stager fitted",
    (fitted_after - 1, tops.iloc[-1]),
    xytext=(-6, 0),
    textcoords="offset points",
    ha="right",
    va="top",
)
labels = [
    f"{month:%b}\n{month:%Y}" if place == 0 or month.month == 1 else f"{month:%b}"
    for place, month in enumerate(counts.index)
]
if ends[-1] < counts.index[-1].end_time.date():
    labels[-1] = f"{ends[-1].day} {labels[-1]}"
every = 1 if len(counts) < 16 else 3
ax.set_xticks(x[::every], labels[::every])
ax.set_xlim(0, len(counts) - 1)
ax.set_ylim(0, 1.02 * tops.iloc[-1])
ax.yaxis.set_major_formatter("{x:,.0f}")
ax.tick_params(length=0)
ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
ax.set_title(
    f"{shop}: customers by lifecycle stage at the end of each month", loc="left", weight="bold"
)
plt.show()

# %%
# The sum of all stages can only grow, because nobody leaves a log. Whether the shop grows is told
# by its lower part: customers who are active, who came back, who are new.
