"""The port `LanguageModels` over OpenAI's client: keys, limits, structured answers and their one repair."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tamis.engine.planning.json_schemas import faults_of
from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.ports.secrets import Secrets, secret_name
from tamis.engine.spending.allowance import Allowance
from tamis.errors import AllowanceSpentError, LanguageModelError, LanguageModelMissingError
from tamis.inference.language.chat import Said, request_of, said
from tamis.inference.language.endpoints import Endpoint, Endpoints
from tamis.model.json import JSON
from tamis.model.principal import Principal

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_FENCE = "```"
_NO_KEY = "none"
"""The client wants one; an endpoint of the operator's own may need none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """timeout_s: for one call with all its retries.  concurrency: calls at once, of the whole server."""

    timeout_s: float = 60.0
    retries: int = 3
    concurrency: int = 8


@dataclass(slots=True)
class OpenAILanguageModels:
    """Clients are made when first needed, one an endpoint; the library is imported with the first."""

    endpoints: Endpoints
    secrets: Secrets
    limits: Limits = field(default_factory=Limits)
    _clients: "dict[str, AsyncOpenAI]" = field(default_factory=dict)
    _turns: asyncio.Semaphore | None = None

    def resolve(self, provider: str | None, model: str | None) -> str:
        endpoint, name = self.endpoints.find(provider, model)
        return f"{endpoint.provider}/{name}"

    async def ask(self, principal: Principal, prompt: Prompt, allowance: Allowance) -> Reply:
        endpoint, name = self.endpoints.find(prompt.provider, prompt.model)
        client = self._client(endpoint, self._key(principal, endpoint, prompt.key))
        messages = prompt.messages if prompt.schema is None else _with_schema(prompt.messages, prompt.schema)
        first = await self._call(client, request_of(prompt, endpoint, name, messages), allowance)
        if prompt.schema is None:
            return Reply(first.text, None, f"{endpoint.provider}/{name}", first.tokens_in, first.tokens_out)
        value, faults = _value(first.text, prompt.schema)
        if not faults:
            return Reply(first.text, value, f"{endpoint.provider}/{name}", first.tokens_in, first.tokens_out)
        again = request_of(prompt, endpoint, name, (*messages, _repair(faults)))
        second = await self._call(client, again, allowance)
        value, faults = _value(second.text, prompt.schema)
        tokens_in, tokens_out = first.tokens_in + second.tokens_in, first.tokens_out + second.tokens_out
        if faults:
            message = f"the language model's answer does not fit the schema, asked twice: {'; '.join(faults)}"
            raise LanguageModelError(message, tokens=tokens_in + tokens_out, calls=2)
        return Reply(second.text, value, f"{endpoint.provider}/{name}", tokens_in, tokens_out, calls=2)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def _call(self, client: "AsyncOpenAI", body: dict[str, Any], allowance: Allowance) -> Said:
        # A token is a byte at least, so that a budget is never exceeded by a call that it granted.
        most = len(json.dumps(body["messages"], ensure_ascii=False).encode()) + _most_out(body)
        async with self._turn():
            if not allowance.spend(1, most):
                raise AllowanceSpentError
            answer: Said | None = None
            try:
                answer = await said(client, body, self.limits.timeout_s)
            finally:
                allowance.correct((answer.tokens_in + answer.tokens_out if answer else 0) - most)
        return answer

    def _turn(self) -> asyncio.Semaphore:
        if self._turns is None:
            self._turns = asyncio.Semaphore(self.limits.concurrency)
        return self._turns

    def _key(self, principal: Principal, endpoint: Endpoint, reference: str | None) -> str:
        """A request's own key goes only to the host that the operator bound it to."""
        if reference is not None:
            in_clear = endpoint.base_url.startswith("http://")
            return self.secrets.resolve(principal, secret_name(reference), endpoint.host, in_clear)
        if endpoint.key is not None:
            return endpoint.key.get_secret_value()
        if endpoint.is_named:
            raise LanguageModelMissingError(
                f"no key for the language model provider {endpoint.provider!r}: the operator sets TAMIS_LLM_API_KEY "
                "or TAMIS_LLM_PROVIDERS, or the stage names a secret as api_key"
            )
        return _NO_KEY

    def _client(self, endpoint: Endpoint, key: str) -> "AsyncOpenAI":
        try:
            from openai import AsyncOpenAI, Omit
        except ImportError as error:
            raise LanguageModelMissingError("language models need `pip install 'tamis[llm]'`") from error

        client = self._clients.get(endpoint.provider)
        if client is None:
            # What the process's environment says of an organisation is not for other providers.
            unsaid = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
            client = self._clients[endpoint.provider] = AsyncOpenAI(
                api_key=key,
                base_url=endpoint.base_url,
                timeout=self.limits.timeout_s,
                max_retries=self.limits.retries,
                default_headers=unsaid,  # type: ignore[arg-type]  # the library takes Omit here and does not say so
            )
        return client.with_options(api_key=key)


def _most_out(body: dict[str, Any]) -> int:
    return int(body.get("max_completion_tokens") or body["max_tokens"])


def _with_schema(messages: tuple[Message, ...], schema: dict[str, JSON]) -> tuple[Message, ...]:
    """The schema in words: it is ours or the pipeline's, never a document's."""
    text = f"Answer with one JSON value and nothing else. It must fit this JSON Schema:\n{json.dumps(schema)}"
    if messages and messages[0].role == "system":
        # One system message: not every model's chat template takes two.
        return (replace(messages[0], content=f"{messages[0].content}\n\n{text}"), *messages[1:])
    return (Message("system", text), *messages)


def _repair(faults: list[str]) -> Message:
    """Names what was wrong and repeats nothing of the answer, which may quote a document."""
    listed = "\n".join(faults)
    return Message("user", f"Your answer did not fit the schema:\n{listed}\nAnswer anew with one JSON value that fits.")


def _value(text: str, schema: dict[str, JSON]) -> tuple[JSON, list[str]]:
    try:
        value = json.loads(_unfenced(text), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None, ["/: not JSON"]
    return value, faults_of(schema, value)


def _unfenced(text: str) -> str:
    """Without the marks of a code block around it. Models may write blanks without end: no pattern tries them all."""
    inner = text.strip()
    if len(inner) < 2 * len(_FENCE) or not (inner.startswith(_FENCE) and inner.endswith(_FENCE)):
        return text
    return inner[len(_FENCE) : -len(_FENCE)].removeprefix("json")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
