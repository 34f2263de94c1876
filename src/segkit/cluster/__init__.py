"""Clustering: groups of customers that the data suggest, as scikit-learn clusterers."""

from segkit.cluster._k_prototypes import KPrototypes

__all__ = ["KPrototypes"]
