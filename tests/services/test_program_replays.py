"""Programs through the services: recorded, replayed with no interpreter left, explained to who misses a document."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.engine.reach import Reach
from tamis.errors import NotSetUpError
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.runs.execution_runs import RunOptions
from tests.engine.stages.shop import PRINCIPAL
from tests.interpreters.world import opened as interpreters
from tests.retrieval_world import World, opened, specs, stage

ALL = stage("attribute_filter", field="text", operator="exists", value=True)
CODE = {
    "python": "def transform(doc):\n    if 'shoe' not in doc['text']:\n        return None\n"
    "    doc['words'] = len(doc['text'].split())\n    return doc",
    "javascript": "const transform = doc => doc.text.includes('shoe') ? {...doc, words: 1} : null",
}


@dataclass
class Leaving:
    """The interpreters, until they are gone."""

    runner: CodeRunner
    is_gone: bool = False

    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        if self.is_gone:
            raise NotSetUpError("running programs")
        return await self.runner.run(principal, program, documents)

    async def check(self, program: Program) -> Ran:
        return await self.runner.check(program)


@dataclass
class Stage:
    world: World
    code: Leaving


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Stage]:
    async with interpreters() as runner:
        code = Leaving(runner)
        async with opened(tmp_path, reach=Reach(code=code)) as world:
            yield Stage(world, code)


@pytest.mark.parametrize("language", ["python", "javascript"])
async def test_a_frozen_replay_runs_no_program(play: Stage, language: str) -> None:
    pipeline = specs(ALL, stage("code_execution", code=CODE[language], language=language))
    ran = await play.world.executions.execute_anonymous(PRINCIPAL, pipeline, {}, RunOptions())
    assert ran.documents
    assert all(hit.extra["words"] for hit in ran.documents)
    play.code.is_gone = True
    replayed = await play.world.replays.replay(PRINCIPAL, ran.execution_id, ReplayMode.FROZEN)
    assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)


async def test_why_a_document_was_left_out(play: Stage) -> None:
    found = await play.world.executions.execute_anonymous(PRINCIPAL, specs(ALL), {}, RunOptions())
    pipeline = specs(ALL, stage("code_execution", code=CODE["python"]))
    ran = await play.world.executions.execute_anonymous(PRINCIPAL, pipeline, {}, RunOptions())
    (missing, *_) = sorted({hit.id for hit in found.documents} - {hit.id for hit in ran.documents})
    play.code.is_gone = True
    answer = await play.world.why.why(PRINCIPAL, ran.execution_id, missing)
    (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
    assert "the program gave back null" in stopped.verdict.reason


@pytest.mark.parametrize(
    ("language", "code"), [("python", "x = 1\nresult = = 2"), ("javascript", "let x = 1\nlet result = (")]
)
async def test_what_is_no_program_is_refused_before_anything_runs(play: Stage, language: str, code: str) -> None:
    stages = [ALL, stage("code_execution", code=code, language=language)]
    body = {"stages": stages, "collection_identifiers": ["products"], "inputs": {}}
    async with play.world.client() as client:
        for path, more in (("/v1/retrievers/execute", {}), ("/v1/retrievers", {"retriever_name": "programmed"})):
            answer = await client.post(path, json={**body, **more})
            assert answer.status_code == 422, answer.text
            assert "line 2: " in answer.text
        (problem,) = answer.json()["error"]["details"]["validation_errors"]
        assert problem["loc"] == ["body", "stages", 1, "config", "parameters", "code"]
        assert (await client.post("/v1/retrievers/executions/list", json={})).json()["pagination"]["total"] == 0
