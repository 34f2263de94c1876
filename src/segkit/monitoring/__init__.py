"""Whether segments still hold: who moved between them, and what has drifted."""

from segkit.monitoring._migration import Migration
from segkit.monitoring._track import track

__all__ = ["Migration", "track"]
