"""Who the segments are: profiles of customers by segment, from any source of labels."""

__all__: list[str] = []
