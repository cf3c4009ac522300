"""Templates in parameters: `{{ INPUT.query }}`, compiled once, rendered over plain JSON, never rendered again.

Roots are INPUT (the execution's inputs), DOC (one hit), CONTEXT (the execution) and STAGE (what earlier stages gave),
in either case. A value that is one template and nothing else keeps the type of what it names; `{INPUT.x}` in single
braces is such a template too, where it is the whole value; inside a URL it is one as well, and is escaped.
"""

import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

from jinja2 import TemplateError, UndefinedError, nodes
from jinja2.runtime import Undefined

from tamis.engine.ports.secrets import REFERENCE
from tamis.engine.templating.metering import metering
from tamis.engine.templating.sandbox import (
    ENVIRONMENT,
    MAX_TEXT,
    Named,
    check,
    check_length,
    compiled,
    compiled_expression,
    missing,
    suggestion,
    undeclared,
)
from tamis.errors import ValidationError
from tamis.model.json import JSON

Loc: TypeAlias = list[str | int]
Scope: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By root, in capitals: `{"INPUT": {...}, "CONTEXT": {...}}`."""

ROOTS = {
    spelling: root
    for root, spellings in {
        "INPUT": ("input", "inputs"),
        "DOC": ("doc",),
        "CONTEXT": ("context",),
        "STAGE": ("stage", "stages"),
    }.items()
    for lower in spellings
    for spelling in (lower, lower.upper())
}
_ROOT = "|".join(sorted(ROOTS, key=len, reverse=True))
_PATH = re.compile(rf"\s*({_ROOT})((?:\.[A-Za-z_]\w*|\[\d+\])*)\s*")
_SINGLE = re.compile(rf"\{{(({_ROOT})(?:\.[A-Za-z_]\w*|\[\d+\])+)\}}")
_URL = re.compile(r"https?://", re.IGNORECASE)
_INSIDE = re.compile(rf"(?<!\{{)\{{((?:{_ROOT})(?:\.[A-Za-z_]\w*|\[\d+\])+)\}}(?!\}})")
_ESCAPED = r"{{ ('' if \1 is none else \1) | string | urlencode | replace('/', '%2F') }}"
_MAX_KEPT = 10_000
"""Longer texts are compiled anew each time: what callers send must not fill the memory."""
_NUMBERED = re.compile(r"\{\{\s*(INDEX|CITATION)\s*\}\}")
"""The contract's spelling of what CONTEXT holds where documents are written one after another."""
_COLLECTION = re.compile(r"\{\{\s*COLLECTION_ID\s*\}\}")
_COUNTED = re.compile(r"\{\{\s*num_variations\s*\}\}")
_SLOT = re.compile(r"\{\{\s*(query|num_variations)\s*\}\}")
"""Of the contract's prompts for wordings, which name how many they want: left for the stage to fill."""
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Template:
    """One text with templates in it. roots: in capitals.  inputs: the names directly under INPUT that it mentions."""

    text: str
    roots: frozenset[str]
    inputs: frozenset[str]
    evaluate: Callable[[Mapping[str, Any]], Any]

    def render(self, scope: Scope, loc: Loc | None = None) -> Any:
        """Raises: ValidationError at `loc`, naming what is not defined."""
        try:
            value = self.evaluate(_named(scope))
            value = str(value) if isinstance(value, Undefined) else _plain(value)
        except TemplateError as error:
            raise _fault(self.text, error.message or str(error), loc) from error
        except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
            raise _fault(self.text, str(error), loc) from error
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise _fault(self.text, f"the result is longer than {MAX_TEXT} characters", loc)
        return value


def _named(scope: Scope) -> Mapping[str, Named]:
    return {root: values if isinstance(values, Named) else Named(root, values) for root, values in scope.items()}


def find(text: str, loc: Loc | None = None) -> Template | None:
    """The template of a text, compiled and kept; None for a text without one. Raises: ValidationError at `loc`."""
    if "{" not in text:
        return None
    try:
        return _compiled(text) if len(text) <= _MAX_KEPT else _compile(text)
    except TemplateError as error:
        raise _fault(text, error.message or str(error), loc) from error
    except (RecursionError, SyntaxError) as error:
        raise _fault(text, "the expression is nested too deeply", loc) from error


def doubled(text: str) -> str:
    """A text whose templates all stand in single braces, `{INPUT.x} news`, as it is usually written."""
    return text if "{{" in text or "{%" in text else _INSIDE.sub(r"{{\1}}", text)


def walk(value: Any, loc: Loc | None = None) -> Iterator[tuple[Loc, Template]]:
    """Every template in nested JSON, with its place."""
    here = loc or []
    if isinstance(value, str):
        template = find(value, here)
        if template is not None:
            yield here, template
    elif isinstance(value, dict):
        if _is_dynamic(value):
            yield from walk(_dynamic(value), here)
            return
        for key, item in value.items():
            yield from walk(item, [*here, key])
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from walk(item, [*here, position])


def mentions(value: Any) -> frozenset[str]:
    """The roots that a nested value's templates name, in capitals."""
    return frozenset(root for _, template in walk(value) for root in template.roots)


def render(value: Any, scope: Scope, loc: Loc | None = None, only: Container[str] | None = None) -> Any:
    """Fill the templates of nested JSON; keys stay as they are. A text that names DOC is left as it is where the
    scope has no DOC: the stage renders it for each document.

    only: the texts that are templates; any other text stays as it is.
    Raises: ValidationError at the place below `loc`.
    """
    return _filled(value, scope, list(loc or []), only)


