"""What a session's model may do: run its retrievers, read what they found, and, once a person agrees, write."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field

from tamis.engine.events import STAGE_ENDS, Event
from tamis.engine.language.agent import Tool, ToolError
from tamis.engine.language.prompting import document_block
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.allowance import Allowance
from tamis.errors import TamisError
from tamis.model.agent_session import Shown
from tamis.model.hits import Hit
from tamis.model.interaction import InteractionType
from tamis.model.json import JSON
from tamis.model.principal import NamespaceOperation, Permission, Principal
from tamis.model.retriever import Budget, Retriever
from tamis.services.data.documents import DocumentService
from tamis.services.learning.interactions import InteractionService
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.result_pages import PageMethod, PageRequest

MOST_SHOWN = 10
"""Documents of one execution that the model is shown."""
_CHARACTERS = 1_200
_WHOLE_CHARACTERS = 8_000


class ListRetrieversArguments(StageParameters):
    pass


class ExecuteRetrieverArguments(StageParameters):
    retriever: str = Field(min_length=1, description="A retriever's name, as listed.")
    inputs: dict[str, Any] = Field(default_factory=dict, description="Its inputs, by name.")


class GetDocumentArguments(StageParameters):
    document: str = Field(pattern=r"^D\d{1,9}$", description="A document that a tool brought, as D3.")


class UpdateDocumentArguments(GetDocumentArguments):
    fields: dict[str, Any] = Field(min_length=1, description="Fields that get a new value, by name.")


class CreateInteractionArguments(GetDocumentArguments):
    interaction_type: Literal["positive_feedback", "negative_feedback"] = Field(
        description="Whether the document was what the person looked for."
    )


@dataclass(frozen=True, slots=True)
class ToolKind:
    """category: as the later contract sorts them.  writes: needs a person's word each time.

    operation: what the key must be for, over the whole namespace; None where the retrievers' own rules are enough.
    """

    name: str
    category: str
    description: str
    Arguments: type[BaseModel]
    writes: bool = False
    operation: NamespaceOperation | None = None

    def is_for(self, principal: Principal) -> bool:
        """Whether its key, and the scopes of the key, let it do this itself."""
        if self.operation is None:
            return True
        doing = principal.doing(self.operation)
        is_whole = doing is not None and doing.sees_namespace(principal.namespace_id)
        return is_whole and principal.may(Permission.WRITE if self.writes else Permission.READ)


KINDS: Mapping[str, ToolKind] = {
    one.name: one
    for one in (
        ToolKind("list_retrievers", "read", "The retrievers of this session.", ListRetrieversArguments),
        ToolKind(
            "execute_retriever",
            "search",
            "Run a retriever of this session; its documents are shown. Each run leaves an execution's record.",
            ExecuteRetrieverArguments,
        ),
        ToolKind(
            "get_document",
            "read",
            "More of a document that a tool brought.",
            GetDocumentArguments,
            operation=NamespaceOperation.READ_DATA,
        ),
        ToolKind(
            "update_document",
            "update",
            "Give fields of a document that a tool brought new values. A person is asked first.",
            UpdateDocumentArguments,
            writes=True,
            operation=NamespaceOperation.WRITE_DATA,
        ),
        ToolKind(
            "create_interaction",
            "create",
            "Note whether a document was what the person looked for. A person is asked first.",
            CreateInteractionArguments,
            writes=True,
            operation=NamespaceOperation.WRITE_DATA,
        ),
    )
}
READING = tuple(one.name for one in KINDS.values() if not one.writes)


class ConfirmationNeededError(Exception):
    """A write that a person has not agreed to yet. arguments: checked."""

    def __init__(self, tool: str, arguments: dict[str, JSON]) -> None:
        super().__init__(tool)
        self.tool = tool
        self.arguments = arguments


@dataclass(frozen=True, slots=True)
class Reached:
    """The services that tools are made of; the caller's own rights hold in each."""

    executions: ExecutionService
    documents: DocumentService
    interactions: InteractionService


@dataclass(slots=True)
class Brought:
    """By the last call of a tool. credits: what it cost."""

    execution_id: str | None = None
    retriever: Retriever | None = None
    documents: tuple[Shown, ...] = ()
    returned: int = 0


