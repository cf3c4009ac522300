"""Templates that organisations make of their own resources."""
# ruff: noqa: S101 - a contract is made of assertions

from tamis.engine.ports.metadata import Metadata
from tamis.testing.metadata_contract.samples import ME, STRANGERS, template

OTHERS, NEIGHBOUR = STRANGERS[0], STRANGERS[1]


class TemplatesContract:
    async def test_a_template_is_its_organisations_in_every_namespace(self, metadata: Metadata) -> None:
        first, second = template("first"), template("second", seconds=5)
        for one in (first, second):
            await metadata.write(lambda session, it=one: session.templates.insert(ME, it))  # type: ignore[misc]
        await metadata.write(lambda session: session.templates.insert(OTHERS, first))
        assert await metadata.read(lambda session: session.templates.list(NEIGHBOUR)) == [second, first]
        assert await metadata.read(lambda session: session.templates.get(ME, "tmpl_first")) == first
        assert await metadata.read(lambda session: session.templates.get(OTHERS, "tmpl_second")) is None
        assert not await metadata.write(lambda session: session.templates.delete(OTHERS, "tmpl_second"))
        assert await metadata.write(lambda session: session.templates.delete(ME, "tmpl_first"))
        assert await metadata.read(lambda session: session.templates.list(ME)) == [second]
        assert await metadata.read(lambda session: session.templates.list(OTHERS)) == [first]

    async def test_a_template_stays_when_its_namespace_goes(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.templates.insert(ME, template("first")))
        await metadata.write(lambda session: session.purge_namespace(ME))
        assert len(await metadata.read(lambda session: session.templates.list(ME))) == 1
