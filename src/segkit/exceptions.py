"""The errors and warnings that segkit raises: one family, so that a caller can catch them all."""

__all__ = [
    "AlwaysAliveWarning",
    "ColumnError",
    "CorrelatedSpendWarning",
    "LazyFrameError",
    "MissingValuesError",
    "NoStructureWarning",
    "NotConvergedWarning",
    "NotIdentifiedWarning",
    "PluginError",
    "SegkitError",
    "SegkitTypeError",
    "SegkitValueError",
    "SegkitWarning",
    "SegmentMapError",
    "SegmenterFileError",
    "SmallGroupsWarning",
    "TiedScoresWarning",
]


class SegkitError(Exception):
    """Root of every error that segkit raises for a mistake in its input."""


class SegkitValueError(SegkitError, ValueError):
    """A value that cannot be right: a negative recency, an empty log, an infinite amount."""


class SegkitTypeError(SegkitError, TypeError):
    """An object of the wrong kind: text where a number belongs, a list where a frame belongs."""


class ColumnError(SegkitValueError):
    """A column that is needed is absent, doubled, or in the way of a result."""


class MissingValuesError(SegkitValueError):
    """Nulls or NaN where ``missing="raise"`` asks for none."""


class SegmentMapError(SegkitValueError):
    """A segment map that leaves cells uncovered, covers them twice, or does not fit the scores."""


class PluginError(SegkitValueError):
    """A segmenter that no distribution announces, that two do, or that cannot be loaded."""


class SegmenterFileError(SegkitValueError):
    """A file that holds no segmenter, one of a newer format, or one that was changed or cut off."""


class LazyFrameError(SegkitTypeError):
    """A lazy frame where the values themselves are needed."""


class SegkitWarning(UserWarning):
    """Root of every warning that segkit gives."""


class NoStructureWarning(SegkitWarning):
    """Customers who do not fall into groups: clusters are slices of one cloud."""


class SmallGroupsWarning(SegkitWarning):
    """Groups with fewer customers than scores, in which nothing can be learned."""


class TiedScoresWarning(SegkitWarning):
    """Ties leave a column with fewer distinct scores than ``n_bins``."""


class NotIdentifiedWarning(SegkitWarning):
    """Parameters that the data do not determine, and predictions that rest on the model alone."""


class NotConvergedWarning(SegkitWarning):
    """A search for a maximum that ended elsewhere."""


class CorrelatedSpendWarning(SegkitWarning):
    """Spend per order that goes with the number of orders, where a model takes it for unrelated."""


class AlwaysAliveWarning(SegkitWarning):
    """Customers whom a model can never take for gone, however long they are silent."""
