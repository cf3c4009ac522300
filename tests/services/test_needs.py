"""What a server has not set up: said in the catalogue, refused before anything runs, named with its setting."""

import json
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.needs import Need
from tamis.engine.reach import Reach
from tamis.engine.stages import STAGES
from tamis.settings import Settings
from tamis.wiring.needs import lacks_of
from tamis.wiring.secrets import secrets_of
from tests.retrieval_world import opened, search, stage

ASKING = {"criteria": "is red"}
MISSING = {Need.LANGUAGE: "the operator sets TAMIS_LLM_API_KEY"}


def lacks(**given: Any) -> set[Need]:
    settings = Settings(**given)
    return {*lacks_of(settings, secrets_of(settings))}


SETTINGS: list[tuple[Need, dict[str, Any]]] = [
    (Need.LANGUAGE, {"llm_base_url": "http://127.0.0.1:1/v1"}),
    (Need.LANGUAGE, {"llm_providers": {"own": {"base_url": "http://127.0.0.1:1/v1"}}}),
    # A request may come with a key of its namespace's.
    (Need.LANGUAGE, {"secrets": json.dumps({"key": {"value": "verysecret", "hosts": ["api.openai.com"]}})}),
    (Need.OUTSIDE, {"outside_domains": "example.com"}),
    (Need.WEB_SEARCH, {"search_providers": {"searxng": {"base_url": "http://127.0.0.1:1"}}}),
    (Need.IMAGE_SEARCH, {"search_providers": {"mine": {"protocol": "tineye", "key": "key"}}}),
    (Need.DATABASES, {"sql_connections": {"stock": {"url": "sqlite:///stock.db"}}}),
]


@pytest.mark.parametrize(("need", "given"), SETTINGS)
def test_a_setting_lifts_its_need_and_no_other(need: Need, given: dict[str, Any]) -> None:
    assert lacks() - lacks(**given) == {need}


def test_a_model_of_ones_own_is_a_reranker(tmp_path: Path) -> None:
    assert (Need.RERANKER in lacks(model_dir=tmp_path)) == (Need.RERANKER in lacks())
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / "own").mkdir(exist_ok=True)
        (tmp_path / "own" / name).write_text("")
    assert Need.RERANKER not in lacks(model_dir=tmp_path)


def test_no_workers_run_no_programs() -> None:
    assert Need.PROGRAMS not in lacks()
    assert Need.PROGRAMS in lacks(code_workers=0)


async def test_every_stage_is_listed_with_what_it_lacks(tmp_path: Path) -> None:
    async with opened(tmp_path, reach=Reach(lacks=dict.fromkeys(Need, "how to"))) as world, world.client() as client:
        missing = {one["stage_id"]: one["missing"] for one in (await client.get("/v1/retrievers/stages")).json()}
    assert missing.keys() == STAGES.keys()
    assert missing["llm_filter"] == "language models (how to)"
    assert [missing[name] for name in ("feature_search", "limit", "taxonomy_enrich")] == [None, None, None]


async def test_a_run_is_refused_before_it_begins(tmp_path: Path) -> None:
    async with opened(tmp_path, reach=Reach(lacks=MISSING)) as world, world.client() as client:
        body = {"stages": [search(), stage("llm_filter", **ASKING)], "inputs": {}}
        answer = await client.post("/v1/retrievers/execute", json=body)
        assert answer.status_code == 422
        told = answer.json()["error"]
        assert told["message"] == (
            "llm_filter: language models (the operator sets TAMIS_LLM_API_KEY): not set up on this server"
        )
        assert "execution_id" not in json.dumps(told)
        assert answer.json()["detail"] == [{"loc": ["body"], "msg": told["message"], "type": told["type"]}]
        listed = await client.post("/v1/retrievers/executions/list", json={})
        assert listed.json()["total"] == 0


@pytest.mark.parametrize("option", [{"on_error": "skip"}, {"when": "{{ INPUT.asks > 0 }}"}])
async def test_a_stage_that_the_run_can_do_without_keeps_nothing_back(tmp_path: Path, option: dict[str, Any]) -> None:
    async with opened(tmp_path, reach=Reach(lacks=MISSING)) as world, world.client() as client:
        body = {
            "stages": [search(), {**stage("llm_filter", **ASKING), **option}],
            "input_schema": {"asks": {"type": "integer"}},
            "inputs": {"asks": 0},
        }
        answer = await client.post("/v1/retrievers/execute", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["documents"]
