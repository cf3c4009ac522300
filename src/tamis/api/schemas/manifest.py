"""Manifests on the wire: what comes of checking, comparing and applying one."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, Field

from tamis.model.fault import Fault
from tamis.services.manifests.generation import Generated
from tamis.services.manifests.lint import Remark, Severity
from tamis.services.manifests.manifests import Outcome
from tamis.services.manifests.plan import Action, Plan, Step
from tamis.services.manifests.reading import Written, said

MOST_DESCRIBED = 10_000
"""Characters."""
GENERATED = "generated-manifest"


class ManifestFault(BaseModel):
    """path: where it stands in the manifest, as `collections[0].source`."""

    line: int
    message: str
    path: str


class ValidateResult(BaseModel):
    """errors: the faults in words.  resources: how many there are by section."""

    errors: list[str] = Field(default_factory=list)
    faults: list[ManifestFault] = Field(default_factory=list)
    missing_secrets: list[str] = Field(default_factory=list)
    resources: dict[str, int] = Field(default_factory=dict)
    valid: bool
    warnings: list[str] = Field(default_factory=list)


class LintResult(BaseModel):
    """code: the rule's name, by which it is left out."""

    code: str
    fix_example: str | None = None
    line: int
    location: str
    message: str
    severity: Severity
    suggestion: str


class LintResponse(BaseModel):
    """valid: whether nothing is an error.  summary: how many there are of each severity."""

    results: list[LintResult] = Field(default_factory=list)
    summary: dict[str, int] = Field(default_factory=dict)
    valid: bool


class GenerateManifestRequest(BaseModel):
    description: str = Field(min_length=1, max_length=MOST_DESCRIBED)
    manifest_name: str = Field(GENERATED, min_length=1, max_length=255)


class GenerateManifestResponse(BaseModel):
    """valid: whether applying it would do what it says; else `faults` says what would not, at which line.

    results: what the linter says of it.  attempts: how often the model was asked.
    """

    attempts: int
    credits_used: float
    description: str
    errors: list[str] = Field(default_factory=list)
    faults: list[ManifestFault] = Field(default_factory=list)
    format: str = "yaml"
    manifest: str
    manifest_name: str
    model: str
    resources: dict[str, int] = Field(default_factory=dict)
    results: list[LintResult] = Field(default_factory=list)
    valid: bool


class DiffItem(BaseModel):
    action: str
    details: str | None = None
    name: str
    resource_type: str


class DiffResult(BaseModel):
    """differences: what would be changed.  in_system_only: what applying it would leave as it is."""

    differences: list[DiffItem] = Field(default_factory=list)
    in_system_only: list[DiffItem] = Field(default_factory=list)
    to_create: list[DiffItem] = Field(default_factory=list)


class ResourceResultStatus(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    REPLACED = "replaced"
    DELETED = "deleted"
    SKIPPED = "skipped"
    FAILED = "failed"


class ResourceResult(BaseModel):
    """details: what is changed.  error: why it would not be done."""

    details: str | None = None
    error: str | None = None
    name: str
    resource_id: str | None = None
    resource_type: str
    status: ResourceResultStatus


class ApplyResult(BaseModel):
    """What was done, or with `dry_run` would be, in this order. success: whether all of it is or can be."""

    created_count: int = 0
    deleted_count: int = 0
    dry_run: bool = False
    errors: list[str] = Field(default_factory=list)
    failed_count: int = 0
    resources: list[ResourceResult] = Field(default_factory=list)
    rollback_performed: bool = False
    skipped_count: int = 0
    success: bool
    updated_count: int = 0


_STATUS = {
    Action.KEEP: ResourceResultStatus.SKIPPED,
    Action.CREATE: ResourceResultStatus.CREATED,
    Action.UPDATE: ResourceResultStatus.UPDATED,
    Action.REPLACE: ResourceResultStatus.REPLACED,
    Action.DELETE: ResourceResultStatus.DELETED,
}


def show_validated(written: Written) -> ValidateResult:
    faults = sorted(written.faults, key=lambda one: int(one.kind))
    return ValidateResult(
        errors=[said(one) for one in faults],
        faults=[_fault(one) for one in faults],
        resources=_counted(written),
        valid=not faults,
    )


def show_generated(found: Generated, description: str, name: str) -> GenerateManifestResponse:
    faults = sorted(found.faults, key=lambda one: int(one.kind))
    return GenerateManifestResponse(
        attempts=found.attempts,
        credits_used=found.credits,
        description=description,
        errors=[said(one) for one in faults],
        faults=[_fault(one) for one in faults],
        manifest=found.text,
        manifest_name=name,
        model=found.model,
        resources=_counted(found.written) if found.written is not None else {},
        results=show_lint(found.remarks).results,
        valid=not faults,
    )


def _fault(one: Fault) -> ManifestFault:
    return ManifestFault(line=int(one.kind), message=one.problem, path=one.where)


def _counted(written: Written) -> dict[str, int]:
    return dict(Counter(entry.kind.section for entry in written.entries))


def show_lint(remarks: Sequence[Remark]) -> LintResponse:
    return LintResponse(
        results=[
            LintResult(
                code=one.rule,
                line=one.line,
                location=one.place,
                message=one.message,
                severity=one.severity,
                suggestion=one.suggestion,
            )
            for one in remarks
        ],
        summary=dict(Counter(one.severity.value for one in remarks)),
        valid=all(one.severity is not Severity.ERROR for one in remarks),
    )


def show_diff(plan: Plan) -> DiffResult:
    changed = [step for step in plan.steps if step.action in (Action.UPDATE, Action.REPLACE)]
    return DiffResult(
        differences=[_item(step) for step in changed],
        in_system_only=[
            DiffItem(action="leave", details=one.holds or None, name=one.name, resource_type=kind.label)
            for kind, one in plan.beside
        ],
        to_create=[_item(step) for step in plan.steps if step.action is Action.CREATE],
    )


def _item(step: Step) -> DiffItem:
    return DiffItem(action=step.action.value, details=_details(step), name=step.name, resource_type=step.kind.label)


def _details(step: Step) -> str | None:
    return ", ".join(sorted(step.fields)) or None


def show_applied(outcome: Outcome, dry_run: bool) -> ApplyResult:
    results = [_result(outcome, step) for step in outcome.plan.steps]
    counts = Counter(one.status for one in results)
    changed = counts[ResourceResultStatus.UPDATED] + counts[ResourceResultStatus.REPLACED]
    return ApplyResult(
        created_count=counts[ResourceResultStatus.CREATED],
        deleted_count=counts[ResourceResultStatus.DELETED],
        dry_run=dry_run,
        errors=[f"{step.kind.section}/{step.name}: {step.refused}" for step in outcome.refused],
        failed_count=counts[ResourceResultStatus.FAILED],
        resources=results,
        skipped_count=counts[ResourceResultStatus.SKIPPED],
        success=not outcome.refused,
        updated_count=changed,
    )


def _result(outcome: Outcome, step: Step) -> ResourceResult:
    known = step.stored.resource_id if step.stored is not None else None
    return ResourceResult(
        details=_details(step),
        error=step.refused or None,
        name=step.name,
        resource_id=outcome.ids.get(step.key, known),
        resource_type=step.kind.label,
        status=ResourceResultStatus.FAILED if step.refused else _STATUS[step.action],
    )
