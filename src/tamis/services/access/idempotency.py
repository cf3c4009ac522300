"""Requests that name themselves by an idempotency key: carried out once, answered as often as they come.

The key is written down in the very transaction that makes what the request makes, so that a repetition finds it
whenever the server was killed. The answer follows in a transaction of its own, before the caller has it. Where the
server died between the two, what was made is known though its answer is not: the edge shows it as it is now.
A request that leaves a record instead, as an execution does, has its key written down before it begins.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tamis.engine.change import in_one_change
from tamis.engine.ports.answers import KeptAnswer
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AnswerLostError, InProgressError, KeyReusedError
from tamis.model.principal import Principal

KEPT_FOR = timedelta(days=1)
MOST_KEPT = 10_000
"""Of one API key."""
LARGEST_BYTES = 1 << 20
_FORGOTTEN_AT_ONCE = 20
_NONCE_BYTES = 12
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that names itself.

    secret: what only its caller has; answers are sealed with it, for one of them is an API key in the clear.
    fingerprint: a digest of everything that is asked.
    made: the attribute that holds the id of what such a request makes, as `bucket_id`; None where that is no one thing.
    executes: what it leaves is a record, which no transaction of the request writes.
    """

    key: str
    secret: bytes
    fingerprint: str
    made: str | None = None
    executes: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """body: None where it cannot be kept. is_repeated: whether it was given before."""

    status: int
    body: bytes | None
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The answer was lost, but this is what the request made."""

    created_id: str


class IdempotencyService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock
        self._running: set[tuple[str, str, str]] = set()

    async def once(self, principal: Principal, asked: Asked, work: Callable[[], Awaitable[Answer]]) -> Answer | Made:
        """The answer of `work`, or what it answered before.

        Only answers below 400 of requests that wrote something are kept: what was refused made nothing, and may be
        tried again.
        Raises: InProgressError, KeyReusedError, AnswerLostError; what `work` raises.
        """
        token = hashlib.sha256(asked.key.encode()).hexdigest()
        place = (principal.organization_id, principal.key_id, token)
        if place in self._running:
            raise InProgressError
        self._running.add(place)
        try:
            known = await self._metadata.read(lambda session: session.answers.get(principal, token))
            if known is not None and known.created_at > self._clock.now() - KEPT_FOR:
                return _again(known, asked)
            first = self._executed if asked.executes else self._first
            return await first(principal, asked, token, work)
        finally:
            self._running.discard(place)

    async def _first(
        self, principal: Principal, asked: Asked, token: str, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        now = self._clock.now()

        def note(session: Session, value: Any) -> None:
            created_id = None if asked.made is None else _only(value, asked.made)
            _note(session, principal, KeptAnswer(token, asked.fingerprint, now, created_id))

        with in_one_change() as change:
            change.after.append(note)
            answer = await work()
            if change.is_made and answer.status < 400 and answer.body is not None:
                await self._keep(principal, asked, token, answer.status, answer.body)
        return answer

    async def _executed(
        self, principal: Principal, asked: Asked, token: str, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Noted before it runs, so that after a kill it is not run again; what was not answered well may be."""
        noted = KeptAnswer(token, asked.fingerprint, self._clock.now())
        await self._metadata.write(lambda session: _note(session, principal, noted))
        is_over = False
        try:
            answer = await work()
            is_over = answer.status == 200
            if is_over and answer.body is not None:
                await self._keep(principal, asked, token, answer.status, answer.body)
            return answer
        finally:
            if not is_over:
                await self._metadata.write(lambda session: session.answers.remove(principal, token))

    async def _keep(self, principal: Principal, asked: Asked, token: str, status: int, body: bytes) -> None:
        if len(body) > LARGEST_BYTES:
            return
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(_sealing_key(asked)).encrypt(nonce, body, token.encode())
        await self._metadata.write(lambda session: session.answers.complete(principal, token, status, sealed))


def _note(session: Session, principal: Principal, answer: KeptAnswer) -> None:
    over = answer.created_at - KEPT_FOR
    session.answers.insert(principal, answer, over)
    session.answers.forget(principal, over, MOST_KEPT, _FORGOTTEN_AT_ONCE)


def _again(known: KeptAnswer, asked: Asked) -> Answer | Made:
    if known.fingerprint != asked.fingerprint:
        raise KeyReusedError
    if known.status is not None and known.body is not None:
        try:
            nonce, sealed = known.body[:_NONCE_BYTES], known.body[_NONCE_BYTES:]
            body = AESGCM(_sealing_key(asked)).decrypt(nonce, sealed, known.token.encode())
            return Answer(known.status, body, is_repeated=True)
        except InvalidTag:
            pass  # sealed with a secret that the key had before it was rotated
    if known.created_id is not None:
        return Made(known.created_id)
    raise AnswerLostError


def _sealing_key(asked: Asked) -> bytes:
    """The secret has 128 bits and more of chance: no slow derivation is needed."""
    return hashlib.blake2b(asked.key.encode(), key=hashlib.sha256(asked.secret).digest(), digest_size=32).digest()


def _only(value: Any, name: str) -> str | None:
    """The attribute of the dataclasses in what a transaction gave, where they agree on one."""
    found = set(_every(value, name, _DEEPEST))
    return found.pop() if len(found) == 1 else None


def _every(value: Any, name: str, levels: int) -> Iterator[str]:
    if not levels:
        return
    if isinstance(value, list | tuple):
        for each in value:
            yield from _every(each, name, levels)
    elif is_dataclass(value):
        found = getattr(value, name, None)
        if isinstance(found, str):
            yield found
        else:
            for each in fields(value):
                yield from _every(getattr(value, each.name), name, levels - 1)
