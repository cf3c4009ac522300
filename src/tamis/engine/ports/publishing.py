"""What is open to the public, in the system of record: retrievers."""

from collections.abc import Sequence
from typing import Protocol

from tamis.model.principal import Principal
from tamis.model.published import PublishedRetriever


class Published(Protocol):
    """Published retrievers: at most one for a retriever, each under a name that is unique in the server."""

    def insert(self, principal: Principal, one: PublishedRetriever) -> None:
        """Raises: AlreadyExistsError where the name is taken, or the retriever is published already."""
        ...

    def of_retriever(self, principal: Principal, retriever_id: str) -> PublishedRetriever | None: ...
    def list(self, principal: Principal) -> Sequence[PublishedRetriever]:
        """Of the namespace, newest first."""
        ...

    def count(self, principal: Principal) -> int:
        """In all namespaces of the organisation."""
        ...

    def replace(self, principal: Principal, one: PublishedRetriever) -> None:
        """Its name and its retriever stay. Raises: NotFoundError."""
        ...

    def delete(self, principal: Principal, retriever_id: str) -> bool: ...
    def find(self, name: str) -> tuple[Principal, PublishedRetriever] | None:
        """The look-up that a visitor begins with: it is how his Principal, which has no permission yet, is made."""
        ...

    def active(self) -> Sequence[PublishedRetriever]:
        """Of every tenant, newest first: what the server shows to the public."""
        ...
