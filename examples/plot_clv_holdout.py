r"""
Are the orders that a model expects the orders that come?
=========================================================

A model of repeat buying is fitted to what was known at a day in the past, and has to say what came
after it. Two pictures show how well it does: the orders of all customers, week by week, and those
of customers who had ordered equally often.

The log is CDNOW, the one in ten customers on whom such models were published, where the environment
variable ``SEGKIT_DATA`` names the folder of its file; else one is drawn.
"""

# sphinx_gallery_thumbnail_number = 2

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit.clv import BetaGeoNBD, ParetoNBD
from segkit.datasets import load_cdnow, make_transactions
from segkit.features import calibration_holdout_split

# %%
# Customers as of the cut, and what came after
# --------------------------------------------
# All customers of the log have their first order in its first three months, and 39 weeks are known
# of them at the cut. The 39 weeks after it are the holdout.

if folder := os.environ.get("SEGKIT_DATA"):
    log = load_cdnow(Path(folder, "CDNOW_sample.txt"))
    name, start, cut, end = "CDNOW", "1997-01-01", "1997-09-30", "1998-06-30"
else:
    name, start, cut, end = "Drawn log", "2024-01-01", "2024-09-30", "2025-06-30"
    log = make_transactions(
        30_000, start=start, end=end, r=0.4, a=0.8, b=2.5, return_rate=0, random_state=0
    )
    first = log.groupby("customer_id")["timestamp"].transform("min")
    log = log[first < "2024-04-01"]

customers = calibration_holdout_split(log, calibration_end=cut, holdout_end=end)
models = {"Pareto/NBD": ParetoNBD().fit(customers), "BG/NBD": BetaGeoNBD().fit(customers)}
for model in models.values():
    print(model.summary_.round(3), "\n")

# %%
# On CDNOW these are the published estimates: there, time is counted in weeks, and ``alpha`` and
# ``beta`` are a seventh. A log that is drawn is drawn from the BG/NBD model itself.
#
# The orders of all customers
# ---------------------------
# ``expected_repeat_orders`` says how many repeat orders a customer places up to a day after the
# first order, on average. Added up over all customers, each from their own first order on, it
# gives the curve that the log should follow.

days = pd.date_range(start, end)
first_day = customers["first_order"].dt.normalize()
first_orders = first_day.value_counts().reindex(days, fill_value=0).to_numpy()

visits = log.assign(day=log["timestamp"].dt.normalize()).drop_duplicates(["customer_id", "day"])
orders = visits["day"].value_counts().reindex(days, fill_value=0).to_numpy()

expected_orders = {}
for how, model in models.items():
    of_one = np.diff(model.expected_repeat_orders(np.arange(len(days))), prepend=0)
    expected_orders[how] = np.convolve(first_orders, of_one)[: len(days)]

tracked = pd.DataFrame({"actual": orders - first_orders, **expected_orders}, index=days)
whole_weeks = tracked.iloc[: len(days) // 7 * 7]
weekly = whole_weeks.groupby(np.arange(len(whole_weeks)) // 7).sum()
cut_week = ((pd.Timestamp(cut) - pd.Timestamp(start)).days + 1) / 7
in_holdout = tracked[tracked.index > cut].sum()

COLOURS = {"actual": "#1c1c22", "Pareto/NBD": "#1b7f5c", "BG/NBD": "#4f9bd9"}

figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
for ax, table, title in zip(
    axes,
    (weekly, weekly.cumsum()),
    ("In each week", "Since the first day"),
    strict=True,
):
    ax.axvspan(cut_week, len(weekly), color="#eef3f0", linewidth=0)
    for how in table:
        ax.plot(
            table.index + 1,
            table[how],
            color=COLOURS[how],
            linewidth=1.2 if how == "actual" else 2.4,
            label=f"{how}: {in_holdout[how]:,.0f} in the holdout",
        )
    ax.set_title(title, loc="left", fontsize=11)
    ax.set_xlabel(f"Weeks since {start}")
    ax.set_xlim(0, len(weekly))
    ax.set_ylim(0)
    ax.text(cut_week - 0.8, ax.get_ylim()[1] * 0.99, "fitted", ha="right", va="top")
    ax.text(cut_week + 0.8, ax.get_ylim()[1] * 0.99, "holdout", ha="left", va="top")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.spines[["top", "right"]].set_visible(False)
axes[1].legend(loc="lower right", bbox_to_anchor=(1, 0.02), frameon=False)
figure.get_layout_engine().set(w_pad=0.1)
figure.suptitle(
    f"{name}: repeat orders of {len(customers):,} customers", x=0.01, ha="left", weight="bold"
)
plt.show()

# %%
# The models know nothing of Christmas or of a campaign: they give the level around which weeks
# scatter, and how it falls as customers leave.
#
# Customers who had ordered equally often
# ---------------------------------------
# Totals can be right where errors cancel. ``predict`` is for each customer, given their own past;
# here it is averaged over customers with the same number of repeat orders before the cut.

x = (customers["order_days"] - 1).clip(upper=7)
horizon = float(customers["holdout_days"].iloc[0])
expected = {how: model.predict(customers, horizon_days=horizon) for how, model in models.items()}
by_past = customers.assign(**expected).groupby(x)
means = by_past[["holdout_order_days", *models]].mean()
print(means.round(2))

figure, ax = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
ax.bar(means.index, means["holdout_order_days"], width=0.7, color="#d5d5da", label="actual")
for how in models:
    ax.plot(means.index, means[how], "o-", color=COLOURS[how], markersize=7, label=how)
sizes = by_past.size()
ax.set_xticks(
    sizes.index,
    [f"{orders}{'+' if orders == 7 else ''}\n{size:,}" for orders, size in sizes.items()],
)
ax.set_xlabel("Repeat orders before the cut, and number of customers")
ax.set_title(
    f"{name}: mean orders in the {horizon / 7:.0f} weeks after the cut", loc="left", weight="bold"
)
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(length=0)
handles, labels = ax.get_legend_handles_labels()
ax.legend(handles[::-1], labels[::-1], loc="upper left", frameon=False)
plt.show()

# %%
# About customers with a single order the models disagree in principle. By the BG/NBD model all of
# them are still active, because nobody leaves before a second order; by the Pareto/NBD model many
# have left.

once = customers[customers["order_days"] == 1]
for how, model in models.items():
    print(f"{how}: {model.predict_alive(once).mean():.0%} of {len(once):,} are still active")
