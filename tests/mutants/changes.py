"""Small changes of a program, as slips of the hand make them: each place where one can be made, and what comes of it.

Signs are turned, bounds moved by one, conditions turned round, statements left out, numbers changed by a little. What
only describes (strings, annotations, docstrings, the bodies of protocols) is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

_COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}  # fmt: skip
_SIGNS = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip


# A line, what is changed there, and what changes it.
Place = tuple[int, str, Callable[[], None]]


@dataclass(frozen=True)
class Change:
    """A change at a line of a file: the how-manieth that can be made there, and what it is; `outside` any function."""

    file: str
    number: int
    line: int
    what: str
    outside: bool


def list_changes(file: str, text: str) -> list[Change]:
    """Return all changes that can be made to a program."""
    tree = ast.parse(text)
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {line for each in functions for line in range(each.body[0].lineno, (each.end_lineno or 0) + 1)}
    return [
        Change(file, number, line, what, line not in inside) for number, (line, what, _do) in enumerate(_find(tree))
    ]


def make_change(text: str, number: int) -> ast.Module:
    """Return the program with that change made."""
    tree = ast.parse(text)
    for count, (_line, _what, do) in enumerate(_find(tree)):
        if count == number:
            do()
            return ast.fix_missing_locations(tree)
    raise ValueError(f"no change {number}")


def _find(tree: ast.Module) -> Iterator[Place]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in _body(function):
                yield from _in_statement(statement)
        elif isinstance(function, ast.Module):
            for statement in function.body:  # numbers that have names
                if isinstance(statement, ast.Assign):
                    yield from _in_expressions(statement.value)


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[documented:]


def _in_statement(statement: ast.stmt) -> Iterator[Place]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assert):
        return  # a function is walked to by itself; an assertion tells a reader what holds
    for name, value in ast.iter_fields(statement):
        if name not in ("annotation", "type_comment"):
            for each in value if isinstance(value, list) else [value]:
                yield from _in_part(each)
    line = statement.lineno
    if isinstance(statement, ast.If | ast.While):
        yield line, "condition turned round", lambda: _negate(statement)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        yield line, f"left out: {ast.unparse(statement)[:60]}", lambda: setattr(statement, "value", ast.Constant(None))
    elif isinstance(statement, ast.AugAssign) and type(statement.op) in _SIGNS:
        other = _SIGNS[type(statement.op)][0]
        what = f"{type(statement.op).__name__} is {other.__name__}: {ast.unparse(statement)[:60]}"
        yield line, what, lambda: setattr(statement, "op", other())


def _in_part(part: object) -> Iterator[Place]:
    """Find changes in a part of a statement: statements, what they handle or open, and expressions."""
    if isinstance(part, ast.stmt):
        yield from _in_statement(part)
    elif isinstance(part, ast.ExceptHandler | ast.match_case):
        for inner in part.body:
            yield from _in_statement(inner)
    elif isinstance(part, ast.withitem):
        yield from _in_expressions(part.context_expr)
    elif isinstance(part, ast.expr):
        yield from _in_expressions(part)


def _negate(statement: ast.If | ast.While) -> None:
    statement.test = ast.UnaryOp(ast.Not(), statement.test)


def _in_expressions(root: ast.expr) -> Iterator[Place]:
    words = {id(each) for node in ast.walk(root) if isinstance(node, ast.JoinedStr) for each in ast.walk(node)}
    for node in ast.walk(root):
        if id(node) not in words:
            yield from _in_node(node)


def _in_node(node: ast.AST) -> Iterator[Place]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare):
        for place, sign in enumerate(node.ops):
            for other in _COMPARISONS[type(sign)]:
                what = f"{type(sign).__name__} is {other.__name__}: {ast.unparse(node)[:60]}"
                yield line, what, partial(node.ops.__setitem__, place, other())
    elif isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        if isinstance(node.left, ast.Constant | ast.JoinedStr) and not _is_number(node.left):
            return
        for other in _SIGNS[type(node.op)]:
            what = f"{type(node.op).__name__} is {other.__name__}: {ast.unparse(node)[:60]}"
            yield line, what, partial(setattr, node, "op", other())
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield line, f"{other.__name__}: {ast.unparse(node)[:60]}", lambda: setattr(node, "op", other())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub) and not _is_number(node.operand):
        sign = "not" if isinstance(node.op, ast.Not) else "-"
        yield line, f"without {sign}: {ast.unparse(node)[:60]}", lambda: setattr(node, "operand", _undo(node))
    elif isinstance(node, ast.IfExp):
        what = f"turned round: {ast.unparse(node)[:60]}"
        yield line, what, lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield line, f"{node.value} is {not node.value}", lambda: setattr(node, "value", not node.value)
    elif _is_number(node) and isinstance(node, ast.Constant):
        more = 1 if abs(node.value) < 3 else node.value // 3
        other_value = node.value + more if isinstance(node.value, int) else node.value * 1.33 + 0.001
        yield line, f"{node.value} is {other_value:g}", lambda: setattr(node, "value", other_value)


def _undo(node: ast.UnaryOp) -> ast.expr:
    """Return what a sign stands before with that sign once more."""
    return ast.UnaryOp(type(node.op)(), node.operand)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
