"""Namespaces, buckets, collections, retrievers, data sets, taxonomies, snapshots: one set of rules for the seven."""
# ruff: noqa: S101 - a contract is made of assertions

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.namespace_migration import MigrationStatus, NamespaceMigration
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS

KINDS = ("namespace", "bucket", "collection", "retriever", "dataset", "taxonomy", "snapshot")


def _make(kind: str) -> Callable[..., Any]:
    maker: Callable[..., Any] = getattr(samples, kind)
    return maker


def _of(session: Session, kind: str) -> Any:
    return getattr(session, "taxonomies" if kind == "taxonomy" else f"{kind}s")


def _call(kind: str, method: str, principal: Principal, argument: object, session: Session) -> Any:
    return getattr(_of(session, kind), method)(principal, argument)


def _id(kind: str, name: str) -> str:
    return str(getattr(_make(kind)(name), f"{kind}_id"))


def _strangers(kind: str) -> tuple[Principal, ...]:
    """A namespace belongs to the organisation, whichever namespace its caller is in."""
    return STRANGERS[:1] if kind == "namespace" else STRANGERS


class ResourcesContract:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_found_by_id_and_by_name(self, metadata: Metadata, kind: str) -> None:
        made = _make(kind)("first")
        assert await metadata.write(lambda session: _of(session, kind).insert(ME, made)) == made
        for identifier in (_id(kind, "first"), "first"):
            found = await metadata.read_now(partial(_call, kind, "get", ME, identifier))
            assert found == made
        assert await metadata.read(lambda session: _of(session, kind).get(ME, "none")) is None

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_name_is_taken_once(self, metadata: Metadata, kind: str) -> None:
        await metadata.write(lambda session: _of(session, kind).insert(ME, _make(kind)("first")))
        await metadata.write(lambda session: _of(session, kind).insert(ME, _make(kind)("second")))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: _of(session, kind).insert(ME, _make(kind)("first")))
        renamed = replace(_make(kind)("second"), name="first")
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: _of(session, kind).replace(ME, renamed))
        assert await metadata.read(lambda session: _of(session, kind).get(ME, "second")) == _make(kind)("second")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_listed_newest_first(self, metadata: Metadata, kind: str) -> None:
        for name, seconds in (("b", 1.0), ("a", 1.0), ("new", 2.0), ("old", 0.0)):
            made = _make(kind)(name, seconds)
            await metadata.write(partial(_call, kind, "insert", ME, made))
        every = await metadata.read(lambda session: _of(session, kind).list(ME))
        assert [each.name for each in every] == ["new", "a", "b", "old"]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_replaced_under_its_id(self, metadata: Metadata, kind: str) -> None:
        made = _make(kind)("first")
        changed = replace(made, name="renamed", description="changed", updated_at=samples.later(9))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: _of(session, kind).replace(ME, changed))
        await metadata.write(lambda session: _of(session, kind).insert(ME, made))
        assert await metadata.write(lambda session: _of(session, kind).replace(ME, changed)) == changed
        assert await metadata.read(lambda session: _of(session, kind).get(ME, "renamed")) == changed
        assert await metadata.read(lambda session: _of(session, kind).get(ME, "first")) is None

    @pytest.mark.parametrize("kind", KINDS)
    async def test_deleted_once(self, metadata: Metadata, kind: str) -> None:
        await metadata.write(lambda session: _of(session, kind).insert(ME, _make(kind)("first")))
        identifier = _id(kind, "first")
        assert await metadata.write(lambda session: _of(session, kind).delete(ME, identifier)) is True
        assert await metadata.write(lambda session: _of(session, kind).delete(ME, identifier)) is False
        assert await metadata.read(lambda session: _of(session, kind).list(ME)) == []

    @pytest.mark.parametrize("kind", KINDS)
    async def test_others_neither_see_nor_touch_it(self, metadata: Metadata, kind: str) -> None:
        made, identifier = _make(kind)("first"), _id(kind, "first")
        await metadata.write(lambda session: _of(session, kind).insert(ME, made))
        for stranger in _strangers(kind):

            def look(session: Session, who: Principal = stranger) -> list[Any]:
                kinds = _of(session, kind)
                return [kinds.get(who, identifier), kinds.get(who, "first"), kinds.delete(who, identifier), kinds.list(who)]  # fmt: skip # noqa: E501 - one look of each kind

            assert await metadata.write(look) == [None, None, False, []]
            with pytest.raises(NotFoundError):
                await metadata.write(partial(_call, kind, "replace", stranger, made))
            await metadata.write(partial(_call, kind, "insert", stranger, made))
        assert await metadata.read(lambda session: _of(session, kind).list(ME)) == [made]

    async def test_replacing_a_collection_keeps_the_revision_that_its_documents_made(self, metadata: Metadata) -> None:
        stale = await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))
        await metadata.write(lambda session: session.documents.put(ME, "col_first", [samples.write(1)]))
        changed = replace(stale, description="changed")
        replaced = await metadata.write(lambda session: session.collections.replace(ME, changed))
        assert replaced == replace(changed, revision=1)
        assert await metadata.read(lambda session: session.collections.get(ME, "first")) == replaced

    async def test_migrations_are_called_by_their_ids(self, metadata: Metadata) -> None:
        first, second = samples.namespace_migration(1), samples.namespace_migration(2)
        for one in (first, second):
            await metadata.write(partial(_keep_migration, one))
        assert await metadata.read(lambda session: session.namespace_migrations.list(ME)) == [second, first]
        ended = replace(first, status=MigrationStatus.COMPLETED)
        await metadata.write(lambda session: session.namespace_migrations.replace(ME, ended))
        assert await metadata.read(lambda session: session.namespace_migrations.get(ME, "mig_0001")) == ended
        for stranger in STRANGERS:
            assert await metadata.read(partial(_migrations_of, stranger)) == []


def _keep_migration(migration: NamespaceMigration, session: Session) -> None:
    session.namespace_migrations.insert(ME, migration)


def _migrations_of(principal: Principal, session: Session) -> Any:
    return session.namespace_migrations.list(principal)
