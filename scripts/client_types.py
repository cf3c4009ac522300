"""Types of the Python client out of the OpenAPI: one TypedDict an object, one Literal an enumeration."""

import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_SIMPLE = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "array": "list[Any]",
}
_ANY_OBJECT = "dict[str, Any]"
_SHARED = "shared"
_IN_TWO = {"retrievers"}
"""Nouns with so many types that what is sent and what only comes back lie in files of their own."""


class Types:
    """Every named schema, and which noun's file it lies in: that of the only one that uses it, or of its name."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = {_name(name): schema for name, schema in schemas.items()}
        self._nouns: dict[str, set[str]] = {}
        self._sent: set[str] = set()

    def used(self, noun: str, schema: Schema, is_sent: bool = False) -> None:
        """The noun speaks of this schema, and of all that it names. is_sent: in a request."""
        for name in _named(schema):
            nouns = self._nouns.setdefault(name, set())
            if noun in nouns and (name in self._sent or not is_sent):
                continue
            nouns.add(noun)
            self._sent.update([name] if is_sent else [])
            self.used(noun, self._schemas[name], is_sent)

    def add(self, name: str, schema: Schema) -> None:
        """One that the OpenAPI spells out in place."""
        self._schemas[name] = schema

    @property
    def names(self) -> list[str]:
        return sorted(self._nouns)

    def home(self, name: str) -> str:
        nouns = sorted(self._nouns[name])
        if len(nouns) == 1:
            is_apart = nouns[0] in _IN_TWO and name not in self._sent
            return f"{nouns[0]}_answers" if is_apart else nouns[0]
        return next((noun for noun in nouns if noun.removesuffix("s") in name.lower()), _SHARED)

    def schema(self, name: str) -> Schema:
        return self._schemas[name]

    def files(self) -> dict[str, str]:
        """The text of each noun's types."""
        homes: dict[str, list[str]] = {}
        for name in sorted(self._nouns):
            homes.setdefault(self.home(name), []).append(name)
        return {noun: self._file(noun, names) for noun, names in sorted(homes.items())}

    def imports(self, names: list[str]) -> str:
        """Lines of an `if TYPE_CHECKING:` that bring these."""
        homes: dict[str, list[str]] = {}
        for name in sorted(names):
            homes.setdefault(self.home(name), []).append(name)
        return "\n".join(
            f"    from tamis.client.served.types_{home} import {', '.join(found)}"
            for home, found in sorted(homes.items())
        )

    def _file(self, noun: str, names: list[str]) -> str:
        body = "\n\n".join(self._definition(name) for name in names)
        others = sorted({other for name in names for other in _named(self.schema(name))} - set(names))
        words = ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict")
        typing = [*(["TYPE_CHECKING"] if others else []), *(word for word in words if word in body)]
        beside = "\nif TYPE_CHECKING:\n" + self.imports(others) + "\n" if others else ""
        heading = "What several nouns send and get." if noun == _SHARED else f"What `{noun}` sends and gets."
        if noun.endswith("_answers"):
            heading = f"What `{noun.removesuffix('_answers')}` only gets."
        head = f'"""{heading}"""\n\nfrom __future__ import annotations\n\nfrom typing import {", ".join(typing)}'
        return f"{head}\n{beside}\n{body}\n"

    def _definition(self, name: str) -> str:
        schema = self.schema(name)
        if "properties" not in schema or is_open(schema):
            kind = written(schema)
            return f"{name}: TypeAlias = {kind}"
        required = set(schema.get("required", ()))
        fields = {field: (written(one), field in required) for field, one in schema["properties"].items()}
        if all(field.isidentifier() and not keyword.iskeyword(field) for field in fields):
            lines = [f"    {field}: {_needed(*of)}" for field, of in fields.items()]
            return f"class {name}(TypedDict):\n" + "\n".join(lines or ["    pass"])
        pairs = ", ".join(f'"{field}": "{_needed(*of)}"' for field, of in fields.items())
        return f'{name} = TypedDict("{name}", {{{pairs}}})'


def is_open(schema: Schema) -> bool:
    """Whether it may hold fields besides those that it names, which a TypedDict could not."""
    return schema.get("additionalProperties", False) not in (False, None)


def written(schema: Schema) -> str:
    """As a type of Python."""
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    for one in ("anyOf", "oneOf"):
        if one in schema:
            return _union(written(option) for option in schema[one])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return f"Literal[{', '.join(repr(value).replace(chr(39), chr(34)) for value in values)}]"
    kind = schema.get("type")
    if kind == "array" and schema.get("items"):
        return f"list[{written(schema['items'])}]"
    return _object(schema) if kind == "object" else _SIMPLE.get(str(kind), "Any")


def _object(schema: Schema) -> str:
    values = schema.get("additionalProperties")
    return f"dict[str, {written(values)}]" if isinstance(values, Mapping) and values else _ANY_OBJECT


def _union(options: Iterator[str]) -> str:
    found = list(dict.fromkeys(options))
    return "Any" if "Any" in found else " | ".join(sorted(found, key=lambda one: one == "None"))


def _needed(kind: str, required: bool) -> str:
    return kind if required else f"NotRequired[{kind}]"


def _name(name: str) -> str:
    """As a class: where two modules have one of that name, the OpenAPI says which is meant by their whole paths."""
    *module, last = re.sub(r"\W", "", name).split("__")
    return f"{module[-1].title().replace('_', '')}{last}" if module else last


def _named(schema: Any) -> set[str]:
    """Every schema that it refers to, without theirs; of an open object none, since it is written as any object."""
    if isinstance(schema, list):
        return {name for one in schema for name in _named(one)}
    if not isinstance(schema, Mapping):
        return set()
    if "$ref" in schema:
        return {_name(schema["$ref"].rpartition("/")[2])}
    if is_open(schema) and "properties" in schema:
        return set()
    kept = ("properties", "items", "anyOf", "oneOf", "additionalProperties")
    found = set()
    for key in kept:
        one = schema.get(key)
        parts = list(one.values()) if key == "properties" and isinstance(one, Mapping) else one
        found |= _named(parts)
    return found
