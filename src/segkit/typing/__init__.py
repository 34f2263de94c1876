"""Types for the code of those who use segkit."""

from segkit.typing._segmenter import Segmenter

__all__ = ["Segmenter"]
