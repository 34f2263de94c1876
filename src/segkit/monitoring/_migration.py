"""Who moved from which segment to which, between two tables of customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import pandas as pd

from segkit._frames import UNASSIGNED
from segkit.exceptions import SegkitValueError
from segkit.metrics._arguments import read_choice
from segkit.metrics._migration import wilson_interval
from segkit.profiling._words import number_text, share_text

#: Where newcomers come from, and where leavers go.
NEWCOMER, LEFT = "newcomer", "left"

Quantity: TypeAlias = Literal["customers", "share", "value_before", "value_after", "value_moved"]

# Flows and segments that a summary names.
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class Migration:
    """What :func:`~segkit.monitoring.track` finds: who moved from which segment to which.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each pair of segments: ``before``, ``after``, ``customers``, ``share`` of those
        who were in ``before``, and Wilson's interval of it, ``share_low`` to ``share_high``.
        Customers of the later table only come from ``"newcomer"``, those of the earlier one only
        go to ``"left"``; ``"unassigned"`` is there where somebody has no segment. With a value:
        ``value_before`` and ``value_after``, the sums over these customers in the two tables, and
        ``value_moved``: what movers and leavers were worth when they went, and newcomers when they
        came; 0 for those who stayed.
    segments : pandas.DataFrame
        The balance of each segment, a row each: ``customers_before`` - ``moved_out`` - ``left`` +
        ``moved_in`` + ``newcomers`` = ``customers_after``. With a value: ``value_before`` -
        ``value_out`` - ``value_left`` + ``value_in`` + ``value_new`` + ``value_grown`` =
        ``value_after``, where movers go with what they were worth before and come with what they
        are worth after, and ``value_grown`` is the change of those who stayed.
    customers : pandas.DataFrame
        A row for each customer of either table: the id, ``before``, ``after`` and ``change``
        (``"stayed"``, ``"moved"``, ``"newcomer"``, ``"left"``, or ``"unassigned"`` for who is in
        both tables and without a segment in one of them), and with a value ``value_before`` and
        ``value_after``, NaN in the table without the customer. Those of the earlier table come
        first, in its order.
    names : tuple of str
        The segments in their order, and ``"unassigned"`` where somebody has none.
    confidence : float
        Of the intervals.

    See Also
    --------
    segkit.monitoring.track : Makes it.
    segkit.monitoring.DriftReport : Whether the segmentation still holds.
    segkit.plotting.MigrationDisplay : Draws it.

    Examples
    --------
    >>> import pandas as pd
    >>> from segkit import ValueTierer
    >>> from segkit.monitoring import track
    >>> march = pd.DataFrame({"customer_id": [1, 2, 3, 4], "monetary": [90.0, 9.0, 5.0, 1.0]})
    >>> june = pd.DataFrame({"customer_id": [2, 3, 4, 5], "monetary": [95.0, 5.0, 8.0, 2.0]})
    >>> migration = track(ValueTierer().fit(march), march, june, value="monetary")
    >>> migration.matrix()
    after     A  B  C  No value  left
    before
    A         0  0  0         0     1
    B         1  1  0         0     0
    C         0  1  0         0     0
    No value  0  0  0         0     0
    newcomer  0  0  1         0     0
    """

    table: pd.DataFrame
    segments: pd.DataFrame
    customers: pd.DataFrame
    names: tuple[str, ...]
    confidence: float

    @property
    def has_value(self) -> bool:
        """Whether a value of customers was given."""
        return "value_moved" in self.table

    @property
    def n_before(self) -> int:
        """Customers of the earlier table."""
        return int(self.segments["customers_before"].sum())

    @property
    def n_after(self) -> int:
        """Customers of the later table."""
        return int(self.segments["customers_after"].sum())

    @property
    def n_in_both(self) -> int:
        """Customers of both tables."""
        return self.n_before - self.n_leavers

    @property
    def n_followed(self) -> int:
        """Customers of both tables who had a segment before."""
        known = self.segments.loc[self._is_segment]
        return int((known["customers_before"] - known["left"]).sum())

    @property
    def n_stayed(self) -> int:
        """Customers who are in the segment where they were."""
        return int(self.segments.loc[self._is_segment, "stayed"].sum())

    @property
    def n_moved(self) -> int:
        """Customers who are in another segment than they were."""
        return self._changed("moved")

    @property
    def n_newcomers(self) -> int:
        """Customers of the later table only."""
        return int(self.segments["newcomers"].sum())

    @property
    def n_leavers(self) -> int:
        """Customers of the earlier table only."""
        return int(self.segments["left"].sum())

    def matrix(self, of: Quantity = "customers") -> pd.DataFrame:
        """Return the table as a matrix: from each segment to each.

        Parameters
        ----------
        of : {"customers", "share", "value_before", "value_after", "value_moved"}, \
