r"""
Clusters: natural kinds, or slices of a cloud?
==============================================

A clusterer always returns clusters. Two tables of customers show what to ask before they become
segments: how many there are, whether there is any structure at all, and which segments would be
found again in other customers.

Where the environment variable ``SEGKIT_DATA`` names the folder of their files, the tables are two
public ones, and it is these that the text speaks of: the data set "Customer Personality Analysis",
households with age, income and family, and Online Retail, which has orders alone. Else both are
drawn.
"""

import os
import warnings
from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit import summarize_transactions
from segkit.datasets import load_online_retail, make_transactions
from segkit.exceptions import SegkitWarning
from segkit.metrics import bootstrap_jaccard
from segkit.plotting import ClusterDisplay, SelectionDisplay
from segkit.segmenters import ClusterSegmenter

# %%
# A table with its dirt
# ---------------------
# What :class:`~segkit.segmenters.ClusterSegmenter` cannot know is done by hand. 182 of 2,240 rows
# equal another one in all but the id. The date of enrolment becomes days. Births before 1920 and an
# income of 666,666 are errors, and so missing. Levels of education get their order, products and
# campaigns are summed. Rare levels of marital status ("YOLO", "Absurd") may stay: they are pooled.


def read_households(path: Path) -> pd.DataFrame:
    """Read the public table, and make columns of it that compare."""
    raw = pd.read_csv(path, sep=";", encoding="utf-8-sig")
    raw = raw.drop(columns="ID").drop_duplicates(ignore_index=True)
    since = pd.to_datetime(raw["Dt_Customer"])
    education = ["Basic", "2n Cycle", "Graduation", "Master", "PhD"]
    return pd.DataFrame(
        {
            "age": (2014 - raw["Year_Birth"]).where(raw["Year_Birth"] >= 1920),
            "income": raw["Income"].where(raw["Income"] < 600_000),
            "education": pd.Categorical(raw["Education"], education, ordered=True),
            "marital": raw["Marital_Status"],
            "children": raw["Kidhome"] + raw["Teenhome"],
            "tenure_days": (since.max() - since).dt.days,
            "wine": raw["MntWines"],
            "food": raw.filter(regex="Fruits|Meat|Fish|Sweet").sum(axis=1),
            "web_orders": raw["NumWebPurchases"],
            "catalogue_orders": raw["NumCatalogPurchases"],
            "store_orders": raw["NumStorePurchases"],
            "deals": raw["NumDealsPurchases"],
            "web_visits": raw["NumWebVisitsMonth"],
            "responded": raw.filter(regex="AcceptedCmp|Response").any(axis=1),
        }
    )


def draw_households() -> pd.DataFrame:
    """Draw households of two kinds, which spend much and little."""
    rng = np.random.default_rng(0)
    much = rng.random(1_000) < 0.4
    drawn = {
        "income": rng.normal(np.where(much, 60_000, 35_000), 12_000),
        "marital": rng.choice(["Married", "Single", "Together"], much.size),
        "children": rng.poisson(np.where(much, 0.3, 1.3)),
        "wine": rng.lognormal(np.where(much, 5.5, 3.7), 0.9),
        "web_orders": rng.poisson(np.where(much, 7, 3)),
        "store_orders": rng.poisson(np.where(much, 8, 3)),
    }
    return pd.DataFrame(drawn)


if folder := os.environ.get("SEGKIT_DATA"):
    households = read_households(Path(folder, "marketing_campaign_kaggle.csv"))
    log, as_of = load_online_retail(Path(folder, "online_retail.csv.gz")), "2011-12-09"
else:
    households = draw_households()
    log, as_of = make_transactions(2_000, random_state=0), "2026-01-01"

# %%
# How many?
# ---------
# ``fit`` prepares the columns, tries two to ten segments, and tests for structure.

