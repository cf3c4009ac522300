"""Ask a database about each document."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.needs import Need
from tamis.engine.outputs import put
from tamis.engine.outreach.reaching import OnFailure, each, removal
from tamis.engine.outreach.sql_statement import read
from tamis.engine.parameters import StageParameters, checked_filter, template_roots
from tamis.engine.ports.databases import Lookup, Rows
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict
from tamis.errors import OutsideError, OutsideRefusedError, ValidationError
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_AT_ONCE = 10
_MOST_ROWS = 1000

Handling = Literal["first", "all", "error_if_empty", "error_if_multiple"]


class SqlLookupParameters(StageParameters):
    verbatim: ClassVar[frozenset[str]] = frozenset({"query"})

    connection_id: str = Field(min_length=1, description="A database, as the operator calls it.")
    query: str = Field(min_length=1, max_length=20_000, description="One SELECT; values stand in it as `:name`.")
    parameters: dict[str, Any] = Field({}, description="The values by name; templates as `{{ DOC.sku }}`.")
    output_field: str = Field(
        "sql_result",
        min_length=1,
        validation_alias=AliasChoices("output_field", "result_field"),
        description="Path that the row is written to, or the list of rows.",
    )
    result_handling: Handling | None = Field(
        None,
        description="first: one row, the default. all: a list. error_if_empty: a document without a row has failed. "
        "error_if_multiple: so has one with several.",
    )
    multiple_rows: bool | None = Field(None, description="true is result_handling `all`, false is `first`.")
    on_no_results: Literal["skip", "null", "error"] = Field(
        "null", description="Without a row: leave the document, write null (an empty list for all), or a failure."
    )
    timeout: int = Field(30, ge=1, le=300, description="Seconds for one document; the operator's limit is the most.")
    timeout_ms: int | None = Field(None, ge=1, le=300_000, description="The same in milliseconds.")
    when: dict[str, Any] | list[Any] | None = Field(None, description="Ask only about documents that match.")
    on_error: OnFailure = Field("skip", description="A document that failed: keep it, remove it, or fail.")

    _when = field_validator("when")(checked_filter)

    @field_validator("query")
    @classmethod
    def _is_one_reading_statement(cls, value: str) -> str:
        if template_roots(value):
            raise ValueError("a query holds no templates: write :name, and its value under `parameters`")
        try:
            read(value)
        except OutsideRefusedError as error:
            raise ValueError(error.message) from None
        return value

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "SqlLookupParameters":
        missing = [name for name in read(self.query).parameters if name not in self.parameters]
        if missing:
            raise ValueError(f"the query names :{missing[0]}, which has no value in `parameters`")
        if self.multiple_rows is not None and self.result_handling is not None:
            raise ValueError("multiple_rows and result_handling say the same; give one of them")
        if self.timeout_ms is not None and "timeout" in self.model_fields_set:
            raise ValueError("timeout_ms and timeout say the same; give one of them")
        return self

    @property
    def handling(self) -> Handling:
        return self.result_handling or ("all" if self.multiple_rows else "first")

    @property
    def timeout_s(self) -> float:
        return float(self.timeout) if self.timeout_ms is None else self.timeout_ms / 1000


class SqlLookup:
    """Documents in parallel, few at once; the order stays. Values are bound to the query, never pasted into it."""

    id: ClassVar[str] = "sql_lookup"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "database"
    description: ClassVar[str] = (
        "Ask a database about each document by a query with parameters and write its row or rows into a field. Only "
        "connections that the operator registered are asked, and only read."
    )
    Parameters: ClassVar[type[BaseModel]] = SqlLookupParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.DATABASES})
    example: ClassVar[dict[str, Any]] = {
        "connection_id": "stock",
        "query": "SELECT level, place FROM stock WHERE brand = :brand",
        "parameters": {"brand": "{{ DOC.brand }}"},
        "output_field": "metadata.stock",
    }

    def __init__(self, parameters: SqlLookupParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given, cut = self._parameters, 0

        async def ask(hit: Hit) -> Hit:
            nonlocal cut
            try:
                values = {name: context.render(value, hit) for name, value in given.parameters.items()}
            except ValidationError as error:
                raise OutsideError(error.message) from error
            lookup = Lookup(given.connection_id, given.query, values, self._most(), given.timeout_s)
            found = await context.reach.databases.look_up(context.principal, lookup)
            cut += found.truncated and given.handling == "all"
            return self._written(hit, found)

        outcome = await each(hits, given.when, _AT_ONCE, given.on_error, ask)
        told = (f"{cut} documents have more rows than a lookup gives",) if cut else ()
        return replace(outcome, warnings=(*outcome.warnings, *told))

    async def explain(self, case: Case, _context: Context) -> Verdict:
        return removal(case)

    def _most(self) -> int:
        return {"all": _MOST_ROWS, "error_if_multiple": 2}.get(self._parameters.handling, 1)

    def _written(self, hit: Hit, found: Rows) -> Hit:
        given, rows = self._parameters, [dict(row) for row in found.rows]
        if not rows and (given.on_no_results == "error" or given.handling == "error_if_empty"):
            raise OutsideError("the query found no row")
        if given.handling == "error_if_multiple" and len(rows) > 1:
            raise OutsideError("the query found several rows")
        if not rows and given.on_no_results == "skip":
            return hit
        value: JSON = [*rows] if given.handling == "all" else next(iter(rows), None)
        return put(hit, given.output_field, value)
