"""What a template may cost: every step that takes longer for larger values is counted, and a template that takes too
many is ended. Steps and not seconds, so that a replay ends where its record did.

A step is about 50 to 200 ns of work: an element looked at, eight characters read or written, a turn of a loop for each
node of its body. `metered` rewrites a parsed template, so that loops, comparisons, slices and joined texts are counted;
filters and tests are counted by `counted`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Undefined

MAX_STEPS = 2_000_000
TURNS, WEIGHED = "_turns", "_weighed"
_CHARACTERS_A_STEP = 8
_SHALLOW = frozenset(
    ("length", "count", "first", "last", "list", "items", "default", "d", "map", "select", "reject", "selectattr",
     "rejectattr", "reverse", "sum", "abs", "round", "int", "float", "defined", "undefined")
)  # fmt: skip
"""These do not look into the elements of what they are given."""


class Meter:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def take(self, steps: int) -> None:
        """Raises: SecurityError, where no so many steps are left."""
        self.left -= steps
        if self.left < 0:
            raise SecurityError(f"it takes too long: a template may take {MAX_STEPS:,} steps")


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metering() -> Iterator[None]:
    """Within it, what a template does is counted."""
    token = _METER.set(Meter())
    try:
        yield
    finally:
        _METER.reset(token)


def weighed(value: Any, deep: bool = True) -> Any:
    """The value itself, its size counted. deep: with all that is in it."""
    meter = _METER.get()
    if meter is not None:
        if isinstance(value, str):
            meter.take(1 + len(value) // _CHARACTERS_A_STEP)
        elif isinstance(value, list | tuple | Mapping):
            meter.take(1 + len(value))
            if deep:
                _look_into(value, meter)
        elif isinstance(value, int):
            meter.take(1 + value.bit_length() // 64)
    return value


def _look_into(value: Any, meter: Meter) -> None:
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        for one in inner.values() if isinstance(inner, Mapping) else inner:
            if isinstance(one, str):
                meter.take(len(one) // _CHARACTERS_A_STEP)
            elif isinstance(one, list | tuple | Mapping):
                meter.take(len(one))
                waiting.append(one)


def turns(values: Iterable[Any], steps: int = 1) -> Iterator[Any]:
    """The same elements, each counted as so many steps."""
    meter = _METER.get()
    for value in values:
        if meter is not None:
            meter.take(steps)
        yield value


def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or a test whose arguments and result are counted, whatever it is given lazily as well."""
    at = 1 if hasattr(function, "jinja_pass_arg") else 0
    deep = name not in _SHALLOW

    @wraps(function)
    def run(*given: Any, **named: Any) -> Any:
        for value in (*given[at:], *named.values()):
            weighed(value, deep)
        result = function(*given, **named)
        if isinstance(result, Iterator):
            return turns(result)
        return result if isinstance(result, bool | Undefined) else weighed(result, deep=False)

    return run


def metered(tree: nodes.Template) -> nodes.Template:
    """The same template, with what takes time for large values counted."""
    for loop in tree.find_all(nodes.For):
        steps = sum(_steps_of(node) for part in loop.body for node in (part, *part.find_all(nodes.Node)))
        loop.iter = _through(TURNS, loop.iter, nodes.Const(1 + steps, lineno=loop.lineno))
    for compared in [*tree.find_all(nodes.Compare)]:
        compared.expr = _through(WEIGHED, compared.expr)
        for operand in compared.ops:
            operand.expr = _through(WEIGHED, operand.expr)
    for cut in [*tree.find_all(nodes.Getitem)]:
        if isinstance(cut.arg, nodes.Slice):
            cut.node = _through(WEIGHED, cut.node)
    for joined in [*tree.find_all(nodes.Concat)]:
        joined.nodes = [_through(WEIGHED, node) for node in joined.nodes]
    return tree


def _steps_of(node: nodes.Node) -> int:
    return 1 + (len(node.data) // _CHARACTERS_A_STEP if isinstance(node, nodes.TemplateData) else 0)


def _through(name: str, node: Any, *given: nodes.Expr) -> Any:
    if isinstance(node, nodes.Const) and name == WEIGHED:
        return node
    return nodes.Filter(node, name, [*given], [], None, None, lineno=node.lineno)
