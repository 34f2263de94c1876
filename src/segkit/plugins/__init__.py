"""Segmenters of segkit and of other distributions, found by name."""

from segkit.plugins._registry import available, get

__all__ = ["available", "get"]
