"""Roll-outs, one a retriever, and the runs in their shadow, which go with what they followed."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from functools import partial

from tamis.engine.ports.executions import ExecutionSelection
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.audit import AuditQuery
from tamis.model.principal import Principal
from tamis.model.rollout import Rollout, ShadowRun
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


async def keep(metadata: Metadata, run: ShadowRun, who: Principal = ME) -> bool:
    return await metadata.write(lambda session: session.rollouts.keep(who, run))


async def runs(metadata: Metadata, rollout_id: str = "rol_1", who: Principal = ME) -> list[str]:
    found = await metadata.read(lambda session: session.rollouts.runs(who, rollout_id))
    return [one.execution_id for one in found]


async def begin(metadata: Metadata, executions: int = 3) -> None:
    def write(session: Session) -> None:
        session.rollouts.put(ME, samples.rollout())
        for number in range(executions):
            session.executions.insert(ME, samples.execution(number, number, retriever_id="ret_first"))

    await metadata.write(write)


def _get(session: Session, who: Principal) -> Rollout | None:
    return session.rollouts.get(who, "ret_first")


def _end(session: Session, who: Principal) -> bool:
    return session.rollouts.end(who, "ret_first")


class RolloutsContract:
    async def test_a_rollout_is_put_changed_and_ended(self, metadata: Metadata) -> None:
        one = samples.rollout()
        assert await metadata.read(lambda session: session.rollouts.get(ME, "ret_first")) is None
        await begin(metadata)
        assert await metadata.read(lambda session: session.rollouts.get(ME, "ret_first")) == one
        wider = replace(one, live_share=0.9)
        await metadata.write(lambda session: session.rollouts.put(ME, wider))
        assert await metadata.read(lambda session: session.rollouts.get(ME, "ret_first")) == wider
        for stranger in STRANGERS:
            assert await metadata.read(partial(_get, who=stranger)) is None
            assert not await metadata.write(partial(_end, who=stranger))
        assert await metadata.write(lambda session: session.rollouts.end(ME, "ret_first", "promoted"))
        assert not await metadata.write(lambda session: session.rollouts.end(ME, "ret_first"))
        page = await metadata.read(lambda session: session.audit.page(ME, AuditQuery(resource_type="rollout")))
        assert sorted(event.action for event in page.items) == [
            "rollout_created", "rollout_promoted", "rollout_updated",
        ]  # fmt: skip

    async def test_runs_are_kept_for_as_long_as_what_they_followed(self, metadata: Metadata) -> None:
        await begin(metadata)
        for number in range(3):
            assert await keep(metadata, samples.shadow_run(number))
        assert not await keep(metadata, samples.shadow_run(1))
        assert not await keep(metadata, samples.shadow_run(77)), "its execution is not there"
        assert not await keep(metadata, replace(samples.shadow_run(1), rollout_id="rol_other"))
        for stranger in STRANGERS:
            assert not await keep(metadata, samples.shadow_run(1), stranger)
            assert await runs(metadata, who=stranger) == []
        assert await runs(metadata) == ["exec_0002", "exec_0001", "exec_0000"]
        selection = ExecutionSelection("ret_first", ("exec_0001",))
        await metadata.write(lambda session: session.executions.delete(ME, selection, 1))
        assert await runs(metadata) == ["exec_0002", "exec_0000"]
        await metadata.write(lambda session: session.executions.trim(ME, 1, None, 10))
        assert await runs(metadata) == ["exec_0002"]

    async def test_another_rollout_begins_anew(self, metadata: Metadata) -> None:
        await begin(metadata)
        assert await keep(metadata, samples.shadow_run(1))
        other = replace(samples.rollout(), rollout_id="rol_2", candidate_version=3)
        await metadata.write(lambda session: session.rollouts.put(ME, other))
        assert await runs(metadata) == []
        assert not await keep(metadata, samples.shadow_run(2))
        assert await keep(metadata, replace(samples.shadow_run(2), rollout_id="rol_2"))
        await metadata.write(lambda session: session.rollouts.end(ME, "ret_first"))
        assert await runs(metadata, "rol_2") == []
