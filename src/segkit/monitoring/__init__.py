"""Whether segments still hold: who moved between them, and what has drifted."""

from segkit.monitoring._drift_report import DriftReport
from segkit.monitoring._migration import Migration
from segkit.monitoring._track import track

__all__ = ["DriftReport", "Migration", "track"]