@dataclass(slots=True)
class Toolbox:
    """Of one answer. known: documents that were shown, by label.  numbered: how many have a label in the session."""

    principal: Principal
    reached: Reached
    retrievers: Sequence[Retriever]
    allowance: Allowance
    known: dict[str, Shown]
    numbered: int
    session_id: str
    brought: Brought = field(default_factory=Brought)

    def tools(self, names: Sequence[str]) -> list[Tool]:
        """Those of the names that this caller may use at all."""
        kinds = [KINDS[name] for name in names or READING]
        return [self._tool(kind) for kind in kinds if kind.is_for(self.principal)]

    async def perform(self, name: str, arguments: Mapping[str, JSON]) -> str:
        """A write that a person agreed to. Raises: ToolError."""
        if not KINDS[name].is_for(self.principal):
            raise ToolError("this key may not write in the namespace")
        self.brought = Brought()
        return await self._calls()[name](KINDS[name].Arguments.model_validate(dict(arguments)))

    def _tool(self, kind: ToolKind) -> Tool:
        async def call(given: BaseModel) -> str:
            self.brought = Brought()
            if kind.writes:
                self._shown(given)
                raise ConfirmationNeededError(kind.name, given.model_dump(mode="json"))
            return await self._calls()[kind.name](given)

        return Tool(kind.name, kind.description, kind.Arguments, call)

    def _calls(self) -> Mapping[str, Callable[[Any], Awaitable[str]]]:
        return {
            "list_retrievers": self._list,
            "execute_retriever": self._execute,
            "get_document": self._get,
            "update_document": self._update,
            "create_interaction": self._interact,
        }

    async def _list(self, _: ListRetrieversArguments) -> str:
        listed = [{"retriever": one.name, "about": one.description} for one in self.retrievers]
        return f"{len(listed)} retrievers.\n{orjson.dumps(listed).decode()}"

    async def _execute(self, given: ExecuteRetrieverArguments) -> str:
        named = given.retriever
        retriever = next((one for one in self.retrievers if named in (one.name, one.retriever_id)), None)
        if retriever is None:
            known = ", ".join(one.name for one in self.retrievers) or "none"
            raise ToolError(f"there is no retriever {named!r} in this session; there is {known}")
        self.brought.retriever = retriever
        page = PageRequest(PageMethod.CURSOR, MOST_SHOWN)
        options = RunOptions(given.inputs, budget=self._budget(retriever), page=page)
        told: list[Event] = []
        try:
            executed = await self.reached.executions.execute_saved(
                self.principal, retriever.retriever_id, options, told.append
            )
        except TamisError as error:
            self.brought.execution_id = error.details.get("execution_id")
            raise ToolError(error.message) from error
        finally:
            # What fails or is broken off was paid for as far as it came.
            self.allowance.pay(sum(one.credits_used for one in told if isinstance(one, STAGE_ENDS)))
        self.brought.execution_id = executed.execution_id
        self.brought.returned = len(executed.documents)
        blocks = [self._label(hit, retriever, executed.execution_id) for hit in executed.documents]
        return "\n".join([f"{len(blocks)} documents came.", *executed.warnings, *blocks])

    def _budget(self, retriever: Retriever) -> Budget | None:
        """The retriever's own, and no more than the session has left; None where that is the retriever's own."""
        own, left = retriever.definition.budget, self.allowance.left
        if math.isinf(left):
            return None
        return Budget(min(left, math.inf if own.max_credits is None else own.max_credits), own.max_time_ms)

    def _label(self, hit: Hit, retriever: Retriever, execution_id: str) -> str:
        held = next((one for one in self.known.values() if one.document_id == hit.id), None)
        if held is None:
            self.numbered += 1
            collection_id = hit.document.collection_id if hit.document else ""
            held = Shown(f"D{self.numbered}", hit.id, collection_id, retriever.retriever_id, execution_id, hit.score)
        found = replace(held, retriever_id=retriever.retriever_id, execution_id=execution_id, score=hit.score)
        self.known[found.label] = found
        self.brought.documents = (*self.brought.documents, found)
        return document_block(found.label, hit.view(), _CHARACTERS)

    def _shown(self, given: Any) -> Shown:
        """Raises: ToolError for one that no tool brought in this session, or that is none of the namespace's."""
        found = self.known.get(given.document)
        if found is None or not found.collection_id:
            raise ToolError(f"no tool has brought a document {given.document} of this namespace; run a retriever first")
        return found

    async def _get(self, given: GetDocumentArguments) -> str:
        shown = self._shown(given)
        try:
            found = await self.reached.documents.get(self.principal, shown.collection_id, shown.document_id)
        except TamisError as error:
            raise ToolError(error.message) from error
        block = document_block(shown.label, Hit(shown.document_id, 0.0, found.document).view(), _WHOLE_CHARACTERS)
        return f"{shown.label} as it is now.\n{block}"

    async def _update(self, given: UpdateDocumentArguments) -> str:
        shown = self._shown(given)
        try:
            await self.reached.documents.patch(self.principal, shown.collection_id, shown.document_id, given.fields)
        except TamisError as error:
            raise ToolError(error.message) from error
        return f"{shown.label} was updated."

    async def _interact(self, given: CreateInteractionArguments) -> str:
        shown = self._shown(given)
        some = {
            "feature_id": shown.document_id,
            "types": (InteractionType(given.interaction_type),),
            "position": 0,
            "execution_id": shown.execution_id,
            "retriever_id": shown.retriever_id,
            "session_id": self.session_id,
        }
        try:
            await self.reached.interactions.create(self.principal, [some])
        except TamisError as error:
            raise ToolError(error.message) from error
        return f"{shown.label} was noted as {given.interaction_type}."
