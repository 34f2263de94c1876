"""Pictures of segments, in scikit-learn's Display convention. Needs the extra ``plot``."""

from segkit.plotting._lorenz_display import LorenzDisplay
from segkit.plotting._rfm_display import RFMDisplay

__all__ = ["LorenzDisplay", "RFMDisplay"]
