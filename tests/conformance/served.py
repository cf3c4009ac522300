"""The API as served, without starting a server."""

from pathlib import Path
from typing import Any, cast

from tamis.app import build_app, openapi, openapi_bytes
from tamis.auth.addresses import Addresses
from tamis.wiring.system import RequestLimits, System

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "openapi.json"


class _NoServices(dict[type[Any], Any]):
    """Each service is there, and is nothing."""

    def __missing__(self, kind: type[Any]) -> None:
        return None


def _closed_system() -> System:
    """Routes and schemas need nothing that is open."""
    nothing = cast(Any, None)
    return System(
        _NoServices({Addresses: Addresses()}), nothing, nothing, RequestLimits(0, 0), ROOT, None, nothing, nothing
    )


def served_openapi() -> dict[str, Any]:
    return openapi(build_app(_closed_system()))


def served_openapi_bytes() -> bytes:
    """What stands in GOLDEN."""
    return openapi_bytes(build_app(_closed_system()))
