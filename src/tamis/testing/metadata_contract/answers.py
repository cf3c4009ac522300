"""Answers that are given again."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError
from tamis.model.principal import Principal
from tamis.testing.metadata_contract.samples import ME, answer, later

MINE = replace(ME, key_id="key_1")


class AnswersContract:
    async def test_an_answer_is_noted_completed_and_given_again(self, metadata: Metadata) -> None:
        noted = replace(answer(1), status=None, body=None)
        await metadata.write(lambda session: session.answers.insert(MINE, noted, later(0)))
        assert await metadata.read(lambda session: session.answers.get(MINE, noted.token)) == noted
        await metadata.write(lambda session: session.answers.complete(MINE, noted.token, 201, b"\x00sealed"))
        completed = replace(noted, status=201, body=b"\x00sealed")
        assert await metadata.read(lambda session: session.answers.get(MINE, noted.token)) == completed

    async def test_each_key_has_answers_of_its_own_in_whatever_namespace(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.answers.insert(MINE, answer(1), later(0)))
        elsewhere = MINE.within("ns_2")
        assert await metadata.read(lambda session: session.answers.get(elsewhere, answer(1).token)) == answer(1)
        for stranger in (Principal("org_2", "ns_1", key_id="key_1"), replace(ME, key_id="key_2")):
            await self._does_nothing(metadata, stranger)
        assert await metadata.read(lambda session: session.answers.get(MINE, answer(1).token)) == answer(1)

    async def _does_nothing(self, metadata: Metadata, stranger: Principal) -> None:
        token = answer(1).token
        assert await metadata.read(lambda session: session.answers.get(stranger, token)) is None
        await metadata.write(lambda session: session.answers.complete(stranger, token, 500, b""))
        assert await metadata.write(lambda session: session.answers.forget(stranger, later(99), 0, 9)) == 0

    async def test_a_token_is_taken_until_its_answer_is_old(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.answers.insert(MINE, answer(1, seconds=5), later(0)))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.answers.insert(MINE, answer(1, seconds=6), later(5)))
        newer = replace(answer(1, seconds=60), fingerprint="another", status=None, body=None, created_id=None)
        await metadata.write(lambda session: session.answers.insert(MINE, newer, later(6)))
        assert await metadata.read(lambda session: session.answers.get(MINE, newer.token)) == newer

    async def test_old_ones_and_those_beyond_the_newest_are_forgotten_oldest_first(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            for number in range(6):
                session.answers.insert(MINE, answer(number, seconds=number), later(0))

        async def kept() -> list[int]:
            def read(session: Session) -> list[int]:
                return [number for number in range(6) if session.answers.get(MINE, answer(number).token)]

            return await metadata.read(read)

        await metadata.write(fill)
        assert await metadata.write(lambda session: session.answers.forget(MINE, later(2), 9, 1)) == 1
        assert await kept() == [1, 2, 3, 4, 5]
        assert await metadata.write(lambda session: session.answers.forget(MINE, later(2), 9, 9)) == 1
        assert await metadata.write(lambda session: session.answers.forget(MINE, later(0), 2, 9)) == 2
        assert await kept() == [4, 5]
        assert await metadata.write(lambda session: session.answers.forget(MINE, later(0), 2, 9)) == 0
