"""A language model as the judge of relevance: of each document how likely it is that a condition holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from tamis.engine.language.prompting import RULES, numbered
from tamis.engine.language.questions import key_of
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.model.json import JSON

DECISION = "mixpeek__decision"
"""The contract's name for whatever language model judges."""
HOSTED = ("typesafe__jev", "jev")
"""Judges of the contract that are served by others alone."""
_TASK = (
    "You judge how relevant documents are. Say of each how likely it is, in per cent, that the condition holds for it: "
    "0 for surely not, 100 for surely. "
)
_TOKENS_A_SCORE = 30


def is_hosted(name: str | None) -> bool:
    """Whether a model's name is of a judge that cannot be had here."""
    return name is not None and name.casefold().startswith(HOSTED)


def question(query: str, criteria: str | None, texts: Sequence[str], model: str | None) -> Prompt:
    """One question about several documents' texts, which are data. criteria: the condition; else that it answers."""
    condition = criteria or "The document answers the query."
    asked = f"Query: {query}\nCondition: {condition}\n\nDocuments:\n{numbered(texts)}"
    return Prompt(
        (Message("system", _TASK + RULES), Message("user", asked)),
        model=model,
        schema=_schema(len(texts)),
        max_tokens=_TOKENS_A_SCORE * len(texts) + 100,
    )


def scores_of(reply: Reply, count: int) -> list[float]:
    """0..1 for each document, in order."""
    value: Any = reply.value
    return [value[key_of(number)] / 100 for number in range(1, count + 1)]


def judges(parameters: Mapping[str, Any]) -> bool:
    """Whether parameters, as they were written, ask a language model; a name that is not known yet may."""
    name = parameters.get("inference_name") or parameters.get("model")
    return parameters.get("decision_model") is not None or (
        isinstance(name, str) and (name.casefold() == DECISION or "{" in name)
    )


def _schema(count: int) -> dict[str, JSON]:
    """A number for each document by name: none can be left out, none given twice."""
    names = [key_of(number) for number in range(1, count + 1)]
    properties: dict[str, JSON] = {name: {"type": "integer", "minimum": 0, "maximum": 100} for name in names}
    return {"type": "object", "properties": properties, "required": [*names], "additionalProperties": False}
