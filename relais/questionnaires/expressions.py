"""The language of alert rules: one SQL condition over documented names, read by sqlglot, computed by Polars.

What is not written here is refused when the rule is written, in French and with its place: a rule that is stored can
be computed, by the live alert and by the replay of two weeks alike. Missing values follow SQL (NULL); a rule whose
result is NULL has not fired. Pure: no table, no request.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import polars as pl
import sqlglot
from django.utils.translation import gettext as _
from sqlglot import exp
from sqlglot.errors import SqlglotError

from relais.core.errors import Refused

LONGEST = 1000  # characters; the longest rule of ours has some 200


class Kind(Enum):
    """What a name holds."""

    NUMBER = "nombre"
    FLAG = "oui ou non"
    CODE = "réponse"
    CODES = "réponses"


COLUMNS: dict[Kind, pl.DataType] = {
    Kind.NUMBER: pl.Float64(),
    Kind.FLAG: pl.Boolean(),
    Kind.CODE: pl.String(),
    Kind.CODES: pl.List(pl.String()),
}


@dataclass(frozen=True)
class Name:
    """A name that rules may use: what it holds, the codes it can take, what it means for who writes a rule."""

    kind: Kind
    codes: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Expression:
    """A condition that was read: its text, the names it uses, the Polars expression (Boolean, never NULL)."""

    text: str
    uses: frozenset[str]
    column: pl.Expr


Read = tuple[pl.Expr, Kind]
COMPARISONS: dict[type[exp.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
}
ARITHMETIC: dict[type[exp.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
}


def read(text: str, names: Mapping[str, Name]) -> Expression:
    """Read a condition over `names`: comparisons, AND, OR, NOT, IN, BETWEEN, IS, COALESCE, + - *, has(name, 'code', …).

    Raises Refused with the place of what is wrong: syntax, an unknown name or code, a word that the language lacks, a
    number compared with an answer.
    """
    if len(text) > LONGEST:
        raise Refused(_("Cette règle est trop longue : %d caractères au plus.") % LONGEST)
    try:
        trees = [tree for tree in sqlglot.parse(text, read="postgres") if tree is not None]
    except (SqlglotError, RecursionError) as error:
        raise Refused(_syntax(error)) from None
    if len(trees) != 1:
        raise Refused(_("Écrivez une condition, et une seule."))
    reader = _Reader(names)
    column, kind = reader.read(trees[0])
    if kind is not Kind.FLAG:
        raise Refused(_("Une règle est une condition : elle répond par oui ou non."))
    return Expression(text, frozenset(reader.uses), column.fill_null(value=False))


def frame(answers: Iterable[Mapping[str, object]], names: Mapping[str, Name]) -> pl.DataFrame:
    """Rows of {name: value} as columns of the kinds of `names`; what is absent is NULL, other keys are left out."""
    rows = list(answers)
    return pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in names},
        schema={name: COLUMNS[one.kind] for name, one in names.items()},
        strict=False,
    )


def judge(rows: pl.DataFrame, rules: Mapping[str, Expression]) -> pl.DataFrame:
    """For each row, whether each rule fired: one Boolean column a rule, named by its key."""
    return rows.select(rule.column.alias(key) for key, rule in rules.items())


class _Reader:
    """Walks one condition; what it does not know, it refuses."""

    def __init__(self, names: Mapping[str, Name]) -> None:
        self.names = names
        self.uses: set[str] = set()

    def read(self, node: exp.Expr) -> Read:
        for kinds, method in (
            ((exp.And, exp.Or), self._both),
            ((exp.Not,), self._not),
            ((exp.Paren,), lambda one: self.read(one.this)),
            (tuple(COMPARISONS), self._compare),
            (tuple(ARITHMETIC), self._arithmetic),
            ((exp.Neg,), self._negative),
            ((exp.Between,), self._between),
            ((exp.In,), self._in),
            ((exp.Is,), self._is),
            ((exp.Coalesce,), self._coalesce),
            ((exp.Anonymous,), self._has),
            ((exp.Column,), self._name),
            ((exp.Literal, exp.Boolean), self._value),
        ):
            if isinstance(node, kinds):
                return method(node)
        raise Refused(_("« %s » n’existe pas dans les règles.") % node.sql(dialect="postgres")[:60])

    def _both(self, node: exp.Expr) -> Read:
        left, right = self._flag(node.this), self._flag(node.expression)
        return (left & right if isinstance(node, exp.And) else left | right), Kind.FLAG

    def _not(self, node: exp.Expr) -> Read:
        return ~self._flag(node.this), Kind.FLAG

    def _flag(self, node: exp.Expr) -> pl.Expr:
        column, kind = self.read(node)
        if kind is not Kind.FLAG:
            raise Refused(_("« %s » n’est pas une condition : comparez-la à une valeur.") % _words(node))
        return column

    def _number(self, node: exp.Expr) -> pl.Expr:
        column, kind = self.read(node)
        if kind is not Kind.NUMBER:
            raise Refused(_("« %s » n’est pas un nombre.") % _words(node))
        return column

    def _compare(self, node: exp.Expr) -> Read:
        (left, left_kind), (right, right_kind) = self.read(node.this), self.read(node.expression)
        if left_kind is not right_kind or Kind.CODES in (left_kind, right_kind):
            raise Refused(
                _("« %(left)s » et « %(right)s » ne se comparent pas (%(left_kind)s, %(right_kind)s).")
                % {
                    "left": _words(node.this), "right": _words(node.expression),
                    "left_kind": left_kind.value, "right_kind": right_kind.value,
                }
            )  # fmt: skip
        if left_kind is not Kind.NUMBER and not isinstance(node, (exp.EQ, exp.NEQ)):
            raise Refused(_("« %s » : seuls les nombres sont plus grands ou plus petits.") % _words(node))
        for name, value in ((node.this, node.expression), (node.expression, node.this)):
            self._check_codes(name, [value])
        return COMPARISONS[type(node)](left, right), Kind.FLAG

    def _arithmetic(self, node: exp.Expr) -> Read:
        return ARITHMETIC[type(node)](self._number(node.this), self._number(node.expression)), Kind.NUMBER

    def _negative(self, node: exp.Expr) -> Read:
        return -self._number(node.this), Kind.NUMBER

    def _between(self, node: exp.Expr) -> Read:
        value, low, high = (self._number(node.args[key]) for key in ("this", "low", "high"))
        return (value >= low) & (value <= high), Kind.FLAG

    def _in(self, node: exp.Expr) -> Read:
        column, kind = self.read(node.this)
        values = node.expressions
        if kind not in (Kind.NUMBER, Kind.CODE) or not values or not all(isinstance(v, exp.Literal) for v in values):
            raise Refused(_("« %s » : après IN, écrivez des valeurs entre parenthèses.") % _words(node))
        if any(self._value(one)[1] is not kind for one in values):
            raise Refused(_("« %s » mêle des nombres et des réponses.") % _words(node))
        self._check_codes(node.this, values)
        return column.is_in([_plain(one) for one in values]), Kind.FLAG

    def _is(self, node: exp.Expr) -> Read:
        column, kind = self.read(node.this)
        wanted = node.expression
        if isinstance(wanted, exp.Null):
            return (column.is_not_null() if node.args.get("negate") else column.is_null()), Kind.FLAG
        if isinstance(wanted, exp.Boolean) and kind is Kind.FLAG:
            return (column if wanted.this else ~column).fill_null(value=False), Kind.FLAG
        raise Refused(_("« %s » : après IS, écrivez NULL, TRUE ou FALSE.") % _words(node))

    def _coalesce(self, node: exp.Expr) -> Read:
        parts = [self.read(one) for one in (node.this, *node.expressions)]
        if len({kind for _column, kind in parts}) != 1:
            raise Refused(_("« %s » mêle des valeurs de sortes différentes.") % _words(node))
        return pl.coalesce([column for column, _kind in parts]), parts[0][1]

    def _has(self, node: exp.Expr) -> Read:
        arguments = node.expressions
        if node.name.lower() != "has" or len(arguments) < 2:
            raise Refused(_("La fonction « %s » n’existe pas dans les règles.") % node.name)
        column, kind = self.read(arguments[0])
        if kind is not Kind.CODES or not all(isinstance(one, exp.Literal) and one.is_string for one in arguments[1:]):
            raise Refused(
                _("« %s » : has() prend une question à plusieurs réponses, puis des réponses.") % _words(node)
            )
        self._check_codes(arguments[0], arguments[1:])
        return column.list.set_intersection([one.this for one in arguments[1:]]).list.len() > 0, Kind.FLAG

    def _name(self, node: exp.Expr) -> Read:
        name = _dotted(node)
        if name not in self.names:
            raise Refused(_("« %(name)s »%(place)s n’existe pas.") % {"name": name, "place": _place(node)})
        self.uses.add(name)
        return pl.col(name), self.names[name].kind

    def _value(self, node: exp.Expr) -> Read:
        if isinstance(node, exp.Boolean):
            return pl.lit(bool(node.this)), Kind.FLAG
        return pl.lit(_plain(node)), Kind.CODE if node.is_string else Kind.NUMBER

    def _check_codes(self, name: exp.Expr, values: list[exp.Expr]) -> None:
        if not isinstance(name, exp.Column):
            return
        known = self.names[_dotted(name)]
        for one in values:
            if known.codes and isinstance(one, exp.Literal) and one.is_string and one.this not in known.codes:
                raise Refused(
                    _("« %(value)s » n’est pas une réponse de %(name)s (%(codes)s).")
                    % {"value": one.this, "name": _words(name), "codes": ", ".join(known.codes)}
                )


def _plain(node: exp.Expr) -> str | float:
    return str(node.this) if node.is_string else float(node.this)


def _words(node: exp.Expr) -> str:
    return node.sql(dialect="postgres")


def _parts(node: exp.Expr) -> list[exp.Expr]:
    return list(node.parts) if isinstance(node, exp.Column) else []


def _dotted(node: exp.Expr) -> str:
    """A linkId has points: to SQL its parts are a column of a table of a database."""
    return ".".join(part.name for part in _parts(node))


def _place(node: exp.Expr) -> str:
    found = [part.meta["start"] for part in _parts(node) if "start" in part.meta]
    return _(", au caractère %d,") % (min(found) + 1) if found else ""


def _syntax(error: Exception) -> str:
    """The place of a mistake, as the reader of the rule counts it."""
    found = getattr(error, "errors", None)
    if not found:
        return _("La règle ne se lit pas : vérifiez les guillemets et les parenthèses.")
    wrong = found[0]["highlight"]
    return _("La règle ne se lit pas à partir de « %(wrong)s », au caractère %(place)d.") % {
        "wrong": wrong,
        "place": found[0]["col"] - len(wrong) + 1,
    }
