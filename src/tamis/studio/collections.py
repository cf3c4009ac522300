"""A collection: made from a source by an extractor, asked, and looked through."""

from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError, ConflictError, TamisError
from tamis.model.batch import Batch
from tamis.services.data.batches import BatchService
from tamis.services.data.buckets import BucketService
from tamis.services.data.collection_runs import CollectionRunService
from tamis.services.data.collections import CollectionDetails, CollectionService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.studio.asking import Question, askable, asked_by_example, asked_in_words, uri_of
from tamis.studio.collection_forms import extractor_forms, form_of, read_draft, sources_of
from tamis.studio.document_lists import listed
from tamis.studio.lineage import names_of
from tamis.studio.places import placed
from tamis.studio.visit import Visit

_BATCHES = 20


async def new(visit: Visit) -> Response:
    """The form; what of it follows from source and extractor is asked for by itself."""
    choices, source = await sources_of(visit, visit.asked("source") or visit.asked("bucket"))
    if source is None:
        return visit.page("no_sources.html")
    every = visit.service(CollectionService).extractors()
    # An extractor that was chosen for another source is not taken over where it takes nothing of this one.
    extractors, chosen = extractor_forms(every, source, visit.asked("extractor"))
    if visit.asked("extractor") and visit.asked("of") not in ("", source.value):
        extractors, chosen = extractor_forms(every, source, "")
    form = form_of(chosen, source)
    values: dict[str, Any] = {"source": source, "extractors": extractors, "form": form}
    if visit.is_partial:
        return visit.page("_extractor_form.html", **values)
    return visit.page("new_collection.html", choices=choices, **values)


async def create(visit: Visit) -> Response:
    """Raises: BadRequestError, ValidationError naming the field, AlreadyExistsError."""
    _, source = await sources_of(visit, visit.field("source"))
    if source is None:
        raise BadRequestError("source: a bucket or a collection", field="source")
    service = visit.service(CollectionService)
    _, extractor = extractor_forms(service.extractors(), source, visit.field("extractor"))
    with visit.making("collections"):
        made = await service.create(visit.principal, read_draft(visit, source, extractor))
    collection_id = made.collection.collection_id
    if visit.field("extract") == "yes":
        try:
            return await _extracted(visit, collection_id)
        except ConflictError:  # There is nothing in the source yet.
            pass
    return visit.moved(f"/data/collections/{collection_id}")


async def show(visit: Visit) -> Response:
    visit, details = await collection_of(visit)
    values = await listed(visit, details)
    if visit.asked("part") == "documents" or visit.is_partial:
        return visit.page("_documents.html", details=details, collection=details.collection, **values)
    collection = details.collection
    return placed(
        visit,
        "collection.html",
        details=details,
        collection=collection,
        asking=askable(collection),
        features=[(one, uri_of(collection, one.name)) for one in collection.features],
        running=await _running(visit, details),
        names={**await names_of(visit), **await _bucket_names(visit, details)},
        **values,
    )


async def search(visit: Visit) -> Response:
    """Run the question and go to its execution, also where that failed. Raises: BadRequestError."""
    visit, details = await collection_of(visit)
    example, text = visit.field("example"), visit.field("query")
    collection = details.collection
    question = asked_by_example(collection, example) if example else asked_in_words(collection, text)
    return visit.moved(f"/executions/{await _run(visit, question)}")


async def extract(visit: Visit) -> Response:
    """Everything that the sources hold, once more. Raises: ConflictError where that is nothing."""
    visit, details = await collection_of(visit)
    return await _extracted(visit, details.collection.collection_id)


async def delete(visit: Visit) -> Response:
    """Raises: ConflictError where it feeds another."""
    visit, details = await collection_of(visit)
    await visit.service(CollectionService).delete(visit.principal, details.collection.collection_id)
    return visit.moved("/data")


async def collection_of(visit: Visit) -> tuple[Visit, CollectionDetails]:
    """The collection that the address names. Raises: NotFoundError."""
    identifier = str(visit.request.path_params["collection_id"])
    return await visit.found(
        "collection", lambda inside: inside.service(CollectionService).get(inside.principal, identifier)
    )


async def _run(visit: Visit, question: Question) -> str:
    definition = question.definition
    options = RunOptions(inputs=question.inputs, collections=definition.collection_ids)
    try:
        executed = await visit.service(ExecutionService).execute_anonymous(
            visit.principal, definition.stages, definition.input_schema, options
        )
    except TamisError as error:
        execution_id = error.details.get("execution_id")
        if not isinstance(execution_id, str):
            raise
        return execution_id
    return executed.execution_id


async def _extracted(visit: Visit, collection_id: str) -> Response:
    triggered = await visit.service(CollectionRunService).trigger(visit.principal, collection_id)
    return visit.moved(f"/data/buckets/{triggered.batch.bucket_id}/batches/{triggered.batch.batch_id}")


async def _bucket_names(visit: Visit, details: CollectionDetails) -> dict[str, str]:
    buckets = visit.service(BucketService)
    # A bucket may have been deleted since; its collection stays.
    there = [one for one in details.collection.source.bucket_ids if one in details.bucket_schemas]
    return {one: (await buckets.get(visit.principal, one)).bucket.name for one in there}


async def _running(visit: Visit, details: CollectionDetails) -> list[Batch]:
    """Batches that go into this collection now."""
    found = []
    for bucket_id in details.bucket_schemas:
        page = await visit.service(BatchService).list(visit.principal, bucket_id, None, _BATCHES, 0)
        found += [one.batch for one in page.items]
    wanted = details.collection.collection_id
    return [one for one in found if wanted in one.collection_ids and not one.status.is_final]