default="customers"
            What to show. Shares are of those who were in the segment of the row; of ``"newcomer"``,
            of all newcomers. Values are there where `track` was given one.

        Returns
        -------
        pandas.DataFrame of shape (n_names + 1, n_names + 1)
            A row for each segment before, then ``"newcomer"``; a column for each segment after,
            then ``"left"``. Nobody is both; counts say 0 there.

        Raises
        ------
        SegkitValueError
            For another quantity, and for values without any.
        """
        read_choice(of, get_args(Quantity), name="of", owner="Migration.matrix")
        if of not in self.table:
            raise SegkitValueError(
                f"Migration.matrix: {of!r} needs a value. Pass track(..., value=...) with the name "
                "of its column."
            )
        wide = self.table.set_index(["before", "after"])[of].unstack()  # noqa: PD010 (no sums)
        wide = wide.reindex(index=[*self.names, NEWCOMER], columns=[*self.names, LEFT])
        is_count = of == "customers"
        return wide.fillna(0).astype("int64") if is_count else wide

    def summary(self) -> str:
        """Say in words who moved.

        Returns
        -------
        str
            A line each for those who stayed, the largest moves, newcomers, leavers, and the value
            that moved.
        """
        interval = wilson_interval(self.n_stayed, self.n_followed, self.confidence)
        share, low, high = (share_text(float(one)) for one in interval)
        lines = [
            f"{self.n_before:,} customers before, {self.n_after:,} after, {self.n_in_both:,} in "
            "both.",
            f"- stayed: {self.n_stayed:,} of {self.n_followed:,} who had a segment and are still "
            f"there, {share} ({low} to {high}).",
        ]
        flows = self.table[self.table["before"] != self.table["after"]]
        within = flows[flows["before"].isin(self.names) & flows["after"].isin(self.names)]
        lines.append(f"- moved: {self.n_moved:,}{_largest(within, '{before} to {after}')}.")
        if n_lost := self._changed("unassigned"):
            lines.append(f"- without a segment before or after: {n_lost:,}.")
        new, left = flows[flows["before"] == NEWCOMER], flows[flows["after"] == LEFT]
        lines += [
            f"- newcomers: {self.n_newcomers:,}{_largest(new, 'into {after}')}.",
            f"- left: {self.n_leavers:,}{_largest(left, 'from {before}')}.",
        ]
        if self.has_value:
            moved = number_text(float(within["value_moved"].sum()))
            gone, come = (number_text(float(one["value_moved"].sum())) for one in (left, new))
            of_all = number_text(float(self.segments["value_before"].sum()))
            lines.append(
                f"- value: of {of_all} before, {moved} moved to another segment and {gone} left; "
                f"newcomers brought {come}."
            )
        return "\n".join(lines)

    @property
    def _is_segment(self) -> pd.Series[bool]:
        return self.segments["segment"] != UNASSIGNED

    def _changed(self, change: str) -> int:
        return int((self.customers["change"] == change).sum())


def _largest(flows: pd.DataFrame, said: str) -> str:
    """Return the largest of some flows, in words."""
    largest: Any = flows.nlargest(_MOST_NAMED, "customers")
    largest = largest[largest["customers"] > 0].to_dict("records")
    told = ", ".join(f"{flow['customers']:,} {said.format(**flow)}" for flow in largest)
    return f"; most: {told}" if told else ""
