r"""
Four ways to find the edges
===========================

What customers spend is skewed: many spend little and a few spend much. How the scores divide such
a distribution is a choice, and ``binning`` makes it.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

log = make_transactions(2_000, return_rate=0.0, random_state=0)
customers = summarize_transactions(log, order_id="order_id", as_of="2026-01-01")
spend = customers["monetary"].to_numpy()

# %%
# The same customers, scored four times
# -------------------------------------

ways = {
    "quantile": "equal shares of the customers",
    "uniform": "equal widths from the smallest value to the largest",
    "kmeans": "values that lie close together",
    "nested": "equal shares among customers of like recency and frequency",
}
scorers = {way: RFMScorer(binning=way).fit(customers) for way in ways}
scores = {way: scorer.transform(customers)[:, 2] for way, scorer in scorers.items()}

# %%
# Three of the ways cut the spend of everybody at the same four edges. Above the bars stand the
# score and its number of customers.
#
# The fourth has edges of its own for each pair of a recency and a frequency score. The picture has
# those of the customers with the highest recency score: the spend that is high for one who ordered
# once is low for one who orders often.

SCORE_COLOURS = ["#dfe9e3", "#b3dac2", "#6cc08b", "#2f8f66", "#0f4a35"]
EDGES_OF_BARS = np.geomspace(spend.min(), spend.max(), 61)

figure, axes = plt.subplots(4, 1, figsize=(9, 9.5), sharex=True, layout="constrained")
for ax, way in zip(axes, ("quantile", "uniform", "kmeans"), strict=False):
    by_score = [spend[scores[way] == score] for score in range(1, 6)]
    ax.hist(by_score, bins=EDGES_OF_BARS, stacked=True, color=SCORE_COLOURS)
    top = ax.get_ylim()[1]
    bounds = [spend.min(), *scorers[way].bin_edges_["monetary"], spend.max()]
    for edge in bounds[1:-1]:
        ax.axvline(edge, color="#55555f", linewidth=1, linestyle=":")
    for score, (low, high) in enumerate(pairwise(bounds), start=1):
        text = f"{score}\n{np.sum(scores[way] == score):,}"
        ax.text(np.sqrt(low * high), top, text, ha="center", va="bottom", fontsize=9)
    ax.set_ylim(0, top * 1.25)
    ax.set_ylabel("Customers")

recency_score = 5
nested = scorers["nested"].bin_edges_["monetary"][recency_score - 1]
for frequency_score, edges in enumerate(nested, start=1):
    bounds = [spend.min(), *edges, spend.max()]
    for (low, high), colour in zip(pairwise(bounds), SCORE_COLOURS, strict=True):
        axes[3].barh(frequency_score, high - low, left=low, color=colour, height=0.85)
axes[3].set_ylabel("Frequency score")

axes[3].set_xscale("log")
axes[3].set_xticks([10, 30, 100, 300, 1_000, 3_000], [10, 30, 100, 300, "1,000", "3,000"])
axes[3].minorticks_off()
axes[3].set_xlim(spend.min(), spend.max())
axes[3].set_xlabel("Spend of a customer (logarithmic)")
for ax, (way, what) in zip(axes, ways.items(), strict=True):
    ax.set_title(f'"{way}": {what}', loc="left", weight="bold", fontsize=11)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(left=False)
plt.show()
