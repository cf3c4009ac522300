"""Pages of one ranking while others write, and across a kill: every document that was there all along, once."""

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import LiveServer, Room

STEADY = 200
OTHERS = 40
PAGE = 23
DIMENSIONS = 384
FORMS = ("offset", "cursor", "scroll", "keyset")
KEPT_FORMS = FORMS[1:]
"""Forms whose next page names the ranking that it goes on with."""


def vector(seed: float) -> list[float]:
    chance = random.Random(seed)
    return [1.0, *(chance.uniform(-0.2, 0.2) for _ in range(DIMENSIONS - 1))]


class Shelf:
    """A collection of documents with vectors of their own, on a server that may be killed and come back elsewhere."""

    def __init__(self, server: LiveServer | Room, steady: int = STEADY) -> None:
        self.server = server
        self._http = httpx.Client(headers={"Authorization": f"Bearer {server.key}"}, timeout=60)
        self._collection = self._made()
        self.steady = {self.create(n) for n in range(steady)}

    def _made(self) -> str:
        with self.server.client() as client:
            bucket = client.post(
                "buckets", {"bucket_name": "shelf", "bucket_schema": {"properties": {"t": {"type": "text"}}}}
            )
            extractor = {"feature_extractor_name": "text_extractor", "version": "v1", "input_mappings": {"text": "t"}}
            source = {"type": "bucket", "bucket_ids": [bucket["bucket_id"]]}
            body = {"collection_name": "shelf", "source": source, "feature_extractor": extractor}
            return str(client.post("collections", body)["collection_id"])

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._http.request(method, f"{self.server.url}/v1/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def close(self) -> None:
        self._http.close()

    def create(self, seed: float) -> str:
        return str(self.send("POST", f"collections/{self._collection}/documents", document(seed))["document_id"])

    def change(self, document_id: str, seed: float) -> None:
        self.send("PATCH", f"collections/{self._collection}/documents/{document_id}", document(seed))

    def delete(self, document_id: str) -> None:
        self.send("DELETE", f"collections/{self._collection}/documents/{document_id}")

    def page(self, pagination: Mapping[str, Any]) -> Any:
        search = {
            "feature_uri": "mixpeek://text_extractor@v1/embedding",
            "query": {"input_mode": "vector", "value": vector(-1)},
            "top_k": 1000,
        }
        parameters = {"searches": [search], "final_top_k": 1000}
        body = {
            "collection_identifiers": [self._collection],
            "stages": [{"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}],
            "pagination": dict(pagination),
        }
        return self.send("POST", "retrievers/execute", body)

    def walk(self, form: str) -> Iterator[list[str]]:
        """The ids of page after page, to the last."""
        asked: dict[str, Any] = {"method": form, "page_size" if form == "offset" else "limit": PAGE}
        while True:
            answer = self.page(asked)
            yield [found["document_id"] for found in answer["documents"]]
            said = answer["pagination"]
            if not said["has_next"]:
                return
            asked |= following(form, said)


def following(form: str, said: Mapping[str, Any]) -> dict[str, Any]:
    if form == "offset":
        return {"page_number": said["next_page"]}
    if form == "cursor":
        return {"cursor": said["next_cursor"]}
    name = {"scroll": "scroll_id", "keyset": "after"}[form]
    return {name: said[name]}


def document(seed: float) -> dict[str, Any]:
    feature = {"feature_extractor_id": "text_extractor_v1", "vectors": {"embedding": vector(seed)}}
    return {"number": seed, "features": [feature]}


class Writer:
    """Inserts, changes and deletes documents of its own from a thread until it is stopped or the server dies."""

    def __init__(self, shelf: Shelf, seed: int) -> None:
        self._shelf = shelf
        self._chance = random.Random(seed)
        self.mine = [shelf.create(self._next()) for _ in range(OTHERS)]
        self.ever = set(self.mine)
        self.writes = 0
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _next(self) -> float:
        return self._chance.random()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._write()
                self.writes += 1
        except BaseException as failure:
            self.failure = failure

    def _write(self) -> None:
        kind = self.writes % 3
        if kind == 0:
            made = self._shelf.create(self._next())
            self.ever.add(made)
            self.mine.append(made)
        elif kind == 1:
            self._shelf.change(self._chance.choice(self.mine), self._next())
        else:
            self._shelf.delete(self.mine.pop(self._chance.randrange(len(self.mine))))

    def wait_for(self, writes: int) -> None:
        """Until so many more are done."""
        goal = self.writes + writes
        while self.writes < goal:
            assert self.failure is None, self.failure
            time.sleep(0.002)


@pytest.fixture(scope="module")
def shelf(server: Room) -> Iterator[Shelf]:
    with contextlib.closing(Shelf(server)) as made:
        yield made


def assert_whole(pages: list[list[str]], shelf: Shelf) -> None:
    shown = list(itertools.chain.from_iterable(pages))
    assert len(shown) == len(set(shown)), "a document was shown twice"
    assert shelf.steady - set(shown) == set(), "a document that was there all along was not shown"


@pytest.mark.parametrize("form", FORMS)
def test_pages_while_others_write(shelf: Shelf, form: str) -> None:
    with Writer(shelf, FORMS.index(form)) as writer:
        pages = []
        for page in shelf.walk(form):
            pages.append(page)
            writer.wait_for(6)
    assert writer.failure is None
    assert_whole(pages, shelf)
    assert len(pages) > STEADY // PAGE
    assert all(len(page) == PAGE for page in pages[:-1]), "only the last page is short"
    assert len(set(itertools.chain.from_iterable(pages)) - shelf.steady) >= OTHERS, "the others were ranked too"


def test_pages_go_on_after_a_kill(tmp_path: Path) -> None:
    """The ranking of the first page is in its record, so a server that starts again cuts the next from there."""
    with LiveServer(tmp_path / "data") as server, contextlib.ExitStack() as stack:
        shelf = stack.enter_context(contextlib.closing(Shelf(server, steady=90)))
        walks = {form: shelf.walk(form) for form in KEPT_FORMS}
        pages: dict[str, list[list[str]]] = {form: [] for form in KEPT_FORMS}
        with Writer(shelf, 7) as writer:
            for form, walk in walks.items():
                pages[form] += itertools.islice(walk, 3)
            writer.wait_for(6)
            server.kill_group()
        server.start()
        with Writer(shelf, 8) as writer:
            for form, walk in walks.items():
                pages[form].append(next(walk))
                writer.wait_for(6)
            server.kill()
        server.start()
        for form, walk in walks.items():
            pages[form] += walk
            assert_whole(pages[form], shelf)
