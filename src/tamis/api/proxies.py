"""Behind the operator's proxies: who came, and by which scheme, as they say. Of anybody else nothing is believed."""

from starlette.types import ASGIApp, Receive, Scope, Send

from tamis.auth.addresses import Addresses

_SCHEMES = {b"http": "http", b"https": "https"}


class Proxies:
    """Plain ASGI around everything else. Where no proxy is trusted it is left out."""

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self.app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came = self._addresses.behind_proxies(scope) if scope["type"] == "http" else None
        if came is not None:
            scope = {**scope, "client": (came, 0), "scheme": _scheme(scope)}
        await self.app(scope, receive, send)


def _scheme(scope: Scope) -> str:
    """As the nearest proxy, whose word is the last, was asked."""
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    last = said[-1].rpartition(b",")[2].strip().lower() if said else b""
    return _SCHEMES.get(last, str(scope["scheme"]))
