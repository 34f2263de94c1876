"""Segmenters from the files that ``segmenter.save`` wrote."""

from segkit.persistence._load import load

__all__ = ["load"]
