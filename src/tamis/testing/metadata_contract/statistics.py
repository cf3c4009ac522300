"""What stages did on average."""
# ruff: noqa: S101 - a contract is made of assertions

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.principal import Principal
from tamis.model.stage_means import Means
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later


class StatisticsContract:
    async def test_means_are_found_replaced_and_kept_apart(self, metadata: Metadata) -> None:
        one, two = Means(1, 10, 5, 10, 2.5), Means(2, 20, 5.5, 20, 2.5, 3, 400)
        await metadata.write(lambda session: session.stage_statistics.put(ME, {"a": one, "b": one}, later(1)))
        await metadata.write(lambda session: session.stage_statistics.put(ME, {"b": two}, later(2)))
        found = await metadata.read(lambda session: session.stage_statistics.find(ME, ["a", "b", "c"]))
        assert found == {"a": one, "b": two}
        for stranger in STRANGERS:
            await self._sees_nothing(metadata, stranger)

    async def _sees_nothing(self, metadata: Metadata, stranger: Principal) -> None:
        assert await metadata.read(lambda session: session.stage_statistics.find(stranger, ["a"])) == {}

    async def test_the_oldest_means_are_forgotten(self, metadata: Metadata) -> None:
        def fill(session: Session) -> int:
            for number in range(5):
                session.stage_statistics.put(ME, {f"f{number}": Means(1)}, later(number))
            session.stage_statistics.put(ME, {"f0": Means(2)}, later(9))
            return session.stage_statistics.trim(ME, 2)

        assert await metadata.write(fill) == 3
        every = [f"f{number}" for number in range(5)]
        assert set(await metadata.read(lambda session: session.stage_statistics.find(ME, every))) == {"f0", "f4"}
