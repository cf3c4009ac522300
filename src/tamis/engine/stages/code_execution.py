"""A program of the pipeline's own, run on each document."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pydantic
from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.needs import Need
from tamis.engine.outputs import put
from tamis.engine.outreach.reaching import OnFailure
from tamis.engine.parameters import StageParameters
from tamis.engine.planning.programs import refuse
from tamis.engine.ports.code import Language, Program, Ran
from tamis.engine.ports.secrets import REFERENCE
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.errors import CodeError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

BUILT_IN = frozenset(
    {
        "base64", "bisect", "collections", "copy", "csv", "dataclasses", "datetime", "decimal", "functools", "hashlib",
        "itertools", "json", "math", "random", "re", "typing", "unicodedata",
    }
)  # fmt: skip
_LANGUAGE = re.compile(r"(python|javascript)[\d.]*")
_SPELLINGS = {"py": "python", "js": "javascript", "ecmascript": "javascript"}
_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_RESERVED = ("doc", "transform", "INPUT", "CONTEXT", "env")
_OWN = ("document_id", "collection_id")
_MOST_WARNINGS = 5
_MOST_PRINTED = 2000


class CodeExecutionParameters(StageParameters):
    verbatim: ClassVar[frozenset[str]] = frozenset({"code"})

    code: str = Field(
        min_length=1,
        max_length=100_000,
        description="Defines transform(doc), which returns the document to keep, changed or not, or null to leave it "
        "out; or sets result_variable. Beside doc it finds INPUT, CONTEXT and env. Never a template.",
    )
    language: Language = Field(
        "python", validation_alias=AliasChoices("language", "runtime"), description="The code's: python or javascript."
    )
    result_variable: str = Field(
        "result", pattern=_NAME, max_length=64, description="Whose value is written, where there is no transform."
    )
    output_field: str = Field(
        "computed", min_length=1, description="Path that the value of result_variable is written to."
    )
    timeout_ms: int = Field(
        5000, ge=100, le=30_000, validation_alias=AliasChoices("timeout_ms", "timeout"),
        description="For one document.",
    )  # fmt: skip
    memory_mb: int = Field(
        128, ge=8, le=256, validation_alias=AliasChoices("memory_mb", "memory"), description="For one document."
    )
    max_output_size: int = Field(100_000, ge=1024, le=1_000_000, description="Bytes of one document's answer, as JSON.")
    env: dict[str, str] = Field(
        default_factory=dict, description="What the code finds as env. The server's own environment is never there."
    )
    packages: list[str] = Field(default_factory=list, description="Nothing is installed: only modules that are there.")
    debug: bool = Field(False, description="Say what the code printed for the first documents (Python).")
    on_error: OnFailure = Field("skip", description="A document that fails: keep it as it is, remove it, or fail.")

    @field_validator("language", mode="before")
    @classmethod
    def _as_languages_are_called(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        name = _SPELLINGS.get(value.lower(), value.lower())
        found = _LANGUAGE.fullmatch(name)
        return found[1] if found else value

    @field_validator("result_variable")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in _RESERVED:
            raise ValueError(f"a name of its own, not one of {', '.join(_RESERVED)}")
        return value

    @field_validator("packages")
    @classmethod
    def _are_there(cls, value: list[str]) -> list[str]:
        missing = sorted(set(value) - BUILT_IN)
        if missing:
            raise ValueError(f"nothing is installed for a program; there are {', '.join(sorted(BUILT_IN))}")
        return value

    @field_validator("env")
    @classmethod
    def _names_no_secret(cls, value: dict[str, str]) -> dict[str, str]:
        if any(REFERENCE.search(text) or "SECRET." in text.upper() for text in value.values()):
            raise ValueError("secrets are given to the hosts that they are bound to, never to a program")
        return value


class CodeExecution:
    """Each document in an interpreter of its own, without files, network, environment, clock or chance."""

    id: ClassVar[str] = "code_execution"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "code"
    description: ClassVar[str] = (
        "Run a program, in Python or JavaScript, on each document: to change it, to leave it out, or to work out one "
        "field. It reaches nothing, and is ended at its limits of time, memory and output."
    )
    Parameters: ClassVar[type[BaseModel]] = CodeExecutionParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    needs: ClassVar[frozenset[Need]] = frozenset({Need.PROGRAMS})
    example: ClassVar[dict[str, Any]] = {
        "code": "def transform(doc):\n    doc['words'] = len(doc.get('text', '').split())\n    return doc"
    }

    def __init__(self, parameters: CodeExecutionParameters) -> None:
        self._parameters = parameters

    @classmethod
    def program_of(cls, parameters: Mapping[str, Any]) -> Program | None:
        named = {name: value for name, value in parameters.items() if name in ("code", "language", "runtime")}
        try:
            written = CodeExecutionParameters.model_validate(named)
        except pydantic.ValidationError:
            return None
        return Program(written.language, written.code)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        """Raises: ValidationError where the code is no program, CodeError where `on_error` is `raise`."""
        if not hits:
            return Outcome(hits)
        ran = await context.reach.code.run(context.principal, self._program(context), [hit.view() for hit in hits])
        for one in ran:
            refuse(one, [])
        kept: list[Hit] = []
        dropped: dict[str, JSON] = {}
        failed: list[str] = []
        for hit, one in zip(hits, ran, strict=True):
            try:
                made = self._made(hit, one)
            except CodeError as error:
                if self._parameters.on_error == "raise":
                    raise CodeError(f"document {hit.id!r}: {error.message}") from None
                failed.append(f"{hit.id}: {error.message}")
                made = hit if self._parameters.on_error == "skip" else None
            if made is None:
                dropped[hit.id] = (
                    f"the program failed on it: {one.error}" if one.fault else "the program gave back null"
                )
            else:
                kept.append(made)
        return Outcome(Hits.of(kept), metadata=self._facts(dropped, len(failed), ran), warnings=_warnings(failed))

    def _program(self, context: Context) -> Program:
        given = self._parameters
        about: dict[str, JSON] = {
            "namespace_id": context.principal.namespace_id,
            "collection_ids": [one.collection_id for one in context.collections],
            "stage_name": context.stage_name,
        }
        return Program(
            given.language,
            given.code,
            given.result_variable,
            {"INPUT": dict(context.inputs), "CONTEXT": about, "env": dict(given.env)},
            given.timeout_ms / 1000,
            given.memory_mb << 20,
            given.max_output_size,
        )

    def _made(self, hit: Hit, ran: Ran) -> Hit | None:
        if ran.fault is not None:
            raise CodeError(ran.error if ran.line is None else f"line {ran.line}: {ran.error}")
        if not ran.is_transformed:
            return put(hit, self._parameters.output_field, ran.value)
        if ran.value is None:
            return None
        if not isinstance(ran.value, dict):
            raise CodeError("transform(doc) gives back a document or null")
        return _rewritten(hit, ran.value)

    def _facts(self, dropped: Mapping[str, JSON], failed: int, ran: Sequence[Ran]) -> dict[str, JSON]:
        facts: dict[str, JSON] = {"failed": failed}
        if dropped:
            facts[DROPPED] = dict(dropped)
        if self._parameters.debug:
            facts["printed"] = "".join(one.printed for one in ran[:_MOST_WARNINGS])[:_MOST_PRINTED]
        return facts


def _rewritten(hit: Hit, made: dict[str, JSON]) -> Hit:
    """The hit with what the program changed. It stays the same document; a field that is gone takes the rest with it
    into a row of its own, for a document's own fields cannot be taken away."""
    before = hit.view()
    if any(name in made and made[name] != before.get(name) for name in _OWN if name in before):
        raise CodeError(f"transform(doc) may not change {' or '.join(_OWN)}")
    score = made.get("score", hit.score)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise CodeError("transform(doc) may make score another number, and nothing else")
    scored = hit if score == hit.score else hit.scored(CodeExecution.id, float(score))
    own = hit.document.view() if hit.document else {}
    if any(name not in made for name in own):
        fields = {name: value for name, value in made.items() if name != "score"}
        return Hit(hit.id, scored.score, None, scored.scores, fields)
    kept = {name: value for name, value in hit.extra.items() if name in made}
    changed = {
        name: value
        for name, value in made.items()
        if name != "score" and not (name in before and _is_same(before[name], value))
    }
    return replace(scored, extra={**kept, **changed})


def _is_same(before: Any, after: JSON) -> bool:
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _warnings(failed: Sequence[str]) -> tuple[str, ...]:
    more = [f"and {len(failed) - _MOST_WARNINGS} documents more"] if len(failed) > _MOST_WARNINGS else []
    return (*failed[:_MOST_WARNINGS], *more)
