"""The small mistakes somebody could have made in a file: each is its syntax tree with one node replaced.

Not touched: annotations, docstrings, imports, decorators, and texts for people (strings with a blank in them, f-strings): their
wording is no rule.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list", "reversed": "list"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNTOUCHED = {"annotation", "returns", "decorator_list", "bases", "type_params"}


@dataclass(frozen=True)
class Mutant:
    """One mistake: ``new`` stands where ``old`` stood. Known by where it is and what it says, not by its line."""

    path: str
    scope: str
    """The outermost function it is in, with its class; empty: the module's own level, or a default."""
    lines: range
    """Of the statement it is in; of a compound one only its head."""
    name: str
    holder: ast.AST
    field: str
    at: int | None
    old: ast.AST
    new: ast.AST

    def code(self, tree: ast.Module, filename: str) -> CodeType:
        """The mistaken file, compiled; the tree is as before afterwards."""
        self._put(self.new)
        try:
            return compile(tree, filename, "exec", dont_inherit=True)
        finally:
            self._put(self.old)

    def _put(self, node: ast.AST) -> None:
        if self.at is None:
            setattr(self.holder, self.field, node)
        else:
            getattr(self.holder, self.field)[self.at] = node


def mutants(path: str, tree: ast.Module) -> list[Mutant]:
    """All of a file's, in the order of its text."""
    found = list(_Walk(path).below(tree))
    seen: Counter[tuple[str, str]] = Counter()
    named = []
    for mutant in found:
        seen[mutant.scope, mutant.name] += 1
        number = seen[mutant.scope, mutant.name]
        name = mutant.name if number == 1 else f"{mutant.name} ({number})"
        named.append(Mutant(**{**mutant.__dict__, "name": name}))
    return named


class _Walk:
    """Walks a tree, knowing where it is."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._scope: list[str] = []
        self._function = ""
        self._lines = range(0)

    def below(self, holder: ast.AST) -> Iterator[Mutant]:
        for field, value in ast.iter_fields(holder):
            if field in _UNTOUCHED or (isinstance(holder, ast.ClassDef) and field == "keywords"):
                continue
            if isinstance(value, list):
                for at, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield from self._at(holder, field, at, node)
            elif isinstance(value, ast.AST):
                yield from self._at(holder, field, None, value)

    def _at(self, holder: ast.AST, field: str, at: int | None, node: ast.AST) -> Iterator[Mutant]:
        if _is_text(node) or (not self._function and _is_type_alias(node)):
            return
        before = self._lines
        if isinstance(node, ast.stmt):
            self._lines = _head(node)
        for new in _variants(node):
            ast.fix_missing_locations(ast.copy_location(new, node))
            name = (
                f"{_written(node)} → {_written(new)}" if (left := _left_out(node, new)) is None else f"without {left}"
            )
            yield Mutant(self._path, self._function, self._lines, name, holder, field, at, node, new)
        if isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
            yield from self._definition(node)
        else:
            yield from self.below(node)
        self._lines = before

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Mutant]:
        self._scope.append(node.name)
        outermost = not self._function and isinstance(node, _DEFINITIONS)
        if outermost and isinstance(node, _DEFINITIONS):
            yield from self.below(node.args)  # defaults are made when the module is
            self._function = ".".join(self._scope)
        for at, statement in enumerate(node.body):
            yield from self._at(node, "body", at, statement)
        if outermost:
            self._function = ""
        self._scope.pop()


def _is_text(node: ast.AST) -> bool:
    """Whether it is written for people: a docstring, an f-string, a sentence. Imports are none of ours either."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Constant(value=str(text)):
            return " " in text or not text
        case _:
            return False


def _is_type_alias(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp)


def _head(node: ast.stmt) -> range:
    body = getattr(node, "body", None)
    end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return range(node.lineno, max(end, node.lineno) + 1)


def _written(node: ast.AST) -> str:
    """What it says, on one line; of a compound statement only its head."""
    match node:
        case ast.If() | ast.While():
            kind = "if" if isinstance(node, ast.If) else "while"
            return f"{kind} {ast.unparse(node.test)}"
        case _:
            return " ".join(ast.unparse(node).split())


def _left_out(node: ast.AST, new: ast.AST) -> str | None:
    """Which entry of a collection, or argument of a call, is not there any more."""
    for old_entry, new_entry in zip(_entries(node), [*_entries(new), None], strict=False):
        if old_entry != new_entry and len(_entries(node)) == len(_entries(new)) + 1:
            return old_entry
    return None


def _entries(node: ast.AST) -> list[str]:
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return [f"{ast.unparse(key) if key else '**'}: {ast.unparse(value)}" for key, value in pairs]
        case ast.Set(elts=elements) | ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [ast.unparse(element) for element in elements]
        case ast.Call(func=func, keywords=keywords):
            return [
                f"{keyword.arg or '**'}={ast.unparse(keyword.value)} in {ast.unparse(func)}" for keyword in keywords
            ]
        case _:
            return []


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What might stand there by mistake."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.expr):
        yield from _expressions(node)
        yield from _collections(node)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.If(test=test) if _is_plain(test):
            yield ast.If(test=_not(test), body=node.body, orelse=node.orelse)
        case ast.While(test=test) if _is_plain(test):
            yield ast.While(test=_not(test), body=node.body, orelse=node.orelse)
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and not value.value):
            yield ast.Return(value=ast.Constant(None))
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Pass()
            if type(op) in _ARITHMETIC:
                yield ast.AugAssign(target=target, op=_ARITHMETIC[type(op)](), value=value)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Expr() | ast.Delete() | ast.Raise():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case _:
            pass


def _constants(node: ast.Constant) -> Iterator[ast.expr]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(number):
            yield ast.Constant(number + 1)
        case str(text):
            yield ast.Constant(f"{text}?")
        case _:
            pass


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        name = ast.Name(_FUNCTIONS[node.func.id], ast.Load())
        yield ast.Call(func=name, args=node.args, keywords=[])
    for at in range(len(node.keywords)):
        yield ast.Call(func=node.func, args=node.args, keywords=node.keywords[:at] + node.keywords[at + 1 :])


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=comparators):
            for other in _COMPARISONS[type(op)]:
                yield ast.Compare(left=left, ops=[other()], comparators=comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(op=ast.Or() if isinstance(op, ast.And) else ast.And(), values=values)
            for at in range(len(values)):
                rest = values[:at] + values[at + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op=op, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            yield ast.BinOp(left=left, op=_ARITHMETIC[type(op)](), right=right)
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case _:
            pass


def _collections(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Dict(keys=keys, values=values):
            for at in range(len(keys)):
                yield ast.Dict(keys=keys[:at] + keys[at + 1 :], values=values[:at] + values[at + 1 :])
        case ast.Set(elts=elements) if len(elements) > 1:
            for at in range(len(elements)):
                yield ast.Set(elts=elements[:at] + elements[at + 1 :])
        case ast.Tuple(elts=elements, ctx=ast.Load()) | ast.List(elts=elements, ctx=ast.Load()):
            for at in range(len(elements)):
                yield type(node)(elts=elements[:at] + elements[at + 1 :], ctx=ast.Load())
        case _:
            pass


def _is_plain(test: ast.expr) -> bool:
    """Whether nothing else turns the condition round: a comparison and a ``not`` have variants of their own."""
    return not isinstance(test, ast.Compare) and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)
