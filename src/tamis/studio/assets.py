"""Scripts, styles and pictures of the pages, out of the package; named by their content, so a browser keeps them."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from tamis.errors import NotFoundError

PREFIX = "/studio/assets/"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes
    media_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """By file name."""
    found = {}
    for file in files("tamis.studio").joinpath("assets").iterdir():
        suffix = file.name[file.name.rfind(".") :]
        if suffix in _TYPES:
            content = file.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            found[file.name] = Asset(content, gzip.compress(content, mtime=0), _TYPES[suffix], version)
    return found


def asset_url(name: str) -> str:
    return f"{PREFIX}{name}?v={assets()[name].version}"


async def serve(request: Request) -> Response:
    """Raises: NotFoundError."""
    name = request.path_params["name"]
    asset = assets().get(name)
    if asset is None:
        raise NotFoundError.of("asset", name)
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)
