"""Who is told of changes, and what waits to be told."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.principal import Principal
from tamis.model.webhook import Delivery, DeliveryStatus, Webhook
from tamis.testing.metadata_contract.samples import ME, STRANGERS, collection, object_, webhook, write

OTHERS = STRANGERS[0]
ALL = ("object.created", "object.updated", "object.deleted", "collection.deleted", "collection.documents.written")
SOON = timedelta(seconds=60)


async def _due(
    metadata: Metadata, after: timedelta = SOON, busy: tuple[str, ...] = ()
) -> list[tuple[Principal, Webhook, Delivery]]:
    now = datetime.now(UTC) + after
    return list(await metadata.read(lambda session: session.deliveries.due(now, busy, 100)))


async def _log(metadata: Metadata, webhook_id: str = "wh_first00000") -> list[Delivery]:
    page = await metadata.read(lambda session: session.deliveries.page(ME, webhook_id, None, 100, 0))
    return list(page.items)


class WebhooksContract:
    async def test_a_webhook_is_its_organisations(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook()))
        await metadata.write(lambda session: session.webhooks.insert(OTHERS, webhook("theirs")))
        for identifier in ("wh_first00000", "first"):
            assert await metadata.read(lambda session, it=identifier: session.webhooks.get(ME, it)) == webhook()  # type: ignore[misc]
        assert await metadata.read(lambda session: session.webhooks.get(ME, "theirs")) is None
        assert await metadata.read(lambda session: session.webhooks.list(OTHERS)) == [webhook("theirs")]
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.webhooks.replace(OTHERS, webhook()))
        assert not await metadata.write(lambda session: session.webhooks.delete(OTHERS, "wh_first00000"))
        assert await metadata.write(lambda session: session.webhooks.delete(ME, "first"))
        assert await metadata.read(lambda session: session.webhooks.list(ME)) == []

    async def test_names_are_unique_and_the_newest_comes_first(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook()))
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook("second", seconds=5)))
        assert [one.name for one in await metadata.read(lambda session: session.webhooks.list(ME))] == [
            "second",
            "first",
        ]
        taken = replace(webhook("third"), name="first")
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.webhooks.insert(ME, taken))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.webhooks.replace(ME, replace(webhook("second"), name="first")))
        await metadata.write(lambda session: session.webhooks.replace(ME, replace(webhook(), name="renamed")))
        assert await metadata.read(lambda session: session.webhooks.get(ME, "renamed")) is not None

    async def test_each_change_is_told_of_in_its_own_transaction(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook("first", *ALL)))
        await metadata.write(lambda session: session.webhooks.insert(OTHERS, webhook("theirs", *ALL)))

        def fails(session: Session) -> None:
            session.objects.insert(ME, [object_(9)])
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await metadata.write(fails)
        await metadata.write(lambda session: session.collections.insert(ME, collection()))
        await metadata.write(lambda session: session.objects.insert(ME, [object_(1), object_(2)]))
        await metadata.write(lambda session: session.objects.replace(ME, [object_(1), object_(7)]))
        await metadata.write(lambda session: session.documents.put(ME, "col_first", [write(1), write(2)]))
        await metadata.write(lambda session: session.objects.delete(ME, ["obj_0002", "obj_0007"]))
        await metadata.write(lambda session: session.collections.delete(ME, "col_first"))
        told = [(one.event.event_type, one.event.resource_id) for one in reversed(await _log(metadata))]
        assert told == [
            ("object.created", "obj_0001"),
            ("object.created", "obj_0002"),
            ("object.updated", "obj_0001"),
            ("collection.documents.written", "col_first"),
            ("object.deleted", "obj_0002"),
            ("collection.deleted", "col_first"),
        ]
        assert all(one.event.namespace_id == "ns_1" for one in await _log(metadata))
        assert {who.organization_id for who, _, _ in await _due(metadata)} == {"org_1"}

    async def test_of_each_resource_the_oldest_is_due_and_only_of_active_webhooks(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook("first", *ALL)))
        await metadata.write(lambda session: session.objects.insert(ME, [object_(1), object_(2)]))
        await metadata.write(lambda session: session.objects.replace(ME, [object_(1)]))
        assert await _due(metadata, -SOON) == []
        assert await _due(metadata, busy=("wh_first00000",)) == []
        first, second = await _due(metadata)
        assert (first[2].event.event_type, first[2].event.resource_id) == ("object.created", "obj_0001")
        assert second[2].event.resource_id == "obj_0002"
        later = replace(first[2], attempts=1, due_at=first[2].due_at + timedelta(hours=1), error="no", answered=500)
        await metadata.write(lambda session: session.deliveries.settle(OTHERS, replace(later, error="theirs")))
        await metadata.write(lambda session: session.deliveries.settle(ME, later))
        assert [one.event.resource_id for _, _, one in await _due(metadata)] == ["obj_0002"]
        heard = replace(later, status=DeliveryStatus.DELIVERED, ended_at=later.due_at)
        await metadata.write(lambda session: session.deliveries.settle(ME, heard))
        assert {one.event.event_type for _, _, one in await _due(metadata)} == {"object.updated", "object.created"}
        assert (await _log(metadata))[-1] == heard
        idle = replace(webhook("first", *ALL), is_active=False)
        await metadata.write(lambda session: session.webhooks.replace(ME, idle))
        assert await _due(metadata) == []
        await metadata.write(lambda session: session.objects.insert(ME, [object_(3)]))
        assert len(await _log(metadata)) == 3

    async def test_what_ended_is_told_again_or_forgotten(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.webhooks.insert(ME, webhook("first", *ALL)))
        await metadata.write(lambda session: session.objects.insert(ME, [object_(1), object_(2), object_(3)]))
        ends = (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
        for delivery, status in zip(await _log(metadata), ends, strict=True):
            ended = replace(delivery, status=status, attempts=3)
            await metadata.write(lambda session, it=ended: session.deliveries.settle(ME, it))  # type: ignore[misc]
        now = datetime.now(UTC)

        async def again(who: Principal, ids: list[str] | None) -> int:
            return await metadata.write(lambda session: session.deliveries.again(who, "wh_first00000", ids, now))

        newest, heard, oldest = await _log(metadata)
        assert await again(OTHERS, None) == 0
        assert await again(ME, [heard.delivery_id, "dlv_none"]) == 1
        assert await again(ME, None) == 2
        waiting = await metadata.read(
            lambda session: session.deliveries.page(ME, "wh_first00000", DeliveryStatus.WAITING, 2, 1)
        )
        assert (waiting.total, len(waiting.items), {one.attempts for one in waiting.items}) == (3, 2, {0})
        ended = replace(oldest, status=DeliveryStatus.DELIVERED, due_at=now - timedelta(days=2))
        await metadata.write(lambda session: session.deliveries.settle(ME, ended))
        trim = now - timedelta(days=1)
        assert await metadata.write(lambda session: session.deliveries.trim(trim, 10)) == 1
        assert [one.delivery_id for one in await _log(metadata)] == [newest.delivery_id, heard.delivery_id]
        await metadata.write(lambda session: session.webhooks.delete(ME, "first"))
        assert await _log(metadata) == []
