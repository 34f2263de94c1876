"""Whether segments are real and of use: criteria, each with its evidence."""

__all__: list[str] = []
