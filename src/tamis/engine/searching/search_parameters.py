"""What a feature search can be told: its searches, how they become one ranking, and what is kept of it."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from tamis.engine.groups.grouping import GroupOutput
from tamis.engine.learning.learning_parameters import LearnedFusionConfig
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.querying.query_inputs import QueryInput
from tamis.engine.searching.fusion import Fusion


class OnEmpty(StrEnum):
    """What a search does whose query turns out empty."""

    ERROR = "error"
    SKIP = "skip"
    RANDOM = "random"


class FeatureSearchConfig(StageParameters):
    feature_uri: str = Field(
        min_length=1, description="mixpeek://extractor@version/output; without output, its only dense one."
    )
    query: QueryInput | None = Field(description="A text, or an object that says what to ask with.")
    top_k: int = Field(100, ge=1, le=10_000, description="Candidates of this search.")
    min_score: float | None = Field(
        None, allow_inf_nan=False, description="Leave out what scores below, before fusion."
    )
    weight: float = Field(1.0, ge=0.0, allow_inf_nan=False, description="Its part in rrf, dbsf and weighted fusion.")
    lexical: bool = Field(False, description="Search by words (BM25) in the text behind the feature.")
    filters: dict[str, Any] | list[Any] | None = Field(None, description="Search only documents that match.")
    collection_identifiers: list[str] | None = Field(
        None,
        validation_alias=AliasChoices("collection_identifiers", "collection_ids"),
        description="Collections of this search, by id or name.",
    )
    optional: bool = Field(False, description="Skip this search, with a warning, while its index is empty.")
    on_empty: OnEmpty = Field(OnEmpty.ERROR, description="Where the query is empty: fail, skip, or draw at random.")
    query_preprocessing: dict[str, Any] | None = Field(None, description="Not in this version.")

    @model_validator(mode="before")
    @classmethod
    def _null_is_the_default(cls, raw: Any) -> Any:
        """A query may be null: an input that was not given."""
        if not isinstance(raw, dict):
            return raw
        return {key: value for key, value in raw.items() if value is not None or key == "query"}

    @field_validator("filters")
    @classmethod
    def _is_a_filter(cls, value: Any) -> Any:
        return checked_filter(value)

    @field_validator("query_preprocessing")
    @classmethod
    def _no_preprocessing(cls, value: Any) -> Any:
        raise ValueError("large files are not cut up as queries in this version")


class FacetField(StageParameters):
    key: str = Field(min_length=1, validation_alias=AliasChoices("key", "field"), description="Path of the field.")
    limit: int = Field(10, ge=1, le=1000, description="How many values.")
    exact: bool = Field(False, description="Count every document, where an estimate would be faster.")


class FeatureSearchGroupBy(StageParameters):
    field: str = Field(min_length=1, description="Path of the field whose equal values make a group.")
    limit: int = Field(25, ge=1, le=500, description="How many groups; stands in place of final_top_k.")
    max_per_group: int = Field(
        1,
        ge=1,
        le=100,
        validation_alias=AliasChoices("max_per_group", "group_size"),
        description="How many documents of a group.",
    )
    output_mode: GroupOutput = Field(
        GroupOutput.ALL, description="first: the best of each. all: with `group` on each. flatten: without it."
    )


class FeatureSearchParameters(StageParameters):
    searches: list[FeatureSearchConfig] = Field(
        default_factory=list, max_length=10, description="What to search; may be empty where there are filters."
    )
    fusion: Fusion = Field(
        Fusion.RRF,
        description="How several searches become one: rrf by ranks (k = 60); dbsf by scores in units of their spread; "
        "weighted sums the scores as they are; max takes the greatest; learned is dbsf whose weights are learnt from "
        "interactions. One search alone keeps its own scores.",
    )
    fuse_by: str | None = Field(
        None,
        min_length=1,
        description="Path of the field whose equal values are one thing, as root_object_id where searches ask "
        "collections that were made of the same objects, by passages or of one field: of each search its best document "
        "of a thing counts, and the first search that has any shows it.",
    )
    final_top_k: int = Field(
        25, ge=1, le=10_000, validation_alias=AliasChoices("final_top_k", "limit"), description="Documents to return."
    )
    filters: dict[str, Any] | list[Any] | None = Field(
        None,
        validation_alias=AliasChoices("filters", "pre_filters"),
        description="Every search sees only what matches.",
    )
    collection_identifiers: list[str] | None = Field(
        None,
        validation_alias=AliasChoices("collection_identifiers", "collection_ids"),
        description="Collections of this stage, by id or name; the retriever's if omitted.",
    )
    group_by: FeatureSearchGroupBy | None = Field(None, description="Group the documents by a field.")
    facets: list[FacetField] | None = Field(
        None, description="Count the values of fields over all that could be found."
    )
    hard_timeout_ms: int | None = Field(
        None, ge=1, description="Stop searching after so long; the run goes on without it, degraded."
    )
    auto_preprocess: bool = Field(True, description="Accepted; text needs none.")
    cache_behavior: Literal["auto", "disabled", "aggressive"] | None = Field(
        None, description="auto or aggressive: keep what it finds for the same question. disabled: never, whoever asks."
    )
    cache_ttl_seconds: int | None = Field(
        None, ge=0, description="For how long it is kept; asks for it by itself. 0: never. 3600 where only asked for."
    )
    interactive: bool = Field(False, description="Accepted: no search is tried a second time.")
    degrade_retry: bool = Field(False, description="Accepted: no search is tried a second time.")
    learning_config: LearnedFusionConfig | None = Field(None, description="Of learned fusion: how weights are learnt.")
    query_preprocessing: dict[str, Any] | None = Field(None, description="Not in this version.")

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, raw: Any) -> Any:
        """`feature_uris: [{uri, input: {text}}]` of the stage pages."""
        if not isinstance(raw, dict) or not isinstance(raw.get("feature_uris"), list) or "searches" in raw:
            return raw
        listed = [item for item in raw["feature_uris"] if isinstance(item, dict)]
        searches = [{"feature_uri": item.get("uri"), "query": item.get("input")} for item in listed]
        return {**{key: value for key, value in raw.items() if key != "feature_uris"}, "searches": searches}

    @field_validator("facets", mode="before")
    @classmethod
    def _paths_too(cls, value: Any) -> Any:
        return (
            [{"key": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value
        )

    @field_validator("filters")
    @classmethod
    def _is_a_filter(cls, value: Any) -> Any:
        return checked_filter(value)

    @field_validator("query_preprocessing")
    @classmethod
    def _no_preprocessing(cls, value: Any) -> Any:
        raise ValueError("large files are not cut up as queries in this version")

    @model_validator(mode="after")
    def _learns_what_it_fuses(self) -> "FeatureSearchParameters":
        if self.learning_config is not None and self.fusion is not Fusion.LEARNED:
            raise ValueError(f"learning_config goes with fusion 'learned', not with {self.fusion.value!r}")
        return self

    @model_validator(mode="after")
    def _something_to_search(self) -> "FeatureSearchParameters":
        if not self.searches and not self.filters:
            raise ValueError("give at least one search, or filters to list documents by")
        return self
