"""Documents labelled by a taxonomy, as the stage does it, outside of any pipeline."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError as Invalid

from tamis.engine.environment import Environment
from tamis.engine.running.attempt import renderer
from tamis.engine.stage import Context
from tamis.engine.stages.taxonomy_enrich import NOT_NEAR, TaxonomyEnrich, TaxonomyEnrichParameters, with_stored
from tamis.engine.taxonomies.taxonomy_definition import StoredDefinition
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.taxonomy import Assignment, Taxonomy

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Labelled:
    """hit: with the fields that it got.  assignments: its labels, best first; none where nothing was near enough.

    fault: why it could not be compared.
    """

    hit: Hit
    assignments: tuple[Assignment, ...]
    fault: str | None = None


class Labelling:
    """environment: with retrievers, which nodes may be matched by."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    async def label(
        self, principal: Principal, taxonomy: Taxonomy, collections: tuple[Collection, ...], hits: Sequence[Hit]
    ) -> tuple[Sequence[Labelled], tuple[str, ...]]:
        """In their order, and what could not be done. collections: whose features the hits are compared by.

        Raises: ValidationError, NotFoundError, DimensionMismatch, ModelMissingError, IndexUnavailableError.
        """
        parameters = parameters_of(taxonomy)
        outcome = await TaxonomyEnrich(parameters).run(Hits.of(hits), self._context(principal, collections))
        path = parameters.result_field
        return [_labelled(hit, path, taxonomy.version) for hit in outcome.hits], outcome.warnings

    def _context(self, principal: Principal, collections: tuple[Collection, ...]) -> Context:
        known = self._environment
        return Context(
            principal, {}, collections, 0, "taxonomy", 0, known.searcher, known.models, known.clock,
            renderer(frozenset(), {}), reach=known.reach,
        )  # fmt: skip


def parameters_of(taxonomy: Taxonomy) -> TaxonomyEnrichParameters:
    """The stage's, by what the taxonomy says of itself; its labels have a place of their own beside others'."""
    definition = definition_of(taxonomy.config)
    parameters = TaxonomyEnrichParameters.model_validate({"taxonomy": definition})
    return with_stored(parameters, definition).model_copy(update={"result_field": result_field_of(taxonomy)})


def definition_of(config: Mapping[str, JSON]) -> StoredDefinition:
    """Raises: ValidationError at the config."""
    try:
        return StoredDefinition.model_validate(config)
    except Invalid as error:
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ValidationError.at(["body", "config", *first["loc"]], message) from error


def result_field_of(taxonomy: Taxonomy) -> str:
    """Where its labels stand in documents that it was applied to."""
    chosen = taxonomy.config.get("result_field")
    if isinstance(chosen, str):
        return chosen
    return f"taxonomies.{taxonomy.name if _PLAIN.fullmatch(taxonomy.name) else taxonomy.taxonomy_id}"


def _labelled(hit: Hit, path: str, version: int) -> Labelled:
    found: Any = hit.extra
    for name in canonical_path(path).split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    said: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    message = said.get("message")
    assignments = tuple(
        Assignment(hit.id, one["id"], str(one["name"]), one["confidence"], one["level"], rank, version)
        for rank, one in enumerate(said.get("all", ()))
    )
    return Labelled(hit, assignments, None if message is None or message.startswith(NOT_NEAR) else message)
