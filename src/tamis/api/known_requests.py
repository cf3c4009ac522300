"""Requests to execute, read. Clients ask the same pipeline again and again, only with other inputs.

So what stands beside the inputs is read once and found by its very bytes; of a request that is known, the inputs alone
are read. Nothing that is kept belongs to anybody: equal bytes mean the same to all.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from tamis.api.bodies import LEVELS, parse
from tamis.api.schemas.execution import AnonymousExecuteRequest, ExecuteRetrieverRequest, ExecutionOptions
from tamis.api.schemas.execution_wire import read_options
from tamis.api.schemas.retriever_wire import read_fields, read_stages
from tamis.model.json import JSON
from tamis.model.retriever import StageSpec
from tamis.services.runs.execution_runs import RunOptions

Pipeline: TypeAlias = tuple[tuple[StageSpec, ...], dict[str, JSON]]
_Shape: TypeAlias = tuple[Any, ...]

_LARGEST_KEPT = 16 * 1024
_INPUTS = "inputs"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Asked:
    """body: without its inputs.  pipeline: None where a saved retriever is asked."""

    body: ExecutionOptions
    options: RunOptions
    pipeline: Pipeline | None


class KnownRequests:
    def __init__(self, capacity: int = 1024) -> None:
        """capacity: how many are kept at most; one more, and all are forgotten."""
        self._capacity = capacity
        self._known: dict[_Shape, Asked] = {}

    def read(self, content: bytes, is_anonymous: bool) -> Asked:
        """A request's body. Raises: TamisError, ValueError, pydantic.ValidationError where it is wrong."""
        shape, inputs = _taken_apart(content, is_anonymous)
        known = self._known.get(shape) if shape else None
        if known is not None:
            given = {} if inputs is None else parse(inputs, LEVELS - 1)
            if isinstance(given, dict):
                return Asked(known.body, known.options.asking(given), known.pipeline)
        asked = _read(parse(content), is_anonymous)
        if shape:
            self._keep(shape, asked)
        return asked

    def _keep(self, shape: _Shape, asked: Asked) -> None:
        if len(self._known) >= self._capacity:
            self._known.clear()
        self._known[shape] = Asked(asked.body, asked.options.asking({}), asked.pipeline)


def _taken_apart(content: bytes, is_anonymous: bool) -> tuple[_Shape, bytes | None]:
    """Everything beside the inputs as it was written, and the inputs; nothing of what is too long, or no object."""
    try:
        members = _members.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return (), None
    inputs = members.pop(_INPUTS, None)
    given = None if inputs is None else bytes(inputs)
    if len(content) - len(given or b"") > _LARGEST_KEPT:
        return (), None
    return (is_anonymous, *members, *map(bytes, members.values())), given


def _read(value: Any, is_anonymous: bool) -> Asked:
    if not is_anonymous:
        saved = ExecuteRetrieverRequest.model_validate(value)
        return Asked(_without_inputs(saved), _options(saved), None)
    body = AnonymousExecuteRequest.model_validate(value)
    pipeline = read_stages(body.stages), read_fields(body.input_schema)
    return Asked(_without_inputs(body), _options(body), pipeline)


def _options(body: ExecutionOptions) -> RunOptions:
    return read_options(body, return_vectors=False, skip_cache=False)


def _without_inputs(body: ExecutionOptions) -> ExecutionOptions:
    return body.model_copy(update={_INPUTS: {}})
