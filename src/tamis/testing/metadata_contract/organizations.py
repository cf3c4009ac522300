"""Organisations, users and keys."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.organization import Holder
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME

OTHER = Principal("org_2")


class OrganizationsContract:
    async def test_the_first_organisation_is_the_oldest(self, metadata: Metadata) -> None:
        assert await metadata.read(lambda session: session.organizations.first()) is None
        second = replace(samples.organization("org_2"), created_at=samples.later(5))
        await metadata.write(lambda session: session.organizations.insert(second, samples.user("org_2")))
        await metadata.write(lambda session: session.organizations.insert(samples.organization(), samples.user()))
        assert await metadata.read(lambda session: session.organizations.first()) == samples.organization()

    async def test_an_organisation_sees_itself_alone(self, metadata: Metadata) -> None:
        def insert(session: Session) -> None:
            for name in ("org_1", "org_2"):
                session.organizations.insert(samples.organization(name), samples.user(name))

        await metadata.write(insert)
        assert await metadata.read(lambda session: session.organizations.get(ME)) == samples.organization()
        assert await metadata.read(lambda session: session.organizations.users(OTHER)) == [samples.user("org_2")]
        assert await metadata.read(lambda session: session.organizations.get(Principal("org_3"))) is None
        changed = replace(samples.organization(), name="renamed")
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.organizations.replace(OTHER, changed))
        await metadata.write(lambda session: session.organizations.replace(ME, changed))
        assert await metadata.read(lambda session: session.organizations.get(ME)) == changed
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.organizations.insert(changed, samples.user()))

    async def test_a_key_is_found_by_its_hash_with_its_organisation(self, metadata: Metadata) -> None:
        key = samples.key()
        await metadata.write(lambda session: session.organizations.insert(samples.organization(), samples.user()))
        await metadata.write(lambda session: session.keys.insert(ME, key))
        found = await metadata.read_now(lambda session: session.keys.find_hash(key.key_hash))
        assert found == Holder(key, samples.organization(), samples.user())
        assert await metadata.read_now(lambda session: session.keys.find_hash("hash_of_none")) is None

    async def test_keys_are_their_organisations(self, metadata: Metadata) -> None:
        older, newer = samples.key("a"), replace(samples.key("b"), created_at=samples.later(1))
        await metadata.write(lambda session: session.keys.insert(ME, older))
        await metadata.write(lambda session: session.keys.insert(ME, newer))
        assert await metadata.read(lambda session: session.keys.list(ME)) == [newer, older]
        assert await metadata.read(lambda session: session.keys.list(OTHER)) == []
        revoked = replace(older, revoked_at=samples.NOW, revoked_by="usr_1")
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.keys.replace(OTHER, revoked))
        await metadata.write(lambda session: session.keys.replace(ME, revoked))
        assert await metadata.read(lambda session: session.keys.list(ME)) == [newer, revoked]
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.keys.insert(ME, newer))
