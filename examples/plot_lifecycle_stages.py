r"""
Do lifecycle stages mean anything?
==================================

A stage is worth its name if its customers go on to do what the name says. So the log is cut at a
day in the past: customers are staged by what was known then, and what they did afterwards is
counted. Recency alone, cut into groups of the same sizes, stands beside the stages.

The logs are two public ones, CDNOW and Online Retail, where the environment variable
``SEGKIT_DATA`` names the folder of their files; else one is drawn.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from segkit import LifecycleStager
from segkit.datasets import load_cdnow, load_online_retail, make_transactions
from segkit.features import calibration_holdout_split

# %%
# The logs, and the days to cut them at
# -------------------------------------

if folder := os.environ.get("SEGKIT_DATA"):
    logs = {
        "CDNOW": load_cdnow(Path(folder, "CDNOW_master.txt")),
        "Online Retail": load_online_retail(Path(folder, "online_retail.csv.gz")),
    }
    cuts = {
        "CDNOW": ["1997-06-30", "1997-09-30", "1997-12-31", "1998-03-31"],
        "Online Retail": ["2011-04-30", "2011-06-30", "2011-08-31", "2011-10-31"],
    }
else:
    logs = {"Drawn log": make_transactions(3_000, r=0.8, random_state=0)}
    cuts = {"Drawn log": ["2024-12-31", "2025-03-31", "2025-06-30", "2025-09-30"]}

# %%
# Stages at each cut
# ------------------
# ``fit`` sees the customer table of the day of the cut and nothing else. New customers are counted
# with the active ones here, because neither are late; :doc:`the guide </user_guide/lifecycle>` has
# them apart.
#
# For comparison the customers are ordered by recency, the days since the last order, and cut where
# the groups have the sizes of the stages, or as near to it as ties let them.

STAGES = ["active", "at_risk", "churned"]


def staged_at(log: pd.DataFrame, cut: str) -> pd.DataFrame:
    """Stage customers as of a day, and note who bought again after it."""
    customers = calibration_holdout_split(
        log, calibration_end=cut, order_id="order_id", missing="drop"
    )
    stage = LifecycleStager().fit(customers).predict_segments(customers)
    place = pd.Series(stage).replace("new", "active").map(STAGES.index).to_numpy()
    recency = customers["recency_days"].to_numpy()
    last_of_group = np.cumsum(np.bincount(place))[:2] - 1
    return pd.DataFrame(
        {
            "stage": place,
            "recency_group": np.searchsorted(np.sort(recency)[last_of_group], recency),
            "bought_again": customers["holdout_orders"] > 0,
        }
    )


staged = {(name, cut): staged_at(logs[name], cut) for name, days in cuts.items() for cut in days}

# %%
# What became of them
# -------------------
# The bars fall from stage to stage, at every cut. The black lines are the groups by recency, and
# they lie close by: who is silent for long is mostly silent for long by their own rhythm, too.
#
# ROC AUC puts it in a number: how often, of two customers of whom one bought again, that one is in
# the better stage (ties count half).

COLOURS = ["#1b7f5c", "#e58a7b", "#9a9aa6"]

rows, columns = len(logs), max(map(len, cuts.values()))
figure, axes = plt.subplots(
    rows, columns, figsize=(11, 0.8 + 3.1 * rows), sharey=True, squeeze=False, layout="constrained"
)
for ax, ((name, cut), table) in zip(axes.flat, staged.items(), strict=True):
    by_stage = table.groupby("stage")["bought_again"].agg(["size", "mean"])
    by_recency = table.groupby("recency_group")["bought_again"].mean()
    ax.bar(by_stage.index, by_stage["mean"], width=0.72, color=COLOURS)
    ax.hlines(by_recency, by_recency.index - 0.44, by_recency.index + 0.44, "#1c1c22", linewidth=2)
    for place, share in by_stage["mean"].items():
        highest = max(share, by_recency[place])
        ax.text(place, highest + 0.02, f"{share:.0%}", ha="center", va="bottom", weight="bold")
    names = [stage.replace("_", " ") for stage in STAGES]
    ax.set_xticks(
        range(3),
        [f"{stage}\n{size:,}" for stage, size in zip(names, by_stage["size"], strict=True)],
    )
    auc = {how: roc_auc_score(table["bought_again"], -table[how]) for how in table.columns[:2]}
    ax.text(
        1,
        0.97,
        f"ROC AUC\nstages {auc['stage']:.3f}\nrecency {auc['recency_group']:.3f}",
        transform=ax.transAxes,
        ha="right",
        va="top",
        fontsize=9,
        color="#55555f",
    )
    day = pd.Timestamp(cut)
    ax.set_title(f"{name}, {day.day} {day:%B %Y}", loc="left", fontsize=10, weight="bold")
    ax.set_ylim(0, 1.1)
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
figure.suptitle(
    "Share of customers who bought again after the cut, by their stage at the cut",
    x=0.01,
    ha="left",
    weight="bold",
)
figure.legend(
    [plt.Line2D([], [], color="#1c1c22", linewidth=2)],
    ["as many customers, grouped by recency alone"],
    loc="outside lower left",
    frameon=False,
)
plt.show()

# %%
# Own rhythm tells who is late, which recency cannot: at 40 days, one customer has missed five
# orders and another none. Who will *come back* is another question, and for it recency alone is
# about as good, on some logs better: of two customers who have been silent for equally long, the
# one with the faster rhythm is later, and still comes back more often.
