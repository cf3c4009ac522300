"""Where two OpenAPI documents say different things about the same shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems")
_CONSTRAINTS = (*_BOUNDS, "maxItems", "pattern", "format", "minProperties", "maxProperties")
_NULL = {"type": "null"}


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """where: `SchemaName.field.field` or `METHOD /path request|response ...`.  what: a short sentence."""

    where: str
    what: str


@dataclass(slots=True)
class Comparison:
    """Compares shapes of `contract` with those of `served`; each pair of named schemas once.

    Words (title, description, examples) and defaults are no part of a shape.
    """

    contract: Schema
    served: Schema
    found: set[Difference] = field(default_factory=set)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def schemas(self, where: str, ours: Schema | None, theirs: Schema | None) -> None:
        """theirs is the contract's."""
        have, want = _branches(self.served, ours or {}), _branches(self.contract, theirs or {})
        if (_NULL in have) != (_NULL in want):
            self.add(where, "also takes null" if _NULL in have else "does not take null")
        self._branches(where, [one for one in have if one != _NULL], [one for one in want if one != _NULL])

    def parameters(self, where: str, ours: Schema | None, theirs: Schema | None) -> None:
        """As `schemas`, where null cannot be sent: in a URL, a header, or as a body that may be left out."""
        have = [one for one in _branches(self.served, ours or {}) if one != _NULL]
        want = [one for one in _branches(self.contract, theirs or {}) if one != _NULL]
        if len(have) == len(want) == 1:
            self.schemas(where, have[0], want[0])
        else:
            self._branches(where, have, want)

    def _branches(self, where: str, have: list[Schema], want: list[Schema]) -> None:
        if len(have) == 1 and len(want) == 1:
            self._one(where, have[0], want[0])
        elif any(_is_free(self.served, one) for one in have):
            self.add(where, "takes anything")
        else:
            self._unions(where, have, want)

    def add(self, where: str, what: str) -> None:
        self.found.add(Difference(where, what))

    def _unions(self, where: str, ours: list[Schema], theirs: list[Schema]) -> None:
        """Pair branches by their outline; report those without a partner."""
        left = {_outline(self.served, branch): branch for branch in ours}
        right = {_outline(self.contract, branch): branch for branch in theirs}
        if set(left) != set(right) and len(set(left) - set(right)) == len(set(right) - set(left)) == 1:
            lone_left, lone_right = set(left) - set(right), set(right) - set(left)
            if "object" in next(iter(lone_left)) and "object" in next(iter(lone_right)):
                self.schemas(where, left[lone_left.pop()], right[lone_right.pop()])
                left = {key: value for key, value in left.items() if key in right}
                right = {key: value for key, value in right.items() if key in left}
        for outline in sorted(set(right) - set(left)):
            self.add(where, f"does not take {outline}")
        for outline in sorted(set(left) - set(right)):
            self.add(where, f"also takes {outline}")
        for outline in set(left) & set(right):
            self.schemas(where, left[outline], right[outline])

    def _one(self, where: str, ours: Schema, theirs: Schema) -> None:
        our_name, ours = _resolve(self.served, ours)
        name, theirs = _resolve(self.contract, theirs)
        if name and our_name:
            # By the schemas themselves: what is sent and what is answered go by one name and may differ.
            if (id(theirs), id(ours)) in self._seen:
                return
            self._seen.add((id(theirs), id(ours)))
            where = name
        if _type(ours) != _type(theirs):
            self.add(where, f"is {_type(ours)}, the contract has {_type(theirs)}")
            return
        self._enums(where, ours, theirs)
        for key in _CONSTRAINTS:
            if ours.get(key) != theirs.get(key):
                self.add(where, f"{key} is {_said(ours.get(key))}, the contract has {_said(theirs.get(key))}")
        self._properties(where, ours, theirs)
        if "items" in theirs or "items" in ours:
            self.schemas(f"{where}[]", ours.get("items", {}), theirs.get("items", {}))
        self._rest(where, ours, theirs)

    def _enums(self, where: str, ours: Schema, theirs: Schema) -> None:
        have, want = _values(ours), _values(theirs)
        if have == want:
            return
        if not have or not want:
            self.add(where, "is free, the contract lists its values" if not have else "lists its values")
            return
        for value in sorted(want - have):
            self.add(where, f"lacks the value {value}")
        for value in sorted(have - want):
            self.add(where, f"has the value {value} beside")

    def _properties(self, where: str, ours: Schema, theirs: Schema) -> None:
        have, want = ours.get("properties", {}), theirs.get("properties", {})
        for name in sorted(set(want) - set(have)):
            self.add(f"{where}.{name}", "is missing")
        for name in sorted(set(have) - set(want)):
            self.add(f"{where}.{name}", "is ours")
        need, wanted = set(ours.get("required", ())), set(theirs.get("required", ()))
        for name in sorted(set(have) & set(want)):
            if (name in need) != (name in wanted):
                self.add(f"{where}.{name}", "is required" if name in need else "is optional")
            self.schemas(f"{where}.{name}", have[name], want[name])

    def _rest(self, where: str, ours: Schema, theirs: Schema) -> None:
        have, want = ours.get("additionalProperties", True), theirs.get("additionalProperties", True)
        if (have is False) != (want is False):
            self.add(where, "refuses unknown fields" if have is False else "takes unknown fields")
        elif isinstance(want, Mapping) or isinstance(have, Mapping):
            self.schemas(f"{where}.*", have if isinstance(have, Mapping) else {}, want if want is not True else {})


def _resolve(document: Schema, schema: Schema) -> tuple[str | None, Schema]:
    """Follow references (and one-branch allOf); the name is the last reference's, without -Input and -Output."""
    name = None
    while True:
        if "$ref" in schema:
            raw = schema["$ref"].rsplit("/", 1)[-1]
            name = raw.removesuffix("-Input").removesuffix("-Output").rsplit("__", 1)[-1]
            schema = document["components"]["schemas"][raw]
        elif len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        else:
            return name, schema


def _branches(document: Schema, schema: Schema) -> list[Schema]:
    """The alternatives of a schema, unions inside unions laid flat; named schemas stay references."""
    _, full = _resolve(document, schema)
    for key in ("anyOf", "oneOf"):
        if key in full:
            return [branch for one in full[key] for branch in _branches(document, one)]
    return [_NULL] if full == _NULL or full.get("type") == "null" else [schema]


def _is_free(document: Schema, schema: Schema) -> bool:
    return _type(_resolve(document, schema)[1]) == "anything"


def _type(schema: Schema) -> str:
    if "type" in schema:
        return str(schema["type"])
    if "const" in schema or "enum" in schema:
        return "string"
    return "object" if "properties" in schema else "anything"


def _outline(document: Schema, schema: Schema) -> str:
    name, full = _resolve(document, schema)
    if _type(full) == "object" and name:
        return f"object {name}"
    if _type(full) == "array":
        return f"array of {_outline(document, full.get('items', {}))}"
    branches = _branches(document, full)
    if len(branches) > 1:
        return " or ".join(sorted(_outline(document, branch) for branch in branches))
    return _type(full)


def _values(schema: Schema) -> set[str]:
    return {str(value) for value in schema.get("enum", [schema["const"]] if "const" in schema else [])}


def _said(value: Any) -> str:
    return "none" if value is None else repr(int(value) if isinstance(value, float) and value.is_integer() else value)


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """(METHOD, path, operation) of all of a document's operations."""
    for path, item in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield method.upper(), path, item[method]
