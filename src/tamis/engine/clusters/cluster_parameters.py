"""What the stage `cluster` takes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, Field, field_validator, model_validator

from tamis.engine.clustering.clustering import SAMPLED
from tamis.engine.clustering.clustering_parameters import Algorithm, Method, Metric, method_of
from tamis.engine.language.language_parameters import LanguageParameters
from tamis.engine.language.prompting import checked_prompt
from tamis.engine.language.questions import OnError


class OutputMode(StrEnum):
    """A row for each cluster, its documents inside; the documents; or one document for each cluster."""

    CLUSTERS = "clusters"
    DOCUMENTS = "documents"
    REPRESENTATIVES = "representatives"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of clusters: how, how many of each, and whether of those in none, too."""

    mode: OutputMode
    members: int
    outliers: bool


class ClusterParameters(LanguageParameters):
    algorithm: Algorithm | None = Field(
        None,
        description="hdbscan where nothing is said, which finds how many there are; kmeans where n_clusters is given.",
    )
    n_clusters: int | None = Field(
        None,
        ge=2,
        le=100,
        validation_alias=AliasChoices("n_clusters", "num_clusters"),
        description="How many clusters to make, fewer where there are too few documents. Without it the algorithm "
        "finds it out, or the silhouette decides among 2 to 10.",
    )
    feature_uri: str | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("feature_uri", "embedding_field"),
        description="Whose stored vectors are clustered: a feature URI or an output's name; the collections' only "
        "dense feature where nothing is named.",
    )
    min_cluster_size: int | None = Field(
        None,
        ge=2,
        le=100,
        description="Fewer documents are no cluster but outliers: 5 for hdbscan and optics, 2 for the others.",
    )
    metric: Metric | None = Field(None, description="cosine where nothing is said; or euclidean.")
    algorithm_params: dict[str, Any] = Field(
        default_factory=dict, description="The algorithm's own parameters, as docs/clusters.md lists them."
    )
    sample_size: int | None = Field(
        None,
        ge=10,
        le=10_000,
        description="On how many documents the algorithm works; the others go with the nearest of them. 1,000 for "
        "algorithms that compare all pairs (500 for mean_shift), else all.",
    )
    output_mode: OutputMode = Field(
        OutputMode.CLUSTERS,
        description="clusters: a row for each, with its documents. documents: the hits, cluster after cluster, each "
        "with `cluster`. representatives: of each cluster the hit that is nearest to its centroid.",
    )
    max_members_per_cluster: int = Field(
        50, ge=1, le=500, description="How many of a cluster's documents are shown, by score."
    )
    include_centroids: bool = Field(True, description="Whether rows of clusters have their centroid.")
    include_outliers: bool = Field(True, description="Whether documents of no cluster are shown, behind the clusters.")
    content_field: str = Field(
        "content", min_length=1, description="The text that names are made of; without `content`, the `text`."
    )
    label_terms: int = Field(3, ge=0, le=10, description="How many terms name a cluster; 0 numbers it.")
    label_clusters: bool = Field(False, description="Let a language model name the clusters, one question for each.")
    label_prompt: str | None = Field(None, min_length=1, description="What to ask it, instead of the usual question.")
    label_samples: int = Field(10, ge=1, le=20, description="How many documents of a cluster it is shown.")
    label_sample_chars: int = Field(200, ge=50, le=2_000, description="How much of each.")
    on_error: OnError = Field("skip", description="No name by the model: the terms name it, or the stage fails.")
    hard_timeout_ms: int | None = Field(
        None, ge=1, description="Give up after so long: the hits go on as they came in, and the run is degraded."
    )

    @field_validator("algorithm", mode="before")
    @classmethod
    def _by_vectors(cls, value: Any) -> Any:
        if value == "attribute_based":
            raise ValueError("clusters of equal fields are made by the stage group_by")
        return value

    @field_validator("label_prompt")
    @classmethod
    def _names_fields_only(cls, value: str | None) -> str | None:
        return None if value is None else checked_prompt(value)

    @model_validator(mode="after")
    def _can_be_done(self) -> "ClusterParameters":
        most = SAMPLED.get(self.method.algorithm)
        if most is not None and self.sample_size is not None and self.sample_size > most.most:
            raise ValueError(f"sample_size: {self.method.algorithm} works on at most {most.most} documents")
        return self

    @property
    def method(self) -> Method:
        chosen = self.algorithm or (Algorithm.HDBSCAN if self.n_clusters is None else Algorithm.KMEANS)
        return method_of(
            chosen, self.algorithm_params, count=self.n_clusters, least=self.min_cluster_size, metric=self.metric
        )

    @property
    def shows_centroids(self) -> bool:
        return self.include_centroids and self.output_mode is OutputMode.CLUSTERS

    @property
    def shown(self) -> Shown:
        return Shown(self.output_mode, self.max_members_per_cluster, self.include_outliers)
