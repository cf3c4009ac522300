"""The Jinja2 environment of templates: expressions over plain JSON, with nothing to call and nothing to exhaust.

Whoever may search may write a template, so a template may not reach an attribute of ours, and may not make the server
compute or hold much: no calls, no statements but `if` and a `for` that does not nest, harmless filters, bounded text.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_context, pass_environment, pass_eval_context
from jinja2.environment import Environment, TemplateExpression
from jinja2.exceptions import SecurityError
from jinja2.filters import do_round, do_sum, do_tojson
from jinja2.meta import TrackingCodeGenerator
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tamis.engine.templating.metering import TURNS, WEIGHED, counted, metered, turns, weighed

MAX_TEXT = 1_000_000
_MAX_POWER = 64
_MAX_INDENT = 8
_MAX_BITS = 4096
_MAX_DIGITS = 30
_MAX_CODE = 16_384
"""Characters between braces, of one text: what is compiled takes some 15 us a character."""

_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first", "float", "int",
    "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round",
    "select", "selectattr", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique",
    "upper", "urlencode", "wordcount",
)  # fmt: skip
_LOOP = ("index", "index0", "first", "last", "length", "revindex", "revindex0")
# Names that Jinja puts there by itself.
_CODE = re.compile(r"\{[{%].*?(?:[%}]\}|$)", re.DOTALL)
_RESERVED = ("self", "super", "caller", "varargs", "kwargs")
_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Const, nodes.List,
    nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Getattr,
    nodes.Getitem, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip


class Named(dict[str, Any]):
    """The object behind a root name. `metadata.x` of a document is `x`, as everywhere in Tamis."""

    __slots__ = ("root",)

    def __init__(self, root: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.root = root

    def __missing__(self, key: str) -> Any:
        if self.root == "DOC" and key == "metadata":
            return self
        raise KeyError(key)


class Sandbox(ImmutableSandboxedEnvironment):
    """Looks values up in JSON alone: a name is a key of an object or an index of an array, never an attribute."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj[argument]
        if isinstance(obj, list | tuple | str | dict):
            try:
                return obj[argument]
            except (KeyError, IndexError, TypeError):
                pass
        return self.undefined(missing(obj, argument))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if _is_huge(left) or _is_huge(right):
            raise SecurityError("a number that large is not computed with")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("'%' divides numbers; it does not format text")
        if operator == "**" and not (_is_small(right) and _is_small(left, 1e6)):
            raise SecurityError("a power that large is not computed")
        if operator == "*" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError("'*' multiplies numbers; it does not repeat text or lists")
        found = super().call_binop(context, operator, left, right)
        return found if isinstance(found, int | float) else weighed(found, deep=False)


def missing(obj: Any, name: Any) -> str:
    """What to tell whoever names what is not there."""
    where = obj.root if isinstance(obj, Named) else f"this {_kind(obj)}"
    text = f"{where} has no {name!r}"
    if isinstance(obj, dict):
        return text + suggestion(str(name), obj)
    return text


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or a list of what there is."""
    names = [str(one) for one in known]
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(sorted(names)[:12])}" if names else ""


def check(tree: nodes.Template) -> None:
    """Raises: TemplateSyntaxError for anything that these templates leave out."""
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Call):
            raise TemplateSyntaxError("templates call nothing; use a filter, as in `name | upper`", node.lineno)
        if isinstance(node, nodes.Name) and node.name in _RESERVED:
            raise TemplateSyntaxError(f"unknown name {node.name!r}", node.lineno)
        if isinstance(node, nodes.Filter) and node.name in (TURNS, WEIGHED):
            raise TemplateSyntaxError(f"No filter named {node.name!r}.", node.lineno)
        if not isinstance(node, _ALLOWED_NODES) or (isinstance(node, nodes.For) and node.recursive):
            raise TemplateSyntaxError(f"templates know no {type(node).__name__.lower()!r}", node.lineno)
    for loop in tree.find_all(nodes.For):
        if next(loop.find_all(nodes.For), None) is not None:
            raise TemplateSyntaxError("loops do not nest", loop.lineno)


def check_length(text: str) -> None:
    """Raises: TemplateSyntaxError for more code than is compiled in good time."""
    if len(text) > _MAX_CODE and sum(map(len, _CODE.findall(text))) > _MAX_CODE:
        raise TemplateSyntaxError(f"between braces stand more than {_MAX_CODE:,} characters", 1)


def undeclared(tree: nodes.Template) -> set[str]:
    """The names that a template expects. Jinja's own function for it works out constants, into the tree."""
    generator = TrackingCodeGenerator(ENVIRONMENT)
    generator.optimizer = None
    generator.visit(tree)
    return generator.undeclared_identifiers


