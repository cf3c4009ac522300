"""Manifests that a language model writes: what it says is a script, everything else is real."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tamis.model.principal import Principal
from tamis.services.manifests.yaml_text import read
from tests.conversation_world import Talk, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = """\
version: "1.0"
metadata: {name: whatever, about: shoes}
namespaces: [{name: shoes}]
buckets: [{name: shoes-in, schema: {properties: {title: {type: text}}}}]
collections:
  - name: shoes
    source: {type: bucket, bucket_ids: [shoes-in]}
    feature_extractor: {feature_extractor_name: passthrough_extractor, version: v1}
"""
UNKNOWN = GOOD.replace("passthrough_extractor", "telepathy_extractor")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Talk]:
    prices = {"agent_search": {"per_1k_tokens": 1.0}}
    async with talking(tmp_path_factory.mktemp("writing") / "data", prices=prices) as talk:
        yield talk


async def written(talk: Talk, *texts: str, **more: Any) -> Any:
    talk.model.requests.clear()
    talk.model.script.extend({"manifest": text} for text in texts)
    return await talk.ask("POST", "manifest/generate", {"description": "Shoes by their titles.", **more})


async def names(talk: Talk) -> set[str]:
    listed = await talk.ask("POST", "namespaces/list", {})
    return {one["namespace_name"] for one in listed["results"]}


async def test_what_is_described_is_written_tried_linted_and_not_made(talk: Talk) -> None:
    before = await names(talk)
    answer = await written(talk, GOOD, manifest_name="shoes-by-title")
    assert (answer["valid"], answer["attempts"], answer["faults"]) == (True, 1, [])
    assert answer["resources"] == {"namespaces": 1, "buckets": 1, "collections": 1}
    assert {one["code"] for one in answer["results"]} == {"unsearched-collection", "undescribed"}
    value: Any = read(answer["manifest"].encode()).value
    assert value["metadata"] == {"name": "shoes-by-title", "about": "shoes"}
    assert await names(talk) == before
    (told,) = talk.model.texts
    for part in ("Shoes by their titles.", "- text_extractor, version v1", "- feature_search: ", "sku: {type: string"):
        assert part in told, part


async def test_its_faults_are_told_to_it_and_what_it_cost_is_charged(talk: Talk) -> None:
    async def charged() -> float:
        spent = await talk.system.backends.metadata.read(
            lambda session: session.credits.spent(Principal(session.every_namespace()[0][0].organization_id))
        )
        return sum(one.credits for one in spent if one.operation == "writing")

    before = await charged()
    answer = await written(talk, UNKNOWN, GOOD)
    assert (answer["valid"], answer["attempts"], len(talk.model.requests)) == (True, 2, 2)
    assert "there is no extractor telepathy_extractor@v1" in talk.model.texts[1]
    assert answer["credits_used"] > 0
    assert await charged() - before == pytest.approx(answer["credits_used"])


@pytest.mark.parametrize(
    ("text", "said"), [(UNKNOWN, "there is no extractor"), ("a: [", "line"), ("shoes", "a manifest has version")]
)
async def test_what_stays_wrong_is_shown_with_its_faults(talk: Talk, text: str, said: str) -> None:
    answer = await written(talk, text, text, text)
    assert (answer["valid"], answer["attempts"]) == (False, 3)
    assert any(said in one for one in answer["errors"]), answer["errors"]


async def test_the_later_contracts_way_to_ask(talk: Talk) -> None:
    talk.model.script.append({"manifest": GOOD})
    answer = await talk.ask("POST", "manifest/generate?description=Shoes&manifest_name=mine")
    assert (answer["manifest_name"], answer["format"], answer["description"]) == ("mine", "yaml", "Shoes")
    too_long = await talk.ask("POST", "manifest/generate", {"description": "x" * 10_001}, 422)
    assert too_long["detail"][0]["loc"] == ["body", "description"]
