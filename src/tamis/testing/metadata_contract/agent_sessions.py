"""Sessions with agents, and what was said in them."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from datetime import timedelta

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.agent_session import SessionState
from tamis.model.principal import Principal, Scope
from tamis.testing.metadata_contract.samples import ME, NOW, STRANGERS, agent_message, agent_session

NARROW = replace(ME, key_id="key_narrow", scopes=(Scope("ns_1", "ret_first"),))


class AgentSessionsContract:
    async def test_a_session_is_its_namespaces(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.agent_sessions.insert(ME, agent_session(1)))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.agent_sessions.insert(ME, agent_session(1)))
        assert await metadata.read(lambda session: session.agent_sessions.get(ME, "ses_0001")) == agent_session(1)
        for stranger in STRANGERS:
            await metadata.read(lambda session, who=stranger: _nothing_of(session, who))  # type: ignore[misc]
            with pytest.raises(NotFoundError):
                await metadata.write(
                    lambda session, who=stranger: session.agent_sessions.replace(who, agent_session(1))  # type: ignore[misc]
                )
            assert not await metadata.write(
                lambda session, who=stranger: session.agent_sessions.delete(who, "ses_0001")  # type: ignore[misc]
            )

    async def test_a_key_to_single_retrievers_sees_its_own(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.agent_sessions.insert(ME, agent_session(1))
            session.agent_sessions.insert(NARROW, agent_session(2, key_id="key_narrow"))

        await metadata.write(fill)
        seen = await metadata.read(lambda session: session.agent_sessions.list(NARROW))
        assert [one.session_id for one in seen] == ["ses_0002"]
        assert await metadata.read(lambda session: session.agent_sessions.get(NARROW, "ses_0001")) is None
        assert len(await metadata.read(lambda session: session.agent_sessions.list(ME))) == 2

    async def test_the_newest_comes_first_page_by_page(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            for number in range(3):
                session.agent_sessions.insert(ME, agent_session(number, seconds=number))

        await metadata.write(fill)
        page = await metadata.read(lambda session: session.agent_sessions.page(ME, 2, 1))
        assert ([one.session_id for one in page.items], page.total) == (["ses_0001", "ses_0000"], 3)

    async def test_what_is_answered_and_what_is_over_is_found_of_every_tenant(self, metadata: Metadata) -> None:
        other = STRANGERS[0]

        def fill(session: Session) -> None:
            session.agent_sessions.insert(ME, agent_session(1))
            session.agent_sessions.insert(other, agent_session(1, state="answering"))
            session.agent_sessions.replace(ME, replace(agent_session(1), expires_at=NOW))

        await metadata.write(fill)
        answering = await metadata.read(lambda session: session.agent_sessions.answering())
        assert [(who.organization_id, one.state) for who, one in answering] == [("org_2", SessionState.ANSWERING)]
        over = await metadata.read(lambda session: session.agent_sessions.over(NOW + timedelta(seconds=1), 10))
        assert [(who.organization_id, one.session_id) for who, one in over] == [("org_1", "ses_0001")]

    async def test_messages_stand_in_order_and_go_with_their_session(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.agent_sessions.insert(ME, agent_session(1))
            for place in (1, 0, 2):
                session.agent_sessions.say(ME, "ses_0001", agent_message(place))
            session.agent_sessions.say(ME, "ses_0001", agent_message(2, "put in its place"))

        await metadata.write(fill)
        page = await metadata.read(lambda session: session.agent_sessions.said(ME, "ses_0001", 2, 1))
        assert ([one.content for one in page.items], page.total) == (["It is this [D1].", "put in its place"], 3)
        last = await metadata.read(lambda session: session.agent_sessions.last_said(ME, "ses_0001", 2))
        assert [one.place for one in last] == [1, 2]
        found = await metadata.read(lambda session: session.agent_sessions.message(ME, "ses_0001", "msg_0000"))
        assert found == agent_message(0)
        assert await metadata.write(lambda session: session.agent_sessions.delete(ME, "ses_0001"))
        await metadata.read(lambda session: _nothing_of(session, ME))


def _nothing_of(session: Session, who: Principal) -> None:
    assert session.agent_sessions.get(who, "ses_0001") is None
    assert session.agent_sessions.list(who) == []
    assert session.agent_sessions.said(who, "ses_0001", 10, 0).total == 0
    assert session.agent_sessions.message(who, "ses_0001", "msg_0000") is None
