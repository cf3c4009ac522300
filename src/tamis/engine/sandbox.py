"""The Jinja2 environment of templates: expressions over plain JSON, with nothing to call and nothing to exhaust.

Whoever may search may write a template, so a template may not reach an attribute of ours, and may not make the server
compute or hold much: no calls, no statements but `if` and a `for` that does not nest, harmless filters, bounded text.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import do_tojson
from jinja2.nodes import EvalContext
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT = 1_000_000
_MAX_POWER = 64
_MAX_INDENT = 8

_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first", "float", "int",
    "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round",
    "select", "selectattr", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique",
    "upper", "urlencode", "wordcount",
)  # fmt: skip
_LOOP = ("index", "index0", "first", "last", "length", "revindex", "revindex0")
# Names that Jinja puts there by itself.
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

    intercepted_binops = frozenset(("*", "**", "%"))

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
        if operator == "%" and isinstance(left, str):
            raise SecurityError("'%' divides numbers; it does not format text")
        if operator == "**" and not (_is_small(right) and _is_small(left, 1e6)):
            raise SecurityError("a power that large is not computed")
        if operator == "*" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError("'*' multiplies numbers; it does not repeat text or lists")
        return super().call_binop(context, operator, left, right)


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
        if not isinstance(node, _ALLOWED_NODES) or (isinstance(node, nodes.For) and node.recursive):
            raise TemplateSyntaxError(f"templates know no {type(node).__name__.lower()!r}", node.lineno)
    for loop in tree.find_all(nodes.For):
        if next(loop.find_all(nodes.For), None) is not None:
            raise TemplateSyntaxError("loops do not nest", loop.lineno)


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


def _environment() -> Sandbox:
    environment = Sandbox(
        undefined=StrictUndefined,
        finalize=lambda value: "" if value is None else value,
        keep_trailing_newline=True,
        cache_size=0,
    )
    environment.globals.clear()
    filters = environment.filters
    environment.filters = {name: filters[name] for name in _FILTERS}
    environment.filters.update(replace=_bounded_replace, join=_bounded_join, tojson=_to_json)
    return environment


ENVIRONMENT = _environment()
