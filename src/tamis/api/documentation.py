"""`/docs`: the served OpenAPI as a page to try it out. All of it comes from here, so that nobody else is asked."""

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

router = APIRouter()

_SCRIPT, _STYLE = "swagger-ui-bundle.js", "swagger-ui.css"
_TYPES = {_SCRIPT: "text/javascript; charset=utf-8", _STYLE: "text/css; charset=utf-8"}
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Without the first the page asks a service of its makers what it thinks of the OpenAPI; with some 300 operations and
# their schemas drawn at once it stands still for seconds.
_SHOWN = {"validatorUrl": None, "docExpansion": "none", "defaultModelsExpandDepth": -1, "filter": True}
_FOREVER = "public, max-age=31536000, immutable"


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """What the served API can be asked, to be tried out."""
    return _page()


@router.get(f"/docs/{_SCRIPT}", include_in_schema=False)
async def script(request: Request) -> Response:
    return _asset(request, _SCRIPT)


@router.get(f"/docs/{_STYLE}", include_in_schema=False)
async def style(request: Request) -> Response:
    return _asset(request, _STYLE)


def _asset(request: Request, name: str) -> Response:
    content, packed = _read(name)
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=_TYPES[name], headers={**headers, "content-encoding": "gzip"})
    return Response(content, media_type=_TYPES[name], headers=headers)


@cache
def _read(name: str) -> tuple[bytes, bytes]:
    """As it is, and packed."""
    content = files("tamis.api").joinpath("assets", name).read_bytes()
    return content, gzip.compress(content, mtime=0)


@cache
def _page() -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Tamis: API",
        swagger_js_url=_address(_SCRIPT),
        swagger_css_url=_address(_STYLE),
        swagger_favicon_url="data:,",
        swagger_ui_parameters=_SHOWN,
    )
    hashes = " ".join(f"'sha256-{_hash(inline)}'" for inline in _INLINE.findall(bytes(page.body)))
    page.headers["content-security-policy"] = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return page


def _address(name: str) -> str:
    """With its content in it, so that a browser may keep it for ever."""
    return f"/docs/{name}?v={hashlib.sha256(_read(name)[0]).hexdigest()[:12]}"


def _hash(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()