def compiled(tree: nodes.Template) -> Callable[[Mapping[str, Any]], str]:
    """What renders a checked template, its steps counted."""
    render: Callable[[Mapping[str, Any]], str] = ENVIRONMENT.from_string(metered(tree)).render
    return render


def compiled_expression(tree: nodes.Template, expression: nodes.Expr) -> Callable[[Mapping[str, Any]], Any]:
    """What gives the value of a checked template's only expression, its steps counted."""
    tree.body = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
    return TemplateExpression(ENVIRONMENT.from_string(metered(tree)), undefined_to_none=False)


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() > _MAX_BITS


def _is_small(value: Any, bound: float = _MAX_POWER) -> bool:
    return isinstance(value, int | float) and abs(value) <= bound


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "null")


def _bounded_replace(value: Any, old: str, new: str) -> str:
    text = str(value)
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise SecurityError(f"the result would be longer than {MAX_TEXT} characters")
    return text.replace(old, new)


def _bounded_join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        values = [ENVIRONMENT.getitem(value, attribute) for value in values]
    texts = ["" if value is None else str(value) for value in values]
    if sum(map(len, texts)) + len(texts) * len(separator) > MAX_TEXT:
        raise SecurityError(f"the result would be longer than {MAX_TEXT} characters")
    return separator.join(texts)


@pass_eval_context
def _to_json(context: EvalContext, value: Any, indent: int | None = None) -> str:
    if isinstance(value, Undefined):
        str(value)  # says which name is missing, where JSON would only say that it cannot be written
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise SecurityError(f"an indent is 0 to {_MAX_INDENT}")
    return do_tojson(context, value, indent)


def _bounded_round(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > _MAX_DIGITS or _is_huge(value):
        raise SecurityError(f"numbers are rounded to at most {_MAX_DIGITS} digits")
    return do_round(value, precision, method)


@pass_environment
def _sum_of_numbers(environment: Environment, values: Iterable[Any], attribute: Any = None, start: Any = 0) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("'sum' adds numbers; it does not join lists")
    return do_sum(environment, values, attribute, start)


@pass_context
def _written(context: Context, value: Any) -> Any:
    """What stands for a value in a text. Of the context, so that nothing is worked out while a template is compiled."""
    return "" if value is None else weighed(value)


def _environment() -> Sandbox:
    environment = Sandbox(
        undefined=StrictUndefined, finalize=_written, keep_trailing_newline=True, cache_size=0, optimized=False
    )
    environment.globals.clear()
    filters: dict[str, Callable[..., Any]] = {name: environment.filters[name] for name in _FILTERS}
    filters.update(
        replace=_bounded_replace, join=_bounded_join, tojson=_to_json, round=_bounded_round, sum=_sum_of_numbers
    )
    environment.filters = {name: counted(name, filter) for name, filter in filters.items()}
    environment.filters.update({TURNS: turns, WEIGHED: weighed})
    tests: Mapping[str, Any] = environment.tests
    environment.tests = {name: counted(name, test) for name, test in tests.items()}
    return environment


ENVIRONMENT = _environment()
