"""A browser's session: the key that signed in, sealed in a cookie, so that it opens what the key opens and no more."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass

import orjson
from cryptography.fernet import Fernet, InvalidToken

from tamis.auth.gate import Gate
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
    """Nothing is stored: the cookie is the session, encrypted and authenticated by this installation's secret.

    A session ends with its key (revoked, rotated or expired: the gate is asked each time), with its lifetime, and when
    somebody signs out. Who signed out is remembered in this process alone, until the cookie would have ended anyway.
    """

    def __init__(self, secret: bytes, gate: Gate, lifetime_s: int = LIFETIME_S) -> None:
        """secret: 32 bytes that only this installation knows."""
        digest = hashlib.blake2b(_PURPOSE, key=secret, digest_size=32).digest()
        self._box = Fernet(base64.urlsafe_b64encode(digest))
        self._gate = gate
        self._ended: dict[str, int] = {}
        self.lifetime_s = lifetime_s

    async def begin(self, key: str) -> str:
        """What the cookie holds. Raises: UnauthorizedError where the key opens nothing, ForbiddenError."""
        await self._gate.identify(f"Bearer {key}", Permission.READ)
        claims = [secrets.token_hex(16), key, secrets.token_hex(16), int(time.time()) + self.lifetime_s]
        return self._box.encrypt(orjson.dumps(claims)).decode()

    def open(self, cookie: str | None) -> Session:
        """Raises: UnauthorizedError."""
        if not cookie:
            raise UnauthorizedError("sign in with an API key")
        try:
            claims = orjson.loads(self._box.decrypt(cookie.encode()))
        except InvalidToken:
            raise UnauthorizedError("this session is not valid; sign in again") from None
        session = Session(*claims)
        if session.ends_at <= time.time() or session.session_id in self._ended:
            raise UnauthorizedError("this session has ended; sign in again")
        return session

    def end(self, session: Session) -> None:
        now = time.time()
        self._ended = {one: ends_at for one, ends_at in self._ended.items() if ends_at > now}
        self._ended[session.session_id] = session.ends_at

    async def identify(self, session: Session, permission: Permission) -> Principal:
        """Raises: UnauthorizedError where the key opens nothing any more, ForbiddenError."""
        return await self._gate.identify(session.authorization, permission)

    async def rule(self, session: Session, permission: Permission) -> Principal:
        """As `Gate.rule`, for the session's key."""
        return await self._gate.rule(session.authorization, permission)

    async def enter(self, session: Session, namespace: str | None, permission: Permission) -> Principal:
        """As `Gate.enter`, for the session's key."""
        return await self._gate.enter(session.authorization, namespace, permission)
