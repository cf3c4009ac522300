"""Search as stages see it: `engine.searcher` answers it, and in a replay a record does."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tamis.engine.ports.index import FacetCount, Scored
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter
from tamis.model.principal import Principal

if TYPE_CHECKING:
    from tamis.engine.searching.searcher import Found, Search
    from tamis.engine.searching.stored_clustering import Clustered, Clustering
    from tamis.engine.searching.stored_likeness import Likeness, Likenesses
    from tamis.engine.searching.stored_vectors import Diverse, Diversity, LateInteraction


class SearchPort(Protocol):
    """The index and the system of record together, over the collections of one namespace."""

    async def search(self, principal: Principal, searches: "Sequence[Search]") -> "Sequence[Found]":
        """One answer for each search, in order."""
        ...

    async def hydrate(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        """The documents that are still there, by id."""
        ...

    async def collections(
        self, principal: Principal, identifiers: Sequence[str], known: Sequence[Collection] = ()
    ) -> tuple[Collection, ...]:
        """Collections by id or name, in the order named. Raises: NotFoundError."""
        ...

    async def list_documents(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int
    ) -> tuple[list[Document], bool]:
        """Documents that match, collection by collection and by id, and whether there are more than `limit`."""
        ...

    async def random(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int, seed: str
    ) -> Sequence[Scored]:
        """A uniform sample that the seed decides."""
        ...

    async def facet(
        self, principal: Principal, collections: Sequence[Collection], path: str, limit: int, filter: Filter | None,
        exact: bool,
    ) -> Sequence[FacetCount]:  # fmt: skip
        """A field's values by how many of the matching documents have them."""
        ...

    async def is_empty(self, principal: Principal, collections: Sequence[Collection]) -> bool:
        """True where the index holds no document of these."""
        ...

    async def diversify(self, principal: Principal, asked: "Diversity") -> "Diverse":
        """Choose documents by maximal marginal relevance over their stored vectors. Raises: ValidationError."""
        ...

    async def cluster(self, principal: Principal, asked: "Clustering") -> "Clustered":
        """Group documents by their stored vectors. Raises: ValidationError, NotSetUpError."""
        ...

    async def likeness(self, principal: Principal, asked: "Likeness") -> "Likenesses":
        """Documents against nodes of a taxonomy, by vectors. Raises: ValidationError, ModelMissingError."""
        ...

    async def late_interaction(self, principal: Principal, asked: "LateInteraction") -> Mapping[str, float]:
        """MaxSim of each document that has token vectors, by id. Raises: ValidationError, ModelMissingError."""
        ...
