"""Documents in clear groups, with vectors of their own, in a real system."""

import json
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

THEMES = (
    ("running shoe sole", "shoes", "red"),
    ("bread knife blade", "kitchen", "red"),
    ("tent pole canvas", "camping", "blue"),
)


def rows(count: int, dim: int = 8, seed: int = 7) -> NDArray[np.float32]:
    """float32 [count, dim]: three groups in turn, far apart by every measure."""
    rng = np.random.default_rng(seed)
    centres = np.eye(len(THEMES), dim) * 4
    return (centres[np.arange(count) % len(THEMES)] + rng.normal(scale=0.3, size=(count, dim))).astype(np.float32)


def document_id(number: int) -> str:
    return f"doc_{number:024d}"


def lines(vectors: NDArray[np.float32], first: int = 0) -> bytes:
    """As documents are imported. Every seventh lacks its colour."""
    told = []
    for place, row in enumerate(vectors):
        number = first + place
        words, group, colour = THEMES[number % len(THEMES)]
        told.append({
            "document_id": document_id(number), "content": f"{words} number {number}", "group": group,
            **({} if number % 7 == 6 else {"colour": colour}), "vectors": {"look": row.tolist()},
        })  # fmt: skip
    return b"\n".join(json.dumps(one).encode() for one in told)


async def collection(http: httpx.AsyncClient, name: str, vectors: NDArray[np.float32], first: int = 0) -> str:
    """A collection of these documents; its id."""
    extractor = {
        "feature_extractor_name": "passthrough_extractor",
        "version": "v1",
        "parameters": {"vectors": {"look": {"dimensions": vectors.shape[1]}}},
    }
    await http.post("/buckets", json={"bucket_name": "own", "bucket_schema": {"properties": {}}})
    source = {"type": "bucket", "bucket_ids": ["own"]}
    made = await http.post(
        "/collections", json={"collection_name": name, "source": source, "feature_extractor": extractor}
    )
    assert made.status_code == 200, made.text
    await more(http, name, vectors, first)
    return str(made.json()["collection_id"])


async def more(http: httpx.AsyncClient, name: str, vectors: NDArray[np.float32], first: int = 0) -> None:
    told: dict[str, Any] = (
        await http.post(f"/collections/{name}/documents/import", content=lines(vectors, first))
    ).json()
    assert told.get("failed", 0) == 0, told
