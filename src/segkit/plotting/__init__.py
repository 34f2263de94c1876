"""Pictures of segments, in scikit-learn's Display convention. Needs the extra ``plot``."""

from segkit.plotting._cluster_display import ClusterDisplay
from segkit.plotting._lorenz_display import LorenzDisplay
from segkit.plotting._migration_display import MigrationDisplay
from segkit.plotting._profile_display import ProfileDisplay
from segkit.plotting._rfm_display import RFMDisplay
from segkit.plotting._selection_display import SelectionDisplay
from segkit.plotting._validation_display import ValidationDisplay

__all__ = [
    "ClusterDisplay",
    "LorenzDisplay",
    "MigrationDisplay",
    "ProfileDisplay",
    "RFMDisplay",
    "SelectionDisplay",
    "ValidationDisplay",
]
