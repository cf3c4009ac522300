"""Many clients at once, reading and writing one collection, who keep book of what they were told.

Each document has one writer, so that what it may be is known at any moment, also where an answer never came.
"""

import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.wire import Wire

PASSTHROUGH = {
    "feature_extractor_name": "passthrough_extractor",
    "version": "v1",
    "field_passthrough": [{"source_path": "number"}],
}
_MOST_DOCUMENTS = 20
"""Of one worker: what is written stays bounded, however long the load."""


@dataclass
class Book:
    """What the server acknowledged.

    documents: by id, the numbers that each may have; None is "not there". One entry, unless an answer never came.
    executions: whose answer came.  objects: created.  batches: submitted.  sources: the object of each of them.
    times_s: by kind of request.
    queue_full: batches that the server had no place for, which it says by 429 and is asked to.
    """

    documents: dict[str, set[int | None]] = field(default_factory=dict)
    executions: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    queue_full: int = 0
    times_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def requests(self) -> int:
        return sum(map(len, self.times_s.values()))


@dataclass(frozen=True, slots=True)
class Place:
    bucket: str
    collection: str


async def open_place(http: Wire, name: str) -> Place:
    schema = {"properties": {"text": {"type": "text"}, "number": {"type": "integer"}}}
    bucket = await _made(http, "buckets", {"bucket_name": name, "bucket_schema": schema})
    source = {"type": "bucket", "bucket_ids": [bucket["bucket_id"]]}
    body = {"collection_name": name, "source": source, "feature_extractor": PASSTHROUGH}
    collection = await _made(http, "collections", body)
    return Place(bucket["bucket_id"], collection["collection_id"])


async def _made(http: Wire, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await http.post(f"/v1/{path}", body)
    assert answer.is_success, answer.text
    return dict(answer.json())


def everything(collection: str, **page: Any) -> dict[str, Any]:
    """A request for all documents that clients wrote, by way of the index."""
    return _where(collection, {"field": "by", "operator": "exists"}, page)


def of_one(collection: str, worker: str, **page: Any) -> dict[str, Any]:
    """A request for those that one client wrote."""
    return _where(collection, {"field": "by", "operator": "eq", "value": worker}, page)


def _where(collection: str, parameters: dict[str, Any], page: dict[str, Any]) -> dict[str, Any]:
    return {
        "collection_identifiers": [collection],
        "stages": [{"stage_name": "all", "config": {"stage_id": "attribute_filter", "parameters": parameters}}],
        **page,
    }


class Worker:
    """One client. `work` returns when `enough` says so, or when the server is gone."""

    def __init__(self, name: str, http: Wire, place: Place, book: Book, seed: int) -> None:
        self._name = name
        self._http = http
        self._place = place
        self._book = book
        self._chance = random.Random(f"{name} {seed}")
        self._mine = [key for key in book.documents if key.startswith(f"doc_{name}x")]
        self._made = len(self._mine)

    async def work(self, enough: Callable[[], bool]) -> None:
        acts: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._create, 3), (self._change, 3), (self._delete, 2), (self._find_mine, 5), (self._find_all, 1),
            (self._read, 4), (self._list, 1), (self._record, 2), (self._batch, 1),
        ]  # fmt: skip
        ways, weights = zip(*acts, strict=True)
        try:
            while not enough():
                await self._chance.choices(ways, weights)[0]()
        except OSError:
            return

    async def _ask(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        """None where the server refused, which the book says."""
        began = time.perf_counter()
        answer = await self._http.request(method, f"/v1/{path}", body)
        self._book.times_s[kind].append(time.perf_counter() - began)
        if answer.is_success:
            return answer.json()
        if kind == "submit" and answer.status == 429:
            self._book.queue_full += 1
        else:
            self._book.refused.append(f"{method} {path}: {answer.status} {answer.text[:200]}")
        return None

    async def _write(self, kind: str, method: str, path: str, key: str, number: int | None, body: Any = None) -> None:
        may_be = self._book.documents.setdefault(key, {None})
        may_be.add(number)
        if await self._ask(kind, method, path, body) is not None:
            self._book.documents[key] = {number}

    def _documents(self) -> str:
        return f"collections/{self._place.collection}/documents"

    def _there(self) -> list[str]:
        return [key for key in self._mine if None not in self._book.documents[key]]

    async def _create(self) -> None:
        if len(self._there()) >= _MOST_DOCUMENTS:
            return await self._delete()
        key, number = f"doc_{self._name}x{self._made:020}", self._chance.randrange(1000)
        self._made += 1
        self._mine.append(key)
        place = {"document_id": key, "collection_id": self._place.collection}
        body = {**place, "number": number, "by": self._name}
        await self._write("create", "POST", self._documents(), key, number, body)

    async def _change(self) -> None:
        if there := self._there():
            key, number = self._chance.choice(there), self._chance.randrange(1000)
            await self._write("change", "PATCH", f"{self._documents()}/{key}", key, number, {"number": number})

    async def _delete(self) -> None:
        if there := self._there():
            key = self._chance.choice(there)
            await self._write("delete", "DELETE", f"{self._documents()}/{key}", key, None)

    async def _read(self) -> None:
        if there := self._there():
            key = self._chance.choice(there)
            found = await self._ask("read", "GET", f"{self._documents()}/{key}")
            if found is not None and found["number"] not in self._book.documents[key]:
                self._book.refused.append(f"{key} is {found['number']}, not of {self._book.documents[key]}")

    async def _find_mine(self) -> None:
        """Nobody else writes these: the index has exactly what was acknowledged."""
        page = {"method": "offset", "page_size": _MOST_DOCUMENTS, "page_number": 1}
        found = await self._execute("find mine", of_one(self._place.collection, self._name, pagination=page))
        if found is not None:
            self._check({hit["document_id"]: hit["number"] for hit in found})

    def _check(self, found: dict[str, int]) -> None:
        for key in self._mine:
            if found.pop(key, None) not in self._book.documents[key]:
                self._book.refused.append(f"{key} was not found as one of {self._book.documents[key]}")
        if found:
            self._book.refused.append(f"{sorted(found)} were never written")

    async def _find_all(self) -> None:
        page = {"method": "offset", "page_size": 10, "page_number": 1}
        await self._execute("find all", everything(self._place.collection, pagination=page))

    async def _execute(self, kind: str, body: dict[str, Any]) -> list[dict[str, Any]] | None:
        ran = await self._ask(kind, "POST", "retrievers/execute", body)
        if ran is None:
            return None
        self._book.executions.append(ran["execution_id"])
        return list(ran["documents"])

    async def _record(self) -> None:
        if self._book.executions:
            await self._ask("record", "GET", f"retrievers/executions/{self._chance.choice(self._book.executions)}")

    async def _list(self) -> None:
        await self._ask("list", "POST", "retrievers/executions/list", {"limit": 5})

    async def _batch(self) -> None:
        bucket = f"buckets/{self._place.bucket}"
        made = await self._ask("object", "POST", f"{bucket}/objects", {"number": self._chance.randrange(1000)})
        if made is None:
            return
        self._book.objects.append(made["object_id"])
        batch = await self._ask("batch", "POST", f"{bucket}/batches", {"object_ids": [made["object_id"]]})
        if batch and await self._ask("submit", "POST", f"{bucket}/batches/{batch['batch_id']}/submit", {}):
            self._book.batches.append(batch["batch_id"])
            self._book.sources[batch["batch_id"]] = made["object_id"]
