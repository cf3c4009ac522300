"""What alerts came to, and that it is told once."""
# ruff: noqa: S101 - a contract is made of assertions

from collections.abc import Sequence
from dataclasses import replace

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.webhook import Delivery, EventType
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


class AlertsContract:
    async def test_what_an_alert_came_to_is_told_once_for_a_cause_and_document(self, metadata: Metadata) -> None:
        bell = samples.webhook("bell")
        alert = samples.alert("first", bell.webhook_id)
        one, none, two = samples.alert_execution(1), samples.alert_execution(2, 0), samples.alert_execution(3, 2)

        def fill(session: Session) -> Sequence[int]:
            session.webhooks.insert(ME, bell)
            session.alerts.insert(ME, alert)
            put = session.alert_executions.put
            return put(ME, alert, [one, none]), put(ME, alert, [one, two]), put(ME, alert, [replace(one, cause="b")])

        def read(session: Session) -> Sequence[Delivery]:
            page = session.deliveries.page(ME, bell.webhook_id, None, 10, 0).items
            return [each for each in page if each.event.event_type == EventType.ALERT_TRIGGERED]

        assert await metadata.write(fill) == (1, 1, 1)
        told = [each.event.data for each in await metadata.read(read)]
        assert [each["source_documents"] for each in told] == [["doc_0001"], ["doc_0003"], ["doc_0001"]]
        assert [each["match_count"] for each in told] == [1, 2, 1]
        ids = ["doc_0001", "doc_0002", "doc_0004"]
        done = await metadata.read(lambda session: session.alert_executions.done(ME, "alt_first", "bat_0001", ids))
        assert done == {"doc_0001", "doc_0002"}

    async def test_the_newest_are_kept_and_listed_first(self, metadata: Metadata) -> None:
        alert, other = samples.alert(), samples.alert("other")
        some = [samples.alert_execution(number) for number in range(1, 6)]

        def fill(session: Session) -> None:
            session.alert_executions.put(ME, alert, some)
            session.alert_executions.put(ME, other, [samples.alert_execution(9, alert_id="alt_other")])
            session.alert_executions.trim(ME, "alt_first", 3)

        await metadata.write(fill)
        page = await metadata.read(lambda session: session.alert_executions.page(ME, "alt_first", 2, 0))
        assert (list(page.items), page.total) == ([some[4], some[3]], 3)
        every = await metadata.read(lambda session: session.alert_executions.page(ME, None, 10, 0))
        assert [one.alert_id for one in every.items] == ["alt_other", *["alt_first"] * 3]
        assert await metadata.write(lambda session: session.alert_executions.delete(ME, "alt_first")) == 3
        assert await metadata.write(lambda session: session.alert_executions.delete(ME, "alt_first")) == 0

    async def test_strangers_see_nothing_of_it(self, metadata: Metadata) -> None:
        alert = samples.alert()

        def fill(session: Session) -> None:
            session.alerts.insert(ME, alert)
            session.alert_executions.put(ME, alert, [samples.alert_execution(1)])

        await metadata.write(fill)
        for who in STRANGERS:
            page = await metadata.read(lambda session, who=who: session.alert_executions.page(who, None, 10, 0))  # type: ignore[misc]
            assert (list(page.items), page.total) == ([], 0)

            def touch(session: Session, who: object = who) -> tuple[object, int]:
                done = session.alert_executions.done(who, "alt_first", "bat_0001", ["doc_0001"])  # type: ignore[arg-type]
                return done, session.alert_executions.delete(who, "alt_first")  # type: ignore[arg-type]

            assert await metadata.write(touch) == (frozenset(), 0)