segmenter = ClusterSegmenter(random_state=0).fit(households)
test = segmenter.structure_test_
print(segmenter.preprocessing_summary_.to_string(index=False))
print(f"structure: {segmenter.has_structure_} (p = {test.p_value:.1g}, excess {test.excess:.2f})")
print(segmenter.describe().round(2).to_string(index=False))

SelectionDisplay.from_estimator(segmenter)
plt.show()

# %%
# Two segments, say all criteria: households that buy much, and those that buy little, with fewer
# in between than a cloud without groups would have.
#
# Would the test have claimed it anyway? With each column shuffled on its own, nothing is left but
# what a column shows alone, and the segmenter warns:

rng = np.random.default_rng(0)
shuffled = households.apply(lambda column: rng.permutation(column.array))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", SegkitWarning)
    ClusterSegmenter(random_state=0).fit(shuffled.astype(households.dtypes))
print(fill(str(caught[0].message)))

# %%
# More of them, and how stable
# ----------------------------
# Two segments are few for a campaign, and the number may be given. What finer segments are worth is
# told by how well each is found again when customers are drawn anew, with replacement: a Jaccard
# similarity above 0.85 is highly stable; below 0.75, who belongs to a segment is in doubt.


def stability(table: pd.DataFrame, segmenter: ClusterSegmenter) -> pd.DataFrame:
    """Return the size of each segment, and how similar it is in 50 resamples."""
    found = bootstrap_jaccard(
        table, segmenter.labels_, clusterer=segmenter, n_bootstraps=50, random_state=0
    )
    return found.set_index(segmenter.segments_)[["customers", "mean_jaccard", "low_jaccard"]]


finer = {
    number: ClusterSegmenter(n_segments=number, order_by="income", random_state=0).fit(households)
    for number in range(2, 8)
}
stable = {number: stability(households, segmenter) for number, segmenter in finer.items()}

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for number, found in stable.items():
    sizes = found["customers"] / 4
    ax.scatter([number] * number, found["mean_jaccard"], sizes, color="#1b7f5c", alpha=0.55)
for bound, what in ((0.85, "highly stable above"), (0.75, "in doubt below")):
    ax.axhline(bound, color="#8a8a94", linewidth=1, linestyle=":", zorder=0)
    ax.text(1.45, bound + 0.004, what, fontsize=9, color="#55555f")
ax.set(xlim=(1.4, 7.5), xlabel="Number of segments")
ax.set_title("Mean Jaccard similarity of each segment, its area by customers", loc="left")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Up to five, all segments are highly stable; of six, only two. The five are the two kinds cut once
# more, but for the third: 367 households that look for deals, on both sides of the first cut. There
# are no gaps between the five.

print(stable[5].round(2).to_string())
# sphinx_gallery_thumbnail_number = 3
ClusterDisplay.from_estimator(finer[5], households)
plt.show()

# %%
# Orders alone
# ------------
# Recency, frequency and spend of a shop. The few customers whose returns are worth as much as their
# orders are left out: on a logarithmic scale they are so far away that they would be a segment.

customers = summarize_transactions(log, order_id="order_id", as_of=as_of, missing="drop")
orders = customers.loc[customers["monetary"] > 0, ["recency_days", "frequency", "monetary"]]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", SegkitWarning)
    found = ClusterSegmenter(order_by="monetary", random_state=0).fit(orders)
print(fill(str(caught[0].message)))
print(f"p = {found.structure_test_.p_value:.2g}, excess {found.structure_test_.excess:.2f}")

sliced = ClusterSegmenter(n_segments=found.n_segments_, order_by="monetary", random_state=0)
print(stability(orders, sliced.fit(orders)).round(2).to_string())
ClusterDisplay.from_estimator(sliced, orders)
plt.show()

# %%
# The segments are cut out of one cloud, and still are as stable as can be: k-means cuts the same
# cloud in the same place every time. Stable does not mean real. To sort customers by how much they
# buy, the segments serve all the same; but where to cut is a decision then, and scores whose
# thresholds can be read, as in :doc:`RFM </user_guide/rfm>`, make it plainer.
