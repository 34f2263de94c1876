"""How well customers fall into groups: separation, stability, and the number of groups."""

from segkit.metrics._bootstrap_jaccard import bootstrap_jaccard
from segkit.metrics._gap_statistic import gap_statistic, n_clusters_by_gap
from segkit.metrics._prediction_strength import (
    n_clusters_by_prediction_strength,
    prediction_strength,
)
from segkit.metrics._silhouette import silhouette
from segkit.metrics._simplified_silhouette import simplified_silhouette

__all__ = [
    "bootstrap_jaccard",
    "gap_statistic",
    "n_clusters_by_gap",
    "n_clusters_by_prediction_strength",
    "prediction_strength",
    "silhouette",
    "simplified_silhouette",
]
