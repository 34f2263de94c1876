"""A segmenter that breaks the contract: who is above the median depends on who else is there."""

import numpy as np
from vital_few import VitalFewSegmenter


class UpperHalfSegmenter(VitalFewSegmenter):
    """Tell the upper half of whoever is in the frame."""

    def _codes(self, values):
        return np.where(values[:, 0] > np.median(values[:, 0]), 0, 1)
