"""Language models: messages to text, or to a value of a given JSON schema."""

from dataclasses import dataclass
from typing import Literal, Protocol

from tamis.engine.spending.allowance import Allowance
from tamis.model.json import JSON
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Message:
    """images: data URLs or https addresses of pictures that go with the text."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a model.

    provider, model: None is the operator's default.  key: the reference of a secret, never its value.
    schema: what the answer must validate against; None leaves it text.  max_tokens: of the answer.
    effort: how much a reasoning model thinks, as `low`; None is its own default.
    """

    messages: tuple[Message, ...]
    provider: str | None = None
    model: str | None = None
    key: str | None = None
    schema: dict[str, JSON] | None = None
    max_tokens: int | None = None
    temperature: float = 0.0
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """text: as the model wrote it.  value: read and validated, where a schema was given.  calls: a repair is a second.

    tokens_in, tokens_out: as the provider counted them, over all calls.
    """

    text: str
    value: JSON
    model: str
    tokens_in: int
    tokens_out: int
    calls: int = 1


class LanguageModels(Protocol):
    async def ask(self, principal: Principal, prompt: Prompt, allowance: Allowance) -> Reply:
        """Each call is asked of the allowance first.

        Raises: LanguageModelError (no answer, or none that fits), AllowanceSpentError (a budget refuses the call),
        LanguageModelMissingError (no such provider, no key), SecretRefusedError.
        """
        ...

    def resolve(self, provider: str | None, model: str | None) -> str:
        """`provider/model` that a prompt with these would go to. Raises: LanguageModelMissingError, how to get it."""
        ...
