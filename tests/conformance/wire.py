"""What really crosses the wire while the published client talks, held against the contract."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.conformance.shape import Schema, operations

_BASE = "urn:contract"


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_formats: Any = FormatChecker(formats=())
_formats.checks("date-time", raises=ValueError)(_is_date_time)


@dataclass(frozen=True, slots=True)
class Answer:
    method: str
    path: str
    status: int
    body: Any


@dataclass
class Contract:
    """Validates answers by an OpenAPI document's response schemas."""

    document: Schema

    @cached_property
    def _registry(self) -> Any:
        registry: Registry[Any] = Registry()
        return registry.with_resource(_BASE, DRAFT202012.create_resource(self.document))

    @cached_property
    def _paths(self) -> list[tuple[str, re.Pattern[str], str]]:
        """Literal paths first, as a router must."""
        found = [(method, path) for method, path, _ in operations(self.document)]
        found.sort(key=lambda one: (one[1].count("{"), one[1]))
        return [
            (method, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "/?$"), path) for method, path in found
        ]

    def template(self, answer: Answer) -> str | None:
        """The path template that this answer belongs to."""
        for method, pattern, path in self._paths:
            if method == answer.method and pattern.match(answer.path):
                return path
        return None

    def faults(self, answer: Answer) -> list[str]:
        """What in the answer is not as the document says; empty where the operation is not in it."""
        path = self.template(answer)
        if path is None:
            return []
        responses = self.document["paths"][path][answer.method.lower()]["responses"]
        if str(answer.status) not in responses:
            # Conflicts, limits and what is not built carry the envelope too.
            return (
                self._check(answer, "/components/schemas/ErrorResponse")
                if answer.status >= 400
                else [f"{answer.method} {path}: {answer.status} is not in the contract"]
            )
        if "content" not in responses[str(answer.status)]:
            return []
        steps = ("paths", path, answer.method.lower(), "responses", str(answer.status), "content")
        pointer = "/".join(
            step.replace("~", "~0").replace("/", "~1") for step in (*steps, "application/json", "schema")
        )
        return self._check(answer, f"/{pointer}")

    def _check(self, answer: Answer, pointer: str) -> list[str]:
        schema = {"$ref": f"{_BASE}#{pointer}"}
        validator = Draft202012Validator(schema, registry=self._registry, format_checker=_formats)
        return [
            f"{answer.method} {answer.path} {answer.status} at {error.json_path}: {error.message[:300]}"
            for error in validator.iter_errors(answer.body)
        ]


@dataclass
class Wire:
    """Every JSON answer that a urllib3 client got while it was tapped."""

    answers: list[Answer] = field(default_factory=list)

    def take(self, method: str, url: str, response: urllib3.BaseHTTPResponse) -> None:
        if "json" in (response.headers.get("Content-Type") or ""):
            self.answers.append(Answer(method, urlsplit(url).path, response.status, json.loads(response.data)))

    def last(self) -> Any:
        return self.answers[-1].body

    @contextmanager
    def tapped(self, patch: pytest.MonkeyPatch) -> Iterator["Wire"]:
        """urllib3 does what it does; its answers are read on the way. They stay readable for the client."""
        real = urllib3.PoolManager.urlopen

        def urlopen(pool: Any, method: str, url: str, *args: Any, **options: Any) -> urllib3.BaseHTTPResponse:
            response = real(pool, method, url, *args, **options)
            self.take(method, url, response)
            return response

        patch.setattr(urllib3.PoolManager, "urlopen", urlopen)
        yield self
