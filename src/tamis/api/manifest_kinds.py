"""What a manifest may hold. An entry is the body that makes the resource, called by `name`, with names for ids.

A further kind is a class and a line in KINDS, and its service in `wiring/manifests.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from tamis.api.manifest_findings import Alerts, Clusters, Datasets, Taxonomies
from tamis.api.manifest_wire import WireKind, counted
from tamis.api.schemas.bucket import BucketCreateRequest, bucket_draft
from tamis.api.schemas.collection import CreateCollectionRequest, collection_draft
from tamis.api.schemas.namespace import CreateNamespaceRequest, namespace_changes, namespace_draft
from tamis.api.schemas.published import PublishRetrieverRequest, read_limits, show_limits
from tamis.api.schemas.retriever import CreateRetrieverRequest
from tamis.api.schemas.retriever_wire import read_draft
from tamis.engine.planning.definition import parse_stages
from tamis.engine.ports.metadata import Session
from tamis.errors import NotFoundError, ValidationError
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection, ExtractorConfig
from tamis.model.namespace import Namespace
from tamis.model.principal import NamespaceOperation, Principal
from tamis.model.published import PublishedRetriever
from tamis.model.retriever import Retriever, StageSpec
from tamis.model.vector import Quantization
from tamis.services.data.buckets import BucketService
from tamis.services.data.collection_design import merged_schema
from tamis.services.data.collections import CollectionChange, CollectionService
from tamis.services.data.namespaces import NamespaceService
from tamis.services.manifests.kind import Body, Crew, Kind, Stored, pruned
from tamis.services.public.publishing import Publication, PublishingService
from tamis.services.runs.retrievers import RetrieverChanges, RetrieverService, draft_of


class _Namespaces(WireKind):
    section, label = "namespaces", "namespace"
    model = CreateNamespaceRequest
    spellings: ClassVar[Mapping[str, str]] = {"namespace_name": "name"}
    fixed = frozenset({"feature_extractors"})

    def read(self, body: Body) -> Any:
        """An extractor is `{name, version}`."""
        refs = body.get("feature_extractors")
        if isinstance(refs, list):
            named = [
                {("feature_extractor_name" if key == "name" else key): value for key, value in one.items()}
                if isinstance(one, dict)
                else one
                for one in refs
            ]
            body = {**body, "feature_extractors": named}
        return super().read(body)

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        found = session.namespaces.get(principal, principal.namespace_id)
        return [] if found is None else [Stored(found.namespace_id, found.name, _namespace(found))]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        made = await crew.get(NamespaceService).create(principal, namespace_draft(self.read(body)))
        return made.namespace.namespace_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        sent = {"name": stored.name, **{name: body.get(name) for name in fields}}
        changes = {name: value for name, value in namespace_changes(self.read(sent)).items() if name != "name"}
        await crew.get(NamespaceService).update(principal, stored.resource_id, changes)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        raise ValidationError("a manifest deletes no namespace: DELETE /v1/namespaces does")


def _namespace(one: Namespace) -> Body:
    policy = one.record_policy
    kept = pruned({"max_age_s": policy.max_age_s, "max_count": policy.max_count, "exclude": list(policy.exclude)})
    refs = [{"name": ref.name, "version": ref.version} for ref in one.feature_extractors]
    body = pruned(
        {
            "description": one.description,
            "feature_extractors": refs,
            "payload_indexes": list(one.payload_indexes),
            "auto_create_indexes": one.auto_create_indexes or None,
            "record_policy": kept,
        }
    )
    return {"name": one.name, **body}


class _Buckets(WireKind):
    section, label = "buckets", "bucket"
    model = BucketCreateRequest
    spellings: ClassVar[Mapping[str, str]] = {"bucket_name": "name", "bucket_schema": "schema"}
    fixed = frozenset({"schema", "unique_key"})

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [_bucket(session, principal, one) for one in session.buckets.list(principal)]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        return (await crew.get(BucketService).create(principal, bucket_draft(self.read(body)))).bucket.bucket_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        draft = bucket_draft(self.read(body))
        changes = {name: getattr(draft, name) for name in fields}
        await crew.get(BucketService).update(principal, stored.resource_id, changes)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(BucketService).delete(principal, stored.resource_id)


def _bucket(session: Session, principal: Principal, one: Bucket) -> Stored:
    count = session.objects.sizes(principal, one.bucket_id).count
    more = pruned({"description": one.description, "metadata": one.metadata, "unique_key": one.unique_key})
    return Stored(
        one.bucket_id, one.name, {"name": one.name, **more, "schema": one.schema}, holds=counted(count, "object")
    )


class _Collections(WireKind):
    section, label = "collections", "collection"
    model = CreateCollectionRequest
    spellings: ClassVar[Mapping[str, str]] = {"collection_name": "name"}
    fixed = frozenset({"source", "feature_extractor", "input_schema", "quantization"})
    late = frozenset({"taxonomy_applications", "cluster_applications", "alert_applications"})

    def completed(self, crew: Crew, written: Body, stored: Stored) -> Body:
        """An extractor says which inputs it takes where nobody does, and may go by an alias."""
        whole = super().completed(crew, written, stored)
        mine, there = written.get("feature_extractor"), stored.body["feature_extractor"]
        if isinstance(mine, dict):
            extractor = {**there, **mine}
            if isinstance(mine.get("input_mappings"), dict) and isinstance(there.get("input_mappings"), dict):
                extractor["input_mappings"] = {**there["input_mappings"], **mine["input_mappings"]}
            extractor.update(_own_name(crew, extractor))
            whole["feature_extractor"] = extractor
        return whole

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        # One on standby is a state of a migration, and nothing that somebody wrote down.
        every = (one for one in session.collections.list(principal) if not one.is_standby)
        return [_collection(session, principal, one) for one in every]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        made = await crew.get(CollectionService).create(principal, collection_draft(self.read(body)))
        return made.collection.collection_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        draft = collection_draft(self.read(body))
        change = CollectionChange(**{name: getattr(draft, name) for name in fields})
        await crew.get(CollectionService).patch(principal, stored.resource_id, change)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(CollectionService).delete(principal, stored.resource_id)


def _own_name(crew: Crew, extractor: Body) -> Body:
    name, version = extractor.get("feature_extractor_name"), extractor.get("version", "v1")
    try:
        found = crew.get(CollectionService).extractor(f"{name}@{version}")
    except NotFoundError:
        return {}
    return {"feature_extractor_name": found.name, "version": found.version}


def _collection(session: Session, principal: Principal, one: Collection) -> Stored:
    source = one.source
    told = {"input_schema": one.input_schema}
    body = {
        "name": one.name,
        **pruned({"description": one.description, "enabled": None if one.enabled else False, "metadata": one.metadata}),
        "source": pruned(
            {
                "type": source.type,
                "bucket_ids": list(source.bucket_ids),
                "collection_ids": list(source.collection_ids),
                "source_filters": {"filters": source.filters} if source.filters else None,
            }
        ),
        "feature_extractor": _extractor(one.extractor),
        "quantization": None if one.quantization is Quantization.INT8 else one.quantization.value,
        "taxonomy_applications": list(one.taxonomy_applications),
        "cluster_applications": list(one.cluster_applications),
        "alert_applications": list(one.alert_applications),
    }
    if one.input_schema != _source_schema(session, principal, one):
        body["input_schema"] = one.input_schema
    count = session.documents.count(principal, one.collection_id)
    return Stored(one.collection_id, one.name, pruned(body), told, counted(count, "document"))


def _source_schema(session: Session, principal: Principal, one: Collection) -> Body:
    buckets = [session.buckets.get(principal, each) for each in one.source.bucket_ids]
    above = [session.collections.get(principal, each) for each in one.source.collection_ids]
    return merged_schema(
        [*(each.schema for each in buckets if each), *(each.output_schema for each in above if each is not None)]
    )


def _extractor(config: ExtractorConfig) -> Body:
    mappings: Any = config.input_mappings
    if any(isinstance(mapping, dict) for mapping in mappings.values()):
        mappings = [
            {"input_key": name, **(mapping if isinstance(mapping, dict) else {"path": mapping})}
            for name, mapping in config.input_mappings.items()
        ]
    passed = [
        pruned(
            {
                "source_path": one.source_path,
                "target_path": one.target_path,
                "default": one.default,
                "required": one.required or None,
            }
        )
        for one in config.passthrough
    ]
    more = {
        "parameters": config.parameters,
        "input_mappings": mappings,
        "field_passthrough": passed,
        "include_all_source_fields": config.include_all_source_fields or None,
    }
    return {"feature_extractor_name": config.name, "version": config.version, **pruned(more)}


class _Retrievers(WireKind):
    section, label = "retrievers", "retriever"
    model = CreateRetrieverRequest
    spellings: ClassVar[Mapping[str, str]] = {"retriever_name": "name"}
    operation = NamespaceOperation.CREATE_RETRIEVER

    def full(self, body: Body) -> Body:
        whole = super().full(body)
        return {**whole, "stages": [_stage(one) for one in parse_stages(body["stages"])]}

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [Stored(one.retriever_id, one.name, _retriever(one)) for one in session.retrievers.list(principal)]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        return (await crew.get(RetrieverService).create(principal, read_draft(self.read(body)))).retriever_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        service = crew.get(RetrieverService)
        draft = read_draft(self.read(body))
        renamed = {"collection_identifiers": "collections", "budget_limits": "budget"}
        changed = frozenset(renamed.get(name, name) for name in fields)
        before = draft_of(await service.get(principal, stored.resource_id))
        values = {name: getattr(draft, name) for name in changed}
        named = {name: getattr(before, name) for name in before.__slots__ if name not in changed}
        await service.patch(principal, stored.resource_id, RetrieverChanges(changed, **{**named, **values}))

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(RetrieverService).delete(principal, stored.resource_id)


def _retriever(one: Retriever) -> Body:
    definition = one.definition
    budget = definition.budget
    more = {
        "description": one.description,
        "tags": list(one.tags),
        "collection_identifiers": list(definition.collection_ids),
        "input_schema": definition.input_schema,
        "budget_limits": pruned({"max_credits": budget.max_credits, "max_time_ms": budget.max_time_ms}),
        "cache_config": definition.cache_config,
        "display_config": one.display_config,
    }
    return {"name": one.name, **pruned(more), "stages": [_stage(stage) for stage in definition.stages]}


def _stage(one: StageSpec) -> Body:
    config = {"stage_id": one.stage_id, "parameters": one.parameters, **one.options}
    more = pruned({"batch_size": one.batch_size, "description": one.description})
    return {"stage_name": one.stage_name, "config": config, **more}


class PublishedEntry(PublishRetrieverRequest):
    """password_protected: a password that was given in the clear is in no manifest; this says that there is one."""

    is_active: bool = True
    password: None = None
    password_protected: bool = False
    retriever: str = Field(..., min_length=1)


class _Published(WireKind):
    section, label = "published", "published retriever"
    model = PublishedEntry
    spellings: ClassVar[Mapping[str, str]] = {"public_name": "name"}
    fixed = frozenset({"retriever"})
    operation = NamespaceOperation.CREATE_RETRIEVER

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [Stored(one.public_id, one.name, _published(one)) for one in session.published.list(principal)]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        entry: PublishedEntry = self.read(body)
        if entry.password_protected and entry.password_secret_name is None:
            message = (
                "its password is in no manifest: name a secret as password_secret_name, or publish it by hand first"
            )
            raise ValidationError.at(["body", "password_protected"], message)
        service = crew.get(PublishingService)
        asked = Publication(
            name=entry.public_name,
            display=entry.display_config.model_dump(mode="json") if entry.display_config else None,
            limits=read_limits(entry.rate_limit_config),
            password_secret_name=entry.password_secret_name,
            allowed_origins=tuple(entry.allowed_origins or ()),
            shows_stages=entry.include_metadata,
            shares_template=bool(entry.share_template),
        )
        made = await service.publish(principal, entry.retriever, asked)
        if not entry.is_active:
            await service.update(principal, made.retriever.retriever_id, {"is_active": False})
        return made.published.public_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        entry: PublishedEntry = self.read(body)
        if "password_protected" in fields and entry.password_protected and entry.password_secret_name is None:
            message = "its password is in no manifest: name a secret as password_secret_name, or set it by hand first"
            raise ValidationError.at(["body", "password_protected"], message)
        changes: dict[str, Any] = {
            "display": entry.display_config.model_dump(mode="json") if entry.display_config else None,
            "limits": read_limits(entry.rate_limit_config),
            "allowed_origins": tuple(entry.allowed_origins or ()),
            "shows_stages": entry.include_metadata,
            "shares_template": bool(entry.share_template),
            "is_active": entry.is_active,
            "password_secret_name": entry.password_secret_name,
        }
        wanted = {_PUBLISHED.get(name, name) for name in fields}
        sent = {name: value for name, value in changes.items() if name in wanted}
        if "password_protected" in fields and not entry.password_protected:
            sent["password"] = ""
        await crew.get(PublishingService).update(principal, stored.body["retriever"], sent)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(PublishingService).unpublish(principal, stored.body["retriever"])


_PUBLISHED = {
    "display_config": "display",
    "rate_limit_config": "limits",
    "include_metadata": "shows_stages",
    "share_template": "shares_template",
}


def _published(one: PublishedRetriever) -> Body:
    limits = show_limits(one.limits).model_dump(mode="json", exclude_defaults=True)
    more = {
        "is_active": None if one.is_active else False,
        "display_config": one.display,
        "rate_limit_config": limits,
        "allowed_origins": list(one.allowed_origins),
        "include_metadata": None if one.shows_stages else False,
        "share_template": one.shares_template or None,
        "password_secret_name": one.password_secret_name,
        "password_protected": one.password_hash is not None or None,
    }
    return {"name": one.name, "retriever": one.retriever_id, **pruned(more)}


KINDS: Sequence[Kind] = (
    _Namespaces(),
    _Buckets(),
    _Collections(),
    _Retrievers(),
    _Published(),
    Taxonomies(),
    Clusters(),
    Alerts(),
    Datasets(),
)
"""In the order in which they are made: what is named stands before who names it."""
