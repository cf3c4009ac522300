"""YAML as far as it is JSON: read with the line of each value, within bounds, and written so that it reads the same.

`yes`, `on` and `2024-01-31` are texts here and not what YAML 1.1 makes of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from tamis.errors import ValidationError
from tamis.model.json import JSON

Path: TypeAlias = tuple[str | int, ...]

MOST_BYTES = 1 << 20
_LEVELS = 64
_MOST_VALUES = 100_000
_STR = "tag:yaml.org,2002:str"
_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_RESOLVERS = (
    ("null", re.compile(r"null|~|"), ["n", "~", ""]),
    ("bool", re.compile(r"true|false"), ["t", "f"]),
    ("int", re.compile(r"[-+]?[0-9]+"), list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # which it is, the machine says
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  the library's own way


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  the library's own way

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


for _name, _pattern, _first in _RESOLVERS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern.pattern})$"), _first)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # What YAML takes for the end of a line, and JSON does not, is kept by its escape alone.
    style = '"' if _BREAKS.search(value) else "|" if "\n" in value else None
    return dumper.represent_scalar(_STR, value, style=style)


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)


@dataclass(frozen=True, slots=True)
class Text:
    """What a text says. lines: by the path of each value, from 1."""

    value: JSON
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Of the value at the path, or of the nearest that holds it."""
        return next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), 1)


def write(value: JSON) -> str:
    """The value as YAML, its keys in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read(data: bytes) -> Text:
    """Raises: ValidationError with the line for what is no YAML, what JSON cannot hold, a key that comes twice, and
    what is larger, deeper or more than is read.
    """
    if len(data) > MOST_BYTES:
        raise _fault(1, f"a manifest has at most {MOST_BYTES} bytes, and this has {len(data)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(data[: error.start].count(b"\n") + 1, f"not UTF-8: {error.reason}") from None
    try:
        return _Builder(_events(text)).text()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(one) for one in (error.context, error.problem) if one)
        raise _fault(mark.line + 1 if mark else 1, f"not YAML: {said}") from None
    except yaml.YAMLError as error:
        raise _fault(1, f"not YAML: {' '.join(str(error).split())}") from None


def _events(text: str) -> Iterator[yaml.Event]:
    """Checked for depth as they come: what is deeper is never built."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _LEVELS:
            raise _fault(_line(event), f"nested deeper than {_LEVELS} levels")
        yield event


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _fault(line: int, message: str) -> ValidationError:
    return ValidationError.at(["body", "manifest_file"], f"line {line}: {message}", line=line)


@dataclass
class _Builder:
    """Builds values from events, and an alias by building what it stands for once more, which counts as what it is."""

    events: Iterator[yaml.Event]
    lines: dict[Path, int] = field(default_factory=dict)
    anchors: dict[str, list[yaml.Event]] = field(default_factory=dict)
    count: int = 0
    resolver: Any = field(default_factory=lambda: _Loader(""))

    def text(self) -> Text:
        value: JSON = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _fault(_line(event), "one document, and here begins another")
                value = self._value(next(self.events), self.events, (), 0)
        return Text(value, self.lines)

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path, depth: int) -> JSON:
        self.count += 1
        line = _line(event)
        if self.count > _MOST_VALUES:
            raise _fault(line, f"more than {_MOST_VALUES} values, aliases counted as what they stand for")
        if depth > _LEVELS:
            raise _fault(line, f"nested deeper than {_LEVELS} levels")
        self.lines.setdefault(path, line)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event, path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            kept = [event]
            value = self._built(event, _noted(events, kept), path, depth)
            self.anchors[anchor] = kept
            return value
        return self._built(event, events, path, depth)

    def _aliased(self, event: yaml.AliasEvent, path: Path, depth: int) -> JSON:
        kept = self.anchors.get(str(event.anchor))
        if kept is None:
            raise _fault(_line(event), f"*{event.anchor} stands for nothing above")
        first, *rest = kept
        return self._built(first, iter(rest), path, depth)

    def _built(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path, depth: int) -> JSON:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise _fault(_line(event), f"the tag {tag} is not read")
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[JSON] = []
            for item in events:
                if isinstance(item, yaml.SequenceEndEvent):
                    break
                items.append(self._value(item, events, (*path, len(items)), depth + 1))
            return items
        return self._mapping(events, path, depth)

    def _mapping(self, events: Iterator[yaml.Event], path: Path, depth: int) -> JSON:
        found: dict[str, JSON] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
            line = _line(event)
            if not isinstance(key, str) or key == "<<":
                raise _fault(line, "a key is a text; quote one that is a number or a word of YAML")
            if key in found:
                raise _fault(line, f"{key!r} is here a second time")
            self.lines[(*path, key)] = line
            found[key] = self._value(next(events), events, (*path, key), depth + 1)
        return found

    def _scalar(self, event: yaml.ScalarEvent) -> JSON:
        tag = event.tag
        if tag in (None, "!"):
            tag = self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        said = tag.removeprefix("tag:yaml.org,2002:")
        try:
            value: JSON = _READ[said](event.value)
            return value
        except (KeyError, ValueError):
            raise _fault(_line(event), f"{event.value[:60]!r} is not read as {said}") from None


def _noted(events: Iterator[yaml.Event], kept: list[yaml.Event]) -> Iterator[yaml.Event]:
    for event in events:
        kept.append(event)
        yield event


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    return float(text)


_READ: dict[str, Any] = {
    "str": str,
    "null": lambda text: None,
    "bool": {"true": True, "false": False}.__getitem__,
    "int": int,
    "float": _float,
}
