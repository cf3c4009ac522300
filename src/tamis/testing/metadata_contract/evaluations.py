"""Evaluations with their queries, and versions of retrievers."""
# ruff: noqa: S101 - a contract is made of assertions

import json
from dataclasses import replace

import pytest

from tamis.engine.ports.evaluations import EvaluationQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.audit import AuditQuery
from tamis.model.dataset import GroundTruth
from tamis.model.evaluation import Evaluation, EvaluationStatus
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


async def _keep(metadata: Metadata, *some: Evaluation) -> None:
    def keep(session: Session) -> None:
        for one in some:
            session.evaluations.insert(ME, one)

    await metadata.write(keep)


async def _page(metadata: Metadata, query: EvaluationQuery) -> tuple[list[str], int]:
    page = await metadata.read(lambda session: session.evaluations.page(ME, query))
    return [one.evaluation_id for one in page.items], page.total


class EvaluationsContract:
    async def test_evaluations_are_listed_newest_first(self, metadata: Metadata) -> None:
        first, second = samples.evaluation(1), samples.evaluation(2, 1, "completed")
        other = replace(samples.evaluation(3, 2), dataset_id="dset_other")
        await _keep(metadata, first, second, other, samples.evaluation(4, 3, retriever_id="ret_other"))
        assert await metadata.read(lambda session: session.evaluations.get(ME, "eval_0001")) == first
        assert await _page(metadata, EvaluationQuery("ret_first")) == (["eval_0003", "eval_0002", "eval_0001"], 3)
        assert await _page(metadata, EvaluationQuery("ret_first", limit=1, offset=1)) == (["eval_0002"], 3)
        completed = EvaluationQuery("ret_first", EvaluationStatus.COMPLETED)
        assert await _page(metadata, completed) == (["eval_0002"], 1)
        assert await _page(metadata, EvaluationQuery("ret_first", dataset="dset_other")) == (["eval_0003"], 1)
        with pytest.raises(AlreadyExistsError):
            await _keep(metadata, first)

    async def test_what_is_not_finished_is_gone_on_with(self, metadata: Metadata) -> None:
        first, second = samples.evaluation(1, 1, "in_progress"), samples.evaluation(2)
        await _keep(metadata, first, second, samples.evaluation(3, 0, "completed"))
        assert await metadata.read(lambda session: session.evaluations.unfinished()) == [(ME, second), (ME, first)]
        done = replace(second, status=EvaluationStatus.FAILED, error="why")
        await metadata.write(lambda session: session.evaluations.replace(ME, done))
        assert await metadata.read(lambda session: session.evaluations.unfinished()) == [(ME, first)]

    async def test_queries_are_kept_by_their_place_and_go_with_their_evaluation(self, metadata: Metadata) -> None:
        await _keep(metadata, samples.evaluation(1))
        runs = [samples.query_run(place) for place in range(3)]
        await metadata.write(lambda session: session.evaluations.put_runs(ME, "eval_0001", [runs[2], runs[0]]))
        changed = replace(runs[2], error="why")
        await metadata.write(lambda session: session.evaluations.put_runs(ME, "eval_0001", [changed, runs[1]]))
        assert await metadata.read(lambda session: session.evaluations.runs(ME, "eval_0001")) == [*runs[:2], changed]
        assert await metadata.read(lambda session: session.evaluations.runs(ME, "eval_0001", 1, 1)) == [runs[1]]
        assert await metadata.read(lambda session: session.evaluations.count_runs(ME, "eval_0001")) == 3
        for stranger in STRANGERS:
            await self._sees_no_evaluation(metadata, stranger)
        assert await metadata.write(lambda session: session.evaluations.delete(ME, "eval_0001"))
        assert await metadata.read(lambda session: session.evaluations.runs(ME, "eval_0001")) == []
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.evaluations.replace(ME, samples.evaluation(1)))

    async def _sees_no_evaluation(self, metadata: Metadata, who: Principal) -> None:
        assert await metadata.read(lambda session: session.evaluations.get(who, "eval_0001")) is None
        assert await metadata.read(lambda session: session.evaluations.runs(who, "eval_0001")) == []
        assert not await metadata.write(lambda session: session.evaluations.delete(who, "eval_0001"))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.evaluations.replace(who, samples.evaluation(1)))

    async def test_what_a_version_runs_never_changes(self, metadata: Metadata) -> None:
        first, second = samples.retriever_version(1), samples.retriever_version(2)
        changed = replace(first, definition=second.definition)
        await metadata.write(lambda session: session.retriever_versions.put(ME, first))
        await metadata.write(lambda session: session.retriever_versions.put(ME, second))
        await metadata.write(lambda session: session.retriever_versions.put(ME, changed))
        assert await metadata.read(lambda session: session.retriever_versions.list(ME, "ret_first")) == [second, first]
        assert await metadata.read(lambda session: session.retriever_versions.get(ME, "ret_first", 1)) == first
        assert await metadata.read(lambda session: session.retriever_versions.get(ME, "ret_first", 3)) is None
        for stranger in STRANGERS:
            await self._knows_no_version(metadata, stranger)
        assert await metadata.write(lambda session: session.retriever_versions.delete(ME, "ret_first")) == 2
        assert await metadata.read(lambda session: session.retriever_versions.list(ME, "ret_first")) == []

    async def _knows_no_version(self, metadata: Metadata, who: Principal) -> None:
        assert await metadata.read(lambda session: session.retriever_versions.list(who, "ret_first")) == []
        assert await metadata.write(lambda session: session.retriever_versions.delete(who, "ret_first")) == 0

    async def test_of_a_large_data_set_the_audit_log_notes_what_changed(self, metadata: Metadata) -> None:
        queries = tuple(GroundTruth(f"q{number}", {"q": str(number)}, ("doc",)) for number in range(150))
        before = replace(samples.dataset(), queries=queries)
        after = replace(before, queries=(*queries[:7], queries[7].judged({"doc": 3}), *queries[8:]))
        await metadata.write(lambda session: session.datasets.insert(ME, before))
        await metadata.write(lambda session: session.datasets.replace(ME, after))
        page = await metadata.read(lambda session: session.audit.page(ME, AuditQuery(resource_id=before.dataset_id)))
        (changes,) = [event.changes for event in page.items if event.action == "dataset_updated"]
        assert '"q7"' in json.dumps(changes["before"])
        assert '"q7"' in json.dumps(changes["after"])
        assert '"q8"' not in json.dumps(changes)
