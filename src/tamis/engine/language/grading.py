"""A language model as an assessor of test collections: how well each document answers what was asked, as a grade."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tamis.engine.language.prompting import RULES, fenced, numbered
from tamis.engine.language.questions import key_of
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.model.json import JSON

_NOTHING = "0 where the document has nothing to do with what was asked"
SCALES: Mapping[int, str] = {
    1: "0 where the document does not answer what was asked, 1 where it does",
    2: f"{_NOTHING}, 1 where it answers it in part, 2 where it answers it",
    3: f"{_NOTHING}, 1 where it is about the same and does not answer it, 2 where it answers it in part or beside "
    "other things, 3 where it is all about it and answers it",
}
"""What grades mean, by the greatest. Source of the last: Upadhyay et al. 2024 (UMBRELA), in words of ours."""
_TASK = (
    "You are an assessor of search results. You are shown what somebody asked a search for, and documents; give each "
    "document a grade by itself: {scale}. What the person wants counts, not which words the document shares with it. "
)
_TOKENS_A_GRADE = 15


def grading(
    inputs: Mapping[str, JSON],
    texts: Sequence[str],
    greatest: int,
    guideline: str | None,
    access: tuple[str | None, ...],
) -> Prompt:
    """One question about several documents. texts: theirs, data.  greatest: of the grades, 1 to 3.

    guideline: what else is to be heeded, in the words of whoever owns the data set.  access: provider and model.
    """
    heeded = f"Heed besides: {guideline}\n\n" if guideline else ""
    asked = f"{heeded}Asked for:\n{fenced(_wording(inputs))}\n\nDocuments:\n{numbered(texts)}"
    provider, model = access
    return Prompt(
        (Message("system", _TASK.format(scale=SCALES[greatest]) + RULES), Message("user", asked)),
        provider,
        model,
        schema=_schema(len(texts), greatest),
        max_tokens=_TOKENS_A_GRADE * len(texts) + 100,
    )


def grades_of(reply: Reply, count: int) -> list[int]:
    """For each document, in order."""
    value: Any = reply.value
    return [int(value[key_of(number)]) for number in range(1, count + 1)]


def _wording(inputs: Mapping[str, JSON]) -> str:
    """Of a single text that text, else the inputs as JSON."""
    only = next(iter(inputs.values())) if len(inputs) == 1 else None
    return only if isinstance(only, str) else json.dumps(dict(inputs), ensure_ascii=False)


def _schema(count: int, greatest: int) -> dict[str, JSON]:
    """A grade for each document by name: none can be left out, none given twice."""
    names = [key_of(number) for number in range(1, count + 1)]
    properties: dict[str, JSON] = {name: {"type": "integer", "minimum": 0, "maximum": greatest} for name in names}
    return {"type": "object", "properties": properties, "required": [*names], "additionalProperties": False}
