"""Files that the blob store keeps by their content, and documents found by theirs."""
# ruff: noqa: S101 - a contract is made of assertions

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.model.bucket import Blob, BucketObject
from tamis.model.document import BlobRef, Document, DocumentWrite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, NOW, STRANGERS

A, B = "a" * 64, "b" * 64
HOLDER, LATER = "hold_home_1", samples.later(3600)


async def _held(metadata: Metadata, *contents: str, holder: str = HOLDER) -> Mapping[str, str]:
    return await metadata.write(lambda session: session.files.hold(ME, holder, contents, LATER))


async def _gone(metadata: Metadata) -> list[str]:
    return [key for _, key in await metadata.read(lambda session: session.files.let_go(9))]


def _object(number: int, *keys: str) -> BucketObject:
    blobs = [Blob(f"blob_{place}", "file", "image", url=f"blob://{key}") for place, key in enumerate(keys)]
    return replace(samples.object_(number), blobs=tuple(blobs))


def _document(number: int, made: str | None = None, source: str | None = None) -> Document:
    blobs = (BlobRef("thumbnail", f"blob://{made}"),) if made else ()
    source_blobs = ({"url": f"blob://{source}"},) if source else ()
    return replace(samples.document(number), blobs=blobs, source_blobs=source_blobs)


class FilesContract:
    async def test_a_content_has_one_key_while_somebody_needs_it(self, metadata: Metadata) -> None:
        keys = await _held(metadata, A, B, A)
        assert keys.keys() == {A, B}
        assert len(set(keys.values())) == 2
        assert await _held(metadata, A, holder="hold_home_2") == {A: keys[A]}
        await metadata.write(lambda session: session.files.release(ME, HOLDER))
        assert await _gone(metadata) == [keys[B]]
        assert (await _held(metadata, B))[B] != keys[B]
        kept = await metadata.write(lambda session: session.files.hold_keys(ME, "other", list(keys.values()), LATER))
        assert kept == {keys[A]}
        await metadata.write(lambda session: session.files.forget(ME, list(keys.values())))
        assert await _gone(metadata) == []
        assert await _held(metadata, A) == {A: keys[A]}

    async def test_objects_and_documents_keep_their_files_and_the_last_one_lets_go(self, metadata: Metadata) -> None:
        keys = await _held(metadata, A, B)
        key, thumbnail = keys[A], keys[B]

        def store(session: Session) -> None:
            session.collections.insert(ME, samples.collection())
            session.objects.insert(ME, [_object(1, key), _object(2, key, key)])
            writes = [DocumentWrite(_document(number, thumbnail, key)) for number in (1, 2)]
            session.documents.put(ME, "col_first", writes)
            session.files.release(ME, HOLDER)

        await metadata.write(store)
        await metadata.write(lambda session: session.objects.delete(ME, ["obj_0001"]))
        await metadata.write(lambda session: session.objects.replace(ME, [_object(2), _object(9, key)]))
        assert await _gone(metadata) == []
        await metadata.write(lambda session: session.documents.put_fields(ME, "col_first", [_document(1, thumbnail)]))
        await metadata.write(lambda session: session.documents.delete(ME, "col_first", ["doc_0001", "doc_0001"]))
        assert await _gone(metadata) == []
        await metadata.write(lambda s: s.documents.put(ME, "col_first", [DocumentWrite(_document(2, thumbnail))]))
        assert await _gone(metadata) == [key]
        await metadata.write(lambda session: session.documents.delete_collection(ME, "col_first"))
        assert sorted(await _gone(metadata)) == sorted([key, thumbnail])

    async def test_a_bucket_lets_all_its_objects_files_go(self, metadata: Metadata) -> None:
        keys = await _held(metadata, A, B)
        elsewhere = replace(_object(3, keys[B]), bucket_id="bkt_2")
        await metadata.write(
            lambda s: s.objects.insert(ME, [_object(1, keys[A], keys[B]), _object(2, keys[A]), elsewhere])
        )
        await metadata.write(lambda session: session.files.release(ME, HOLDER))
        await metadata.write(lambda session: session.objects.delete_bucket(ME, "bkt_1"))
        assert await _gone(metadata) == [keys[A]]

    async def test_what_was_let_go_cannot_be_named(self, metadata: Metadata) -> None:
        keys = await _held(metadata, A)
        await metadata.write(lambda session: session.files.release(ME, HOLDER))
        with pytest.raises(ConflictError):
            await metadata.write(lambda session: session.objects.insert(ME, [_object(1, keys[A])]))
        assert await metadata.read(lambda session: session.objects.get(ME, "obj_0001")) is None

    async def test_holds_expire_and_end_with_their_home(self, metadata: Metadata) -> None:
        await _held(metadata, A, holder="hold_home_1")
        await _held(metadata, B, holder="hold_away_1")
        assert await metadata.write(lambda session: session.files.expire(NOW)) == 0
        assert await metadata.write(lambda session: session.files.expire(NOW, "hold_home_")) == 1
        assert [key.partition("/")[2][3:67] for key in await _gone(metadata)] == [A]
        assert await metadata.write(lambda session: session.files.expire(samples.later(3601))) == 1
        assert len(await _gone(metadata)) == 2

    async def test_others_have_files_of_their_own(self, metadata: Metadata) -> None:
        keys = await _held(metadata, A)
        for stranger in STRANGERS:
            theirs = await metadata.write(lambda s, who=stranger: s.files.hold(who, HOLDER, [A], LATER))  # type: ignore[misc] # the default binds
            assert theirs[A] != keys[A]
            found = await metadata.write(lambda s, who=stranger: s.files.hold_keys(who, "x", [keys[A]], LATER))  # type: ignore[misc] # the default binds
            assert found == frozenset()
            await metadata.write(lambda s, who=stranger: s.files.release(who, HOLDER))  # type: ignore[misc] # the default binds
        assert keys[A] not in await _gone(metadata)

    async def test_documents_are_found_by_what_they_were_made_of(self, metadata: Metadata) -> None:
        made = [replace(samples.document(number), content_key="k" * 40) for number in (3, 1, 2)]
        other = replace(samples.document(4), content_key="o" * 40)
        await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))
        await metadata.write(
            lambda s: s.documents.put(
                ME, "col_first", [DocumentWrite(one) for one in (*made, other, samples.document(5))]
            )
        )

        async def found(key: str) -> list[str]:
            documents = await metadata.read(lambda session: session.documents.find_content(ME, [key, "absent"]))
            assert documents.keys() <= {key}
            return [document.document_id for document in documents.get(key, ())]

        assert await found("k" * 40) == ["doc_0001", "doc_0002"]
        await metadata.write(lambda session: session.documents.delete(ME, "col_first", ["doc_0001"]))
        await metadata.write(lambda session: session.documents.put_fields(ME, "col_first", [samples.document(2)]))
        assert await found("k" * 40) == ["doc_0003"]
        assert await found("o" * 40) == ["doc_0004"]
        for stranger in STRANGERS:
            assert await metadata.read(lambda s, who=stranger: s.documents.find_content(who, ["k" * 40])) == {}  # type: ignore[misc] # the default binds
