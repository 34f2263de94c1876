"""Expressions of ibis tables that become SQL as a person would write it."""

import math
from collections.abc import Mapping
from typing import Any


def legible(table: Any) -> Any:
    """Return an ibis table with the same values, in simpler expressions.

    A choice inside another becomes one list of cases, and a choice by constants what is chosen.
    Postgres makes numbers of 32 bits and no others of true and false, and computes logarithms to
    any base but e digit by digit.
    """
    import ibis.expr.operations as ops

    def simpler(node: Any, changed: Mapping[str, Any] | None) -> Any:
        node = node.__recreate__(changed) if changed else node
        if isinstance(node, ops.SearchedCase) and isinstance(node.default, ops.SearchedCase):
            rest = node.default
            cases, results = (*node.cases, *rest.cases), (*node.results, *rest.results)
            return ops.SearchedCase(cases, results, rest.default)
        if isinstance(node, ops.SearchedCase) and are_unequal_constants(node.cases[0]):
            chosen = node.results[0]
            return chosen if chosen.dtype == node.dtype else ops.Cast(chosen, node.dtype)
        if isinstance(node, ops.Not) and isinstance(node.arg, ops.IsNull):
            return ops.NotNull(node.arg.arg)
        if isinstance(node, ops.Log) and getattr(node.base, "value", None) == math.e:
            return ops.Ln(node.arg)
        if isinstance(node, ops.Cast) and isinstance(node.arg, ops.Any):
            return ops.Cast(ops.Cast(node.arg, "int32"), node.to)
        return node

    def are_unequal_constants(condition: Any) -> bool:
        sides = (condition.left, condition.right) if isinstance(condition, ops.NotEquals) else ()
        return len({side.value for side in sides if isinstance(side, ops.Literal)}) == 2

    return table.op().replace(simpler).to_expr()
