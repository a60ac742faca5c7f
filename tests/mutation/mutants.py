"""The mistakes that people make: a bound off by one, a sign, `and` for `or`, a line forgotten.

Left alone are docstrings, annotations, decorators, assertions, texts (those of errors too), and
what only changes the look of a file (`indent`) or guards against programmers (`strict` of zip).
"""

import ast
import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, cast

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("floor", "ceil"),
    ("all", "any"),
    ("clamp_min", "clamp_max"),
    ("isdigit", "isalpha"),
)
NAMES = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
LEFT_ALONE = {"annotation", "returns", "decorator_list", "type_params", "ctx"}
LOOKS = {"indent", "strict"}


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake in it."""

    line: int
    place: str  # the function or class that it is in
    change: str  # what reads how instead of how; the same however the file is laid out
    code: CodeType


@dataclass(frozen=True)
class Spot:
    """A node by where its owner holds it."""

    owner: ast.AST
    name: str
    index: int | None
    place: str
    top: ast.AST  # the widest expression around it, or itself

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.owner, self.name, node)
        else:
            getattr(self.owner, self.name)[self.index] = node


def mutants(source: str, file: str) -> list[Mutant]:
    """All of them, in the order of the file."""
    tree, found = ast.parse(source), []
    for spot, old in _spots(tree, "", None):
        for new in _wrong(spot, old):
            # what is replaced whole is shown whole
            holder: Any = ast.Expression(cast(Any, spot.top)) if spot.top is old else spot.top
            before = ast.unparse(spot.top)
            spot.put(ast.copy_location(new, old))
            after = ast.unparse(new if isinstance(holder, ast.Expression) else spot.top)
            if after != before:
                code = compile(ast.fix_missing_locations(tree), file, "exec")
                found.append(Mutant(old.lineno, spot.place, _change(before, after), code))  # type: ignore[attr-defined]
            spot.put(old)
    return found


def _spots(owner: ast.AST, place: str, top: ast.AST | None) -> Iterator[tuple[Spot, ast.AST]]:
    """Everything that may be mistaken, outer things before inner ones."""
    for name, value in ast.iter_fields(owner):
        if name in LEFT_ALONE:
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if (
                not isinstance(node, ast.AST)
                or isinstance(node, ast.Assert)
                or (isinstance(node, ast.keyword) and node.arg in LOOKS)
            ):
                continue
            inner = (
                f"{place}.{node.name}".strip(".")
                if isinstance(node, (ast.FunctionDef, ast.ClassDef))
                else place
            )
            widest = top or (node if isinstance(node, (ast.expr, ast.arguments)) else None)
            yield (
                Spot(
                    owner, name, index if isinstance(value, list) else None, inner, widest or node
                ),
                node,
            )
            if not isinstance(node, ast.Raise):
                yield from _spots(node, inner, widest)


def _wrong(spot: Spot, node: ast.AST) -> Iterator[ast.AST]:
    """What could stand here by mistake."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            yield _with(node, ops=[*node.ops[:i], SWAPS[type(operator)](), *node.ops[i + 1 :]])
    elif isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPS:
        yield _with(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield _with(node, value=_other(node.value))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield _with(node, func=ast.Name(NAMES[node.func.id], ast.Load()))
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in NAMES
    ):
        yield _with(node, func=_with(node.func, attr=NAMES[node.func.attr]))
    elif (
        isinstance(node, (ast.Raise, ast.Continue, ast.Break))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or (isinstance(node, ast.Return) and not isinstance(spot.owner, ast.FunctionDef))
    ):
        yield ast.Pass()
    if spot.name in ("test", "ifs") and not isinstance(
        node, (ast.Compare, ast.BoolOp, ast.UnaryOp)
    ):
        yield ast.UnaryOp(ast.Not(), cast(Any, node))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _other(value: float) -> float:
    """Flipped, or one more; twice where one more is the same."""
    if isinstance(value, bool):
        return not value
    return value + 1 if value + 1 != value and math.isfinite(value) else value * 2


def _change(before: str, after: str, around: int = 28) -> str:
    """What differs, with some of its surroundings."""
    start, end = 0, 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = max(0, start - around)
    parts = (
        text[first : max(len(text) - end + around, 0)].replace("\n", " ")
        for text in (before, after)
    )
    return "  ->  ".join(parts)
