"""What deletes leave to be done."""
# ruff: noqa: S101 - a contract is made of assertions

from tamis.engine.ports.metadata import Metadata
from tamis.model.principal import Principal
from tamis.testing.metadata_contract.samples import ME, STRANGERS, namespace, remain


class RemainsContract:
    async def test_what_is_left_waits_oldest_first_until_it_is_forgotten(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.remains.note(ME, [remain(2), remain(1)]))
        await metadata.write(lambda session: session.remains.note(STRANGERS[0], [remain(3)]))
        found = await metadata.read(lambda session: session.remains.pending(9))
        assert [each for _, each in found] == [remain(1), remain(2), remain(3)]
        assert [(who.organization_id, who.namespace_id) for who, _ in found[1:]] == [
            ("org_1", "ns_1"),
            ("org_2", "ns_1"),
        ]
        assert len(await metadata.read(lambda session: session.remains.pending(2))) == 2
        for stranger in STRANGERS:
            await self._forgets_nothing(metadata, stranger)
        assert len(await metadata.read(lambda session: session.remains.pending(9))) == 3
        await metadata.write(lambda session: session.remains.forget(ME, ["rem_0001", "rem_0002"]))
        assert [each for _, each in await metadata.read(lambda session: session.remains.pending(9))] == [remain(3)]

    async def _forgets_nothing(self, metadata: Metadata, stranger: Principal) -> None:
        await metadata.write(lambda session: session.remains.forget(stranger, ["rem_0001"]))

    async def test_it_waits_on_when_its_namespace_is_gone(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.namespaces.insert(ME, namespace("1")))
        await metadata.write(lambda session: session.remains.note(ME, [remain(1)]))
        await metadata.write(lambda session: session.purge_namespace(ME))
        assert len(await metadata.read(lambda session: session.remains.pending(9))) == 1
