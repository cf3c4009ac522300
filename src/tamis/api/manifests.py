"""A namespace as a text: export, validate, lint, diff, apply, and what a language model writes."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.datastructures import UploadFile

from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.api.metering import PRINCIPAL
from tamis.api.operations import operation_of
from tamis.api.schemas.manifest import (
    GENERATED,
    MOST_DESCRIBED,
    ApplyResult,
    DiffResult,
    GenerateManifestRequest,
    GenerateManifestResponse,
    LintResponse,
    ValidateResult,
    show_applied,
    show_diff,
    show_generated,
    show_lint,
    show_validated,
)
from tamis.auth.gate import Gate
from tamis.errors import BadRequestError, ValidationError
from tamis.model.principal import Permission, Principal
from tamis.services.manifests.generation import ManifestGeneration
from tamis.services.manifests.lint import lint
from tamis.services.manifests.manifests import ManifestService, as_text

router = APIRouter(prefix="/v1/manifest", tags=["manifests"], route_class=JsonRoute)

YAML = "application/yaml"
_FILE = {"type": "object", "required": ["manifest_file"], "properties": {"manifest_file": {"type": "string", "format": "binary"}}}  # fmt: skip  # noqa: E501
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FILE}, YAML: {"schema": {"type": "string"}}},
    }
}
_GIVES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "object"}} for kind in (YAML, "application/json")}}
}


class ManifestFormat(StrEnum):
    YAML = "yaml"
    JSON = "json"


class _Yaml(Response):
    media_type = YAML


def _asked(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """In a namespace where the request's header says so; else the manifest says in which."""

    async def check(
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        x_namespace: Annotated[str | None, Header()] = None,
    ) -> Principal:
        gate: Gate = request.app.state.services[Gate]
        operation = operation_of(request.method, request.scope["route"].path_format, permission)
        if x_namespace:
            principal = await gate.enter(authorization, x_namespace, permission, operation)
        else:
            principal = await gate.identify(authorization, permission, operation)
        request.scope[PRINCIPAL] = principal
        return principal

    return check


async def _sent(request: Request) -> bytes:
    """The manifest, in a form's field or as the body itself. Raises: BadRequestError, ValidationError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in (YAML, "application/x-yaml", "text/yaml"):
        return await request.body()
    if kind != "multipart/form-data":
        raise BadRequestError(f"send the manifest as {YAML}, or in the field manifest_file of multipart/form-data")
    async with request.form(max_files=1, max_fields=1) as form:
        found = form.get("manifest_file")
        if found is None:
            raise ValidationError.at(["body", "manifest_file"], "the manifest, as a file")
        return await found.read() if isinstance(found, UploadFile) else found.encode()


_ReadsIt = Annotated[Principal, Depends(_asked(Permission.READ))]
_WritesIt = Annotated[Principal, Depends(_asked(Permission.WRITE))]
Manifests = Annotated[ManifestService, Depends(service(ManifestService))]
Sent = Annotated[bytes, Depends(_sent)]
ManifestName = Annotated[str, Query(min_length=1, max_length=255)]


@router.get("/export", response_class=_Yaml, responses=_GIVES)
async def export_manifest(
    principal: _ReadsIt,
    manifests: Manifests,
    namespace_id: Annotated[str | None, Query(min_length=1, max_length=255)] = None,
    format: ManifestFormat = ManifestFormat.YAML,
    manifest_name: ManifestName = "exported-manifest",
) -> Response:
    """All that a namespace is made of, by name, as one text. Objects, documents and secrets are never in it."""
    if principal.namespace_id and namespace_id is not None:
        named = namespace_id
        raise BadRequestError(f"name the namespace by the header X-Namespace or by namespace_id={named}, not by both")
    manifest = await manifests.export(principal, namespace_id, manifest_name)
    if format is ManifestFormat.JSON:
        return Response(orjson.dumps(manifest, option=orjson.OPT_INDENT_2), media_type="application/json")
    return _Yaml(as_text(manifest))


@router.post("/export", include_in_schema=False)
async def export_manifest_as_later_tools_do(
    principal: _ReadsIt,
    manifests: Manifests,
    body: list[str] | None = None,
    manifest_name: ManifestName = "exported-manifest",
) -> Response:
    """As the GET, the namespace in the body: a list of one."""
    if body is not None and len(body) != 1:
        raise ValidationError.at(["body"], "a manifest is of one namespace: name one, and export others by themselves")
    return await export_manifest(principal, manifests, body[0] if body else None, ManifestFormat.YAML, manifest_name)


@router.post("/validate", openapi_extra=_TAKES)
async def validate_manifest(principal: _WritesIt, sent: Sent, manifests: Manifests) -> ValidateResult:
    """Every fault with its line: those of form first, and where there is none, those of trying it, which is undone."""
    return show_validated(await manifests.validate(principal, sent))


@router.post("/lint", openapi_extra=_TAKES)
async def lint_manifest(
    principal: _ReadsIt,
    sent: Sent,
    manifests: Manifests,
    skip_rules: Annotated[list[str] | None, Query(max_length=100)] = None,
) -> LintResponse:
    """What is allowed and rarely meant."""
    written = await manifests.read(sent)
    written.refuse()
    return show_lint(lint(written, skip_rules or ()))


@router.post("/diff", openapi_extra=_TAKES)
async def diff_manifest(principal: _ReadsIt, sent: Sent, manifests: Manifests) -> DiffResult:
    """What applying it would do, and what is there beside it. What it does not say of a resource is no difference."""
    return show_diff(await manifests.diff(principal, sent))


@router.post("/apply", status_code=201, openapi_extra=_TAKES)
async def apply_manifest(
    principal: _WritesIt,
    sent: Sent,
    manifests: Manifests,
    dry_run: bool = False,
    lose: Annotated[list[str] | None, Query(max_length=500)] = None,
) -> ApplyResult:
    """Make what is there as the manifest says, all of it or nothing; a second time changes nothing.

    lose: what may be deleted, or deleted and made anew, as `collections/notes`.
    """
    outcome = await manifests.apply(principal, sent, frozenset(lose or ()), dry_run)
    return show_applied(outcome, dry_run)


@router.post("/generate")
async def generate_manifest(
    principal: _WritesIt,
    generation: Annotated[ManifestGeneration, Depends(service(ManifestGeneration))],
    body: GenerateManifestRequest | None = None,
    description: Annotated[str | None, Query(min_length=1, max_length=MOST_DESCRIBED)] = None,
    manifest_name: Annotated[str | None, Query(min_length=1, max_length=255)] = None,
) -> GenerateManifestResponse:
    """A language model writes down what is described; it is tried and linted, and nothing of it is made.

    In the body, or as the later contract has it in the query.
    """
    described = body.description if body is not None else description
    if described is None:
        raise ValidationError.at(["body", "description"], "what the namespace is for, and what comes into it, in words")
    name = manifest_name or (body.manifest_name if body is not None else GENERATED)
    return show_generated(await generation.generate(principal, described, name), described, name)
