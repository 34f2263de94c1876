"""Makes the golden files of format 1: run once, when the format was new, and not again.

``python tests/persistence/golden/make_v1.py`` writes ``customers.csv``, a file of each segmenter,
and ``expected.csv``, which comes from the formulas below and not from segkit: of what was learned
they are given the numbers, of a customer they work out the segment in plain Python.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    KPrototypes,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    SegmentMap,
    ValueTierer,
    summarize_transactions,
)
from segkit.clv import BetaGeoNBD
from segkit.datasets import make_transactions

FOLDER = Path(__file__).parent / "v1"
RULES = [
    {"name": "Web", "when": {"column": "channel", "equals": "Web"}},
    {
        "name": "Small",
        "when": {
            "all": [
                {"column": "monetary", "below": 100.5},
                {"not": {"column": "channel", "matches": "^P"}},
            ]
        },
    },
    {
        "name": "Members",
        "when": {
            "any": [{"column": "is_member", "in": [True]}, {"column": "note", "missing": False}]
        },
    },
]
LOYALTY = SegmentMap({"Active": {"recency": (2, 3)}}, n_bins=3, default="Lapsed")
SEGMENTERS = {
    "rfm": RFMScorer(),
    "rfm_groups": RFMScorer(groups="channel", n_bins=3, segment_map=LOYALTY, missing="unassigned"),
    "rfm_nested": RFMScorer(binning="nested", n_bins=3, segment_map=LOYALTY),
    "stages_rhythm": LifecycleStager(),
    "stages_days": LifecycleStager(method="fixed", at_risk_days=90, stages={"churned": "gone"}),
    "stages_model": LifecycleStager(method="alive", model=BetaGeoNBD()),
    "tiers": ValueTierer(),
    "rules": RuleSegmenter(RULES),
    "crossing": CrossSegmenter([ValueTierer(), RuleSegmenter(RULES)], max_segments=6),
    "clusters": ClusterSegmenter(
        columns=["recency_days", "frequency", "monetary"], n_segments=3, random_state=0
    ),
    "prototypes": ClusterSegmenter(
        KPrototypes(), columns=["frequency", "monetary", "channel"], n_segments=3, random_state=0
    ),
}


def golden_customers():
    """Return sixty customers with columns of each type."""
    log = make_transactions(60, random_state=3)
    customers = summarize_transactions(log, order_id="order_id", extras="last_gap")
    place = np.arange(len(customers))
    return customers.assign(
        channel=np.array(["Web", "Phone", "Shop"])[place % 3],
        is_member=place % 2 == 0,
        note=pd.Series(np.where(place % 5 == 0, "asked to be called", None), dtype=object),
    )[
        [
            "recency_days", "frequency", "monetary", "order_days", "tenure_days", "last_gap_days",
            "channel", "is_member", "note",
        ]
    ]  # fmt: skip


def scores(scorer, row, group=None):
    """Return the scores of a customer: 1 + the number of edges below, or turned around."""
    found = {}
    edges_of = scorer.bin_edges_ if group is None else scorer.group_bin_edges_[group]
    for column, edges in edges_of.items():
        for score in found.values() if np.ndim(edges) > 1 else ():
            edges = edges[score - 1]
        above = sum(row[column] > edge for edge in edges)
        found[column] = len(edges) + 1 - above if column == "recency_days" else above + 1
    return found


def rf_grid(recency, frequency):
    """Return the segment of five scores each, as the documentation draws the grid."""
    if frequency >= 4:
        return {5: "Champions", 4: "Loyal", 3: "Loyal"}.get(
            recency, "Can't Lose" if frequency == 5 else "At Risk"
        )
    if recency >= 4:
        if frequency == 1:
            return "New" if recency == 5 else "Promising"
        return "Potential Loyalist"
    if recency == 3:
        return "Need Attention" if frequency == 3 else "About to Sleep"
    return "At Risk" if frequency == 3 else "Hibernating"


def rfm(scorer, row):
    found = scores(scorer, row)
    return rf_grid(found["recency_days"], found["frequency"])


def loyalty(scorer, row):
    return "Active" if scores(scorer, row)["recency_days"] >= 2 else "Lapsed"


def loyalty_of_group(scorer, row):
    found = scores(scorer, row, row["channel"])
    return "Active" if found["recency_days"] >= 2 else "Lapsed"


def stage(stager, row, silence, limits=None):
    names = dict(zip(["prospect", "new", "active", "reactivated", "at_risk", "churned"],
                     stager.segments_, strict=True))  # fmt: skip
    new, at_risk, churned = limits or stager.thresholds_.values()
    recency, orders, tenure = row["recency_days"], row["order_days"], row["tenure_days"]
    if tenure <= new:
        return names["new"]
    days = tenure - recency
    now = silence(recency, orders, days)
    if now > churned:
        return names["churned"]
    if now > at_risk:
        return names["at_risk"]
    gap = row["last_gap_days"]
    if (
        gap >= 0
        and orders > 1
        and recency <= new
        and silence(gap, orders - 1, days - gap) > churned
    ):
        return names["reactivated"]
    return names["active"]


def stage_by_rhythm(stager, row):
    r, alpha = stager.prior_["r"], stager.prior_["alpha_days"]
    return stage(stager, row, lambda gap, orders, days: gap * (orders + r + 1) / (days + alpha))


def stage_by_days(stager, row):
    return stage(stager, row, lambda gap, orders, days: gap)


def stage_by_model(stager, row):
    """Fader, Hardie & Lee (2005): the BG/NBD's probability that a customer is still active."""
    model = stager.model_

    def gone(recency, orders, days):
        repeats = orders - 1
        if repeats == 0:
            return 0.0
        grown = (model.alpha_ + days + recency) / (model.alpha_ + days)
        odds = model.a_ / (model.b_ + repeats - 1) * grown ** (model.r_ + repeats)
        return odds / (1 + odds)

    new, at_risk, churned = stager.thresholds_.values()
    return stage(stager, row, gone, (new, 1 - at_risk, 1 - churned))


