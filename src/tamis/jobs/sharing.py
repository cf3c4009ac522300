"""Sources of the same content: one of them is extracted, the others are given what it became."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tamis.engine.ports.extraction import Segment
from tamis.engine.ports.metadata import Metadata, Session
from tamis.jobs.calling import Result
from tamis.jobs.loading import Load, Loaded
from tamis.jobs.unchanged import made_together
from tamis.model.document import Document
from tamis.model.files import file_keys
from tamis.model.principal import Principal
from tamis.model.vector import Vector
from tamis.services.data.files import FileKeeping

Place: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody extracts a content now. outcome: what it became; None where he gave up."""

    outcome: asyncio.Future[Result | None]

    def tell(self, result: Result | None) -> None:
        if not self.outcome.done():
            self.outcome.set_result(result)


@dataclass(slots=True)
class Share:
    """What a chunk has to do with others. own: contents that it answers for.  others: that somebody else does.

    close: ends its own claims; once its documents are committed, whoever comes later finds those.
    """

    loads: Sequence[Load]
    own: Mapping[str, Claim]
    others: Mapping[str, Claim]
    close: Callable[[], None]
    found: dict[str, Result] = field(default_factory=dict)

    def to_extract(self) -> list[Loaded]:
        """Those without a content key, and the first of each content for which nobody answers yet."""
        firsts: dict[str, Loaded] = {}
        alone = []
        for load in self.loads:
            if isinstance(load, Loaded) and load.content_key is None:
                alone.append(load)
            elif isinstance(load, Loaded) and load.content_key not in {*self.found, *self.others}:
                firsts.setdefault(str(load.content_key), load)
        return [*alone, *firsts.values()]

    def tell(self, results: Mapping[str, Result]) -> None:
        """results: by source id, of some that were to be extracted. Whoever waits for their contents goes on."""
        for load in self.loads:
            if isinstance(load, Loaded) and load.content_key is not None and load.item.source_id in results:
                self.find(load.content_key, results[load.item.source_id])

    async def wait(self) -> list[Loaded]:
        """Until whoever answers for the other contents has done so; what is to be extracted here after all."""
        for key, claim in self.others.items():
            result = await asyncio.shield(claim.outcome)
            if result is not None:
                self.find(key, result)
        self.others = {}
        return [load for load in self.to_extract() if load.content_key is not None]

    def results(self) -> dict[str, Result]:
        """By source id, of every source whose content is known."""
        return {
            load.item.source_id: self.found[load.content_key]
            for load in self.loads
            if isinstance(load, Loaded) and load.content_key is not None and load.content_key in self.found
        }

    def find(self, key: str, result: Result) -> None:
        self.found[key] = result
        if key in self.own:
            self.own[key].tell(result)


class Sharing:
    """Who extracts which content now, in all batches: from before the record is looked at until the commit.

    A chunk waits only for those that made their claims before it, so no two wait for each other.
    """

    def __init__(self, metadata: Metadata, keeping: FileKeeping) -> None:
        self._metadata = metadata
        self._keeping = keeping
        self._claims: dict[Place, Claim] = {}

    async def divide(self, principal: Principal, loads: Sequence[Load], holder: str) -> Share:
        """holder: who needs the files of documents that are copied."""
        own: dict[str, Claim] = {}
        others: dict[str, Claim] = {}
        for key in dict.fromkeys(load.content_key for load in loads if isinstance(load, Loaded)):
            if key is not None and (claim := self._claims.get(_place(principal, key))) is not None:
                others[key] = claim
            elif key is not None:
                own[key] = self._claims[_place(principal, key)] = Claim(asyncio.get_running_loop().create_future())

        def close() -> None:
            for key, claim in own.items():
                self._claims.pop(_place(principal, key), None)
                claim.tell(None)

        share = Share(loads, own, others, close)
        try:
            for key, segments in (await self._copies(principal, list(own), holder)).items():
                share.find(key, segments)
        except BaseException:
            close()
            raise
        return share

    async def _copies(self, principal: Principal, keys: Sequence[str], holder: str) -> Mapping[str, Sequence[Segment]]:
        if not keys:
            return {}
        found = await self._metadata.read(lambda session: _made_before(session, principal, keys))
        needed = {key: file_keys(blob.url for one in found[key] for blob in one.blobs) for key in found}
        every = frozenset[str]().union(*needed.values())
        held = await self._keeping.hold(principal, holder, every) if every else every
        return {key: segments for key, segments in found.items() if needed[key] <= held}


def _made_before(session: Session, principal: Principal, keys: Sequence[str]) -> dict[str, Sequence[Segment]]:
    """What documents of other sources were made of these contents, where all of a source's are as they were made."""
    found: dict[str, Sequence[Segment]] = {}
    for key, firsts in session.documents.find_content(principal, keys).items():
        documents = next((whole for first in firsts if (whole := made_together(session, principal, first))), ())
        if documents:
            vectors = session.documents.vectors(principal, [document.document_id for document in documents])
            found[key] = [_segment(document, vectors.get(document.document_id, {})) for document in documents]
    return found


def _segment(document: Document, vectors: Mapping[str, Vector]) -> Segment:
    fields = {name: value for name, value in document.fields.items() if name not in document.passed}
    return Segment(fields, vectors, document.blobs)


def _place(principal: Principal, key: str) -> Place:
    return principal.organization_id, principal.namespace_id, key
