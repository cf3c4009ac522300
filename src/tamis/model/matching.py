"""What a filter means on one document: the reference that every index and store has to agree with.

- A path leads through objects, and through arrays of objects into each of them. A field is missing where it leads
  nowhere, to null, or to an empty array. A missing field matches `is_null`, `exists: false`, `ne`, `nin`.
- An array matches a condition if any of its elements does; `ne` and `nin` are the opposites of `eq` and `in`.
- Numbers compare with numbers, text with text; true and false are no numbers, and values of different types never
  compare. Text in which both sides are ISO 8601 dates or times compares as instants under gt, gte, lt, lte.
- Text ignores case unless the condition says `case_sensitive`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from tamis.errors import ValidationError
from tamis.model.filters import And, Condition, Filter, Not, Operator, Or, has_regex
from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.model.patterns import LONGEST_PATTERN, MOST_S, Patience, compiled
from tamis.model.words import has_words

Test: TypeAlias = Callable[[Any, Any, bool], bool]


def matches(filter: Filter, view: Mapping[str, JSON]) -> bool:
    """Whether a document's view satisfies the filter. Cost: O(conditions x values under their paths)."""
    if isinstance(filter, Condition):
        return _holds(filter, view)
    if isinstance(filter, And):
        return all(matches(child, view) for child in filter.children)
    if isinstance(filter, Or):
        return any(matches(child, view) for child in filter.children)
    if isinstance(filter, Not):
        return not matches(filter.child, view)
    return view.get("document_id") in filter.document_ids


def matcher(filter: Filter) -> Callable[[Mapping[str, JSON]], bool]:
    """`matches` of one filter, for many views: what does not change from view to view is worked out once."""
    if isinstance(filter, Condition) and filter.operator is Operator.EQ and "." not in filter.path:
        wanted = filter.value
        if isinstance(wanted, str):
            return _equals_text(filter.path, wanted, filter.case_sensitive)
    if isinstance(filter, And):
        children = [matcher(child) for child in filter.children]
        return lambda view: all([child(view) for child in children])
    return lambda view: matches(filter, view)


def patient(filter: Filter, loc: tuple[str | int, ...], most_s: float = MOST_S) -> Callable[[Mapping[str, JSON]], bool]:
    """As `matcher`; where there are patterns in the filter, it raises ValidationError once they took too long in all.

    loc: where the filter stands.  most_s: of the computing of the threads that it is on.
    """
    return Patience(loc, most_s).over(matcher(filter)) if has_regex(filter) else matcher(filter)


def _equals_text(path: str, wanted: str, exact: bool) -> Callable[[Mapping[str, JSON]], bool]:
    folded = wanted.casefold()

    def holds(view: Mapping[str, JSON]) -> bool:
        value = view.get(path)
        if isinstance(value, str):
            return value == wanted or (not exact and value.casefold() == folded)
        return _any_same(value, wanted, exact)

    return holds


def check_filter(filter: Filter | None, loc: list[str | int] | None = None) -> None:
    """Refuse what could only fail later. Raises: ValidationError naming `loc` where a pattern is no RE2 syntax."""
    for condition in conditions(filter):
        if condition.operator is Operator.REGEX:
            _check_pattern(condition, list(loc or ["filters"]))


def pattern_seconds(filter: Filter, view: Mapping[str, JSON]) -> float:
    """What the patterns of a filter can take at most over one view, each of them looked for once."""
    steps = 0
    for condition in conditions(filter):
        if condition.operator is Operator.REGEX and isinstance(condition.value, str):
            pattern = compiled(condition.value, condition.case_sensitive)
            texts = elements(resolve(view, condition.path))
            steps += sum(pattern.steps(text) for text in texts if isinstance(text, str))
    return steps / 1e9


def looked_at(filter: Filter) -> frozenset[str]:
    """The names of a view that the filter can depend on: enough of the view to match against."""
    paths = {condition.path for condition in conditions(filter)}
    return frozenset({"document_id", *paths, *(path.partition(".")[0] for path in paths)})


def conditions(filter: Filter | None) -> Iterator[Condition]:
    """Every condition of a tree, in the order written."""
    if isinstance(filter, Condition):
        yield filter
    elif isinstance(filter, Not):
        yield from conditions(filter.child)
    elif isinstance(filter, And | Or):
        for child in filter.children:
            yield from conditions(child)


def resolve(view: Mapping[str, JSON], path: str) -> list[JSON]:
    """The values that a dotted path leads to, arrays left whole where the path ends; empty where it leads nowhere."""
    if "." not in path:
        return [view[path]] if path in view else []
    if path in view:
        return [view[path]]
    values: list[Any] = [view]
    for part in path.split("."):
        values = [item[part] for value in values for item in _objects(value) if part in item]
        if not values:
            break
    return values


