"""The API as served, without starting a server."""

from pathlib import Path
from typing import Any

from tamis.app import build_openapi

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "openapi.json"


def served_openapi() -> dict[str, Any]:
    document: dict[str, Any] = build_openapi()
    return document
