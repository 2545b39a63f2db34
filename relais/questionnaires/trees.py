"""A condition of the rules as a JSON tree, which static/questionnaires/condition.js computes without `eval`.

The browser's side of `expressions`: a test on generated answers holds the two equal. Pure: no table, no request.
"""

from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from relais.questionnaires.expressions import Name, read

Tree = list[Any]  # [word, argument, …], arguments being trees or plain values

PAIRS: dict[type[exp.Expr], str] = {
    exp.And: "and", exp.Or: "or", exp.EQ: "=", exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*",
}  # fmt: skip
WORDS: dict[type[exp.Expr], str] = {exp.Not: "not", exp.Neg: "neg", exp.Between: "between", exp.Coalesce: "coalesce"}


def tree(text: str, names: Mapping[str, Name], replaced: Mapping[str, Tree] | None = None) -> Tree:
    """The tree of a condition over `names`; a name of `replaced` gives way to its tree. Raises Refused as `read` does."""
    read(text, names)
    return _tree(sqlglot.parse_one(text, read="postgres"), replaced or {})


def _tree(node: exp.Expr, replaced: Mapping[str, Tree]) -> Tree:
    def of(*nodes: exp.Expr) -> list[Tree]:
        return [_tree(one, replaced) for one in nodes]

    if type(node) in PAIRS:
        return [PAIRS[type(node)], *of(node.this, node.expression)]
    if isinstance(node, exp.Paren):
        return _tree(node.this, replaced)
    if isinstance(node, exp.Column):
        name = ".".join(part.name for part in node.parts)
        return replaced.get(name, ["name", name])
    if isinstance(node, exp.Anonymous):
        return ["has", *of(node.expressions[0]), [_plain(one) for one in node.expressions[1:]]]
    if isinstance(node, exp.In):
        return ["in", *of(node.this), [_plain(one) for one in node.expressions]]
    if isinstance(node, exp.Is):
        return _is(node, of(node.this))
    for kind, word in WORDS.items():
        if isinstance(node, kind):
            parts = [part for key in ("this", "low", "high") if (part := node.args.get(key))]
            return [word, *of(*parts, *node.expressions)]
    return ["value", _plain(node)]


def _is(node: exp.Is, of: list[Tree]) -> Tree:
    if isinstance(node.expression, exp.Null):
        return ["not", ["null", *of]] if node.args.get("negate") else ["null", *of]
    return ["is", *of, bool(node.expression.this)]


def _plain(node: exp.Expr) -> str | float | bool:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    return str(node.this) if node.is_string else float(node.this)
