"""Lineage on the wire; the contract leaves these answers open."""

from collections.abc import Sequence
from typing import Any

from tamis.api.schemas.document import step_model, summary
from tamis.model.bucket import BucketObject
from tamis.model.document import Document
from tamis.services.data.lineage import Branch, Decomposition, DocumentLineage


def lineage_model(found: DocumentLineage) -> dict[str, Any]:
    lineage = found.document.lineage
    return {
        "document_id": found.document.document_id,
        "collection_id": found.document.collection_id,
        "source_type": lineage.source_type,
        "root_bucket_id": lineage.root_bucket_id,
        "root_object_id": lineage.root_object_id,
        "source_object_id": lineage.source_object_id,
        "source_collection_id": lineage.source_collection_id,
        "source_document_id": lineage.source_document_id,
        "lineage_path": lineage.path,
        "lineage_chain": [step_model(step).model_dump(mode="json") for step in lineage.chain],
        "root_object": _root(found.root),
        "ancestors": [summary(document) for document in found.ancestors],
        "derived_documents": [summary(document) for document in found.derived],
    }


def object_documents_model(object_id: str, documents: Sequence[Document]) -> dict[str, Any]:
    by_collection: dict[str, int] = {}
    for document in documents:
        by_collection[document.collection_id] = by_collection.get(document.collection_id, 0) + 1
    return {
        "object_id": object_id,
        "documents": [summary(document) for document in documents],
        "documents_by_collection": by_collection,
        "total": len(documents),
    }


def decomposition_model(found: Decomposition, with_ids: bool) -> dict[str, Any]:
    return {
        "object_id": found.object_id,
        "root_object_id": found.object_id,
        "bucket_id": found.root.bucket_id if found.root else None,
        "root_object": _root(found.root),
        "total_documents": found.documents,
        "tree": [_branch(branch, with_ids) for branch in found.branches],
    }


def _branch(branch: Branch, with_ids: bool) -> dict[str, Any]:
    node: dict[str, Any] = {
        "collection_id": branch.collection.collection_id,
        "collection_name": branch.collection.name,
        "feature_extractor_id": branch.collection.extractor.id,
        "document_count": len(branch.document_ids),
        "children": [_branch(child, with_ids) for child in branch.children],
    }
    if with_ids:
        node["document_ids"] = list(branch.document_ids)
    return node


def _root(root: BucketObject | None) -> dict[str, Any] | None:
    if root is None:
        return None
    return {"object_id": root.object_id, "bucket_id": root.bucket_id, "key_prefix": root.key_prefix, **root.fields}
