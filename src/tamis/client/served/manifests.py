# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `manifests`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_manifests import (
        ApplyResult,
        DiffResult,
        GenerateManifestRequest,
        GenerateManifestResponse,
        LintResponse,
        ManifestFormat,
        ValidateResult,
    )


class Manifests(Noun):
    def apply(
        self,
        manifest: str,
        *,
        dry_run: bool | None = None,
        lose: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> ApplyResult:
        """Make what is there as the manifest says, all of it or nothing; a second time changes nothing."""
        return self._ask(
            Call(
                "POST",
                "/manifest/apply",
                query={"dry_run": dry_run, "lose": lose},
                content=manifest.encode(),
                content_type="application/yaml",
                key=idempotency_key or "",
            )
        )

    def diff(self, manifest: str) -> DiffResult:
        """What applying it would do, and what is there beside it. What it does not say of a resource is no
        difference.
        """
        return self._ask(
            Call("POST", "/manifest/diff", content=manifest.encode(), content_type="application/yaml", is_reading=True)
        )

    def export(
        self, *, namespace_id: str | None = None, format: ManifestFormat | None = None, manifest_name: str | None = None
    ) -> str | dict[str, Any]:
        """All that a namespace is made of, by name, as one text. Objects, documents and secrets are never in it."""
        return self._ask(
            Call(
                "GET",
                "/manifest/export",
                query={"namespace_id": namespace_id, "format": format, "manifest_name": manifest_name},
            )
        )

    def generate(
        self, *, idempotency_key: str | None = None, **body: Unpack[GenerateManifestRequest]
    ) -> GenerateManifestResponse:
        """A language model writes down what is described; it is tried and linted, and nothing of it is made."""
        return self._ask(Call("POST", "/manifest/generate", body=body, key=idempotency_key or ""))

    def lint(self, manifest: str, *, skip_rules: Sequence[str] | None = None) -> LintResponse:
        """What is allowed and rarely meant."""
        return self._ask(
            Call(
                "POST",
                "/manifest/lint",
                query={"skip_rules": skip_rules},
                content=manifest.encode(),
                content_type="application/yaml",
                is_reading=True,
            )
        )

    def validate(self, manifest: str) -> ValidateResult:
        """Every fault with its line: those of form first, and where there is none, those of trying it, which is
        undone.
        """
        return self._ask(
            Call(
                "POST",
                "/manifest/validate",
                content=manifest.encode(),
                content_type="application/yaml",
                is_reading=True,
            )
        )


class AsyncManifests(AsyncNoun):
    async def apply(
        self,
        manifest: str,
        *,
        dry_run: bool | None = None,
        lose: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> ApplyResult:
        """Make what is there as the manifest says, all of it or nothing; a second time changes nothing."""
        return await self._ask(
            Call(
                "POST",
                "/manifest/apply",
                query={"dry_run": dry_run, "lose": lose},
                content=manifest.encode(),
                content_type="application/yaml",
                key=idempotency_key or "",
            )
        )

    async def diff(self, manifest: str) -> DiffResult:
        """What applying it would do, and what is there beside it. What it does not say of a resource is no
        difference.
        """
        return await self._ask(
            Call("POST", "/manifest/diff", content=manifest.encode(), content_type="application/yaml", is_reading=True)
        )

    async def export(
        self, *, namespace_id: str | None = None, format: ManifestFormat | None = None, manifest_name: str | None = None
    ) -> str | dict[str, Any]:
        """All that a namespace is made of, by name, as one text. Objects, documents and secrets are never in it."""
        return await self._ask(
            Call(
                "GET",
                "/manifest/export",
                query={"namespace_id": namespace_id, "format": format, "manifest_name": manifest_name},
            )
        )

    async def generate(
        self, *, idempotency_key: str | None = None, **body: Unpack[GenerateManifestRequest]
    ) -> GenerateManifestResponse:
        """A language model writes down what is described; it is tried and linted, and nothing of it is made."""
        return await self._ask(Call("POST", "/manifest/generate", body=body, key=idempotency_key or ""))

    async def lint(self, manifest: str, *, skip_rules: Sequence[str] | None = None) -> LintResponse:
        """What is allowed and rarely meant."""
        return await self._ask(
            Call(
                "POST",
                "/manifest/lint",
                query={"skip_rules": skip_rules},
                content=manifest.encode(),
                content_type="application/yaml",
                is_reading=True,
            )
        )

    async def validate(self, manifest: str) -> ValidateResult:
        """Every fault with its line: those of form first, and where there is none, those of trying it, which is
        undone.
        """
        return await self._ask(
            Call(
                "POST",
                "/manifest/validate",
                content=manifest.encode(),
                content_type="application/yaml",
                is_reading=True,
            )
        )
