"""Clusters, and their runs with what those found."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

import pytest

from tamis.engine.ports.clusters import MemberQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.cluster import NOISE, ClusterRun, RunStatus
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


async def _keep(metadata: Metadata, *runs: ClusterRun) -> None:
    def keep(session: Session) -> None:
        for one in runs:
            session.cluster_runs.insert(ME, one)

    await metadata.write(keep)


class ClustersContract:
    async def test_clusters_have_names_of_their_own(self, metadata: Metadata) -> None:
        first = samples.cluster()
        await metadata.write(lambda session: session.clusters.insert(ME, first))
        assert await metadata.read(lambda session: session.clusters.get(ME, "first")) == first
        assert await metadata.read(lambda session: session.clusters.get(ME, "clust_first")) == first
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.clusters.insert(ME, replace(first, cluster_id="clust_2")))

    async def test_runs_are_listed_newest_first_by_cluster_and_trigger(self, metadata: Metadata) -> None:
        first, second = samples.cluster_run(1, "completed"), samples.cluster_run(2, trigger="trig_1")
        await _keep(metadata, first, second, samples.cluster_run(3, cluster="other"))
        assert await metadata.read(lambda session: session.cluster_runs.list(ME, "clust_first")) == [second, first]
        assert await metadata.read(lambda session: session.cluster_runs.of_trigger(ME, "trig_1")) == [second]
        with pytest.raises(AlreadyExistsError):
            await _keep(metadata, first)

    async def test_what_is_not_finished_is_gone_on_with(self, metadata: Metadata) -> None:
        first, second = samples.cluster_run(1, "processing"), samples.cluster_run(2)
        await _keep(metadata, second, samples.cluster_run(3, "failed"), first)
        assert await metadata.read(lambda session: session.cluster_runs.unfinished()) == [(ME, first), (ME, second)]
        done = replace(first, status=RunStatus.COMPLETED)
        await metadata.write(lambda session: session.cluster_runs.replace(ME, done))
        assert await metadata.read(lambda session: session.cluster_runs.unfinished()) == [(ME, second)]
        assert await metadata.read(lambda session: session.cluster_runs.get(ME, "run_0001")) == done
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.cluster_runs.replace(ME, samples.cluster_run(9)))

    async def test_members_stand_by_cluster_and_place(self, metadata: Metadata) -> None:
        await _keep(metadata, samples.cluster_run(1))
        some = [samples.member(1, 0, 1), samples.member(2, 0, 0), samples.member(3, 1), samples.member(4, NOISE)]

        def put(session: Session) -> None:
            session.cluster_runs.put_members(ME, "run_0001", [samples.member(1, 5)])
            session.cluster_runs.put_members(ME, "run_0001", some)
            session.cluster_runs.put_found(ME, "run_0001", [samples.found_cluster(1), samples.found_cluster(0)])

        await metadata.write(put)

        def look(session: Session) -> None:
            page = session.cluster_runs.members(ME, MemberQuery("run_0001", limit=3))
            assert ([*page.items], page.total) == ([some[3], some[1], some[0]], 4)
            page = session.cluster_runs.members(ME, MemberQuery("run_0001", 0, offset=1))
            assert ([*page.items], page.total) == ([some[0]], 2)
            found = session.cluster_runs.members_of(ME, "run_0001", ["doc_0003", "doc_0009"])
            assert found == {"doc_0003": some[2]}
            assert session.cluster_runs.numbers(ME, "run_0001") == {"doc_0001": 0, "doc_0002": 0, "doc_0003": 1}
            assert [one.number for one in session.cluster_runs.found(ME, "run_0001")] == [0, 1]

        await metadata.read(look)

    async def test_what_a_run_found_goes_with_it(self, metadata: Metadata) -> None:
        await _keep(metadata, samples.cluster_run(1), samples.cluster_run(2))

        def fill(session: Session) -> None:
            for run_id in ("run_0001", "run_0002"):
                session.cluster_runs.put_members(ME, run_id, [samples.member(1)])
                session.cluster_runs.put_found(ME, run_id, [samples.found_cluster(0)])
            assert session.cluster_runs.delete(ME, "run_0001")
            assert not session.cluster_runs.delete(ME, "run_0001")
            session.cluster_runs.clear(ME, "run_0002")

        await metadata.write(fill)

        def look(session: Session) -> None:
            for run_id in ("run_0001", "run_0002"):
                assert session.cluster_runs.members(ME, MemberQuery(run_id)).total == 0
                assert not session.cluster_runs.found(ME, run_id)
            assert session.cluster_runs.get(ME, "run_0001") is None
            assert session.cluster_runs.get(ME, "run_0002") is not None

        await metadata.read(look)

    async def test_strangers_see_no_clusters(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.clusters.insert(ME, samples.cluster())
            session.cluster_runs.insert(ME, samples.cluster_run(1, trigger="trig_first"))
            session.cluster_runs.put_members(ME, "run_0001", [samples.member(1)])
            session.cluster_runs.put_found(ME, "run_0001", [samples.found_cluster(0)])

        await metadata.write(fill)
        for stranger in STRANGERS:

            def look(session: Session, who: Principal = stranger) -> list[object]:
                runs = session.cluster_runs
                return [
                    session.clusters.get(who, "first"), runs.get(who, "run_0001"), *runs.list(who, "clust_first"),
                    *runs.of_trigger(who, "trig_first"), *runs.found(who, "run_0001"),
                    *runs.members(who, MemberQuery("run_0001")).items, *runs.numbers(who, "run_0001"),
                    *runs.members_of(who, "run_0001", ["doc_0001"]),
                ]  # fmt: skip

            assert not [one for one in await metadata.read(look) if one is not None]

            def remove(session: Session, who: Principal = stranger) -> list[bool]:
                return [session.cluster_runs.delete(who, "run_0001")]

            assert await metadata.write(remove) == [False]

    async def test_new_documents_are_counted_by_when_they_were_made(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.collections.insert(ME, samples.collection())
            session.documents.put(ME, "col_first", [samples.write(number) for number in range(4)])

        await metadata.write(fill)
        made = await metadata.read(
            lambda session: sorted(one.created_at for one in session.documents.scan(ME, "col_first"))
        )
        counted = await metadata.read(lambda session: session.documents.count_since(ME, "col_first", made[1]))
        assert counted == sum(one > made[1] for one in made)