def _filled(value: Any, scope: Scope, here: Loc, only: Container[str] | None) -> Any:
    """here: where the value stands; the same list for all that is below, as each adds its step and takes it away."""
    if isinstance(value, str):
        template = find(value, here) if only is None or value in only else None
        if template is None or ("DOC" in template.roots and "DOC" not in scope):
            return value
        return template.render(scope, here)
    if isinstance(value, dict):
        if _is_dynamic(value):
            return _filled(_dynamic(value), scope, here, only)
        return dict(zip(value, _each(value.items(), scope, here, only), strict=True))
    if isinstance(value, list):
        return _each(enumerate(value), scope, here, only)
    return value


def _each(items: Iterable[tuple[str | int, Any]], scope: Scope, here: Loc, only: Container[str] | None) -> list[Any]:
    filled = []
    for step, item in items:
        here.append(step)
        filled.append(_filled(item, scope, here, only))
        here.pop()
    return filled


def _is_dynamic(value: Mapping[str, Any]) -> bool:
    """The contract's DynamicValue: `{"type": "dynamic", "field": "INPUT.x"}` is another spelling of `{{INPUT.x}}`."""
    return value.get("type") == "dynamic" and len(value) == 2 and isinstance(value.get("field"), str)


def _dynamic(value: Mapping[str, Any]) -> str:
    field = value["field"]
    rooted = field.partition(".")[0] in ROOTS
    return f"{{{{{field}}}}}" if rooted else f"{{{{INPUT.{field}}}}}"


def _compile(text: str) -> Template | None:
    single = _SINGLE.fullmatch(text)
    if single:
        return _path_template(text, single[1])
    if REFERENCE.search(text):
        rest = REFERENCE.sub("", text)
        if "{{" in rest or "{%" in rest:
            raise TemplateError("beside a reference to a secret stands plain text only")
        return None  # what sends it fills it in: a value is in no parameter
    if _URL.match(text) and (escaped := _INSIDE.sub(_ESCAPED, text)) != text:
        return replace(_jinja_template(escaped), text=text)
    if "{{" not in text and "{%" not in text:
        return None
    spelled = _NUMBERED.sub(r"{{CONTEXT.\1}}", _COLLECTION.sub("{{CONTEXT.collection_ids[0]}}", text))
    if _COUNTED.search(text):
        spelled = _SLOT.sub(r"{{'{{\1}}'}}", spelled)
    if spelled.startswith("{{") and spelled.endswith("}}") and _PATH.fullmatch(spelled[2:-2]):
        return _path_template(text, spelled[2:-2])
    template = _jinja_template(spelled)
    return template if spelled == text else replace(template, text=text)


_compiled = lru_cache(maxsize=4096)(_compile)


def _path_template(text: str, expression: str) -> Template:
    """A plain path needs no Jinja: what nearly every template is."""
    match = _PATH.fullmatch(expression)
    if match is None:
        raise TemplateError(f"{expression!r} is no path")
    root = ROOTS[match[1]]
    steps = [name or int(index) for name, index in _STEP.findall(match[2])]

    def evaluate(scope: Mapping[str, Any]) -> Any:
        value = scope.get(root)
        if value is None:
            raise UndefinedError(_not_here(root, scope))
        for step in steps:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                raise UndefinedError(missing(value, step)) from None
        return value

    names = frozenset([steps[0]]) if root == "INPUT" and steps and isinstance(steps[0], str) else frozenset()
    return Template(text, frozenset([root]), names, evaluate)


def _jinja_template(text: str) -> Template:
    check_length(text)
    tree = ENVIRONMENT.parse(text)
    check(tree)
    used = undeclared(tree)
    unknown = sorted(used - ROOTS.keys())
    if unknown:
        raise TemplateError(f"unknown name {unknown[0]!r}; templates know INPUT, DOC, CONTEXT, STAGE")
    names, body = _input_names(tree), _only_expression(tree)
    run = compiled(tree) if body is None else compiled_expression(tree, body)

    def evaluate(scope: Mapping[str, Any]) -> Any:
        absent = sorted(name for name in used if ROOTS[name] not in scope)
        if absent:
            raise UndefinedError(_not_here(ROOTS[absent[0]], scope))
        with metering():
            return run({name: scope[ROOTS[name]] for name in used})

    return Template(text, frozenset(ROOTS[name] for name in used), names, evaluate)


def _only_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression of a text that is `{{ ... }}` and nothing else."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output) or len(tree.body[0].nodes) != 1:
        return None
    body = tree.body[0].nodes[0]
    return None if isinstance(body, nodes.TemplateData) else body


def _input_names(tree: nodes.Template) -> frozenset[str]:
    """Names under INPUT that must be there: those that no `default` stands behind."""
    guarded = {id(node.node) for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")}
    guarded |= {id(node.node) for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")}
    found = (node for node in tree.find_all(nodes.Getattr) if id(node) not in guarded)
    return frozenset(
        node.attr for node in found if isinstance(node.node, nodes.Name) and ROOTS.get(node.node.name) == "INPUT"
    )


def _not_here(root: str, scope: Mapping[str, Any]) -> str:
    if root == "DOC":
        return "DOC is known only where a parameter is filled for each document"
    return f"{root} is not known here{suggestion(root, scope)}"


def _fault(text: str, reason: str, loc: Loc | None) -> ValidationError:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return ValidationError.at(loc or ["template"], f"template {shown!r}: {reason}")


def _plain(value: Any) -> JSON:
    """JSON and nothing else: what comes out of a template goes into parameters and into the record."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the result is no finite number")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value]
