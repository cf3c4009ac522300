"""The language models' adapter against a server that speaks the protocol: answers, repairs, failures, keys, limits."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from tamis.engine.ports.language import Message, Prompt, Reply
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.errors import (
    AllowanceSpentError,
    LanguageModelError,
    LanguageModelMissingError,
    SecretRefusedError,
    ValidationError,
)
from tamis.inference.language.endpoints import Endpoints, named_endpoint
from tamis.inference.language.models import Limits, OpenAILanguageModels
from tamis.model.json import JSON
from tamis.outside.secrets import SecretStore, secret_store
from tests.engine.pipelines import PRINCIPAL
from tests.llm_server import Fault, LanguageServer, serving

SCHEMA: dict[str, JSON] = {"type": "object", "properties": {"keep": {"type": "boolean"}}, "required": ["keep"]}
PROMPT = Prompt((Message("system", "Judge."), Message("user", "Is it red?")), schema=SCHEMA)
SECRETS = '{"mine": {"value": "sk-of-the-caller", "hosts": ["http://127.0.0.1"]}, "other": {"value": "sk-elsewhere-1", '
SECRETS += '"hosts": ["api.openai.com"]}}'
OPERATORS = "sk-of-the-operator"


@pytest.fixture
def server() -> Iterator[LanguageServer]:
    with serving() as running:
        yield running


def store() -> SecretStore:
    return secret_store(SecretStr(SECRETS), None)


@pytest.fixture
async def models(server: LanguageServer) -> AsyncIterator[OpenAILanguageModels]:
    endpoint = named_endpoint("openai", server.url, SecretStr(OPERATORS), "small")
    adapter = OpenAILanguageModels(Endpoints("openai", {"openai": endpoint}), store(), Limits(5.0, 2, 3))
    yield adapter
    await adapter.close()


async def ask(models: OpenAILanguageModels, prompt: Prompt = PROMPT, allowance: Allowance | None = None) -> Reply:
    return await models.ask(PRINCIPAL, prompt, allowance or Allowance())


async def test_an_answer_is_validated_and_its_tokens_are_counted(
    models: OpenAILanguageModels, server: LanguageServer
) -> None:
    allowance = Allowance()
    reply = await ask(models, allowance=allowance)
    assert reply.value == {"keep": True}
    assert (reply.model, reply.calls) == ("openai/small", 1)
    assert reply.tokens_in == len(server.texts[0].split())
    assert (allowance.calls, allowance.tokens) == (1, reply.tokens_in + reply.tokens_out)
    assert server.requests[0]["messages"][0]["role"] == "system"
    assert len([one for one in server.requests[0]["messages"] if one["role"] == "system"]) == 1


async def test_text_is_given_as_it_is(models: OpenAILanguageModels, server: LanguageServer) -> None:
    reply = await ask(models, Prompt((Message("user", "Hello"),), model="other", max_tokens=7, temperature=0.5))
    assert (reply.text, reply.value, reply.model) == ("an answer", None, "openai/other")
    sent = server.requests[0]
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("other", 7, 0.5)


@pytest.mark.parametrize("rubbish", ["no JSON", '{"keep": "yes"}', "[]", '{"keep": NaN}', "[" * 5000])
async def test_rubbish_is_repaired_once(models: OpenAILanguageModels, server: LanguageServer, rubbish: str) -> None:
    server.script.append(rubbish)
    reply = await ask(models)
    assert (reply.value, reply.calls) == ({"keep": True}, 2)
    first, again = server.requests
    assert again["messages"][:-1] == first["messages"]
    assert rubbish not in server.texts[1], "what the model wrote may quote a document"
    assert reply.tokens_in == sum(len(text.split()) for text in server.texts)


async def test_rubbish_twice_is_an_error_that_repeats_none_of_it(
    models: OpenAILanguageModels, server: LanguageServer
) -> None:
    server.script.extend(['{"keep": "a secret of the document"}'] * 2)
    with pytest.raises(LanguageModelError, match="/keep: type") as raised:
        await ask(models)
    assert "secret" not in str(raised.value)
    assert len(server.requests) == 2


async def test_json_in_a_code_block_is_read(models: OpenAILanguageModels, server: LanguageServer) -> None:
    server.script.append('```json\n{"keep": false}\n```')
    assert (await ask(models)).value == {"keep": False}


@pytest.mark.parametrize("rubbish", ["```" + " " * 50_000, " " * 50_000 + "```", "```json\n" * 5_000, "\n" * 50_000])
async def test_blanks_without_end_hold_up_nobody(
    models: OpenAILanguageModels, server: LanguageServer, rubbish: str
) -> None:
    server.script.extend([rubbish, rubbish])
    started = time.process_time()
    with pytest.raises(LanguageModelError):
        await ask(models)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"Retry-After": "0"}),
        Fault(429, {"retry-after-ms": "1"}),
        Fault(503, {"retry-after-ms": "1"}),
        Fault(200, breaks_off=True),
    ],
)
async def test_a_passing_failure_is_tried_again(
    models: OpenAILanguageModels, server: LanguageServer, fault: Fault
) -> None:
    server.script.append(fault)
    assert (await ask(models)).value == {"keep": True}
    assert len(server.requests) == 2


async def test_a_lasting_failure_ends_after_its_attempts(models: OpenAILanguageModels, server: LanguageServer) -> None:
    server.script.extend([Fault(429, {"retry-after-ms": "1"})] * 9)
    allowance = Allowance()
    with pytest.raises(LanguageModelError, match="answered 429, scripted_429"):
        await ask(models, allowance=allowance)
    assert len(server.requests) == 3
    assert allowance.tokens == 0


@pytest.mark.parametrize("body", ["<html>busy</html>", "[]", "{}", '{"choices": []}', '{"choices": [{"message": {}}]}'])
async def test_an_answer_of_another_shape_is_an_error(
    models: OpenAILanguageModels, server: LanguageServer, body: str
) -> None:
    server.script.extend([Fault(200, body=body)] * 3)
    with pytest.raises(LanguageModelError):
        await ask(models)


async def test_a_slow_provider_is_left_at_the_limit(models: OpenAILanguageModels, server: LanguageServer) -> None:
    models.limits = Limits(0.2, 0, 3)
    server.script.append(Fault(wait_s=1.0))
    with pytest.raises(LanguageModelError, match=r"within 0\.2 s"):
        await ask(models)


async def test_a_refusal_repeats_nothing_that_the_provider_wrote(
    models: OpenAILanguageModels, server: LanguageServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script.append(Fault(401, body=f'{{"error": {{"message": "bad key {OPERATORS}", "code": "{OPERATORS}"}}}}'))
    with pytest.raises(LanguageModelError) as raised:
        await ask(models)
    assert OPERATORS not in f"{raised.value} {raised.value.details} {models!r} {caplog.text}"


async def test_a_key_goes_only_where_it_is_bound(models: OpenAILanguageModels, server: LanguageServer) -> None:
    await ask(models)
    for reference in ("mine", "{{SECRET.mine}}", "{{ SECRETS.mine }}"):
        await ask(models, Prompt(PROMPT.messages, key=reference))
    assert server.keys == [OPERATORS, *["sk-of-the-caller"] * 3]
    with pytest.raises(SecretRefusedError, match="not bound"):
        await ask(models, Prompt(PROMPT.messages, key="other"))
    with pytest.raises(ValidationError) as raised:
        await ask(models, Prompt(PROMPT.messages, key="sk-pasted value"))
    assert "sk-pasted" not in str(raised.value)


async def test_calls_run_in_parallel_under_the_limit(models: OpenAILanguageModels, server: LanguageServer) -> None:
    gate = asyncio.gather(*(ask(models) for _ in range(12)))
    await gate
    assert len(server.requests) == 12
    assert server.most_at_once <= 3


async def test_a_budget_is_asked_before_each_call(models: OpenAILanguageModels, server: LanguageServer) -> None:
    server.script.append("rubbish")
    allowance = Allowance(Price(per_call=1.0), left=1.0)
    with pytest.raises(AllowanceSpentError):
        await ask(models, allowance=allowance)
    assert len(server.requests) == 1
    assert allowance.refused == 1


async def test_pictures_go_with_the_text(models: OpenAILanguageModels, server: LanguageServer) -> None:
    picture = "data:image/png;base64,AAAA"
    await ask(models, Prompt((Message("user", "What is it?", (picture,)),)))
    content = server.requests[0]["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "What is it?"}
    assert content[1] == {"type": "image_url", "image_url": {"url": picture}}


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        (None, None, "openai/gpt-4o-mini"),
        ("google", None, "google/gemini-2.5-flash"),
        (None, "claude-3-haiku", "anthropic/claude-3-haiku"),
        (None, "anthropic/claude-opus-4", "anthropic/claude-opus-4"),
        (None, "meta-llama/Llama-3", "openai/meta-llama/Llama-3"),
    ],
)
def test_names_find_their_provider(provider: str | None, model: str | None, found: str) -> None:
    assert OpenAILanguageModels(Endpoints(), store()).resolve(provider, model) == found


async def test_what_is_not_set_up_says_how() -> None:
    models = OpenAILanguageModels(Endpoints(), store())
    with pytest.raises(LanguageModelMissingError, match="TAMIS_LLM_API_KEY"):
        await ask(models)
    with pytest.raises(LanguageModelMissingError, match="known are anthropic, google, openai"):
        models.resolve("typesafe", None)
