"""Taxonomies tried out on some documents: nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.taxonomy import Taxonomy
from tamis.services.data.taxonomies import find_taxonomy
from tamis.services.json_values import check_json
from tamis.services.runs.labelling import Labelled, Labelling, definition_of

MOST_DOCUMENTS = 100
_DOCUMENTS: list[str | int] = ["body", "source_documents"]


@dataclass(frozen=True, slots=True)
class TaxonomyTrial:
    """documents: as sent; one whose document_id is stored is the stored one, with its vectors.

    collection: whose first documents are taken where none is sent, and by whose features texts are compared.
    config: in place of the stored one.  retriever: in place of its default retriever.
    """

    documents: tuple[Mapping[str, JSON], ...] = ()
    collection: str | None = None
    matching: Mapping[str, JSON] | None = None
    limit: int = 10
    config: Mapping[str, JSON] | None = None
    retriever: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """results: documents with what the taxonomy gives them.  errors: of them that could not be compared."""

    results: Sequence[Mapping[str, JSON]]
    errors: int
    warnings: tuple[str, ...] = ()


class TaxonomyTrials:
    def __init__(self, metadata: Metadata, labelling: Labelling) -> None:
        self._metadata = metadata
        self._labelling = labelling

    async def run(
        self, principal: Principal, identifier: str, trial: TaxonomyTrial, version: int | None = None
    ) -> Tried:
        """Raises: NotFoundError, ValidationError naming the place; what labelling raises."""
        if len(trial.documents) > MOST_DOCUMENTS or trial.limit > MOST_DOCUMENTS:
            message = (
                f"at most {MOST_DOCUMENTS} documents are tried at once; apply the taxonomy to a collection for all"
            )
            raise ValidationError.at(_DOCUMENTS, message)
        check_json(list(trial.documents), _DOCUMENTS)

        def read(session: Session) -> tuple[Taxonomy, tuple[Collection, ...], list[Hit]]:
            taxonomy = _tried(find_taxonomy(session, principal, identifier, version), trial)
            hits = _hits(session, principal, trial)
            return taxonomy, _collections(session, principal, taxonomy, trial, hits), hits

        taxonomy, collections, hits = await self._metadata.read(read)
        labelled, warnings = await self._labelling.label(principal, taxonomy, collections, hits)
        return Tried([_shown(one) for one in labelled], sum(one.fault is not None for one in labelled), warnings)


def _tried(taxonomy: Taxonomy, trial: TaxonomyTrial) -> Taxonomy:
    config = dict(taxonomy.config if trial.config is None else trial.config)
    if trial.retriever is not None:
        config["retriever_id"] = trial.retriever
    definition_of(config)
    return replace(taxonomy, config=config)


def _hits(session: Session, principal: Principal, trial: TaxonomyTrial) -> list[Hit]:
    if trial.documents:
        ids = [str(one.get("document_id", "")) for one in trial.documents]
        stored = session.documents.get_many(principal, ids)
        return [
            Hit(known, 0.0, stored[known])
            if known in stored
            else Hit(known or f"document {place}", 0.0, None, {}, sent)
            for place, (known, sent) in enumerate(zip(ids, trial.documents, strict=True))
        ]
    if trial.collection is None:
        raise ValidationError.at(_DOCUMENTS, "give some documents, or the source_collection_id to take the first of")
    collection = _collection(session, principal, trial.collection)
    wanted = parse_filter(trial.matching, ["body", "scroll_filters"])
    found = session.documents.scan(principal, collection.collection_id, wanted)
    return [Hit(one.document_id, 0.0, one) for one in islice(found, trial.limit)]


def _collections(
    session: Session, principal: Principal, taxonomy: Taxonomy, trial: TaxonomyTrial, hits: Sequence[Hit]
) -> tuple[Collection, ...]:
    """Of the documents, else the one that is named, else those of the nodes: whose features are compared."""
    ids = {hit.document.collection_id for hit in hits if hit.document is not None}
    names = sorted(ids) or ([trial.collection] if trial.collection is not None else _of_nodes(taxonomy))
    return tuple(_collection(session, principal, name) for name in names)


def _of_nodes(taxonomy: Taxonomy) -> list[str]:
    config = taxonomy.config
    nodes = config.get("hierarchical_nodes") or config.get("nodes") or [config.get("source_collection")]
    given = [one.get("collection_id") for one in nodes if isinstance(one, dict)] if isinstance(nodes, list) else []
    return sorted({one for one in given if isinstance(one, str)})


def _collection(session: Session, principal: Principal, name: str) -> Collection:
    found = session.collections.get(principal, name)
    if found is None:
        raise ValidationError.at(["body", "source_collection_id"], f"collection {name!r} was not found")
    return found


def _shown(labelled: Labelled) -> Mapping[str, JSON]:
    hit = labelled.hit
    own = hit.document.view() if hit.document is not None else {}
    return {**own, **hit.extra}
