r"""
Two price levels: scores within groups
======================================

A shop sells in two countries, and prices in the south are less than half of those in the north.
Scored together, spend tells the countries apart and not the customers. With ``groups`` the edges
are learned within each country.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

# %%
# Two countries
# -------------
# The customers of both order alike; only the prices differ (``v`` is the scale of order values).
# The country joins the customers, as anything else that is not in the log.

logs = {
    "North": make_transactions(1_500, v=45.0, return_rate=0.0, random_state=0),
    "South": make_transactions(1_500, v=18.0, return_rate=0.0, random_state=1),
}
tables = [
    summarize_transactions(log, order_id="order_id", as_of="2026-01-01").assign(country=country)
    for country, log in logs.items()
]
customers = pd.concat(tables, ignore_index=True).drop(columns="customer_id")

# %%
# Scored together and apart
# -------------------------
# A customer of a country that was not there in ``fit`` is scored by the edges over all.

scorers = {
    "Edges over all": RFMScorer().fit(customers),
    "Edges within each country": RFMScorer(groups="country").fit(customers),
}
scored = {how: scorer.assign(customers) for how, scorer in scorers.items()}

SCORE_COLOURS = ["#dfe9e3", "#b3dac2", "#6cc08b", "#2f8f66", "#0f4a35"]
spend = customers["monetary"]
bars = np.geomspace(spend.min(), spend.max(), 46)

figure, axes = plt.subplots(2, 2, figsize=(10, 5.6), sharex=True, sharey=True, layout="constrained")
for column, (how, table) in enumerate(scored.items()):
    axes[0, column].set_title(how, loc="left", weight="bold")
    for ax, country in zip(axes[:, column], logs, strict=True):
        here = table[table["country"] == country]
        by_score = [here.loc[here["monetary_score"] == score, "monetary"] for score in range(1, 6)]
        ax.hist(by_score, bins=bars, stacked=True, color=SCORE_COLOURS)
        shares = here["monetary_score"].value_counts(normalize=True)
        ax.text(
            0.99,
            0.93,
            f"score 5: {shares[5]:.0%}\nscore 1: {shares[1]:.0%}",
            transform=ax.transAxes,
            ha="right",
            va="top",
        )
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(left=False)
for ax, country in zip(axes[:, 0], logs, strict=True):
    ax.set_ylabel(f"Customers in the {country.lower()}")
for ax in axes[1]:
    ax.set_xscale("log")
    ax.set_xticks([3, 10, 30, 100, 300, 1_000, 3_000], [3, 10, 30, 100, 300, "1,000", "3,000"])
    ax.minorticks_off()
    ax.set_xlim(spend.min(), spend.max())
    ax.set_xlabel("Spend of a customer (logarithmic)")
figure.legend(
    [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in SCORE_COLOURS],
    [f"score {score}" for score in range(1, 6)],
    loc="outside lower center",
    ncols=5,
    frameon=False,
)
plt.show()
