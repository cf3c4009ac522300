"""Connections to storages of others, and what is copied from them."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from functools import partial

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.audit import AuditQuery
from tamis.model.bucket_sync import FileState
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS

OTHER = Principal("org_2")


def _seen_by(stranger: Principal, session: Session) -> tuple[object, object, bool]:
    """What a stranger gets of the sync, of its files, and whether he may delete it."""
    syncs = session.bucket_syncs
    return (
        syncs.get(stranger, "sync_first"),
        syncs.following(stranger, "sync_first", "", 9),
        syncs.delete(stranger, "sync_first"),
    )


class SyncsContract:
    async def test_connections_are_their_organisations(self, metadata: Metadata) -> None:
        one, two = (
            samples.storage_connection("one"),
            replace(samples.storage_connection("two"), created_at=samples.later(5)),
        )

        def fill(session: Session) -> None:
            session.storage_connections.insert(ME, one)
            session.storage_connections.insert(ME, two)
            session.storage_connections.insert(OTHER, samples.storage_connection("one"))

        await metadata.write(fill)
        assert await metadata.read(lambda session: session.storage_connections.list(ME)) == [two, one]
        assert await metadata.read(lambda session: session.storage_connections.get(ME, "two")) == two
        assert await metadata.read(lambda session: session.storage_connections.get(ME, "conn_two")) == two
        assert await metadata.read(lambda session: session.storage_connections.get(OTHER, "two")) is None
        everyones = await metadata.read(lambda session: session.storage_connections.everyones())
        assert len(everyones) == 3
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.storage_connections.insert(ME, one))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.storage_connections.replace(ME, replace(two, name="one")))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.storage_connections.replace(OTHER, two))
        assert await metadata.write(lambda session: session.storage_connections.delete(ME, "conn_one"))
        assert not await metadata.write(lambda session: session.storage_connections.delete(ME, "conn_one"))
        assert await metadata.read(lambda session: session.storage_connections.get(OTHER, "one")) is not None

    async def test_a_connections_use_is_no_change_of_it(self, metadata: Metadata) -> None:
        one = samples.storage_connection()
        await metadata.write(lambda session: session.storage_connections.insert(ME, one))
        used = replace(one, last_used_at=samples.later(9), last_error="no", failures=2)
        await metadata.write(lambda session: session.storage_connections.replace(ME, used))
        assert await metadata.read(lambda session: session.storage_connections.get(ME, "first")) == used
        query = AuditQuery(resource_type="connection")
        assert (await metadata.read(lambda session: session.audit.page(ME, query))).total == 1
        await metadata.write(lambda session: session.storage_connections.replace(ME, replace(used, name="other")))
        events = (await metadata.read(lambda session: session.audit.page(ME, query))).items
        assert len(events) == 2
        assert "c2VhbGVk" not in str(events)

    async def test_syncs_are_due_and_running_across_tenants(self, metadata: Metadata) -> None:
        late, early = samples.bucket_sync("late", 20), samples.bucket_sync("early", 10)
        running = samples.bucket_sync("running", None, "run_1")

        def fill(session: Session) -> None:
            for one in (late, early, running):
                session.bucket_syncs.insert(ME, one)

        await metadata.write(fill)
        due = await metadata.read(lambda session: session.bucket_syncs.due(samples.later(20), 10))
        assert due == [(ME, early), (ME, late)]
        assert await metadata.read(lambda session: session.bucket_syncs.due(samples.later(20), 1)) == [(ME, early)]
        assert await metadata.read(lambda session: session.bucket_syncs.running()) == [(ME, running)]
        begun = replace(early, due_at=None, run_id="run_2", handled=3)
        await metadata.write(lambda session: session.bucket_syncs.replace(ME, begun))
        assert len(await metadata.read(lambda session: session.bucket_syncs.running())) == 2
        assert await metadata.read(lambda session: session.bucket_syncs.due(samples.later(20), 10)) == [(ME, late)]
        query = AuditQuery(resource_type="sync")
        assert (await metadata.read(lambda session: session.audit.page(ME, query))).total == 3
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.bucket_syncs.replace(ME, samples.bucket_sync("unknown")))

    async def test_files_go_with_their_sync(self, metadata: Metadata) -> None:
        files = [samples.synced_file(number) for number in range(4)]
        done = replace(files[1], state=FileState.DONE, error=None)

        def fill(session: Session) -> None:
            session.bucket_syncs.insert(ME, samples.bucket_sync())
            session.bucket_syncs.put_files(ME, "sync_first", files)
            session.bucket_syncs.put_files(ME, "sync_first", [done])

        await metadata.write(fill)
        asked = [files[1].path, files[3].path, "unknown"]
        found = await metadata.read(lambda session: session.bucket_syncs.files(ME, "sync_first", asked))
        assert found == {done.path: done, files[3].path: files[3]}
        waiting = await metadata.read(
            lambda session: session.bucket_syncs.files_in(ME, "sync_first", FileState.WAITING, files[0].path, 5)
        )
        assert waiting == [files[2], files[3]]
        following = await metadata.read(
            lambda session: session.bucket_syncs.following(ME, "sync_first", files[0].path, 2)
        )
        assert following == [done, files[2]]
        await metadata.write(lambda session: session.bucket_syncs.delete_files(ME, "sync_first", [files[0].path]))
        for stranger in STRANGERS:
            assert await metadata.write(partial(_seen_by, stranger)) == (None, [], False)
        assert len(await metadata.read(lambda session: session.bucket_syncs.following(ME, "sync_first", "", 9))) == 3
        assert await metadata.write(lambda session: session.bucket_syncs.delete(ME, "sync_first"))
        assert not await metadata.read(lambda session: session.bucket_syncs.following(ME, "sync_first", "", 9))
        assert await metadata.read(lambda session: session.bucket_syncs.list(ME, "bkt_first")) == []
