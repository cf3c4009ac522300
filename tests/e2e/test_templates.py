"""Every template that is shipped, used: a namespace of it, a few objects, a question and the right answer."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tamis.client import Client
from tests.e2e.test_kill import wait_for_batch
from tests.live import LiveServer
from tests.media_samples import write_video

COLOURS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (10, 20, 240)}
PRODUCTS = [
    (
        "A-1",
        "Trail shoe",
        "Runner",
        120,
        "A light shoe for running on mountain trails, with a sole that grips wet rock.",
    ),
    ("A-2", "Rain jacket", "Runner", 80, "A jacket that keeps the rain out, with a hood and taped seams."),
    ("B-7", "Espresso pot", "Kitchen", 30, "A pot of aluminium that brews strong coffee on the stove."),
]
PAGES = [
    ("/backup", "Backups", "A backup copies the whole data directory. It can be taken while the server runs. " * 3
     + "To restore one, stop the server and name an empty directory."),
    ("/keys", "API keys", "A key opens the API. It is shown once, when it is made. " * 3
     + "A key that was lost is revoked and another one is made."),
]  # fmt: skip
TICKETS = [
    ("17", "Charged twice", "solved", "I paid the invoice and the same amount was taken from my card again."),
    ("18", "No parcel", "open", "My order was shipped two weeks ago and the parcel has still not arrived."),
    ("19", "Locked out", "solved", "I forgot my password and now my account is locked and I cannot log in."),
]


@pytest.fixture(scope="module")
def root(shared_server: LiveServer) -> Iterator[Client]:
    with shared_server.client(None) as client:
        yield client


@pytest.fixture
def made(shared_server: LiveServer, root: Client, request: pytest.FixtureRequest) -> Iterator[Client]:
    """Inside a namespace of the template that the test names."""
    name = f"of-{request.param.removeprefix('tmpl_').replace('_', '-')}"
    answer = root.post(f"templates/namespaces/{request.param}/instantiate", {"namespace_name": name})
    assert (answer["status"], answer["namespace_name"], answer["task_id"]) == ("ready", name, None)
    with shared_server.client(answer["namespace_id"]) as client:
        yield client


def put(client: Client, bucket: str, objects: Sequence[Mapping[str, Any]]) -> None:
    """Of an object, what is bytes is a blob of the type that stands before it."""
    body = []
    for one in objects:
        blobs = [
            {"property": name, "type": value[0], "data": base64.b64encode(value[1]).decode()}
            for name, value in one.items()
            if isinstance(value, tuple)
        ]
        plain = {name: value for name, value in one.items() if not isinstance(value, tuple)}
        body.append({**plain, "blobs": blobs})
    ids = [made["object_id"] for made in client.post(f"buckets/{bucket}/objects/batch", {"objects": body})]
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    assert wait_for_batch(client, bucket, batch) == "COMPLETED"


def ask(client: Client, retriever: str, **inputs: Any) -> list[Any]:
    documents: list[Any] = client.post(f"retrievers/{retriever}/execute", {"inputs": inputs})["documents"]
    return documents


def using(template_id: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("made", [template_id], indirect=True)


@using("tmpl_product_search")
def test_products_are_found_below_a_price_and_of_a_brand(made: Client) -> None:
    fields = ("sku", "title", "brand", "price")
    put(made, "products-in", [{**dict(zip(fields, one[:4], strict=True)), "text": one[4]} for one in PRODUCTS])
    assert ask(made, "product-search", query="something to run in the mountains")[0]["sku"] == "A-1"
    assert ask(made, "product-search", query="taped seams")[0]["sku"] == "A-2"
    assert {one["sku"] for one in ask(made, "product-search", query="shoe", max_price=100)} == {"A-2", "B-7"}
    only = ask(made, "product-search", query="coffee", max_price=100, brand="Runner")
    assert [one["sku"] for one in only] == ["A-2"]


@using("tmpl_documentation_search")
def test_the_passage_that_answers_is_found_once_a_page(made: Client) -> None:
    put(made, "pages-in", [{"url": url, "title": title, "text": text} for url, title, text in PAGES])
    found = ask(made, "documentation-search", query="How do I restore a backup?")
    assert [one["url"] for one in found] == ["/backup", "/keys"]
    assert ask(made, "documentation-search", query="What happens to a lost key?")[0]["url"] == "/keys"


@using("tmpl_support_tickets")
def test_tickets_are_labelled_and_alike_ones_found(made: Client) -> None:
    fields = ("number", "subject", "state", "text")
    put(made, "tickets-in", [dict(zip(fields, one, strict=True)) for one in TICKETS])
    assert ask(made, "similar-tickets", query="you took the money two times")[0]["number"] == "17"
    assert [one["number"] for one in ask(made, "similar-tickets", query="where is my package", state="open")] == ["18"]
    labelled: dict[str, str] = {}
    while len(labelled) < len(TICKETS):
        documents = made.post("collections/tickets/documents/list", {})["results"]
        labelled = {one["number"]: one["topic"]["primary"]["id"] for one in documents if one.get("topic")}
    assert labelled == {"17": "billing", "18": "delivery", "19": "sign-in"}


@using("tmpl_image_catalogue")
def test_pictures_are_found_by_words_and_by_looks(made: Client) -> None:
    put(made, "pictures-in", [
        {"title": name, "caption": f"A wall that is painted {name}.", "picture": ("image", _picture(colour))}
        for name, colour in COLOURS.items()
    ])  # fmt: skip
    assert ask(made, "by-words", query="the blue wall")[0]["title"] == "blue"
    assert ask(made, "alike", example=_example(_picture((220, 30, 25))))[0]["title"] == "red"


@using("tmpl_video_moments")
def test_the_shot_that_looks_like_a_picture_is_found(made: Client, tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    write_video(file, list(COLOURS.values()), "libx264", seconds=2.0)
    put(made, "videos-in", [{"title": "colours", "video": ("video", file.read_bytes())}])
    best = ask(made, "seen", example=_example(_picture(COLOURS["green"])))[0]
    assert (best["title"], round(best["start_time"]), round(best["end_time"])) == ("colours", 2, 4)
    assert ask(made, "said", query="anything") == []


def _picture(colour: tuple[int, int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(written, "PNG")
    return written.getvalue()


def _example(picture: bytes) -> dict[str, str]:
    return {"input_mode": "content", "value": f"data:image/png;base64,{base64.b64encode(picture).decode()}"}
