"""What the servers of one installation know together."""
# ruff: noqa: S101 - a contract is made of assertions

from tamis.engine.ports.metadata import Metadata
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later


class InstallationContract:
    async def test_the_first_secret_that_is_offered_stands(self, metadata: Metadata) -> None:
        first = await metadata.write(lambda session: session.installation.secret(b"\x00first"))
        again = await metadata.write(lambda session: session.installation.secret(b"another"))
        assert (first, again) == (b"\x00first", b"\x00first")

    async def test_an_ended_session_is_known_until_it_would_have_ended_anyway(self, metadata: Metadata) -> None:
        for _ in range(2):
            await metadata.write(lambda session: session.ended_sessions.add(ME, "one", later(10), later(0)))
        await metadata.write(lambda session: session.ended_sessions.add(ME, "two", later(20), later(5)))
        assert await metadata.read(lambda session: session.ended_sessions.has(ME, "one"))
        assert not await metadata.read(lambda session: session.ended_sessions.has(ME, "three"))
        await metadata.write(lambda session: session.ended_sessions.add(ME, "three", later(30), later(15)))
        assert not await metadata.read(lambda session: session.ended_sessions.has(ME, "one"))
        assert await metadata.read(lambda session: session.ended_sessions.has(ME, "two"))

    async def test_another_organisations_sessions_are_its_own(self, metadata: Metadata) -> None:
        stranger = next(one for one in STRANGERS if one.organization_id != ME.organization_id)
        await metadata.write(lambda session: session.ended_sessions.add(ME, "one", later(10), later(0)))
        assert not await metadata.read(lambda session: session.ended_sessions.has(stranger, "one"))
        await metadata.write(lambda session: session.ended_sessions.add(stranger, "two", later(30), later(20)))
        assert await metadata.read(lambda session: session.ended_sessions.has(ME, "one"))
