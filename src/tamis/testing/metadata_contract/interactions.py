"""What was done with what searches showed."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

from tamis.engine.ports.interactions import InteractionQuery
from tamis.engine.ports.metadata import Metadata
from tamis.model.filters import parse_filter
from tamis.model.interaction import Interaction
from tamis.model.page import Listing
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later

_ALL = InteractionQuery()
_PLAIN = Listing()


async def _keep(metadata: Metadata, *some: Interaction) -> None:
    await metadata.write(lambda session: session.interactions.insert(ME, some))


async def _page(metadata: Metadata, query: InteractionQuery, listing: Listing = _PLAIN) -> list[str]:
    page = await metadata.read(lambda session: session.interactions.page(ME, query, listing))
    return [one.interaction_id for one in page.items]


class InteractionsContract:
    async def test_interactions_are_kept_by_execution_and_trimmed_by_age(self, metadata: Metadata) -> None:
        some = [samples.interaction(1), samples.interaction(2, 1), samples.interaction(3, 2, "exec_other")]
        await _keep(metadata, *some)
        assert await metadata.read(lambda session: session.interactions.newest(ME, 2)) == [some[2], some[1]]
        found = await metadata.read(lambda session: session.interactions.of_execution(ME, "exec_0001"))
        assert found == [some[1], some[0]]
        assert await metadata.read(lambda session: session.interactions.get(ME, "int_0002")) == some[1]
        for stranger in STRANGERS:
            await self._has_no_interactions(metadata, stranger)
        assert await metadata.write(lambda session: session.interactions.trim(ME, later(2), 1)) == 1
        assert await metadata.write(lambda session: session.interactions.trim(ME, later(2), 9)) == 1
        assert await metadata.read(lambda session: session.interactions.newest(ME, 9)) == [some[2]]

    async def _has_no_interactions(self, metadata: Metadata, who: Principal) -> None:
        assert await metadata.read(lambda session: session.interactions.newest(who, 9)) == []
        assert await metadata.read(lambda session: session.interactions.of_execution(who, "exec_0001")) == []
        assert await metadata.read(lambda session: session.interactions.get(who, "int_0002")) is None
        assert await metadata.read(lambda session: [*session.interactions.scan(who, _ALL)]) == []
        assert await metadata.read(lambda session: session.interactions.page(who, _ALL, Listing()).total) == 0
        assert await metadata.write(lambda session: session.interactions.trim(who, later(9), 9)) == 0
        assert not await metadata.write(lambda session: session.interactions.delete(who, "int_0002"))
        assert await metadata.write(lambda session: session.interactions.delete_user(who, "ann", 9)) == 0

    async def test_interactions_are_listed_by_what_they_are_of(self, metadata: Metadata) -> None:
        first, second = samples.interaction(1), replace(samples.interaction(2, 1, "exec_other"), user_id="ann")
        third = replace(samples.interaction(3, 2), retriever_id=None, session_id=None, feature_id="doc_0002")
        await _keep(metadata, first, second, third)
        assert await _page(metadata, _ALL) == ["int_0003", "int_0002", "int_0001"]
        assert await _page(metadata, InteractionQuery(retriever_id="ret_first")) == ["int_0002", "int_0001"]
        assert await _page(metadata, InteractionQuery(execution_id="exec_other")) == ["int_0002"]
        assert await _page(metadata, InteractionQuery(feature_id="doc_0002")) == ["int_0003"]
        assert await _page(metadata, InteractionQuery(session_id="session", user_id="ann")) == ["int_0002"]
        assert await _page(metadata, InteractionQuery(start=later(1))) == ["int_0003", "int_0002"]
        assert await _page(metadata, _ALL, Listing(limit=1, offset=1)) == ["int_0002"]
        wanted = Listing(parse_filter({"position": {"gte": 2}}), (("position", False),))
        assert await _page(metadata, _ALL, wanted) == ["int_0002", "int_0003"]

    async def test_a_scan_goes_through_all_of_them_once(self, metadata: Metadata) -> None:
        some = [samples.interaction(number, number // 700) for number in range(2100)]
        await _keep(metadata, *some)
        found = await metadata.read(lambda session: [*session.interactions.scan(ME, _ALL)])
        assert found == sorted(some, key=lambda one: (one.at, one.interaction_id), reverse=True)

    async def test_a_users_interactions_go_together(self, metadata: Metadata) -> None:
        some = [replace(samples.interaction(number), user_id="ann" if number < 3 else "bob") for number in range(5)]
        await _keep(metadata, *some)
        assert await metadata.write(lambda session: session.interactions.delete_user(ME, "ann", 2)) == 2
        assert await metadata.write(lambda session: session.interactions.delete_user(ME, "ann", 2)) == 1
        assert await metadata.write(lambda session: session.interactions.delete(ME, "int_0003"))
        assert not await metadata.write(lambda session: session.interactions.delete(ME, "int_0003"))
        assert await _page(metadata, _ALL) == ["int_0004"]
