"""The stage contract: one file a stage, a `Parameters` model and a class with one required method, `run`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.inference import Models
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.spending.allowance import Allowance
from tamis.model.collection import Collection
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.principal import Principal

if TYPE_CHECKING:
    from tamis.engine.ports.searching import SearchPort


class StageKind(StrEnum):
    """On the wire `group` goes out as `reduce` and `enrich` as `apply`: older clients know no others."""

    FILTER = "filter"
    SORT = "sort"
    REDUCE = "reduce"
    GROUP = "group"
    APPLY = "apply"
    ENRICH = "enrich"


class Effect(StrEnum):
    """What a replay must not repeat unasked."""

    OUTSIDE = "outside"
    SPENDS = "spends"


class Render(Protocol):
    """`here`: names added to CONTEXT for this one value."""

    def __call__(self, value: Any, hit: Hit, here: Mapping[str, Any] | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a stage may touch.

    inputs: the execution's, checked and with defaults.  seed: the execution's; all chance derives from it.
    collections: those that the pipeline was given, in order.
    render: fill the templates of a value (`{{DOC.x}}`) for one hit; a value without templates comes back as it is.
        `render(value, hit, {"INDEX": 1})` adds names to CONTEXT.
    allowance: asked before each call that is paid for.
    reach: language models and HTTP, as far as the operator set them up.
    stages: the registry, for a stage that runs others.
    retriever_id: whose pipeline this is; None for one that came with the request.
    """

    principal: Principal
    inputs: Mapping[str, JSON]
    collections: tuple[Collection, ...]
    seed: int
    stage_name: str
    stage_index: int
    searcher: "SearchPort"
    models: Models
    clock: Clock
    render: Render
    allowance: Allowance = field(default_factory=Allowance)
    reach: Reach = NOWHERE
    stages: Mapping[str, "type[Stage]"] = field(default_factory=dict)
    retriever_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage gives back.

    processed: documents it looked at; None means its input (a search says the distinct candidates before its cut).
    metadata: facts for the stage's statistics, such as facets; small.
    warnings: what the caller should know although nothing failed.
    parameters: those that say the same without what the stage first had to find out, such as a filter in place of a
    sentence; they go into the record. None where its own say it all.
    """

    hits: Hits
    processed: int | None = None
    tokens_used: int | None = None
    llm_calls: int | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parameters: Mapping[str, JSON] | None = None


class Stage(Protocol):
    """Built once for each execution from its resolved parameters. Inputs are never changed: `run` returns new hits.

    id: file name, registry key and API name, the same word.  icon: the contract's (a lucide icon name).
    effects: of every run.  A class may also have `effects_with(parameters)`, a class method: those of a run with these
    parameters, as they were written.
    A class may also have `needs: ClassVar[frozenset[Need]]`: what it cannot do without (see `needs`).
    A class may also have `spends: ClassVar[Spending]`: what it uses, and what a budget may lower (see `spending`).
    """

    id: ClassVar[str]
    kind: ClassVar[StageKind]
    icon: ClassVar[str]
    description: ClassVar[str]
    Parameters: ClassVar[type[BaseModel]]
    effects: ClassVar[frozenset[Effect]]

    def __init__(self, parameters: Any) -> None: ...

    async def run(self, hits: Hits, context: Context) -> Outcome: ...


def effects_of(stage: type[Stage], parameters: Mapping[str, Any]) -> frozenset[Effect]:
    """Those of a stage with these parameters, as they were written."""
    with_parameters = getattr(stage, "effects_with", None)
    found: frozenset[Effect] = stage.effects if with_parameters is None else with_parameters(parameters)
    return found
