"""Documents and their vectors."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from functools import partial

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import parse_filter
from tamis.model.page import Listing
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, same_vectors

HERE, THERE = "col_first", "col_second"


async def _put(metadata: Metadata, numbers: range, collection_id: str = HERE) -> list[Document]:
    """Pairs share a time: ties. Returns them as they are stored, by id."""

    def function(session: Session) -> int:
        for name in ("first", "second"):
            if session.collections.get(ME, name) is None:
                session.collections.insert(ME, samples.collection(name))
        writes = [samples.write(number, number // 2, collection_id) for number in numbers]
        return session.documents.put(ME, collection_id, writes)

    revision = await metadata.write(function)
    return [replace(samples.document(each, each // 2, collection_id), revision=revision) for each in numbers]


async def _numbers(metadata: Metadata, listing: Listing) -> tuple[list[object], int]:
    page = await metadata.read(lambda session: session.documents.page(ME, HERE, listing))
    return [each.fields["number"] for each in page.items], page.total


class DocumentsContract:
    async def test_a_document_comes_back_with_its_vectors_to_the_bit(self, metadata: Metadata) -> None:
        (stored,) = await _put(metadata, range(1, 2))
        assert stored.revision == 1
        assert await metadata.read_now(lambda session: session.documents.get(ME, HERE, "doc_0001")) == stored
        assert await metadata.read(lambda session: session.documents.get(ME, THERE, "doc_0001")) is None
        found = await metadata.read(lambda session: session.documents.vectors(ME, ["doc_0001", "doc_none"]))
        assert list(found) == ["doc_0001"]
        assert same_vectors(found["doc_0001"], samples.vectors(1))

    async def test_many_are_read_across_collections(self, metadata: Metadata) -> None:
        here, there = await _put(metadata, range(150)), await _put(metadata, range(200, 210), THERE)
        wanted = [each.document_id for each in (*here, *there)]
        found = await metadata.read_now(lambda session: session.documents.get_many(ME, [*wanted, "doc_none"]))
        assert found == {each.document_id: each for each in (*here, *there)}
        assert await metadata.read_now(lambda session: session.documents.get_many(ME, [])) == {}

    async def test_a_touch_raises_the_revision_and_nothing_else(self, metadata: Metadata) -> None:
        (stored,) = await _put(metadata, range(1, 2))
        assert await metadata.write(lambda session: session.documents.touch(ME, HERE)) == 2
        assert await metadata.read(lambda session: session.documents.get(ME, HERE, "doc_0001")) == stored
        touched = await metadata.read(lambda session: session.collections.get(ME, HERE))
        assert touched is not None
        assert touched.revision == 2
        assert await metadata.read(lambda session: session.index_queue.pending_for(ME, HERE)) == 1
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.documents.touch(ME, "col_none"))

    async def test_a_second_put_replaces_all_of_it(self, metadata: Metadata) -> None:
        await _put(metadata, range(3))
        other = replace(samples.document(1), fields={"new": True})
        write = DocumentWrite(other, {"embedding": samples.vectors(9)["embedding"]})
        assert await metadata.write(lambda session: session.documents.put(ME, HERE, [write])) == 2
        found = await metadata.read(lambda session: session.documents.get(ME, HERE, "doc_0001"))
        assert found == replace(other, revision=2)
        vectors = await metadata.read(lambda session: session.documents.vectors(ME, ["doc_0001"]))
        assert same_vectors(vectors["doc_0001"], write.vectors)
        assert await metadata.read(lambda session: session.documents.count(ME, HERE)) == 3

    async def test_fields_are_replaced_and_vectors_kept(self, metadata: Metadata) -> None:
        await _put(metadata, range(2))
        changed = replace(samples.document(1), fields={"new": 1.5})
        gone = samples.document(77)
        assert await metadata.write(lambda session: session.documents.put_fields(ME, HERE, [changed, gone])) == 2
        found = await metadata.read(lambda session: session.documents.get_many(ME, ["doc_0001", "doc_0077"]))
        assert found == {"doc_0001": replace(changed, revision=2)}
        vectors = await metadata.read(lambda session: session.documents.vectors(ME, ["doc_0001"]))
        assert same_vectors(vectors["doc_0001"], samples.vectors(1))

    async def test_a_write_needs_its_collection(self, metadata: Metadata) -> None:
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.documents.put(ME, "col_none", [samples.write(1)]))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.documents.put_fields(ME, "col_none", [samples.document(1)]))

    async def test_an_id_stays_in_its_collection(self, metadata: Metadata) -> None:
        (stored,) = await _put(metadata, range(1, 2))
        with pytest.raises(AlreadyExistsError):
            await _put(metadata, range(2), THERE)
        assert await metadata.read(lambda session: session.documents.get(ME, HERE, "doc_0001")) == stored
        assert await metadata.read(lambda session: session.documents.count(ME, THERE)) == 0

    async def test_deleted_with_their_vectors(self, metadata: Metadata) -> None:
        await _put(metadata, range(5))
        await _put(metadata, range(10, 12), THERE)
        ids = ["doc_0001", "doc_0003", "doc_0010", "doc_none"]
        assert await metadata.write(lambda session: session.documents.delete(ME, HERE, ids)) == 2
        assert await metadata.read(lambda session: sorted(session.documents.vectors(ME, ids))) == ["doc_0010"]
        assert await metadata.read(lambda session: session.collections.get(ME, HERE)) == replace(
            samples.collection(), revision=2
        )
        assert await metadata.write(lambda session: session.documents.delete_collection(ME, HERE)) == 3
        assert await metadata.read(lambda session: session.documents.count(ME, HERE)) == 0
        assert await metadata.read(lambda session: session.documents.count(ME, THERE)) == 2

    async def test_newest_first_in_windows_that_cover_all(self, metadata: Metadata) -> None:
        await _put(metadata, range(7))
        assert await _numbers(metadata, Listing(limit=3)) == ([6, 4, 5], 7)
        assert await _numbers(metadata, Listing(limit=9, offset=3)) == ([2, 3, 0, 1], 7)
        assert await _numbers(metadata, Listing(limit=0)) == ([], 7)
        assert await _numbers(metadata, Listing(limit=9, offset=9)) == ([], 7)

    async def test_filtered_searched_and_sorted(self, metadata: Metadata) -> None:
        await _put(metadata, range(9))
        assert await _numbers(metadata, Listing(filter=parse_filter({"kind": "even"}), limit=2)) == ([8, 6], 5)
        assert await _numbers(metadata, Listing(sort=(("number", True),), limit=2, offset=1)) == ([7, 6], 9)
        assert await _numbers(metadata, Listing(sort=(("kind", True),), limit=6)) == ([1, 3, 5, 7, 0, 2], 9)
        assert await _numbers(metadata, Listing(search="sIEVE number 3")) == ([3], 1)
        assert await _numbers(metadata, Listing(search="nowhere")) == ([], 0)

    async def test_scans_pass_all_by_id(self, metadata: Metadata) -> None:
        stored = await _put(metadata, range(1103))
        await _put(metadata, range(2000, 2003), THERE)
        assert await metadata.read(lambda session: list(session.documents.scan(ME, HERE))) == stored
        few = parse_filter({"number": {"$lt": 2}})
        assert await metadata.read(lambda session: list(session.documents.scan(ME, HERE, few))) == stored[:2]
        writes = await metadata.read(lambda session: list(session.documents.scan_writes(ME, HERE)))
        assert [each.document for each in writes] == stored
        assert all(same_vectors(each.vectors, samples.vectors(number)) for number, each in enumerate(writes))
        page = await metadata.read(lambda session: session.documents.page(ME, HERE, Listing(filter=few)))
        assert (list(page.items), page.total) == (stored[:2], 2)

    async def test_a_scan_may_write_as_it_goes(self, metadata: Metadata) -> None:
        await _put(metadata, range(1003))

        def rewrite(session: Session) -> int:
            every = session.documents.scan(ME, HERE)
            return sum(session.documents.put_fields(ME, HERE, samples.renamed([each], "new")) > 1 for each in every)

        assert await metadata.write(rewrite) == 1003
        left = await metadata.read(
            lambda session: session.documents.page(ME, HERE, Listing(filter=parse_filter({"text": "new"}), limit=0))
        )
        assert left.total == 1003

    async def test_found_by_source_and_by_root(self, metadata: Metadata) -> None:
        here = await _put(metadata, range(6))
        child = samples.document(50, 0, THERE)
        lineage = replace(
            child.lineage, root_object_id="obj_0001", source_object_id=None, source_document_id="doc_0002"
        )
        write = DocumentWrite(replace(child, lineage=lineage))
        await metadata.write(lambda session: session.documents.put(ME, THERE, [write]))
        assert await metadata.read(lambda session: session.documents.by_source(ME, HERE, "obj_0001")) == [
            "doc_0002",
            "doc_0003",
        ]
        assert await metadata.read(lambda session: session.documents.by_source(ME, THERE, "doc_0002")) == ["doc_0050"]
        assert await metadata.read(lambda session: session.documents.by_source(ME, THERE, "obj_0001")) == []
        stored = replace(write.document, revision=1)
        assert await metadata.read(lambda session: session.documents.by_root(ME, "obj_0001")) == [*here[2:4], stored]
        assert await metadata.read(lambda session: session.documents.by_root(ME, "obj_0001", [THERE])) == [stored]
        assert await metadata.read(lambda session: session.documents.by_root(ME, "obj_0001", [])) == []

    async def test_which_documents_have_vectors(self, metadata: Metadata) -> None:
        await _put(metadata, range(3))
        bare = DocumentWrite(samples.document(2, collection_id=HERE))
        await metadata.write(lambda session: session.documents.put(ME, HERE, [bare]))
        ids = ["doc_0000", "doc_0002", "doc_none"]
        assert await metadata.read(lambda session: session.documents.with_vectors(ME, ids)) == {"doc_0000"}
        assert await metadata.read(lambda session: session.documents.with_vectors(ME, [])) == frozenset()

    async def test_others_neither_see_nor_touch_documents(self, metadata: Metadata) -> None:
        (stored,) = await _put(metadata, range(1, 2))
        for stranger in STRANGERS:

            def look(session: Session, who: Principal = stranger) -> list[object]:
                documents = session.documents
                return [
                    documents.get(who, HERE, "doc_0001"), documents.get_many(who, ["doc_0001"]),
                    documents.vectors(who, ["doc_0001"]), documents.with_vectors(who, ["doc_0001"]),
                    documents.page(who, HERE, Listing()).total,
                    list(documents.scan(who, HERE)), list(documents.scan_writes(who, HERE)),
                    documents.by_source(who, HERE, "obj_0000"), documents.by_root(who, "obj_0000"),
                    documents.count(who, HERE), documents.delete(who, HERE, ["doc_0001"]),
                    documents.delete_collection(who, HERE),
                ]  # fmt: skip

            assert await metadata.write(look) == [None, {}, {}, frozenset(), 0, [], [], [], [], 0, 0, 0]

            def touch(session: Session, who: Principal = stranger) -> int:
                return session.documents.put_fields(who, HERE, [stored])

            with pytest.raises(NotFoundError):
                await metadata.write(touch)
        assert await metadata.read(lambda session: session.documents.get(ME, HERE, "doc_0001")) == stored

    async def test_a_namespace_is_purged_alone(self, metadata: Metadata) -> None:
        await _put(metadata, range(2))

        def fill(session: Session) -> None:
            session.objects.insert(ME, [samples.object_(1)])
            session.executions.insert(ME, samples.execution(1))
            session.input_blobs.put(ME, "sha", b"x")
            for who in STRANGERS:
                session.objects.insert(who, [samples.object_(1)])

        await metadata.write(fill)
        await metadata.write(lambda session: session.purge_namespace(ME))

        def count(who: Principal, session: Session) -> list[int]:
            return [
                session.documents.count(who, HERE),
                len(session.documents.vectors(who, ["doc_0000"])),
                session.objects.totals(who, "bkt_1")[0],
                len(session.collections.list(who)),
                session.index_queue.pending_for(who, HERE),
                int(session.executions.get(who, "exec_0001") is not None),
                len(session.input_blobs.get(who, "sha") or b""),
            ]

        assert await metadata.read(partial(count, ME)) == [0] * 7
        for stranger in STRANGERS:
            assert await metadata.read(partial(count, stranger)) == [0, 0, 1, 0, 0, 0, 0]
