"""Passwords of published retrievers: argon2id, a few at a time, for each takes 64 MiB and some tens of milliseconds."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tamis.errors import ValidationError

SHORTEST, LONGEST = 8, 256
_AT_ONCE = 2
_HASHER = PasswordHasher(parallelism=1)


class Passwords:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str, loc: list[str | int]) -> str:
        """Raises: ValidationError at `loc` where it is too short or too long to be one."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise ValidationError.at(loc, f"a password has {SHORTEST} to {LONGEST} characters")
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def holds(self, password_hash: str, password: str) -> bool:
        if len(password) > LONGEST:
            return False
        async with self._turns:
            return await asyncio.to_thread(_verified, password_hash, password)


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
