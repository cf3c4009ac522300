"""Files kept by their content: the store has what is named, and no more."""

import asyncio
import base64
import hashlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tamis.engine.ports.metadata import Session
from tamis.model.bucket import Blob, Bucket
from tamis.model.document import BlobRef, Document, DocumentWrite
from tamis.model.principal import Principal
from tamis.services.data.blob_intake import BlobDraft
from tamis.services.data.buckets import BucketService
from tamis.services.data.files import FileKeeping, FileSweeper, Payload
from tamis.services.data.object_design import ObjectChange, ObjectDraft
from tamis.services.data.objects import ObjectService
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.storage.blobs import open_blobs
from tamis.testing.memory_index import MemoryIndex
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, NOW
from tests.blank import open_blank

T = TypeVar("T")
CONTENTS = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"])
OTHER = Principal(ME.organization_id, "ns_other", ME.permissions)
TENANTS = st.sampled_from([ME, OTHER])
NUMBERS = st.integers(0, 1)


def key_of(url: object) -> str:
    return str(url).removeprefix("blob://")


def bucket() -> Bucket:
    return Bucket("bkt_1", "pictures", {"properties": {"file": {"type": "image"}}}, NOW, NOW)


class Files(RuleBasedStateMachine):
    """Two tenants with the same ids and contents. The model is what is named: contents by the owner's number."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.path = Path(tempfile.mkdtemp())
        self.metadata = self.run(open_blank(self.path / "tamis.db"))
        self.blobs = open_blobs(self.path / "blobs", None)
        self.open()
        self.objects: dict[tuple[Principal, int], tuple[str, bytes]] = {}
        self.documents: dict[tuple[Principal, int], list[bytes]] = {}
        self.held: list[tuple[Principal, str, bytes]] = []
        for who in (ME, OTHER):
            self.write(lambda session, who=who: self.begin(session, who))  # type: ignore[misc] # the default binds

    def begin(self, session: Session, who: Principal) -> None:
        session.buckets.insert(who, bucket())
        session.collections.insert(who, samples.collection())

    def open(self) -> None:
        self.keeping = FileKeeping(self.metadata, self.blobs)
        self.sweeper = FileSweeper(self.metadata, self.blobs, self.keeping, poll_s=3600)
        self.clearing = Clearing(self.metadata, Indexer(self.metadata, MemoryIndex()), self.blobs)
        self.service = ObjectService(self.metadata, self.clearing, self.keeping)

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    def write(self, function: Callable[[Session], T]) -> T:
        return self.run(self.metadata.write(function))

    @rule(who=TENANTS, number=NUMBERS, content=CONTENTS)
    def store_object(self, who: Principal, number: int, content: bytes) -> None:
        draft = BlobDraft("file", "image", "data:image/png;base64," + _base64(content))
        known = self.objects.get((who, number))
        if known is None:
            object_id = self.run(self.service.create(who, "pictures", ObjectDraft((draft,)))).object_id
        else:
            object_id = known[0]
            self.run(self.service.change(who, "pictures", object_id, ObjectChange((draft,))))
        self.objects[who, number] = (object_id, content)

    @rule(who=TENANTS, number=NUMBERS, sweep=st.booleans())
    def delete_object(self, who: Principal, number: int, sweep: bool) -> None:
        known = self.objects.pop((who, number), None)
        if known:
            self.run(self.service.delete(who, "pictures", known[0]))
            if sweep:
                self.sweep()

    @rule(who=TENANTS)
    def delete_bucket(self, who: Principal) -> None:
        self.run(BucketService(self.metadata, self.clearing).delete(who, "pictures"))
        self.objects = {owner: kept for owner, kept in self.objects.items() if owner[0] != who}
        self.write(lambda session: session.buckets.insert(who, bucket()))

    @rule(who=TENANTS, number=NUMBERS, made=st.lists(CONTENTS, max_size=2), of=NUMBERS)
    def store_document(self, who: Principal, number: int, made: list[bytes], of: int) -> None:
        """With files that an extractor made, and the file of an object as its source."""
        holder = self.keeping.holder()
        keys = self.run(self.keeping.put(who, holder, [_payload(each) for each in made]))
        document = samples.document(number)
        blobs = tuple(BlobRef("thumbnail", f"blob://{keys[_sha(each)]}") for each in made)
        source = self.objects.get((who, of))
        source_blobs = self.blobs_of(who, source[0]) if source else ()
        kept = Document(document.document_id, "col_first", {}, NOW, NOW, blobs=blobs,
                        source_blobs=tuple({"url": blob.url} for blob in source_blobs))  # fmt: skip

        def commit(session: Session) -> None:
            session.documents.put(who, "col_first", [DocumentWrite(kept)])
            session.files.release(who, holder)

        self.write(commit)
        self.documents[who, number] = [*made, *([source[1]] if source else [])]

    def blobs_of(self, who: Principal, object_id: str) -> Sequence[Blob]:
        found = self.write(lambda session: session.objects.get(who, object_id))
        return found.blobs if found else ()

    @rule(who=TENANTS, number=NUMBERS, sweep=st.booleans())
    def delete_document(self, who: Principal, number: int, sweep: bool) -> None:
        document_id = samples.document(number).document_id
        self.write(lambda session: session.documents.delete(who, "col_first", [document_id]))
        if self.documents.pop((who, number), None) and sweep:
            self.sweep()

    @rule(who=TENANTS)
    def delete_all_documents(self, who: Principal) -> None:
        self.write(lambda session: session.documents.delete_collection(who, "col_first"))
        self.documents = {owner: kept for owner, kept in self.documents.items() if owner[0] != who}

    @precondition(lambda self: len(self.held) < 2)
    @rule(who=TENANTS, content=CONTENTS)
    def hold(self, who: Principal, content: bytes) -> None:
        """As while an extractor's answer is on its way to the commit."""
        holder = self.keeping.holder()
        self.run(self.keeping.put(who, holder, [_payload(content)]))
        self.held.append((who, holder, content))

    @rule()
    def give_up(self) -> None:
        if self.held:
            who, holder, _ = self.held.pop()
            self.run(self.keeping.release(who, holder))

    @rule(half=st.booleans())
    def be_killed_and_start(self, half: bool) -> None:
        """half: in the middle of a sweep, after files were deleted and before the record knew."""
        if half:
            for who, key in self.write(lambda session: session.files.let_go(1)):
                self.run(self.blobs.delete(who, key))
        self.open()
        self.run(self.sweeper.start())
        self.run(self.sweeper.close())
        self.held = []

    @rule()
    def sweep(self) -> None:
        self.run(self.sweeper.sweep())
        for who in (ME, OTHER):
            folder = self.path / "blobs" / who.organization_id / who.namespace_id
            stored = sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())
            assert stored == sorted(self.wanted(who))

    def wanted(self, who: Principal) -> set[bytes]:
        named = {content for (owner, _), (_, content) in self.objects.items() if owner == who}
        named |= {content for (owner, _), made in self.documents.items() if owner == who for content in made}
        return named | {content for owner, _, content in self.held if owner == who}

    @invariant()
    def what_is_named_is_there(self) -> None:
        for (who, _), (object_id, content) in self.objects.items():
            for blob in self.blobs_of(who, object_id):
                assert self.run(self.blobs.get(who, key_of(blob.url))) == content
        for (who, number), contents in self.documents.items():
            document_id = samples.document(number).document_id
            found = self.write(lambda session, who=who, one=document_id: session.documents.get(who, "col_first", one))  # type: ignore[misc] # the defaults bind
            assert found is not None
            urls = [*(blob.url for blob in found.blobs), *(blob["url"] for blob in found.source_blobs)]
            assert [self.run(self.blobs.get(who, key_of(url))) for url in urls] == contents

    def teardown(self) -> None:
        self.held = []
        self.be_killed_and_start(half=False)
        self.sweep()
        self.run(self.metadata.close())
        self.loop.close()
        shutil.rmtree(self.path)


def _payload(content: bytes) -> Payload:
    return Payload(_sha(content), len(content), content)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


Files.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
TestFiles = Files.TestCase
