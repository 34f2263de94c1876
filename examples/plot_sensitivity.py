r"""
How far would the edges move?
=============================

Edges are learned from the customers who happen to be in the table. Had others of the same kind been
there, the edges would lie elsewhere, and some customers would have another segment.
:meth:`segkit.RFMScorer.edges_spread` draws the customers again, with replacement, learns the edges
of each draw, and tells how much depends on it.
"""

# sphinx_gallery_thumbnail_number = 2

import matplotlib.pyplot as plt

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

log = make_transactions(1_000, random_state=1)
customers = summarize_transactions(log, order_id="order_id", as_of="2026-01-01")
scorer = RFMScorer().fit(customers)
spread = scorer.edges_spread(customers, n_bootstraps=200, random_state=0)

# %%
# The edges
# ---------
# A bar is the range that holds the edge in 95% of the draws, the dot the edge that was learned.
# Numbers of orders are whole, so most draws agree on their edges to the digit.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
labels = {
    "recency_days": "Days since the last order",
    "frequency": "Number of orders",
    "monetary": "Spend",
}
for ax, (column, label) in zip(axes, labels.items(), strict=True):
    edges = spread.edges[spread.edges["column"] == column]
    ax.hlines(edges["edge"], edges["low"], edges["high"], color="#b3dac2", linewidth=11)
    ax.plot(edges["value"], edges["edge"], "o", color="#0f4a35", markersize=5)
    for edge in edges.itertuples():
        ax.annotate(
            f"{edge.value:,.4g}",
            (edge.value, edge.edge),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
        )
    ax.set_xlabel(label)
    ax.set_xlim(0, edges["high"].max() * 1.1)
    ax.set_ylim(0.5, 4.7)
    ax.set_yticks(range(1, 5), [f"edge {number}" for number in range(1, 5)])
    ax.tick_params(left=False, labelleft=ax is axes[0])
    ax.spines[["top", "right", "left"]].set_visible(False)
figure.get_layout_engine().set(wspace=0.08)
plt.show()

# %%
# The segments
# ------------
# Whose segment depends on the draw? The least certain is the one cell that has edges on all sides,
# Need Attention.

segments = spread.segments
low, high = spread.changed_share_interval

figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
bars = ax.barh(segments["segment"], segments["changed_share"], color="#e58a7b", height=0.7)
ax.bar_label(
    bars,
    [
        f"{share:.0%} of {customers:,}"
        for share, customers in zip(segments["changed_share"], segments["customers"], strict=True)
    ],
    padding=4,
)
ax.invert_yaxis()
ax.set_title(
    f"{spread.changed_share:.0%} of all customers change their segment\n"
    f"({low:.0%} to {high:.0%} in 95% of the draws)",
    loc="left",
    weight="bold",
)
ax.set_xlabel("Mean share of a segment's customers whom another draw puts elsewhere")
ax.set_xlim(0, segments["changed_share"].max() * 1.25)
ax.xaxis.set_major_formatter("{x:.0%}")
ax.tick_params(left=False)
ax.spines[["top", "right", "left"]].set_visible(False)
plt.show()
