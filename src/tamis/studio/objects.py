"""An object: its files and fields, and what became of it."""

from starlette.responses import Response

from tamis.model.bucket import BucketObject
from tamis.services.data.batches import BatchService
from tamis.services.data.lineage import LineageService
from tamis.services.data.objects import ObjectService
from tamis.studio.buckets import bucket_of
from tamis.studio.faces import Faces
from tamis.studio.lineage import grown, names_of
from tamis.studio.places import LONGEST, placed
from tamis.studio.visit import Visit


async def show(visit: Visit) -> Response:
    visit, details = await bucket_of(visit)
    found = await _object(visit, details.bucket.bucket_id)
    faces = Faces.of(visit)
    documents = await visit.service(LineageService).documents_of(visit.principal, found.object_id)
    return placed(
        visit,
        "object.html",
        bucket=details.bucket,
        object=found,
        face=faces.object(found),
        files=faces.object_files(found),
        texts=[blob for blob in found.blobs if blob.url is None],
        tree=grown(found.object_id, found, documents, await names_of(visit), None),
        longest=LONGEST,
    )


async def extract(visit: Visit) -> Response:
    """A batch of this object alone. Raises: NotFoundError, ConflictError where no collection takes it."""
    visit, details = await bucket_of(visit)
    found = await _object(visit, details.bucket.bucket_id)
    batches = visit.service(BatchService)
    made = await batches.create(visit.principal, details.bucket.bucket_id, [found.object_id])
    await batches.submit(visit.principal, details.bucket.bucket_id, made.batch.batch_id)
    return visit.moved(f"/data/buckets/{details.bucket.bucket_id}/batches/{made.batch.batch_id}")


async def delete(visit: Visit) -> Response:
    visit, details = await bucket_of(visit)
    found = await _object(visit, details.bucket.bucket_id)
    await visit.service(ObjectService).delete(visit.principal, details.bucket.bucket_id, found.object_id)
    return visit.moved(f"/data/buckets/{details.bucket.bucket_id}")


async def _object(visit: Visit, bucket_id: str) -> BucketObject:
    object_id = str(visit.request.path_params["object_id"])
    return await visit.service(ObjectService).get(visit.principal, bucket_id, object_id)
