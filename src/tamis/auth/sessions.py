"""A browser's session: the key that signed in, sealed in a cookie, so that it opens what the key opens and no more."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from cryptography.fernet import Fernet, InvalidToken

from tamis.auth.gate import Gate
from tamis.engine.ports.metadata import Metadata
from tamis.errors import ForbiddenError, UnauthorizedError
from tamis.model.principal import Permission, Principal

LIFETIME_S = 12 * 3600
_PURPOSE = b"tamis session\0"


@dataclass(frozen=True, slots=True)
class Session:
    """key: the API key that signed in.  csrf: what every change must bring back.  ends_at: seconds since 1970."""

    session_id: str
    key: str
    csrf: str
    ends_at: int

    @property
    def authorization(self) -> str:
        return f"Bearer {self.key}"

    def check(self, csrf: str | None) -> None:
        """Raises: ForbiddenError where a change does not come from a page of this session."""
        if not secrets.compare_digest((csrf or "").encode(), self.csrf.encode()):
            raise ForbiddenError("this page is of another session; load it again and repeat what you did")


class Sessions:
    """The cookie is the session, encrypted and authenticated by this installation's secret.

    A session ends with its key (revoked, rotated or expired: the gate is asked each time), with its lifetime, and when
    somebody signs out, which is stored until the cookie would have ended anyway.
    """

    def __init__(self, secret: bytes, gate: Gate, metadata: Metadata, lifetime_s: int = LIFETIME_S) -> None:
        """secret: 32 bytes that only this installation knows."""
        digest = hashlib.blake2b(_PURPOSE, key=secret, digest_size=32).digest()
        self._box = Fernet(base64.urlsafe_b64encode(digest))
        self._gate = gate
        self._metadata = metadata
        self.lifetime_s = lifetime_s

    async def begin(self, key: str) -> str:
        """What the cookie holds. Raises: UnauthorizedError where the key opens nothing, ForbiddenError."""
        await self._gate.identify(f"Bearer {key}", Permission.READ)
        claims = [secrets.token_hex(16), key, secrets.token_hex(16), int(time.time()) + self.lifetime_s]
        return self._box.encrypt(orjson.dumps(claims)).decode()

    def open(self, cookie: str | None) -> Session:
        """What the cookie says; `identify` asks whether it still holds. Raises: UnauthorizedError."""
        if not cookie:
            raise UnauthorizedError("sign in with an API key")
        try:
            claims = orjson.loads(self._box.decrypt(cookie.encode()))
        except InvalidToken:
            raise UnauthorizedError("this session is not valid; sign in again") from None
        session = Session(*claims)
        if session.ends_at <= time.time():
            raise UnauthorizedError("this session has ended; sign in again")
        return session

    async def end(self, session: Session, principal: Principal) -> None:
        """principal: of the session."""
        now = datetime.now(UTC)
        ends_at = datetime.fromtimestamp(session.ends_at, UTC)
        await self._metadata.write(
            lambda stored: stored.ended_sessions.add(principal, session.session_id, ends_at, now)
        )

    async def identify(self, session: Session, permission: Permission) -> Principal:
        """Asked first of each request.

        Raises: UnauthorizedError where the key opens nothing any more or its holder has signed out, ForbiddenError.
        """
        principal = await self._gate.identify(session.authorization, permission)
        if await self._metadata.read_now(lambda stored: stored.ended_sessions.has(principal, session.session_id)):
            raise UnauthorizedError("this session has ended; sign in again")
        return principal

    async def rule(self, session: Session, permission: Permission) -> Principal:
        """As `Gate.rule`, for the session's key."""
        return await self._gate.rule(session.authorization, permission)

    async def enter(self, session: Session, namespace: str | None, permission: Permission) -> Principal:
        """As `Gate.enter`, for the session's key."""
        return await self._gate.enter(session.authorization, namespace, permission)
