"""Writes src/tamis/client/served/ from docs/openapi.json: every operation as a method, every shape as a type.

python -m scripts.client_code
"""

import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

from scripts.client_operations import Operation, Parameter, Schema, operations
from scripts.client_types import Types, is_open, written

ROOT = Path(__file__).parents[1]
SERVED = ROOT / "src" / "tamis" / "client" / "served"
_OPENAPI = ROOT / "docs" / "openapi.json"
_GENERATED = "# Generated from docs/openapi.json by `make contract`; a test fails where it is stale."
# Answers that are worth a class of their own, which draws itself in a notebook.
_SHOWN = {
    "ExecutionAnswer": "Execution",
    "TraceResponse": "Trace",
    "DiffResponse": "Diff",
    "WhyResponse": "WhyNot",
    "ReplayResponse": "Replay",
}
_DOCSTRING = 105
_EVENTS = {"retrievers": "StreamEvent", "batches": "BatchEvent", "sessions": "AnswerEvent"}
_STREAMED = {"execute": "stream", "send": "stream", "respond_to": "stream"}
"""How the verb of an operation that answers at once is called where its events are followed."""


def client_files() -> dict[str, str]:
    """The text of every file of SERVED, by its name."""
    openapi = json.loads(_OPENAPI.read_text())
    nouns = operations(openapi)
    types = Types(openapi["components"]["schemas"])
    for noun, found in nouns.items():
        _name_events(types, noun, found)
        for operation in found:
            for schema in operation.schemas:
                types.used(noun, schema, is_sent=schema not in operation.answers)
    files = {f"types_{noun}.py": text for noun, text in types.files().items()}
    files |= {f"{noun}.py": _noun_file(noun, found, types) for noun, found in nouns.items()}
    files["__init__.py"] = _index(list(nouns))
    return _formatted({name: f"{_GENERATED}\n{text}" for name, text in sorted(files.items())})


def _name_events(types: Types, noun: str, found: list[Operation]) -> None:
    event = next((one.event for one in found if one.event), None)
    if event:
        types.add(_EVENTS.get(noun, "Event"), event)
        types.used(noun, {"$ref": f"#/{_EVENTS.get(noun, 'Event')}"})


def _noun_file(noun: str, found: list[Operation], types: Types) -> str:
    methods = {
        colour: "\n".join(method for one in found for method in _methods(one, types, colour))
        for colour in ("", "async ")
    }
    body = "\n".join(
        f"class {prefix}{_class(noun)}({prefix}Noun):\n{methods[colour]}\n"
        for prefix, colour in (("", ""), ("Async", "async "))
    )
    return (
        f'"""The operations of `{noun}`, for one that waits and for one that awaits."""\n\n'
        f"from __future__ import annotations\n\n{_imports(body, types)}\n\n{body}"
    )


