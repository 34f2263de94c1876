r"""
Everybody moves, and nothing has drifted
========================================

Half a year after a segmentation most customers are in another segment. Is it worn out? Two
questions are mixed up in this one: who moved, which is what segments are watched for, and whether
the thresholds still fit. :func:`~segkit.monitoring.track` and
:class:`~segkit.monitoring.DriftReport` answer them one by one.

The log is Online Retail where the environment variable ``SEGKIT_DATA`` names the folder of its
file; else one is drawn.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from segkit import LifecycleStager, summarize_transactions
from segkit.datasets import load_online_retail, make_transactions
from segkit.monitoring import DriftReport, track
from segkit.plotting import MigrationDisplay

if folder := os.environ.get("SEGKIT_DATA"):
    log = load_online_retail(Path(folder, "online_retail.csv.gz"))
    begin, middle, end = "2010-12-09", "2011-06-09", "2011-12-09"
else:
    log = make_transactions(3_000, r=0.8, random_state=0)
    begin, middle, end = "2025-01-01", "2025-07-01", "2026-01-01"

# %%
# Two tables that look back equally far
# -------------------------------------
# Each has the customers of half a year, as they stood at its end. The stages are learned from the
# first, and only applied to the second.


def customers_between(first: str, last: str) -> pd.DataFrame:
    """Summarize a part of the log as of its end."""
    within = log[(log["timestamp"] >= first) & (log["timestamp"] < last)]
    return summarize_transactions(
        within, order_id="order_id", as_of=pd.Timestamp(last), missing="drop"
    )


before, after = customers_between(begin, middle), customers_between(middle, end)
stager = LifecycleStager().fit(before)
migration = track(stager, before, after, value="monetary")
print(migration.summary())

# %%
# Who moved
# ---------
# Pale bands are those who stayed. Of the churned about half do not order in the next half year,
# as their name says; those who do are the ones to be glad of.

MigrationDisplay.from_migration(migration, kind="flow")
plt.show()

# %%
# In numbers: each row adds up to 100.

MigrationDisplay.from_migration(migration, kind="heatmap")
plt.show()

# %%
# What they are worth
# -------------------
# The balance of each stage, in money. Customers go with what they were worth before, and come with
# what they are worth after.

balance = migration.segments.query("customers_before + customers_after > 0").set_index("segment")
parts = {
    "left": -balance["value_left"],
    "moved to another stage": -balance["value_out"],
    "came from another stage": balance["value_in"],
    "newcomers": balance["value_new"],
    "grew among those who stayed": balance["value_grown"],
}
colours = ["#9a9aa6", "#e0a46a", "#7fc4a9", "#c9c9cf", "#1b7f5c"]

figure, ax = plt.subplots(figsize=(8.6, 4), layout="constrained")
height = 0.15
for place, ((name, values), colour) in enumerate(zip(parts.items(), colours, strict=True)):
    rows = [row + (place - 2) * height for row in range(len(balance))]
    ax.barh(rows, values / 1_000, height=0.9 * height, color=colour, label=name)
ax.axvline(0, color="#1c1c22", linewidth=1)
ax.set_yticks(range(len(balance)), [name.replace("_", " ") for name in balance.index])
ax.invert_yaxis()
ax.tick_params("y", length=0)
ax.xaxis.set_major_formatter(lambda value, _: f"{value:+,.0f}" if value else "0")
ax.spines[["top", "right", "left"]].set_visible(False)
ax.set_xlabel("thousands, in the money of the shop")
ax.set_title("What each stage lost and won", loc="left", fontsize=11)
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
plt.show()

# %%
# Whether the thresholds still fit
# --------------------------------
# More than half of the customers moved, and the report says: keep.

drift = DriftReport.from_tables(stager, before, after)
print(drift.summary())

# %%
# Had the second table the whole log in it, and the first half of it, everybody would be longer with
# the shop and many would be silent for longer than anybody could be before. That is drift by
# construction, and the report finds it.

whole = DriftReport.from_tables(
    stager, before, customers_between(begin, end), expected=["tenure_days"]
)
print(whole.summary())

# %%
# Both side by side, with the rule of thumb for the index. Grey is what chance alone would make.

reports = {"the half year after": drift.report, "the whole log": whole.report}
names = drift.report.query("drift != 'not assessed'")["variable"].tolist()
figure, ax = plt.subplots(figsize=(8.6, 4), layout="constrained")
for least, said in ((0.1, "moderate"), (0.25, "large")):
    ax.axvline(least, color="#b5382d", linewidth=1, linestyle=":")
    ax.text(least, -0.75, f" {said}", color="#b5382d", fontsize=9, va="center")
for (title, report), colour, marker in zip(
    reports.items(), ["#1b7f5c", "#e0862d"], ["o", "D"], strict=True
):
    rows = report.set_index("variable").loc[names]
    ax.plot(rows["psi"], range(len(names)), marker, color=colour, markersize=8, label=title)
chance = drift.report.set_index("variable").loc[names, "psi_by_chance"]
ax.barh(range(len(names)), chance, left=0, height=0.5, color="#c9c9cf", label="by chance")
ax.set_xscale("symlog", linthresh=0.1)
ax.set_xlim(0, None)
ax.set_xticks([0, 0.05, 0.1, 0.25, 1], ["0", "0.05", "0.1", "0.25", "1"])
ax.set_yticks(range(len(names)), [name.strip("()").replace("_", " ") for name in names])
ax.set_ylim(len(names) - 0.5, -1)
ax.tick_params("y", length=0)
ax.grid(axis="y", color="#e4e4e8")
ax.set_axisbelow(True)
ax.spines[["top", "right", "left"]].set_visible(False)
ax.set_xlabel("population stability index")
ax.set_title("Drift since the first half year", loc="left", fontsize=11)
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
plt.show()
