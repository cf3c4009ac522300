from pathlib import Path

import pytest

from tamis.engine.ports.metadata import Metadata
from tamis.model.namespace import Namespace
from tamis.model.principal import Principal
from tamis.model.stage_means import WINDOW, Means
from tamis.services.runs.stage_statistics import StageExperience, of_every
from tamis.storage.metadata import open_sqlite
from tests.engine.stages.shop import NOW, PRINCIPAL, StoppedClock

RUN = Means(1, received=100, returned=10, processed=100, duration_ms=4)
OTHER = Principal("org_1", "ns_2")


async def opened(path: Path) -> Metadata:
    metadata = await open_sqlite(path / "metadata.db")
    await metadata.write(lambda session: session.namespaces.insert(PRINCIPAL, Namespace("ns_1", "shop", NOW, NOW)))
    return metadata


async def test_what_was_learnt_outlives_the_server(tmp_path: Path) -> None:
    metadata = await opened(tmp_path)
    first = StageExperience(metadata, StoppedClock())
    for returned in (10, 20):
        first.learn(PRINCIPAL, "f", "limit", Means(1, 100, returned, 100, 4))
    assert (await first.recall(PRINCIPAL, ["f", "g"])) == {"f": Means(2, 100, 15, 100, 4)}
    await first.close()
    second = StageExperience(metadata, StoppedClock())
    assert second.known(PRINCIPAL, "f") is None
    assert await second.recall(PRINCIPAL, ["f"]) == {"f": Means(2, 100, 15, 100, 4)}
    second.learn(PRINCIPAL, "f", "limit", Means(1, 100, 30, 100, 4))
    found = await second.recall(PRINCIPAL, ["f", of_every("limit")])
    assert found["f"] == Means(3, 100, 20, 100, 4)
    assert found[of_every("limit")].runs == 3
    assert await second.recall(OTHER, ["f"]) == {}
    await metadata.close()


async def test_two_servers_add_to_the_same_means(tmp_path: Path) -> None:
    metadata = await opened(tmp_path)
    servers = [StageExperience(metadata, StoppedClock()) for _ in range(2)]
    for server, returned in zip(servers, (10, 30), strict=True):
        server.learn(PRINCIPAL, "f", "limit", Means(1, 100, returned, 100, 4))
        await server.flush()
    later = StageExperience(metadata, StoppedClock())
    assert (await later.recall(PRINCIPAL, ["f"]))["f"].returned == 20
    await metadata.close()


async def test_a_namespace_that_is_gone_stays_gone(tmp_path: Path) -> None:
    metadata = await opened(tmp_path)
    server = StageExperience(metadata, StoppedClock())
    server.learn(PRINCIPAL, "f", "limit", RUN)
    await metadata.write(lambda session: session.purge_namespace(PRINCIPAL))
    await server.close()
    assert await metadata.read(lambda session: session.stage_statistics.find(PRINCIPAL, ["f"])) == {}
    await metadata.close()


async def test_later_runs_weigh_more_once_there_are_many() -> None:
    means = Means()
    for _ in range(5 * WINDOW):
        means = means.then(RUN)
    for _ in range(3 * WINDOW):
        means = means.then(Means(1, 100, 50, 100, 4))
    assert means.runs == WINDOW
    assert means.returned == pytest.approx(50, rel=0.05)
