"""From a definition to a plan: every check that needs no run, all faults at once, compiled once for each definition."""

from collections import OrderedDict
from collections.abc import Collection as Container
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import BaseModel

from tamis.engine.parameters import smuggled, templated, with_double_braces
from tamis.engine.planning.checks import Loc, checked_filter, feature_problems, parameter_problems, validated
from tamis.engine.planning.conditions import condition_problems, holds
from tamis.engine.planning.definition import SEARCH, to_json
from tamis.engine.planning.inputs import Problem, check_schema, fault, raise_all, schema_fields
from tamis.engine.planning.stage_options import batched, has_batches, option_problems
from tamis.engine.spending.spending import Cap, lowered, written
from tamis.engine.stage import Effect, Stage, StageKind, effects_of
from tamis.engine.templating import templates
from tamis.engine.templating.sandbox import suggestion
from tamis.errors import ValidationError
from tamis.model.canonical import sha1_of, sha256_of
from tamis.model.collection import Collection
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.retriever import Definition, StageSpec

_LARGEST_KEPT = 64 * 1024
"""A longer definition is compiled anew each time: what callers send must not fill the memory."""
_FILTERS = ("pre_filters", "post_filters")
_NEEDING_HITS = (StageKind.SORT, StageKind.REDUCE, StageKind.GROUP)


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage, ready to run.

    parameters: validated, where no template is to be filled before the stage runs; else None.
    roots: what its templates name.  deferred: the texts that the stage itself renders, for each document.
    filters: its `pre_filters` and `post_filters`, parsed where they have no templates.
    fingerprint: equal for stages that may be expected to do alike.  caps: what a budget lowered for this execution.
    registry: all stages, for one that runs others.  when_roots: what its condition's templates name.
    """

    spec: StageSpec
    stage: type[Stage]
    loc: tuple[str | int, ...]
    parameters: BaseModel | None
    roots: frozenset[str]
    deferred: frozenset[str]
    filters: Mapping[str, Filter | None]
    fingerprint: str = ""
    caps: tuple[Cap, ...] = ()
    registry: Mapping[str, type[Stage]] = field(default_factory=dict)
    when_roots: frozenset[str] = frozenset()

    def resolve(self, scope: templates.Scope) -> tuple[dict[str, Any] | None, BaseModel]:
        """The parameters after templating (None where there was none), and validated. Raises: ValidationError."""
        if self.caps:
            return self._lowered(scope)
        if self.parameters is not None:
            return None, self.parameters
        here = [*self.loc, "config", "parameters"]
        filled = templates.render(templated(self.stage.Parameters, self.spec.parameters), scope, here)
        resolved = {**self.spec.parameters, **filled}
        for place in smuggled(self.stage.Parameters, self.spec.parameters, resolved):
            raise ValidationError.at(
                [*here, *place], "a secret is referred to by what the definition says, never by a template's value"
            )
        return resolved, validated(self.stage.Parameters, resolved, here)

    def _lowered(self, scope: templates.Scope) -> tuple[dict[str, Any], BaseModel]:
        resolved, parameters = replace(self, caps=()).resolve(scope)
        parameters = lowered(parameters, self.caps)
        return written(self.spec.parameters if resolved is None else resolved, parameters, self.caps), parameters

    def filter(self, name: str, scope: templates.Scope) -> Filter | None:
        """`pre_filters` or `post_filters`, for this execution. Raises: ValidationError."""
        if name in self.filters or name not in self.spec.options:
            return self.filters.get(name)
        here = [*self.loc, "config", name]
        return checked_filter(templates.render(self.spec.options[name], scope, here), here)

    def applies(self, scope: templates.Scope) -> bool:
        """Whether its condition, `when`, is true; always without one. Raises: ValidationError."""
        return "when" not in self.spec.options or holds(self.spec.options["when"], scope, [*self.loc, "when"])

    def is_ruled_out(self, scope: templates.Scope) -> bool:
        """Whether this scope alone shows that it will be passed over."""
        if self.when_roots - scope.keys():
            return False
        try:
            return not self.applies(scope)
        except ValidationError:
            return False

    @property
    def effects(self) -> frozenset[Effect]:
        """Those of the stage with the parameters that the definition gives it."""
        return effects_of(self.stage, self.spec.parameters)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller should know before it has run."""
        if self.spec.batch_size is None or has_batches(self.stage.Parameters):
            return ()
        return (f"stage {self.spec.stage_name!r} works without batches: its batch_size changes nothing",)

    @property
    def is_optional(self) -> bool:
        return self.spec.options.get("on_error") == "skip"


