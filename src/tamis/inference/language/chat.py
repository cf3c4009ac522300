"""One call of OpenAI's chat protocol: what is sent, what came back, and what a failure is called."""

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tamis.engine.ports.language import Message, Prompt
from tamis.errors import LanguageModelError
from tamis.inference.language.endpoints import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_REASONING = re.compile(r"(o\d|gpt-5)")
"""OpenAI's models that take no temperature."""
_MAX_TOKENS = 1024
"""Of an answer, where a prompt does not say: every call has a bound, which a budget reserves."""
_CODE = re.compile(r"[a-z0-9_]{3,40}")


@dataclass(frozen=True, slots=True)
class Said:
    """tokens_in, tokens_out: as the provider counted; where it does not, a quarter of the characters."""

    text: str
    tokens_in: int
    tokens_out: int


def request_of(prompt: Prompt, endpoint: Endpoint, model: str, messages: tuple[Message, ...]) -> dict[str, Any]:
    """The body of a call. An endpoint that knows no `response_format` is told the schema in words as well."""
    body: dict[str, Any] = {"model": model, "messages": [_message(one) for one in messages]}
    is_openai = endpoint.provider == "openai" and endpoint.is_named
    if not (is_openai and _REASONING.match(model)):
        body["temperature"] = prompt.temperature
    if prompt.effort is not None:
        body["reasoning_effort"] = prompt.effort
    body["max_completion_tokens" if is_openai else "max_tokens"] = prompt.max_tokens or _MAX_TOKENS
    if prompt.schema is not None:
        described = {"name": "answer", "schema": prompt.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    return body


async def said(client: "AsyncOpenAI", body: dict[str, Any], timeout_s: float) -> Said:
    """The model's answer; the client waits and tries again as the provider asks, all within the time given.

    Raises: LanguageModelError. It repeats nothing that the provider wrote: that may hold the key or a document.
    """
    import openai

    try:
        async with asyncio.timeout(timeout_s):
            answer = await client.chat.completions.create(**body)
    except TimeoutError as error:
        raise LanguageModelError(f"the language model did not answer within {timeout_s:g} s") from error
    except openai.APIStatusError as error:
        raise LanguageModelError(
            _refusal(error.status_code, error.code, client.api_key), status=error.status_code
        ) from None
    except (openai.OpenAIError, ValueError) as error:
        raise LanguageModelError(f"the language model could not be asked ({type(error).__name__})") from None
    return _read(answer, body)


def _read(answer: Any, body: dict[str, Any]) -> Said:
    """Whatever came as 200: the client checks no shapes."""
    try:
        text = answer.choices[0].message.content
    except (AttributeError, IndexError, TypeError):
        text = None
    if not isinstance(text, str):
        raise LanguageModelError("the language model's answer holds no message")
    usage = getattr(answer, "usage", None)
    told, made = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    return Said(
        text,
        told if isinstance(told, int) and told >= 0 else len(str(body["messages"])) // 4,
        made if isinstance(made, int) and made >= 0 else len(text) // 4,
    )


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
    return {"role": message.role, "content": [{"type": "text", "text": message.content}, *pictures]}


def _refusal(status: int, code: Any, key: str) -> str:
    # A code is a word of the protocol's; anything longer could be text of a prompt.
    named = f", {code}" if isinstance(code, str) and _CODE.fullmatch(code) and code not in key else ""
    return f"the language model's provider answered {status}{named}"
