"""A document: what it says and shows, its vectors, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.vector import FeatureSpec, Vector, VectorKind
from tamis.services.data.documents import DocumentService
from tamis.services.data.lineage import DocumentLineage, LineageService
from tamis.studio.asking import uri_of
from tamis.studio.collections import collection_of
from tamis.studio.faces import Faces
from tamis.studio.lineage import Tree, grown, names_of, where_of
from tamis.studio.places import LONGEST, placed
from tamis.studio.vector_sketch import HEIGHT, WIDTH, Sketch, sketch
from tamis.studio.visit import Visit


@dataclass(frozen=True, slots=True)
class FeatureView:
    """sketch: None where this document has no vector of the feature.  like: address of what is like it."""

    spec: FeatureSpec
    uri: str
    sketch: Sketch | None
    like: str | None


async def show(visit: Visit) -> Response:
    visit, details = await collection_of(visit)
    collection, document_id = details.collection, str(visit.request.path_params["document_id"])
    found = await visit.service(DocumentService).get(visit.principal, collection.collection_id, document_id, True)
    document, faces = found.document, Faces.of(visit)
    face = faces.document(document)
    lineage = await visit.service(LineageService).lineage(visit.principal, collection.collection_id, document_id)
    return placed(
        visit,
        "document.html",
        collection=collection,
        document=document,
        face=face,
        address=f"/data/collections/{collection.collection_id}/documents/{document_id}",
        others={name: value for name, value in document.fields.items() if face.text is None or value != face.text},
        where=where_of(document),
        files=faces.document_files(document),
        features=[_feature(collection, document_id, one, (found.vectors or {})) for one in collection.features],
        tree=await _tree(visit, lineage),
        box=(WIDTH, HEIGHT),
        longest=LONGEST,
    )


async def delete(visit: Visit) -> Response:
    visit, details = await collection_of(visit)
    collection_id, document_id = details.collection.collection_id, str(visit.request.path_params["document_id"])
    await visit.service(DocumentService).delete(visit.principal, collection_id, document_id)
    return visit.moved(f"/data/collections/{collection_id}")


def _feature(collection: Collection, document_id: str, spec: FeatureSpec, vectors: Mapping[str, Vector]) -> FeatureView:
    vector = vectors.get(spec.name)
    address = f"/playground?like={document_id}&in={collection.collection_id}&feature={spec.name}"
    is_asked = vector is not None and spec.kind is VectorKind.DENSE
    return FeatureView(
        spec, uri_of(collection, spec.name), sketch(vector) if vector else None, address if is_asked else None
    )


async def _tree(visit: Visit, lineage: DocumentLineage) -> Tree:
    """Of the object, or of the document's own family where nobody knows an object."""
    document = lineage.document
    root_id = document.lineage.root_object_id
    names = await names_of(visit)
    if root_id is None:
        family: list[Document] = [*lineage.ancestors, document, *lineage.derived]
        return grown("", None, family, names, document.document_id)
    family = await visit.service(LineageService).documents_of(visit.principal, root_id)
    return grown(root_id, lineage.root, family, names, document.document_id)
