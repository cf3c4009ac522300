"""Collections extracted anew beside the old ones, and what is to be rewritten when they take these's place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.planning.definition import from_json, to_json
from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.metadata import Session
from tamis.errors import ValidationError
from tamis.model.batch import Batch, BatchItem, ItemStatus
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.model.feature_uri import FeatureUri
from tamis.model.json import JSON
from tamis.model.namespace_migration import ExtractorChange, MigrationConfig
from tamis.model.principal import Principal
from tamis.model.retriever import Definition
from tamis.services.data.batch_tiers import fed_by, tiers_from
from tamis.services.data.batches import start
from tamis.services.data.collection_design import design, merged_schema
from tamis.services.data.collection_runs import gathered
from tamis.services.data.collections import CollectionDraft, built, find_extractor

_CONFIG: list[str | int] = ["body", "config"]
_MOST_CHARS = 100


@dataclass(frozen=True, slots=True)
class Replaced:
    """One collection and the one that is to take its place."""

    old: Collection
    new: Collection


def chosen(session: Session, principal: Principal, config: MigrationConfig) -> list[Collection]:
    """What is extracted anew, what feeds others first. Raises: ValidationError naming the place."""
    every = [one for one in session.collections.list(principal) if not one.is_standby]
    wanted = {one.collection_id: one for one in _named(session, principal, config, every)}
    waiting = list(wanted.values())
    while waiting:
        for fed in fed_by(every, waiting.pop().collection_id):
            if fed.collection_id not in wanted:
                wanted[fed.collection_id] = fed
                waiting.append(fed)
                _check_fed(fed, config)
    for one in wanted.values():
        if not one.enabled:
            message = f"collection {one.name!r} is not enabled, so no batch feeds it; enable it or leave it out"
            raise ValidationError.at([*_CONFIG, "filters", "collection_ids"], message)
    return _in_order(list(wanted.values()))


def _named(
    session: Session, principal: Principal, config: MigrationConfig, every: Sequence[Collection]
) -> list[Collection]:
    if config.collections is None:
        names = {change.name for change in config.extractors}
        found = [one for one in every if one.extractor.name in names or not names]
        if not found:
            said = f"no collection's extractor is {' or '.join(sorted(names))}" if names else "there is no collection"
            raise ValidationError.at([*_CONFIG, "feature_extractors"], f"{said}; there is nothing to extract anew")
        return found
    found = []
    for place, name in enumerate(config.collections):
        collection = session.collections.get(principal, name)
        if collection is None or collection.is_standby:
            loc = [*_CONFIG, "filters", "collection_ids", place]
            raise ValidationError.at(loc, f"collection {name!r} was not found")
        found.append(collection)
    return found


def _check_fed(fed: Collection, config: MigrationConfig) -> None:
    if not config.with_fed:
        message = f"collection {fed.name!r} is fed by what is extracted anew; it has to be too"
        raise ValidationError.at([*_CONFIG, "filters", "auto_include_dependencies"], message)


def _in_order(wanted: list[Collection]) -> list[Collection]:
    """Raises: ValidationError where collections feed each other in a circle."""
    ordered: list[Collection] = []
    left = {one.collection_id: one for one in wanted}
    while left:
        ready = [one for one in left.values() if not left.keys() & set(one.source.collection_ids)]
        if not ready:
            names = ", ".join(sorted(one.name for one in left.values()))
            raise ValidationError.at([*_CONFIG, "filters", "collection_ids"], f"they feed each other: {names}")
        ordered += [left.pop(one.collection_id) for one in ready]
    return ordered


def replaced(
    wanted: Sequence[Collection], schemas: Mapping[str, Mapping[str, JSON]], config: MigrationConfig,
    extractors: Extractors, mark: str,
) -> list[Replaced]:  # fmt: skip
    """The collections to be made. wanted: as `chosen` orders them.  schemas: of whatever else feeds them, by its id.

    Reads no record, and may have to look at a model.  Raises: ValidationError naming the place.
    """
    made: dict[str, Replaced] = {}
    used: set[str] = set()
    for old in wanted:
        place = next((i for i, change in enumerate(config.extractors) if change.name == old.extractor.name), None)
        change = None if place is None else config.extractors[place]
        used |= {change.name} if change is not None else set()
        loc = [*_CONFIG, "feature_extractors", place or 0]
        extractor = _extractor(extractors, old, change, loc)
        source = _source(old.source, made)
        above = {**schemas, **{key: one.new.output_schema for key, one in made.items()}}
        schema = merged_schema([above[one] for one in old.source.ids if one in above])
        try:
            planned = design(find_extractor(extractors, f"{extractor.name}@{extractor.version}"), extractor, schema)  # type: ignore[arg-type]  # `_extractor` has found it
        except ValidationError as error:
            raise ValidationError.at(loc, f"collection {old.name!r}: {error.message}") from error
        draft = CollectionDraft(
            cut(old.name, f"-{mark}"), source, extractor, old.description, True, old.metadata,
            old.taxonomy_applications, old.cluster_applications, old.alert_applications, quantization=old.quantization,
        )  # fmt: skip
        made[old.collection_id] = Replaced(old, replace(built(draft, source, planned), is_standby=True))
    for place, change in enumerate(config.extractors):
        if change.name not in used:
            loc = [*_CONFIG, "feature_extractors", place, "feature_extractor_name"]
            known = sorted({one.extractor.name for one in wanted})
            raise ValidationError.at(loc, f"no collection here has it; they have {', '.join(known)}")
    return list(made.values())


def _extractor(
    extractors: Extractors, old: Collection, change: ExtractorChange | None, loc: list[str | int]
) -> ExtractorConfig:
    config = old.extractor
    if change is not None:
        version = config.version if change.version is None else change.version
        parameters = config.parameters if change.parameters is None else change.parameters
        config = replace(config, version=version, parameters=parameters)
    if extractors.get(config.name, config.version) is None:
        known = sorted(f"{one.name}@{one.version}" for one in extractors.all())
        message = f"there is no extractor {config.name}@{config.version}; there are {', '.join(known)}"
        raise ValidationError.at([*loc, "version"], message)
    return config


def _source(source: Source, made: Mapping[str, Replaced]) -> Source:
    ids = tuple(made[one].new.collection_id if one in made else one for one in source.collection_ids)
    return replace(source, collection_ids=ids)


def cut(name: str, tail: str) -> str:
    """The name with that end, as long as a collection's may be."""
    return f"{name[: _MOST_CHARS - len(tail)]}{tail}"


