"""The tools, whatever carries them: one for each retriever, and those that read what its executions left."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.client import AsyncClient
from tamis.mcp.input_schemas import tool_arguments

_MOST = 100
_NAME_CHARACTERS = 48
_BESIDE_FIELDS = ("metadata", "scores")
_TRACED_DOCUMENTS = 10

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """run: what it answers, as JSON. Raises: ApiError, httpx.HTTPError."""

    name: str
    description: str
    input_schema: Mapping[str, Any]
    run: Callable[[Arguments], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What one caller may use. chosen: retrievers by id or name; without any, all that are published.

    A retriever that the caller's key does not see is no tool.
    """

    client: AsyncClient
    chosen: Sequence[str] = ()

    async def tools(self) -> list[Tool]:
        """Raises: ApiError, httpx.HTTPError."""
        retrievers = await self._retrievers()
        if not retrievers:
            return []
        names = [str(one["retriever_name"]) for one in retrievers]
        return [*(self._search(one) for one in retrievers), *_reading(self.client, names)]

    async def missing(self) -> list[str]:
        """Those of the chosen that are not there for this key. Raises: as `tools`."""
        found = {str(one[name]) for one in await self._retrievers() for name in ("retriever_id", "retriever_name")}
        return [one for one in self.chosen if one not in found]

    async def _retrievers(self) -> list[Mapping[str, Any]]:
        wanted = [*self.chosen] or await self._published()
        if not wanted:
            return []
        names = ("retriever_id", "retriever_name")
        where = {"OR": [{"field": name, "operator": "in", "value": wanted} for name in names]}
        page = await self.client.retrievers.list(filters=where, limit=_MOST)
        place = {name: number for number, name in enumerate(wanted)}
        return sorted(page["results"], key=lambda one: min(place.get(str(one.get(name)), _MOST) for name in names))

    async def _published(self) -> list[str]:
        page = await self.client.published.list(limit=_MOST)
        return [one["retriever_id"] for one in page["results"] if one["is_active"]]

    def _search(self, retriever: Mapping[str, Any]) -> Tool:
        name, inputs = str(retriever["retriever_name"]), tool_arguments(retriever.get("input_schema"))
        stages = " > ".join(stage["stage_name"] for stage in retriever["stages"])

        async def run(arguments: Arguments) -> dict[str, Any]:
            answer = await self.client.retrievers.execute(str(retriever["retriever_id"]), inputs=dict(arguments))
            return {
                "execution_id": answer.execution_id,
                "retriever": name,
                "status": answer.status,
                "warnings": answer.warnings,
                "documents": [_document(one) for one in answer],
            }

        described = retriever.get("description") or f"Searches with the retriever {name}"
        return Tool(_tool_name(name), f"{described} (stages: {stages})", inputs, run)


def _reading(client: AsyncClient, retrievers: Sequence[str]) -> list[Tool]:
    """Those that are the same for every retriever."""
    execution = {
        "retriever": {"type": "string", "enum": list(retrievers), "description": "The retriever that ran"},
        "execution_id": {"type": "string", "description": "As a search's answer has it"},
    }

    async def get_execution(arguments: Arguments) -> dict[str, Any]:
        ids = {"retriever_id": arguments["retriever"], "limit": _TRACED_DOCUMENTS}
        trace = await client.executions.trace(arguments["execution_id"], **ids)
        return dict(trace.data)

    async def why_not(arguments: Arguments) -> dict[str, Any]:
        asked = {"retriever_id": arguments["retriever"], "document_id": arguments["document_id"]}
        return dict((await client.executions.why(arguments["execution_id"], **asked)).data)

    async def explain(arguments: Arguments) -> dict[str, Any]:
        return dict(await client.retrievers.explain(arguments["retriever"], inputs=arguments.get("inputs") or {}))

    document = {"document_id": {"type": "string", "description": "The document that is asked about"}}
    inputs = {"inputs": {"type": "object", "description": "What the search would be asked"}}
    return [
        Tool(
            "get_execution",
            "What a search did, stage by stage: parameters, counts, time, credits, and the first documents in and out",
            _arguments(execution, list(execution)),
            get_execution,
        ),
        Tool(
            "explain_search",
            "What a search is likely to do and to cost, stage by stage. Nothing runs",
            _arguments({"retriever": execution["retriever"], **inputs}, ["retriever"]),
            explain,
        ),
        Tool(
            "why_not",
            "Why a document was, or was not, in a search's answer: each stage's verdict, and what would let it in",
            _arguments(execution | document, [*execution, *document]),
            why_not,
        ),
    ]


def _arguments(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Once: its fields stand at the root and under `metadata`."""
    return {name: value for name, value in document.items() if name not in _BESIDE_FIELDS and value is not None}


def _tool_name(retriever: str) -> str:
    """Of what every client of the protocol takes in a name; one that had to be changed stays apart by its hash."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", retriever)[:_NAME_CHARACTERS]
    if plain == retriever:
        return f"search_{plain}"
    return f"search_{plain}_{hashlib.sha256(retriever.encode()).hexdigest()[:6]}"
