"""How well customers fall into groups: separation, stability, and the number of groups."""

from segkit.metrics._bootstrap_jaccard import bootstrap_jaccard
from segkit.metrics._effect_sizes import cramers_v, epsilon_squared, omega_squared
from segkit.metrics._gap_statistic import gap_statistic, n_clusters_by_gap
from segkit.metrics._migration import migration_matrix
from segkit.metrics._number_of_clusters import NumberOfClusters, number_of_clusters
from segkit.metrics._population_stability import population_stability_index
from segkit.metrics._prediction_strength import (
    n_clusters_by_prediction_strength,
    prediction_strength,
)
from segkit.metrics._silhouette import silhouette
from segkit.metrics._simplified_silhouette import simplified_silhouette
from segkit.metrics._structure_test import StructureTest, structure_test

__all__ = [
    "NumberOfClusters",
    "StructureTest",
    "bootstrap_jaccard",
    "cramers_v",
    "epsilon_squared",
    "gap_statistic",
    "migration_matrix",
    "n_clusters_by_gap",
    "n_clusters_by_prediction_strength",
    "number_of_clusters",
    "omega_squared",
    "population_stability_index",
    "prediction_strength",
    "silhouette",
    "simplified_silhouette",
    "structure_test",
]
