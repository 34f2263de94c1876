"""Labels and choices in ibis tables, as a person would write them in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from segkit._frames import UNASSIGNED


def with_label(table: Any, code: str, labels: Sequence[str], name: str) -> Any:
    """Return an ibis table with the label of each code, by a list of cases.

    It names the code once. Engines that write out what a code is, as Postgres does, would do so
    for each comparison.
    """
    return table.mutate(**{name: table[code].cases(*enumerate(labels), else_=UNASSIGNED)})


def with_flat_choices(table: Any) -> Any:
    """Return the same ibis table with CASE ... ELSE CASE ... as one list of cases, and LN for LOG.

    Postgres computes logarithms to a given base digit by digit.
    """
    import ibis.expr.operations as ops

    def flat(node: Any, changed: Mapping[str, Any] | None) -> Any:
        node = node.__recreate__(changed) if changed else node
        if isinstance(node, ops.SearchedCase) and isinstance(node.default, ops.SearchedCase):
            rest = node.default
            return ops.SearchedCase(
                (*node.cases, *rest.cases), (*node.results, *rest.results), rest.default
            )
        if isinstance(node, ops.Log) and _is_e(node.base):
            return ops.Ln(node.arg)
        return node

    return table.op().replace(flat).to_expr()


def _is_e(base: Any) -> bool:
    return getattr(base, "value", None) == 2.718281828459045
