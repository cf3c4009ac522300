"""What every answer tells a browser besides: to be careful with it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api.hosts import host_name, is_loopback

# What an answer says by itself stands. Answers are data: nothing in them runs, is framed or is kept by a browser.
_DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")


class Protection:
    """Plain ASGI around everything else, so that no answer goes out without."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        defaults = _DEFAULTS if scope["scheme"] == "http" else _under_tls(scope)

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                said = {name.lower() for name, _ in headers}
                if any(_lets_frame(*header) for header in headers):
                    said.add(b"x-frame-options")
                message["headers"] = [*headers, *(header for header in defaults if header[0] not in said)]
            await send(message)

        await self.app(scope, receive, send_protected)


def _lets_frame(name: bytes, value: bytes) -> bool:
    """Whether an answer lets other sites' pages show it: the older header knows no sites and would forbid all."""
    return (
        name.lower() == b"content-security-policy"
        and b"frame-ancestors" in value
        and b"frame-ancestors 'none'" not in value
    )


def _under_tls(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """On a machine's own name it would also shut out whatever else is served there without TLS."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return _DEFAULTS if is_loopback(host_name(host.decode("latin-1"))) else (*_DEFAULTS, _ONLY_TLS)
