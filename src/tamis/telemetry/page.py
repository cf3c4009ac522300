"""The page of metrics: who may read it, and what it says at that moment."""

import hmac
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from tamis.engine.ports.telemetry import Vitals
from tamis.errors import NotFoundError, UnauthorizedError
from tamis.telemetry.metrics import Metrics

_KEEP_S = 2.0


class MetricsPage:
    """Open where the server listens on a loopback address alone, else behind a token of the operator's."""

    def __init__(
        self, metrics: Metrics | None, vitals: Callable[[], Awaitable[Vitals]], token: str | None, host: str
    ) -> None:
        """metrics: None where they are off.  token: what a scraper sends as bearer; None needs a loopback host."""
        self._metrics = metrics
        self._vitals = vitals
        self._token = token
        self._is_local = _is_loopback(host)
        self._asked_s = float("-inf")

    async def read(self, authorization: str | None, accept: str) -> tuple[bytes, str]:
        """The page and its content type. Raises: NotFoundError where metrics are off, UnauthorizedError."""
        if self._metrics is None:
            raise NotFoundError("metrics are off on this server: TAMIS_METRICS=true turns them on")
        self._check(authorization)
        now_s = time.monotonic()
        if now_s - self._asked_s > _KEEP_S:
            # Scraped more often, the queue is not counted more often: whoever asks in a loop must not load the store.
            self._asked_s = now_s
            self._metrics.set_vitals(await self._vitals())
        return self._metrics.text(accept)

    def _check(self, authorization: str | None) -> None:
        if self._token is None:
            if self._is_local:
                return
            raise UnauthorizedError(
                "metrics are closed: this server listens beyond its own machine and has no TAMIS_METRICS_TOKEN"
            )
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            raise UnauthorizedError("send `Authorization: Bearer` with this server's TAMIS_METRICS_TOKEN")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
