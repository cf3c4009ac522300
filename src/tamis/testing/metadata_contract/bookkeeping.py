"""Who changed what, how much was asked, what it cost, and secrets."""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tamis.engine.caller import Caller, called_by
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.audit import AuditEvent, AuditQuery
from tamis.model.principal import Permission, Principal
from tamis.model.usage import Spending, UsageCount, UsageRow, UsageSlot, UsageWindow
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME

OTHER = Principal("org_2", "ns_1")
ADMIN = Principal("org_1", "ns_1", frozenset({Permission.ADMIN}), "usr_1", "key_1")
_HOUR = 3600
_DAY = UsageWindow(date(1970, 1, 1), date(1970, 1, 1))


async def _events(metadata: Metadata, principal: Principal = ME, **asked: object) -> list[AuditEvent]:
    query = AuditQuery(**asked)  # type: ignore[arg-type] # each caller names fields of it
    page = await metadata.read(lambda session: session.audit.page(principal, query))
    return list(page.items)


class BookkeepingContract:
    async def test_a_change_is_noted_with_who_and_what_it_was_before(self, metadata: Metadata) -> None:
        bucket = samples.bucket()
        caller = Caller("request", address="192.0.2.7", user_agent="test")
        with called_by(caller):
            await metadata.write(lambda session: session.buckets.insert(ADMIN, bucket))
            await metadata.write(lambda session: session.buckets.replace(ADMIN, replace(bucket, description="new")))
            await metadata.write(lambda session: session.buckets.delete(ADMIN, bucket.bucket_id))
        deleted, updated, created = await _events(metadata, resource_type="bucket")
        assert [event.action for event in (created, updated, deleted)] == [
            "bucket_created", "bucket_updated", "bucket_deleted",
        ]  # fmt: skip
        assert (created.actor_id, created.actor_type, created.key_id) == ("usr_1", "user", "key_1")
        assert (created.address, created.user_agent, created.request_id) == ("192.0.2.7", "test", "request")
        assert updated.changes == {"before": {"description": None}, "after": {"description": "new"}}
        assert "before" not in created.changes
        assert "after" not in deleted.changes
        assert await metadata.read(lambda session: session.audit.get(ME, created.audit_id)) == created
        assert await metadata.read(lambda session: session.audit.get(OTHER, created.audit_id)) is None

    async def test_what_is_rolled_back_is_not_noted(self, metadata: Metadata) -> None:
        def insert_and_fail(session: Session) -> None:
            session.buckets.insert(ME, samples.bucket())
            raise KeyError

        with pytest.raises(KeyError):
            await metadata.write(insert_and_fail)
        assert await _events(metadata) == []

    async def test_an_update_that_changes_nothing_is_none(self, metadata: Metadata) -> None:
        bucket = samples.bucket()
        await metadata.write(lambda session: session.buckets.insert(ME, bucket))
        later = replace(bucket, updated_at=samples.later(9))
        await metadata.write(lambda session: session.buckets.replace(ME, later))
        assert len(await _events(metadata)) == 1

    async def test_events_are_found_by_what_they_are_of(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.namespaces.insert(ADMIN, samples.namespace())
            session.buckets.insert(ADMIN, samples.bucket())
            session.buckets.insert(ME, samples.bucket("second"))
            session.buckets.insert(OTHER, samples.bucket())

        await metadata.write(fill)
        assert len(await _events(metadata)) == 3
        assert len(await _events(metadata, actor_id="usr_1")) == 2
        assert [event.actor_id for event in await _events(metadata, resource_id="bkt_second")] == ["system"]
        assert len(await _events(metadata, action="bucket_created", resource_type="bucket", offset=1)) == 1
        now = datetime.now(UTC)
        assert len(await _events(metadata, start=now - timedelta(hours=1), end=now)) == 3
        assert await _events(metadata, start=now + timedelta(hours=1)) == []
        assert await metadata.write(lambda session: session.audit.trim(OTHER, now, 10)) == 1
        assert await metadata.write(lambda session: session.audit.trim(ME, now, 2)) == 2
        assert len(await _events(metadata)) == 1

    async def test_what_a_namespace_did_outlives_it(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.namespaces.insert(ME, replace(samples.namespace(), namespace_id="ns_1"))
            session.buckets.insert(ME, samples.bucket())
            session.purge_namespace(ME)

        await metadata.write(fill)
        actions = [event.action for event in await _events(metadata)]
        assert sorted(actions) == ["bucket_created", "namespace_created", "namespace_deleted"]

    async def test_no_event_shows_a_hash_or_a_sealed_value(self, metadata: Metadata) -> None:
        key = samples.key()
        rotated = replace(key, key_hash="hash_of_new", previous_hash=key.key_hash, previous_until=samples.later(5))

        def change(session: Session) -> None:
            session.keys.insert(ME, key)
            session.keys.replace(ME, rotated)
            session.secrets.put(ME, samples.secret())
            session.secrets.put(ME, samples.secret(sealed="b3RoZXI="))
            session.published.insert(ME, replace(samples.published(), password_hash="hash_of_it"))  # noqa: S106
            session.secrets.delete(ME, "api_token")

        await metadata.write(change)
        events = await _events(metadata)
        assert sorted(event.action for event in events) == [
            "api_key_created", "api_key_rotated", "published_retriever_created",
            "secret_created", "secret_deleted", "secret_updated",
        ]  # fmt: skip
        shown = repr(events)
        for hidden in ("hash_", "c2VhbGVk", "b3RoZXI="):
            assert hidden not in shown

    async def test_a_rotated_key_is_found_by_both_of_its_secrets(self, metadata: Metadata) -> None:
        key = samples.key()
        rotated = replace(key, key_hash="new", previous_hash=key.key_hash, previous_until=samples.later(5))
        await metadata.write(lambda session: session.organizations.insert(samples.organization(), samples.user()))
        await metadata.write(lambda session: session.keys.insert(ME, key))
        await metadata.write(lambda session: session.keys.replace(ME, rotated))
        for key_hash in ("new", key.key_hash):
            assert await self._key_of(metadata, key_hash) == key.key_id
        again = replace(rotated, key_hash="newest", previous_hash="new")
        await metadata.write(lambda session: session.keys.replace(ME, again))
        assert [await self._key_of(metadata, each) for each in (key.key_hash, "new", "newest")] == [
            None, key.key_id, key.key_id,
        ]  # fmt: skip
        await metadata.write(lambda session: session.keys.replace(ME, replace(again, previous_hash=None)))
        assert await self._key_of(metadata, "new") is None

    async def _key_of(self, metadata: Metadata, key_hash: str) -> str | None:
        holder = await metadata.read_now(lambda session: session.keys.find_hash(key_hash))
        return holder.key.key_id if holder else None

    async def test_requests_are_added_up_by_day(self, metadata: Metadata) -> None:
        def slot(hour: int, key_id: str = "key_1") -> UsageSlot:
            return UsageSlot("org_1", key_id, "GET /v1/buckets", hour * _HOUR)

        counts = {slot(1): UsageCount(2, 1, 500), slot(2): UsageCount(1, 0, 100), slot(25): UsageCount(7, 0, 1)}
        others = {slot(1, "key_2"): UsageCount(1, 0, 5), UsageSlot("org_2", "key_1", "GET /x", 0): UsageCount(9, 0, 9)}
        await metadata.write(lambda session: session.usage.add({**counts, **others}, {}))
        await metadata.write(lambda session: session.usage.add({slot(1): UsageCount(1, 1, 10)}, {}))
        mine = UsageRow("key_1", "GET /v1/buckets", _DAY.start, 4, 2, 610)
        both = [mine, replace(mine, key_id="key_2", requests=1, failed=0, duration_us=5)]
        assert await metadata.read(lambda session: session.usage.rows(ME, _DAY)) == both
        assert await metadata.read(lambda session: session.usage.rows(ME, _DAY, "key_1")) == [mine]
        assert await metadata.write(lambda session: session.usage.trim(ME, date(1970, 1, 2), 100)) == 3
        assert await metadata.read(lambda session: session.usage.rows(ME, _DAY)) == []
        assert len(await metadata.read(lambda session: session.usage.rows(OTHER, _DAY))) == 1

    async def test_the_last_use_of_a_key_never_goes_back(self, metadata: Metadata) -> None:
        for at in (samples.later(1), samples.later(3), samples.later(2)):
            used = {("org_1", "key_1"): at, ("org_2", "key_1"): samples.NOW}
            await self._use(metadata, used)
        assert await metadata.read(lambda session: session.usage.last_used(ME)) == {"key_1": samples.later(3)}

    async def _use(self, metadata: Metadata, used: dict[tuple[str, str], datetime]) -> None:
        await metadata.write(lambda session: session.usage.add({}, used))

    async def test_what_executions_cost_is_counted_with_their_records(self, metadata: Metadata) -> None:
        def costly(number: int, credits: float, mode: str = "saved") -> Entry:
            execution = samples.execution(number)
            header = replace(execution.header, credits_used=credits, mode=mode)
            return Entry(ME, replace(execution, header=header))

        before = await metadata.read(lambda session: session.credits.spent(ME))
        assert before == []
        entries = [costly(1, 0.25), costly(2, 0.5), costly(3, 0.0), costly(4, 1.5, "anonymous")]
        await asyncio.gather(*(metadata.keep(entry) for entry in entries))
        last = costly(5, 2.0)
        await metadata.write(lambda session: session.executions.insert(ME, last.execution, {}))
        day = last.execution.header.started_at.date()
        expected = [Spending("anonymous", "ns_1", 1.5, 1), Spending("saved", "ns_1", 2.75, 3)]
        assert await metadata.read(lambda session: session.credits.spent(ME, UsageWindow(day, day))) == expected
        assert await metadata.read(lambda session: session.credits.spent(ME)) == expected
        gone = UsageWindow(day - timedelta(days=9), day - timedelta(days=1))
        assert await metadata.read(lambda session: session.credits.spent(ME, gone)) == []
        assert await metadata.read(lambda session: session.credits.spent(OTHER)) == []

    async def test_what_is_no_execution_is_charged_beside_them(self, metadata: Metadata) -> None:
        day = samples.NOW.date()

        def charge(session: Session) -> None:
            for credits in (0.25, 0.5, 0.0):
                session.credits.charge(ME, "tuning", day, credits)
            session.credits.charge(ME, "judging", day, 0.0)

        await metadata.write(charge)
        assert await metadata.read(lambda session: session.credits.spent(ME)) == [Spending("tuning", "ns_1", 0.75, 0)]
        assert await metadata.read(lambda session: session.credits.spent(OTHER)) == []

    async def test_secrets_are_their_organisations(self, metadata: Metadata) -> None:
        one, two = samples.secret(), samples.secret("b")
        for secret in (two, one):
            await self._put(metadata, secret.name)
        assert await metadata.read(lambda session: session.secrets.list(ME)) == [one, two]
        assert await metadata.read(lambda session: session.secrets.list(OTHER)) == []
        assert not await metadata.write(lambda session: session.secrets.delete(OTHER, "b"))
        everyones = await metadata.read(lambda session: session.secrets.everyones())
        assert [(who.organization_id, secret.name) for who, secret in everyones] == [
            ("org_1", "api_token"),
            ("org_1", "b"),
        ]
        assert await metadata.write(lambda session: session.secrets.delete(ME, "b"))
        assert await metadata.read(lambda session: session.secrets.get(ME, "b")) is None

    async def _put(self, metadata: Metadata, name: str) -> None:
        await metadata.write(lambda session: session.secrets.put(ME, samples.secret(name)))
