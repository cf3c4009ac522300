"""api_call: what goes out, what is kept of the answer, and what happens without one."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pydantic
import pytest
from pydantic import SecretStr

from tamis.engine.reach import Reach
from tamis.engine.stage import Context
from tamis.engine.stages.api_call import ApiCall
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped_reach import taped_reach
from tamis.errors import OutsideError, OutsideRefusedError
from tamis.model.hits import Hits
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import secret_store
from tamis.outside.targets import Rules
from tests.engine.stages.shop import Shop, hit, ids, run
from tests.outside.server import Answer, Asked, Server, served

VALUE = "sk-live-0123456789"
HITS = Hits.of([hit("a", 2.0, brand="So le"), hit("b", 1.0, brand="gone"), hit("c", 0.5)])


def brands(asked: Asked) -> Answer:
    if asked.path == "/brands/gone":
        return Answer(b"no such brand", 404)
    return Answer(json.dumps({"data": [{"country": "CH", "echo": asked.headers.get("authorization")}]}).encode())


@asynccontextmanager
async def world(shop: Shop) -> AsyncIterator[tuple[Server, Context]]:
    store = secret_store(SecretStr(json.dumps({"api": {"value": VALUE, "hosts": ["http://127.0.0.1"]}})), None)
    async with served(brands) as server:
        yield server, replace(shop.context(1), reach=Reach(outside=HttpOutside(server.rules(), store)))


def asking(server: Server, **more: Any) -> dict[str, Any]:
    return {
        **ApiCall.example,
        "url": f"{server.url}/brands/{{{{ DOC.brand | urlencode }}}}",
        "allowed_domains": None,
        **more,
    }


async def test_the_example(shop: Shop) -> None:
    async with world(shop) as (server, context):
        outcome = await run("api_call", asking(server), HITS, context)
    assert [one.extra.get("country") for one in outcome.hits] == ["CH", None, None]
    assert ids(outcome) == ["a", "b", "c"]
    assert outcome.metadata == {"failed": 2}
    assert "b: the service answered 404" in outcome.warnings
    assert sorted(asked.target for asked in server.asked) == ["/brands/So%20le", "/brands/gone"]


async def test_without_an_answer(shop: Shop) -> None:
    async with world(shop) as (server, context):
        assert ids(await run("api_call", asking(server, on_error="remove"), HITS, context)) == ["a"]
        with pytest.raises(OutsideError):
            await run("api_call", asking(server, on_error="raise"), HITS, context)
        when = {"field": "brand", "operator": "eq", "value": "gone"}
        outcome = await run("api_call", asking(server, when=when, on_error="remove"), HITS, context)
        assert ids(outcome) == ["a", "c"]
        outcome = await run("api_call", asking(server, response_path="data[3]"), HITS[:1], context)
        assert outcome.warnings == ("a: the answer has nothing at 'data[3]'",)


async def test_no_document_climbs_out_of_the_path(shop: Shop) -> None:
    async with world(shop) as (server, context):
        with pytest.raises(OutsideRefusedError, match="climbs"):
            await run("api_call", asking(server), Hits.of([hit("a", brand="../../admin")]), context)
    assert server.asked == []


async def test_nothing_is_allowed_by_default(shop: Shop) -> None:
    context = replace(shop.context(1), reach=Reach(outside=HttpOutside(Rules(), secret_store(None, None))))
    with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_DOMAINS"):
        await run("api_call", {"url": "https://api.example.com/"}, HITS, context)


async def test_a_replay_asks_nobody_and_no_record_has_the_secret(shop: Shop) -> None:
    tape = RecordingTape()
    async with world(shop) as (server, context):
        parameters = asking(server, auth={"type": "bearer", "secret_ref": "api"}, response_path="data[0]")
        live = await run("api_call", parameters, HITS[:1], replace(context, reach=taped_reach(context.reach, tape)))
        assert server.asked[0].headers["authorization"] == f"Bearer {VALUE}"
    assert live.hits[0].extra["country"] == {"country": "CH", "echo": "Bearer [secret]"}
    calls = [call.recorded() for call in tape.calls]
    assert VALUE not in repr(calls)
    playback = PlaybackTape(calls, Archive())
    again = await run("api_call", parameters, HITS[:1], replace(context, reach=taped_reach(context.reach, playback)))
    assert again == live


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"allowed_domains": ["*"]}, "list the domains"),
        ({"headers": {"Authorization": "Bearer abc"}}, "secret_ref"),
        ({"auth": {"type": "bearer"}}, "needs secret_ref"),
        ({"auth": {"type": "api_key", "secret_ref": "x"}}, "needs key"),
        ({"response_path": "a[b"}, "path such as"),
        ({"method": "TRACE"}, "method"),
    ],
)
def test_wrong_parameters(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        ApiCall.Parameters.model_validate({"url": "https://a.com/", **wrong})
