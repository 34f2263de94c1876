"""Fitted segmenters of every kind, and their files, unsealed and sealed again."""

import hashlib
import json
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans

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
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue
from segkit.datasets import make_transactions

RULES = [
    {"name": "Web", "when": {"column": "channel", "equals": "Web"}},
    {
        "name": "Phone or small",
        "when": {
            "any": [
                {"column": "channel", "matches": "^P"},
                {
                    "all": [
                        {"column": "monetary", "at_least": 20, "below": 80.5},
                        {"not": {"column": "channel", "missing": True}},
                    ]
                },
            ]
        },
    },
    {"name": "Members", "when": {"column": "is_member", "in": [True]}},
]
LOYALTY = SegmentMap(
    {"Active": {"recency": (2, 3)}, "Lapsed fans": {"recency": 1, "frequency": (2, 3)}},
    n_bins=3,
    default="Lapsed",
)

# Fitted to an array, of which they take columns by position.
OF_ARRAYS = {
    "rfm": RFMScorer(columns=(2, 1, 0)),
    "stages": LifecycleStager(columns=(0, 3, 4)),
    "tiers": ValueTierer(column=2),
    "clusters": ClusterSegmenter(columns=[2, 0], n_segments=2, preprocessor=None, random_state=0),
    "rules": RuleSegmenter([{"name": "Often", "when": {"column": "x1", "at_least": 2}}]),
    "crossing": CrossSegmenter([ValueTierer(column=2), RFMScorer(n_bins=2)]),
}


def drawn_customers(n_customers=300):
    """Return drawn customers with columns of each type."""
    log = make_transactions(n_customers, random_state=0)
    customers = summarize_transactions(
        log, order_id="order_id", extras=("returns", "clv", "last_gap")
    )
    place = np.arange(len(customers))
    return customers.assign(
        channel=np.array(["Web", "Phone", "Shop"])[place % 3], is_member=place % 2 == 0
    )


MIXED = ["frequency", "monetary", "channel"]
SEGMENTERS = {
    "rfm": RFMScorer(),
    "rfm of four columns": RFMScorer(
        columns=("recency_days", "frequency", "monetary", "tenure_days"), n_bins=[3, 4, 5, 12]
    ),
    "rfm, nested": RFMScorer(binning="nested", n_bins=3),
    "rfm, k-means": RFMScorer(binning={"monetary": "kmeans"}),
    "rfm, given edges": RFMScorer(binning={"recency_days": [30, 90, 180, 365]}),
    "rfm, own map": RFMScorer(n_bins=3, segment_map=LOYALTY),
    "rfm, groups": RFMScorer(groups="channel", n_bins=3, missing="unassigned"),
    "rfm, pymc": RFMScorer(segment_map="pymc", n_bins=4, smaller_is_better=["recency_days"]),
    "stages by rhythm": LifecycleStager(),
    "stages by days": LifecycleStager(method="fixed", at_risk_days=45, stages={"churned": "gone"}),
    "stages by a model": LifecycleStager(method="alive", model=BetaGeoNBD()),
    "tiers": ValueTierer(),
    "tiers by quantile": ValueTierer(method="quantile", cuts=[0.1, 0.5], missing="unassigned"),
    "tiers as given": ValueTierer(method="fixed", cuts=[500, 100], tiers=["L", "M", "S"]),
    "tiers of predictions": ValueTierer(estimator=CustomerLifetimeValue()),
    "rules": RuleSegmenter(RULES),
    "rules without default": RuleSegmenter(RULES, default=None),
    "no rules": RuleSegmenter(),
    "crossing": CrossSegmenter([ValueTierer(), RuleSegmenter(RULES)]),
    "crossing with names": CrossSegmenter(
        [("value", ValueTierer()), ("scores", RFMScorer(n_bins=3))], max_segments=5, name=" / "
    ),
    "k-means": ClusterSegmenter(columns=MIXED, n_segments_range=(2, 4), random_state=0),
    "k-means of numbers": ClusterSegmenter(
        columns=MIXED[:2], n_segments=3, random_state=0, names=["x", "y", "z"]
    ),
    "k-means as they are": ClusterSegmenter(
        MiniBatchKMeans(n_init=2),
        columns=MIXED[:2],
        n_segments=3,
        preprocessor=None,
        random_state=0,
    ),
    "prototypes": ClusterSegmenter(KPrototypes(), columns=MIXED, n_segments=3, random_state=0),
    "nearest centre": ClusterSegmenter(
        AgglomerativeClustering(), columns=MIXED, n_segments=3, random_state=0, assigner="centre"
    ),
}


def fitted(name, customers):
    """Return a segmenter of this name, fitted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(SEGMENTERS[name]).fit(customers)


def sealed(document):
    """Return the text of a file with a checksum that fits, computed anew."""
    rest = {key: value for key, value in document.items() if key != "checksum"}
    canonical = json.dumps(rest, separators=(",", ":")).encode()
    return json.dumps({**rest, "checksum": f"sha256:{hashlib.sha256(canonical).hexdigest()}"})
