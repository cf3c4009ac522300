# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `manifests` sends and gets."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict


class ApplyResult(TypedDict):
    created_count: NotRequired[int]
    deleted_count: NotRequired[int]
    dry_run: NotRequired[bool]
    errors: NotRequired[list[str]]
    failed_count: NotRequired[int]
    resources: NotRequired[list[ResourceResult]]
    rollback_performed: NotRequired[bool]
    skipped_count: NotRequired[int]
    success: bool
    updated_count: NotRequired[int]


class DiffItem(TypedDict):
    action: str
    details: NotRequired[str | None]
    name: str
    resource_type: str


class DiffResult(TypedDict):
    differences: NotRequired[list[DiffItem]]
    in_system_only: NotRequired[list[DiffItem]]
    to_create: NotRequired[list[DiffItem]]


class GenerateManifestRequest(TypedDict):
    description: str
    manifest_name: NotRequired[str]


class GenerateManifestResponse(TypedDict):
    attempts: int
    credits_used: float
    description: str
    errors: NotRequired[list[str]]
    faults: NotRequired[list[ManifestFault]]
    format: NotRequired[str]
    manifest: str
    manifest_name: str
    model: str
    resources: NotRequired[dict[str, int]]
    results: NotRequired[list[LintResult]]
    valid: bool


class LintResponse(TypedDict):
    results: NotRequired[list[LintResult]]
    summary: NotRequired[dict[str, int]]
    valid: bool


class LintResult(TypedDict):
    code: str
    fix_example: NotRequired[str | None]
    line: int
    location: str
    message: str
    severity: Severity
    suggestion: str


class ManifestFault(TypedDict):
    line: int
    message: str
    path: str


ManifestFormat: TypeAlias = Literal["yaml", "json"]


class ResourceResult(TypedDict):
    details: NotRequired[str | None]
    error: NotRequired[str | None]
    name: str
    resource_id: NotRequired[str | None]
    resource_type: str
    status: ResourceResultStatus


ResourceResultStatus: TypeAlias = Literal["created", "updated", "replaced", "deleted", "skipped", "failed"]

Severity: TypeAlias = Literal["error", "warning", "info"]


class ValidateResult(TypedDict):
    errors: NotRequired[list[str]]
    faults: NotRequired[list[ManifestFault]]
    missing_secrets: NotRequired[list[str]]
    resources: NotRequired[dict[str, int]]
    valid: bool
    warnings: NotRequired[list[str]]
