"""`/docs`: the served OpenAPI as a page, the one whose code comes from elsewhere, so that its policy names that."""

import base64
import hashlib
import re

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

router = APIRouter()

_CODE = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """What the served API can be asked, to be tried out."""
    return _PAGE


def _page() -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Tamis: API",
        swagger_js_url=f"{_CODE}/swagger-ui-bundle.js",
        swagger_css_url=f"{_CODE}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in _INLINE.findall(bytes(page.body)))
    page.headers["content-security-policy"] = (
        f"default-src 'none'; script-src {_CODE}/ {hashes}; style-src {_CODE}/ 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return page


def _hash(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()


_PAGE = _page()
