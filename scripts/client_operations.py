"""The operations of the OpenAPI as the Python client names them: by noun, with what they take and give."""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Schema = Mapping[str, Any]

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
# Posts that change nothing: they may be sent again without a key.
_READING = re.compile(
    r"^/v1/public/|/(list|explain|aggregate|why|verify|inference|search)$|^/v1/manifest/(diff|lint|validate)$"
)
_ANONYMOUS, _SAVED = "/v1/retrievers/executions", "/v1/retrievers/{retriever_id}/executions"
_THE_CLIENTS = frozenset({"authorization", "x-namespace"})
_OPENED = frozenset({"public", "published", "retriever", "retrievers"})
_BESIDE = frozenset({"anonymous", "saved", "execution", "executions"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the URL or of a header. name: on the wire."""

    name: str
    schema: Schema

    @property
    def argument(self) -> str:
        name = self.name.lower().removeprefix("x-").replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name


@dataclass(frozen=True, slots=True)
class Operation:
    """answers: each JSON answer of success.  is_both: for executions of anonymous and of saved retrievers."""

    noun: str
    name: str
    method: str
    path: str
    says: str
    places: Sequence[str]
    query: Sequence[Parameter]
    headers: Sequence[Parameter]
    body: Schema | None
    takes_lines: bool
    takes_yaml: bool
    answers: Sequence[Schema]
    is_file: bool
    event: Schema | None
    is_both: bool = False

    @property
    def is_reading(self) -> bool:
        return bool(self.method == "POST" and _READING.search(self.path))

    @property
    def schemas(self) -> list[Schema]:
        """All that it speaks of."""
        beside = [parameter.schema for parameter in (*self.query, *self.headers)]
        return [one for one in (self.body, self.event, *self.answers, *beside) if one]


def operations(openapi: Schema) -> dict[str, list[Operation]]:
    """By noun, each in the order of paths; a name is there once in a noun."""
    found: dict[str, list[Operation]] = {}
    for operation in _merged(_read(openapi)):
        found.setdefault(operation.noun, []).append(operation)
    return {noun: _distinct(of) for noun, of in sorted(found.items())}


def _read(openapi: Schema) -> Iterator[Operation]:
    for path, methods in sorted(openapi["paths"].items()):
        for method, one in methods.items():
            if method in _METHODS:
                yield _operation(path, method, one)


def _operation(path: str, method: str, one: Schema) -> Operation:
    noun = _noun(path, one["tags"][0])
    parameters: Sequence[Schema] = one.get("parameters", ())
    contents = one.get("requestBody", {}).get("content", {})
    answers = [answer for status, answer in one["responses"].items() if status.startswith("2")]
    body = contents.get("application/json", {}).get("schema")
    return Operation(
        noun=noun,
        name=one["operationId"].partition("_v1_")[0],
        method=method.upper(),
        path=path,
        says=str(one.get("description") or one["summary"]),
        places=re.findall(r"{(\w+)}", path),
        query=[Parameter(each["name"], each["schema"]) for each in parameters if each["in"] == "query"],
        headers=[
            Parameter(each["name"], each["schema"])
            for each in parameters
            if each["in"] == "header" and each["name"].lower() not in _THE_CLIENTS
        ],
        body=body,
        takes_lines="application/x-ndjson" in contents,
        takes_yaml="application/yaml" in contents,
        answers=[*_texts(answers), *_contents(answers, "application/json")],
        is_file=any(True for _ in _contents(answers, "application/x-ndjson")),
        event=_event(next(_contents(answers, "text/event-stream"), None)),
    )


def _contents(answers: Sequence[Schema], kind: str) -> Iterator[Schema]:
    for answer in answers:
        if kind in answer.get("content", {}):
            yield answer["content"][kind].get("schema", {})


def _texts(answers: Sequence[Schema]) -> list[Schema]:
    """YAML is not read, whatever it says."""
    return [{"type": "string"} for _ in _contents(answers, "application/yaml")]


def _event(schema: Schema | None) -> Schema | None:
    return schema["properties"]["data"]["contentSchema"] if schema else None


def _noun(path: str, tag: str) -> str:
    if path.startswith((_ANONYMOUS, _SAVED)):
        return "executions"
    words = tag.lower().replace("-", " ").split()
    if words[0] == "anonymous":
        return words[-1]
    return words[0] if words[-1] == "retrievers" else words[-1]


def _merged(read: Iterator[Operation]) -> Iterator[Operation]:
    """Those of both kinds of executions become one, where they take the same."""
    every = {(one.method, one.path): one for one in read}
    twins = set()
    for (method, path), one in every.items():
        twin_key = (method, path.replace(_ANONYMOUS, _SAVED, 1))
        twin = every.get(twin_key) if path.startswith(_ANONYMOUS) else None
        if twin and twin.body == one.body and twin.query == one.query:
            twins.add(twin_key)
            every[method, path] = replace(one, is_both=True, answers=[*one.answers, *twin.answers])
    yield from (one for key, one in every.items() if key not in twins)


def _distinct(found: list[Operation]) -> list[Operation]:
    """`get_bucket` of buckets is `get`; a name that is taken by one of a single thing is left as it is."""
    taken: dict[str, str] = {}
    for one in sorted(found, key=lambda one: one.name.endswith("s")):
        short = _short(one)
        taken[one.name] = short if short not in taken.values() else one.name.replace("anonymous_", "")
    if len(set(taken.values())) < len(found):
        raise ValueError(f"two operations of {found[0].noun} have one name: {sorted(taken)}")
    return [replace(one, name=taken[one.name]) for one in found]


def _short(one: Operation) -> str:
    singular = {"batches": "batch"}.get(one.noun, one.noun.removesuffix("s"))
    dropped = {"executions": _BESIDE, "public": _OPENED, "published": _OPENED}.get(one.noun, {one.noun, singular})
    verb, *rest = one.name.split("_")
    if one.noun == "executions" and one.path.startswith(_SAVED):
        rest.append("saved")
        dropped = dropped - {"saved"}
    name = "_".join([verb, *(word for word in dict.fromkeys(rest) if word not in dropped)])
    return f"{name}_" if keyword.iskeyword(name) else name
