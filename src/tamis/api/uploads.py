"""Uploads: announce a file, send it to its presigned URL, confirm it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.paging import ListRequest, Paging, pagination
from tamis.api.schemas.batch import task_model
from tamis.api.schemas.task import TaskStatusEnum
from tamis.api.schemas.upload import (
    BatchConfirmRequest,
    BatchConfirmResponse,
    BatchUploadRequest,
    BatchUploadResponse,
    ConfirmUploadRequest,
    ConfirmUploadResponse,
    CreateUploadRequest,
    ListUploadsResponse,
    UploadResponse,
    announced_response,
    batch_drafts,
    confirmation_of,
    confirmed_response,
    upload_draft,
    upload_response,
    upload_stats,
)
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Upload
from tamis.model.principal import Permission, Principal
from tamis.services.data.upload_links import PATH as DIRECT_PREFIX
from tamis.services.data.uploads import Announced, Confirmation, UploadService

router = APIRouter(tags=["uploads"], route_class=JsonRoute)
_IN_BUCKET = "/v1/buckets/{bucket_identifier}/uploads"
_DEFAULT_LIMIT = 20

Uploads = Annotated[UploadService, Depends(service(UploadService))]


class ListUploadsRequest(ListRequest):
    return_presigned_urls: bool = False


@router.put(DIRECT_PREFIX + "{token}", include_in_schema=False)
async def receive_file(token: str, request: Request, uploads: Uploads) -> Response:
    """Take the file that the link was made for; the link is the permission."""
    upload = await uploads.receive(token, request.headers.get("content-type"), request.stream())
    return Response(status_code=200, headers={"ETag": f'"{upload.etag}"'})


@router.post(_IN_BUCKET)
async def create_upload(
    principal: Writer, request: Request, bucket_identifier: str, body: CreateUploadRequest, uploads: Uploads
) -> UploadResponse:
    """Announce a file; the answer carries the URL to PUT it to."""
    announced = await uploads.create(principal, bucket_identifier, upload_draft(body, "body"))
    return announced_response(announced, _url(uploads, principal, request, announced))


@router.post(f"{_IN_BUCKET}/batch")
async def create_uploads(
    principal: Writer, request: Request, bucket_identifier: str, body: BatchUploadRequest, uploads: Uploads
) -> BatchUploadResponse:
    """Announce up to a hundred files: all, or none where one is refused."""
    made = await uploads.create_many(principal, bucket_identifier, batch_drafts(body))
    rows = [announced_response(one, _url(uploads, principal, request, one)) for one in made]
    return BatchUploadResponse(total=len(rows), uploads=rows)


@router.post(f"{_IN_BUCKET}/confirm/batch")
async def confirm_uploads(
    principal: Writer, bucket_identifier: str, body: BatchConfirmRequest, uploads: Uploads
) -> BatchConfirmResponse:
    """Confirm up to a hundred uploads; the task says how each went, and has ended when this answers."""
    wanted = [confirmation_of(raw, "body", "confirmations", place) for place, raw in enumerate(body.confirmations)]
    task = await uploads.confirm_many(principal, bucket_identifier, wanted)
    return BatchConfirmResponse(
        confirmations_count=len(wanted),
        message="All confirmations are done; the task has the outcome of each.",
        status=TaskStatusEnum(task.status),
        task=task_model(task),
        task_id=task.task_id,
    )


@router.post(f"{_IN_BUCKET}/list")
async def list_uploads(
    principal: Reader,
    request: Request,
    bucket_identifier: str,
    uploads: Uploads,
    paging: Paging,
    body: ListUploadsRequest | None = None,
) -> ListUploadsResponse:
    """The bucket's uploads, newest first where no order is asked for."""
    query = paging.query(body, _DEFAULT_LIMIT)
    page = await uploads.list(principal, bucket_identifier, query)
    with_urls = body is not None and body.return_presigned_urls
    return ListUploadsResponse(
        pagination=pagination(page, request, query),
        results=[
            upload_response(each, _url(uploads, principal, request, Announced(each)) if with_urls else None)
            for each in page.items
        ],
        stats=upload_stats(page.items),
    )


@router.post(f"{_IN_BUCKET}/{{upload_id}}/confirm")
async def confirm_upload(
    principal: Writer,
    bucket_identifier: str,
    upload_id: str,
    uploads: Uploads,
    body: ConfirmUploadRequest | None = None,
    with_task: Annotated[bool, Query(alias="async")] = False,
) -> ConfirmUploadResponse:
    """Accept the file that arrived and make its object. `async` also leaves a task, ended when this answers."""
    sent = body or ConfirmUploadRequest()
    confirmation = Confirmation(upload_id, sent.etag, sent.file_size_bytes)
    upload = await uploads.confirm(principal, bucket_identifier, confirmation)
    return confirmed_response(await uploads.report(principal, upload) if with_task else upload)


@router.get(f"{_IN_BUCKET}/{{upload_id}}")
async def get_upload(
    principal: Reader, request: Request, bucket_identifier: str, upload_id: str, uploads: Uploads
) -> UploadResponse:
    """An upload; its URL is there while a file can still be sent."""
    upload = await uploads.get(principal, bucket_identifier, upload_id)
    return upload_response(upload, _url(uploads, principal, request, Announced(upload)))


@router.delete(f"{_IN_BUCKET}/{{upload_id}}", status_code=204)
async def delete_upload(
    principal: Deleter,
    bucket_identifier: str,
    upload_id: str,
    uploads: Uploads,
    delete_s3_object: Annotated[bool, Query()] = True,
) -> Response:
    """Forget an upload. Its file goes too, unless it is to be kept or an object stands on it."""
    await uploads.delete(principal, bucket_identifier, upload_id, delete_s3_object)
    return Response(status_code=204)


def _url(uploads: UploadService, principal: Principal, request: Request, announced: Announced) -> str | None:
    """A link where there is still a file to send, and the caller may send it."""
    if announced.is_duplicate or not _is_open(announced.upload) or not principal.may(Permission.WRITE):
        return None
    return uploads.links.url(principal, announced.upload, str(request.base_url))


def _is_open(upload: Upload) -> bool:
    return upload.status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
