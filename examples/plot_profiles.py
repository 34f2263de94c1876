r"""
Profiles: who the segments are
==============================

Segments are codes until somebody says who is in them. :class:`~segkit.SegmentProfiler` does, for a
segmenter or for labels that come from elsewhere: what each segment is like, in which variables
segments differ at all, and a persona of each whose sentences are numbers.

Where the environment variable ``SEGKIT_DATA`` names the folder of their files, the tables are two
public ones, and it is these that the text speaks of: the data set "Customer Personality Analysis",
households with what they buy, and Hillstrom, customers of a test of e-mails. Else both are drawn.
"""

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit import ClusterSegmenter, SegmentProfiler
from segkit.plotting import ProfileDisplay


def read_households(path: Path) -> pd.DataFrame:
    """Read the public table, and make columns of it that compare."""
    raw = pd.read_csv(path, sep=";", encoding="utf-8-sig")
    raw = raw.drop(columns="ID").drop_duplicates(ignore_index=True)
    return pd.DataFrame(
        {
            "age": (2014 - raw["Year_Birth"]).where(raw["Year_Birth"] >= 1920),
            "income": raw["Income"].where(raw["Income"] < 600_000),
            "education": raw["Education"],
            "partner": raw["Marital_Status"].isin(["Married", "Together"]),
            "children": raw["Kidhome"] + raw["Teenhome"],
            "customer_since": pd.to_datetime(raw["Dt_Customer"]),
            "spend": raw.filter(regex="^Mnt(?!Gold)").sum(axis=1),
            "wine": raw["MntWines"],
            "meat": raw["MntMeatProducts"],
            "deals": raw["NumDealsPurchases"],
            "web_orders": raw["NumWebPurchases"],
            "catalogue_orders": raw["NumCatalogPurchases"],
            "store_orders": raw["NumStorePurchases"],
            "web_visits": raw["NumWebVisitsMonth"],
            "complained": raw["Complain"],
            "responded": raw["Response"],
        }
    )


def draw_households() -> pd.DataFrame:
    """Draw households of two kinds, which spend much and little."""
    rng = np.random.default_rng(0)
    much = rng.random(1_000) < 0.4
    days = pd.to_timedelta(rng.integers(0, 700, much.size), unit="D")
    drawn = {
        "age": rng.normal(45, 12, much.size).round(),
        "income": rng.normal(np.where(much, 60_000, 35_000), 12_000),
        "education": rng.choice(["Graduation", "Master", "PhD"], much.size),
        "partner": rng.random(much.size) < 0.64,
        "children": rng.poisson(np.where(much, 0.3, 1.3)),
        "customer_since": pd.Timestamp("2012-07-30") + days,
        "spend": rng.lognormal(np.where(much, 6.8, 4.5), 0.6).round(),
        "wine": rng.lognormal(np.where(much, 6.1, 3.6), 0.9).round(),
        "meat": rng.lognormal(np.where(much, 5.7, 3.0), 0.9).round(),
        "deals": rng.poisson(2, much.size),
        "web_orders": rng.poisson(np.where(much, 7, 3)),
        "catalogue_orders": rng.poisson(np.where(much, 5, 1)),
        "store_orders": rng.poisson(np.where(much, 8, 3)),
        "web_visits": rng.poisson(np.where(much, 3, 6)),
        "complained": (rng.random(much.size) < 0.01).astype(int),
        "responded": (rng.random(much.size) < np.where(much, 0.25, 0.08)).astype(int),
    }
    return pd.DataFrame(drawn)


