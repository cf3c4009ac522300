"""Roll-outs of retrievers' versions, and what was answered in their shadow."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.principal import Principal
from tamis.model.rollout import Rollout, ShadowRun


class Rollouts(Protocol):
    """A retriever has one at most. A shadow's run goes with the execution that it followed, when that is deleted."""

    def get(self, principal: Principal, retriever_id: str) -> Rollout | None: ...
    def put(self, principal: Principal, rollout: Rollout) -> None:
        """Begin it, or put it in the place of the one before."""
        ...

    def end(self, principal: Principal, retriever_id: str, action: str = "") -> bool:
        """With all of its shadow's runs. action: what it ended by, for the audit log."""
        ...

    def keep(self, principal: Principal, run: ShadowRun) -> bool:
        """False where its roll-out has ended, or its execution is gone: nothing is kept then."""
        ...

    def runs(self, principal: Principal, rollout_id: str) -> Sequence[ShadowRun]:
        """All of them, newest first."""
        ...
