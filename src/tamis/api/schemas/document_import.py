"""What an import of documents answers."""

from pydantic import BaseModel, Field

from tamis.services.data.document_imports import Imported


class DocumentImportError(BaseModel):
    """line: of the request's body, from 1."""

    line: int
    document_id: str | None = None
    message: str


class DocumentImportResponse(BaseModel):
    """`lines` that were read are `created`, `replaced`, `skipped` or `failed`. `errors`: the first thousand."""

    collection_id: str
    lines: int
    created: int
    replaced: int
    skipped: int
    failed: int
    errors: list[DocumentImportError] = Field(default_factory=list)


def import_response(done: Imported) -> DocumentImportResponse:
    return DocumentImportResponse(
        collection_id=done.collection_id,
        lines=done.lines,
        created=done.created,
        replaced=done.replaced,
        skipped=done.skipped,
        failed=done.failed,
        errors=[
            DocumentImportError(line=error.number, document_id=error.document_id, message=error.message)
            for error in done.errors
        ],
    )