def _imports(body: str, types: Types) -> str:
    abstract = [word for word in ("AsyncGenerator", "Generator", "Sequence") if f"{word}[" in body]
    typing = ["TYPE_CHECKING", *(word for word in ("Any", "Literal", "Unpack") if _has(word, body))]
    shown = [word for word in sorted({*_SHOWN.values(), "Named", "execution_path"}) if _has(word, body)]
    calls = ["Call", *(["part"] if "{part(" in body else [])]
    lines = [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
    lines += [f"from typing import {', '.join(typing)}", ""]
    lines += [f"from tamis.client.calls import {', '.join(calls)}"]
    lines += ["from tamis.client.noun import AsyncNoun, Noun"]
    if shown:
        lines += [f"from tamis.client.shown import {', '.join(shown)}"]
    if _has("json_lines", body):
        lines += ["from tamis.client.tables import Rows, json_lines"]
    used = [name for name in types.names if _has(name, body)]
    if used:
        return "\n".join([*lines, "", "if TYPE_CHECKING:", types.imports(used)])
    return "\n".join(lines).replace("TYPE_CHECKING, ", "").replace("from typing import TYPE_CHECKING\n", "")


def _has(word: str, body: str) -> bool:
    return bool(re.search(rf"\b{word}\b", body))


def _methods(one: Operation, types: Types, colour: str) -> Iterator[str]:
    if one.is_file:
        yield _file(one, types, colour)
    elif one.answers or not one.event:
        yield _method(one, types, colour)
    if one.event:
        yield _stream(one, types, colour)


def _method(one: Operation, types: Types, colour: str) -> str:
    kind, shown = _answer(one)
    asked = f"{'await ' if colour else ''}self._ask({_call(one, types)})"
    gives = f"return {shown}({asked})" if shown else (asked if kind == "None" else f"return {asked}")
    head = f"    {colour}def {one.name}({_arguments(one, types)}) -> {kind}:"
    return f"{head}\n        {_says(one.says)}\n        {gives}\n"


def _file(one: Operation, types: Types, colour: str) -> str:
    kind = "AsyncGenerator[bytes, None]" if colour else "Generator[bytes, None, None]"
    head = f"    def {one.name}({_arguments(one, types)}) -> {kind}:"
    return f"{head}\n        {_says(one.says)}\n        return self._pieces({_call(one, types)})\n"


def _stream(one: Operation, types: Types, colour: str) -> str:
    verb = next((each for each in _STREAMED if one.name.startswith(each)), "")
    name = one.name.replace(verb, _STREAMED[verb], 1) if one.answers and verb else one.name
    event = _EVENTS.get(one.noun, "Event")
    kind = f"AsyncGenerator[{event}, None]" if colour else f"Generator[{event}, None, None]"
    says = f"As `{one.name}`, event by event as it happens; closing it cancels the work." if one.answers else one.says
    head = f"    def {name}({_arguments(one, types, is_stream=True)}) -> {kind}:"
    return f"{head}\n        {_says(says)}\n        return self._events({_call(one, types, is_stream=True)})\n"


def _answer(one: Operation) -> tuple[str, str | None]:
    """Its type, and the class that shows it."""
    if not one.answers:
        return "None", None
    kinds = list(dict.fromkeys(written(answer) for answer in one.answers))
    shown = _SHOWN.get(kinds[0])
    kind = shown or " | ".join(kinds)
    return kind.replace("list[", "Sequence["), shown


def _arguments(one: Operation, types: Types, is_stream: bool = False) -> str:
    arguments = ["self", *(f"{place}: {_place_type(one, place)}" for place in one.places)]
    if set(one.places) & set(_in_body(one, types)):
        arguments.append("/")  # so that the body may have a field of that name, too
    if one.takes_lines:
        arguments.append("documents: Rows")
    if one.takes_yaml:
        arguments.append("manifest: str")
    named = [f"{each.argument}: {_optional(written(each.schema))} = None" for each in _beside(one, types)]
    if one.is_both:
        named.insert(0, "retriever_id: str | None = None")
    if _is_keyed(one) and not is_stream:
        named.append("idempotency_key: str | None = None")
    if named:
        arguments += ["*", *named]
    if one.body is not None:
        arguments.append(_body_argument(one.body, types))
    return ", ".join(arguments)


def _place_type(one: Operation, place: str) -> str:
    return "str | Named" if one.noun == "executions" and place in ("execution_id", "other") else "str"


def _body_argument(body: Schema, types: Types) -> str:
    named = _body_type(body)
    if named is None or is_open(types.schema(named)):
        return "**body: Any"
    return f"**body: Unpack[{named}]"


def _body_type(body: Schema) -> str | None:
    options = [body, *body.get("anyOf", ())]
    return next((written(option) for option in options if "$ref" in option), None)


def _beside(one: Operation, types: Types) -> list[Parameter]:
    """What the body says too is said there."""
    in_body = _in_body(one, types)
    return [each for each in (*one.query, *one.headers) if each.argument not in in_body]


def _in_body(one: Operation, types: Types) -> Schema:
    named = _body_type(one.body) if one.body else None
    fields: Schema = types.schema(named).get("properties", {}) if named else {}
    return fields


def _optional(kind: str) -> str:
    kind = kind.replace("list[", "Sequence[")
    return kind if kind.endswith("None") or kind == "Any" else f"{kind} | None"


def _is_keyed(one: Operation) -> bool:
    return one.method == "POST" and not one.is_reading and not one.takes_lines


def _call(one: Operation, types: Types, is_stream: bool = False) -> str:
    said = [f'"{one.method}"', _path(one)]
    beside = {each.name: each.argument for each in _beside(one, types)}
    for where, parameters in (("query", one.query), ("headers", one.headers)):
        pairs = ", ".join(f'"{each.name}": {each.argument}' for each in parameters if each.name in beside)
        if pairs:
            said.append(f"{where}={{{pairs}}}")
    if one.body is not None:
        said.append(f"body={_body(one, is_stream)}")
    if one.takes_lines:
        said.append("content=json_lines(documents)")
    if one.takes_yaml:
        said.append('content=manifest.encode(), content_type="application/yaml"')
    if _is_keyed(one) and not is_stream:
        said.append('key=idempotency_key or ""')
    if one.is_reading:
        said.append("is_reading=True")
    return f"Call({', '.join(said)})"


def _body(one: Operation, is_stream: bool) -> str:
    return f'{{**body, "stream": {is_stream}}}' if one.event and one.answers else "body"


def _path(one: Operation) -> str:
    path = one.path.removeprefix("/v1")
    for place in one.places:
        path = path.replace(f"{{{place}}}", f"{{part({place})}}")
    if one.is_both:
        rest = path.removeprefix("/retrievers/executions")
        if rest.startswith("/{part(execution_id)}"):
            start, rest = "{execution_path(execution_id, retriever_id)}", rest.removeprefix("/{part(execution_id)}")
        else:
            start = "{execution_path(None, retriever_id)}"
        path = f"{start}{rest}"
    return f'f"{path}"' if "{" in path else f'"{path}"'


def _says(text: str) -> str:
    """A docstring: the first paragraph."""
    first = " ".join(text.split("\n\n")[0].split()).replace("\\", "\\\\").replace('"""', "'''")
    first = first if first.endswith(tuple(".:;!?")) else f"{first}."
    if len(first) <= _DOCSTRING:
        return f'"""{first}"""'
    lines = textwrap.wrap(first, _DOCSTRING, break_on_hyphens=False)
    return '"""' + "\n        ".join(lines) + '\n        """'


def _class(noun: str) -> str:
    return noun.title().replace("_", "")


def _index(nouns: list[str]) -> str:
    imports = "\n".join(f"from tamis.client.served.{noun} import Async{_class(noun)}, {_class(noun)}" for noun in nouns)
    classes = "\n\n".join(
        f'class {prefix}Nouns:\n    """Each noun of the API as an attribute."""\n\n'
        f"    def __init__(self, connection: {prefix}Connection) -> None:\n"
        + "\n".join(f"        self.{noun} = {prefix}{_class(noun)}(connection)" for noun in nouns)
        for prefix in ("", "Async")
    )
    connections = "from tamis.client.connection import AsyncConnection, Connection"
    return f'"""The operations of the API, by noun."""\n\n{connections}\n{imports}\n\n{classes}\n'


def _formatted(files: dict[str, str]) -> dict[str, str]:
    """As ruff formats them, by the project's configuration."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        for task in (["check", "--fix-only", "--select", "I,F401"], ["format"]):
            ruff = [sys.executable, "-m", "ruff", *task, "--quiet", "--config", str(ROOT / "pyproject.toml"), folder]
            subprocess.run(ruff, check=True, cwd=ROOT)
        return {name: (Path(folder) / name).read_text() for name in files}


def write() -> None:
    """Make SERVED what the OpenAPI says."""
    files = client_files()
    for old in SERVED.glob("*.py"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (SERVED / name).write_text(text)


if __name__ == "__main__":
    write()