@dataclass(frozen=True, slots=True)
class Plan:
    """definition: as sent, what it leaves out spelt out; `document` is its JSON.  hash: SHA-256 of that, hex.

    mentioned: the inputs that templates name although the input schema does not, with a place for each.
    is_kept: small enough to be kept for the next run of the same definition.
    chance: what its chance derives from: the hash as it would be if nothing were said of caches.
    """

    definition: Definition
    document: Mapping[str, JSON]
    hash: str
    stages: tuple[PlannedStage, ...]
    mentioned: tuple[tuple[str, Loc], ...]
    is_kept: bool
    chance: str

    @property
    def declared(self) -> Container[str]:
        return schema_fields(self.definition.input_schema).keys()

    def check_names(self, given: Container[str] = ()) -> None:
        """Raises: ValidationError for each input that a template names and that is neither declared nor given."""
        known = [*schema_fields(self.definition.input_schema), *given]
        raise_all(
            [
                fault(loc, f"the template names an input {name!r} that is not declared{suggestion(name, known)}")
                for name, loc in self.mentioned
                if name not in given
            ]
        )


class Planner:
    """Plans definitions of at most `most_stages` over a registry of stages, and keeps the latest `capacity` plans."""

    def __init__(self, stages: Mapping[str, type[Stage]], capacity: int = 1024, most_stages: int = 50) -> None:
        self._stages = stages
        self._most_stages = most_stages
        self._capacity = capacity
        self._plans: OrderedDict[bytes, Plan] = OrderedDict()

    def plan(self, definition: Definition, collections: Sequence[Collection], given: Container[str] = ()) -> Plan:
        """Check and compile. given: names of the inputs at hand; a retriever that is only saved has none.

        Raises: ValidationError with every fault at its place, as `["body", "stages", 1, "config", "parameters", ...]`.
        """
        key = _key(definition, collections)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._compile(definition, collections, len(key) <= _LARGEST_KEPT)
            if plan.is_kept:
                self._plans[key] = plan
            if len(self._plans) > self._capacity:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(key)
        plan.check_names(given)
        return plan

    def _compile(self, definition: Definition, collections: Sequence[Collection], is_kept: bool) -> Plan:
        if len(definition.stages) > self._most_stages:
            message = f"a pipeline has at most {self._most_stages} stages, not {len(definition.stages)}"
            raise ValidationError.at(["body", "stages"], message, limit=self._most_stages)
        definition = replace(
            definition,
            stages=tuple(_with_features(self._spelled(stage), collections) for stage in definition.stages),
        )
        problems = check_schema(definition.input_schema, ["body", "input_schema"])
        if not definition.stages:
            problems.append(fault(["body", "stages"], "a pipeline has at least one stage"))
        problems += _name_problems(definition.stages)
        planned = [self._stage(spec, position, collections) for position, spec in enumerate(definition.stages)]
        problems += [problem for _, found in planned for problem in found]
        problems += _first_problems(planned[0][0] if planned else None)
        raise_all(problems)
        document = to_json(definition)
        stages = tuple(stage for stage, _ in planned if stage is not None)
        of_definition = sha256_of(document)
        chance = sha256_of(_uncached(document)) if definition.cache_config else of_definition
        mentioned = tuple(_mentioned(definition, self._stages))
        return Plan(definition, document, of_definition, stages, mentioned, is_kept, chance)

    def _spelled(self, spec: StageSpec) -> StageSpec:
        stage = self._stages.get(spec.stage_id)
        if stage is None:
            return spec
        spec = batched(spec, stage.Parameters)
        if not getattr(stage.Parameters, "in_single_braces", None):
            return spec
        return replace(spec, parameters=with_double_braces(stage.Parameters, spec.parameters))

    def _stage(
        self, spec: StageSpec, position: int, collections: Sequence[Collection]
    ) -> tuple[PlannedStage | None, list[Problem]]:
        loc: Loc = ["body", "stages", position]
        stage = self._stages.get(spec.stage_id)
        if stage is None:
            known = suggestion(spec.stage_id, self._stages)
            return None, [fault([*loc, "config", "stage_id"], f"there is no stage {spec.stage_id!r}{known}")]
        here = [*loc, "config", "parameters"]
        try:
            open_ones = templated(stage.Parameters, spec.parameters)
            found = [template for _, template in templates.walk(open_ones, here)]
            parameters, problems = parameter_problems(stage.Parameters, spec.parameters, here)
        except ValidationError as error:
            return None, error.problems
        problems += feature_problems(spec.parameters, collections, here)
        filters, more = _filters(spec, loc)
        wrong = condition_problems(spec.options.get("when"), [*loc, "when"])
        problems += more + option_problems(spec, loc) + wrong
        early = [template for template in found if "DOC" not in template.roots]
        planned = PlannedStage(
            spec=spec,
            stage=stage,
            loc=tuple(loc),
            parameters=None if early else parameters,
            roots=templates.mentions([open_ones, *(spec.options.get(name) for name in _FILTERS)]),
            deferred=frozenset(template.text for template in found if "DOC" in template.roots),
            filters=filters,
            fingerprint=fingerprint(spec, position == 0, collections),
            registry=self._stages,
            when_roots=templates.mentions(spec.options.get("when")) if not wrong else frozenset(),
        )
        return planned, problems


