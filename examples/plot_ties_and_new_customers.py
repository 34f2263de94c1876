r"""
Ties, and customers who come later
==================================

Scores can be learned or ranked. Ranking is the usual way to get five scores of equal size, and it
has two effects: customers with equal values get different scores, and a score depends on who else
is in the table. Learned edges have neither.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

log = make_transactions(2_000, random_state=0)
customers = summarize_transactions(log, order_id="order_id", as_of="2026-01-01")

# %%
# Two ways to score
# -----------------
# The first ranks the customers at hand, ties in the order of the rows, and cuts the ranks into
# fifths. (Cutting the values themselves fails in pandas where the fifths meet on a tie.) The
# second learns edges once and applies them.


def ranked_scores(frequency: pd.Series) -> np.ndarray:
    """Score 1 to 5 by rank among the customers given."""
    return pd.qcut(frequency.rank(method="first"), 5, labels=False).to_numpy() + 1


scorer = RFMScorer().fit(customers)


def learned_scores(table: pd.DataFrame) -> np.ndarray:
    """Score 1 to 5 by the edges that the scorer has learned."""
    return scorer.transform(table)[:, 1]


# %%
# Ties
# ----
# What score do customers with one order get? By rank, it depends on the row in which they stand.

ranked = ranked_scores(customers["frequency"])
learned = learned_scores(customers)
orders = customers["frequency"].clip(upper=6).to_numpy()
orders_names = ["1 order", "2 orders", "3 orders", "4 orders", "5 orders", "6 or more"]
score_colours = ["#dfe9e3", "#b3dac2", "#6cc08b", "#2f8f66", "#0f4a35"]
text_colours = ["#1c1c22", "#1c1c22", "#1c1c22", "white", "white"]

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
for ax, title, scores in zip(
    axes,
    ["Ranked: ties are split", "Learned edges: ties stay together"],
    [ranked, learned],
    strict=True,
):
    shares = pd.crosstab(orders, scores, normalize="index").reindex(columns=range(1, 6))
    left = np.zeros(len(shares))
    for score, colour, text in zip(shares, score_colours, text_colours, strict=True):
        share = shares[score].fillna(0).to_numpy()
        ax.barh(orders_names, share, left=left, color=colour, edgecolor="white", linewidth=1.5)
        for place in np.flatnonzero(share > 0.03):
            middle = left[place] + share[place] / 2
            ax.text(middle, place, f"{score}", ha="center", va="center", color=text)
        left += share
    ax.set_title(title, loc="left", weight="bold")
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.set_xlabel("Share of the customers with this many orders, by score")
    ax.tick_params(left=False)
    ax.spines[:].set_visible(False)
axes[0].invert_yaxis()
plt.show()

# %%
# Customers who come later
# ------------------------
# The best third by spend, scored as part of all customers and once more on its own, as happens
# when a campaign's list is scored, or next month's customers.

best = customers.nlargest(len(customers) // 3, "monetary")
in_the_whole = {
    "Ranked": pd.Series(ranked, customers.index).loc[best.index].to_numpy(),
    "Learned edges": pd.Series(learned, customers.index).loc[best.index].to_numpy(),
}
on_their_own = {
    "Ranked": ranked_scores(best["frequency"]),
    "Learned edges": learned_scores(best),
}

figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharey=True, layout="constrained")
for ax, how in zip(axes, in_the_whole, strict=True):
    counts = np.zeros((5, 5), dtype=int)
    np.add.at(counts, (on_their_own[how] - 1, in_the_whole[how] - 1), 1)
    changed = 1 - np.trace(counts) / counts.sum()
    for (own, whole), count in np.ndenumerate(counts):
        colour = "#f4f4f5" if count == 0 else "#6cc08b" if own == whole else "#e58a7b"
        ax.add_patch(plt.Rectangle((whole + 0.52, own + 0.52), 0.96, 0.96, color=colour))
        if count:
            ax.text(whole + 1, own + 1, f"{count}", ha="center", va="center", color="#1c1c22")
    ax.set_xlim(0.5, 5.5)
    ax.set_ylim(0.5, 5.5)
    ax.set_aspect("equal")
    ax.set_title(f"{how}: {changed:.0%} of scores change", loc="left", weight="bold")
    ax.set_xlabel("Score among all customers")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
axes[0].set_ylabel("Score of the same customer, scored among the best third")
plt.show()

# %%
# Nobody in this third has ordered anything between the two scorings. By rank, many of them have
# become worse customers.