def elements(values: list[JSON]) -> Iterator[JSON]:
    """The values with every array, however deep, replaced by its elements."""
    for value in values:
        if isinstance(value, list):
            yield from elements(value)
        else:
            yield value


def is_missing(values: list[JSON]) -> bool:
    return all(value is None for value in elements(values))


def _objects(value: Any) -> Iterator[Mapping[str, JSON]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _holds(condition: Condition, view: Mapping[str, JSON]) -> bool:
    values = resolve(view, condition.path)
    operator, wanted, exact = condition.operator, condition.value, condition.case_sensitive
    if operator is Operator.EXISTS or operator is Operator.IS_NULL:
        return is_missing(values) == ((operator is Operator.IS_NULL) == bool(wanted))
    if operator is Operator.NE:
        return not _equals(values, wanted, exact)
    if operator is Operator.IN or operator is Operator.NIN:
        found = any(_equals(values, one, exact) for one in _as_list(wanted))
        return found == (operator is Operator.IN)
    if operator is Operator.EQ:
        return _equals(values, wanted, exact)
    if operator is Operator.CONTAINS:
        return any(_contains(value, wanted, exact) for value in values)
    test = _TESTS[operator]
    return any(test(value, wanted, exact) for value in elements(values))


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _equals(values: list[JSON], wanted: JSON, exact: bool) -> bool:
    if wanted is None:
        return is_missing(values)
    return any(_same(value, wanted, exact) or _any_same(value, wanted, exact) for value in values)


def _any_same(value: JSON, wanted: JSON, exact: bool) -> bool:
    if not isinstance(value, list):
        return False
    return any(_same(item, wanted, exact) or _any_same(item, wanted, exact) for item in value)


def _same(value: Any, wanted: Any, exact: bool) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted or (not exact and value.casefold() == wanted.casefold())
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(_same(a, b, exact) for a, b in zip(value, wanted, strict=True))
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return value.keys() == wanted.keys() and all(_same(value[key], wanted[key], exact) for key in value)
    return bool(value == wanted)


def _contains(value: JSON, wanted: JSON, exact: bool) -> bool:
    """An array contains an element that equals; a text contains a part of it."""
    if isinstance(value, list):
        return _any_same(value, wanted, exact)
    return _on_text(str.__contains__)(value, wanted, exact)


def _on_text(test: Callable[[str, str], bool]) -> Test:
    def folded(value: Any, wanted: Any, exact: bool) -> bool:
        if not (isinstance(value, str) and isinstance(wanted, str)):
            return False
        return test(value, wanted) if exact else test(value.casefold(), wanted.casefold())

    return folded


def _ordered(test: Callable[[Any, Any], bool]) -> Test:
    def compared(value: Any, wanted: Any, exact: bool) -> bool:
        if isinstance(value, str) and isinstance(wanted, str):
            left, right = instant(value), instant(wanted)
            return test(left, right) if left is not None and right is not None else test(value, wanted)
        return is_number(value) and is_number(wanted) and test(value, wanted)

    return compared


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_pattern(condition: Condition, loc: list[str | int]) -> None:
    if not isinstance(condition.value, str):
        raise ValidationError.at(loc, f"'regex' on {condition.path!r} takes a pattern, as text")
    if len(condition.value) > LONGEST_PATTERN:
        message = f"'regex' on {condition.path!r} takes a pattern of at most {LONGEST_PATTERN} characters"
        raise ValidationError.at(loc, message, limit=LONGEST_PATTERN)
    try:
        compiled(condition.value, condition.case_sensitive)
    except ValueError as error:
        raise ValidationError.at(loc, str(error)) from error


def _regex(value: Any, wanted: Any, exact: bool) -> bool:
    if not (isinstance(value, str) and isinstance(wanted, str)):
        return False
    return compiled(wanted, exact).is_in(value)


def _text(value: Any, wanted: Any, exact: bool) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and has_words(value, wanted, exact)


_TESTS: dict[Operator, Test] = {
    Operator.GT: _ordered(lambda a, b: a > b),
    Operator.GTE: _ordered(lambda a, b: a >= b),
    Operator.LT: _ordered(lambda a, b: a < b),
    Operator.LTE: _ordered(lambda a, b: a <= b),
    Operator.STARTS_WITH: _on_text(str.startswith),
    Operator.ENDS_WITH: _on_text(str.endswith),
    Operator.TEXT: _text,
    Operator.REGEX: _regex,
}
