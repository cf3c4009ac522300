"""A collection's documents as a file, however many there are: JSON lines as they are read, or a Parquet table."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.collection import Collection
from tamis.model.document import DocumentWrite
from tamis.model.filters import Filter
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.data.document_lines import line_of, members_of
from tamis.services.data.document_tables import TableFile, TableMaking, require_tables

PAGE = 500
_Page: TypeAlias = Sequence[Mapping[str, Any]]
"""Documents as the members of their lines."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """after: only documents with a greater id, so that what broke off goes on behind its last line."""

    matching: Filter | None = None
    vectors: bool = True
    after: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """pieces: whole lines each. Raises, as it is read: NotFoundError where the collection goes meanwhile."""

    collection_id: str
    pieces: AsyncIterator[bytes]


class DocumentExports:
    """Documents come by id, a page in a transaction: each as it was at one moment, and those that are there all the
    while exactly once. What is written or deleted meanwhile may be in it, or not."""

    def __init__(self, metadata: Metadata, folder: Path) -> None:
        """folder: for tables while they are made."""
        self._metadata = metadata
        self._folder = folder
        self._turn = asyncio.Semaphore(1)

    async def lines(self, principal: Principal, collection: str, wanted: Wanted) -> Lines:
        """Raises: NotFoundError, and what is wrong with the filter, before there is a first piece."""
        found, first = await self._page(principal, collection, wanted)

        async def pieces() -> AsyncIterator[bytes]:
            async for page in self._pages(principal, found, wanted, first):
                yield await asyncio.to_thread(_joined, page)

        return Lines(found.collection_id, pieces())

    async def table(self, principal: Principal, collection: str, wanted: Wanted) -> TableFile:
        """The table, whole, in a file that goes when it is closed; one is made at a time.

        Raises: NotSetUpError (without pyarrow), NotFoundError, and what is wrong with the filter.
        """
        require_tables()
        found, first = await self._page(principal, collection, wanted)
        async with self._turn:
            making = await asyncio.to_thread(TableMaking, found, wanted.vectors, self._folder)
            try:
                async for page in self._pages(principal, found, wanted, first):
                    await asyncio.to_thread(making.add, page)
                return await asyncio.to_thread(making.finish)
            finally:
                making.close()

    async def _pages(
        self, principal: Principal, collection: Collection, wanted: Wanted, page: _Page
    ) -> AsyncIterator[_Page]:
        """page: the first."""
        while page:
            yield page
            if len(page) < PAGE:
                return
            after = page[-1]["document_id"]
            _, page = await self._page(principal, collection.collection_id, replace(wanted, after=after))

    async def _page(self, principal: Principal, collection: str, wanted: Wanted) -> tuple[Collection, _Page]:
        def read(session: Session) -> tuple[Collection, _Page]:
            found = require_collection(session, principal, collection)
            every = session.documents.scan(principal, found.collection_id, wanted.matching, wanted.after)
            documents = list(islice(every, PAGE))
            ids = [document.document_id for document in documents]
            vectors = session.documents.vectors(principal, ids) if wanted.vectors else {}
            writes = (DocumentWrite(document, vectors.get(document.document_id, {})) for document in documents)
            return found, [members_of(write, wanted.vectors) for write in writes]

        return await self._metadata.read(read)


def _joined(page: _Page) -> bytes:
    return b"".join(map(line_of, page))
