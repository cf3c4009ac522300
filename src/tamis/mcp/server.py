"""The protocol's server, by its own SDK: over standard input and output for one caller, over HTTP for many."""

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import httpx
import mcp_types as types
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tamis import __version__
from tamis.client import ApiError, AsyncClient
from tamis.mcp.tools import Tool, Toolbox

_INSTRUCTIONS = (
    "Each search tool runs one retriever and answers with documents and an execution_id. Pass that id to get_execution "
    "to see what each stage did, or to why_not to learn why a document is missing and what would let it in."
)
_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)
Context: TypeAlias = ServerRequestContext[Any, Any]


async def serve_stdio(client: AsyncClient, chosen: Sequence[str]) -> None:
    """Until standard input ends. All that is asked, is asked with the client's key."""
    server = _server(client, chosen, is_shared=False)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def http_app(client: AsyncClient, chosen: Sequence[str], host: str) -> ASGIApp:
    """At `/mcp`, streamable HTTP without sessions. Each request is asked with the API key that it brings as a bearer.

    client: its own key is nobody's here.  host: where it listens; on this machine alone, no other name is answered to.
    """
    server = _server(client, chosen, is_shared=True)
    return _OnlyWithKey(server.streamable_http_app(stateless_http=True, json_response=True, host=host))


def _server(client: AsyncClient, chosen: Sequence[str], is_shared: bool) -> Server[Any]:
    def toolbox(context: Context) -> Toolbox:
        if not is_shared:
            return Toolbox(client, chosen)
        headers = context.request.headers if context.request else {}
        return Toolbox(client.with_key(_bearer(headers.get("authorization", "")) or ""), chosen)

    async def list_tools(context: Context, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        try:
            tools = await toolbox(context).tools()
        except (ApiError, httpx.HTTPError) as error:
            raise MCPError(types.INTERNAL_ERROR, _told(error)) from error
        return types.ListToolsResult(tools=[_shown(tool) for tool in tools])

    async def call_tool(context: Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            tools = {tool.name: tool for tool in await toolbox(context).tools()}
            if asked.name not in tools:
                known = ", ".join(tools) or "none for this key"
                return _failed(f"there is no tool {asked.name!r}; there is {known}")
            return await _called(tools[asked.name], asked.arguments or {})
        except (ApiError, httpx.HTTPError) as error:
            return _failed(_told(error))

    return Server(
        "tamis", version=__version__, instructions=_INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


async def _called(tool: Tool, arguments: dict[str, Any]) -> types.CallToolResult:
    fault = best_match(Draft202012Validator(tool.input_schema).iter_errors(arguments))
    if fault is not None:
        where = ".".join(str(one) for one in fault.absolute_path)
        return _failed(f"{where}: {fault.message}" if where else f"{fault.message}; {_taken(tool)}")
    answer = await tool.run(arguments)
    text = json.dumps(answer, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=answer)


def _taken(tool: Tool) -> str:
    """The arguments that it knows, for whoever named another one or left one out."""
    needed = tool.input_schema.get("required", ())
    names = (f"{name} (required)" if name in needed else name for name in tool.input_schema.get("properties", ()))
    return f"{tool.name} takes {', '.join(names) or 'no arguments'}"


def _shown(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True)
    schema = dict(tool.input_schema)
    return types.Tool(name=tool.name, description=tool.description, input_schema=schema, annotations=hints)


def _failed(text: str) -> types.CallToolResult:
    """An error that the model reads and can act on."""
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _told(error: ApiError | httpx.HTTPError) -> str:
    if isinstance(error, ApiError):
        return f"{error.code or error.status}: {error.message}"
    return f"the Tamis server does not answer ({type(error).__name__})"


def _bearer(authorization: str) -> str | None:
    found = _BEARER.fullmatch(authorization)
    return found[1] if found else None


class _OnlyWithKey:
    """Who brings no key is told so before anything is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _bearer(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")):
            refused = JSONResponse(
                {"error": "send a Tamis API key: Authorization: Bearer sk_..."},
                401,
                {"WWW-Authenticate": 'Bearer realm="tamis"'},
            )
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)