def draw_mail_customers() -> pd.DataFrame:
    """Draw customers with segments by what they spent in the past year."""
    rng = np.random.default_rng(0)
    history = rng.lognormal(5, 1, 5_000)
    bounds = [0, 100, 200, 350, 500, 750, 1_000, 9_000_000]
    names = [
        "0 - 100",
        "100 - 200",
        "200 - 350",
        "350 - 500",
        "500 - 750",
        "750 - 1,000",
        "1,000 +",
    ]
    drawn = {
        "recency": rng.integers(1, 13, history.size),
        "history_segment": pd.cut(history, bounds, labels=names),
        "history": history.round(2),
        "zip_code": rng.choice(["Rural", "Suburban", "Urban"], history.size),
        "newbie": (rng.random(history.size) < 60 / (60 + history)).astype(int),
        "channel": rng.choice(["Phone", "Web", "Multichannel"], history.size),
        "visit": (rng.random(history.size) < 0.15).astype(int),
    }
    return pd.DataFrame(drawn)


#: Parts of the spend that clusters are made of.
PARTS = ["wine", "meat"]

if folder := os.environ.get("SEGKIT_DATA"):
    households = read_households(Path(folder, "marketing_campaign_kaggle.csv"))
    mailed = pd.read_csv(Path(folder, "hillstrom.csv"))
    mailed = mailed.drop(columns=["segment", "conversion", "spend"])
else:
    households, mailed = draw_households(), draw_mail_customers()

# %%
# Personas
# --------
# The segments are four clusters of what households buy and where. The profiler fits the segmenter,
# describes all columns, and is told which of them belong together, which is value, which ones the
# clusters are made of or follow from, and how some are said. Response to the last campaign is an
# outcome: no cluster was made of it.

orders = ["web_orders", "catalogue_orders", "store_orders"]
profiler = SegmentProfiler(
    ClusterSegmenter(
        n_segments=4,
        columns=["spend", "deals", "web_visits", *orders],
        order_by="spend",
        random_state=0,
    ),
    value="spend",
    basis=[*("spend", "deals", "web_visits", *orders), *PARTS],
    groups={
        "demographic": ["age", "income", "education", "partner", "children"],
        "channel preference": orders,
        "outcome": ["responded"],
    },
    phrases={
        "age": "{} years old",
        "income": "income {}",
        "spend": "spends {}",
        "partner": "{} with a partner",
        "responded": "{} responded",
        "complained": "{} complained",
        "customer_since": "customers since {}",
    },
).fit(households)

for persona in profiler.personas_.values():
    print(persona, "\n")

# %%
# What drives the segmentation
# ----------------------------
# Variables that the clusters were made of differ by construction, and so do their parts; they are
# marked as descriptive. Of the others the p-values mean something. Effects are on the scale of a
# correlation: income and children drive these segments as much as the basis does, and whether there
# is a partner says nothing about them.

columns = ["variable", "is_descriptive", "effect", "effect_size", "p_adjusted"]
print(profiler.differences_[columns].round(3).to_string(index=False))

# %%
# Pictures
# --------
# An index of 100 is the average of everyone. What would tell of fewer than ten households is left
# out of pictures, personas and reports.

ProfileDisplay.from_estimator(profiler, kind="heatmap", max_rows=14)
plt.show()

# %%
# The snake plot has the differences from all other households in standard deviations, which compare
# across variables; an index compares across segments.

ProfileDisplay.from_estimator(profiler, kind="snake", max_rows=12)
plt.show()

# %%
# And one variable by segment:

ProfileDisplay.from_estimator(profiler, kind="distribution", variable="income")
plt.show()

# %%
# Labels from elsewhere
# ---------------------
# Hillstrom's table has a column of segments: bands of what customers spent in the past year. It is
# passed by its name, and with it what the bands were made of.

crm = SegmentProfiler(value="history", basis=["history"]).fit(mailed, y="history_segment")
print(crm.sizes_.round(3).to_string(index=False))
print(crm.differences_[columns].round(3).to_string(index=False))

# sphinx_gallery_thumbnail_number = 1
ProfileDisplay.from_estimator(crm, kind="distribution", variable="channel")
plt.show()

# %%
# Where customers live does not differ between the bands; whether they are new does, and through how
# many channels they buy: of those who spent up to 200 dollars nobody is a multichannel customer.
#
# A report
# --------
# ``to_markdown`` and ``to_html`` have all of it on a page to share. The beginning of one:

print(crm.to_markdown(title="Customers by spend")[:1_500])