def begin_batches(session: Session, principal: Principal, pairs: Sequence[Replaced]) -> list[str]:
    """A batch for each new collection that no other new one feeds; ids of those that have anything to do."""
    new = [one.new for one in pairs]
    ids = {one.collection_id for one in new}
    begun = []
    for first in new:
        if ids & set(first.source.collection_ids):
            continue
        batch, sources = gathered(session, principal, first, first.source.ids, None)
        if sources:
            batch = replace(batch, tells_objects=False)
            session.batches.insert(principal, batch)
            start(session, principal, batch, tiers_from(new, [first]), sources)
            begun.append(batch.batch_id)
    return begun


def lost(session: Session, principal: Principal, pairs: Sequence[Replaced], batches: Sequence[Batch]) -> list[str]:
    """Sources that could not be extracted anew, though the old collection has documents of them."""
    old_of = {one.new.collection_id: one.old.collection_id for one in pairs}
    fed = {one.new.collection_id for one in pairs if one.new.source.collection_ids}
    return [
        item.source_id
        for batch in batches
        for item in _failed(session, principal, batch)
        if item.collection_id in fed
        or session.documents.by_source(principal, old_of.get(item.collection_id, ""), item.source_id)
    ]


def _failed(session: Session, principal: Principal, batch: Batch) -> Iterator[BatchItem]:
    offset = 0
    while True:
        page = session.batches.items(principal, batch.batch_id, ItemStatus.FAILED, None, None, 1000, offset)
        yield from page.items
        offset += len(page.items)
        if not page.has_next:
            return


class Names:
    """What is called otherwise once the new collections stand in the old ones' places: ids, and features' URIs."""

    def __init__(self, pairs: Sequence[Replaced]) -> None:
        self._names = {one.old.collection_id: one.new.collection_id for one in pairs}
        for one in pairs:
            self._names |= _uris(one)

    def definition(self, definition: Definition) -> Definition:
        renamed = self.json(to_json(definition))
        assert isinstance(renamed, dict)  # noqa: S101 - as it came
        return from_json(renamed)

    def json(self, value: JSON) -> JSON:
        """The value with every text that is one of the names renamed."""
        if isinstance(value, str):
            return self._names.get(value, value)
        if isinstance(value, dict):
            return {key: self.json(inner) for key, inner in value.items()}
        return [self.json(inner) for inner in value] if isinstance(value, list) else value


def _uris(pair: Replaced) -> dict[str, str]:
    """A feature is the new one of its name, else of one of its aliases, else the only one of its kind."""
    old, new = pair.old, pair.new
    found = {}
    for feature in old.features:
        names = [one.name for one in new.features if feature.name in (one.name, *one.aliases)]
        alike = [one.name for one in new.features if one.kind is feature.kind]
        name = names[0] if names else alike[0] if len(alike) == 1 else feature.name
        before = FeatureUri(old.extractor.name, old.extractor.version, feature.name)
        found[str(before)] = str(FeatureUri(new.extractor.name, new.extractor.version, name))
    return found
