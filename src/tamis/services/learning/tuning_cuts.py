"""Searches of further collections of the same objects, such as passages or one field, in place of others or beside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.planning.definition import SEARCH
from tamis.engine.querying.features import resolve_feature
from tamis.errors import ConflictError, ValidationError
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset
from tamis.model.json import JSON
from tamis.model.retriever import Definition, Retriever, StageSpec

JOINED_BY = "root_object_id"
"""What documents of different cuts of an object have in common."""
_SHARES = (0.2, 0.4)
"""Of the whole, for a search that comes beside those that are there."""

Found = Iterator[tuple[str, Definition]]
"""What is other, for a person, and the definition."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A collection that was made of the same objects, as passages or as one field of them."""

    collection: Collection

    @property
    def name(self) -> str:
        return self.collection.name

    def answers(self, search: Mapping[str, JSON]) -> bool:
        """Whether it has the feature that is searched."""
        try:
            resolve_feature(str(search.get("feature_uri", "")), (self.collection,), search.get("lexical") is True)
        except ValidationError:
            return False
        return True


def check_cuts(retriever: Retriever, own: Sequence[Collection], dataset: Dataset, cuts: Sequence[Cut]) -> None:
    """Raises: ValidationError naming the place, ConflictError where judgements name documents by their ids."""
    if not cuts:
        return
    place: list[str | int] = ["body", "collections"]
    if not retriever.definition.collection_ids:
        message = "the retriever names no collections of its own: say them first, as its collection_identifiers"
        raise ValidationError.at(place, message)
    if dataset.document_field is None:
        message = f"documents of other collections have ids of their own, and data set {dataset.name!r} judges by id"
        raise ConflictError(f"{message}: judge by a field that all of them have (document_field), as {JOINED_BY}")
    searches = [search for stage in retriever.definition.stages for search in searches_of(stage)]
    for number, cut in enumerate(cuts):
        if not any(cut.answers(search) for search in searches):
            raise ValidationError.at([*place, number], f"{cut.name!r} has no feature that the retriever searches")
        if cut.collection.collection_id in {one.collection_id for one in own}:
            raise ValidationError.at([*place, number], f"{cut.name!r} is searched by the retriever already")
        if not _same_objects(own, cut.collection):
            raise ValidationError.at([*place, number], f"{cut.name!r} is made of other buckets than the retriever's")


def _same_objects(own: Sequence[Collection], other: Collection) -> bool:
    """As far as their sources tell: those made of collections go back to buckets by way of others."""
    sources = [one.source for one in (*own, other)]
    if any(source.type != "bucket" for source in sources):
        return True
    return any({*source.bucket_ids} & {*other.source.bucket_ids} for source in sources[:-1])


def with_cuts(definition: Definition, cuts: Sequence[Cut]) -> Found:
    """Each cut in place of what a search asks, then beside it; then all of them beside it at once."""
    for place, stage in enumerate(definition.stages):
        able = [(cut, n) for cut in cuts for n, search in enumerate(searches_of(stage)) if cut.answers(search)]
        for cut, search in able:
            yield _instead(definition, place, cut, search)
        for share in _SHARES:
            for one in able:
                yield _beside(definition, place, [one], share)
        for search in range(len(searches_of(stage))):
            added = [one for one in able if one[1] == search]
            if len(added) > 1:
                yield _beside(definition, place, added, _SHARES[-1])


def searches_of(stage: StageSpec) -> list[Mapping[str, JSON]]:
    """Of a feature search whose searches are written out; [] of every other."""
    searches = stage.parameters.get("searches") if stage.stage_id == SEARCH else None
    given = searches if isinstance(searches, list) else []
    found: list[Mapping[str, JSON]] = [one for one in given if isinstance(one, dict)]
    return found if len(found) == len(given) else []


def _instead(definition: Definition, place: int, cut: Cut, search: int) -> tuple[str, Definition]:
    stage = definition.stages[place]
    searches = searches_of(stage)
    changed = [*searches[:search], _of(searches[search], cut), *searches[search + 1 :]]
    told = f"{stage.stage_name}: {_name(searches[search], search)} asks {cut.name}"
    return told, _with(definition, place, _joined(stage, changed))


def _beside(
    definition: Definition, place: int, added: Sequence[tuple[Cut, int]], share: float
) -> tuple[str, Definition]:
    """added: collections, each by the search that it is asked like; share: of the whole, for all of them together."""
    stage = definition.stages[place]
    searches = searches_of(stage)
    whole = sum(_weight(one) for one in searches) or 1.0
    rest = [{**one, "weight": round((1 - share) * _weight(one) / whole, 4)} for one in searches]
    each = round(share / len(added), 4)
    more = [{**_of(searches[search], cut), "weight": each} for cut, search in added]
    told = ", ".join(f"{cut.name} like {_name(searches[search], search)}, weight {each:g}" for cut, search in added)
    return f"{stage.stage_name}: and {told}", _with(definition, place, _joined(stage, [*rest, *more]))


def _of(search: Mapping[str, JSON], cut: Cut) -> dict[str, JSON]:
    kept = {name: value for name, value in search.items() if name != "collection_ids"}
    return {**kept, "collection_identifiers": [cut.collection.collection_id]}


def _joined(stage: StageSpec, searches: Sequence[Mapping[str, JSON]]) -> StageSpec:
    """What was to be learnt is what is being found out."""
    kept = {name: value for name, value in stage.parameters.items() if name != "learning_config"}
    fusion = "dbsf" if kept.get("fusion") == "learned" else kept.get("fusion", "rrf")
    changed: list[JSON] = [dict(one) for one in searches]
    return replace(stage, parameters={**kept, "fusion": fusion, "searches": changed, "fuse_by": JOINED_BY})


def _name(search: Mapping[str, JSON], place: int) -> str:
    return f"search {place} ({'by words' if search.get('lexical') is True else 'by meaning'})"


def _weight(search: Mapping[str, JSON]) -> float:
    weight = search.get("weight", 1.0)
    return float(weight) if isinstance(weight, int | float) else 1.0


def _with(definition: Definition, place: int, stage: StageSpec) -> Definition:
    stages = (*definition.stages[:place], stage, *definition.stages[place + 1 :])
    return replace(definition, stages=stages)