def tier(tierer, row):
    for name, threshold in zip(tierer.segments_, tierer.thresholds_, strict=False):
        if row["monetary"] >= threshold:
            return name
    return tierer.segments_[-2 if row["monetary"] > 0 else -1]


def rule(_, row):
    if row["channel"] == "Web":
        return "Web"
    if row["monetary"] < 100.5 and row["channel"] != "Phone":
        return "Small"
    return "Members" if row["is_member"] or isinstance(row["note"], str) else "Other"


def crossed(crossing, row):
    (_, tierer), (_, rules) = crossing.segmenters_
    cells = crossing.cells_
    is_cell = (cells["valuetierer"] == tier(tierer, row)) & (
        cells["rulesegmenter"] == rule(rules, row)
    )
    return cells.loc[is_cell, "segment"].item()


def prepared(segmenter, row):
    """Return the standardised numbers of a customer, by name."""
    found = {}
    for column in segmenter._preprocessing.columns:
        if column.kind == "number":
            value = row[column.name]
            if column.is_logarithm:
                value = math.copysign(math.log(1 + abs(value)), value)
            found[column.name] = (value - column.mean) / column.scale
    return list(found.values())


def cluster(segmenter, row):
    features = prepared(segmenter, row)
    distances = [math.dist(features, centre) for centre in segmenter.cluster_centers_]
    return segmenter.segments_[distances.index(min(distances))]


def prototype(segmenter, row):
    prototypes, features = segmenter.clusterer_, prepared(segmenter, row)
    (levels,) = [c.levels for c in segmenter._preprocessing.columns if c.kind == "categories"]
    level = str(levels.index(row["channel"]))
    distances = [
        math.dist(features, centre) ** 2 + prototypes.gamma_ * (mode != level)
        for centre, (mode,) in zip(
            prototypes.cluster_centers_, prototypes.cluster_modes_, strict=True
        )
    ]
    label = distances.index(min(distances))
    return segmenter.segments_[segmenter._code_of_label[label]]


BY_HAND = {
    "rfm": rfm,
    "rfm_groups": loyalty_of_group,
    "rfm_nested": loyalty,
    "stages_rhythm": stage_by_rhythm,
    "stages_days": stage_by_days,
    "stages_model": stage_by_model,
    "tiers": tier,
    "rules": rule,
    "crossing": crossed,
    "clusters": cluster,
    "prototypes": prototype,
}


def main():
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    customers = golden_customers()
    customers.to_csv(FOLDER / "customers.csv", index=False)
    expected = pd.DataFrame(index=customers.index)
    for name, segmenter in SEGMENTERS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            segmenter.fit(customers)
        segmenter.save(FOLDER / f"{name}.json")
        version = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["format_version"]
        assert version == 1, "format 1 is not written any more"
        names = segmenter.predict_segments(customers)
        by_hand = [BY_HAND[name](segmenter, row) for row in customers.to_dict("records")]
        assert by_hand == list(names), name
        expected[name] = by_hand
    expected.to_csv(FOLDER / "expected.csv", index=False)


if __name__ == "__main__":
    main()