def fingerprint(spec: StageSpec, is_first: bool, collections: Sequence[Collection]) -> str:
    """SHA-1, hex, of what decides how much a stage does. What is asked for is left out: it is new each time.

    is_first: a stage that begins a pipeline finds documents, where it else works on those of the one before.
    """
    where = sorted(one.collection_id for one in collections)
    filters = [spec.options.get(name) for name in _FILTERS]
    return sha1_of([spec.stage_id, is_first, _without_queries(spec.parameters), filters, where])


def _without_queries(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_queries(item) for key, item in value.items() if key != "query"}
    return [_without_queries(item) for item in value] if isinstance(value, list) else value


def _uncached(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """A cache that is turned on must not draw other lots."""
    return {**document, "cache_config": {}}


def _key(definition: Definition, collections: Sequence[Collection]) -> bytes:
    shapes = [(one.collection_id, one.name, one.extractor.id, *_names(one)) for one in collections]
    try:
        return orjson.dumps((definition, shapes))
    except TypeError:  # a number beyond 64 bits
        return repr((definition, shapes)).encode()


def _names(collection: Collection) -> Iterator[str]:
    return (spec.name for spec in collection.features)


def _with_features(spec: StageSpec, collections: Sequence[Collection]) -> StageSpec:
    """A search that names no feature means its collections' only dense one."""
    searches = spec.parameters.get("searches")
    if spec.stage_id != SEARCH or not collections or not isinstance(searches, list):
        return spec
    extractor = collections[0].extractor
    uri = f"mixpeek://{extractor.name}@{extractor.version}"
    complete: list[JSON] = [
        {"feature_uri": uri, **search} if isinstance(search, dict) and "feature_uri" not in search else search
        for search in searches
    ]
    return spec if complete == searches else replace(spec, parameters={**spec.parameters, "searches": complete})


def _first_problems(first: PlannedStage | None) -> Iterator[Problem]:
    """What sorts or reduces needs documents to do it to: in the first place it would silently answer nothing."""
    if first is not None and first.stage.kind in _NEEDING_HITS:
        message = f"{first.spec.stage_id!r} works on the documents of a stage before it; begin with one that finds some"
        yield fault(["body", "stages", 0, "config", "stage_id"], f"{message}, such as {SEARCH!r} or 'attribute_filter'")


def _name_problems(stages: Sequence[StageSpec]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for position, spec in enumerate(stages):
        first = seen.setdefault(spec.stage_name, position)
        if first != position:
            message = f"the name {spec.stage_name!r} is taken by stage {first}; names are unique in a pipeline"
            yield fault(["body", "stages", position, "stage_name"], message)


def _filters(spec: StageSpec, loc: Loc) -> tuple[dict[str, Filter | None], list[Problem]]:
    parsed: dict[str, Filter | None] = {}
    problems: list[Problem] = []
    for name in _FILTERS:
        raw = spec.options.get(name)
        try:
            if raw is not None and not templates.mentions(raw):
                parsed[name] = checked_filter(raw, [*loc, "config", name])
        except ValidationError as error:
            problems += error.problems
    return parsed, problems


def _mentioned(definition: Definition, stages: Mapping[str, type[Stage]]) -> Iterator[tuple[str, Loc]]:
    declared = schema_fields(definition.input_schema)
    for position, spec in enumerate(definition.stages):
        config: Loc = ["body", "stages", position, "config"]
        open_ones = templated(stages[spec.stage_id].Parameters, spec.parameters)
        places = [(open_ones, "parameters"), *((spec.options.get(name), name) for name in _FILTERS)]
        for value, name in places:
            for loc, template in templates.walk(value, [*config, name]):
                yield from ((one, loc) for one in sorted(template.inputs) if one not in declared)
        for loc, template in templates.walk(spec.options.get("when"), ["body", "stages", position, "when"]):
            yield from ((one, loc) for one in sorted(template.inputs) if one not in declared)
