"""Which version of a saved retriever answers: its newest, or while a new one is rolled out, one of two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.engine.ports.metadata import Session
from tamis.errors import NotFoundError
from tamis.model.canonical import sha1_of
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.rollout import Rollout
from tamis.model.sharing import is_within
from tamis.services.runs.retrievers import find_collections, find_retriever, find_version


@dataclass(frozen=True, slots=True)
class Version:
    """rollout: the one that this version is the baseline of; what it answers may be followed by a shadow."""

    retriever: Retriever
    collections: tuple[Collection, ...]
    rollout: Rollout | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """candidate: what answers a share of what is asked; None outside of a roll-out."""

    usual: Version
    candidate: Version | None = None

    def answering(self, inputs: Mapping[str, JSON]) -> Version:
        """The same inputs are answered by the same version for as long as its share does not shrink."""
        rollout = self.usual.rollout
        if rollout is None or self.candidate is None or not rollout.live_share:
            return self.usual
        name = f"{rollout.rollout_id} {sha1_of(dict(inputs))}"
        return self.candidate if is_within(name, rollout.live_share) else self.usual


def find_served(session: Session, principal: Principal, identifier: str, collections: Sequence[str]) -> Served:
    """collections: that the request names, instead of the retriever's own. Raises: NotFoundError."""
    retriever = find_retriever(session, principal, identifier)
    rollout = session.rollouts.get(principal, retriever.retriever_id)
    if rollout is None:
        return Served(_version(session, principal, retriever, collections))
    baseline = find_version(session, principal, retriever.retriever_id, rollout.baseline_version)
    usual = _version(session, principal, baseline, collections)
    followed = Version(usual.retriever, usual.collections, None if collections else rollout)
    try:
        newer = find_version(session, principal, retriever.retriever_id, rollout.candidate_version)
        return Served(followed, _version(session, principal, newer, collections))
    except NotFoundError:  # a collection that only the candidate asks is gone: the baseline answers
        return Served(followed)


def _version(session: Session, principal: Principal, retriever: Retriever, collections: Sequence[str]) -> Version:
    definition = retriever.definition
    named = collections or definition.collection_ids
    return Version(retriever, find_collections(session, principal, named, definition.stages))
