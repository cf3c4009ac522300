"""A language model asked for a manifest: what it is told of the form, and what it is told of its own faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.language.prompting import RULES, fenced
from tamis.engine.ports.language import Message, Prompt
from tamis.model.fault import Fault
from tamis.model.json import JSON

_TASK = (
    'You write set-ups of a retrieval engine as YAML manifests. A manifest has `version: "1.0"`, `metadata`, and '
    "sections, each a list of resources that name each other by name: `namespaces` (exactly one), `buckets` (what "
    "comes in, with the schema of its objects), `collections` (what an extractor makes of a bucket's objects), "
    "`retrievers` (a pipeline of stages over collections). Write what the person describes and no more; invent no "
    "fields of resources, no stages and no extractors beside those that are listed. Never write a password, key "
    "or token. "
)
_MOST_FAULTS = 20
_MOST_TOKENS = 4_000
_SCHEMA: dict[str, JSON] = {
    "type": "object",
    "properties": {"manifest": {"type": "string", "description": "The whole manifest, as YAML."}},
    "required": ["manifest"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a manifest may be made of. extractors, stages: a line each.  example: a manifest that is whole."""

    extractors: Sequence[str]
    stages: Sequence[str]
    example: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a model wrote, and what is wrong with it."""

    manifest: str
    faults: Sequence[Fault]


def manifest_prompt(description: str, known: Known, before: Attempt | None = None) -> Prompt:
    """before: of the same description, whose faults are to be mended."""
    told = "\n\n".join(
        (
            _TASK + RULES,
            "Extractors:\n" + "\n".join(known.extractors),
            "Stages of retrievers:\n" + "\n".join(known.stages),
            f"An example:\n{known.example}",
        )
    )
    messages = [Message("system", told), Message("user", f"The person describes:\n{fenced(description)}")]
    if before is not None:
        messages += [Message("assistant", before.manifest), Message("user", _mending(before.faults))]
    return Prompt(tuple(messages), schema=_SCHEMA, max_tokens=_MOST_TOKENS)


def line_of(name: str, description: str, schema: Mapping[str, Any]) -> str:
    """A thing with its parameters, of their JSON schema; those that are required first."""
    required = schema.get("required", [])
    names = [*(f"{one} (required)" for one in required)]
    names += [one for one in schema.get("properties", {}) if one not in required]
    first = description.partition(". ")[0].rstrip(".")
    return f"- {name}: {first}. Parameters: {', '.join(names) or 'none'}"


def _mending(faults: Sequence[Fault]) -> str:
    lines = [f"- line {one.kind}, {one.where}: {one.problem}" for one in faults[:_MOST_FAULTS]]
    return "It is refused, and nothing was made. Write it whole once more, without these faults:\n" + "\n".join(lines)
