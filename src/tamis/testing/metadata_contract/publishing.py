"""Published retrievers."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.principal import Principal
from tamis.model.published import PublishedRetriever
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


async def _publish(metadata: Metadata, one: PublishedRetriever, principal: Principal = ME) -> PublishedRetriever:
    await metadata.write(lambda session: session.published.insert(principal, one))
    return one


class PublishingContract:
    async def test_a_published_retriever_is_found_by_its_name_and_by_its_retriever(self, metadata: Metadata) -> None:
        first = await _publish(metadata, samples.published())
        second = await _publish(metadata, samples.published("second", 1))
        assert await metadata.read(lambda session: session.published.of_retriever(ME, "ret_first")) == first
        assert await metadata.read(lambda session: session.published.find("public-first")) == (ME, first)
        assert await metadata.read(lambda session: session.published.find("public-third")) is None
        assert await metadata.read(lambda session: session.published.list(ME)) == [second, first]

    async def test_a_public_name_is_one_in_the_whole_server(self, metadata: Metadata) -> None:
        await _publish(metadata, samples.published())
        for stranger in STRANGERS:
            with pytest.raises(AlreadyExistsError, match="public name"):
                await _publish(metadata, replace(samples.published("other"), name="public-first"), stranger)

    async def test_a_retriever_is_published_once(self, metadata: Metadata) -> None:
        await _publish(metadata, samples.published())
        with pytest.raises(AlreadyExistsError, match="published already"):
            await _publish(metadata, samples.published("again", retriever_id="ret_first"))

    async def test_strangers_neither_see_nor_change_what_is_published(self, metadata: Metadata) -> None:
        mine = await _publish(metadata, samples.published())
        for stranger in STRANGERS:
            await self._is_shut_out(metadata, stranger, mine)
        counts = [await self._count(metadata, who) for who in (ME, *STRANGERS)]
        assert counts == [1, 0, 1, 0]

    async def _is_shut_out(self, metadata: Metadata, who: Principal, one: PublishedRetriever) -> None:
        assert await metadata.read(lambda session: session.published.of_retriever(who, one.retriever_id)) is None
        assert await metadata.read(lambda session: session.published.list(who)) == []
        assert not await metadata.write(lambda session: session.published.delete(who, one.retriever_id))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.published.replace(who, one))

    async def _count(self, metadata: Metadata, who: Principal) -> int:
        return await metadata.read(lambda session: session.published.count(who))

    async def test_what_is_not_active_is_not_shown_to_the_public(self, metadata: Metadata) -> None:
        hidden = await _publish(metadata, samples.published())
        shown = await _publish(metadata, samples.published("second", 1))
        await metadata.write(lambda session: session.published.replace(ME, replace(hidden, is_active=False)))
        assert await metadata.read(lambda session: session.published.active()) == [shown]
        assert await metadata.write(lambda session: session.published.delete(ME, "ret_second"))
        assert await metadata.read(lambda session: session.published.active()) == []
