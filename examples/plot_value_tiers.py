r"""
Few customers make most of the value
====================================

How much of the revenue do the best customers make, and do the same customers make the profit? A
curve answers the first question, ABC tiers put thresholds on it, and the year that follows shows
what the tiers of the past were good for.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from segkit import ValueTierer
from segkit.datasets import make_transactions
from segkit.features import calibration_holdout_split
from segkit.plotting import LorenzDisplay

# %%
# Revenue and profit
# ------------------
# One row per customer as of the end of a year, with what each spent in the year after. To serve
# an order costs something whatever it brings, so that profit is no fixed part of revenue.

log = make_transactions(2_000, random_state=0)
customers = calibration_holdout_split(
    log, calibration_end="2024-12-31", holdout_end="2025-12-31", order_id="order_id"
)
customers["profit"] = 0.4 * customers["monetary"] - 7.5 * customers["frequency"]

tierers = {
    "Revenue": ValueTierer().fit(customers),
    "Profit": ValueTierer(column="profit").fit(customers),
}
for tierer in tierers.values():
    columns = ["segment", "rule", "customers", "share_of_customers", "share_of_value"]
    print(tierer.describe()[columns].round(3).to_string(index=False))

tiers = {name: tierer.predict_segments(customers) for name, tierer in tierers.items()}
print(pd.crosstab(tiers["Revenue"], tiers["Profit"], rownames=["revenue"], colnames=["profit"]))

# %%
# The curves
# ----------
# The further a curve bends away from the dashed line, the fewer customers it takes. Customers who
# cost more than they bring are in the tier without value.

figure, axes = plt.subplots(1, 2, figsize=(12, 5.6), layout="constrained")
for ax, (name, tierer) in zip(axes, tierers.items(), strict=True):
    LorenzDisplay.from_estimator(tierer, ax=ax)
    ax.set_title(f"{name}: {ax.get_title(loc='left')}", loc="left", weight="bold", fontsize=12)
plt.show()

# %%
# What became of the tiers
# ------------------------
# Who was in tier A makes less of the revenue of the year after than of the years before: some of
# what put customers there was chance. To plan by what customers will bring, pass a model that
# predicts it: ``ValueTierer(estimator=...)``.

spent = {
    "until the end of the year": customers["monetary"],
    "in the year after": customers["holdout_monetary"],
}
shares = pd.DataFrame(
    {
        when: amounts.clip(lower=0).groupby(tiers["Revenue"]).sum() / amounts.clip(lower=0).sum()
        for when, amounts in spent.items()
    }
)

figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
names = [name for name in tierers["Revenue"].segments_ if name in shares.index]
place = np.arange(len(names))
for offset, when, colour in zip((-0.2, 0.2), shares, ("#1b7f5c", "#a9d9bd"), strict=True):
    bars = ax.bar(place + offset, shares.loc[names, when], width=0.38, color=colour, label=when)
    ax.bar_label(bars, [f"{100 * share:.0f} %" for share in shares.loc[names, when]], padding=2)
ax.set_xticks(place, names)
ax.set_yticks([])
ax.margins(y=0.12)
ax.set_title("Share of revenue, by tier", loc="left", weight="bold")
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(length=0)
ax.legend(frameon=False)
plt.show()
