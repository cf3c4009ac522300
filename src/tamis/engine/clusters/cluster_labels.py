"""Names of clusters by a language model: one question a cluster, its documents fenced, its answer an object."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.engine.language.language_parameters import LanguageAccess
from tamis.engine.language.prompting import RULES, numbered
from tamis.engine.language.questions import OnError, ask_all
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.stage import Context
from tamis.model.json import JSON

MAX_LABEL = 80
MAX_TOKENS = 300
"""Of one answer."""
_TASK = "You name groups of documents that belong together, by what they have in common. "
_ASK = (
    "Give these documents one label of two to six words, in the language that most of them are in, a summary of one "
    "sentence, and up to five keywords."
)
_SCHEMA: dict[str, JSON] = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "minLength": 1, "maxLength": MAX_LABEL},
        "summary": {"type": "string", "maxLength": 500},
        "keywords": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 5},
    },
    "required": ["label", "summary", "keywords"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Named:
    label: str
    summary: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """names: of each cluster; None where the model gave none."""

    names: tuple[Named | None, ...]
    tokens: int
    calls: int
    warnings: tuple[str, ...]


async def name_all(
    context: Context, access: LanguageAccess, clusters: Sequence[Sequence[str]], on_error: OnError, asked: str | None
) -> Naming:
    """clusters: texts of the documents that stand for each.  asked: the author's own words, templates filled.

    Raises: LanguageModelError where `on_error` says so; what the caller or the operator must mend.
    """
    prompts = [prompt_of(access, texts, asked) for texts in clusters]
    answers = await ask_all(context, prompts, on_error)
    names = tuple(named(one) if isinstance(one, Reply) else None for one in answers.items)
    return Naming(names, answers.tokens, answers.calls, answers.warnings("their clusters are named by their terms"))


def prompt_of(access: LanguageAccess, texts: Sequence[str], asked: str | None) -> Prompt:
    """asked: as `name_all` takes it."""
    return access.ask(
        Message("system", _TASK + RULES),
        Message("user", f"{asked or _ASK}\n\nDocuments:\n{numbered(texts)}"),
        schema=_SCHEMA,
        max_tokens=MAX_TOKENS,
    )


def named(reply: Reply) -> Named | None:
    """None where the answer is no name."""
    value = reply.value
    if not isinstance(value, dict):
        return None
    keywords = value["keywords"]
    listed = tuple(str(one) for one in keywords) if isinstance(keywords, list) else ()
    return Named(" ".join(str(value["label"]).split()), str(value["summary"]), listed)
