"""Plans found by the very objects that they were made of, which are not compared, hashed or written for it."""

from collections.abc import Collection as Container
from dataclasses import replace
from typing import TypeAlias

from tamis.engine.planning.plan import Plan, Planner
from tamis.model.collection import Collection
from tamis.model.retriever import Budget, Definition

_Key: TypeAlias = tuple[int, int, int, int, Budget]


class KnownPlans:
    """A planner, and before it the plans of stages, schemas and collections that come again as the same objects.

    The edge reads a pipeline once and `Lookups` a collection, so those of a pipeline that is asked again are the same.
    """

    def __init__(self, planner: Planner, capacity: int = 256) -> None:
        """capacity: how many are kept at most; one more, and all are forgotten."""
        self.planner = planner
        self._capacity = capacity
        # What a key's numbers are of is held beside the plan: while it is, no other object has the number.
        self._known: dict[_Key, tuple[Definition, tuple[Collection, ...], Plan]] = {}

    def plan(
        self, definition: Definition, collections: tuple[Collection, ...], budget: Budget, given: Container[str]
    ) -> Plan:
        """Of the definition over these collections, within this budget. Raises: ValidationError, as `Planner.plan`."""
        key = _key(definition, collections, budget)
        known = self._known.get(key)
        if known is not None:
            known[2].check_names(given)
            return known[2]
        collection_ids = tuple(collection.collection_id for collection in collections)
        whole = replace(definition, collection_ids=collection_ids, budget=budget)
        plan = self.planner.plan(whole, collections, given)
        if plan.is_kept:
            if len(self._known) >= self._capacity:
                self._known.clear()
            self._known[key] = (definition, collections, plan)
        return plan


def _key(definition: Definition, collections: tuple[Collection, ...], budget: Budget) -> _Key:
    caching = definition.cache_config
    return (
        id(definition.stages),
        id(definition.input_schema),
        id(caching) if caching else 0,
        id(collections),
        budget,
    )
